"""Exports as templates: with the least that they take, and with more."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_sns as sns
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tests.unit.backup.exported import BUCKET, PITR, export, landing
from tests.unit.tables.support import OWNER, PK, stack


def test_landing_bucket_least(template_snapshots: SnapshotAssertion) -> None:
    scope = stack()
    tg.LandingBucket(scope, "Landing", bucket_name=BUCKET, vault=None, replication_role_name=None)
    assert scope == template_snapshots


def test_table_export_everything(template_snapshots: SnapshotAssertion) -> None:
    scope = stack()
    tables = [
        dynamodb.TableV2(
            scope, "Orders", table_name="orders", partition_key=PK, point_in_time_recovery_specification=PITR
        ),
        dynamodb.TableV2.from_table_name(scope, "Customers", "customers"),
    ]
    export(
        scope,
        tables=tables,
        landing=landing(scope, readers=[tg.Role(account=OWNER, name="loader")], keep_days=30),
        every=cdk.Duration.minutes(30),
        full_every=cdk.Duration.hours(24),
        alarms_topic=sns.Topic(scope, "Topic"),
    )
    assert scope == template_snapshots
