"""What the roles of restores, drills and canaries may do, and what they may not."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.backup.drill.canary import Canary, CanaryWriter
from tableguard.backup.drill.restore_drill import RestoreDrill
from tableguard.evaluation import Document, DocumentLocation, Policies, Request, evaluate
from tests.unit.backup.restore.support import (
    NEW,
    SEALED,
    SOURCE,
    VAULT,
    Json,
    restore,
    vault_stack,
)
from tests.unit.tables.support import OWNER, REGION, resolved, stack, table_v2

TAG = "tableguard:restore"
OURS = {f"aws:ResourceTag/{TAG}": "an execution"}
INCOMPLETE = {**OURS, "aws:ResourceTag/tableguard:restore-state": "incomplete"}
OTHER = f"arn:aws:dynamodb:{REGION}:{VAULT}:table/orders"
SEALED_FILE = f"arn:aws:s3:::{SEALED.bucket}/exports/{OWNER}/{REGION}/orders/01/f.json.gz"
WORK = "arn:aws:s3:::work"
STEP = f"{WORK}/an-execution/steps/0.json"
PROBLEM = f"{WORK}/an-execution/problems/an-execution/exports/f.json"
CATALOGUE = f"arn:aws:s3:::{SEALED.bucket}/catalogue/{OWNER}/{REGION}/orders/e.json"


class Roles:
    """The identity policies of a synthesized stack, by the path of the role's logical id."""

    def __init__(self, scope: cdk.Stack) -> None:
        self.account = scope.account
        self.template: Json = dict(Template.from_stack(scope).to_json())

    def policies(self, role: str) -> list[Json]:
        (name,) = [
            name
            for name, each in self.template["Resources"].items()
            if each["Type"] == "AWS::IAM::Role" and name[:-8] == role
        ]
        return [
            json.loads(
                re.sub(
                    r"<RestoreWork\w{8}\.Arn>",
                    WORK,
                    json.dumps(resolved(each["Properties"]["PolicyDocument"], account=self.account)),
                )
            )
            for each in self.template["Resources"].values()
            if each["Type"] == "AWS::IAM::Policy" and {"Ref": name} in each["Properties"]["Roles"]
        ]

    def may(self, role: str, action: str, resource: str, **context: Any) -> bool:
        return any(_matches(s, action, resource, context) for p in self.policies(role) for s in p["Statement"])


def _matches(statement: Json, action: str, resource: str, context: dict[str, Any]) -> bool:
    """Whether a statement lets a request through, by the evaluator: alone, so that services without tables work too."""
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    account = resource.split(":")[4] or VAULT
    request = Request(principal=f"arn:aws:iam::{account}:role/any", action=action, resource=resource, context=context)
    document = Document(policy, DocumentLocation(policy="identity"))
    return evaluate(request, Policies(identity=(document,))).allowed


@pytest.fixture(scope="module")
def roles() -> Roles:
    vault = vault_stack()
    made = restore(vault, role_name="restore-orders", table_names=["orders-again"])
    RestoreDrill(
        vault,
        "Drill",
        restore=made,
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        canary=Canary(key={"pk": {"S": "canary"}}),
    )
    return Roles(vault)


CREATING = {"aws:RequestTag/tableguard:restore": "e", "aws:RequestTag/tableguard:restore-state": "incomplete"}

CASES: list[tuple[str, str, str, dict[str, Any], bool]] = [
    # the machine makes tables of the names given, marked, and nothing else
    ("RestoreMachineRole", "dynamodb:CreateTable", NEW, CREATING, True),
    ("RestoreMachineRole", "dynamodb:CreateTable", OTHER, CREATING, False),
    ("RestoreMachineRole", "dynamodb:CreateTable", f"{OTHER}-again", CREATING, True),
    ("RestoreMachineRole", "dynamodb:CreateTable", NEW, {}, False),
    ("RestoreMachineRole", "dynamodb:DeleteTable", NEW, OURS, False),
    ("RestoreMachineRole", "dynamodb:UpdateTable", NEW, OURS, False),
    ("RestoreMachineRole", "dynamodb:Scan", NEW, OURS, False),
    ("RestoreMachineRole", "dynamodb:BatchWriteItem", NEW, INCOMPLETE, False),
    ("RestoreMachineRole", "dynamodb:UpdateTimeToLive", NEW, OURS, True),
    ("RestoreMachineRole", "dynamodb:UpdateTimeToLive", NEW, {}, False),
    ("RestoreMachineRole", "dynamodb:UpdateTimeToLive", OTHER, OURS, False),
    ("RestoreMachineRole", "dynamodb:PutResourcePolicy", OTHER, {}, False),
    ("RestoreMachineRole", "s3:GetObject", SEALED_FILE, {}, False),
    # what a worker has met is noted, and nothing else is written by those who read
    ("RestoreDigestRole", "s3:PutObject", PROBLEM, {}, True),
    ("RestoreDigestRole", "s3:PutObject", STEP, {}, False),
    ("DrillDigestRole", "s3:PutObject", PROBLEM, {}, True),
    ("DrillDigestRole", "s3:PutObject", STEP, {}, False),
    ("DrillLookRole", "s3:PutObject", PROBLEM, {}, False),
    # the loader fills tables that are marked incomplete
    ("RestoreLoadRole", "dynamodb:BatchWriteItem", NEW, INCOMPLETE, True),
    ("RestoreLoadRole", "dynamodb:BatchWriteItem", NEW, {}, False),
    (
        "RestoreLoadRole",
        "dynamodb:BatchWriteItem",
        NEW,
        {"aws:ResourceTag/tableguard:restore-state": "verified"},
        False,
    ),
    ("RestoreLoadRole", "dynamodb:BatchWriteItem", OTHER, INCOMPLETE, False),
    ("RestoreLoadRole", "dynamodb:DeleteTable", NEW, INCOMPLETE, False),
    ("RestoreLoadRole", "dynamodb:CreateTable", NEW, CREATING, False),
    ("RestoreLoadRole", "s3:GetObjectVersion", SEALED_FILE, {}, True),
    ("RestoreLoadRole", "s3:GetObjectVersion", CATALOGUE, {}, False),
    ("RestoreLoadRole", "s3:PutObject", SEALED_FILE, {}, False),
    ("RestoreLoadRole", "s3:GetObjectVersion", SEALED_FILE.replace("/orders/", "/payments/"), {}, False),
    ("RestoreLoadRole", "s3:GetObjectVersion", "arn:aws:s3:::landing/x.json.gz", {}, False),
    # it leaves its problems in the work bucket, and another function reads them
    ("RestoreLoadRole", "s3:PutObject", PROBLEM, {}, True),
    ("RestoreLoadRole", "s3:PutObject", STEP, {}, False),
    ("RestoreLoadRole", "s3:GetObject", PROBLEM, {}, False),
    ("RestoreProblemRole", "s3:GetObject", PROBLEM, {}, True),
    ("RestoreProblemRole", "s3:ListBucket", WORK, {}, True),
    ("RestoreProblemRole", "s3:GetObject", STEP, {}, False),
    ("RestoreProblemRole", "s3:PutObject", PROBLEM, {}, False),
    ("RestoreProblemRole", "s3:GetObject", SEALED_FILE, {}, False),
    ("RestoreProblemRole", "dynamodb:Scan", NEW, OURS, False),
    # the planner reads
    ("RestorePlanRole", "s3:GetObjectVersion", CATALOGUE, {}, True),
    ("RestorePlanRole", "s3:PutObject", CATALOGUE, {}, False),
    ("RestorePlanRole", "s3:DeleteObjectVersion", CATALOGUE, {}, False),
    ("RestorePlanRole", "s3:GetObjectVersion", "arn:aws:s3:::landing/x.json.gz", {}, False),
    ("RestoreDigestRole", "dynamodb:Scan", NEW, OURS, True),
    ("RestoreDigestRole", "dynamodb:Scan", NEW, {}, False),
    ("RestoreDigestRole", "dynamodb:BatchWriteItem", NEW, INCOMPLETE, False),
    # the drill removes what it made
    ("DrillMachineRole", "dynamodb:DeleteTable", NEW.replace("orders", "drill-1"), OURS, True),
    ("DrillMachineRole", "dynamodb:DeleteTable", NEW.replace("orders", "drill-1"), {}, False),
    ("DrillMachineRole", "dynamodb:DeleteTable", NEW, OURS, False),
    ("DrillMachineRole", "dynamodb:DeleteTable", OTHER, OURS, False),
    ("DrillMachineRole", "dynamodb:Scan", NEW, OURS, False),
    # the watch removes what a killed one has left, and looks at drills alone
    ("DrillWatchRole", "dynamodb:DeleteTable", NEW.replace("orders", "drill-1"), OURS, True),
    ("DrillWatchRole", "dynamodb:DeleteTable", NEW.replace("orders", "drill-1"), {}, False),
    ("DrillWatchRole", "dynamodb:DeleteTable", NEW, OURS, False),
    ("DrillWatchRole", "dynamodb:DeleteTable", OTHER, OURS, False),
    ("DrillWatchRole", "dynamodb:Scan", NEW.replace("orders", "drill-1"), OURS, False),
    ("DrillWatchRole", "dynamodb:UpdateTable", NEW.replace("orders", "drill-1"), OURS, False),
    ("DrillLookRole", "dynamodb:GetItem", NEW.replace("orders", "drill-1"), OURS, True),
    ("DrillLookRole", "dynamodb:GetItem", NEW.replace("orders", "drill-1"), {}, False),
    ("DrillLookRole", "dynamodb:PutItem", NEW.replace("orders", "drill-1"), OURS, False),
]


@pytest.mark.parametrize(("role", "action", "resource", "context", "expected"), CASES)
def test_decisions(
    roles: Roles, role: str, action: str, resource: str, context: dict[str, Any], expected: bool
) -> None:
    assert roles.may(role, action, resource, **context) is expected


STATE = "tableguard:restore-state"


@pytest.mark.parametrize(
    ("stands", "asked", "expected"),
    [
        # It is made, marked as verified, and marked again by an execution that takes up what was left to set.
        (None, "incomplete", True),
        ("incomplete", "verified", True),
        ("verified", "verified", True),
        # The loader may write to what is incomplete: what was verified never is again.
        ("verified", "incomplete", False),
        ("verified", "", False),
        ("verified", None, False),
    ],
)
def test_a_verified_table_is_never_marked_as_incomplete_again(
    roles: Roles, stands: str | None, asked: str | None, expected: bool
) -> None:
    context = {} if stands is None else {**OURS, f"aws:ResourceTag/{STATE}": stands}
    context |= {"aws:RequestTag/other": "x"} if asked is None else {f"aws:RequestTag/{STATE}": asked}
    request = Request(
        principal=f"arn:aws:iam::{VAULT}:role/machine",
        action="dynamodb:TagResource",
        resource=NEW,
        context=context,
    )
    assert evaluate(request, Policies(identity=roles.policies("RestoreMachineRole"))).allowed is expected


def test_no_statement_names_everything_but_where_aws_knows_no_resource(roles: Roles) -> None:
    without = {"logs", "xray", "cloudwatch"}
    for resource in roles.template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert not any("*" in action for action in actions)
                if statement["Resource"] == "*":
                    services = {action.partition(":")[0] for action in actions if action != "dynamodb:ListTables"}
                    assert services <= without


def test_the_canary_writer_puts_its_own_item_alone() -> None:
    data = stack()
    table = table_v2(data)
    CanaryWriter(data, "Canary", table=table, canary=Canary(key={"pk": {"S": "canary"}}))
    found = Roles(data)
    orders = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"
    assert found.may("CanaryRole", "dynamodb:PutItem", orders, **{"dynamodb:LeadingKeys": ["canary"]})
    assert not found.may("CanaryRole", "dynamodb:PutItem", orders, **{"dynamodb:LeadingKeys": ["order-1"]})
    assert not found.may("CanaryRole", "dynamodb:PutItem", orders)
    assert not found.may("CanaryRole", "dynamodb:DeleteItem", orders, **{"dynamodb:LeadingKeys": ["canary"]})
    assert not found.may("CanaryRole", "dynamodb:PutItem", f"{orders}2", **{"dynamodb:LeadingKeys": ["canary"]})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sealed": None}, "either sealed"),
        ({"point_in_time": SOURCE}, "either sealed"),
        ({"sealed": None, "point_in_time": SOURCE}, "no other may export"),
        ({"table_prefix": None}, "names of tables"),
        ({"table_prefix": "a b"}, "a-z"),
        ({"source": None}, "literal account"),
        ({"segments": 0}, "1 to 200"),
        ({"files_at_once": 1_001}, "1 to 1000"),
        ({"role_name": "r" * 60}, "literal name"),
        ({"sealed": "bucket"}, "SealedReference"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=said):
        restore(vault_stack(), **options)


def test_a_prefix_must_not_cover_the_table_in_use() -> None:
    with pytest.raises(tg.InvalidInputError, match="the table in use"):
        restore(stack(), table_prefix="ord")
    assert restore(vault_stack(), table_prefix="ord").targets.table_prefix == "ord"
    assert restore(stack(), table_prefix=None, table_names=["orders"]).targets.described == ["orders"]


def test_readers_of_the_vault_are_known_by_name() -> None:
    made = restore(vault_stack(), role_name="restore-orders")
    assert [role.name for role in made.reader_roles] == ["restore-orders-plan", "restore-orders-load"]
    with pytest.raises(tg.InvalidInputError, match="a name"):
        assert restore(vault_stack()).reader_roles


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"largest_fall": 1}, "a share"),
        ({"largest_fall": -0.1}, "a share"),
        ({"alarm_after": cdk.Duration.minutes(30)}, "one hour"),
    ],
)
def test_drills_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    vault = vault_stack()
    given = {"alarm_after": cdk.Duration.days(2), **options}
    with pytest.raises(tg.InvalidInputError, match=said):
        RestoreDrill(
            vault,
            "Drill",
            restore=restore(vault),
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
            **given,
        )


@pytest.mark.parametrize("too", [True, False])
def test_the_check_reads_test_restores_of_aws_backup_only_if_it_is_to(too: bool) -> None:
    vault = vault_stack()
    RestoreDrill(
        vault,
        "Drill",
        restore=restore(vault),
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        test_restores=too,
    )
    roles = Roles(vault)
    tested = OTHER.replace("orders", "awsbackup-restore-test-1a2b")
    assert roles.may("DrillDigestRole", "dynamodb:Scan", tested) is too
    assert roles.may("DrillLookRole", "dynamodb:GetItem", tested) is too
    assert not roles.may("DrillDigestRole", "dynamodb:Scan", OTHER)
    assert not roles.may("DrillDigestRole", "dynamodb:DeleteTable", tested)


def test_a_drill_needs_a_prefix() -> None:
    vault = vault_stack()
    with pytest.raises(tg.InvalidInputError, match="a prefix"):
        RestoreDrill(
            vault,
            "Drill",
            restore=restore(vault, table_prefix=None, table_names=["again"]),
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
            alarm_after=cdk.Duration.days(2),
        )


@pytest.mark.parametrize(
    ("key", "minutes"),
    [({}, 5), ({"pk": "x"}, 5), ({"pk": {"B": "x"}}, 5), ({"written_at": {"S": "x"}}, 5), ({"pk": {"S": "x"}}, 0)],
)
def test_canaries_that_make_no_sense_are_refused(key: Any, minutes: int) -> None:
    with pytest.raises(tg.InvalidInputError):
        Canary(key=key, every_minutes=minutes)


def test_a_canary_has_the_whole_key_of_its_table() -> None:
    data = stack()
    with pytest.raises(tg.InvalidInputError, match="the key of"):
        CanaryWriter(data, "C", table=table_v2(data), canary=Canary(key={"id": {"S": "canary"}}))


def test_alarms_tell_of_failure_and_of_absence(roles: Roles) -> None:
    alarms = [
        resource["Properties"]
        for resource in roles.template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    machine, watch = (
        resolved({"Ref": logical_id})
        for word in ("DrillMachine", "DrillWatchMachine")
        for logical_id, resource in roles.template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine" and logical_id[:-8] == word
    )
    found = sorted(
        (alarm["MetricName"], resolved(alarm["Dimensions"][0]["Value"]), alarm["TreatMissingData"]) for alarm in alarms
    )
    drill = next(value for name, value, _ in found if name == "DrillFailed")
    assert found == [
        ("DrillAgeHours", drill, "breaching"),
        ("DrillFailed", drill, "notBreaching"),
        ("ExecutionsAborted", machine, "notBreaching"),
        *sorted(("ExecutionsFailed", each, "notBreaching") for each in (machine, watch)),
        ("ExecutionsTimedOut", machine, "notBreaching"),
    ]
    assert next(alarm for alarm in alarms if alarm.get("MetricName") == "DrillAgeHours")["Threshold"] == 48
