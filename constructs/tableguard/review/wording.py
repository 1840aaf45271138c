"""Conditions in a reviewer's words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from tableguard.review.samples import TIMES, moment
from tableguard.review.sentences import Test

_ONE_DAY: Final = dt.timedelta(days=1)
_KEYS: Final[Mapping[str, str]] = {
    "dynamodb:leadingkeys": "partition keys",
    "dynamodb:secondpartitionkeyvalues": "partition keys (attribute 2)",
    "dynamodb:thirdpartitionkeyvalues": "partition keys (attribute 3)",
    "dynamodb:fourthpartitionkeyvalues": "partition keys (attribute 4)",
}
_ATTRIBUTES: Final = "dynamodb:attributes"
# Who the principal is, and what goes without saying.
_UNSAID: Final = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice",
     "aws:principalservicename", "aws:principalservicenameslist", "aws:userid", "aws:username",
     "aws:securetransport", "aws:requestedregion", "aws:resourceaccount"}
)  # fmt: skip
_CALLERS: Final = frozenset({"aws:principalarn", "aws:principalaccount", "aws:userid", "aws:username"})
_WITH_ATTRIBUTES: Final = frozenset({"dynamodb:select", "dynamodb:returnvalues"})
_PLACES: Final[Mapping[str, str]] = {
    "aws:sourcevpce": "through",
    "aws:sourcevpc": "from",
    "aws:sourceip": "from",
    "aws:vpcsourceip": "from",
    "aws:sourcevpcarn": "from",
    "aws:principalorgid": "in",
    "aws:principalorgpaths": "in",
    "aws:sourceaccount": "for account",
    "aws:sourcearn": "for",
    "aws:calledvialast": "through",
    "aws:calledviafirst": "through",
    "aws:calledvia": "through",
}
_SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "aws:viaawsservice": ("through an AWS service", "not through an AWS service"),
    "aws:multifactorauthpresent": ("with MFA", "without MFA"),
}


def phrases(tests: Sequence[Test], *, holds: bool = True, callers: bool = False) -> tuple[str, ...]:
    """Say what conditions ask of a request. Dates are left to `ends`.

    Args:
        tests: The conditions of one statement.
        holds: False to say the opposite, as a Deny's conditions must not hold.
        callers: Whether to say those as well that only say who makes the request.
    """
    unsaid = _UNSAID - _CALLERS if callers else _UNSAID
    compared = {test.low_key for test in tests if test.base != "Null"}
    said = []
    for test in tests:
        redundant = (test.base == "Null" and test.low_key in compared) or (
            test.low_key in _WITH_ATTRIBUTES and _ATTRIBUTES in compared
        )
        if test.low_key not in unsaid and test.low_key not in TIMES and not redundant:
            said.append(_phrase(test, holds=holds is not test.negated))
    return tuple(dict.fromkeys(said))


def ends(tests: Iterable[Test], *, holds: bool = True) -> dt.datetime | None:
    """The first moment at which conditions on the time no longer hold; None where they have no end.

    Args:
        tests: The conditions of one statement.
        holds: False for a Deny's conditions, which must not hold.
    """
    # One of several values is enough for a test to hold.
    return min(_moments(tests, "Less", max) if holds else _moments(tests, "Greater", min), default=None)


def begins(tests: Iterable[Test], *, holds: bool = True) -> dt.datetime | None:
    """The moment from which conditions on the time hold; None where they always did.

    Args:
        tests: The conditions of one statement.
        holds: False for a Deny's conditions, which must not hold.
    """
    return max(_moments(tests, "Greater", min) if holds else _moments(tests, "Less", max), default=None)


def last_day(end: dt.datetime) -> dt.date:
    """The last day, in UTC, of which something is before a moment."""
    return (end - dt.timedelta(microseconds=1)).date()


def until(end: dt.datetime, today: dt.date) -> str:
    """An end in words: "until 2027-01-31 (71 days left)".

    Args:
        end: The first moment at which access is over.
        today: The day of the review.
    """
    day = last_day(end)
    left = (day - today).days
    clock = "" if end.time() == dt.time() else f" {end:%H:%M} UTC"
    if left < 0:
        return f"ended {day.isoformat()}{clock} ({_days(-left)} ago)"
    return f"until {day.isoformat()}{clock} ({_days(left)} left)"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _moments(
    tests: Iterable[Test], side: str, among: Callable[[list[dt.datetime]], dt.datetime]
) -> Iterator[dt.datetime]:
    """The moment of each test on a side of it: the first or the last among its values."""
    for test in tests:
        if test.low_key in TIMES and side in test.base:
            known = [found for found in map(moment, test.values) if found is not None]
            if known:
                yield among(known)


def _phrase(test: Test, *, holds: bool) -> str:
    """One condition in words; `holds` says whether the values are to fit, whatever the operator."""
    for known, say in _SAYINGS:
        if known(test):
            return say(test, holds)
    values = ", ".join(test.values)
    return f"{test.key} {'is' if holds else 'is not'} {_comparison(test)}{values}"


def _comparison(test: Test) -> str:
    for word, said in (
        ("LessThanEquals", "at most "),
        ("GreaterThanEquals", "at least "),
        ("LessThan", "less than "),
        ("GreaterThan", "more than "),
        ("Like", "like "),
    ):
        if test.base.endswith(word):
            return said
    return ""


def _presence(test: Test, holds: bool) -> str:  # noqa: FBT001 - called from a table
    absent = ("true" in map(str.lower, test.values)) is holds
    return f"{'without' if absent else 'with'} {test.key}"


def _keys(test: Test, holds: bool) -> str:  # noqa: FBT001
    prefixes = [value[:-1] for value in test.values if value.endswith("*") and not set("*?") & set(value[:-1])]
    verb = "starting with " if test.base.endswith("Like") and len(prefixes) == len(test.values) else ""
    values = prefixes if verb else test.values
    verb = verb or ("like " if test.base.endswith("Like") and any(set("*?") & set(v) for v in values) else "")
    return f"{'' if holds else 'no '}{_KEYS[test.low_key]} {verb}{', '.join(values)}"


def _attributes(test: Test, holds: bool) -> str:  # noqa: FBT001
    return f"{'' if holds else 'no '}attributes {', '.join(test.values)}"


def _place(test: Test, holds: bool) -> str:  # noqa: FBT001
    return f"{'only' if holds else 'not'} {_PLACES[test.low_key]} {', '.join(test.values)}"


def _switch(test: Test, holds: bool) -> str:  # noqa: FBT001
    on, off = _SWITCHES[test.low_key]
    return on if ("true" in map(str.lower, test.values)) is holds else off


def _tag(test: Test, holds: bool) -> str:  # noqa: FBT001
    which = test.key.partition("/")[2]
    return f"callers {'' if holds else 'not '}tagged {which} = {', '.join(test.values)}"


def _caller(test: Test, holds: bool) -> str:  # noqa: FBT001
    return f"{'only' if holds else 'not'} for {', '.join(test.values)}"


_SAYINGS: Final[tuple[tuple[Callable[[Test], bool], Callable[[Test, bool], str]], ...]] = (
    (lambda test: test.base == "Null", _presence),
    (lambda test: test.low_key in _KEYS, _keys),
    (lambda test: test.low_key == _ATTRIBUTES, _attributes),
    (lambda test: test.low_key in _PLACES, _place),
    (lambda test: test.low_key in _SWITCHES, _switch),
    (lambda test: test.low_key.startswith("aws:principaltag/"), _tag),
    (lambda test: test.low_key in _CALLERS, _caller),
)
