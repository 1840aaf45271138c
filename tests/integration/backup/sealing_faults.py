"""What goes wrong on the way into the vault: replication, files, manifests, the machine and the functions that seal."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable

from tests.integration.backup import organization as org
from tests.integration.backup.fault_row import Fault
from tests.integration.backup.stage import Stage

_MACHINE = f"{org.SEALED}-seal"
_REPLICATE = "s3:ReplicateObject"
_INVOKE = "lambda:Invoke"
_MANIFESTS = 4
_TRIES = 41  # to open an export whose files have not arrived
_LOUD = "Sealing fails and says why; nothing of it is restored."
_HEALED = "What arrives once more is sealed, and the chain is whole."


def _export(stage: Stage) -> None:
    stage.round()
    stage.flow.export()


def _function(step: str) -> str:
    return f"{org.SEALING}-{step.lower()}"


def _ends(stage: Stage, before: int, step: str) -> list[str]:
    """How the runs of a function ended, but those of before."""
    runs = stage.flow.controls.invocations()[before:]
    return [each["status"] for each in runs if _function(step) in each["function"]]


def _dies_before(state: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.inject("states:Execution", "kill", f"{_MACHINE}/{state}")
        _export(stage)
        stage.failed(stage.sealing("ABORTED"), "Killed")
        stage.flow.sweep()
        stage.whole()

    return run


def _function_dies(step: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.inject(_INVOKE, "kill", _function(step), seconds=0.03)
        before = len(stage.flow.controls.invocations())
        _export(stage)
        stage.sealing("SUCCEEDED")
        stage.happened("error" in _ends(stage, before, step))
        stage.whole()

    return run


def _answer_lost(step: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.inject(_INVOKE, "lose", _function(step))
        _export(stage)
        stage.whole()

    return run


def _told_twice(stage: Stage) -> None:
    stage.inject(_REPLICATE, "duplicate", "/manifest-summary.json")
    _export(stage)
    stage.whole_catalogue()
    told = stage.until(
        lambda: [each for each in [stage.sealed_by(new=True, status="SUCCEEDED")] if len(each) == 2], "two sealings"
    )[0]
    assert told[0]["input"] == told[1]["input"]
    stage.happened(told[0]["startDate"] < told[1]["stopDate"] and told[1]["startDate"] < told[0]["stopDate"])
    stage.whole()


def _is_lost(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.inject(_REPLICATE, "lose", "/data/")
    # Of the 41 tries only the first and the last are real: the others take the time of a minute.
    stage.inject(_INVOKE, "fail", _function("Open"), times=_TRIES - 2, after=1, code="NotYetComplete")
    _export(stage)
    failed = stage.sealing("FAILED")
    stage.failed(failed, "NotYetComplete", "1 of 4 data files have not arrived")
    lost = stage.landed("/data/")
    _export(stage)
    stage.sealing("SUCCEEDED")
    _says_the_hole(stage, covered)
    assert stage.restored(until=covered) == before
    stage.land(lost)
    stage.seal_again(failed)
    stage.whole()


def _says_the_hole(stage: Stage, covered: str) -> None:
    """A restore says which window is missing, and makes no table."""
    name = stage.name()
    told = stage.flow.restore(name, "FAILED")
    start = dt.datetime.fromisoformat(covered).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told["error"] == "BrokenChain"
    assert f"The window from {start} to " in told["cause"]
    assert " is missing" in told["cause"]
    assert name not in stage.flow.client("dynamodb", org.RECOVERY).list_tables()["TableNames"]


def _rings(stage: Stage, covered: str) -> None:
    """A sweep says the same, without a restore; once it is too late for the window to be merely late."""
    counted = {"Vault": org.SEALED, "Account": org.DATA, "Table": org.TABLE}
    assert json.loads(stage.flow.sweep()["output"]) == {"holes": []}
    assert stage.flow.metrics("MissingWindows", "Vault", **counted)[-1] == 0
    stage.flow.advance(hours=7)
    (told,) = json.loads(stage.flow.sweep()["output"])["holes"]
    start = dt.datetime.fromisoformat(covered).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told.startswith(f"{org.SOURCE}: the window from {start} to ")
    assert stage.flow.metrics("MissingWindows", "Vault", **counted)[-1] == 1


def _manifest_lost(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.inject(_REPLICATE, "lose", "/manifest-summary.json")
    _export(stage)
    lost = stage.landed("/manifest-summary.json")
    _export(stage)
    stage.sealing("SUCCEEDED")
    _says_the_hole(stage, covered)
    _rings(stage, covered)
    assert stage.restored(until=covered) == before
    stage.land(lost)
    stage.until(lambda: len(stage.sealed_by(new=True, status="SUCCEEDED")) == 2, "both")
    stage.whole()


def _arrives_wrong(do: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        before = dict(stage.written)
        stage.inject(_REPLICATE, do, "/data/")
        _export(stage)
        failed = stage.sealing("FAILED")
        stage.rejected(failed, "none of its 1 versions has the MD5", "cut short or altered")
        assert stage.restored() == before
        stage.land(stage.landed("/data/"))
        stage.seal_again(failed)
        stage.whole()

    return run


def _is_written_wrong(stage: Stage) -> None:
    before, covered = dict(stage.written), stage.chain()["covered_to"]
    stage.inject("s3:PutObject", "alter", f"{org.LANDING}/", "/data/")
    _export(stage)
    stage.rejected(stage.sealing("FAILED"), "none of its 1 versions has the MD5", "cut short or altered")
    _export(stage)
    stage.sealing("SUCCEEDED")
    _says_the_hole(stage, covered)
    assert stage.restored(until=covered) == before
    _next_full(stage)


def _next_full(stage: Stage) -> None:
    """What is lost for good is a hole up to the next full export, which comes by itself."""
    stage.flow.advance(days=3)
    stage.flow.export()
    stage.rebase()
    stage.whole()


def _data_twice(stage: Stage) -> None:
    stage.inject(_REPLICATE, "duplicate", "/data/")
    _export(stage)
    entry = stage.whole_catalogue()[-1]
    assert len(entry["files"]) == 4
    stage.whole()


def _stray_file(stage: Stage) -> None:
    _export(stage)
    (key, body), *_ = stage.landed("/data/").items()
    stage.land({key.replace(".json.gz", "a.json.gz"): body})
    _export(stage)
    stage.happened(len(stage.whole_catalogue()) >= 3)
    stage.whole()


def _forged(stage: Stage) -> None:
    before = dict(stage.written)
    stage.inject(_REPLICATE, "lose", "/manifest-", times=_MANIFESTS)
    _export(stage)
    objects = stage.landed("/manifest-")
    files = next(key for key in objects if key.endswith("manifest-files.json"))
    summary = next(key for key in objects if key.endswith("manifest-summary.json"))
    first = objects[files].splitlines()[0]
    said = json.loads(objects[summary])
    said["itemCount"] += json.loads(first)["itemCount"]
    forged = {files: objects[files] + first + b"\n", summary: json.dumps(said).encode()}
    sums = {key.replace(".json", ".checksum"): _checksum(body) for key, body in forged.items()}
    stage.land({**sums, **forged})
    stage.failed(stage.sealing("FAILED"), "Rejected", "names a data file twice")
    assert stage.restored() == before


def _checksum(body: bytes) -> bytes:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest())


def _manifest_wrong(name: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        before = dict(stage.written)
        stage.inject(_REPLICATE, "alter", f"/{name}")
        _export(stage)
        stage.failed(
            stage.sealing("FAILED"), "Rejected", "does not agree with its checksum: it is cut short or altered"
        )
        assert stage.restored() == before

    return run


def _late(times: int, *when: str) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.inject(_REPLICATE, "hold", *when, times=times, seconds=1.0)
        before = len(stage.flow.controls.invocations())
        _export(stage)
        stage.whole()
        stage.happened("error" in _ends(stage, before, "Open"))

    return run


def _list_cut(stage: Stage) -> None:
    stage.inject("s3:PutObject", "truncate", f"{org.SOURCE}/", "/files.json")
    _export(stage)
    stage.failed(stage.sealing("FAILED"), "States.")
    stage.flow.sweep()
    stage.whole()


def _row_altered(stage: Stage) -> None:
    stage.inject("states:Execution", "kill", f"{_MACHINE}/Close")
    _export(stage)
    stage.sealing("ABORTED")
    s3, work = stage.work()
    export = stage.chain()["last_export"].rpartition("/")[2]
    key = f"{org.SOURCE}/{export}/rows/0.json"
    row = json.load(s3.get_object(Bucket=work, Key=key)["Body"])
    altered = {**row, "count": row["count"] + 1, "digest": "1" * 64}
    s3.put_object(Bucket=work, Key=key, Body=json.dumps(altered).encode())
    stage.flow.sweep()
    (file,) = [each for each in stage.whole_catalogue()[-1]["files"] if each["key"] == row["key"]]
    stage.happened((file["count"], file["digest"]) == (row["count"], row["digest"]))
    stage.whole()


def _clock_behind(stage: Stage) -> None:
    stage.inject("states:Execution", "kill", f"{_MACHINE}/Open")
    _export(stage)
    killed = stage.sealing("ABORTED")
    stage.flow.advance(days=-2)
    stage.failed(stage.seal_again(killed, "FAILED"), "Rejected", "none from the future")
    stage.flow.advance(days=2)
    stage.seal_again(killed)
    stage.whole()


SEALINGS = (
    *(
        Fault(
            name=f"the sealing machine dies before {state}",
            injected=f"An execution of the sealing machine is stopped before it enters {state}.",
            by="extension",
            must="An alarm counts it; the next sweep finishes what it began, and every file is sealed once.",
            run=_dies_before(state),
        )
        for state in ("Open", "CopyFiles", "Close", "Report")
    ),
    *(
        Fault(
            name=f"the function {step} dies",
            injected=f"The process of the function that does {step} is killed while it works.",
            by="extension",
            must="It is run again; every file is sealed once.",
            run=_function_dies(step),
        )
        for step in ("Copy", "Close")
    ),
    *(
        Fault(
            name=f"the answer of {step} is lost",
            injected=f"The function that does {step} has done all, and dies before it answers.",
            by="extension",
            must="It is run again, and finds what it has done: every file is sealed once.",
            run=_answer_lost(step),
        )
        for step in ("Copy", "Close")
    ),
    Fault(
        name="sealing runs twice",
        injected="The manifest arrives twice, and so does the event: two executions seal one export at once.",
        by="extension",
        must="Each file and the entry are sealed once.",
        run=_told_twice,
    ),
    Fault(
        name="a data file is missing",
        injected="A data file is not replicated.",
        by="extension",
        must="Sealing fails and says what has not arrived; a restore past it names the missing window. " + _HEALED,
        run=_is_lost,
    ),
    Fault(
        name="a window is lost from the catalogue",
        injected="The manifest of an increment is not replicated: nobody in the vault knows of it.",
        by="extension",
        must="A sweep counts the missing window and names it, and so does a restore past it; up to there everything is "
        "restored. " + _HEALED,
        run=_manifest_lost,
    ),
    *(
        Fault(
            name=f"a data file arrives {word}",
            injected=f"Replication writes a data file {word}.",
            by="extension",
            must=f"{_LOUD} {_HEALED}",
            run=_arrives_wrong(do),
        )
        for word, do in (("cut short", "truncate"), ("altered", "alter"))
    ),
    Fault(
        name="a data file is altered before replication",
        injected="The file in the landing bucket is not what the manifest says.",
        by="extension",
        must=f"{_LOUD} A restore past it names the missing window, and the next full export begins anew.",
        run=_is_written_wrong,
    ),
    Fault(
        name="a data file arrives twice",
        injected="Replication writes two versions of a data file.",
        by="extension",
        must="One of them is sealed.",
        run=_data_twice,
    ),
    Fault(
        name="a second object with the same records",
        injected="A copy of a data file is put beside it, under another name, that no manifest names.",
        by="emulator",
        must="It is not sealed.",
        run=_stray_file,
    ),
    Fault(
        name="a data file is listed twice",
        injected="Whoever has the exporter's role writes manifests, with right checksums, that name a data file twice.",
        by="extension",
        must=_LOUD,
        run=_forged,
    ),
    *(
        Fault(
            name=f"{name} is altered",
            injected=f"Replication alters {name}.",
            by="extension",
            must=_LOUD,
            run=_manifest_wrong(name),
        )
        for name in ("manifest-files.json", "manifest-summary.checksum")
    ),
    Fault(
        name="data files arrive after the manifests",
        injected="All data files are replicated a second late.",
        by="extension",
        must="Sealing waits for them.",
        run=_late(4, "/data/"),
    ),
    Fault(
        name="a manifest arrives late",
        injected="manifest-files.json is replicated a second late, after the summary that starts the sealing.",
        by="extension",
        must="Sealing waits for it.",
        run=_late(1, "/manifest-files.json"),
    ),
    Fault(
        name="the list of files is cut short",
        injected="The list of files in the vault's work bucket is stored in part.",
        by="extension",
        must="Sealing fails; the next sweep makes the list anew and seals the export.",
        run=_list_cut,
    ),
    Fault(
        name="a result in the work bucket is altered",
        injected="After the copies, somebody with the sealing role's rights alters count and digest of a file.",
        by="emulator",
        must="The sealing that goes on makes the result anew: the catalogue has the right ones.",
        run=_row_altered,
    ),
    Fault(
        name="the vault's clock is behind",
        injected="The clock goes back by two days between export and sealing.",
        by="extension",
        must="Sealing refuses an export from the future and says so; with the right time it is sealed.",
        run=_clock_behind,
    ),
)
