"""The machines' definitions: how long they wait, what they never try again, where they go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tableguard.backup.states.tasks import Tasks
from tableguard.backup.vault.machine import Sealing
from tests.unit.backup.vault.vaults import SEALED, resources

SEALING = Sealing(
    tasks=Tasks("aws"),
    open_function="open", copy_function="copy", close_function="close", problem_function="problem",
    sweep_function="sweep", holes_function="holes", work_bucket="work", vault=SEALED, at_once=20,
)  # fmt: skip
MACHINES: dict[str, dict[str, Any]] = {"seal": SEALING.definition(), "sweep": SEALING.sweep_definition("arn:machine")}


def states(definition: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = list(definition["States"].items())
    return found + [inner for _, state in found if "ItemProcessor" in state for inner in states(state["ItemProcessor"])]


@pytest.mark.parametrize("name", MACHINES)
def test_every_task_has_a_time_limit_and_is_tried_again(name: str) -> None:
    tasks = [state for _, state in states(MACHINES[name]) if state["Type"] == "Task"]
    assert tasks
    for task in tasks:
        assert 0 < task["TimeoutSeconds"] <= 900
        assert task["Retry"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_leads_to_one_that_is_there(name: str) -> None:
    found = dict(states(MACHINES[name]))
    for state in found.values():
        led = [state.get("Next"), state.get("Default")]
        led += [rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
        assert {target for target in led if target} <= found.keys()
        assert state["Type"] in {"Choice", "Succeed", "Fail"} or ("Next" in state) is not bool(state.get("End"))


def test_it_waits_hours_for_an_export_that_is_still_arriving() -> None:
    retries = MACHINES["seal"]["States"]["Open"]["Retry"]
    (waiting,) = (each for each in retries if "NotYetComplete" in each["ErrorEquals"])
    pauses = [
        min(waiting["IntervalSeconds"] * waiting["BackoffRate"] ** number, waiting["MaxDelaySeconds"])
        for number in range(waiting["MaxAttempts"])
    ]
    # With full jitter half of each, on average.
    assert sum(pauses) / 2 > 4 * 3600
    assert sum(pauses) < MACHINES["seal"]["TimeoutSeconds"]


@pytest.mark.parametrize("step", ["Open", "Close"])
def test_what_is_refused_is_never_tried_again(step: str) -> None:
    retries = MACHINES["seal"]["States"][step]["Retry"]
    never = [each for each in retries if each["MaxAttempts"] == 0]
    assert [each["ErrorEquals"] for each in never] == [["Rejected", "QuotaExceeded"]]
    assert retries.index(never[0]) < len(retries) - 1


def test_copies_that_fail_are_told_by_what_the_workers_say_or_by_the_map() -> None:
    found = dict(states(MACHINES["seal"]))
    assert found["CopyFiles"]["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": "Problem"}]
    assert found["Problem"]["Next"] == "IsRefused"
    assert found["IsRefused"]["Default"] == "NotSealed"
    (caught,) = found["Problem"]["Catch"]
    # The input is what the map has said.
    assert (caught["ErrorEquals"], caught["Output"], caught["Next"]) == (
        ["States.ALL"], "{% $states.input %}", "NotSealed",
    )  # fmt: skip
    assert found["NotSealed"]["Type"] == "Fail"
    # The parent's name, which the child gets told: its own is another one.
    assert found["CopyFiles"]["ItemSelector"]["execution.$"] == "$$.Execution.Name"
    assert "$states.context.Execution.Name" in found["Problem"]["Arguments"]["Payload"]
    assert "$states.input.execution" in found["CopyFile"]["Arguments"]["Payload"]


def test_the_sealing_machine_mixes_languages_the_way_that_is_allowed() -> None:
    assert MACHINES["seal"]["QueryLanguage"] == "JSONPath"
    plain = [name for name, state in states(MACHINES["seal"]) if state.get("QueryLanguage") != "JSONata"]
    assert plain == ["CopyFiles", "Sealed"]


def test_a_null_of_the_definition_survives_synthesis() -> None:
    (text,) = (
        each["Properties"]["DefinitionString"]["Fn::Join"][1]
        for name, each in resources().items()
        if each["Type"] == "AWS::StepFunctions::StateMachine" and "Machine" in name and "Sweeper" not in name
    )
    definition = json.loads("".join(part if isinstance(part, str) else "x" for part in text))
    assert definition["States"]["CopyFiles"]["ResultPath"] is None
    assert "ResultPath" in definition["States"]["CopyFiles"]


def test_a_sweep_starts_each_export_once_an_hour_and_bears_one_that_runs() -> None:
    start = dict(states(MACHINES["sweep"]))["StartOne"]
    assert "EnteredTime, 0, 13" in start["Arguments"]["Name"]
    assert start["Catch"][0]["ErrorEquals"] == start["Retry"][0]["ErrorEquals"]
    assert start["Catch"][0]["Next"] == "IsStarted"


def metrics(name: str) -> list[tuple[str, list[str]]]:
    """The name and the dimensions' names of each metric that a state puts."""
    (data,) = (
        state["Arguments"]["MetricData"]
        for machine in MACHINES.values()
        for each, state in states(machine)
        if each == name
    )
    return [(metric["MetricName"], [each["Name"] for each in metric["Dimensions"]]) for metric in data]


def test_what_is_sealed_is_counted_for_the_vault_the_account_and_the_table() -> None:
    sets = (["Vault"], ["Vault", "Account"], ["Vault", "Account", "Table"])
    assert metrics("Report") == [(name, each) for each in sets for name in ("SealedExports", "SealedBytes")]


def test_a_sweep_ends_with_the_windows_that_are_missing() -> None:
    found = dict(states(MACHINES["sweep"]))
    assert found["Start"]["Next"] == "Holes"
    assert (found["Count"]["Items"], found["Count"]["Output"]) == (
        "{% $states.input.counts %}",
        {"holes": "{% $states.input.holes %}"},
    )


@pytest.mark.parametrize("step", ["Open", "Close"])
def test_what_is_refused_is_counted_and_fails_as_what_it_is(step: str) -> None:
    found = MACHINES["seal"]["States"]
    assert found[step]["Catch"] == [{"ErrorEquals": ["Rejected", "QuotaExceeded"], "Next": "CountRefused"}]
    assert metrics("CountRefused") == [
        (
            "{% $states.input.Error = 'QuotaExceeded' ? 'ExportsOverQuota' : 'RejectedExports' %}",
            ["Vault", "Account"],
        )
    ]
    # Whether it was counted or not.
    counting = found["CountRefused"]
    assert (counting["Next"], counting["Output"]) == ("NotSealed", "{% $states.input %}")
    (caught,) = counting["Catch"]
    assert (caught["Next"], caught["Output"]) == ("NotSealed", "{% $states.input %}")
