"""The machines of restores and drills: their variables, and the order of what they do."""

from __future__ import annotations

import re

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler, aws_sns as sns

import tableguard as tg
from tableguard.backup.drill.canary import Canary
from tableguard.backup.drill.restore_drill import RestoreDrill
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tests.unit.backup.restore.support import (
    SOURCE,
    Json,
    all_states,
    data_app,
    definition,
    definitions,
    full_table,
    restore,
)
from tests.unit.tables.support import OWNER, READER, app, stack


@pytest.fixture(scope="module")
def every() -> dict[str, Json]:
    """Every machine there is, with everything that they can have."""
    _, data, vault = data_app()
    table = full_table(data)
    table.grant(READER)
    tg.TablePerimeter(
        data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])
    )
    made = restore(vault, blueprint=TableBlueprint.like(table), source=None)
    RestoreDrill(
        vault,
        "Drill",
        restore=made,
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        canary=Canary(key={"pk": {"S": "canary"}, "sk": {"S": "canary"}}),
        keep_failed=True,
        alarms_topic=sns.Topic(vault, "Topic"),
    )
    beside = stack(app())
    restore(beside, sealed=None, point_in_time=SOURCE)
    living = definitions(beside, account=OWNER)
    return {**definitions(vault), **{f"{comment} (living)": one for comment, one in living.items()}}


def test_there_are_all_machines(every: dict[str, Json]) -> None:
    assert len(every) == 5


def test_every_variable_is_assigned_somewhere(every: dict[str, Json]) -> None:
    builtin = {"states", "map", "merge", "join", "split", "string", "exists", "type", "length", "not", "count", "sum"}
    builtin |= {"append", "substring", "parse", "toMillis", "fromMillis", "round"}
    for comment, machine in every.items():
        text = repr(machine)
        assigned = set()
        for state in all_states(machine).values():
            assigned |= set(state.get("Assign", ()))
            assigned |= {name for caught in state.get("Catch", ()) for name in caught.get("Assign", ())}
        expressions = re.findall(r"\{% (.*?) %\}", text)
        used = {name for one in expressions for name in re.findall(r"\$([a-zA-Z]\w*)", one)}
        assert used - builtin <= assigned, comment


def test_children_of_distributed_maps_use_their_input_alone(every: dict[str, Json]) -> None:
    # Variables of the parent are not to be seen there.
    for machine in every.values():
        for state in all_states(machine).values():
            processor = state.get("ItemProcessor", {})
            if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
                used = set(re.findall(r"\$([a-zA-Z]\w*)", repr(processor["States"])))
                assert used <= {"states", "merge"}
                assert state["QueryLanguage"] == "JSONPath"


def order(machine: Json) -> list[str]:
    """The states of the way on which nothing goes wrong."""
    name, found = machine["StartAt"], []
    good = {
        "Asked": "Named",
        "Resumes": "Plan",
        "Active": "Recovery",
        "Mine": "Wait",
        "Locked": "FinalPolicy",
        "Exported": "Open",
    }
    while name:
        found.append(name)
        state = machine["States"][name]
        name = good.get(name) or state.get("Next", "")
    return found


def test_the_table_is_there_with_its_policy_before_items_and_time_to_live_comes_last(every: dict[str, Json]) -> None:
    way = order(
        next(one for comment, one in every.items() if comment.startswith("Rebuilds") and "living" not in comment)
    )
    expected = ["Plan", "Create", "Recovery", "Steps", "Digest", "Check", "Verified", "TimeToLive", "FinalPolicy"]
    assert [name for name in way if name in expected] == expected
    assert way[-1] == "Restored"


def test_a_living_table_is_exported_and_measured_first(every: dict[str, Json]) -> None:
    way = order(every["Rebuilds a table from a backup and compares every item with it (living)"])
    expected = ["Plan", "ExportDescribe", "Open", "Measure", "Close", "Planned", "Create", "Steps", "Check"]
    assert [name for name in way if name in expected] == expected


def test_a_file_that_cannot_be_measured_is_told_before_anything_is_made(every: dict[str, Json]) -> None:
    states = every["Rebuilds a table from a backup and compares every item with it (living)"]["States"]
    assert [one["Next"] for one in states["Measure"]["Catch"]] == ["Unmeasured"]
    assert states["Unmeasured"]["Next"] == "Refused"
    assert states["Unmeasured"]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "Next": "Refused", "Output": "{% $states.input %}"}
    ]


def test_a_check_that_cannot_read_the_table_says_why(every: dict[str, Json]) -> None:
    states = every["Checks a restored table against the last good drill"]["States"]
    assert [one["Next"] for one in states["Digest"]["Catch"]] == ["Problem"]
    assert states["Problem"]["Next"] == "NotRead"
    assert states["Problem"]["Catch"][0]["Next"] == "NotRead"
    assert (states["NotRead"]["Error"], states["NotRead"]["Cause"]) == (
        "{% $states.input.Error %}",
        "{% $states.input.Cause %}",
    )


def test_every_worker_of_a_map_says_of_which_execution_it_is(every: dict[str, Json]) -> None:
    for machine in every.values():
        states = machine["States"]
        if "Segments" in states:
            assert "'execution': $states.context.Execution.Name" in states["Segments"]["Output"]["segments"]
        if "Steps" in states:
            assert states["Steps"]["ItemSelector"]["execution"] == "{% $states.context.Execution.Name %}"


def test_increments_are_loaded_one_after_the_other_and_files_at_once(every: dict[str, Json]) -> None:
    states = all_states(next(iter(every.values())))
    assert states["Steps"]["MaxConcurrency"] == 1
    assert states["Files"]["MaxConcurrency"] == 40
    assert states["Files"]["ToleratedFailureCount"] == 0
    assert states["Loaded"]["Default"] == "Load"


def test_a_table_that_is_there_already_is_never_written_to(every: dict[str, Json]) -> None:
    states = all_states(next(iter(every.values())))
    caught = {error: one["Next"] for one in states["Create"]["Catch"] for error in one["ErrorEquals"]}
    assert caught == {
        "DynamoDb.ResourceInUseException": "Whose",
        "DynamoDb.AccessDeniedException": "Refusal",
        "DynamoDb.DynamoDbException": "Refusal",
        "States.ALL": "NotCreated",
    }
    # A refusal is one of the table's tags where there is a table, and said as it was where there is none.
    (otherwise,) = states["Refusal"]["Catch"]
    assert (states["Refusal"]["Next"], otherwise["Next"]) == ("Whose", "NotCreated")
    assert otherwise["Output"] == "{% $states.input %}"
    assert states["Mine"]["Default"] == "TableExists"
    assert states["TableExists"]["Type"] == states["NotCreated"]["Type"] == "Fail"
    assert all(
        "$execution" in rule["Condition"] or "$resumes" in rule["Condition"] for rule in states["Mine"]["Choices"]
    )


def test_whatever_fails_after_the_table_was_made_says_that_it_is_incomplete(every: dict[str, Json]) -> None:
    states = all_states(next(iter(every.values())))
    for name in ("Describe", "Recovery", "Problem", "Check"):
        assert [one["Next"] for one in states[name]["Catch"]] == ["Incomplete"], name
    for name in ("Steps", "Digest"):
        assert [one["Next"] for one in states[name]["Catch"]] == ["Problem"], name
    assert states["Problem"]["Next"] == "Incomplete"
    assert states["Problem"]["Catch"][0]["Output"] == "{% $states.input %}"  # what the map has said
    assert "incomplete" in states["Incomplete"]["Cause"]
    assert {"Key": "tableguard:restore-state", "Value": "incomplete"} in states["Create"]["Arguments"]["Tags"]


def test_a_definition_without_policies_and_extras_has_no_states_for_them() -> None:
    _, _, vault = data_app()
    restore(vault, blueprint=TableBlueprint(partition_key={"pk": "S"}, recovery_days=None))
    states = all_states(definition(vault))
    assert not {"Recovery", "TimeToLive", "FinalPolicy", "StreamPolicy", "Insights0", "Locked"} & set(states)
    assert "ResourcePolicy" not in states["Create"]["Arguments"]
    assert states["Verified"]["Next"] == "Restored"


def test_a_verified_table_is_taken_up_after_its_items(every: dict[str, Json]) -> None:
    states = all_states(next(iter(every.values())))
    to = {rule["Condition"].rpartition("=")[2].strip(" '%}"): rule["Next"] for rule in states["Mine"]["Choices"]}
    assert to == {"$execution": "Wait", "incomplete": "Wait", "verified": "Settings"}
    assert states["Settings"]["Next"] == "Verified"
    assert set(states["Settings"]["Assign"]) == {"stream", "restored", "reached"}


def watches(*, keep_failed: bool) -> dict[str, Json]:
    _, _, vault = data_app()
    RestoreDrill(
        vault,
        "Drill",
        restore=restore(vault),
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        keep_failed=keep_failed,
    )
    return all_states(next(one for comment, one in definitions(vault).items() if comment.startswith("Says how many")))


def test_what_killed_drills_leave_is_removed_unless_it_is_to_be_kept() -> None:
    assert "Remove" not in watches(keep_failed=True)
    states = watches(keep_failed=False)
    # What is said comes first, with a good drill or without one.
    assert (states["Say"]["Next"], states["Never"]["Next"]) == ("Sweep", "Sweep")
    for name in ("Ours", "Over", "Old"):
        assert states[name]["Default"] == "Left"
    assert states["Remove"]["Resource"].endswith(":deleteTable")


def seconds(retrier: Json) -> float:
    """How long a retrier goes on for on average, with full jitter."""
    pauses = [
        min(retrier["MaxDelaySeconds"], retrier["IntervalSeconds"] * retrier["BackoffRate"] ** number)
        for number in range(retrier["MaxAttempts"])
    ]
    return float(sum(pauses)) / 2


@pytest.mark.parametrize(("name", "refusal"), [("Recovery", "DynamoDb.DynamoDbException"), ("Load", "NotAllowed")])
def test_what_the_tags_of_a_new_table_allow_is_tried_for_two_minutes(
    every: dict[str, Json], name: str, refusal: str
) -> None:
    states = all_states(next(one for comment, one in every.items() if comment.startswith("Rebuilds")))
    (retrier,) = [one for one in states[name]["Retry"] if refusal in one["ErrorEquals"]]
    assert 90 <= seconds(retrier) <= 180


def test_the_tags_of_a_table_that_shows_none_are_read_again_before_it_is_taken_for_another_ones(
    every: dict[str, Json],
) -> None:
    states = all_states(next(one for comment, one in every.items() if comment.startswith("Rebuilds")))
    (seen,) = states["Seen"]["Choices"]
    assert (seen["Next"], states["Seen"]["Default"]) == ("Mine", "LookAgain")
    assert "$exists($tags[Key = 'tableguard:restore'].Value)" in seen["Condition"]
    assert "$looked >= 5" in seen["Condition"]
    assert states["LookAgain"]["Assign"] == {"looked": "{% $looked + 1 %}"}
    assert (states["LookAgain"]["Next"], states["LookPause"]["Next"]) == ("LookPause", "Whose")
    caught = {error: one["Next"] for one in states["WhosePage"]["Catch"] for error in one["ErrorEquals"]}
    assert caught == {"DynamoDb.ResourceNotFoundException": "Seen", "States.ALL": "TableExists"}
