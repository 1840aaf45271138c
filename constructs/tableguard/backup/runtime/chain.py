"""Chooses the exports that a restore loads: one full export, and the increments that join it without a hole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from . import moments
from .errors import BrokenChain, NoBackup

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
    """

    key: str
    table_id: str
    start: datetime | None
    end: datetime
    sealed_at: datetime


def choose(links: Iterable[Link], until: datetime | None) -> tuple[Link, ...]:
    """The full export and the increments, in the order in which they are loaded.

    Of several full exports it takes the one whose increments reach furthest, and of those the newest: an odd export
    that somebody made in between must not cut the chain. Of exports of the same window it takes the one that was sealed
    first.

    Args:
        links: The sealed exports of the table.
        until: The moment to go up to; None means as far as there are exports.

    Raises:
        NoBackup: No full export ends at or before `until`.
        BrokenChain: A window is missing, the table was made anew without a full export since, or there are more than
            MOST_STEPS increments.
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
    joining = [link for link in links if link.start is not None and link.table_id == full.table_id]
    # Every way to a moment is known before a window that starts there is looked at, because windows go forward.
    for link in sorted(joining, key=lambda link: (link.start or link.end, link.end, link.sealed_at, link.key)):
        way = reached.get(link.start or link.end)
        known = reached.get(link.end)
        if way is not None and (known is None or len(way) + 1 < len(known)):
            reached[link.end] = (*way, link)
    return reached[max(reached)]


def _check_whole(chain: Sequence[Link], links: Sequence[Link], until: datetime | None) -> None:
    """Nothing that was sealed lies behind the end of the chain: it would be left out in silence."""
    end = chain[-1].end
    for link in sorted(links, key=lambda link: (link.start or link.end, link.end)):
        # The window that `until` cuts in two is left out as a whole. It is no hole, if the chain leads up to it.
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


def _shown(until: datetime | None) -> str:
    return "now" if until is None else moments.show(until)
