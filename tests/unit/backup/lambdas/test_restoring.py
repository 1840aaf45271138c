from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tableguard.backup.lambdas import restore, seal
from tableguard.backup.lambdas.errors import BrokenChain, Damaged, Different, NoBackup, NotAllowed, Throttled
from tests.unit.backup.aws import S3, DynamoDB, RefusalError
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import SOURCE, Export, at, change_line, full_line, item
from tests.unit.backup.flow import check, digests, load_all, plan, restored, seal_all, stored

B64 = base64.b64encode(b"\x00\xff").decode()
RICH = item(
    "rich",
    n={"N": "12345678901234567890123456789012345678"},
    b={"B": B64},
    bs={"BS": [B64, "AQ=="]},
    m={"M": {"l": {"L": [{"B": B64}, {"NULL": True}, {"S": ""}]}}},
    ns={"NS": ["3", "1.50"]},
)
OLD = {key: item(key, v={"N": "1"}) for key in "abcdefgh"}


def chain_of(s3: S3) -> None:
    """A full export of a to h; then b updated, a deleted, rich added; then rich deleted and i added."""
    changes = [change_line(OLD["b"], item("b", v={"N": "2"})), change_line(OLD["a"], None)]
    seal_all(
        s3,
        Export(1, [[full_line(OLD[key]) for key in "abcd"], [full_line(OLD[key]) for key in "efgh"]], 0).arrive(s3),
        Export(2, [changes, [change_line(None, RICH)]], (0, 1)).arrive(s3),
        Export(3, [[change_line(RICH, None), change_line(None, item("i"))]], (1, 2)).arrive(s3),
    )


def test_a_restore_holds_what_the_table_held_at_the_moment(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    assert set(restored(s3, dynamodb)) == set("bcdefghi")
    dynamodb.items.clear()
    found = restored(s3, dynamodb, until=at(1.5))
    assert set(found) == {*"bcdefgh", "rich"}
    assert found["b"]["v"] == {"N": "2"}
    assert found["rich"]["b"] == {"B": b"\x00\xff"}
    assert found["rich"]["m"]["M"]["l"]["L"][0] == {"B": b"\x00\xff"}
    dynamodb.items.clear()
    assert set(restored(s3, dynamodb, until=at(0))) == set(OLD)


def test_the_plan_says_what_it_reaches(s3: S3) -> None:
    chain_of(s3)
    planned = plan(at(1.5))
    assert planned["reached"] == at(1)
    assert [(step["type"], step["from"], step["to"], step["files"]) for step in planned["steps"]] == [
        ("FULL", None, at(0), 2),
        ("INCREMENTAL", at(0), at(1), 2),
    ]
    assert (planned["records"], planned["expected"]["count"]) == (11, 8)
    assert (planned["work_bucket"], planned["work_prefix"]) == ("work", "restore-1/")
    assert planned["table_id"] == "12345678-1234-1234-1234-123456789012"
    files = [file for step in planned["steps"] for file in stored(s3, "work", step["key"])]
    assert planned["bytes"] == sum(file["bytes"] for file in files)


def test_loading_everything_twice_and_in_another_order_of_files_gives_the_same(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    planned = plan()
    for step in planned["steps"]:
        for file in stored(s3, "work", step["key"])[::-1] * 2:
            event = {"file": file, "table": "new", "type": step["type"], "execution": "restore-1"}
            restore.load(event, Context())
    assert check(planned)["count"] == 8


def test_says_that_there_is_no_backup(s3: S3) -> None:
    with pytest.raises(NoBackup):
        plan()
    chain_of(s3)
    with pytest.raises(NoBackup):
        plan(at(-1))


def test_names_the_missing_window(s3: S3) -> None:
    seal_all(s3, Export(1, [], 0).arrive(s3), Export(2, [], (1, 2)).arrive(s3))
    with pytest.raises(BrokenChain, match=f"from {at(0)} to {at(1)} is missing"):
        plan()
    assert plan(at(0.5))["reached"] == at(0)
    # the window around the moment shows the hole too
    with pytest.raises(BrokenChain, match="is missing"):
        plan(at(1.5))


def test_later_versions_and_delete_markers_in_the_sealed_bucket_change_nothing(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    for key in {version.key for version in s3.buckets["sealed"].versions}:
        s3.put("sealed", key, b'{"version": 1}')
        s3.put("sealed", key, None)
    assert set(restored(s3, dynamodb)) == set("bcdefghi")


def sealed_file(s3: S3, number: int = 0) -> Any:
    return [version for version in s3.buckets["sealed"].versions if version.key.endswith(".json.gz")][number]


def test_a_sealed_file_that_is_gone_or_altered_is_noticed_before_anything_is_made(s3: S3) -> None:
    chain_of(s3)
    version = sealed_file(s3)
    checksum = version.head["ChecksumSHA256"]
    version.head["ChecksumSHA256"] = base64.b64encode(b"other").decode()
    with pytest.raises(Damaged, match="is not what the catalogue says"):
        plan()
    version.head["ChecksumSHA256"] = f"{checksum}-2"
    with pytest.raises(Damaged, match="is not what the catalogue says"):
        plan()
    s3.buckets["sealed"].versions.remove(version)
    with pytest.raises(Damaged, match=r"1 of 2 files cannot be restored: .* has no version"):
        plan()


def test_a_sealed_file_that_nobody_lets_us_see_is_not_said_to_be_gone(s3: S3) -> None:
    chain_of(s3)

    def refuse(called: str, _request: dict[str, Any]) -> None:
        if called == "HeadObject":
            raise RefusalError("403", 403)

    s3.before = refuse
    with pytest.raises(ClientError):
        plan()


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"version": 2}', b'{"version": 1, "export": {}, "source": {}}'])
def test_an_entry_that_is_none_is_noticed(s3: S3, damage: bytes) -> None:
    chain_of(s3)
    entry = next(version for version in s3.buckets["sealed"].versions if version.key.startswith("catalogue/"))
    entry.body = damage
    with pytest.raises(Damaged, match="no catalogue entry"):
        plan()


@pytest.mark.parametrize(
    ("old", "new"), [(b'"records": 8', b'"records": 9'), (b'"count": 8', b'"count": 9'), (b'-06e2188f"', b'-06e2188e"')]
)
def test_an_entry_whose_parts_do_not_agree_is_noticed(s3: S3, old: bytes, new: bytes) -> None:
    chain_of(s3)
    entry = next(version for version in s3.buckets["sealed"].versions if version.key.startswith("catalogue/"))
    assert entry.body is not None
    assert old in entry.body
    entry.body = entry.body.replace(old, new)
    with pytest.raises(Damaged, match=r"do not add up|of another export"):
        plan()


@pytest.mark.parametrize(
    ("where", "part", "value", "why"),
    [
        ("whole", "digest", "0" * 64, "do not add up"),
        ("file", "digest", "0" * 64, "do not add up"),
        ("file", "digest", "no digest", "is no catalogue entry"),
        ("file", "count", "4", "is no catalogue entry"),
        ("file", "count", 5, "do not add up"),
        ("file", "records", 5, "do not add up"),
        ("file", "bytes", 5, "is not what the catalogue says"),
        ("file", "sha256", "0" * 64, "is not what the catalogue says"),
    ],
)
def test_an_entry_that_is_altered_in_one_place_is_noticed(
    s3: S3, where: str, part: str, value: object, why: str
) -> None:
    """Its other figures agree: the number of items, above all."""
    chain_of(s3)
    found = next(version for version in s3.buckets["sealed"].versions if version.key.startswith("catalogue/"))
    entry = stored(s3, "sealed", found.key)
    (entry if where == "whole" else entry["files"][0])[part] = value
    found.body = json.dumps(entry).encode()
    with pytest.raises(Damaged, match=why):
        plan()


def test_nothing_of_a_file_that_is_altered_and_as_long_as_before_is_written(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    planned = plan()
    version = sealed_file(s3)
    other = gzip.compress(b"".join(full_line(item(key, v={"N": "9"})) for key in "abcd"), mtime=0)
    assert len(other) == len(version.body)
    version.body = other
    with pytest.raises(Damaged, match="nothing of it is written"):
        load_all(s3, planned)
    assert dynamodb.count("BatchWriteItem") == 0


def test_nothing_of_an_altered_file_is_written(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    planned = plan()
    version = sealed_file(s3)
    version.body += b"\0"
    with pytest.raises(Damaged, match="nothing of it is written"):
        load_all(s3, planned)
    s3.buckets["sealed"].versions.remove(version)
    with pytest.raises(Damaged, match="has no version"):
        load_all(s3, planned)
    assert dynamodb.count("BatchWriteItem") == 0


def first_file(s3: S3, *lines: bytes, kind: str = "FULL") -> dict[str, Any]:
    hours: Any = 0 if kind == "FULL" else (0, 1)
    seal_all(s3, Export(7, [lines], hours).arrive(s3))
    (entry,) = [version for version in s3.buckets["sealed"].versions if version.key.startswith("catalogue/")]
    (file,) = stored(s3, "sealed", entry.key)["files"]
    return {"file": file, "table": "new", "type": kind, "after": 0, "execution": "restore-1"}


@pytest.mark.parametrize("said", [0, 1, 3])
def test_a_file_of_another_number_of_records_than_the_catalogue_says_fails_loudly(
    s3: S3, dynamodb: DynamoDB, said: int
) -> None:
    event = first_file(s3, full_line(item("a")), full_line(item("b")))
    event["file"] = {**event["file"], "records": said}
    with pytest.raises(Damaged, match=f"has 2 records, and the catalogue says {said}"):
        restore.load(event, Context())


def test_what_the_table_does_not_take_at_once_is_written_in_the_end(s3: S3, dynamodb: DynamoDB) -> None:
    event = first_file(s3, *(full_line(item(f"k{n}")) for n in range(60)))
    dynamodb.takes = iter([0, 3, 0, 25, 7, *[25] * 9])
    throttled = iter([True, False, True])

    def throttle(operation: str, _request: dict[str, Any]) -> None:
        if operation == "BatchWriteItem" and next(throttled, False):
            raise RefusalError("ProvisionedThroughputExceededException")

    dynamodb.before = throttle
    assert restore.load(event, Context()) == {"done": True, "after": 60}
    assert len(dynamodb.items) == 60


def test_an_error_that_is_no_throttling_is_not_repeated(s3: S3, dynamodb: DynamoDB) -> None:
    event = first_file(s3, full_line(item("a")))

    def refuse(operation: str, _request: dict[str, Any]) -> None:
        if operation == "BatchWriteItem":
            raise RefusalError("AccessDeniedException")

    dynamodb.before = refuse
    with pytest.raises(NotAllowed):
        restore.load(event, Context())
    assert dynamodb.count("BatchWriteItem") == 1


def test_goes_on_where_the_time_was_up(s3: S3, dynamodb: DynamoDB) -> None:
    event = first_file(s3, *(full_line(item(f"k{n:02}")) for n in range(60)))
    first = restore.load(event, Context(900, 10))
    assert (first, len(dynamodb.items)) == ({"done": False, "after": 25}, 25)
    assert restore.load({**event, "after": 25}, Context()) == {"done": True, "after": 60}
    assert dynamodb.count("BatchWriteItem") == 3
    assert len(dynamodb.items) == 60
    with pytest.raises(Throttled):
        restore.load(event, Context(10))


def test_a_batch_has_no_more_bytes_than_dynamodb_takes(s3: S3, dynamodb: DynamoDB) -> None:
    event = first_file(s3, *(full_line(item(f"k{n}", v={"S": "\x01" * 300_000})) for n in range(20)))
    restore.load(event, Context())
    batches = [request["RequestItems"]["new"] for name, request in dynamodb.calls if name == "BatchWriteItem"]
    assert [len(batch) for batch in batches] == [6, 6, 6, 2]  # a line has 1.8 MB


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([full_line(item("a")), full_line(item("a", x={"S": ""}))], "record 2: The file has a key twice"),
        ([full_line({"other": {"S": "a"}})], "record 1: The record lacks 'pk'"),
    ],
)
def test_a_file_that_cannot_be_of_the_table_fails_loudly(
    s3: S3, dynamodb: DynamoDB, lines: list[bytes], why: str
) -> None:
    with pytest.raises(Damaged, match=why):
        restore.load(first_file(s3, *lines), Context())
    assert dynamodb.items == {}


def test_an_increment_of_a_table_with_other_keys_fails_loudly(s3: S3, dynamodb: DynamoDB) -> None:
    event = first_file(s3, change_line(None, item("a", sk={"S": "b"})), kind="INCREMENTAL")
    dynamodb.keys = ("pk", "sk")
    with pytest.raises(Damaged, match="not that of the table"):
        restore.load(event, Context())


def test_a_duplicate_that_two_batches_hide_is_noticed_in_the_end(s3: S3, dynamodb: DynamoDB) -> None:
    lines = [full_line(item(f"k{n}")) for n in range(30)]
    seal_all(s3, Export(1, [[*lines, lines[0]]], 0).arrive(s3))
    planned = plan()
    load_all(s3, planned)
    with pytest.raises(Different, match=r"another number of items: 30 .* 31"):
        check(planned)


def test_a_lost_an_added_and_an_altered_item_are_noticed(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    planned = plan()
    load_all(s3, planned)
    right = dict(dynamodb.items)
    (key, one), *others = right.items()
    altered: list[tuple[dict[str, Any], str]] = [
        (dict(others), "another number"),
        ({**right, "z": item("z")}, "another number"),
        ({**right, key: {**one, "v": {"N": "9"}}}, "the same number, but not the same content"),
    ]
    for items, why in altered:
        dynamodb.items = items
        with pytest.raises(Different, match=why):
            check(planned)
    dynamodb.items = right
    assert check(planned) == check(planned, segments=1)


def test_a_segment_that_is_missing_or_doubled_or_not_done_is_no_agreement(s3: S3, dynamodb: DynamoDB) -> None:
    seal_all(s3, Export(1, [], 0).arrive(s3))
    planned, done = plan(), digests(3)
    for segments in ([], done[:2], [*done[:2], done[0]], [*done[:2], {**done[2], "done": False}]):
        with pytest.raises(Different, match="not read to its end"):
            restore.check({"expected": planned["expected"], "segments": segments}, Context())
    assert restore.check({"expected": planned["expected"], "segments": done}, Context())["count"] == 0


def test_the_table_is_read_page_by_page_with_binary_keys(dynamodb: DynamoDB) -> None:
    dynamodb.items = {repr([("pk", {"B": bytes([n])})]): {"pk": {"B": bytes([n])}} for n in range(9)}
    state: dict[str, Any] = {"table": "new", "segment": 0, "segments": 1, "start": None, "count": 0, "digest": "0" * 64}
    state["execution"] = "restore-1"
    pages = 0
    while not state.get("done"):
        state = restore.digest(state, Context(0))
        pages += 1
    assert (pages, state["count"]) == (5, 9)


@pytest.fixture
def reading(dynamodb: DynamoDB) -> dict[str, Any]:
    """What reads a table of nine items, page by page."""
    dynamodb.items = {repr([("pk", {"B": bytes([n])})]): {"pk": {"B": bytes([n])}} for n in range(9)}
    asked: dict[str, Any] = {"table": "new", "segment": 0, "segments": 1, "start": None, "count": 0, "bytes": 0}
    return {**asked, "digest": "0" * 64, "execution": "restore-1"}


def throttles(dynamodb: DynamoDB, *, after: int, times: int) -> None:
    """Some scans are refused after some that are answered."""
    seen = iter(range(10**6))

    def refuse(operation: str, _request: dict[str, Any]) -> None:
        if operation == "Scan" and after <= next(seen) < after + times:
            raise RefusalError("ProvisionedThroughputExceededException")

    dynamodb.before = refuse


def test_a_table_that_throttles_is_read_on_later(dynamodb: DynamoDB, reading: dict[str, Any]) -> None:
    throttles(dynamodb, after=2, times=50)
    read = restore.digest(reading, Context(900))
    assert (read["done"], read["count"]) == (True, 9)


def test_what_was_read_before_a_table_throttled_is_kept(dynamodb: DynamoDB, reading: dict[str, Any]) -> None:
    throttles(dynamodb, after=2, times=10**6)
    read = restore.digest(reading, Context(900, 900, 0))
    assert (read["done"], read["count"]) == (False, 4)
    throttles(dynamodb, after=0, times=0)
    assert restore.digest(read, Context(900))["count"] == 9


def test_a_table_that_answers_nothing_is_tried_again_and_no_problem(
    s3: S3, dynamodb: DynamoDB, reading: dict[str, Any]
) -> None:
    throttles(dynamodb, after=0, times=10**6)
    with pytest.raises(Throttled, match="new answered nothing of segment 0"):
        restore.digest(reading, Context(0))
    assert s3.buckets["work"].versions == []


@pytest.mark.parametrize(
    "change",
    [{"source": {}}, {"source": {**SOURCE, "account": "1"}}, {"source": {**SOURCE, "table": "a/b"}},
     {"until": "yesterday"}, {"until": "2026-11-22T00:00:00"}, {"execution": "a/b"}, {"execution": None}],
)  # fmt: skip
def test_refuses_an_event_that_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needs|must be a moment"):
        restore.plan({"source": SOURCE, "until": None, "execution": "x", **change}, Context())


@pytest.mark.parametrize("step", ["copy", "load"])
def test_a_file_ten_times_as_long_takes_no_more_memory(s3: S3, dynamodb: DynamoDB, step: str) -> None:
    def peak(number: int, count: int) -> int:
        one = Export(
            number, [[full_line(item(f"k{n:06}", v={"S": f"{n:0400}"})) for n in range(count)]], number
        ).arrive(s3)
        work = stored(s3, "work", seal.open(one.event, Context())["work_key"])[0]
        if step == "load":
            seal.copy({**work, "execution": "seal-1"}, Context())
            (row,) = [v for v in s3.buckets["work"].versions if v.key.endswith(f"{one.id}/rows/0.json")]
            event = {"file": stored(s3, "work", row.key), "table": "new", "type": "FULL", "after": 0}
            event |= {"execution": "restore-1"}
        dynamodb.BatchWriteItem = lambda **_request: {"UnprocessedItems": {}}  # type: ignore[method-assign]
        s3.calls, dynamodb.calls = [], Forgetful()
        tracemalloc.start()
        if step == "load":
            restore.load(event, Context())
        else:
            seal.copy({**work, "execution": "seal-1"}, Context())
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1, 10)  # imports and caches
    small, large = peak(2, 600), peak(3, 6_000)
    assert large < small + 500_000


class Forgetful(list[Any]):
    def append(self, _call: Any) -> None:
        return


@pytest.mark.parametrize("operation", ["DescribeTable", "BatchWriteItem"])
def test_a_table_whose_tags_are_not_known_yet_is_asked_again(s3: S3, dynamodb: DynamoDB, operation: str) -> None:
    chain_of(s3)
    planned = plan(None)
    (first, *_) = planned["steps"]
    (file, *_) = stored(s3, "work", first["key"])
    event = {"file": file, "table": "restored", "type": "FULL", "after": 0, "execution": "e"}

    def refuse(called: str, _request: dict[str, Any]) -> None:
        if called == operation:
            raise RefusalError("AccessDeniedException")

    dynamodb.before = refuse
    with pytest.raises(NotAllowed, match=rf"{operation} on restored"):
        restore.load(event, Context())
    dynamodb.before = lambda _operation, _request: None
    assert restore.load(event, Context())["done"]


def test_what_s3_denies_is_not_taken_for_it(s3: S3, dynamodb: DynamoDB) -> None:
    chain_of(s3)
    (first, *_) = plan(None)["steps"]
    (file, *_) = stored(s3, "work", first["key"])

    def refuse(called: str, _request: dict[str, Any]) -> None:
        if called == "GetObject":
            raise RefusalError("AccessDenied", 403)

    s3.before = refuse
    with pytest.raises(ClientError):
        restore.load({"file": file, "table": "restored", "type": "FULL", "after": 0, "execution": "e"}, Context())
