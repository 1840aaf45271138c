"""Whether an event matches the pattern of an EventBridge rule, for the parts of patterns that rules here use.

Source: EventBridge user guide, "Creating event patterns" and "Comparison operators in event patterns".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event matches; an operator that is not known here is an error, and so is a value that is no list."""
    return all(
        any(matches(each, event) for each in expected) if key == "$or" else _field(expected, event, key)
        for key, expected in pattern.items()
    )


def _field(expected: Any, event: Any, key: str) -> bool:
    if not isinstance(event, Mapping) or event.get(key) is None:
        return False
    found = event[key]
    if isinstance(expected, Mapping):
        return any(matches(expected, each) for each in (found if isinstance(found, list) else [found]))
    assert isinstance(expected, list), f"the value of {key} is no list: {expected!r}"
    values = found if isinstance(found, list) else [found]
    return any(_value(test, value) for test in expected for value in values)


def _value(test: Any, value: Any) -> bool:
    match test:
        case {"prefix": str() as prefix, **others} if not others:
            return isinstance(value, str) and value.startswith(prefix)
        case {"anything-but": list() as others_but, **others} if not others:
            return value not in others_but
        case Mapping():
            raise AssertionError(f"an operator that is not known: {test!r}")
    return bool(test == value)
