"""Finds windows that are missing from the catalogue, before a restore does.

An increment may arrive before the one that it joins, so nothing is said of one that was sealed a moment ago. What has
not come six hours later is lost, or stopped: its objects were not replicated, or its sealing fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from . import catalogue, moments, storage
from .chain import Link
from .records import FULL

LATE: Final = timedelta(hours=6)
"""How long an export may be sealed before what comes before its window is missed."""
_LOOKED_AT: Final = timedelta(days=3)  # a gap that a later full export has mended is told for as long
_SHOWN: Final = 20  # gaps that are named
_MOST_METRICS: Final = 300  # at a time: CloudWatch takes 1,000, but no state more than 256 KiB
_MOST_COUNTS: Final = 1_200  # of the longest names, for the same reason


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing before an increment.

    Args:
        start: The end of what is sealed before; None if no full export is.
        end: The start of the increment that joins nothing.
    """

    start: datetime | None
    end: datetime

    def __str__(self) -> str:
        """The window, in words."""
        end = moments.show(self.end)
        if self.start is None:
            return f"every full export up to {end} is missing"
        return f"the window from {moments.show(self.start)} to {end} is missing"


def gaps(links: Iterable[Link], *, now: datetime) -> list[Gap]:
    """The windows that are missing, in the order of time.

    What lies before the first full export of a table joins nothing, and nobody expects it to.

    Args:
        links: Sealed exports of one name of a table.
        now: The moment.
    """
    by_table: dict[str, list[Link]] = {}
    for link in links:
        by_table.setdefault(link.table_id, []).append(link)
    found = (gap for exports in by_table.values() for gap in _of_table(exports, now - LATE))
    return sorted(found, key=lambda gap: gap.end)


def _of_table(links: list[Link], sealed_before: datetime) -> Iterator[Gap]:
    first = min((link.end for link in links if link.start is None), default=None)
    reached: set[datetime] = set()
    missed: set[datetime] = set()
    # At a moment, the full export comes before the windows that start there.
    for link in sorted(links, key=lambda link: (link.start or link.end, link.start is not None, link.end)):
        start = link.start
        if start is None or start in reached or (first is not None and start < first):
            reached.add(link.end)
            continue
        if link.sealed_at <= sealed_before and start not in missed:
            missed.add(start)
            yield Gap(max((moment for moment in reached if moment < start), default=None), start)
        # What follows joins this one: one gap is told once.
        reached.add(link.end)


def missing_windows(s3: Any, sealed: str, *, now: datetime) -> dict[str, Any]:
    """How many windows are missing of each table that something was sealed of lately.

    Args:
        s3: The client.
        sealed: The sealed bucket.
        now: The moment.

    Returns:
        `{"counts": [[{"account", "missing"} or {"account", "table", "missing"}, …], …], "holes": [text, …]}`: as many
        counts at a time as a request takes, and as many as an answer does, those with gaps before the others. A table
        is that of all regions, as in the other metrics; the texts name account, region, table and window, of 20 at
        most.
    """
    accounts: dict[str, int] = {}
    tables: dict[tuple[str, str], int] = {}
    told: list[str] = []
    for source in _sources(s3, sealed):
        account, _, table = source.split("/")
        found = gaps(_links(s3, sealed, source, now), now=now)
        accounts[account] = accounts.get(account, 0) + len(found)
        tables[account, table] = tables.get((account, table), 0) + len(found)
        told += [f"{source}: {gap}" for gap in found]
    counts: list[dict[str, Any]] = [
        *({"account": account, "missing": missing} for account, missing in accounts.items()),
        *({"account": account, "table": table, "missing": missing} for (account, table), missing in tables.items()),
    ]
    # Where there are too many, those are left out of which nothing is missing: an alarm keeps what it was told last.
    counts = sorted(counts, key=lambda count: count["missing"] == 0)[:_MOST_COUNTS]
    batches = [counts[start : start + _MOST_METRICS] for start in range(0, len(counts), _MOST_METRICS)]
    return {"counts": batches, "holes": told[:_SHOWN]}


def _sources(s3: Any, sealed: str) -> Iterator[str]:
    for account in storage.folders(s3, sealed, catalogue.PREFIX):
        for region in storage.folders(s3, sealed, account):
            for table in storage.folders(s3, sealed, region):
                yield table.removeprefix(catalogue.PREFIX).removesuffix("/")


def _links(s3: Any, sealed: str, source: str, now: datetime) -> list[Link]:
    """The exports since the last full export that is older than what is looked at."""
    known = list(catalogue.entries(s3, sealed, source, since=now - catalogue.OLDEST))
    names = {version.key: catalogue.name_of(version.key) for version in known}
    old = [name.end for name in names.values() if name.kind == FULL and name.end <= now - _LOOKED_AT]
    start = max(old, default=None)

    def link(version: storage.Version) -> Link:
        return catalogue.link_of(version, catalogue.read(s3, sealed, version))

    return storage.in_parallel(link, [each for each in known if start is None or names[each.key].end >= start])
