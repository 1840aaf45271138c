from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tableguard.backup.lambdas import quota, seal, verification
from tableguard.backup.lambdas.errors import NotYetComplete, QuotaExceeded, Rejected, Unfinished
from tableguard.backup.lambdas.manifests import ExportLocation
from tests.unit.backup.aws import S3, RefusalError
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import PREFIX, Export, change_line, full_line, item, md5
from tests.unit.backup.flow import seal_all, stored

FILES = [[full_line(item("a")), full_line(item("b", n={"N": "1"}))], [], [full_line(item("c"))]]


@pytest.fixture
def export() -> Export:
    return Export(1, FILES, 0)


def entries(s3: S3) -> list[str]:
    return [version.key for version in s3.buckets["sealed"].versions if version.key.startswith("catalogue/")]


def test_seals_every_file_and_manifest_under_the_vaults_own_lock(s3: S3, export: Export) -> None:
    (closed,) = seal_all(s3, export.arrive(s3))
    entry = stored(s3, "sealed", closed["catalogue_key"])
    assert (entry["records"], entry["count"], entry["export"]["type"]) == (3, 3, "FULL")
    assert {file["key"].rpartition("/")[2] for file in entry["files"]} == {f"e1f{n}.json.gz" for n in range(3)}
    assert len(entry["manifests"]) == 4
    until = datetime.now(UTC) + timedelta(days=30)
    for version in s3.buckets["sealed"].versions:
        assert version.head["ObjectLockMode"] == "COMPLIANCE"
        assert abs(version.head["ObjectLockRetainUntilDate"] - until) < timedelta(minutes=2)
    for row in entry["files"] + entry["manifests"]:
        assert s3._version("sealed", row["key"], row["version_id"]).body is not None


def test_doing_every_step_twice_seals_once(s3: S3, export: Export) -> None:
    export.arrive(s3)
    opened = seal.open(export.event, Context())
    assert seal.open(export.event, Context()) == opened
    for work in stored(s3, "work", opened["work_key"]) * 2:
        seal.copy({**work, "execution": "seal-1"}, Context())
    first, before = seal.close(opened, Context()), len(s3.buckets["sealed"].versions)
    assert seal.close(opened, Context()) == first
    assert len(s3.buckets["sealed"].versions) == before == 3 + 4 + 1
    assert seal.open(export.event, Context())["already_sealed"]


@pytest.mark.parametrize("name", ["manifest-summary.checksum", "manifest-files.json", "manifest-files.checksum", "f2"])
def test_waits_for_what_has_not_arrived(s3: S3, export: Export, name: str) -> None:
    export.arrive(s3, without=name)
    with pytest.raises(NotYetComplete, match=name):
        seal.open(export.event, Context())
    assert entries(s3) == []


def test_does_not_close_before_every_file_is_sealed(s3: S3, export: Export) -> None:
    export.arrive(s3)
    opened = seal.open(export.event, Context())
    for work in stored(s3, "work", opened["work_key"])[:2]:
        seal.copy({**work, "execution": "seal-1"}, Context())
    with pytest.raises(NotYetComplete, match=r"1 of 3 data files are not sealed; one is .*e1f2\.json\.gz"):
        seal.close(opened, Context())
    assert entries(s3) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another table": ({"tableArn": "arn:aws:dynamodb:eu-west-1:444455556666:table/orders"}, "not of the one"),
    "another export": ({"exportArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/export/0"}, "of the export"),
    "another list of files": ({"manifestFilesS3Key": "444455556666/x/manifest-files.json"}, "another place"),
    "ion": ({"outputFormat": "ION"}, "ION"),
    "filtered": ({"filterExpression": "x = :y"}, "a part of the table"),
    "unknown type": ({"exportType": "NEW_EXPORT"}, "NEW_EXPORT"),
    "no moment": ({"exportTime": "yesterday"}, "ISO 8601"),
    "no offset": ({"exportTime": "2026-11-22T00:00:00"}, "ISO 8601"),
    "other count": ({"itemCount": 4}, "3 records, and the summary says 4"),
    "no table id": ({"tableId": ""}, "no tableId"),
    "from the future": ({"exportTime": "2999-01-01T00:00:00Z"}, "from the future"),
    "too old": ({"exportTime": "2020-01-01T00:00:00Z"}, "60 days"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rejects_an_export_that_must_not_be_sealed(s3: S3, export: Export, name: str) -> None:
    change, why = REFUSED[name]
    export.summary |= change
    export.arrive(s3)
    with pytest.raises(Rejected, match=why):
        seal.open(export.event, Context())
    assert why.split("|")[0] in stored(s3, "work", f"{PREFIX}/{export.id}/rejected.json")["why"]


def test_rejects_increments_without_old_images(s3: S3) -> None:
    export = Export(1, [], (0, 1))
    export.summary["outputView"] = "NEW_IMAGE"
    with pytest.raises(Rejected, match="NEW_AND_OLD_IMAGES"):
        seal.open(export.arrive(s3).event, Context())


def test_the_machines_clock_decides_what_is_the_future(s3: S3, export: Export) -> None:
    export.summary["exportTime"] = "2999-01-01T00:00:00Z"
    export.arrive(s3)
    assert seal.open({**export.event, "now": "2999-01-01T01:00:00Z"}, Context())["files"] == 3


@pytest.mark.parametrize(
    "key",
    [
        "444455556666/eu-west-1/secrets/AWSDynamoDB/1/data/a.json.gz",
        f"{PREFIX}/AWSDynamoDB/016953530760001-06e2188f/data/../../a.json.gz",
        f"{PREFIX}/AWSDynamoDB/data/a.json.gz",
        "a.json.gz",
    ],
)
def test_rejects_data_files_of_another_place(s3: S3, export: Export, key: str) -> None:
    s3.put("intake", key, b"")
    export.files[0]["dataFileS3Key"] = key
    with pytest.raises(Rejected, match="is no data file in"):
        seal.open(export.arrive(s3).event, Context())


def test_rejects_a_file_that_is_named_twice(s3: S3, export: Export) -> None:
    export.files[1] = export.files[0]
    export.summary["itemCount"] = 5
    with pytest.raises(Rejected, match="twice"):
        seal.open(export.arrive(s3).event, Context())


@pytest.mark.parametrize("name", ["manifest-summary.json", "manifest-files.json"])
def test_rejects_a_manifest_that_is_cut_short(s3: S3, export: Export, name: str) -> None:
    for key, body in export.objects().items():
        s3.put("intake", key, body[:-2] if key.endswith(name) else body)
    with pytest.raises(Rejected, match="checksum"):
        seal.open(export.event, Context())


def test_a_file_beyond_what_s3_copies_at_once_is_refused(s3: S3, export: Export) -> None:
    export.arrive(s3)
    for version in s3.buckets["intake"].versions:
        if version.key.endswith("f2.json.gz"):
            version.head["Size"] = verification.LARGEST_FILE + 1
    with pytest.raises(Rejected, match=r"5 GiB"):
        seal.open(export.event, Context())


def test_what_is_written_over_an_export_later_changes_nothing(s3: S3, export: Export) -> None:
    export.arrive(s3)
    for key in export.objects():
        s3.put("intake", key, b"poison")
        s3.put("intake", key, None)
    (closed,) = seal_all(s3, export)
    assert closed["records"] == 3


@pytest.mark.parametrize("by_md5", [True, False])
def test_takes_the_version_whose_content_has_the_md5(s3: S3, export: Export, by_md5: bool) -> None:
    s3.replaced_by_md5 = by_md5
    for key in export.data:
        s3.put("intake", key, b"before")
    assert seal_all(s3, export.arrive(s3))[0]["count"] == 3


DAMAGES: dict[str, Any] = {
    "cut short": lambda body: body[:-9],
    "altered": lambda body: body[:-1] + bytes([body[-1] ^ 1]),
    "emptied": lambda _body: b"",
    "followed by garbage": lambda body: body + b"garbage",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_rejects_a_data_file_that_is(s3: S3, export: Export, name: str) -> None:
    key = next(iter(export.data))
    export.data[key] = DAMAGES[name](export.data[key])
    opened = seal.open(export.arrive(s3).event, Context())
    with pytest.raises(Rejected, match="cut short or altered"):
        seal.copy({**stored(s3, "work", opened["work_key"])[0], "execution": "seal-1"}, Context())
    assert s3.count("CopyObject") == 0
    assert "rejected" in "".join(version.key for version in s3.buckets["work"].versions)


@pytest.mark.parametrize("name", DAMAGES)
def test_rejects_a_poisoned_file_whose_manifest_agrees(s3: S3, export: Export, name: str) -> None:
    key = next(iter(export.data))
    altered = Export(1, FILES, 0)
    altered.data[key] = DAMAGES[name](export.data[key])
    altered.files[0]["md5Checksum"] = md5(altered.data[key])
    opened = seal.open(altered.arrive(s3).event, Context())
    with pytest.raises(Rejected, match=r"cut short|not gzip|records, and the manifest says"):
        seal.copy({**stored(s3, "work", opened["work_key"])[0], "execution": "seal-1"}, Context())


def test_says_nothing_of_an_item_in_an_error(s3: S3) -> None:
    export = Export(1, [[b'{"Item": {"pk": {"S": "secret-7", "N": "1"}}}\n']], 0).arrive(s3)
    opened = seal.open(export.event, Context())
    with pytest.raises(Rejected, match="record 1: An attribute value does not have exactly one type") as caught:
        seal.copy({**stored(s3, "work", opened["work_key"])[0], "execution": "seal-1"}, Context())
    assert "secret-7" not in str(caught.value)


def test_a_key_of_the_sealed_bucket_that_is_taken_by_another_content_is_refused(s3: S3, export: Export) -> None:
    export.arrive(s3)
    opened = seal.open(export.event, Context())
    (work, *_) = stored(s3, "work", opened["work_key"])
    s3.put("sealed", work["sealed_key"], b"other", ChecksumSHA256="b3RoZXI=")
    with pytest.raises(Rejected, match="with another content"):
        seal.copy({**work, "execution": "seal-1"}, Context())


def test_a_long_file_goes_on_in_the_next_invocation(s3: S3) -> None:
    lines = [full_line(item(f"k{n}")) for n in range(5000)]
    export = Export(1, [lines], 0).arrive(s3)
    opened = seal.open(export.event, Context())
    (work,) = stored(s3, "work", opened["work_key"])
    for reached in (2000, 4000):
        with pytest.raises(Unfinished, match=f"{reached} of 5000"):
            seal.copy({**work, "execution": "seal-1"}, Context(10))
    seal.copy({**work, "execution": "seal-1"}, Context(10))
    in_parts = stored(s3, "work", f"{PREFIX}/{export.id}/rows/0.json")
    kept = s3.buckets["work"].versions
    kept[:] = [version for version in kept if "/progress/" not in version.key and "/rows/" not in version.key]
    seal.copy({**work, "execution": "seal-1"}, Context())
    assert stored(s3, "work", f"{PREFIX}/{export.id}/rows/0.json") == in_parts
    assert in_parts["count"] == 5000


@pytest.mark.parametrize("lost", ["before", "after"])  # the request is lost, or it is done and its answer is lost
@pytest.mark.parametrize("failing", range(1, 51))
def test_a_run_that_dies_at_any_request_is_repeated_to_the_same_end(
    s3: S3, export: Export, failing: int, lost: str
) -> None:
    asked = 0

    def die_once(_operation: str, _request: dict[str, Any]) -> None:
        nonlocal asked
        asked += 1
        if asked == failing:
            raise RefusalError("SlowDown", 503)

    export.arrive(s3)
    setattr(s3, lost, die_once)
    with pytest.raises(ClientError, match="SlowDown"):
        seal_all(s3, export)
    seal_all(s3, export)
    assert len(entries(s3)) == 1
    assert len(s3.buckets["sealed"].versions) == 3 + 4 + 1


def test_an_account_that_has_had_its_share_is_stopped_and_others_are_not(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTA_EXPORTS_PER_DAY", "2")
    exports = [Export(n, [[full_line(item("a"))]], n).arrive(s3) for n in range(3)]
    for export in exports[:2] * 2:
        seal.open(export.event, Context())
    with pytest.raises(QuotaExceeded, match="3 exports"):
        seal.open(exports[2].event, Context())
    assert seal.open(exports[1].event, Context())["files"] == 1
    place = ExportLocation("444455556666", "eu-west-1", "orders", "1")
    quota.admit(
        s3.client("s3"), "work", place, size=1, quota=quota.DailyQuota(exports=2, size=9), now=datetime.now(UTC)
    )


def test_the_quota_counts_bytes_and_forgets_after_a_day(s3: S3) -> None:
    client, now = s3.client("s3"), datetime.now(UTC)
    limit = quota.DailyQuota(exports=9, size=10)

    def ask(export: str, size: int, when: datetime) -> None:
        place = ExportLocation("111122223333", "eu-west-1", "orders", export)
        quota.admit(client, "work", place, size=size, quota=limit, now=when)

    ask("a", 8, now)
    with pytest.raises(QuotaExceeded, match="11 bytes"):
        ask("b", 3, now + timedelta(hours=1))
    ask("c", 2, now + timedelta(hours=2))
    limit = quota.DailyQuota(exports=1, size=1)
    ask("a", 8, now + timedelta(hours=3))  # it was let in, and stays so when it is asked for again
    limit = quota.DailyQuota(exports=9, size=10)
    ask("b", 3, now + timedelta(hours=25))


def test_sweeps_what_is_neither_sealed_nor_rejected_in_turn_from_each_account(s3: S3) -> None:
    sealed, waiting = Export(1, [], 0).arrive(s3), Export(2, [[change_line(None, item("a"))]], (0, 1)).arrive(s3)
    rejected = Export(3, [], 2)
    rejected.summary["outputFormat"] = "ION"
    with pytest.raises(Rejected):
        seal.open(rejected.arrive(s3).event, Context())
    seal_all(s3, sealed)
    Export(4, [], 3).arrive(s3, without="manifest-summary.json")
    flood = [f"000000000000/eu-west-1/orders/AWSDynamoDB/{n:05}/manifest-summary.json" for n in range(120)]
    for key in flood:
        s3.put("intake", key, b"{}")
    found = seal.sweep({}, Context())["exports"]
    assert {"bucket": "intake", "key": waiting.key} in found[:3]
    assert len(found) == 100
    assert seal.sweep({}, Context(1))["exports"] == []


@pytest.mark.parametrize(
    "event", [{}, {"bucket": "other", "key": "x"}, {"bucket": "intake"}, {"bucket": "intake", "key": "a/b"}]
)
def test_refuses_an_event_that_is_no_arrival(event: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        seal.open(event, Context())


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_MODE", "NONE"), ("RETENTION_DAYS", "0"), ("RETENTION_DAYS", "36501"), ("RETENTION_YEARS", "101")],
)
def test_refuses_a_retention_that_is_none(
    s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="must"):
        seal.close(export.arrive(s3).event, Context())


@pytest.mark.parametrize(
    ("name", "value", "days"),
    [("RETENTION_YEARS", "10", 3650), ("RETENTION_YEARS", "100", 36_500), ("RETENTION_DAYS", "36500", 36_500)],
)
def test_a_retention_may_be_of_years(
    s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch, name: str, value: str, days: int
) -> None:
    """Of 365 days each, which the bucket's policy lets through."""
    monkeypatch.setenv(name, value)
    seal_all(s3, export.arrive(s3))
    until = datetime.now(UTC) + timedelta(days=days)
    for version in s3.buckets["sealed"].versions:
        assert abs(version.head["ObjectLockRetainUntilDate"] - until) < timedelta(minutes=2)


def test_an_export_of_an_empty_table_is_a_backup(s3: S3) -> None:
    export = Export(1, [[], []], 0)
    key = next(iter(export.data))
    export.data[key] = b""  # some files of empty partitions have no bytes at all
    export.files[0]["md5Checksum"] = "1B2M2Y8AsgTpgAmY7PhCfg=="
    (closed,) = seal_all(s3, export.arrive(s3))
    assert (closed["records"], closed["count"]) == (0, 0)
    assert json.loads(json.dumps(closed)) == closed
