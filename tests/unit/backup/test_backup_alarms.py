"""What rings: the metrics that the alarms of replication, exports and sealing watch, and whom they tell."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.backup.exported import BUCKET, INTAKE, export, landing
from tests.unit.backup.vaults import DATA, SEALED, VAULT, vault
from tests.unit.backup.vaults import stack as vault_stack
from tests.unit.tables.support import stack

Json = dict[str, Any]


def alarms(scope: cdk.Stack) -> list[Json]:
    return [each["Properties"] for each in Template.from_stack(scope).find_resources("AWS::CloudWatch::Alarm").values()]


def dimensions(said: Json) -> Json:
    return {each["Name"]: each["Value"] for each in said["Dimensions"]}


def rings_from_one_on(said: Json) -> bool:
    return (said["Threshold"], said["ComparisonOperator"], said["Statistic"], said["EvaluationPeriods"]) == (
        1,
        "GreaterThanOrEqualToThreshold",
        "Sum",
        1,
    )


def replicated(scope: cdk.Stack, topic: sns.ITopic) -> Json:
    tg.BucketReplication(
        scope,
        "R",
        source=s3.Bucket(scope, "Source", versioned=True, bucket_name="acme-backups"),
        destination=tg.SealedReference(account=VAULT, region="eu-west-1", bucket=SEALED),
        role_name="replication",
        alarms_topic=topic,
    )
    return {"DestinationBucket": SEALED}


def landed(scope: cdk.Stack, topic: sns.ITopic) -> Json:
    landing(scope, alarms_topic=topic)
    return {"SourceBucket": BUCKET, "DestinationBucket": INTAKE}


@pytest.mark.parametrize("make", [replicated, landed])
def test_an_object_that_fails_to_replicate_rings(make: Any) -> None:
    scope = stack()
    where = make(scope, sns.Topic(scope, "Topic"))
    (said,) = alarms(scope)
    assert (said["Namespace"], said["MetricName"]) == ("AWS/S3", "OperationsFailedReplication")
    assert rings_from_one_on(said)
    assert said["AlarmActions"]
    (rule,) = next(
        each["Properties"]["ReplicationConfiguration"]["Rules"]
        for each in Template.from_stack(scope).find_resources("AWS::S3::Bucket").values()
        if "ReplicationConfiguration" in each["Properties"]
    )
    assert rule["Destination"]["Metrics"] == {"Status": "Enabled"}
    found = dimensions(said)
    assert found["RuleId"] == rule["Id"]
    assert found.items() >= where.items()
    assert set(found) == {"SourceBucket", "DestinationBucket", "RuleId"}


def test_a_landing_bucket_without_a_vault_has_nothing_that_fails_to_replicate() -> None:
    made = landing(stack(), vault=None, replication_role_name=None)
    assert (made.alarm, made.vault) == (None, None)


def test_a_landing_buckets_alarm_tells_nobody_unless_somebody_is_named() -> None:
    scope = stack()
    export(scope)
    (said,) = (each for each in alarms(scope) if each.get("MetricName") == "OperationsFailedReplication")
    assert "AlarmActions" not in said


def sealing(**options: Any) -> list[Json]:
    scope = vault_stack()
    vault(scope, **options)
    return alarms(scope)


def of_metric(found: list[Json], name: str) -> list[Json]:
    return [each for each in found if each.get("MetricName") == name]


@pytest.mark.parametrize(("tables", "watched"), [(("orders",), {"Table": "orders"}), (None, {})])
@pytest.mark.parametrize("metric", ["SealedExports", "MissingWindows"])
def test_each_source_has_alarms_with_the_dimensions_that_are_counted_by(
    metric: str, tables: tuple[str, ...] | None, watched: Json
) -> None:
    source = tg.ReplicationSource(account=DATA, role_name="backup-replication", tables=tables)
    (said,) = of_metric(sealing(sources=[source]), metric)
    assert said["Namespace"] == "tableguard/backup"
    assert dimensions(said) == {"Vault": SEALED, "Account": DATA, **watched}


def test_a_missing_window_rings_until_a_sweep_finds_none() -> None:
    (said,) = of_metric(sealing(), "MissingWindows")
    assert (said["Threshold"], said["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert (said["Statistic"], said["TreatMissingData"]) == ("Maximum", "ignore")
    assert "table orders of account 444455556666" in said["AlarmDescription"]
