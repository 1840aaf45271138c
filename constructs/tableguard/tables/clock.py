"""The one clock of a synthesis."""

from __future__ import annotations

import datetime as dt

from constructs import IConstruct

from tableguard.policy import InvalidInputError

TODAY_CONTEXT = "tableguard:today"


def today(scope: IConstruct) -> dt.date:
    """Today's date in UTC, or the one that the context says, so that a synthesis can be repeated.

    Set it with `--context tableguard:today=2027-01-31`.

    Args:
        scope: A construct of the app.

    Raises:
        InvalidInputError: The context holds something else than a date.
    """
    said = scope.node.try_get_context(TODAY_CONTEXT)
    if said is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(said)
    except (TypeError, ValueError):
        raise InvalidInputError(f"the context {TODAY_CONTEXT}", value=said, allowed='a date: "2027-01-31"') from None
