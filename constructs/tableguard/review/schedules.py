"""How often something happens that a schedule says in its own language."""

from __future__ import annotations

import re
from typing import Final

_RATE: Final = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)")
_CRON: Final = re.compile(r"cron\(\s*([^)]+?)\s*\)")
_MINUTES: Final = {"minute": 1, "hour": 60, "day": 1440}
HOUR: Final = 60
DAY: Final = 1440
_WEEK: Final = 7 * DAY
_MONTH: Final = 31 * DAY
_ANY: Final = ("*", "?")
_FIELDS: Final = 6
# In Sundays' daylight saving time a day has 25 hours; that is left out, as everybody does who says "daily".


def longest_pause(expression: str | None) -> int | None:
    """The longest time between two starts, in minutes; None where the expression is none that is understood.

    Understood are rates, and cron expressions that come down to every so many minutes or hours, some hours of each day,
    one weekday, or one day of the month.

    Args:
        expression: As EventBridge takes it: "rate(1 hour)", "cron(0 5 * * ? *)".
    """
    text = expression or ""
    if found := _RATE.fullmatch(text):
        return int(found[1]) * _MINUTES[found[2]] or None
    cron = _CRON.fullmatch(text)
    fields = cron[1].split() if cron else []
    if len(fields) != _FIELDS:
        return None
    minute, hour, day, month, weekday, year = fields
    if month != "*" or year != "*":
        return None
    within = _within_a_day(minute, hour)
    if within is None:
        return None
    if day in _ANY and weekday in _ANY:
        return within
    if within != DAY:
        return None
    if day in _ANY:
        return _WEEK if re.fullmatch(r"[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT", weekday) else None
    return _MONTH if weekday in _ANY and (day.isdecimal() or day == "L") and day not in ("29", "30", "31") else None


def _within_a_day(minute: str, hour: str) -> int | None:
    """The longest pause that the first two fields make, in minutes."""
    if hour == "*":
        return _longest(_moments(minute, HOUR), HOUR)
    minutes, hours = _moments(minute, HOUR), _moments(hour, DAY // HOUR)
    if minutes is None or hours is None:
        return None
    return _longest([60 * h + m for h in hours for m in minutes], DAY)


def _moments(field: str, end: int) -> list[int] | None:
    """The values that a field lists."""
    if field == "*":
        return list(range(end))
    if found := re.fullmatch(r"(\*|\d+)/(\d+)", field):
        first = 0 if found[1] == "*" else int(found[1])
        return list(range(first, end, int(found[2]))) or None if int(found[2]) else None
    parts = field.split(",")
    return [int(part) for part in parts] if all(p.isdecimal() and int(p) < end for p in parts) else None


def _longest(moments: list[int] | None, end: int) -> int | None:
    if not moments:
        return None
    ordered = sorted(moments)
    return max(b - a for a, b in zip(ordered, [*ordered[1:], ordered[0] + end], strict=True))


def duration(minutes: int) -> str:
    """A time in words: "15 min", "1 h", "3 days".

    Args:
        minutes: In minutes.
    """
    if minutes % DAY == 0 and minutes:
        return days(minutes // DAY)
    if minutes < HOUR:
        return f"{minutes} min"
    hours, rest = divmod(minutes, HOUR)
    return f"{hours} h" + (f" {rest} min" if rest else "")


def days(count: int) -> str:
    """Days in words.

    Args:
        count: How many.
    """
    return f"{count} day{'' if count == 1 else 's'}"
