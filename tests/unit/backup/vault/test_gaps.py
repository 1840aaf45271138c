"""Windows that are missing from the vault are noticed before a restore looks for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tableguard.backup.lambdas import moments, seal, window_gaps
from tableguard.backup.lambdas.chain import Link
from tests.unit.backup.aws import S3
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import T0, Export, at, change_line, full_line, item
from tests.unit.backup.flow import seal_all

NOW = T0 + timedelta(hours=48)
LONG_AGO = T0 + timedelta(hours=24)


def hour(number: float) -> datetime:
    return T0 + timedelta(hours=number)


def full(end: float, **more: Any) -> Link:
    return Link(key=f"full-{end}", table_id="id", start=None, end=hour(end), **{"sealed_at": LONG_AGO, **more})


def increment(start: float, end: float, **more: Any) -> Link:
    return replace(full(end, **more), key=f"{start}-{end}", start=hour(start))


def missing(*links: Link) -> list[str]:
    return [str(hole) for hole in window_gaps.gaps(links, now=NOW)]


BETWEEN = f"the window from {at(1)} to {at(2)} is missing"
FRESH = {"sealed_at": NOW - window_gaps.LATE + timedelta(seconds=1)}

HOLES: dict[str, tuple[list[Link], list[str]]] = {
    "nothing": ([], []),
    "a chain": ([full(0), increment(0, 1), increment(1, 2)], []),
    "in any order": ([increment(1, 2), full(0), increment(0, 1)], []),
    "a window between": ([full(0), increment(0, 1), increment(2, 3)], [BETWEEN]),
    "told once": ([full(0), increment(0, 1), increment(2, 3), increment(3, 4)], [BETWEEN]),
    "told once of two that begin there": ([full(0), increment(0, 1), increment(2, 3), increment(2, 4)], [BETWEEN]),
    "the one before is late": ([full(0), increment(0, 1), increment(2, 3, **FRESH)], []),
    "late, and one since": (
        [full(0), increment(0, 1), increment(2, 3, sealed_at=NOW - window_gaps.LATE), increment(3, 4, **FRESH)],
        [BETWEEN],
    ),
    "two holes": (
        [full(0), increment(0, 1), increment(2, 3), increment(4, 5)],
        [BETWEEN, f"the window from {at(3)} to {at(4)} is missing"],
    ),
    "everything but the last": ([full(0), increment(2, 3)], [f"the window from {at(0)} to {at(2)} is missing"]),
    "no full export": ([increment(2, 3)], [f"every full export up to {at(2)} is missing"]),
    "mended by a full export, and to be known": ([full(0), increment(0, 1), increment(2, 3), full(3)], [BETWEEN]),
    "a full export inside of a hole": ([full(0), full(2), increment(2, 3)], []),
    "what came before the vault": ([increment(-2, -1), full(0), increment(0, 1)], []),
    "a full export in the chain": ([full(0), increment(0, 1), full(1), increment(1, 2)], []),
    "a window over two": ([full(0), increment(0, 1), increment(0, 2), increment(2, 3)], []),
    "another table of the name": ([full(0), replace(increment(0, 1), table_id="other")], [
        f"every full export up to {at(0)} is missing"
    ]),
}  # fmt: skip


@pytest.mark.parametrize("name", HOLES)
def test_a_window_that_is_missing_is_named_once_and_when_it_is_late(name: str) -> None:
    links, expected = HOLES[name]
    assert missing(*links) == expected


def lost(s3: S3) -> None:
    """A full export and two increments, of which the first one never arrived."""
    seal_all(
        s3,
        Export(1, [[full_line(item("a"))]], 0).arrive(s3),
        Export(3, [[change_line(None, item("b"))]], (2, 3)).arrive(s3),
    )


def later(monkeypatch: pytest.MonkeyPatch, passed: timedelta) -> None:
    now = moments.now() + passed
    monkeypatch.setattr(moments, "now", lambda: now)


def test_a_sweep_counts_what_never_arrived(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    lost(s3)
    none = {"counts": [[{"account": "111122223333", "missing": 0}, {"account": "111122223333", "table": "orders",
                                                                      "missing": 0}]], "holes": []}  # fmt: skip
    assert seal.holes({}, Context()) == none
    later(monkeypatch, window_gaps.LATE)
    assert seal.sweep({}, Context()) == {"exports": []}
    assert seal.holes({}, Context()) == {
        "counts": [
            [
                {"account": "111122223333", "missing": 1},
                {"account": "111122223333", "table": "orders", "missing": 1},
            ]
        ],
        "holes": [f"111122223333/eu-west-1/orders: the window from {at(0)} to {at(2)} is missing"],
    }
    seal_all(s3, Export(2, [[]], (0, 2)).arrive(s3))
    assert seal.holes({}, Context()) == none


def test_only_what_follows_the_last_full_export_of_three_days_ago_is_looked_at(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(s3)
    seal_all(s3, Export(4, [[]], 12).arrive(s3), Export(5, [[]], (12, 13)).arrive(s3))
    later(monkeypatch, window_gaps.LATE)
    assert seal.holes({}, Context())["holes"]
    later(monkeypatch, timedelta(days=1))
    assert seal.holes({}, Context())["holes"] == []


def test_counts_come_in_as_many_requests_as_cloudwatch_wants(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_gaps, "_MOST_METRICS", 1)
    lost(s3)
    assert [len(some) for some in seal.holes({}, Context())["counts"]] == [1, 1]


def test_of_too_many_counts_those_with_holes_stay(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    lost(s3)
    later(monkeypatch, window_gaps.LATE)
    monkeypatch.setattr(window_gaps, "_sources", lambda *_: ("1/r/whole", "111122223333/eu-west-1/orders", "2/r/whole"))
    of_all = seal.holes({}, Context())["counts"][0]
    assert [count["missing"] for count in of_all] == [1, 1, 0, 0, 0, 0]
    monkeypatch.setattr(window_gaps, "_MOST_COUNTS", 2)
    assert seal.holes({}, Context())["counts"] == [of_all[:2]]
