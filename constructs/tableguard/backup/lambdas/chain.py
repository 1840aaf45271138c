"""Chooses the exports that a restore loads: one full export, and the increments that join it without a gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from . import moments
from .errors import BrokenChain, NoBackup
from .item_digest import ItemDigest

MOST_STEPS: Final = 100  # increments are loaded one after the other


@dataclass(frozen=True, slots=True)
class Link:
    """What the choice needs to know of a sealed export.

    Args:
        key: The key of its catalogue entry.
        table_id: The id of its table.
        start: The start of an increment's window, which is in it; None for a full export.
        end: The end of the window, which is not in it; the moment of a full export.
        sealed_at: When it was sealed.
        effect: What it adds to the table; nothing, if it is left out.
    """

    key: str
    table_id: str
    start: datetime | None
    end: datetime
    sealed_at: datetime
    effect: ItemDigest = field(default_factory=ItemDigest)


def choose(links: Iterable[Link], until: datetime | None, *, trusted: bool = False) -> tuple[Link, ...]:
    """The full export and the increments, in the order in which they are loaded.

    Of several full exports it takes the one whose increments reach furthest, and of those the newest: an odd export
    that somebody made in between must not cut the chain. Of exports of the same window it takes the one that was sealed
    first.

    Whoever holds the table's account can have exports sealed that are not true: of moments long ago, a false full
    export between two windows, or one window over several. They cannot take away what was sealed before, and so they
    contradict it. What contradicts itself is not restored, unless somebody has said up to when the vault is trusted.

    Args:
        links: The sealed exports of the table.
        until: The moment to go up to; None means as far as there are exports.
        trusted: Whether somebody has chosen these exports by the time at which they were sealed.

    Raises:
        NoBackup: No full export ends at or before `until`.
        BrokenChain: A window is missing, the table was made anew without a full export since, there are more than
            MOST_STEPS increments, or the exports contradict each other.
    """
    found = sorted(links, key=lambda link: (link.end, link.sealed_at, link.key))
    within = [link for link in found if until is None or link.end <= until]
    fulls = _one_each([link for link in within if link.start is None])
    if not fulls:
        oldest = next((moments.show(link.end) for link in found if link.start is None), None)
        known = f"The oldest is of {oldest}." if oldest else "There is none at all."
        raise NoBackup(f"No full export of the table is sealed up to {_shown(until)}. {known}")
    chains = [_follow(full, within) for full in fulls]
    best = max(chains, key=lambda chain: (chain[-1].end, chain[0].end))
    _check_whole(best, [link for link in found if until is None or (link.start or link.end) < until], until)
    if len(best) - 1 > MOST_STEPS:
        raise BrokenChain(
            f"The chain from {moments.show(best[0].end)} has {len(best) - 1} increments, and at most {MOST_STEPS} are "
            "replayed: it is too long. Seal a later full export."
        )
    if not trusted:
        _check_one_at_a_time(best[0].table_id, found)
        _check_agreement(best, [link for link in found if link.table_id == best[0].table_id])
    return best


def _one_each(links: Sequence[Link]) -> list[Link]:
    """One for each window and table: the one that was sealed first."""
    first: dict[tuple[datetime | None, datetime, str], Link] = {}
    for link in links:
        first.setdefault((link.start, link.end, link.table_id), link)
    return list(first.values())


def _follow(full: Link, links: Sequence[Link]) -> tuple[Link, ...]:
    """The full export and the increments that lead furthest from it, in as few steps as there are ways to get there."""
    reached: dict[datetime, tuple[Link, ...]] = {full.end: (full,)}
    increments = [link for link in links if link.start is not None and link.table_id == full.table_id]
    # Every way to a moment is known before a window that starts there is looked at, because windows go forward.
    for link in sorted(increments, key=lambda link: (link.start or link.end, link.end, link.sealed_at, link.key)):
        way = reached.get(link.start or link.end)
        known = reached.get(link.end)
        if way is not None and (known is None or len(way) + 1 < len(known)):
            reached[link.end] = (*way, link)
    return reached[max(reached)]


def _check_whole(chain: Sequence[Link], links: Sequence[Link], until: datetime | None) -> None:
    """Nothing that was sealed lies behind the end of the chain: it would be left out in silence."""
    end = chain[-1].end
    for link in sorted(links, key=lambda link: (link.start or link.end, link.end)):
        # The window that `until` cuts in two is left out as a whole. It is no gap, if the chain leads up to it.
        cut = until is not None and link.end > until
        if link.start is None or link.end <= end or (cut and link.start <= end):
            continue
        if link.table_id != chain[0].table_id:
            raise BrokenChain(
                f"The chain ends at {moments.show(end)}. The increments after it are of another table of that name "
                f"(its id is {link.table_id}), which has no full export yet. Take an `until` up to {moments.show(end)}."
            )
        raise BrokenChain(
            f"The window from {moments.show(end)} to {moments.show(link.start)} is missing, and the one from "
            f"{moments.show(link.start)} to {moments.show(link.end)} does not join. Seal the missing one, or take an "
            f"`until` up to {moments.show(end)}."
            if link.start > end
            else f"No window starts at {moments.show(end)}, where the chain ends, and the one from "
            f"{moments.show(link.start)} to {moments.show(link.end)} does not join. Take an `until` up to "
            f"{moments.show(end)}."
        )


def _check_one_at_a_time(table_id: str, links: Iterable[Link]) -> None:
    """A table that was made anew begins after the one before it ended: no two of a name are there at once."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for link in links:
        first, last = spans.get(link.table_id, (link.start or link.end, link.end))
        spans[link.table_id] = (min(first, link.start or link.end), max(last, link.end))
    begins, ends = spans.pop(table_id)
    for other, (first, last) in spans.items():
        if first <= ends and begins <= last:
            raise BrokenChain(
                f"The sealed exports contradict each other: those of the table with the id {table_id} are of "
                f"{moments.show(begins)} to {moments.show(ends)}, and those of another table of that name, {other}, of "
                f"{moments.show(first)} to {moments.show(last)}. {_TRUST}"
            )


def _check_agreement(chain: Sequence[Link], links: Sequence[Link]) -> None:
    """Every way to a moment of the chain says the same of the table, and none was put into a window afterwards."""
    ways = _ways(links)
    for link in chain:
        if len(said := ways[link.end]) > 1:
            named = " and ".join(f"{one.key} (sealed {moments.show(one.sealed_at)})" for one in said.values())
            raise BrokenChain(
                f"The sealed exports contradict each other about {moments.show(link.end)}: {named} lead to different "
                f"contents. {_TRUST}"
            )
        for other in links:
            around = other.start is not None and other.start < link.end < other.end and other.start in ways
            if around and other.sealed_at < link.sealed_at:
                raise BrokenChain(
                    f"{link.key} is of a moment inside of the window of {other.key}, and was sealed "
                    f"{moments.show(link.sealed_at)}, after it: nothing confirms what it holds. {_TRUST}"
                )


def _ways(links: Iterable[Link]) -> dict[datetime, dict[tuple[int, int], Link]]:
    """For each moment that a full export leads to: what the table holds then, by the last step of a way there.

    Two that differ are enough to know that there is a contradiction, and of two there are two at every moment after.
    """
    ways: dict[datetime, dict[tuple[int, int], Link]] = {}
    # At a moment, the full export comes before the windows that start there, and after those that end there.
    for link in sorted(links, key=lambda link: (link.start or link.end, link.start is not None, link.sealed_at)):
        before = [(0, 0)] if link.start is None else list(ways.get(link.start, ()))
        for count, digest in before:
            after = ItemDigest(count, digest) + link.effect
            said = ways.setdefault(link.end, {})
            if len(said) < _CONTRADICTION:
                said.setdefault((after.count, after.digest), link)
    return ways


_CONTRADICTION: Final = 2  # contents of one moment
_TRUST: Final = (
    "Say with `sealed_by` up to when what was sealed is to be trusted: before the account of the table was taken over, "
    "or now if it was not."
)


def _shown(until: datetime | None) -> str:
    return "now" if until is None else moments.show(until)
