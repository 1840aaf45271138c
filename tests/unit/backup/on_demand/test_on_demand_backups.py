"""OnDemandBackups: its machine's definition, its role, its alarms, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_sns as sns
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tableguard.backup.aws_backup.job_machine import counting_machine, validating_machine
from tableguard.backup.on_demand.machine import on_demand_machine
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.perimeter.restricted_actions import Side
from tests.unit.backup.aws_backup.plan_support import CHECK, metadata, of_kind, only, template
from tests.unit.tables.support import ORDERS, OWNER, PARTNER, REGION, Json, app, stack, table_v2

ROLE: Final = f"arn:aws:iam::{OWNER}:role/on-demand"
BACKUP: Final = f"{ORDERS}/backup/01700000000000-abcdef01"


def on_demand(scope: cdk.Stack, **more: Any) -> tg.OnDemandBackups:
    given: dict[str, Any] = {
        "name_prefix": "nightly",
        "role_name": "on-demand",
        "schedule": "rate(1 day)",
        "keep_days": 35,
        "alarm_after": cdk.Duration.hours(26),
        **more,
    }
    given["tables"] = given["tables"] if "tables" in given else [table_v2(scope)]
    return tg.OnDemandBackups(scope, "Backups", **given)


@pytest.fixture(scope="module")
def whole() -> Json:
    scope = stack()
    # Imported, so that its ARN is known and can be decided with.
    table = dynamodb.Table.from_table_arn(scope, "Orders", ORDERS)
    on_demand(scope, tables=[table], alarms_topic=sns.Topic(scope, "Alarms"))
    return template(scope)


DECISIONS: Final = [
    ("dynamodb:CreateBackup", ORDERS, True),
    ("dynamodb:CreateBackup", f"{ORDERS}-other", False),
    ("dynamodb:DescribeBackup", BACKUP, True),
    ("dynamodb:DeleteBackup", BACKUP, True),
    ("dynamodb:DeleteBackup", BACKUP.replace("/orders/", "/other/"), False),
    ("dynamodb:ListBackups", "*", True),
    ("dynamodb:Scan", ORDERS, False),
    ("dynamodb:DeleteTable", ORDERS, False),
    ("dynamodb:ExportTableToPointInTime", ORDERS, False),
    ("dynamodb:RestoreTableFromBackup", BACKUP, False),
]


@pytest.mark.parametrize(("action", "resource", "may"), DECISIONS)
def test_the_role_makes_and_removes_backups_of_its_tables_alone(
    whole: Json, action: str, resource: str, may: bool
) -> None:
    made = only(whole, "AWS::IAM::Role", "MachineRole")
    assert made["RoleName"] == "on-demand"
    policy = only(whole, "AWS::IAM::Policy", "MachinePolicy")["PolicyDocument"]
    decision = evaluate(Request(principal=ROLE, action=action, resource=resource), Policies(identity=[policy]))
    assert decision.understood
    assert decision.allowed is may


def states_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"])


WHERE: Final = {"partition": "aws-cn"}
DEFINITIONS: Final = [
    on_demand_machine(tables=[ORDERS], prefix="nightly", keep_days=35, keep_at_least=3, hours=6, **WHERE),
    counting_machine(partition="aws-cn"),
    validating_machine(validation=CHECK, hours=8, partition="aws-cn"),
]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=["on demand", "counting", "validating"])
def test_every_call_is_bounded_and_tried_again(definition: Mapping[str, Any]) -> None:
    tasks = [state for _, state in states_of(definition) if state["Type"] == "Task"]
    assert tasks
    for task in tasks:
        assert task["Resource"].startswith("arn:aws-cn:states:::")
        assert 0 < task["TimeoutSeconds"] < definition["TimeoutSeconds"]
        assert task["Retry"][-1]["JitterStrategy"] == "FULL"
        assert task["Retry"][-1]["MaxAttempts"] > 0


@pytest.mark.parametrize("definition", DEFINITIONS, ids=["on demand", "counting", "validating"])
def test_every_state_is_reached_and_leads_somewhere(definition: Mapping[str, Any]) -> None:
    check_reach(definition)
    for _, state in states_of(definition):
        if "ItemProcessor" in state:
            check_reach(state["ItemProcessor"])


def check_reach(definition: Mapping[str, Any]) -> None:
    states = definition["States"]
    reached, new = set(), {definition["StartAt"]}
    while new:
        reached |= new
        new = {onward for name in new for onward in onwards(states[name])} - reached
    assert reached == set(states)


def onwards(state: Mapping[str, Any]) -> set[str]:
    found = {state.get("Next"), state.get("Default")}
    found |= {each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))}
    assert found - {None} or state.get("End") or state["Type"] in {"Succeed", "Fail"}
    return {each for each in found if each}


def test_a_table_that_fails_does_not_stop_the_others_and_fails_the_run() -> None:
    definition = DEFINITIONS[0]
    of_one = definition["States"]["Tables"]["ItemProcessor"]["States"]
    for state in of_one.values():
        if state["Type"] in {"Task", "Map"}:
            assert state["Catch"][-1] == {**state["Catch"][-1], "ErrorEquals": ["States.ALL"], "Next": "CouldNot"}
    assert definition["States"]["AllDone"]["Choices"][0]["Next"] == "SomeFailed"


def test_nothing_is_removed_but_after_counting_the_young() -> None:
    of_one = DEFINITIONS[0]["States"]["Tables"]["ItemProcessor"]["States"]
    before = {name for name, state in of_one.items() if "FindOld" in onwards(state)}
    assert before == {"EnoughYoung", "AnyOld"}
    (enough,) = [each for each in of_one["EnoughYoung"]["Choices"] if each["Next"] == "FindOld"]
    assert enough["Condition"] == "{% $young >= 3 %}"
    assert {name for name, state in of_one.items() if "Remove" in onwards(state)} == {"AnyOld"}


def test_a_run_that_fails_rings_and_so_does_an_absent_one(whole: Json) -> None:
    failed, absent = (only(whole, "AWS::CloudWatch::Alarm", f"Backups{word}") for word in ("Failed", "Absent"))
    assert failed["TreatMissingData"] == "notBreaching"
    assert {each["MetricStat"]["Metric"]["MetricName"] for each in failed["Metrics"] if "MetricStat" in each} == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
    }
    assert (absent["MetricName"], absent["TreatMissingData"]) == ("ExecutionsSucceeded", "breaching")
    assert (absent["EvaluationPeriods"], absent["Period"], absent["Threshold"]) == (26, 3600, 1)
    assert absent["ComparisonOperator"] == "LessThanThreshold"
    for each in (failed, absent):
        assert each["AlarmActions"][0].startswith("<Alarms")


def test_the_schedule_starts_the_machine_and_nothing_else(whole: Json) -> None:
    schedule = only(whole, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(1 day)"
    assert schedule["Target"]["Arn"].startswith("<BackupsMachine")
    (statement,) = only(whole, "AWS::IAM::Policy", "Starter")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", schedule["Target"]["Arn"])


def test_a_review_can_read_it(whole: Json) -> None:
    assert metadata(whole, "AWS::StepFunctions::StateMachine") == {
        "version": 1,
        "on_demand": {
            "tables": [ORDERS],
            "schedule": "rate(1 day)",
            "keep_days": 35,
            "keep_at_least": 3,
            "alarm_after_minutes": 26 * 60,
        },
    }


def test_the_definition_names_the_tables(whole: Json) -> None:
    definition = json.loads(only(whole, "AWS::StepFunctions::StateMachine")["DefinitionString"])
    assert definition["States"]["Tables"]["Items"] == [ORDERS]


def test_its_exemption_is_for_backups_alone() -> None:
    made = on_demand(stack()).exemption(reason="nightly backups")
    assert made.principal == tg.Role(account=OWNER, name="on-demand")
    assert made.covers("CreateBackup", Side.TABLE)
    assert not made.covers("Scan", Side.TABLE)


def foreign(scope: cdk.Stack) -> dynamodb.ITable:
    return dynamodb.Table.from_table_arn(scope, "Theirs", f"arn:aws:dynamodb:{REGION}:{PARTNER}:table/theirs")


REFUSALS: Final[list[tuple[str, Callable[[cdk.Stack], object], str]]] = [
    ("no table", lambda s: on_demand(s, tables=[]), "1 to 100 tables"),
    ("a table of another account", lambda s: on_demand(s, tables=[foreign(s)]), "tables of account"),
    ("a short prefix", lambda s: on_demand(s, name_prefix="ab"), "3 to 200"),
    ("a prefix that ends an expression", lambda s: on_demand(s, name_prefix="a' & b"), "3 to 200"),
    ("a prefix of the deployment", lambda s: on_demand(s, name_prefix=cdk.Aws.STACK_NAME), "written down"),
    ("a cron of five fields", lambda s: on_demand(s, schedule="cron(0 5 * * *)"), "six fields"),
    ("a rate of nothing", lambda s: on_demand(s, schedule="rate(0 days)"), "rate(1 day)"),
    ("kept for no time", lambda s: on_demand(s, keep_days=0), "from 1"),
    ("none kept", lambda s: on_demand(s, keep_at_least=0), "from 1 to 10,000"),
    ("a truth kept", lambda s: on_demand(s, keep_at_least=True), "from 1 to 10,000"),
    ("an alarm after a month", lambda s: on_demand(s, alarm_after=cdk.Duration.days(30)), "1 to 168"),
    ("no role", lambda s: on_demand(s, role_name=""), "1 to 64"),
]


@pytest.mark.parametrize(("make", "allowed"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS])
def test_a_slip_is_refused(make: Callable[[cdk.Stack], object], allowed: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        make(stack(app()))
    assert allowed in caught.value.allowed


def test_template(template_snapshots: SnapshotAssertion) -> None:
    scope = stack()
    on_demand(scope)
    assert of_kind(template(scope), "AWS::Scheduler::Schedule")
    assert scope == template_snapshots
