"""Sealing that is begun again: what is sealed is not read twice, and what is at work is left alone."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from tableguard.backup.lambdas import seal, storage
from tableguard.backup.lambdas.errors import NotYetComplete, QuotaExceeded, Rejected, Unfinished
from tableguard.backup.lambdas.item_digest import of_items
from tests.unit.backup.aws import S3, RefusalError, States, Stored
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import PREFIX, Export, full_line, item
from tests.unit.backup.flow import seal_all, stored

RUNS = "arn:aws:states:eu-west-1:777788889999:execution:sealed-seal:one"


@pytest.fixture
def export(s3: S3) -> Export:
    return Export(1, [[full_line(item("a")), full_line(item("b"))], [full_line(item("c"))]], 0).arrive(s3)


def copies(s3: S3, export: Export) -> list[dict[str, Any]]:
    opened = seal.open(export.event, Context())
    return [{**work, "execution": "seal-1"} for work in stored(s3, "work", opened["work_key"])]


def sha256(content: bytes) -> str:
    """The checksum of an object, as S3 tells it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def row_of(export: Export, number: int) -> str:
    return f"{PREFIX}/{export.id}/rows/{number}.json"


def reads(s3: S3, key: str) -> int:
    return sum(1 for name, asked in s3.calls if name == "GetObject" and asked["Key"] == key)


def test_a_file_that_is_sealed_is_not_read_again(s3: S3, export: Export) -> None:
    for work in copies(s3, export) * 2:
        seal.copy(work, Context())
    assert [reads(s3, key) for key in export.data] == [1, 1]
    assert s3.count("CopyObject") == 2
    assert seal.close(export.event, Context())["count"] == 3


@pytest.mark.parametrize("lost", [True, False])
def test_a_row_that_is_gone_or_altered_is_made_anew_from_what_is_sealed(s3: S3, export: Export, lost: bool) -> None:
    work = copies(s3, export)[0]
    seal.copy(work, Context())
    row = stored(s3, "work", row_of(export, 0))
    s3.put("work", row_of(export, 0), None if lost else json.dumps({**row, "count": 9, "digest": "1" * 64}).encode())
    seal.copy(work, Context())
    assert stored(s3, "work", row_of(export, 0)) == row


@pytest.mark.parametrize("part", ["Metadata", "ChecksumSHA256"])
def test_what_is_sealed_and_does_not_say_of_what_file_it_is_read_again(s3: S3, export: Export, part: str) -> None:
    work = copies(s3, export)[0]
    seal.copy(work, Context())
    (sealed,) = (version for version in s3.buckets["sealed"].versions if version.key == work["sealed_key"])
    sealed.head.pop(part)
    if part == "Metadata":
        seal.copy(work, Context())
    else:
        with pytest.raises(Rejected, match="sealed already, with another content"):
            seal.copy(work, Context())
    assert reads(s3, work["key"]) == 2


@pytest.mark.parametrize("changed", ["md5", "records"])
def test_another_file_under_the_key_is_not_taken_for_the_one_that_is_sealed(
    s3: S3, export: Export, changed: str
) -> None:
    work = copies(s3, export)[0]
    seal.copy(work, Context())
    with pytest.raises(Rejected):
        seal.copy({**work, changed: "AAAAAAAAAAAAAAAAAAAAAA==" if changed == "md5" else 7}, Context())


@pytest.mark.parametrize("change", [{"md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"records": 7}, {"key": "exports/x"}])
def test_a_row_that_contradicts_the_manifest_is_refused(s3: S3, export: Export, change: dict[str, Any]) -> None:
    for work in copies(s3, export):
        seal.copy(work, Context())
    row = stored(s3, "work", row_of(export, 1))
    s3.put("work", row_of(export, 1), json.dumps({**row, **change}).encode())
    with pytest.raises(Rejected, match="is of another file"):
        seal.close(export.event, Context())


def test_a_row_without_a_checksum_is_refused(s3: S3, export: Export) -> None:
    for work in copies(s3, export):
        seal.copy(work, Context())
    row = stored(s3, "work", row_of(export, 1))
    assert row.pop("md5") == export.files[1]["md5Checksum"]
    s3.put("work", row_of(export, 1), json.dumps(row).encode())
    with pytest.raises(Rejected, match="is of another file"):
        seal.close(export.event, Context())


def test_a_sweep_leaves_alone_what_is_being_sealed(s3: S3, export: Export, states: States) -> None:
    seal.open({**export.event, "execution": RUNS}, Context())
    states.running = [f"{RUNS}-{number}" for number in range(4)]
    assert seal.sweep({}, Context())["exports"] == [export.event]
    # On the second page.
    states.running.append(RUNS)
    assert seal.sweep({}, Context())["exports"] == []
    states.running = []
    assert seal.sweep({}, Context())["exports"] == [export.event]


def test_a_sweep_starts_what_no_execution_has_opened(s3: S3, export: Export, states: States) -> None:
    states.running = [RUNS]
    assert seal.sweep({}, Context())["exports"] == [export.event]
    seal_all(s3, export)
    assert seal.sweep({}, Context())["exports"] == []


def test_a_sweep_takes_up_again_what_was_not_complete(s3: S3) -> None:
    export = Export(1, [[full_line(item("a"))]], 0).arrive(s3, without="f0")
    with pytest.raises(NotYetComplete):
        seal.open(export.event, Context())
    assert seal.sweep({}, Context())["exports"] == [export.event]
    for key, body in export.data.items():
        s3.put("intake", key, body)
    assert seal_all(s3, export)[0]["count"] == 1


def test_a_sweep_takes_up_again_what_was_over_the_quota(
    s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTA_BYTES_PER_DAY", "1")
    with pytest.raises(QuotaExceeded):
        seal.open(export.event, Context())
    assert seal.sweep({}, Context())["exports"] == [export.event]


def test_a_sweep_takes_up_again_what_was_not_finished(s3: S3) -> None:
    export = Export(1, [[full_line(item(f"k{number}")) for number in range(2_001)]], 0).arrive(s3)
    (work,) = copies(s3, export)
    with pytest.raises(Unfinished):
        seal.copy(work, Context(10))
    with pytest.raises(NotYetComplete):
        seal.close(export.event, Context())
    assert seal.sweep({}, Context())["exports"] == [export.event]


def test_a_sweep_leaves_alone_what_was_rejected_at_any_step(s3: S3, export: Export) -> None:
    """Trying again would change nothing, and would ring every hour."""
    broken = Export(2, [[b"no record"]], 1).arrive(s3)
    (work,) = copies(s3, broken)
    assert seal.sweep({}, Context())["exports"] == [export.event, broken.event]
    with pytest.raises(Rejected):
        seal.copy(work, Context())
    assert seal.sweep({}, Context())["exports"] == [export.event]
    for copy in copies(s3, export):
        seal.copy(copy, Context())
    s3.put("work", row_of(export, 1), json.dumps({**stored(s3, "work", row_of(export, 1)), "records": 7}).encode())
    with pytest.raises(Rejected):
        seal.close(export.event, Context())
    assert seal.sweep({}, Context())["exports"] == []


def test_a_sweep_leaves_alone_what_has_no_manifest(s3: S3) -> None:
    waiting = Export(2, [], 1)
    Export(1, [[full_line(item("a"))]], 0).arrive(s3, without="manifest-summary.json")
    # What increments share is no export, whatever somebody puts there.
    s3.put("intake", f"{PREFIX}/AWSDynamoDB/data/manifest-summary.json", b"{}")
    assert seal.sweep({}, Context())["exports"] == []
    waiting.arrive(s3)
    assert seal.sweep({}, Context())["exports"] == [waiting.event]


@pytest.mark.parametrize(
    "junk",
    ["{}/x", "eu-west-1/table-{}/x", "eu-west-1/table-{}/AWSDynamoDB/x", "eu-west-1/orders/AWSDynamoDB/a_{}/x"],
    ids=["regions", "tables", "tables without exports", "exports that are none"],
)
def test_an_account_with_folders_without_end_takes_neither_the_time_of_a_sweep_nor_the_turn_of_others(
    s3: S3, export: Export, junk: str
) -> None:
    for number in range(200):
        s3.put("intake", f"000000000000/{junk.format(f'{number:03}')}", b"")
    began = len(s3.calls)
    assert seal.sweep({}, Context(*[900] * 20, 1))["exports"] == [export.event]
    # It ends with its time.
    assert len(s3.calls) - began < 60


def test_what_was_reached_of_one_version_of_a_file_says_nothing_of_another(s3: S3) -> None:
    """Somebody has put another file of as many records under the key before."""
    s3.replaced_by_md5 = False
    true, false = ([item(f"{kind}{number}") for number in range(2_001)] for kind in ("true", "false"))
    export = Export(1, [[full_line(one) for one in true]], 0)
    (key,) = export.data
    (other,) = Export(1, [[full_line(one) for one in false]], 0).data.values()
    s3.put("intake", key, other)
    (work,) = copies(s3, export.arrive(s3))
    assert len(work["versions"]) == 2
    with pytest.raises(Unfinished):
        seal.copy(work, Context(10))
    seal.copy(work, Context())
    row, wanted = stored(s3, "work", row_of(export, 0)), of_items(list(true))
    assert (row["count"], row["digest"]) == (2_001, wanted.hex)


def test_a_file_that_is_there_without_a_lock_is_not_sealed(s3: S3, export: Export) -> None:
    """Its content is the right one: whoever put it there could take it away again."""
    work = copies(s3, export)[0]
    seal.copy(work, Context())
    (sealed,) = (version for version in s3.buckets["sealed"].versions if version.key == work["sealed_key"])
    del sealed.head["ObjectLockMode"], sealed.head["ObjectLockRetainUntilDate"]
    with pytest.raises(Rejected, match="without a lock"):
        seal.copy(work, Context())


def test_a_manifest_that_is_there_without_a_lock_is_not_sealed(s3: S3, export: Export) -> None:
    for work in copies(s3, export):
        seal.copy(work, Context())
    content = export.objects()[export.key]
    taken = f"exports/{PREFIX}/{export.id}/manifest-summary.json"
    s3.put("sealed", taken, content, ChecksumSHA256=sha256(content))
    with pytest.raises(Rejected, match="without a lock"):
        seal.close(export.event, Context())
    assert not [version for version in s3.buckets["sealed"].versions if version.key.startswith("catalogue/")]


def test_a_copy_that_s3_gives_no_checksum_of_is_looked_at(
    s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = s3.CopyObject
    sealed = s3.buckets["sealed"].versions

    def silent(**request: Any) -> dict[str, Any]:
        return {**copied(**request), "CopyObjectResult": {}}

    def false(**request: Any) -> dict[str, Any]:
        answer = silent(**request)
        sealed[-1].head["ChecksumSHA256"] = sha256(b"something else")
        return answer

    good, bad = copies(s3, export)
    monkeypatch.setattr(s3, "CopyObject", silent)
    seal.copy(good, Context())
    assert stored(s3, "work", row_of(export, 0))["version_id"] == sealed[-1].id
    monkeypatch.setattr(s3, "CopyObject", false)
    with pytest.raises(Rejected, match="with another content"):
        seal.copy(bad, Context())


def test_a_copy_that_s3_says_is_another_content_is_refused(
    s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = s3.CopyObject

    def other(**request: Any) -> dict[str, Any]:
        return {**copied(**request), "CopyObjectResult": {"ChecksumSHA256": sha256(b"something else")}}

    work = copies(s3, export)[0]
    monkeypatch.setattr(s3, "CopyObject", other)
    with pytest.raises(Rejected, match="stored something else"):
        seal.copy(work, Context())


def test_a_copy_whose_source_has_changed_meanwhile_is_refused(s3: S3, export: Export) -> None:
    def changed(operation: str, _request: dict[str, Any]) -> None:
        if operation == "CopyObject":
            raise RefusalError("PreconditionFailed", 412)

    work = copies(s3, export)[0]
    s3.before = changed
    with pytest.raises(Rejected, match="nothing is there"):
        seal.copy(work, Context())


def test_a_wrong_record_is_told_apart_from_a_file_that_is_cut_short(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file is read before it is said that its checksum differs."""
    monkeypatch.setattr(storage, "CHUNK", 16)
    lines = [full_line(item(f"k{number}")) for number in range(50)]
    (work,) = copies(s3, Export(1, [[b"no record\n", *lines]], 0).arrive(s3))
    with pytest.raises(Rejected, match="record 1: A line is not JSON"):
        seal.copy(work, Context())


def entry_of(s3: S3, export: Export) -> tuple[dict[str, Any], Stored]:
    """What completing an export gave, and the entry that it wrote."""
    for work in copies(s3, export):
        seal.copy(work, Context())
    closed = seal.close(export.event, Context())
    (entry,) = (version for version in s3.buckets["sealed"].versions if version.key == closed["catalogue_key"])
    return closed, entry


def test_what_is_written_over_an_entry_later_changes_nothing_of_it(s3: S3, export: Export) -> None:
    closed, entry = entry_of(s3, export)
    said = stored(s3, "sealed", entry.key)
    assert closed["bytes"] == sum(file["bytes"] for file in said["files"])
    s3.put("sealed", entry.key, json.dumps({**said, "records": 9, "bytes": 9, "count": 9}).encode())
    assert seal.close(export.event, Context()) == closed
    assert closed["version_id"] == entry.id


def test_an_entry_of_another_export_in_its_place_is_refused(s3: S3, export: Export) -> None:
    _, entry = entry_of(s3, export)
    said = stored(s3, "sealed", entry.key)
    said["export"]["arn"] = said["export"]["arn"].replace("orders", "other")
    entry.body = json.dumps(said).encode()
    with pytest.raises(Rejected, match="is the entry of another export"):
        seal.close(export.event, Context())


def test_an_entry_that_is_not_to_be_seen_yet_is_looked_for_again(
    s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in copies(s3, export):
        seal.copy(work, Context())
    written = s3.PutObject

    def late(**request: Any) -> dict[str, Any]:
        return {} if request["Key"].startswith("catalogue/") else written(**request)

    monkeypatch.setattr(s3, "PutObject", late)
    with pytest.raises(NotYetComplete, match="not to be seen yet"):
        seal.close(export.event, Context())
    monkeypatch.setattr(s3, "PutObject", written)
    assert seal.close(export.event, Context())["count"] == 3
