"""What goes wrong with exports, with their machine, with the clock, and with the table itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from tests.integration.backup import organization as org
from tests.integration.backup.fault_row import Fault
from tests.integration.backup.stage import Stage

_EXPORT = "dynamodb:ExportTableToPointInTime"
_TRIES = 7  # the first, and six more
_ONCE_MORE = "It is tried again in the same execution; the window is exported once."


def _is_tried_again(do: str, code: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.round()
        stage.inject(_EXPORT, do, times=3, code=code)
        stage.flow.export()
        stage.whole()

    return run


def _refused_for_good(stage: Stage) -> None:
    failures = stage.metric("FailedExports")
    stage.round()
    stage.inject(_EXPORT, "fail", times=_TRIES)
    stage.failed(stage.flow.export("FAILED"), "ExportFailed", "the export was refused", "InternalServerError")
    assert stage.metric("FailedExports") == failures + 1
    stage.flow.export()
    stage.whole()


def _fails(stage: Stage) -> None:
    failures = stage.metric("FailedExports")
    stage.round()
    stage.inject("s3:PutObject", "fail", org.LANDING, "/data/")
    stage.failed(stage.flow.export("FAILED"), "ExportFailed", "the export ", "failed: S3Error")
    assert stage.metric("FailedExports") == failures + 1
    stage.flow.export()
    stage.whole()


def _is_late(stage: Stage) -> None:
    stage.round()
    stage.inject("dynamodb:Export", "hold", seconds=1.5)
    execution = stage.flow.begin_export()
    export = stage.until(lambda: stage.flow.ledger().get("pending", {}).get("M", {}).get("export"), "an export")["S"]
    stage.flow.advance(hours=2)  # the next execution is due: this one leaves the export to it
    assert "Commit" not in stage.flow.states_of(stage.flow.ended(execution)["executionArn"])
    described = stage.flow.client("dynamodb", org.DATA).describe_export(ExportArn=export)["ExportDescription"]
    stage.happened(described["ExportStatus"] == "IN_PROGRESS")
    stage.flow.export()
    stage.whole()


def _runs_twice(stage: Stage) -> None:
    stage.round()
    one, other = (stage.flow.ended(execution) for execution in [stage.flow.begin_export() for _ in range(2)])
    stage.happened(one["startDate"] < other["stopDate"] and other["startDate"] < one["stopDate"])
    again = stage.flow.export()
    assert "Claim" not in stage.flow.states_of(again["executionArn"])
    stage.whole()


def _dies_before(state: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.round()
        machine = stage.flow.output("Data", "ExportMachine").rpartition(":")[2]
        stage.inject("states:Execution", "kill", f"{machine}/{state}")
        stage.failed(stage.flow.export("ABORTED"), "Killed")
        stage.flow.export()
        stage.whole()

    return run


def _dies_before_the_first(stage: Stage) -> None:
    stage.recovery(on=False)
    stage.change()
    stage.recovery(on=True)
    stage.flow.advance(minutes=30)
    machine = stage.flow.output("Data", "ExportMachine").rpartition(":")[2]
    stage.inject("states:Execution", "kill", f"{machine}/StartFull")
    stage.failed(stage.flow.export("ABORTED"), "Killed")
    stage.flow.export()
    stage.rebase()
    stage.whole()


def _begins_anew(stage: Stage, before: dict[tuple[str, str], object], covered: str) -> None:
    """The chain begins anew; what it led to before is still to be had."""
    assert stage.chain()["full_at"] > covered
    stage.rebase()
    stage.whole()
    assert stage.restored(until=covered) == before


def _recovery_off(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.recovery(on=False)
    stage.round()
    stage.failed(stage.flow.export("FAILED"), "ExportFailed", "point-in-time recovery is off")
    stage.happened(stage.chain()["covered_to"] == covered)
    stage.recovery(on=True)
    stage.round()
    stage.flow.export()
    _begins_anew(stage, dict(before), covered)


def _pause(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.flow.advance(days=1)
    stage.change()
    stage.flow.advance(days=39)
    earliest = _recoverable(stage)[0]
    stage.happened(earliest > dt.datetime.fromisoformat(covered))
    stage.flow.export()
    _begins_anew(stage, dict(before), covered)


def _recoverable(stage: Stage) -> tuple[dt.datetime, dt.datetime]:
    client = stage.flow.client("dynamodb", org.DATA)
    told = client.describe_continuous_backups(TableName=org.TABLE)["ContinuousBackupsDescription"]
    found = told["PointInTimeRecoveryDescription"]
    return found["EarliestRestorableDateTime"], found["LatestRestorableDateTime"]


def _clock_forward(stage: Stage) -> None:
    stage.change()
    stage.flow.advance(days=1, hours=5)
    execution = stage.flow.export()
    stage.happened(stage.flow.states_of(execution["executionArn"]).count("StartIncrement") == 2)
    stage.whole()


def _clock_back(stage: Stage) -> None:
    stage.round()
    stage.flow.export()
    covered = stage.chain()["covered_to"]
    stage.flow.advance(hours=-3)
    stage.happened(stage.flow.now() < dt.datetime.fromisoformat(covered))
    idle = stage.flow.export()
    assert "Claim" not in stage.flow.states_of(idle["executionArn"])
    assert stage.chain()["covered_to"] == covered
    stage.flow.advance(hours=3)
    stage.round()
    stage.flow.export()
    stage.whole()


def _nothing_changed(stage: Stage) -> None:
    stage.flow.advance(hours=1)
    stage.flow.export()
    stage.happened(stage.whole_catalogue()[-1]["records"] == 0)
    stage.whole()


def _emptied(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.put([], remove=list(before.values()))
    stage.flow.advance(hours=1)
    stage.flow.export()
    entry = stage.whole_catalogue()[-1]
    stage.happened(entry["count"] == -len(before))
    stage.whole()  # the newest backup is of an empty table, and says so
    assert stage.restored(until=covered) == before


def _made_anew(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    client = stage.flow.client("dynamodb", org.DATA)
    old = client.describe_table(TableName=org.TABLE)["Table"]
    client.update_table(TableName=org.TABLE, DeletionProtectionEnabled=False)
    client.delete_table(TableName=org.TABLE)
    stage.failed(stage.flow.export("FAILED"), "ExportFailed", "there is no such table")
    names = ("TableName", "AttributeDefinitions", "KeySchema")
    indexes = {
        kind: [{name: each[name] for name in ("IndexName", "KeySchema", "Projection")} for each in old[kind]]
        for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
    }
    client.create_table(**{name: old[name] for name in names}, **indexes, BillingMode="PAY_PER_REQUEST")
    stage.happened(client.describe_table(TableName=org.TABLE)["Table"]["TableId"] != old["TableId"])
    stage.recovery(on=True)
    stage.written.clear()
    stage.round()
    stage.flow.export()
    _begins_anew(stage, dict(before), covered)


EXPORTS = (
    Fault(
        name="an export is answered with an error",
        injected="ExportTableToPointInTime answers InternalServerError three times.",
        by="extension",
        must=_ONCE_MORE,
        run=_is_tried_again("fail", "InternalServerError"),
    ),
    Fault(
        name="an export is throttled",
        injected="ExportTableToPointInTime answers ThrottlingException three times.",
        by="extension",
        must=_ONCE_MORE,
        run=_is_tried_again("throttle", "ThrottlingException"),
    ),
    Fault(
        name="too many exports run",
        injected="ExportTableToPointInTime answers LimitExceededException three times.",
        by="extension",
        must=_ONCE_MORE,
        run=_is_tried_again("throttle", "LimitExceededException"),
    ),
    Fault(
        name="an export is refused for good",
        injected="ExportTableToPointInTime fails as often as it is tried.",
        by="extension",
        must="The execution fails and says that it was refused, the metric counts it; the next exports the window.",
        run=_refused_for_good,
    ),
    Fault(
        name="an export fails",
        injected="A data file cannot be written: DynamoDB says of the export FAILED.",
        by="extension",
        must="The execution fails with DynamoDB's words, the metric counts it; the next exports the same window.",
        run=_fails,
    ),
    Fault(
        name="an export finishes late",
        injected="An export still runs when the next execution is due.",
        by="extension",
        must="The execution leaves it to the next one, which takes it up; no window is exported twice.",
        run=_is_late,
    ),
    Fault(
        name="an export runs twice",
        injected="Two executions run at once, and the schedule's start is delivered a third time.",
        by="emulator",
        must="One export of the window is made.",
        run=_runs_twice,
    ),
    *(
        Fault(
            name=f"the export machine dies before {state}",
            injected=f"An execution of the export machine is stopped before it enters {state}.",
            by="extension",
            must="An alarm counts it; the next execution goes on, and every window is sealed once.",
            run=_dies_before(state),
        )
        for state in ("Claim", "StartIncrement", "Note", "Commit", "CountCompleted")
    ),
    Fault(
        name="the export machine dies before the full export",
        injected="The execution that would start a chain is stopped before it enters StartFull.",
        by="extension",
        must="An alarm counts it; the next execution starts the chain.",
        run=_dies_before_the_first,
    ),
    Fault(
        name="point-in-time recovery is off for a while",
        injected="Point-in-time recovery is switched off, items are written, it is switched on.",
        by="emulator",
        must="The execution fails and says that it is off; then a new chain begins; the old one still restores.",
        run=_recovery_off,
    ),
    Fault(
        name="nothing is exported for 40 days",
        injected="The clock goes on by 40 days, with writes in between: recovery reaches back 35.",
        by="extension",
        must="A new chain begins; the old one still restores.",
        run=_pause,
    ),
    Fault(
        name="the clock skips forward",
        injected="The clock goes on by 29 hours.",
        by="extension",
        must="The machine catches up in adjoining windows of 24 hours at most.",
        run=_clock_forward,
    ),
    Fault(
        name="the clock skips back",
        injected="The clock goes back by three hours, behind what is exported, and then on again.",
        by="extension",
        must="Nothing is exported twice, and the chain goes on when the clock is past it.",
        run=_clock_back,
    ),
    Fault(
        name="an export is empty",
        injected="Nothing is written for an hour.",
        by="emulator",
        must="An increment of no records is sealed, and the chain goes on across it.",
        run=_nothing_changed,
    ),
    Fault(
        name="the table is emptied",
        injected="Every item is deleted.",
        by="emulator",
        must="The newest backup is empty; up to the moment before, everything is restored.",
        run=_emptied,
    ),
    Fault(
        name="the table is deleted and made anew",
        injected="The table is deleted, and another one made of its name.",
        by="emulator",
        must="The execution says that the table is gone; then a new chain begins; the old one still restores.",
        run=_made_anew,
    ),
)
