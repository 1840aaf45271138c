"""What goes wrong with a restore, and with the drill that is to notice what exports cannot."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from tests.integration.backup import organization as org
from tests.integration.backup.fault_row import Fault
from tests.integration.backup.stage import Stage

_INVOKE = "lambda:Invoke"
_ANYWAY = "The restore goes on; every item is there once."


def _two_steps(stage: Stage) -> None:
    """Have a full export and an increment at least."""
    if len(stage.entries()) < 2:
        stage.round()
        stage.flow.export()
        stage.whole_catalogue()


def _dies_before(state: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        _two_steps(stage)
        machine = stage.flow.output("Recovery", "RestoreMachine").rpartition(":")[2]
        stage.inject("states:Execution", "kill", f"{machine}/{state}")
        name = stage.name()
        killed = stage.flow.restore(name, "ABORTED")
        stage.flow.restore(name, resume=killed["executionArn"])
        _is_whole(stage, name)

    return run


def _is_whole(stage: Stage, name: str) -> None:
    assert stage.restored_items(name) == stage.written
    assert _tags(stage, name)["tableguard:restore-state"] == "verified"
    stage.leave_whole()


def _tags(stage: Stage, name: str) -> dict[str, str]:
    client = stage.flow.client("dynamodb", org.RECOVERY)
    told = client.list_tags_of_resource(ResourceArn=f"arn:aws:dynamodb:{org.REGION}:{org.RECOVERY}:table/{name}")
    return {each["Key"]: each["Value"] for each in told["Tags"]}


def _both(*runs: Callable[[Stage], None]) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        for each in runs:
            each(stage)

    return run


def _goes_on(api: str, do: str, *when: str, times: int = 1, **more: Any) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        _two_steps(stage)
        stage.inject(api, do, *when, times=times, **more)
        before = len(stage.flow.controls.invocations())
        name = stage.name()
        stage.flow.restore(name)
        if do == "kill":
            ran = [each for each in stage.flow.controls.invocations()[before:] if when[0] in each["function"]]
            stage.happened(any(each["status"] == "error" for each in ran))
        _is_whole(stage, name)

    return run


def _exists(stage: Stage) -> None:
    name = stage.name()
    client = stage.flow.client("dynamodb", org.RECOVERY)
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    kind = {"AttributeName": "pk", "AttributeType": "S"}
    client.create_table(TableName=name, KeySchema=[key], AttributeDefinitions=[kind], BillingMode="PAY_PER_REQUEST")
    own = {"pk": {"S": "theirs"}}
    client.put_item(TableName=name, Item=own)
    told = stage.flow.restore(name, "FAILED")
    stage.happened(told["error"] == "TableExists")
    assert f"There is a table {name} that this execution did not make" in told["cause"]
    assert stage.flow.items(name, org.RECOVERY) == [own]
    stage.leave_whole()


def _changed_meanwhile(stage: Stage) -> None:
    _two_steps(stage)
    name = stage.name()
    number = stage.flow.controls.inject("dynamodb:Scan", "throttle", name, times=10_000)
    execution = stage.flow.begin_restore(name)
    stage.until(lambda: stage.flow.controls.hits()[number], "the first look at the table")
    arn = f"arn:aws:dynamodb:{org.REGION}:{org.RECOVERY}:table/{name}"
    key, item = next(iter(stage.written.items()))
    stage.flow.controls.fill(arn, [{**item, "version": {"N": "-1"}}])
    stage.flow.controls.forget()
    told = stage.flow.ended(execution, "FAILED")
    assert told["error"] == "Different"
    assert "the same number, but not the same content" in told["cause"]
    assert f"Table {name} is left as it is, tagged tableguard:restore-state = incomplete" in told["cause"]
    assert _tags(stage, name)["tableguard:restore-state"] == "incomplete"
    stage.happened(stage.restored_items(name)[key]["version"] == {"N": "-1"})
    stage.leave_whole()


def _missing_version(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.change()
    stage.flow.advance(hours=1)
    stage.flow.export()
    entry = dict(stage.whole_catalogue()[-1])
    start = dt.datetime.fromisoformat(entry["export"]["to"])
    end = start + dt.timedelta(minutes=15)
    entry["export"] = {**entry["export"], "id": "bogus", "from": _shown(start), "to": _shown(end)}
    entry["files"] = [{**entry["files"][0], "version_id": "none"}, *entry["files"][1:]]
    del entry["key"]
    stage.flow.client("s3", org.VAULT, org.SEALING).put_object(
        Bucket=org.SEALED,
        Key=f"catalogue/{org.SOURCE}/{end:%Y%m%dT%H%M%SZ}-incremental-bogus.json",
        Body=json.dumps(entry).encode(),
        IfNoneMatch="*",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=stage.flow.now() + dt.timedelta(days=org.DAYS),
        ChecksumAlgorithm="SHA256",
    )
    name = stage.name()
    told = stage.flow.restore(name, "FAILED")
    stage.happened(told["error"] == "Damaged")
    assert f"{entry['files'][0]['key']} has no version none in {org.SEALED}" in told["cause"]
    assert name not in stage.flow.client("dynamodb", org.RECOVERY).list_tables()["TableNames"]
    assert stage.restored(until=covered) == before
    assert stage.restored(until=_shown(start)) == stage.written


def _shown(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _list_cut(stage: Stage) -> None:
    _two_steps(stage)
    stage.inject("s3:PutObject", "truncate", "/steps/0.json")
    name = stage.name()
    told = stage.flow.restore(name, "FAILED")
    assert f"Table {name} is left as it is, tagged tableguard:restore-state = incomplete" in told["cause"]
    assert _tags(stage, name)["tableguard:restore-state"] == "incomplete"
    stage.flow.restore(name, resume=told["executionArn"])
    _is_whole(stage, name)


def _rots(do: str, *words: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        _two_steps(stage)
        file = stage.entries()[-1]["files"][0]
        with stage.flow.controls.rotten(org.SEALED, file["key"], do):
            told = stage.flow.restore(stage.name(), "FAILED")
        stage.happened(told["status"] == "FAILED")
        assert all(word in f"{told['error']}: {told['cause']}" for word in (file["key"], *words)), told
        stage.whole()  # as it is when the file is healed: it failed by nothing else

    return run


def _unread(stage: Stage) -> None:
    _two_steps(stage)
    name = stage.name()
    stage.inject("dynamodb:Scan", "deny", name, code="ValidationException")
    told = stage.flow.restore(name, "FAILED")
    assert re.search(r": segment \d: Scan was answered with ValidationException\.$", told["cause"]), told
    assert f"Table {name} is left as it is, tagged tableguard:restore-state = incomplete" in told["cause"]
    stage.flow.restore(name, resume=told["executionArn"])
    _is_whole(stage, name)


def _unchecked(stage: Stage) -> None:
    _two_steps(stage)
    name = stage.name()
    stage.flow.restore(name)
    stage.inject("dynamodb:Scan", "deny", name, code="ValidationException")
    check = stage.flow.output("Recovery", "CheckMachine")
    told = stage.flow.ended(stage.flow.start(check, {"table": name}, org.RECOVERY), "FAILED")
    assert re.fullmatch(r"segment \d+: Scan was answered with ValidationException\.", told["cause"]), told
    _is_whole(stage, name)


def _unmeasured(stage: Stage) -> None:
    name = f"{org.REWOUND}{stage.name()}"
    stage.inject("s3:GetObjectVersion", "deny", "/data/")
    rewind = stage.flow.output("Data", "RewindMachine")
    told = stage.flow.ended(stage.flow.start(rewind, {"table": name}, org.DATA), "FAILED")
    said = (
        rf"Nothing was made: {org.SOURCE}/AWSDynamoDB/.*/data/\w+\.json\.gz: GetObject was answered with AccessDenied\."
    )
    assert re.fullmatch(said, told["cause"]), told
    assert name not in stage.flow.client("dynamodb", org.DATA).list_tables()["TableNames"]
    stage.leave_whole()


def _poisoned(stage: Stage) -> None:
    def canary_and_export() -> None:
        stage.flow.advance(minutes=50)
        stage.canary()
        stage.flow.advance(minutes=6)
        stage.flow.export()
        stage.whole_catalogue()

    canary_and_export()
    stage.flow.drill()
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    gone = [item for number, item in enumerate(before.values()) if number % 3]
    stage.put([], remove=gone)
    canary_and_export()
    told = stage.flow.drill("FAILED")
    stage.failed(told, "DrillFailed", "Shrunk", f"The count fell from {len(before)} to ")
    stage.happened(len(stage.written) < len(before))
    told_by_metric = stage.flow.client("cloudwatch", org.RECOVERY).list_metrics(MetricName="DrillFailed")["Metrics"]
    (drill,) = {each["Dimensions"][0]["Value"] for each in told_by_metric}
    assert stage.flow.metrics("DrillFailed", "Recovery", Drill=drill)[-1] >= 1
    assert stage.restored(until=covered) == before


RESTORES = (
    *(
        Fault(
            name=f"the restore machine dies before {state}",
            injected=f"An execution of the restore machine is stopped before it enters {state}.",
            by="extension",
            must="Another one that is told to resume it fills the same table, and proves it.",
            run=_dies_before(state),
        )
        for state in ("Create", "Steps", "Digest", "Verified")
    ),
    Fault(
        name="the loader dies",
        injected="The process of a function that loads a file is killed while it works.",
        by="extension",
        must=_ANYWAY,
        run=_goes_on(_INVOKE, "kill", "RestoreLoad", seconds=0.03),
    ),
    Fault(
        name="the loader's answer is lost",
        injected="A function that loads a file has written all of it, and dies before it answers.",
        by="extension",
        must=f"The file is loaded again. {_ANYWAY}",
        run=_goes_on(_INVOKE, "lose", "RestoreLoad"),
    ),
    Fault(
        name="writes are throttled",
        injected="BatchWriteItem answers ProvisionedThroughputExceededException six times.",
        by="extension",
        must=_ANYWAY,
        run=_goes_on("dynamodb:BatchWriteItem", "throttle", times=6, code="ProvisionedThroughputExceededException"),
    ),
    Fault(
        name="the tags of the new table are not known yet",
        injected="BatchWriteItem answers AccessDeniedException three times, and UpdateContinuousBackups twice.",
        by="extension",
        must=_ANYWAY,
        run=_both(
            _goes_on("dynamodb:UpdateContinuousBackups", "deny", times=2),
            _goes_on("dynamodb:BatchWriteItem", "deny", times=3),
        ),
    ),
    Fault(
        name="reads are throttled",
        injected="Scan answers ProvisionedThroughputExceededException more often than a client of AWS tries again.",
        by="extension",
        must=_ANYWAY,
        run=_goes_on("dynamodb:Scan", "throttle", times=16, code="ProvisionedThroughputExceededException"),
    ),
    Fault(
        name="batches are written in part",
        injected="The table takes half of a batch four times, and names the rest as UnprocessedItems.",
        by="extension",
        must=_ANYWAY,
        run=_goes_on("dynamodb:BatchWriteItem", "leave", times=4),
    ),
    Fault(
        name="the target exists",
        injected="There is a table of the name, made by somebody else.",
        by="emulator",
        must="The restore fails and says so; nothing is written into that table.",
        run=_exists,
    ),
    Fault(
        name="an item is changed while the table is restored",
        injected="After the load and before the table is read, an item of it is changed.",
        by="extension",
        must="The restore fails and says that the content differs; the table stays tagged as incomplete.",
        run=_changed_meanwhile,
    ),
    Fault(
        name="the catalogue names a missing version",
        injected="Whoever has the sealing role's rights writes an entry that names a version which there is not.",
        by="emulator",
        must="A restore up to it fails, names file and version and makes nothing; one up to before it is whole.",
        run=_missing_version,
    ),
    Fault(
        name="a sealed file is lost",
        injected="The storage below S3 loses a sealed file, which no request can do.",
        by="extension",
        must="A restore fails, names file and version, and makes nothing.",
        run=_rots("lose", "Damaged", " has no version ", "Nothing was made"),
    ),
    Fault(
        name="a sealed file is altered",
        injected="The storage below S3 alters a byte of a sealed file, and its metadata say nothing of it.",
        by="extension",
        must="A restore fails before it writes anything of that file; the table stays tagged as incomplete.",
        run=_rots(
            "alter", "Damaged", "its checksum differs", "is left as it is, tagged tableguard:restore-state = incomplete"
        ),
    ),
    Fault(
        name="the restore's list of files is cut short",
        injected="The list of a step's files in the restore's work bucket is stored in part.",
        by="extension",
        must="The restore fails, the table is tagged as incomplete; another one that resumes it is whole.",
        run=_list_cut,
    ),
    Fault(
        name="a restored table cannot be read",
        injected="The function that reads one segment of the table is answered with an error.",
        by="extension",
        must="The restore fails and says which segment, and by which answer; another one that resumes it is whole.",
        run=_unread,
    ),
    Fault(
        name="a table cannot be read when it is checked",
        injected="The function that counts one segment of a table for a check is answered with an error.",
        by="extension",
        must="The check fails and says which segment, and by which answer.",
        run=_unchecked,
    ),
    Fault(
        name="an export of the living table cannot be measured",
        injected="A restore from point-in-time recovery is refused a file of the export that it made for itself.",
        by="extension",
        must="The restore fails, names the file and the answer, and makes nothing.",
        run=_unmeasured,
    ),
    Fault(
        name="the exports are poisoned",
        injected="Two thirds of the items are deleted: the exports are whole, and of less.",
        by="emulator",
        must="The drill fails, says by how much the table shrank, and counts it; before that everything restores.",
        run=_poisoned,
    ),
)
