"""A restore that dies before any of its states is taken up again, and a killed drill's table is removed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.backup import organization as org
from tests.integration.backup.flow import Flow

# The way on which nothing goes wrong, up to the first state in which there is a table, and from there on.
BEFORE = ("Start", "Asked", "Named", "Resumes", "Plan", "Planned", "Create")
AFTER = ("Wait", "Describe", "Active", "Recovery", "Steps", "Segments", "Digest", "Check", "Verified", "Restored")
EXPORTING = ("ExportWait", "ExportDescribe", "Exported", "Open", "Measure", "Close")
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


@dataclass(frozen=True)
class Road:
    """One of the two ways that items come back: which machine, where, and its states up to the making of the table."""

    stack: str
    output: str
    account: str
    prefix: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def machine(self, flow: Flow) -> str:
        return flow.output(self.stack, self.output)

    def restore(self, flow: Flow, table: str, *statuses: str, **said: Any) -> dict[str, Any]:
        return flow.ended(flow.start(self.machine(flow), {"table": table, **said}, self.account), *statuses)

    def killed(self, flow: Flow, table: str, state: str) -> str:
        """An execution that died before a state."""
        flow.controls.inject("states:Execution", "kill", f"{self.machine(flow).rpartition(':')[2]}/{state}")
        execution = flow.start(self.machine(flow), {"table": table}, self.account)
        flow.ended(execution, "ABORTED")
        flow.controls.forget()
        return execution


CHAIN = Road("Recovery", "RestoreMachine", org.RECOVERY, org.RESTORED, BEFORE, AFTER)
LIVING = Road("Data", "RewindMachine", org.DATA, org.REWOUND, (*BEFORE[:5], *EXPORTING, *BEFORE[5:]), (*AFTER, "Clear"))


def reached(flow: Flow, table: str, account: str) -> str:
    """The moment that a table was made for, by its tag."""
    return tags(flow, table, account)["tableguard:restore-reaches"]


def tags(flow: Flow, table: str, account: str) -> dict[str, str]:
    arn = f"arn:aws:dynamodb:{org.REGION}:{account}:table/{table}"
    told = flow.client("dynamodb", account).list_tags_of_resource(ResourceArn=arn)["Tags"]
    return {each["Key"]: each["Value"] for each in told}


def sorted_items(flow: Flow, table: str, account: str) -> list[Any]:
    return sorted(flow.items(table, account), key=lambda item: (item["pk"]["S"], item["sk"]["N"]))


@pytest.mark.parametrize("road", [CHAIN, LIVING], ids=["chain", "living"])
def test_the_states_are_all_of_the_good_way(sealed: Flow, road: Road) -> None:
    """A state that is new has to be tried as well."""
    client = sealed.client("stepfunctions", road.account)
    told = json.loads(client.describe_state_machine(stateMachineArn=road.machine(sealed))["definition"])["States"]
    found, name = [], "Start"
    good = {"Asked": "Named", "Resumes": "Plan", "Active": "Recovery", "Locked": "FinalPolicy", "Exported": "Open"}
    while name:
        found.append(name)
        name = good.get(name) or told[name].get("Next", "")
    settings = {"StreamPolicy", "TimeToLive", "Insights0", "Insights1", "Locked", "FinalPolicy"}
    assert [name for name in found if name not in settings] == [*road.before, *road.after]


@pytest.mark.parametrize(
    ("road", "state"),
    [(road, state) for road in (CHAIN, LIVING) for state in (*road.before, *road.after)],
    ids=lambda value: value if isinstance(value, str) else value.output,
)
def test_a_restore_that_dies_is_taken_up_again(sealed: Flow, road: Road, state: str) -> None:
    flow, table = sealed, f"{road.prefix}before-{state.lower()}"
    execution = road.killed(flow, table, state)
    dynamodb = flow.client("dynamodb", road.account)
    there = table in dynamodb.list_tables()["TableNames"]
    assert there is (state in road.after)
    if there:
        assert road.restore(flow, table, "FAILED")["error"] == "TableExists"
    resumed = road.restore(flow, table, resume=execution)
    told = json.loads(resumed["output"])
    assert ("Clear" in (went := flow.states_of(resumed["executionArn"]))) is (road is LIVING)
    assert "NotCleared" not in went
    assert told["reached"] == reached(flow, table, road.account)
    assert sorted_items(flow, table, road.account) == sorted_items(flow, org.TABLE, org.DATA)
    assert tags(flow, table, road.account)["tableguard:restore-state"] == "verified"


def test_nobody_goes_on_with_the_table_of_somebody_else(sealed: Flow) -> None:
    table = f"{org.RESTORED}theirs"
    execution = CHAIN.killed(sealed, table, "Steps")
    assert CHAIN.restore(sealed, table, "FAILED", resume=f"{execution}-other")["error"] == "TableExists"
    assert sealed.items(table, org.RECOVERY) == []


@pytest.fixture
def left(sealed: Flow) -> str:
    """The table of a drill that was killed while its restore was done."""
    flow = sealed
    drills = flow.output("Recovery", "DrillMachine").rpartition(":")[2]
    flow.controls.inject("states:Execution", "kill", f"{drills}/Check")
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
