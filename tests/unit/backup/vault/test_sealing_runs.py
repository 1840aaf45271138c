"""The sealing machine run to its ends: what is sealed is counted once, and what is not fails as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tableguard.backup.states.tasks import Tasks
from tableguard.backup.vault.machine import Sealing
from tests.unit.backup.machine_run import Evaluate, Json, Machine, TaskError, jsonata

KEY: Final = "111122223333/eu-west-1/orders/AWSDynamoDB/0169-06e2/manifest-summary.json"
ARRIVED: Final = {"bucket": "intake", "key": KEY}
SEALING: Final = Sealing(
    tasks=Tasks("aws"),
    open_function="open", copy_function="copy", close_function="close", problem_function="problem",
    sweep_function="sweep", holes_function="holes", work_bucket="work", vault="sealed", at_once=20,
)  # fmt: skip
COPIES_FAILED: Final = TaskError("States.ExceedToleratedFailureThreshold", "too many")
NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Evaluate]:
    with jsonata() as evaluating:
        yield evaluating


@dataclass
class Vault:
    """What a run calls, each of which answers or fails.

    Args:
        answers: What a function, the map of copies, or "putMetricData" answers or raises; something good when left out.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Json]] = field(default_factory=list)

    def answer(self, operation: str, arguments: Json) -> Any:
        name = arguments["FunctionName"] if operation == "invoke" else operation
        self.asked.append((name, arguments["Payload"] if operation == "invoke" else arguments))
        opened = {"export_id": "0169-06e2", "work_key": "w", "files": 2, "already_sealed": False}
        good = {"open": opened, "close": {"bytes": 7, "records": 3}, "problem": {"Error": "Damaged", "Cause": "why"}}
        said = self.answers.get(name, good.get(name, {}))
        if isinstance(said, TaskError):
            raise said
        return {"Payload": said} if operation == "invoke" else said

    @property
    def steps(self) -> list[str]:
        return [name for name, _ in self.asked]

    @property
    def metrics(self) -> list[tuple[str, Any, dict[str, str]]]:
        return [
            (each["MetricName"], each["Value"], {one["Name"]: one["Value"] for one in each["Dimensions"]})
            for name, arguments in self.asked
            if name == "putMetricData"
            for each in arguments["MetricData"]
        ]


def run(evaluate: Evaluate, vault: Vault) -> tuple[bool, Any]:
    return Machine(SEALING.definition(), evaluate, vault.answer, NOW).run(dict(ARRIVED), name="seal-1")


def test_an_export_is_sealed_and_counted_for_vault_account_and_table(evaluate: Evaluate) -> None:
    vault = Vault()
    assert run(evaluate, vault)[0]
    assert vault.steps == ["open", "map", "close", "putMetricData"]
    dimensions: dict[str, str] = {}
    expected = []
    for more in ({"Vault": "sealed"}, {"Account": "111122223333"}, {"Table": "orders"}):
        dimensions = {**dimensions, **more}
        expected += [("SealedExports", 1, dimensions), ("SealedBytes", 7, dimensions)]
    assert vault.metrics == expected


def test_the_functions_are_told_which_export_it_is_and_which_execution(evaluate: Evaluate) -> None:
    vault = Vault({"map": COPIES_FAILED})
    run(evaluate, vault)
    asked = dict(vault.asked)
    assert asked["open"] == {**ARRIVED, "now": "2026-11-22T12:00:00.000Z", "execution": "arn:seal-1"}
    assert asked["problem"] == {**ARRIVED, "Error": COPIES_FAILED.error, "Cause": "too many", "execution": "seal-1"}
    vault = Vault()
    run(evaluate, vault)
    assert ARRIVED.items() <= dict(vault.asked)["close"].items()


def test_what_is_sealed_already_is_neither_copied_nor_counted_again(evaluate: Evaluate) -> None:
    vault = Vault({"open": {"already_sealed": True}})
    assert run(evaluate, vault)[0]
    assert vault.steps == ["open"]


@pytest.mark.parametrize("where", ["open", "close", "problem"])
@pytest.mark.parametrize(("error", "metric"), [("Rejected", "RejectedExports"), ("QuotaExceeded", "ExportsOverQuota")])
@pytest.mark.parametrize("counted", [True, False])
def test_what_is_refused_is_counted_for_its_account_and_fails_as_what_it_is(
    evaluate: Evaluate, where: str, error: str, metric: str, *, counted: bool
) -> None:
    vault = Vault({} if counted else {"putMetricData": TaskError("CloudWatch.InternalServiceFaultException")})
    if where == "problem":
        vault.answers |= {"map": COPIES_FAILED, "problem": {"Error": error, "Cause": "why"}}
    else:
        vault.answers[where] = TaskError(error, "why")
    assert run(evaluate, vault) == (False, {"Error": error, "Cause": "why"})
    assert vault.metrics == [(metric, 1, {"Vault": "sealed", "Account": "111122223333"})]


def test_copies_that_fail_of_something_else_are_no_refusal(evaluate: Evaluate) -> None:
    vault = Vault({"map": COPIES_FAILED})
    assert run(evaluate, vault) == (False, {"Error": "Damaged", "Cause": "why"})
    assert vault.steps == ["open", "map", "problem"]


def test_where_nobody_can_say_what_the_copies_met_the_map_is_believed(evaluate: Evaluate) -> None:
    vault = Vault({"map": COPIES_FAILED, "problem": TaskError("Lambda.Unknown")})
    assert run(evaluate, vault) == (False, {"Error": COPIES_FAILED.error, "Cause": "too many"})
    assert "close" not in vault.steps
