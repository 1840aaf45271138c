"""A short table of what was synthesized: who holds tables, how much is granted, how full the policies are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tableguard.policy.metadata import METADATA_KEY, read
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.reader import get
from tableguard.review.sizes import TABLES, sized


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of its limit a policy uses.

    Args:
        size: Its size; a lower bound where the template leaves values to the deployment.
        limit: Its limit.
    """

    size: int
    limit: int


@dataclass(frozen=True, slots=True)
class StackSummary:
    """One stack.

    Args:
        stack: Its name.
        account: Its account, or "unknown".
        region: Its region, or "unknown".
        tables: How many tables it makes.
        grants: How many grants it makes or uses.
        fullest: The policy that uses most of its limit; None where there is none.
    """

    stack: str
    account: str
    region: str
    tables: int
    grants: int
    fullest: Fill | None


def summarize(stack: SynthesizedStack) -> StackSummary:
    """Sum one stack up.

    Args:
        stack: The stack.
    """
    resources = [r for r in stack.template.get("Resources", {}).values() if isinstance(r, Mapping)]
    fills = [Fill(each.size, each.limit.size) for each in sized([stack])]
    return StackSummary(
        stack=stack.name,
        account=stack.account or "unknown",
        region=stack.region or "unknown",
        tables=sum(resource.get("Type") in TABLES for resource in resources),
        grants=sum(len(read(get(resource, "Metadata", METADATA_KEY)).claims.grants) for resource in resources),
        fullest=max(fills, key=lambda fill: fill.size / fill.limit, default=None),
    )


def rendered(summaries: Iterable[StackSummary]) -> str:
    """The table as text, for a terminal of 80 columns.

    Args:
        summaries: The stacks, in the order of the rows.
    """
    rows = [("stack", "account", "region", "tables", "grants", "policy bytes")]
    rows += [
        (
            _shortened(summary.stack),
            summary.account,
            summary.region,
            str(summary.tables),
            str(summary.grants),
            f"{summary.fullest.size:,} of {summary.fullest.limit:,}" if summary.fullest else "-",
        )
        for summary in summaries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < len(row) // 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _shortened(name: str, width: int = 16) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"
