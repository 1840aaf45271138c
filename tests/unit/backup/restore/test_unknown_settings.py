"""What a table says that only its deployment knows is not dropped: it is refused, or written down as a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

import tableguard as tg
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tableguard.backup.restore.table_parts import Capacity
from tests.unit.tables.support import REGION, cfn_global_table, cfn_table, stack

Cfn = dynamodb.CfnTable
Global = dynamodb.CfnGlobalTable


def on() -> Any:
    return cdk.Fn.condition_if("InProduction", True, False)


def parameter(scope: cdk.Stack) -> str:
    return cdk.CfnParameter(scope, "Given", type="String").value_as_string


def replica(**settings: Any) -> Callable[[cdk.Stack], Any]:
    return lambda scope: cfn_global_table(scope, [Global.ReplicaSpecificationProperty(region=REGION, **settings)])


def billed(scope: cdk.Stack) -> Any:
    table = cfn_table(scope, provisioned_throughput={"readCapacityUnits": 1, "writeCapacityUnits": 1})
    table.billing_mode = parameter(scope)
    return table


# What is unknown, and the change that says it instead.
UNKNOWN: list[tuple[str, Callable[[cdk.Stack], Any], dict[str, Any]]] = [
    (
        "deletionProtectionEnabled",
        lambda s: cfn_table(s, deletion_protection_enabled=on()),
        {"deletion_protection": True},
    ),
    (
        "deletionProtectionEnabled",
        replica(deletion_protection_enabled=on()),
        {"deletion_protection": True},
    ),
    (
        "pointInTimeRecoveryEnabled",
        lambda s: cfn_table(s, point_in_time_recovery_specification={"pointInTimeRecoveryEnabled": on()}),
        {"recovery_days": 7},
    ),
    (
        "recoveryPeriodInDays",
        lambda s: cfn_table(
            s,
            point_in_time_recovery_specification={
                "pointInTimeRecoveryEnabled": True,
                "recoveryPeriodInDays": cdk.Token.as_number(cdk.Fn.condition_if("InProduction", 35, 7)),
            },
        ),
        {"recovery_days": 7},
    ),
    (
        "pointInTimeRecoverySpecification",
        replica(point_in_time_recovery_specification=on()),
        {"recovery_days": None},
    ),
    ("sseEnabled", lambda s: cfn_table(s, sse_specification={"sseEnabled": on()}), {"customer_managed_key": True}),
    (
        "kmsMasterKeyId",
        replica(
            sse_specification=Global.ReplicaSSESpecificationProperty(
                kms_master_key_id=cdk.Token.as_string(cdk.Fn.condition_if("InProduction", "a", cdk.Aws.NO_VALUE))
            )
        ),
        {"customer_managed_key": False},
    ),
    ("billingMode", billed, {"capacity": Capacity()}),
    (
        "onDemandThroughput",
        lambda s: cfn_table(s, on_demand_throughput={"maxReadRequestUnits": cdk.Token.as_number(cdk.Fn.ref("Most"))}),
        {"capacity": Capacity()},
    ),
    (
        "enabled",
        lambda s: cfn_table(s, time_to_live_specification={"attributeName": "expires", "enabled": on()}),
        {"time_to_live": "expires"},
    ),
    (
        "streamViewType",
        lambda s: cfn_table(s, stream_specification={"streamViewType": parameter(s)}),
        {"stream": "NEW_IMAGE"},
    ),
    ("tableClass", lambda s: cfn_table(s, table_class=parameter(s)), {"table_class": "STANDARD"}),
    (
        "enabled",
        lambda s: cfn_table(s, contributor_insights_specification={"enabled": on()}),
        {"contributor_insights": None},
    ),
    (
        "globalSecondaryIndexes",
        lambda s: cfn_table(s, global_secondary_indexes=on()),
        {"global_indexes": ()},
    ),
    ("localSecondaryIndexes", lambda s: cfn_table(s, local_secondary_indexes=on()), {"local_indexes": ()}),
]


@pytest.mark.parametrize(("said", "make", "change"), UNKNOWN)
def test_what_only_the_deployment_knows_is_refused_unless_it_is_said(
    said: str, make: Callable[[cdk.Stack], Any], change: dict[str, Any]
) -> None:
    table = make(stack())
    ((name, value),) = change.items()
    with pytest.raises(tg.InvalidInputError, match=rf"{said} of .*Pass {name}=…"):
        TableBlueprint.like(table).blueprint()
    assert getattr(TableBlueprint.like(table, **change).blueprint(), name) == value


def test_what_is_known_is_read() -> None:
    table = cfn_table(
        stack(),
        deletion_protection_enabled=True,
        point_in_time_recovery_specification={"pointInTimeRecoveryEnabled": True, "recoveryPeriodInDays": 9},
        sse_specification={"sseEnabled": True},
        time_to_live_specification={"attributeName": "expires", "enabled": False},
        stream_specification={"streamViewType": "NEW_IMAGE"},
    )
    read = TableBlueprint.like(table).blueprint()
    assert (read.deletion_protection, read.recovery_days, read.customer_managed_key) == (True, 9, True)
    assert (read.time_to_live, read.stream) == (None, "NEW_IMAGE")


def test_a_key_that_the_deployment_makes_is_a_key() -> None:
    scope = stack()
    key = cdk.aws_kms.Key(scope, "Key")
    table = cfn_table(scope, sse_specification={"sseEnabled": True, "kmsMasterKeyId": key.key_arn})
    assert TableBlueprint.like(table).blueprint().customer_managed_key


def test_replicas_that_the_deployment_chooses_are_refused() -> None:
    table = cfn_global_table(stack())
    table.replicas = on()
    with pytest.raises(tg.InvalidInputError, match="the replicas of"):
        TableBlueprint.like(table).blueprint()
