"""What rings: the metrics that the alarms of replication, exports and sealing watch, and whom they tell."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3, aws_sns as sns
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.backup.exported import BUCKET, INTAKE, export, landing
from tests.unit.backup.vault.vaults import (
    DATA,
    INTAKE as INTAKE_OF_VAULT,
    QUOTA,
    SEALED,
    SOURCE,
    STRANGER,
    VAULT,
    stack as vault_stack,
    vault,
)
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
    assert said["Namespace"] == "tableguard/sealing"
    assert dimensions(said) == {"Vault": SEALED, "Account": DATA, **watched}


def test_a_missing_window_rings_until_a_sweep_finds_none() -> None:
    (said,) = of_metric(sealing(), "MissingWindows")
    assert (said["Threshold"], said["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert (said["Statistic"], said["TreatMissingData"]) == ("Maximum", "ignore")
    assert "table orders of account 444455556666" in said["AlarmDescription"]


def watched(said: Json) -> list[Json]:
    """The metrics of an alarm on an expression."""
    return [each["MetricStat"]["Metric"] for each in said["Metrics"] if "MetricStat" in each]


def expression(said: Json) -> str:
    (found,) = (each["Expression"] for each in said["Metrics"] if "Expression" in each)
    return str(found)


def on_expression(found: list[Json], word: str) -> Json:
    (said,) = (each for each in found if "Metrics" in each and word in json.dumps(watched(each)))
    return said


def test_a_machine_of_the_vault_that_fails_rings() -> None:
    scope = vault_stack()
    vault(scope)
    said = on_expression(alarms(scope), "AWS/States")
    machines = Template.from_stack(scope).find_resources("AWS::StepFunctions::StateMachine")
    counted = {(each["MetricName"], dimensions(each)["StateMachineArn"]["Ref"]) for each in watched(said)}
    # A transition that is throttled is tried again, and is no failure.
    names = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    assert counted == {(name, machine) for name in names for machine in machines}
    assert all([one["Name"] for one in each["Dimensions"]] == ["StateMachineArn"] for each in watched(said))
    assert len(machines) == 2
    ids = [each["Id"] for each in said["Metrics"] if "MetricStat" in each]
    assert all(f"FILL({name}, 0)" in expression(said) for name in ids)
    assert (said["Threshold"], said["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_a_flood_rings_in_whatever_storage_class_its_source_chooses() -> None:
    other = tg.ReplicationSource(account=STRANGER, role_name="backup-replication")
    said = on_expression(sealing(sources=[SOURCE, other]), "BucketSizeBytes")
    assert {each["MetricName"] for each in watched(said)} == {"BucketSizeBytes"}
    assert {dimensions(each)["BucketName"] for each in watched(said)} == {INTAKE_OF_VAULT}
    assert sorted(dimensions(each)["StorageType"] for each in watched(said)) == [
        "DeepArchiveStorage",
        "GlacierInstantRetrievalStorage",
        "GlacierStorage",
        "IntelligentTieringFAStorage",
        "IntelligentTieringIAStorage",
        "OneZoneIAStorage",
        "ReducedRedundancyStorage",
        "StandardIAStorage",
        "StandardStorage",
    ]
    assert len(said["Metrics"]) <= 10
    ids = [each["Id"] for each in said["Metrics"] if "MetricStat" in each]
    # Of a class that holds nothing there is no value, and the first one would have none before it to differ from.
    assert expression(said) == f"DIFF(SUM([{', '.join(f'FILL({name}, 0)' for name in ids)}]))"
    assert (said["Threshold"], said["ComparisonOperator"]) == (2 * QUOTA.bytes_per_day, "GreaterThanThreshold")
    # The newest day is empty until S3 tells of it, when it is the newest no longer.
    assert (said["EvaluationPeriods"], said["DatapointsToAlarm"]) == (3, 1)


def test_a_flood_of_small_objects_rings() -> None:
    said = on_expression(sealing(), "NumberOfObjects")
    (metric,) = watched(said)
    assert (metric["Namespace"], metric["MetricName"]) == ("AWS/S3", "NumberOfObjects")
    assert dimensions(metric) == {"BucketName": INTAKE_OF_VAULT, "StorageType": "AllStorageTypes"}
    assert expression(said).startswith("DIFF(")
    assert said["Threshold"] == QUOTA.bytes_per_day // 2**17 + 100 * QUOTA.exports_per_day


@pytest.mark.parametrize("metric", ["ExportsOverQuota", "RejectedExports"])
def test_what_a_source_sends_in_vain_is_told_apart_from_a_failure_of_the_vault(metric: str) -> None:
    other = tg.ReplicationSource(account=STRANGER, role_name="backup-replication")
    found = of_metric(sealing(sources=[SOURCE, other]), metric)
    assert [dimensions(each) for each in found] == [
        {"Vault": SEALED, "Account": account} for account in sorted((DATA, STRANGER))
    ]
    assert all(rings_from_one_on(each) for each in found)
