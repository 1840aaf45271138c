"""Removes what a trial deployment has made and a stack's destruction leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scripts.deployment.accounts import Accounts
from scripts.deployment.cdk import TOOLKIT
from scripts.deployment.inventory import Thing
from scripts.deployment.plan import Place
from scripts.deployment.report import Report

_DAYS = 7  # the shortest time that KMS waits before it deletes a key


def remove_retained(accounts: Accounts, things: Iterable[Thing], report: Report) -> None:
    """Delete tables, protected or not, buckets and log groups, and schedule keys for deletion.

    Args:
        accounts: The accounts.
        things: What the stacks have left, as their templates say.
        report: Hears of it.
    """
    for account, region, kind, name in sorted(things, key=lambda thing: (thing[2] == "key", thing)):  # the table first
        place = account, region
        if kind == "table":
            client = accounts.client("dynamodb", place)
            client.update_table(TableName=name, DeletionProtectionEnabled=False)
            client.get_waiter("table_exists").wait(TableName=name)
            client.delete_table(TableName=name)
            client.get_waiter("table_not_exists").wait(TableName=name)
        elif kind == "bucket":
            # Its policy keeps everybody but deployments from deleting it. The account's root user takes that off.
            client = accounts.client("s3", place)
            client.delete_bucket_policy(Bucket=name)
            _empty(client, name)
            client.delete_bucket(Bucket=name)
        elif kind == "log group":
            accounts.client("logs", place).delete_log_group(logGroupName=name)
        else:
            accounts.client("kms", place).schedule_key_deletion(KeyId=name, PendingWindowInDays=_DAYS)
        report.progress(f"removed the {kind} {name}")


def remove_toolkit(accounts: Accounts, place: Place) -> None:
    """Delete what `cdk bootstrap` has made, with the bucket that its stack leaves.

    Args:
        accounts: The accounts.
        place: The account and region.
    """
    cloudformation = accounts.client("cloudformation", place)
    resources = cloudformation.describe_stack_resources(StackName=TOOLKIT)["StackResources"]
    (bucket,) = (each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::S3::Bucket")
    _empty(accounts.client("s3", place), bucket)
    cloudformation.delete_stack(StackName=TOOLKIT)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=TOOLKIT)
    if bucket in {each["Name"] for each in accounts.client("s3", place).list_buckets()["Buckets"]}:
        accounts.client("s3", place).delete_bucket(Bucket=bucket)


def _empty(client: Any, bucket: str) -> None:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
