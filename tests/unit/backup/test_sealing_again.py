"""Sealing that is begun again: what is sealed is not read twice, and what is at work is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tableguard.backup.runtime import seal
from tableguard.backup.runtime.errors import Rejected
from tests.unit.backup.aws import S3, States
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
