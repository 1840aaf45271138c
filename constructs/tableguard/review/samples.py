"""Values of a request's context that may meet a condition or fail it: suggestions, which the evaluation then judges."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Final

from tableguard.evaluation.values import date, number
from tableguard.review.sentences import Test

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case with their values."""

Change = Mapping[str, tuple[str, ...] | None]
"""What to change in a context; None takes a key away."""

TIMES: Final = ("aws:currenttime", "aws:epochtime")
_VARIABLE: Final = re.compile(r"\$\{\s*([^},\s]+)\s*(?:,\s*'([^']*)'\s*)?\}")
_LITERAL: Final = {"*": "*", "?": "?", "$": "$"}
_MOST: Final = 6
_DAY: Final = dt.timedelta(days=1)
ANYWHERE: Final = "203.0.113.113"
"""An address on the internet: one for documentation, which policies are not likely to name."""
_ELSEWHERE: Final = (ANYWHERE, "2001:db8:ffff:ffff::1")
_OTHER: Final = "another-value"


def meeting(test: Test, context: Context) -> Iterator[Change]:
    """Changes after which a condition may hold.

    Args:
        test: The condition.
        context: The context that is to be changed.
    """
    if test.base == "Null":
        yield {test.low_key: None if "true" in map(str.lower, test.values) else (_sample(test.low_key),)}
    elif test.negated:
        yield from _elsewhere(test)
    else:
        yield from _fitting(test, context)


def failing(test: Test, context: Context) -> Iterator[Change]:
    """Changes after which a condition may no longer hold.

    Args:
        test: The condition.
        context: The context that is to be changed.
    """
    if test.base == "Null":
        yield {test.low_key: (_sample(test.low_key),) if "true" in map(str.lower, test.values) else None}
    elif test.negated:
        yield from _fitting(test, context)
    else:
        yield from _elsewhere(test)


def at(moment: dt.datetime) -> Mapping[str, tuple[str, ...]]:
    """The context's keys for a moment.

    Args:
        moment: The moment, with a time zone.
    """
    utc = moment.astimezone(dt.UTC)
    return {TIMES[0]: (utc.strftime("%Y-%m-%dT%H:%M:%SZ"),), TIMES[1]: (str(int(utc.timestamp())),)}


def moment(text: str) -> dt.datetime | None:
    """The moment that a policy's date stands for; None for what is no date.

    Args:
        text: A date as in IAM: ISO 8601, or seconds since 1970.
    """
    nanoseconds = date(text)
    with contextlib.suppress(OverflowError, ValueError, OSError):
        return dt.datetime.fromtimestamp(nanoseconds // 10**9, dt.UTC) if nanoseconds is not None else None
    return None


def _fitting(test: Test, context: Context) -> Iterator[Change]:
    """Changes after which the key has a value that the operator, negated or not, compares as equal."""
    for value in test.values[:_MOST]:
        if test.low_key in TIMES or test.base.startswith("Date"):
            yield from _on_date(test, value)
        elif test.base.startswith("Numeric"):
            yield from _on_number(test, value)
        elif test.base.endswith("IpAddress"):
            yield {test.low_key: (_inside(value),)}
        else:
            yield from _on_text(test, value, context)


def _elsewhere(test: Test) -> Iterator[Change]:
    """Changes after which the key has a value that compares as different, or none."""
    if test.low_key in TIMES or test.base.startswith("Date"):
        for value in test.values[:_MOST]:
            yield from _off_date(test, value)
        return
    yield {test.low_key: None}
    if test.base.endswith("IpAddress"):
        yield from ({test.low_key: (address,)} for address in _ELSEWHERE)
    elif test.base == "Bool":
        yield from ({test.low_key: ("false" if value.lower() == "true" else "true",)} for value in test.values)
    elif test.base.startswith("Numeric"):
        for value in test.values[:_MOST]:
            yield from ({test.low_key: (text,)} for text in _around(value))
    elif test.base.startswith("Arn"):
        yield {test.low_key: ("arn:aws:iam::999999999999:role/another",)}
    else:
        yield {test.low_key: (_OTHER,)}


def _on_text(test: Test, value: str, context: Context) -> Iterator[Change]:
    change: dict[str, tuple[str, ...] | None] = {}

    def filled(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name in _LITERAL:
            return _LITERAL[name]
        key = name.lower()
        known = context.get(key)
        if known is not None and len(known) == 1:
            return known[0]
        if default is not None:
            return str(default)
        change[key] = (_sample(key),)
        return _sample(key)

    pattern = test.base.endswith(("Like", "ArnEquals", "ArnNotEquals"))
    parts = [(_without_wildcards(part) if pattern else part) for part in _between(value)]
    variables = [filled(match) for match in _VARIABLE.finditer(value)]
    text = "".join(a + b for a, b in zip(parts, [*variables, ""], strict=True))
    change[test.low_key] = (text or _sample(test.low_key),)
    yield change


def _between(value: str) -> list[str]:
    """The text before, between and after the variables."""
    parts: list[str] = []
    last = 0
    for match in _VARIABLE.finditer(value):
        parts.append(value[last : match.start()])
        last = match.end()
    return [*parts, value[last:]]


def _without_wildcards(text: str) -> str:
    return text.replace("*", "any").replace("?", "a")


def _on_date(test: Test, value: str) -> Iterator[Change]:
    found = moment(value)
    if found is not None:
        step = _DAY if "Greater" in test.base else -_DAY if "Less" in test.base else dt.timedelta()
        yield from _moved(test, found, step)


def _off_date(test: Test, value: str) -> Iterator[Change]:
    found = moment(value)
    if found is not None:
        yield from _moved(test, found, -_DAY if "Greater" in test.base else _DAY)


def _moved(test: Test, found: dt.datetime, step: dt.timedelta) -> Iterator[Change]:
    with contextlib.suppress(OverflowError):
        moved = at(found + step)
        yield moved if test.low_key in TIMES else {test.low_key: moved[TIMES[0]]}


def _on_number(test: Test, value: str) -> Iterator[Change]:
    below, same, above = _around(value)
    yield {test.low_key: (below if "Less" in test.base else above if "Greater" in test.base else same,)}


def _around(value: str) -> tuple[str, str, str]:
    found = number(value)
    if found is None:
        return value, value, value
    return str(found - 1), value, str(found + 1)


def _inside(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return value
    return str(network[1] if network.num_addresses > 1 else network[0])


def _sample(key: str) -> str:
    """A likely value for a key of which a policy only says that it is there."""
    samples = {
        "aws:sourceip": _ELSEWHERE[0],
        "aws:sourcevpc": "vpc-0example",
        "aws:sourcevpce": "vpce-0example",
        "aws:principalorgid": "o-example",
        "aws:multifactorauthpresent": "true",
        "aws:multifactorauthage": "60",
    }
    return samples.get(key, "example")
