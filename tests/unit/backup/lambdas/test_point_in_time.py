"""A restore from point-in-time recovery measures the export that it made for itself, and loads it like a sealed one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tableguard.backup.lambdas import point_in_time, restore
from tableguard.backup.lambdas.errors import Damaged, Different, NotYetComplete, Rejected, Unfinished
from tableguard.backup.lambdas.item_digest import of_items
from tests.unit.backup.aws import S3, Bucket, DynamoDB, RefusalError
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import SOURCE, TABLE, Export, at, change_line, full_line, item
from tests.unit.backup.flow import check, load_all, stored

ITEMS = [item("a"), item("b", n={"N": "1"}), item("c", s={"SS": ["x", "y"]})]
FILES = [[full_line(ITEMS[0]), full_line(ITEMS[1])], [], [full_line(ITEMS[2])]]
NAME = "restore-1"


@pytest.fixture
def s3() -> S3:
    """The restore's own buckets: that of the export has versions, and no lock."""
    return S3(sealed=Bucket(), work=Bucket())


@pytest.fixture
def export() -> Export:
    return Export(1, FILES, 0)


def written(s3: S3, export: Export, *, without: str = "nothing") -> Export:
    """DynamoDB has written the export, and said that it is complete."""
    for key, body in export.objects().items():
        if without not in key:
            s3.put("sealed", key, body)
    return export


def begin(export: Export, **changes: Any) -> dict[str, Any]:
    event = {"source": SOURCE, "export": f"{TABLE}/export/{export.id}", "execution": NAME, **changes}
    return answer(point_in_time.begin(event, Context()))


def answer(said: dict[str, Any]) -> dict[str, Any]:
    """What a state gets of an answer: what JSON can hold."""
    found: dict[str, Any] = json.loads(json.dumps(said))
    return found


def measured(s3: S3, export: Export) -> dict[str, Any]:
    """Every step up to the plan, as the machine calls them."""
    opened = begin(export)
    for work in stored(s3, "work", opened["work_key"]):
        point_in_time.measure(work, Context())
    return answer(point_in_time.finish(opened, Context()))


def data(s3: S3, number: int = 0) -> Any:
    return next(version for version in s3.buckets["sealed"].versions if f"f{number}.json.gz" in version.key)


def test_what_was_measured_is_loaded_and_agrees(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    expected = of_items([*ITEMS])
    assert planned["expected"] == {"count": 3, "digest": expected.hex}
    assert (planned["reached"], planned["records"], planned["table_id"]) == (at(0), 3, export.summary["tableId"])
    (step,) = planned["steps"]
    assert (step["type"], step["from"], step["to"], step["files"]) == ("FULL", None, at(0), 3)
    assert planned["bytes"] == sum(map(len, export.data.values()))
    load_all(s3, planned)
    assert list(dynamodb.items.values()) == ITEMS
    assert check(planned)["digest"] == expected.hex


def test_a_plan_has_the_same_fields_as_one_from_the_catalogue(s3: S3, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    assert set(planned) >= {"work_bucket", "work_prefix", "steps", "expected", "reached", "table_id", "records"}
    (row, *_) = stored(s3, "work", planned["steps"][0]["key"])
    assert set(row) >= {"key", "version_id", "sha256", "bytes", "records", "count", "digest"}


def test_a_table_that_holds_something_else_in_the_end_is_noticed(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    load_all(s3, planned)
    dynamodb.items.popitem()
    with pytest.raises(Different, match="another number"):
        check(planned)


@pytest.mark.parametrize("files", [[], [[]]], ids=["no file", "an empty file"])
def test_an_empty_table_has_an_export_too(s3: S3, dynamodb: DynamoDB, files: list[list[bytes]]) -> None:
    planned = measured(s3, written(s3, Export(1, files, 0)))
    assert planned["expected"] == {"count": 0, "digest": "0" * 64}
    assert planned["steps"][0]["files"] == len(files)
    load_all(s3, planned)
    assert check(planned)["count"] == 0
    assert dynamodb.count("BatchWriteItem") == 0


@pytest.mark.parametrize(
    "name",
    ["manifest-summary.json", "manifest-summary.checksum", "manifest-files.json", "manifest-files.checksum", "f2"],
)
def test_waits_for_what_is_not_there(s3: S3, export: Export, name: str) -> None:
    written(s3, export, without=name)
    with pytest.raises(NotYetComplete, match=name):
        begin(export)
    assert s3.buckets["work"].versions == []
    written(s3, export)
    assert begin(export)["files"] == 3


def _of_another_table(export: Export) -> None:
    export.summary["tableArn"] = TABLE.replace("orders", "payments")


def _of_another_export(export: Export) -> None:
    export.summary["exportArn"] = f"{TABLE}/export/01700000000000-11111111"


def _filtered(export: Export) -> None:
    export.summary["filterExpression"] = "a = b"


def _more_than_there_are(export: Export) -> None:
    export.summary["itemCount"] = 4


def _named_twice(export: Export) -> None:
    export.files.append(export.files[0])
    export.summary["itemCount"] = 5


@pytest.mark.parametrize(
    "spoil", [_of_another_table, _of_another_export, _filtered, _more_than_there_are, _named_twice]
)
def test_refuses_manifests_that_are_not_of_this_export(s3: S3, export: Export, spoil: Any) -> None:
    spoil(export)
    written(s3, export)
    with pytest.raises(Rejected):
        begin(export)
    assert s3.buckets["work"].versions == []


def test_refuses_an_increment(s3: S3) -> None:
    export = written(s3, Export(1, [[change_line(None, item("a"))]], (0, 1)))
    with pytest.raises(Rejected, match="is of an increment"):
        begin(export)


def test_an_export_of_another_source_is_not_looked_for_elsewhere(s3: S3, export: Export) -> None:
    written(s3, export)
    with pytest.raises(NotYetComplete):
        begin(export, source={**SOURCE, "table": "payments"})


@pytest.mark.parametrize("spoil", [lambda body: body[:-3], lambda body: body + b"\0", lambda body: b""])
def test_a_file_that_is_altered_before_it_is_measured_is_refused(s3: S3, export: Export, spoil: Any) -> None:
    opened = begin(written(s3, export))
    data(s3).body = spoil(data(s3).body)
    work, *others = stored(s3, "work", opened["work_key"])
    with pytest.raises(Rejected, match="has the MD5 that the manifest gives"):
        point_in_time.measure(work, Context())
    for other in others:
        point_in_time.measure(other, Context())
    with pytest.raises(NotYetComplete, match=r"File 0 .* has not been measured"):
        point_in_time.finish(opened, Context())


def test_a_file_that_is_altered_after_it_was_measured_is_not_loaded(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    for version in s3.buckets["sealed"].versions:
        if version.key.endswith("f0.json.gz"):
            version.body = (version.body or b"") + b"\0"
    with pytest.raises(Damaged, match="nothing of it is written"):
        load_all(s3, planned)
    assert dynamodb.items == {}


def test_a_file_that_is_gone_before_it_is_loaded_is_noticed(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    s3.buckets["sealed"].versions.remove(data(s3))
    with pytest.raises(Damaged, match="has no version"):
        load_all(s3, planned)
    assert dynamodb.items == {}


def test_later_versions_and_delete_markers_change_nothing(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    opened = begin(written(s3, export))
    for body in (b"{}", None):
        for key in {version.key for version in s3.buckets["sealed"].versions}:
            s3.put("sealed", key, body)
    assert begin(export) == opened
    planned = measured(s3, export)
    load_all(s3, planned)
    assert check(planned)["count"] == 3


@pytest.mark.parametrize("by_md5", [True, False], ids=["its ETag says so", "its ETag says nothing"])
def test_takes_the_version_that_has_the_md5_whichever_it_is(s3: S3, export: Export, by_md5: bool) -> None:
    s3.replaced_by_md5 = by_md5
    s3.put("sealed", next(iter(export.data)), b"not yet whole")
    planned = measured(s3, written(s3, export))
    (row, *_) = stored(s3, "work", planned["steps"][0]["key"])
    assert row["version_id"] == data_versions(s3)[1].id
    assert planned["expected"]["count"] == 3


def data_versions(s3: S3) -> list[Any]:
    return [version for version in s3.buckets["sealed"].versions if version.key.endswith("f0.json.gz")]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([b'{"Item": {"pk": {"S": "a"}}}\n', b"{nothing}\n"], "record 2"),
        ([b'{"Keys": {"pk": {"S": "a"}}}\n'], "record 1"),
    ],
)
def test_a_file_of_something_else_is_refused_though_its_manifest_agrees(s3: S3, lines: list[bytes], why: str) -> None:
    export = written(s3, Export(1, [lines], 0))
    (work,) = stored(s3, "work", begin(export)["work_key"])
    with pytest.raises(Rejected, match=why):
        point_in_time.measure(work, Context())


def test_a_file_with_fewer_records_than_its_manifest_says_is_refused(s3: S3) -> None:
    export = Export(1, [[full_line(item("a"))], [full_line(item("b"))]], 0)
    export.files[0]["itemCount"], export.files[1]["itemCount"] = 2, 0
    (first, second) = stored(s3, "work", begin(written(s3, export))["work_key"])
    for work, counts in ((first, "1 records, and the manifest says 2"), (second, "1 records, and the manifest says 0")):
        with pytest.raises(Rejected, match=counts):
            point_in_time.measure(work, Context())


def test_an_item_that_two_files_hold_is_noticed_in_the_end(s3: S3, dynamodb: DynamoDB) -> None:
    planned = measured(s3, written(s3, Export(1, [[full_line(item("a"))], [full_line(item("a"))]], 0)))
    assert planned["expected"]["count"] == 2
    load_all(s3, planned)
    with pytest.raises(Different, match=r"another number of items: 1 .* 2"):
        check(planned)


def test_a_row_that_is_none_does_not_count(s3: S3, export: Export) -> None:
    opened = begin(written(s3, export))
    for work in stored(s3, "work", opened["work_key"]):
        point_in_time.measure(work, Context())
    key = f"{NAME}/rows/0.json"
    row = stored(s3, "work", key)
    s3.put("work", key, json.dumps({**row, "digest": "short"}).encode())
    with pytest.raises(Rejected, match="64 hexadecimal digits"):
        point_in_time.finish(opened, Context())
    s3.put("work", key, json.dumps({**row, "count": 1}).encode())
    with pytest.raises(Rejected, match="hold 2 items, and the manifest says 3"):
        point_in_time.finish(opened, Context())


def test_a_long_file_goes_on_in_the_next_invocation(s3: S3) -> None:
    export = written(s3, Export(1, [[full_line(item(f"k{n}")) for n in range(5000)]], 0))
    opened = begin(export)
    (work,) = stored(s3, "work", opened["work_key"])
    for reached in (2000, 4000):
        with pytest.raises(Unfinished, match=f"{reached} of 5000"):
            point_in_time.measure(work, Context(10))
    with pytest.raises(NotYetComplete, match="has not been measured"):
        point_in_time.finish(opened, Context())
    assert point_in_time.measure(work, Context(10)) == {"file": 0}
    in_parts = point_in_time.finish(opened, Context())["expected"]
    assert in_parts == {"count": 5000, "digest": of_items([item(f"k{n}") for n in range(5000)]).hex}


def test_two_restores_at_once_do_not_meet(s3: S3, export: Export) -> None:
    written(s3, export)
    first, second = begin(export), begin(export, execution="restore-2")
    for work in stored(s3, "work", first["work_key"]):
        point_in_time.measure(work, Context())
    with pytest.raises(NotYetComplete):
        point_in_time.finish(second, Context())
    assert point_in_time.finish(first, Context())["work_prefix"] == f"{NAME}/"


@pytest.mark.parametrize("lost", ["before", "after"])  # the request is lost, or it is done and its answer is lost
def test_a_run_that_dies_at_any_request_is_repeated_to_the_same_end(export: Export, s3: S3, lost: str) -> None:
    written(s3, export)
    asked = failing = 0

    def die_once(_operation: str, _request: dict[str, Any]) -> None:
        nonlocal asked
        asked += 1
        if asked == failing:
            raise RefusalError("SlowDown", 503)

    setattr(s3, lost, die_once)
    whole = measured(s3, export)
    requests = asked
    assert requests > 15
    for failing in range(1, requests + 1):
        s3.buckets["work"].versions.clear()
        asked = 0
        with pytest.raises(ClientError, match="SlowDown"):
            measured(s3, export)
        assert measured(s3, export) == whole, failing


def test_what_a_dead_load_has_written_is_written_again(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    asked = 0

    def die_once(operation: str, _request: dict[str, Any]) -> None:
        nonlocal asked
        asked += operation == "BatchWriteItem"
        if asked == 2:
            raise RefusalError("Died")

    dynamodb.after = die_once
    with pytest.raises(ClientError, match="Died"):
        load_all(s3, planned)
    dynamodb.after = lambda _operation, _request: None
    load_all(s3, planned)
    assert check(planned)["count"] == 3


def test_loading_takes_pinned_versions_of_the_exports_bucket_alone(s3: S3, dynamodb: DynamoDB, export: Export) -> None:
    planned = measured(s3, written(s3, export))
    s3.calls.clear()
    (file, *_) = stored(s3, "work", planned["steps"][0]["key"])
    event = {"file": file, "table": "new", "type": "FULL", "after": 0, "execution": "restore-1"}
    restore.load(event, Context())
    read = [request for operation, request in s3.calls if operation == "GetObject"]
    assert read
    assert all(request["Bucket"] == "sealed" and "VersionId" in request for request in read)
    assert len(dynamodb.items) == 2


def test_every_version_of_the_export_is_removed_and_nothing_else(s3: S3, export: Export) -> None:
    written(s3, written(s3, export))  # every object has two versions
    other = Export(2, FILES, 0)
    written(s3, other)
    event = {"source": SOURCE, "export": f"{TABLE}/export/{export.id}"}
    assert point_in_time.clear(event, Context()) == {"removed": 2 * len(export.objects())}
    assert {version.key for version in s3.buckets["sealed"].versions} == set(other.objects())
    # Again, for a call whose answer was lost.
    assert point_in_time.clear(event, Context()) == {"removed": 0}


def test_removing_goes_on_in_the_next_invocation(s3: S3, export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_in_time, "_AT_ONCE", 2)
    written(s3, export)
    event = {"source": SOURCE, "export": f"{TABLE}/export/{export.id}"}
    left = iter([900, 30])
    monkeypatch.setattr(point_in_time, "seconds_left", lambda _context: next(left))
    with pytest.raises(Unfinished, match=f"2 of {len(export.objects())}"):
        point_in_time.clear(event, Context())
    assert len(s3.buckets["sealed"].versions) == len(export.objects()) - 2
    monkeypatch.setattr(point_in_time, "seconds_left", lambda _context: 900)
    point_in_time.clear(event, Context())
    assert s3.buckets["sealed"].versions == []
