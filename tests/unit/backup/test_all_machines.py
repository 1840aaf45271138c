"""Every state machine that the library makes, by one measure: what Step Functions takes, and what each state needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler, aws_sns as sns
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.backup.drill.report import NAMESPACE
from tableguard.policy.backup.sealing_names import METRICS
from tests.state_machines import valid_state_machine
from tests.unit.backup import exported
from tests.unit.backup.aws_backup import plan_support
from tests.unit.backup.on_demand.test_on_demand_backups import on_demand
from tests.unit.backup.restore.support import (
    LEAST,
    SOURCE,
    Json,
    all_states,
    data_app,
    followers,
    full_table,
    machines,
    restore,
    vault_stack,
)
from tests.unit.backup.vault import vaults
from tests.unit.tables.support import READER, app, resolved, stack

DAILY: Final = scheduler.ScheduleExpression.rate(cdk.Duration.days(1))
# Each by the path of its logical id. A machine that is new has to be made below, and named here.
NAMES: Final = (
    "export/ExportMachine",
    "least/DrillCheckMachine",
    "least/DrillMachine",
    "least/DrillWatchMachine",
    "least/RestoreMachine",
    "living/RestoreMachine",
    "on demand/BackupsMachine",
    "plan/PlanJobsCounterMachine",
    "restore testing/PlanJobsCounterMachine",
    "restore testing/PlanRestoreTestsValidateMachine",
    "restore/DrillCheckMachine",
    "restore/DrillMachine",
    "restore/DrillWatchMachine",
    "restore/RestoreMachine",
    "vault/VaultSealingMachine",
    "vault/VaultSealingSweeperMachine",
)


def _restores() -> Iterator[tuple[str, cdk.Stack]]:
    """With everything that they can have, with the least, and of a living table."""
    _, data, vault = data_app()
    table = full_table(data)
    table.grant(READER)
    tg.TablePerimeter(
        data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])
    )
    tg.RestoreDrill(
        vault,
        "Drill",
        restore=restore(vault, blueprint=tg.TableBlueprint.like(table), source=None),
        schedule=DAILY,
        alarm_after=cdk.Duration.days(2),
        canary=tg.Canary(key={"pk": {"S": "canary"}, "sk": {"S": "canary"}}),
        keep_failed=True,
        alarms_topic=sns.Topic(vault, "Topic"),
    )
    yield "restore", vault
    least = vault_stack()
    tg.RestoreDrill(least, "Drill", restore=restore(least), schedule=DAILY, alarm_after=cdk.Duration.days(2))
    yield "least", least
    living = stack(app())
    restore(living, blueprint=LEAST, sealed=None, point_in_time=SOURCE)
    yield "living", living


def _stacks() -> Iterator[tuple[str, cdk.Stack]]:
    yield from _restores()
    exporting = stack(app())
    exported.export(exporting)
    yield "export", exporting
    sealing = vaults.stack()
    vaults.vault(sealing)
    yield "vault", sealing
    demanded = stack(app())
    on_demand(demanded)
    yield "on demand", demanded
    planned = stack(app())
    plan_support.plan(planned)
    yield "plan", planned
    tested = stack(app())
    plan_support.plan(tested, restore_testing=plan_support.restore_testing(tested))
    yield "restore testing", tested


@dataclass(frozen=True)
class Made:
    """A machine of a template.

    Args:
        resources: The template's.
        properties: The machine's own.
        definition: Its definition, references resolved.
    """

    resources: Json
    properties: Json
    definition: Json

    def named(self, property_: Json) -> Json:
        """The resource that a property refers to."""
        found: Json = self.resources[property_["Fn::GetAtt"][0]]
        return found


@dataclass(frozen=True)
class Synthesized:
    """A stack's resources, and the account that it is for."""

    resources: Json
    account: str


@pytest.fixture(scope="module")
def synthesized() -> dict[str, Synthesized]:
    return {
        name: Synthesized(Template.from_stack(scope).to_json()["Resources"], scope.account) for name, scope in _stacks()
    }


@pytest.fixture(scope="module")
def made(synthesized: dict[str, Synthesized]) -> dict[str, Made]:
    found = {}
    for name, each in synthesized.items():
        resources = each.resources
        for logical_id, resource in resources.items():
            if resource["Type"] == "AWS::StepFunctions::StateMachine":
                properties = resource["Properties"]
                definition = json.loads(resolved(properties["DefinitionString"], account=each.account))
                found[f"{name}/{logical_id[:-8]}"] = Made(resources, properties, definition)
    return found


@pytest.fixture(scope="module")
def every(made: dict[str, Made]) -> dict[str, Json]:
    return {name: each.definition for name, each in made.items()}


def _said(resources: Json, account: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every metric that a template's machines put: namespace and name, and dimensions with values or expressions."""
    for resource in resources.values():
        if resource["Type"] != "AWS::StepFunctions::StateMachine":
            continue
        definition = json.loads(resolved(resource["Properties"]["DefinitionString"], account=account))
        for state in all_states(definition).values():
            if str(state.get("Resource", "")).endswith(":cloudwatch:putMetricData"):
                space = state["Arguments"]["Namespace"]
                data = state["Arguments"]["MetricData"]
                for datum in _written(data) if isinstance(data, str) else data:
                    if datum["MetricName"] == "{% $states.input.metric %}":
                        for metric, dimensions in _counted(resources, datum["Dimensions"]):
                            yield f"{space}/{metric}", dimensions
                    else:
                        # One of two, as it may be.
                        for metric in re.findall(r"[?:] '(\w+)'", datum["MetricName"]) or [datum["MetricName"]]:
                            yield f"{space}/{metric}", {each["Name"]: each["Value"] for each in datum["Dimensions"]}


def _written(data: str) -> Iterator[Json]:
    """The metrics that one expression makes: a name, and the one or the other list of dimensions."""
    (name,) = re.findall(r"'MetricName': '(\w+)'", data)
    for dimensions in re.findall(r"\[(\{'Name':.*?\})\]", data):
        pairs = re.findall(r"\{'Name': '(\w+)', 'Value': (?:'([^']*)'|(\w+))\}", dimensions)
        yield {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": known or f"{{% {given} %}}"} for key, known, given in pairs],
        }


def _counted(resources: Json, dimensions: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What the machine that counts jobs puts for the rules that start it: they name the metric and the dimensions."""
    for resource in resources.values():
        for target in resource["Properties"].get("Targets", []) if resource["Type"] == "AWS::Events::Rule" else []:
            template = target.get("InputTransformer", {}).get("InputTemplate")
            if template is not None:
                given = json.loads(re.sub(r"<([^>]*)>", r'"{% \1 %}"', template))
                names = {
                    key: name
                    for name, key in re.findall(r'"Name": "(\w+)", "Value": \$states\.input\.(\w+)', dimensions)
                }
                yield given["metric"], {names[key]: value for key, value in given.items() if key != "metric"}


def _heard(resources: Json, account: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every metric of ours that an alarm waits for: the alarm, the metric's name, its dimensions."""
    for logical_id, resource in resources.items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        said = resource["Properties"]
        for metric in [
            said,
            *(each["MetricStat"]["Metric"] for each in said.get("Metrics", []) if "MetricStat" in each),
        ]:
            # Those of AWS are AWS's to put.
            if not metric.get("Namespace", "AWS/").startswith("AWS/"):
                dimensions = {each["Name"]: resolved(each["Value"], account=account) for each in metric["Dimensions"]}
                yield logical_id, f"{metric['Namespace']}/{metric['MetricName']}", dimensions


def test_every_alarm_hears_a_metric_that_a_machine_puts(synthesized: dict[str, Synthesized]) -> None:
    """By name, by the names of its dimensions, and by those of their values that the machine knows beforehand."""
    heard = set()
    for name, stack_ in synthesized.items():
        put = list(_said(stack_.resources, stack_.account))
        for alarm, metric, dimensions in _heard(stack_.resources, stack_.account):
            heard.add(metric)
            fits = [
                each
                for said, each in put
                if said == metric
                and each.keys() == dimensions.keys()
                and all(value.startswith("{%") or value == dimensions[key] for key, value in each.items())
            ]
            assert fits, f"{name}/{alarm} waits for {metric} of {dimensions}"
    ours = ("DrillFailed", "DrillAgeHours", "CompletedExports", "NewestExportAge")
    jobs = ("CompletedBackups", "FailedBackups", "CompletedCopies", "FailedCopies")
    sealing = ("SealedExports", "MissingWindows", "ExportsOverQuota", "RejectedExports")
    assert heard >= {*(f"{METRICS}/{name}" for name in sealing), *(f"{NAMESPACE}/{name}" for name in (*ours, *jobs))}


def test_the_list_is_whole(every: dict[str, Json]) -> None:
    assert sorted(every) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_step_functions_takes_it(every: dict[str, Json], name: str) -> None:
    assert valid_state_machine(every[name])


@pytest.mark.parametrize("name", NAMES)
def test_it_logs_every_step_without_data_and_traces(made: dict[str, Made], name: str) -> None:
    said = made[name].properties
    logging = said["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    assert said["TracingConfiguration"] == {"Enabled": True}
    assert said.get("StateMachineType", "STANDARD") == "STANDARD"
    (destination,) = logging["Destinations"]
    log = made[name].named(destination["CloudWatchLogsLogGroup"]["LogGroupArn"])
    assert log["Properties"]["RetentionInDays"] >= 365
    assert log["DeletionPolicy"] == log["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", NAMES)
def test_its_role_is_for_machines_of_its_own_account_alone(made: dict[str, Made], name: str) -> None:
    (trust,) = made[name].named(made[name].properties["RoleArn"])["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    account = trust["Condition"]["StringEquals"]["aws:SourceAccount"]
    source = trust["Condition"]["ArnLike"]["aws:SourceArn"]
    assert resolved(source).endswith(f":{account}:stateMachine:*")


@pytest.mark.parametrize("name", NAMES)
def test_each_task_is_retried_with_jitter_and_given_up(every: dict[str, Json], name: str) -> None:
    assert every[name]["TimeoutSeconds"] > 0
    for state_name, state in all_states(every[name]).items():
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, state_name
            # No attempts: an error that a retrier of everything would try again.
            again = [retrier for retrier in state["Retry"] if retrier["MaxAttempts"] > 0]
            assert again, state_name
            for retrier in again:
                # A worker that has not come to an end goes on at once: nobody else is in its way.
                at_once = retrier["ErrorEquals"] == ["Unfinished"]
                assert at_once or retrier["JitterStrategy"] == "FULL", state_name


@pytest.mark.parametrize("name", NAMES)
def test_no_child_of_a_map_may_fail_unnoticed(every: dict[str, Json], name: str) -> None:
    """A file that was not copied, loaded or counted is no success of the whole."""
    for state_name, state in all_states(every[name]).items():
        tolerated = {field: value for field, value in state.items() if field.startswith("Tolerated")}
        assert set(tolerated) <= {"ToleratedFailureCount", "ToleratedFailurePercentage"}, state_name
        assert not any(tolerated.values()), state_name


@pytest.mark.parametrize("name", NAMES)
def test_each_state_is_reached_and_leads_to_one_or_ends(every: dict[str, Json], name: str) -> None:
    for part in machines(every[name]):
        reached: set[str] = set()
        waiting = {part["StartAt"]}
        while waiting:
            state_name = waiting.pop()
            reached.add(state_name)
            waiting |= followers(part["States"][state_name]) - reached
        assert reached == set(part["States"])
        for state_name, state in part["States"].items():
            ends: Any = state.get("End") or state["Type"] in {"Fail", "Succeed"}
            assert bool(ends) != bool(followers({**state, "Catch": []})), state_name
