"""The export machine run over days: no gap, a full export again and again, nothing that goes on past a loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tableguard.backup.export.machine import ExportSettings, export_definition
from tests.unit.backup.machine_run import Evaluate, Json, Machine, TaskError, jsonata

FULL_EVERY = timedelta(days=3)
TABLE = "arn:aws:dynamodb:us-east-1:444455556666:table/orders"
BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Evaluate]:
    with jsonata() as evaluating:
        yield evaluating


@dataclass
class Account:
    """DynamoDB as exports see it, and one ledger.

    Args:
        looks_before_it_ends: How often somebody sees an export still running.
    """

    recovery_since: datetime = BEGAN - DAY
    table_id: str = "id-1"
    item: Json = field(default_factory=dict)
    exports: list[Json] = field(default_factory=list)
    becomes: str = "COMPLETED"
    looks_before_it_ends: int = 0
    metrics: list[str] = field(default_factory=list)
    now: datetime = BEGAN

    def answer(self, operation: str, asked: Json) -> Any:
        return getattr(self, f"_{operation}")(asked)

    def _getItem(self, _asked: Json) -> Json:  # noqa: N802 - as the integration names it
        return {"Item": self.item} if self.item else {}

    def _updateItem(self, asked: Json) -> Json:  # noqa: N802
        values = asked["ExpressionAttributeValues"]
        if "revision" in self.item and self.item["revision"] != values[":seen"]:
            raise TaskError("DynamoDb.ConditionalCheckFailedException")
        sets, _, removes = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for one in sets.split(", "):
            name, _, value = one.partition(" = ")
            self.item[asked["ExpressionAttributeNames"][name]] = values[value]
        if removes:
            self.item.pop(asked["ExpressionAttributeNames"][removes], None)
        return {}

    def _describeTable(self, _asked: Json) -> Json:  # noqa: N802
        return {"Table": {"TableId": self.table_id}}

    def _describeContinuousBackups(self, _asked: Json) -> Json:  # noqa: N802
        found = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "EarliestRestorableDateTime": self.recovery_since.isoformat(),
            "LatestRestorableDateTime": (self.now - timedelta(minutes=5)).isoformat(),
        }
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": found}}

    def _exportTableToPointInTime(self, asked: Json) -> Json:  # noqa: N802
        known = [each for each in self.exports if each["token"] == asked["ClientToken"]]
        window = asked.get("IncrementalExportSpecification", {})
        export = {
            "arn": f"{TABLE}/export/{len(self.exports)}",
            "token": asked["ClientToken"],
            "type": asked["ExportType"],
            "from": window.get("ExportFromTime"),
            "to": window.get("ExportToTime", asked.get("ExportTime")),
            "status": self.becomes,
        }
        if not known:
            self.exports.append(export)
        return {"ExportDescription": {"ExportArn": (known or [export])[0]["arn"]}}

    def _describeExport(self, asked: Json) -> Json:  # noqa: N802
        found = [each for each in self.exports if each["arn"] == asked["ExportArn"]]
        if not found or found[0]["status"] == "FORGOTTEN":
            raise TaskError("DynamoDb.ExportNotFoundException")
        if self.looks_before_it_ends:
            self.looks_before_it_ends -= 1
            return {"ExportDescription": {"ExportStatus": "IN_PROGRESS", "TableId": self.table_id}}
        failed = {"FailureCode": "Unknown", "FailureMessage": "x"} if found[0]["status"] == "FAILED" else {}
        return {"ExportDescription": {"ExportStatus": found[0]["status"], "TableId": self.table_id, **failed}}

    def _putMetricData(self, asked: Json) -> Json:  # noqa: N802
        self.metrics += [each["MetricName"] for each in asked["MetricData"]]
        return {}

    @property
    def completed(self) -> list[Json]:
        return [each for each in self.exports if each["status"] == "COMPLETED"]

    @property
    def covered_to(self) -> str:
        return str(self.item["chain"]["M"]["covered_to"]["S"])


@pytest.fixture
def account() -> Account:
    return Account()


def run(account: Account, evaluate: Evaluate, *, at: datetime, every_minutes: int = 24 * 60) -> bool:
    """One execution; whether it succeeded."""
    account.now = at
    settings = ExportSettings(
        partition="aws",
        ledger="ledger",
        bucket="acme-landing",
        bucket_owner="444455556666",
        vault="111122223333/intake",
        key_arn=None,
        every_minutes=every_minutes,
        full_every_minutes=int(FULL_EVERY.total_seconds() / 60),
    )
    machine = Machine(export_definition(settings), evaluate, account.answer, at)
    return machine.run({"table": TABLE})[0]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_windows_adjoin_and_a_full_export_is_due_again_and_again(account: Account, evaluate: Evaluate) -> None:
    for day in range(9):
        assert run(account, evaluate, at=BEGAN + day * DAY)
    kinds = [each["type"].partition("_")[0] for each in account.completed]
    # One that is due does not take the place of an increment.
    assert kinds == ["FULL", *["INCREMENTAL"] * 3, "FULL", *["INCREMENTAL"] * 3, "FULL", *["INCREMENTAL"] * 2]
    reached = account.completed[0]["to"]
    for export in account.completed[1:]:
        assert (export["from"] or export["to"]) == reached
        reached = export["to"]
    assert moment(reached) == BEGAN + 8 * DAY - timedelta(minutes=5)


@pytest.mark.parametrize("becomes", ["FAILED", "FORGOTTEN"])
def test_an_export_that_comes_to_nothing_is_no_part_of_the_chain_and_is_made_again(
    account: Account, evaluate: Evaluate, becomes: str
) -> None:
    assert run(account, evaluate, at=BEGAN)
    reached = account.covered_to
    account.becomes = becomes
    assert not run(account, evaluate, at=BEGAN + DAY)
    assert account.covered_to == reached
    assert account.metrics.count("CompletedExports") == 1
    assert account.metrics.count("FailedExports") == 1
    account.becomes = "COMPLETED"
    assert run(account, evaluate, at=BEGAN + 2 * DAY)
    again, after = account.completed[1:]
    # The same window, and then the next one.
    assert (again["from"], again["to"]) == (reached, account.exports[1]["to"])
    assert (after["type"], after["from"]) == ("INCREMENTAL_EXPORT", again["to"])
    assert len({each["token"] for each in account.exports}) == len(account.exports)


def test_where_a_window_is_lost_the_chain_begins_anew(account: Account, evaluate: Evaluate) -> None:
    assert run(account, evaluate, at=BEGAN)
    # Recovery was off for a while: nothing can export what happened then.
    account.recovery_since = BEGAN + timedelta(hours=1)
    assert run(account, evaluate, at=BEGAN + DAY)
    assert [each["type"] for each in account.completed] == ["FULL_EXPORT", "FULL_EXPORT"]
    assert account.item["chain"]["M"]["full_at"] == account.item["chain"]["M"]["covered_to"]


def test_a_claim_that_lies_in_what_is_lost_is_not_exported(account: Account, evaluate: Evaluate) -> None:
    assert run(account, evaluate, at=BEGAN)
    account.becomes = "FAILED"
    assert not run(account, evaluate, at=BEGAN + DAY)
    account.becomes = "COMPLETED"
    account.recovery_since = BEGAN + timedelta(hours=1)
    assert run(account, evaluate, at=BEGAN + 2 * DAY)
    assert [each["type"] for each in account.completed] == ["FULL_EXPORT", "FULL_EXPORT"]


def test_another_table_of_the_name_begins_a_chain_of_its_own(account: Account, evaluate: Evaluate) -> None:
    assert run(account, evaluate, at=BEGAN)
    account.table_id = "id-2"
    assert run(account, evaluate, at=BEGAN + DAY)
    assert [each["type"] for each in account.completed] == ["FULL_EXPORT", "FULL_EXPORT"]


def test_an_export_that_is_still_running_is_left_to_the_next_execution(account: Account, evaluate: Evaluate) -> None:
    account.becomes = "IN_PROGRESS"
    assert run(account, evaluate, at=BEGAN, every_minutes=60)
    assert "chain" not in account.item
    account.exports[0]["status"] = account.becomes = "COMPLETED"
    assert run(account, evaluate, at=BEGAN + timedelta(hours=1))
    assert [(each["type"], each["from"]) for each in account.completed] == [
        ("FULL_EXPORT", None),
        ("INCREMENTAL_EXPORT", account.exports[0]["to"]),
    ]


def test_an_export_is_waited_for_while_there_is_time(account: Account, evaluate: Evaluate) -> None:
    account.looks_before_it_ends = 2
    assert run(account, evaluate, at=BEGAN)
    assert account.covered_to == account.completed[0]["to"]
    assert account.metrics.count("CompletedExports") == 1
