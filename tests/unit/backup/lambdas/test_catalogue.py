"""The catalogue: which of its entries a restore looks at, what an entry says, and what is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tableguard.backup.lambdas import catalogue, moments, seal
from tableguard.backup.lambdas.errors import Damaged
from tableguard.backup.lambdas.storage import Version
from tests.unit.backup.aws import S3
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import Export, full_line, item
from tests.unit.backup.flow import plan, seal_all, stored

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = "catalogue/111122223333/eu-west-1/orders/"


def day(number: float) -> datetime:
    return BEGAN + timedelta(days=number)


def entry(number: float, kind: str) -> Version:
    return Version(f"{FOLDER}{moments.compact(day(number))}-{kind}-0{number}.json", "v1", 1, "", BEGAN)


FULLS, INCREMENTS = (0, 10, 20, 70, 75, 80), (5, 71, 72.5, 85)
FOUND = sorted(
    [*(entry(number, "full") for number in FULLS), *(entry(number, "incremental") for number in INCREMENTS)],
    key=lambda version: version.key,
)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        # Back to the last full export that is 60 days older than the newest, itself included.
        (None, [20, 70, 71, 72.5, 75, 80, 85]),
        # A window that is longer than until, by less than a day, may show a hole.
        (72, [10, 20, 70, 71, 72.5]),
        (71.4, [10, 20, 70, 71]),
        (15, [0, 5, 10]),
        (0, [0]),
    ],
)
def test_a_restore_looks_at_what_can_contradict_it_and_no_further_back(
    until: float | None, expected: list[float]
) -> None:
    found = catalogue.candidates(FOUND, None if until is None else day(until))
    assert [(catalogue.name_of(version.key).end - BEGAN) / timedelta(days=1) for version in found] == expected


@pytest.mark.parametrize(
    "name",
    ["20260101T000000Z-full-01.txt", "20260101T000000Z-part-01.json", "20260101T000000Z-full-.json", "x-full-01.json"],
)
def test_a_key_that_is_none_of_an_entry_is_told(s3: S3, name: str) -> None:
    seal_all(s3, Export(1, [[full_line(item("a"))]], 0).arrive(s3))
    s3.put("sealed", f"{FOLDER}{name}", b"{}")
    with pytest.raises(Damaged, match="is no key of a catalogue entry"):
        plan()


def test_an_entry_says_up_to_when_all_of_it_is_locked(s3: S3) -> None:
    """One of its files was sealed by a run of days before."""
    export = Export(1, [[full_line(item("a"))], [full_line(item("b"))]], 0).arrive(s3)
    opened = seal.open(export.event, Context())
    for work in stored(s3, "work", opened["work_key"]):
        seal.copy({**work, "execution": "seal-1"}, Context())
    row = f"111122223333/eu-west-1/orders/{export.id}/rows/0.json"
    earlier = moments.show(moments.now().replace(microsecond=0) + timedelta(days=3))
    s3.put("work", row, json.dumps({**stored(s3, "work", row), "retain_until": earlier}).encode())
    said = stored(s3, "sealed", seal.close(opened, Context())["catalogue_key"])
    assert (said["mode"], said["retain_until"]) == ("COMPLIANCE", earlier)
    for one in (*said["files"], *said["manifests"]):
        content = s3._version("sealed", one["key"], one["version_id"]).body
        assert content is not None
        assert one["bytes"] == len(content)
