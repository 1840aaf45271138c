"""The moment for which something is decided where only a day is said."""

from __future__ import annotations

import datetime as dt
from typing import Final

_NOON: Final = dt.time(12, tzinfo=dt.UTC)


def noon(day: dt.date) -> dt.datetime:
    """Noon of a day in UTC: in the midst of it, so that neither its first nor its last moment decides.

    Args:
        day: The day.
    """
    return dt.datetime.combine(day, _NOON)
