"""The machines of a drill run to their ends: what passes, and what is kept for the next one to be compared with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tableguard.backup.drill.check_machine import CheckMachine
from tableguard.backup.drill.machine import DrillMachine
from tableguard.backup.lambdas import drill
from tableguard.backup.lambdas.errors import BackupError
from tableguard.backup.states.tasks import Tasks
from tests.unit.backup.aws import DynamoDB
from tests.unit.backup.conftest import Context
from tests.unit.backup.machine_run import Evaluate, Json, Machine, TaskError, jsonata

BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLDEST = 6 * HOUR
RESTORE = "arn:aws:states:eu-west-1:111122223333:stateMachine:restore"
CANARY = {"pk": {"S": "canary"}}
PARAMETER = "/drills/last-good"


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Evaluate]:
    with jsonata() as evaluating:
        yield evaluating


@dataclass
class Account:
    """What a drill calls: machines that restore and check, a parameter, and the restored table.

    Args:
        evaluate: What evaluates expressions.
        reached: The moment that the backup reaches.
        restored: What the restore has found.
        keep_failed: Whether a table that failed is kept.
        sealed_by: Up to when the drills trust what was sealed, if somebody has said so.
        tags: The tags of the restored table.
    """

    evaluate: Evaluate
    reached: datetime
    restored: Json = field(default_factory=lambda: {"count": 100, "bytes": 1000, "digest": "0" * 64})
    sealed_by: str | None = None
    keep_failed: bool = False
    tags: list[Json] | None = None
    kept: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    asked: Json = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    restore_takes: timedelta = HOUR
    refuses_deletion: bool = False
    keeps_nothing: bool = False

    def drill(self, *, at: datetime = BEGAN, **given: Any) -> tuple[bool, Any]:
        definition = DrillMachine(
            tasks=Tasks("aws"),
            name="weekly", restore=RESTORE, check="check", prefix="drill-", parameter=PARAMETER,
            arn_prefix="arn:aws:dynamodb:eu-west-1:111122223333:table/drill-", sealed_by=self.sealed_by,
            canary_age=int(HOUR.total_seconds()), topic=None, keep_failed=self.keep_failed, timeout_seconds=86_400,
        ).definition()  # fmt: skip
        self.machine = Machine(definition, self.evaluate, self.answer, at)
        return self.machine.run(given)

    def check(self, given: Json, *, at: datetime) -> tuple[bool, Any]:
        definition = CheckMachine(
            tasks=Tasks("aws"),
            parameter=PARAMETER, digest="digest", check="check", problem="problem", canary_key=CANARY,
            largest_fall=0.2, oldest_seconds=int(OLDEST.total_seconds()), segments=2,
        ).definition()  # fmt: skip
        return Machine(definition, self.evaluate, self.answer, at).run(given)

    def answer(self, operation: str, asked: Json) -> Any:
        return getattr(self, f"_{operation.replace(':', '_')}")(asked)

    def _2(self, asked: Json) -> Json:
        """A machine that is started and waited for."""
        if asked["StateMachineArn"] == RESTORE:
            self.asked = asked["Input"]
            self.machine.now += self.restore_takes
            self.tags = [
                {"Key": "tableguard:restore", "Value": f"{RESTORE}:run".replace(":stateMachine:", ":execution:")}
            ]
            return {"Output": {"restored": self.restored, "reached": text(self.reached)}}
        passed, output = self.check(asked["Input"], at=self.machine.now)
        if not passed:
            raise TaskError(output["Error"], output["Cause"])
        return {"Output": output}

    def _getParameter(self, asked: Json) -> Json:  # noqa: N802 - as the integration names it
        if asked["Name"] not in self.kept:
            raise TaskError("Ssm.ParameterNotFoundException")
        return {"Parameter": {"Value": self.kept[asked["Name"]]}}

    def _putParameter(self, asked: Json) -> Json:  # noqa: N802
        assert asked["Overwrite"]
        if self.keeps_nothing:
            raise TaskError("Ssm.TooManyUpdates")
        self.kept[asked["Name"]] = asked["Value"]
        return {}

    def _invoke(self, asked: Json) -> Json:
        try:
            return {"Payload": drill.check(asked["Payload"], Context())}
        except BackupError as error:
            raise TaskError(type(error).__name__, str(error)) from error

    def _describeTable(self, _asked: Json) -> Json:  # noqa: N802
        if self.tags is None:
            raise TaskError("DynamoDb.ResourceNotFoundException")
        return {"Table": {}}

    def _listTagsOfResource(self, _asked: Json) -> Json:  # noqa: N802
        return {"Tags": self.tags}

    def _deleteTable(self, asked: Json) -> Json:  # noqa: N802
        if self.tags is None:
            raise TaskError("DynamoDb.ResourceNotFoundException")
        if self.refuses_deletion:
            raise TaskError("DynamoDb.AccessDeniedException", "not yours")
        self.removed.append(asked["TableName"])
        self.tags = None
        return {}

    def _putMetricData(self, asked: Json) -> Json:  # noqa: N802
        self.metrics = {each["MetricName"]: each["Value"] for each in asked["MetricData"]}
        return {}

    def _putEvents(self, _asked: Json) -> Json:  # noqa: N802
        return {}


@pytest.fixture
def account(evaluate: Evaluate, dynamodb: DynamoDB) -> Account:
    found = Account(evaluate, reached=BEGAN - HOUR)
    write_canary(dynamodb, found.reached)
    return found


def write_canary(dynamodb: DynamoDB, moment: datetime) -> None:
    dynamodb.items[dynamodb._key(CANARY)] = {**CANARY, "written_at": {"S": text(moment)}}


def failed_with(account: Account, error: str, **given: Any) -> bool:
    """Whether a drill fails of it, is counted as failed, and keeps nothing."""
    kept = dict(account.kept)
    passed, said = account.drill(**given)
    assert not passed
    assert said["Error"] == "DrillFailed"
    assert (account.metrics["DrillSucceeded"], account.metrics["DrillFailed"]) == (0, 1)
    assert account.kept == kept
    return error in said["Cause"]


def test_a_good_backup_passes_is_kept_and_its_table_is_removed(account: Account) -> None:
    passed, found = account.drill()
    assert passed
    assert found["count"] == 100
    assert (account.metrics["DrillSucceeded"], account.metrics["DrillFailed"]) == (1, 0)
    kept = json.loads(account.kept[PARAMETER])
    assert (kept["count"], kept["bytes"], kept["reached"]) == (100, 1000, text(account.reached))
    assert account.removed == ["drill-run"]
    assert account.asked == {"table": "drill-run", "isolated": True, "sealed_by": None}


@pytest.mark.parametrize(("age", "fresh"), [(OLDEST, True), (OLDEST + timedelta(seconds=1), False), (40 * HOUR, False)])
def test_a_stale_backup_does_not_pass_however_well_it_was_kept(
    account: Account, dynamodb: DynamoDB, age: timedelta, *, fresh: bool
) -> None:
    account.reached = BEGAN - age
    write_canary(dynamodb, account.reached)
    if fresh:
        assert account.drill()[0]
    else:
        assert failed_with(account, "Stale")
        assert account.removed == ["drill-run"]


def test_the_time_that_a_restore_takes_does_not_make_a_backup_old(account: Account) -> None:
    account.restore_takes = 3 * OLDEST
    assert account.drill()[0]


@pytest.mark.parametrize(("before", "passes"), [(OLDEST, True), (OLDEST + timedelta(seconds=1), False)])
def test_where_what_was_sealed_later_is_left_out_a_backup_is_to_be_fresh_by_then(
    account: Account, dynamodb: DynamoDB, before: timedelta, *, passes: bool
) -> None:
    trusted = BEGAN - 10 * 24 * HOUR
    account.sealed_by, account.reached = text(trusted), trusted - before
    write_canary(dynamodb, account.reached)
    if passes:
        assert account.drill()[0]
        assert account.asked["sealed_by"] == text(trusted)
        assert PARAMETER in account.kept
    else:
        assert failed_with(account, "Stale")


def test_a_drill_that_somebody_gives_a_moment_counts_for_nothing(account: Account) -> None:
    passed, _ = account.drill(sealed_by=text(BEGAN - HOUR))
    assert passed
    assert account.kept == {}
    assert (account.metrics["DrillSucceeded"], account.metrics["DrillFailed"]) == (0, 0)
    assert account.asked["sealed_by"] == text(BEGAN - HOUR)


def test_a_moment_that_is_still_to_come_is_refused_before_anything_is_restored(account: Account) -> None:
    assert failed_with(account, "still to come", sealed_by=text(BEGAN + HOUR))
    assert account.asked == {}


def test_a_backup_without_the_newest_canary_does_not_pass(account: Account, dynamodb: DynamoDB) -> None:
    write_canary(dynamodb, account.reached - HOUR)
    assert account.drill()[0]
    write_canary(dynamodb, account.reached - HOUR - timedelta(seconds=1))
    assert failed_with(account, "CanaryMissing")
    dynamodb.items.clear()
    assert failed_with(account, "CanaryMissing")


def test_a_table_that_has_shrunk_since_the_last_good_drill_does_not_pass(account: Account) -> None:
    assert account.drill()[0]
    account.restored = {**account.restored, "count": 79}
    assert failed_with(account, "Shrunk")
    # It is not what the next one is compared with.
    assert failed_with(account, "Shrunk")
    account.restored = {**account.restored, "count": 80}
    assert account.drill()[0]


def test_a_table_of_somebody_else_is_never_removed(account: Account) -> None:
    account.drill()
    account.removed.clear()
    account.tags = [{"Key": "tableguard:restore", "Value": "arn:aws:states:eu-west-1:111122223333:execution:restore:2"}]
    # Its own restore does not come to making a table.
    assert failed_with(account, "still to come", sealed_by=text(BEGAN + HOUR))
    assert account.removed == []


@pytest.mark.parametrize(("age", "passes"), [(OLDEST, True), (OLDEST + timedelta(seconds=1), False)])
def test_a_check_by_itself_takes_now_for_the_moment_by_which_a_backup_is_to_be_fresh(
    account: Account, dynamodb: DynamoDB, age: timedelta, *, passes: bool
) -> None:
    reached = BEGAN - age
    write_canary(dynamodb, reached)
    given = {"table": "t", "restored": account.restored, "reached": text(reached)}
    if passes:
        assert account.check(given, at=BEGAN)[1]["ok"]
    else:
        with pytest.raises(TaskError, match="Stale"):
            account.check(given, at=BEGAN)


def test_a_table_that_failed_is_kept_where_it_is_to_be_looked_at(account: Account) -> None:
    account.keep_failed, account.reached = True, BEGAN - 40 * HOUR
    assert failed_with(account, "Stale")
    assert account.removed == []
    account.reached = BEGAN - HOUR
    assert account.drill()[0]
    assert account.removed == ["drill-run"]


def test_a_table_that_cannot_be_removed_fails_the_drill_and_is_told(account: Account) -> None:
    account.refuses_deletion = True
    passed, said = account.drill()
    assert not passed
    assert "Table drill-run was not removed" in said["Cause"]
    assert (account.metrics["DrillSucceeded"], account.metrics["DrillFailed"]) == (0, 1)
    account.reached = BEGAN - 40 * HOUR
    cause = account.drill()[1]["Cause"]
    assert "Stale" in cause
    assert "was not removed" in cause


def test_a_drill_says_how_many_items_it_found_and_how_long_it_took(account: Account) -> None:
    account.drill()
    assert account.metrics == {"DrillSucceeded": 1, "DrillFailed": 0, "DrillItems": 100, "DrillSeconds": 3600}


def test_a_drill_whose_figures_cannot_be_kept_is_no_good_one(account: Account) -> None:
    account.keeps_nothing = True
    assert failed_with(account, "TooManyUpdates")
    assert account.removed == ["drill-run"]
