from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from tableguard.backup.lambdas.chain import MOST_STEPS, Link, choose
from tableguard.backup.lambdas.errors import BrokenChain, NoBackup

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def full(hours: float, *, table: str = "t", sealed: float = 0) -> Link:
    return Link(f"full-{hours}-{sealed}", table, None, at(hours), at(sealed))


def window(start: float, end: float, *, table: str = "t", sealed: float = 0) -> Link:
    return Link(f"inc-{start}-{end}-{sealed}", table, at(start), at(end), at(sealed))


def ends(chain: tuple[Link, ...]) -> list[float]:
    return [(link.end - T0) / timedelta(hours=1) for link in chain]


CHAIN = [full(0), window(0, 1), window(1, 2), window(2, 3)]


@pytest.mark.parametrize(
    ("links", "until", "expected"),
    [
        (CHAIN, None, [0, 1, 2, 3]),
        (CHAIN[::-1], None, [0, 1, 2, 3]),
        (CHAIN, 2, [0, 1, 2]),
        (CHAIN, 2.5, [0, 1, 2]),  # in the middle of a window: what is whole
        (CHAIN, 0, [0]),
        (CHAIN, 99, [0, 1, 2, 3]),
        ([*CHAIN, full(2)], None, [2, 3]),  # the newest of two that reach as far
        ([*CHAIN, full(2.5)], None, [0, 1, 2, 3]),  # an odd one cuts nothing
        ([*CHAIN, full(3.5)], None, [3.5]),
        ([*CHAIN, full(3.5)], 3.2, [0, 1, 2, 3]),
        ([full(0), window(0, 1), window(2, 3), full(3), window(3, 4)], None, [3, 4]),  # a hole before the newest
        ([*CHAIN, window(1, 2, sealed=5), full(0, sealed=5)], None, [0, 1, 2, 3]),
        ([*CHAIN, window(0, 2)], None, [0, 2, 3]),
        ([*CHAIN, window(0, 1.5)], None, [0, 1, 2, 3]),  # leads nowhere
        (
            [full(0, table="old"), window(0, 1, table="old"), full(2, table="new"), window(2, 3, table="new")],
            None,
            [2, 3],
        ),
    ],
)
def test_takes_the_chain_that_reaches_furthest(links: list[Link], until: float | None, expected: list[float]) -> None:
    assert ends(choose(links, None if until is None else at(until))) == expected


def test_of_exports_of_the_same_window_the_one_that_was_sealed_first_counts() -> None:
    again = [full(0, sealed=9), window(0, 1, sealed=9)]
    assert choose([*again, *CHAIN], None) == tuple(CHAIN)


@pytest.mark.parametrize(
    ("links", "until", "why"),
    [
        ([full(0), window(0, 1), window(2, 3)], None, "from 2026-11-01T01:00:00Z to 2026-11-01T02:00:00Z is missing"),
        ([full(0), window(1, 2)], None, "from 2026-11-01T00:00:00Z to 2026-11-01T01:00:00Z is missing"),
        ([full(0), window(0, 1), window(2, 4)], 3, "from 2026-11-01T01:00:00Z to 2026-11-01T02:00:00Z is missing"),
        ([full(0.5), window(0, 1)], None, "No window starts at 2026-11-01T00:30:00Z"),
        ([full(0), window(0, 1), window(1, 2, table="new")], None, "another table of that name"),
        ([full(0), *(window(n, n + 1) for n in range(MOST_STEPS + 1))], None, "too long"),
    ],
)
def test_says_which_window_is_missing(links: list[Link], until: float | None, why: str) -> None:
    with pytest.raises(BrokenChain, match=why):
        choose(links, None if until is None else at(until))


def test_a_hole_does_no_harm_before_it() -> None:
    assert ends(choose([full(0), window(0, 1), window(2, 3)], at(1))) == [0, 1]
    assert ends(choose([full(0), window(0, 1), window(2, 3)], at(2))) == [0, 1]
    assert len(choose([full(0), *(window(n, n + 1) for n in range(MOST_STEPS))], None)) == MOST_STEPS + 1


@pytest.mark.parametrize(
    ("links", "until", "why"),
    [([], None, "none at all"), (CHAIN[1:], None, "none at all"), (CHAIN, -1, "oldest is of 2026-11-01T00:00:00Z")],
)
def test_says_when_there_is_no_full_export(links: list[Link], until: float | None, why: str) -> None:
    with pytest.raises(NoBackup, match=why):
        choose(links, None if until is None else at(until))


@given(
    st.sets(st.integers(0, 11), min_size=1),
    st.sets(st.integers(0, 11)),
    st.integers(-1, 14),
    st.randoms(use_true_random=True),
)
def test_a_chain_joins_from_a_full_export_to_as_far_as_anything_reaches(
    fulls: set[int], windows: set[int], until: int, random: object
) -> None:
    links = [full(n) for n in fulls] + [window(n, n + 1) for n in windows]
    links += [window(n, n + 1, sealed=1) for n in windows if n % 3 == 0]
    random.shuffle(links)  # type: ignore[attr-defined]
    within = [link.end for link in links if link.end <= at(until)]
    try:
        chain = choose(links, at(until))
    except NoBackup:
        assert not any(n <= until for n in fulls)
        return
    except BrokenChain:
        # There is a window that no unbroken row of windows leads to from the newest full export before it.
        last = max(n for n in windows if n < until)
        newest = max((n for n in fulls if n <= last), default=None)
        assert newest is None or any(n not in windows for n in range(newest, last))
        return
    assert chain[0].start is None
    assert all(after.start == before.end for before, after in pairwise(chain))
    assert chain[-1].end == max(within)
