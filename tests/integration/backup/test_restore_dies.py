"""A restore that dies before any of its states is taken up again, and a killed drill's table is removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.backup import organization as org
from tests.integration.backup.flow import Flow

# The way on which nothing goes wrong, up to the first state in which there is a table, and from there on.
BEFORE = ("Start", "Asked", "Named", "Plan", "Planned", "Create")
AFTER = ("Wait", "Describe", "Active", "Recovery", "Steps", "Segments", "Digest", "Check", "Verified", "Restored")
ITEMS = [{"pk": {"S": f"o{n}"}, "sk": {"N": str(n)}, "kind": {"S": "order"}} for n in range(30)]


@pytest.fixture(scope="module")
def sealed(shared_flow: Flow) -> Flow:
    """A full export and an increment are sealed."""
    flow = shared_flow
    flow.advance(minutes=30)
    flow.write(ITEMS)
    flow.advance(hours=1)
    flow.export()
    flow.write([{**ITEMS[0], "n": {"N": "1"}}], remove=[{name: ITEMS[1][name] for name in ("pk", "sk")}])
    flow.canary()
    flow.advance(hours=1)
    flow.export()
    flow.sealed(2)
    return flow


def machine(flow: Flow, output: str = "RestoreMachine") -> str:
    return flow.output("Recovery", output).rpartition(":")[2]


def definition(flow: Flow) -> Any:
    arn = flow.output("Recovery", "RestoreMachine")
    told = flow.client("stepfunctions", org.RECOVERY).describe_state_machine(stateMachineArn=arn)
    return json.loads(told["definition"])


def killed(flow: Flow, table: str, state: str) -> str:
    """An execution that died before a state."""
    flow.controls.inject("states:Execution", "kill", f"{machine(flow)}/{state}")
    execution = flow.begin_restore(table)
    flow.ended(execution, "ABORTED")
    flow.controls.forget()
    return execution


def sorted_items(flow: Flow, table: str, account: str) -> list[Any]:
    return sorted(flow.items(table, account), key=lambda item: (item["pk"]["S"], item["sk"]["N"]))


def test_the_states_are_all_of_the_good_way(sealed: Flow) -> None:
    """A state that is new has to be tried as well."""
    told = definition(sealed)["States"]
    found, name = [], "Start"
    good = {"Asked": "Named", "Active": "Recovery", "Locked": "FinalPolicy"}
    while name:
        found.append(name)
        name = good.get(name) or told[name].get("Next", "")
    settings = set(found) - {*BEFORE, *AFTER}
    assert set(found) >= {*BEFORE, *AFTER}
    assert settings <= {"StreamPolicy", "TimeToLive", "Insights0", "Insights1", "Locked", "FinalPolicy"}


@pytest.mark.parametrize("state", [*BEFORE, *AFTER])
def test_a_restore_that_dies_is_taken_up_again(sealed: Flow, state: str) -> None:
    flow, table = sealed, f"{org.RESTORED}before-{state.lower()}"
    execution = killed(flow, table, state)
    there = table in flow.client("dynamodb", org.RECOVERY).list_tables()["TableNames"]
    assert there is (state in AFTER)
    if there:
        refused = flow.restore(table, "FAILED")
        assert refused["error"] == "TableExists"
    flow.restore(table, resume=execution)
    assert sorted_items(flow, table, org.RECOVERY) == sorted_items(flow, org.TABLE, org.DATA)
    tags = flow.client("dynamodb", org.RECOVERY).list_tags_of_resource(
        ResourceArn=f"arn:aws:dynamodb:{org.REGION}:{org.RECOVERY}:table/{table}"
    )["Tags"]
    assert {"Key": "tableguard:restore-state", "Value": "verified"} in tags


def test_nobody_goes_on_with_the_table_of_somebody_else(sealed: Flow) -> None:
    table = f"{org.RESTORED}theirs"
    execution = killed(sealed, table, "Steps")
    other = f"{execution}-other"
    assert sealed.restore(table, "FAILED", resume=other)["error"] == "TableExists"
    assert sealed.items(table, org.RECOVERY) == []


@pytest.fixture
def left(sealed: Flow) -> str:
    """The table of a drill that was killed while its restore was done."""
    flow = sealed
    flow.controls.inject("states:Execution", "kill", f"{machine(flow, 'DrillMachine')}/Check")
    flow.drill("ABORTED")
    flow.controls.forget()
    (table,) = drill_tables(flow)
    return table


def drill_tables(flow: Flow) -> list[str]:
    prefix = flow.output("Recovery", "DrillTables")
    return [
        name for name in flow.client("dynamodb", org.RECOVERY).list_tables()["TableNames"] if name.startswith(prefix)
    ]


def watch(flow: Flow) -> dict[str, Any]:
    machines = flow.client("stepfunctions", org.RECOVERY).list_state_machines()["stateMachines"]
    (arn,) = [each["stateMachineArn"] for each in machines if "Watch" in each["name"]]
    execution = flow.client("stepfunctions", org.RECOVERY).start_execution(stateMachineArn=arn, input="{}")
    return flow.ended(execution["executionArn"])


def test_the_table_of_a_killed_drill_is_removed_when_it_is_old_and_no_other(sealed: Flow, left: str) -> None:
    flow, dynamodb = sealed, sealed.client("dynamodb", org.RECOVERY)
    prefix = flow.output("Recovery", "DrillTables")
    others = [f"{prefix}somebodys", f"{prefix}of-another-restore"]
    for name, tags in zip(others, ([], [{"Key": "tableguard:restore", "Value": "another"}]), strict=True):
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=tags,
        )
    watch(flow)
    assert set(drill_tables(flow)) == {left, *others}
    flow.advance(hours=7)
    watch(flow)
    assert set(drill_tables(flow)) == set(others)
    restored = [name for name in dynamodb.list_tables()["TableNames"] if name.startswith(org.RESTORED)]
    assert set(restored) >= set(others)
