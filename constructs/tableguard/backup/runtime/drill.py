"""The handler of the restore drill: does what came back look like the table that it is a backup of?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from . import moments
from .clients import Context, dynamodb
from .errors import CanaryMissing, Shrunk
from .records import to_client

_ATTRIBUTE: Final = "written_at"


def check(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """See that the table has not shrunk since the last drill, and that the canary came back.

    A restore that agrees with its exports proves nothing about the exports: those of an emptied table agree too.

    Args:
        event: `{"restored": {"count", "bytes"} of restore.check, "previous": the same of the last drill or null,
            "largest_fall": the share by which either may fall (0.2), "canary": null or {"table": the restored one,
            "key": DynamoDB JSON, "not_before": ISO moment, or null where any age will do, "attribute": the one with the
            moment of its writing, an ISO text ("written_at")}}`.

    Returns:
        `{"ok": true, "count", "bytes", "canary": the moment of its writing, or null without one}`.

    Raises:
        Shrunk: Count or bytes fell by more, or to nothing.
        CanaryMissing: The canary is not there, or is older.
        ValueError: The event is no such one.
    """
    restored = event["restored"]
    _check_size(restored, event.get("previous"), event.get("largest_fall", 0.2))
    canary = event.get("canary")
    written = _canary(canary) if canary else None
    return {"ok": True, "count": restored["count"], "bytes": restored["bytes"], "canary": written}


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


def _canary(canary: Mapping[str, Any]) -> str:
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
    return moments.show(written)
