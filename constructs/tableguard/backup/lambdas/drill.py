"""The handler of the restore drill: does what came back look like the table that it is a backup of?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from . import moments
from .clients import Context, dynamodb
from .errors import CanaryMissing, Shrunk, Stale
from .records import to_client

_ATTRIBUTE: Final = "written_at"
_SLACK: Final = timedelta(minutes=5)
"""By how much the clocks of the canary's writer, of the exports and of the drill may differ."""


def check(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """See that the backup is not old, that the table has not shrunk since the last drill, that the canary came back.

    A restore that agrees with its exports proves nothing about the exports: those of an emptied table agree too, and
    so do those of a table that nobody has exported for a month, canary and all.

    Args:
        event: `{"restored": {"count", "bytes"} of restore.check, "previous": the same of the last drill or null,
            "largest_fall": the share by which either may fall (0.2), "canary": null or {"table": the restored one,
            "key": DynamoDB JSON, "not_before": ISO moment, or null where any age will do, "attribute": the one with the
            moment of its writing, an ISO text ("written_at")}, "reached": the moment that the backup reaches, or null
            where that is not known, "fresh_at": the moment at which it has to be fresh, "oldest_seconds": by how much
            it may lie before that, "now": the moment of the check}`. Moments are of the machine's clock, in ISO 8601.

    Returns:
        `{"ok": true, "count", "bytes", "canary": the moment of its writing, or null without one}`.

    Raises:
        Stale: The backup reaches a moment too long ago, or one that is still to come.
        Shrunk: Count or bytes fell by more, or to nothing.
        CanaryMissing: The canary is not there, is older, or was written after what the backup reaches.
        ValueError: The event is no such one.
    """
    restored, now = event["restored"], moments.parse(event["now"], what="now")
    reached = moments.parse(event["reached"], what="reached") if event["reached"] else None
    if reached is not None:
        _check_age(reached, moments.parse(event["fresh_at"], what="fresh_at"), event["oldest_seconds"], now)
    _check_size(restored, event.get("previous"), event.get("largest_fall", 0.2))
    canary = event.get("canary")
    written = _canary(canary, not_after=min(reached or now, now) + _SLACK) if canary else None
    return {"ok": True, "count": restored["count"], "bytes": restored["bytes"], "canary": written}


def _check_age(reached: datetime, fresh_at: datetime, oldest_seconds: int, now: datetime) -> None:
    if fresh_at - reached > timedelta(seconds=oldest_seconds):
        raise Stale(
            f"The backup reaches {moments.show(reached)}, more than {oldest_seconds} seconds before "
            f"{moments.show(fresh_at)}: nothing newer was exported, replicated and sealed."
        )
    if reached > now + _SLACK:
        raise Stale(f"The backup says that it reaches {moments.show(reached)}, which is still to come.")


def _check_size(restored: Mapping[str, int], previous: Mapping[str, int] | None, largest_fall: float) -> None:
    if not 0 <= largest_fall < 1:
        raise ValueError(f"largest_fall must be a share from 0 up to but not including 1, not {largest_fall}.")
    for what in ("count", "bytes"):
        before = previous[what] if previous else 0
        if restored[what] < before * (1 - Decimal(str(largest_fall))):  # 0.2 as it is written, not as floats have it
            raise Shrunk(
                f"The {what} fell from {before} to {restored[what]}, by more than the allowed share of {largest_fall}. "
                "If that is meant, raise largest_fall for one drill."
            )


def _canary(canary: Mapping[str, Any], *, not_after: datetime) -> str:
    attribute = canary.get("attribute", _ATTRIBUTE)
    not_before = moments.parse(canary["not_before"], what="not_before") if canary["not_before"] else None
    found = (
        dynamodb().get_item(TableName=canary["table"], Key=to_client(canary["key"]), ConsistentRead=True).get("Item")
    )
    if found is None:
        raise CanaryMissing(
            f"The canary is not in {canary['table']}: the exports do not hold what was written to the table."
        )
    try:
        written = moments.parse(found.get(attribute, {}).get("S"), what=f"{attribute} of the canary")
    except ValueError as error:
        raise CanaryMissing(str(error)) from error
    if not_before is not None and written < not_before:
        raise CanaryMissing(
            f"The canary in {canary['table']} was written at {moments.show(written)}, and should be of "
            f"{moments.show(not_before)} or later: the exports are too old."
        )
    if written > not_after:
        raise CanaryMissing(
            f"The canary in {canary['table']} says that it was written at {moments.show(written)}, after what the "
            "backup reaches: its writer has not written that, and nobody can tell how old it is."
        )
    return moments.show(written)
