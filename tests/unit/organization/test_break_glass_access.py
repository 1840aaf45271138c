"""What a break-glass role may do: decisions over the synthesized identity policy, for every DynamoDB action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

import tableguard as tg
from tableguard.aws.dynamodb import ACTIONS
from tableguard.evaluation import ContextValue
from tests.unit.organization.support import EVERYTHING, ROLE_ARN, STRANGER, Emergency, break_glass
from tests.unit.tables.support import KEY, ORDERS, OWNER, STREAM, app, stack

SETTINGS, TTL, FULL = (
    tg.BreakGlassAccess.SETTINGS,
    tg.BreakGlassAccess.SETTINGS_AND_TTL,
    tg.BreakGlassAccess.FULL,
)
IN_ANOTHER_ACCOUNT: Final = ORDERS.replace(OWNER, STRANGER)
TRUSTING: Final[Mapping[str, object]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ROLE_ARN}, "Action": "*", "Resource": "*"}],
}
SEES: Final = frozenset(
    [
        "DescribeContinuousBackups",
        "DescribeKinesisStreamingDestination",
        "DescribeStream",
        "DescribeTable",
        "DescribeTimeToLive",
        "GetResourcePolicy",
        "ListTagsOfResource",
    ]
)
OF_THE_ACCOUNT: Final = frozenset(["DescribeEndpoints", "DescribeLimits", "ListStreams", "ListTables"])


def arn_for(action: str) -> str:
    if action in OF_THE_ACCOUNT:
        return "*"
    return STREAM if action in ("GetRecords", "GetShardIterator", "DescribeStream") else ORDERS


@pytest.mark.parametrize(
    ("access", "changes"),
    [(SETTINGS, {"UpdateTable"}), (TTL, {"UpdateTable", "UpdateTimeToLive"})],
    ids=["settings", "settings and TTL"],
)
@pytest.mark.parametrize("how", ["as it is", "with everything attached", "trusted by the table"])
def test_settings_are_all_that_the_settings_kind_reaches(
    access: tg.BreakGlassAccess, changes: set[str], how: str
) -> None:
    emergency = Emergency.of(break_glass(access=access))
    attached = EVERYTHING if how == "with everything attached" else None
    table_policy = TRUSTING if how == "trusted by the table" else None
    allowed = {
        action
        for action in ACTIONS
        if emergency.may(f"dynamodb:{action}", arn_for(action), attached=attached, table_policy=table_policy)
    }
    assert allowed == SEES | OF_THE_ACCOUNT | changes


def test_full_access_is_everything_that_goes_to_a_table_a_backup_or_an_export() -> None:
    emergency = Emergency.of(break_glass(access=FULL))
    on_tables = {name for name, action in ACTIONS.items() if action.resources}
    assert {a for a in on_tables if emergency.may(f"dynamodb:{a}", arn_for(a))} == on_tables
    for resource in (f"{ORDERS}/index/by-date", f"{ORDERS}/backup/01", f"{ORDERS}/export/01", STREAM):
        assert emergency.may("dynamodb:DescribeBackup", resource)


@pytest.mark.parametrize("access", [SETTINGS, FULL], ids=["settings", "full"])
@pytest.mark.parametrize("attached", [None, EVERYTHING], ids=["as it is", "with everything attached"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:PassRole", f"arn:aws:iam::{OWNER}:role/application"),
        ("iam:UpdateAssumeRolePolicy", ROLE_ARN),
        ("iam:PutRolePolicy", ROLE_ARN),
        ("iam:CreateAccessKey", f"arn:aws:iam::{OWNER}:user/ann"),
        ("sts:AssumeRole", f"arn:aws:iam::{OWNER}:role/application"),
        ("lambda:CreateFunction", f"arn:aws:lambda:us-east-1:{OWNER}:function:f"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:us-east-1:{OWNER}:function:f"),
        ("s3:PutObject", "arn:aws:s3:::bucket/key"),
        ("backup:StartBackupJob", f"arn:aws:backup:us-east-1:{OWNER}:backup-vault:vault"),
        ("kms:PutKeyPolicy", KEY),
        ("kms:ScheduleKeyDeletion", KEY),
        ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/t"),
        ("events:DisableRule", f"arn:aws:events:us-east-1:{OWNER}:rule/r"),
        ("organizations:DetachPolicy", "*"),
        ("cloudformation:UpdateStack", f"arn:aws:cloudformation:us-east-1:{OWNER}:stack/s/1"),
        ("cloudwatch:GetInsightRuleReport", f"arn:aws:cloudwatch:us-east-1:{OWNER}:insight-rule/r"),
    ],
    ids=lambda value: value if ":" in value and "arn" not in value else "",
)
def test_neither_kind_gets_any_further(
    access: tg.BreakGlassAccess, attached: Mapping[str, object] | None, action: str, resource: str
) -> None:
    assert not Emergency.of(break_glass(access=access)).may(action, resource, attached=attached)


@pytest.mark.parametrize("access", [SETTINGS, FULL], ids=["settings", "full"])
def test_tables_of_other_accounts_are_out_of_reach(access: tg.BreakGlassAccess) -> None:
    emergency = Emergency.of(break_glass(access=access))
    assert emergency.may("dynamodb:UpdateTable", ORDERS)
    assert not emergency.may("dynamodb:UpdateTable", IN_ANOTHER_ACCOUNT, table_policy=TRUSTING)


@pytest.mark.parametrize("access", [SETTINGS, FULL], ids=["settings", "full"])
def test_tables_that_it_names_are_the_only_ones(access: tg.BreakGlassAccess) -> None:
    orders = tg.TableReference(account=OWNER, region="us-east-1", name="orders")
    emergency = Emergency.of(break_glass(access=access, tables=[orders]))
    assert emergency.may("dynamodb:UpdateTable", ORDERS)
    assert not emergency.may("dynamodb:UpdateTable", f"{ORDERS}-archive")
    assert not emergency.may("dynamodb:UpdateTable", ORDERS.replace("us-east-1", "eu-west-1"))
    assert emergency.may("dynamodb:DescribeStream", STREAM)
    assert emergency.may("dynamodb:GetItem", ORDERS) is (access is FULL)


# As keys are made: the account's own policies decide.
KEY_POLICY: Final[Mapping[str, object]] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}
DYNAMODB: Final[Mapping[str, ContextValue]] = {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}


@pytest.mark.parametrize(
    ("action", "context", "full"),
    [
        ("kms:Decrypt", DYNAMODB, True),
        ("kms:Decrypt", {}, False),
        ("kms:Decrypt", {"kms:ViaService": "s3.us-east-1.amazonaws.com"}, False),
        ("kms:GenerateDataKey", DYNAMODB, True),
        ("kms:CreateGrant", {**DYNAMODB, "kms:GrantIsForAWSResource": "true"}, True),
        ("kms:CreateGrant", DYNAMODB, False),
        ("kms:CreateGrant", {"kms:GrantIsForAWSResource": "true"}, False),
    ],
)
def test_keys_serve_full_access_and_through_dynamodb_only(
    action: str, context: Mapping[str, ContextValue], full: bool
) -> None:
    with_full = Emergency.of(break_glass(access=FULL))
    with_settings = Emergency.of(break_glass(access=SETTINGS))
    assert with_full.may(action, KEY, context=context, table_policy=KEY_POLICY) is full
    assert not with_settings.may(action, KEY, context=context, attached=EVERYTHING, table_policy=KEY_POLICY)


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        ({"application-autoscaling:service-namespace": "dynamodb"}, True),
        ({"application-autoscaling:service-namespace": "ecs"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_auto_scaling_is_changed_for_dynamodb_only(context: Mapping[str, ContextValue], allowed: bool) -> None:
    target = f"arn:aws:application-autoscaling:us-east-1:{OWNER}:scalable-target/0123"
    emergency = Emergency.of(break_glass())
    assert emergency.may("application-autoscaling:RegisterScalableTarget", target, context=context) is allowed


def test_what_the_console_shows_of_metrics_is_there() -> None:
    emergency = Emergency.of(break_glass())
    for action in ("cloudwatch:GetMetricData", "application-autoscaling:DescribeScalableTargets"):
        assert emergency.may(action, "*")


@pytest.mark.parametrize(
    ("access", "restricted"),
    [(SETTINGS, {"UpdateTable"}), (FULL, {"UpdateTable", "GetItem", "PutResourcePolicy", "ExportTableToPointInTime"})],
    ids=["settings", "full"],
)
def test_its_exemption_covers_what_it_may_do(access: tg.BreakGlassAccess, restricted: set[str]) -> None:
    role = break_glass(stack(app()), access=access)
    asked = {"UpdateTable", "GetItem", "PutResourcePolicy", "ExportTableToPointInTime"}
    assert {action for _, action in role.exemption.actions.permissions} & asked == restricted
    assert role.exemption.principal == role.principal
    assert role.exemption.reason == "runbook 7"
