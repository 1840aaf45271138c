"""Checks of arguments that have to be lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tableguard.policy.errors import InvalidInputError

_FIX: Final = "Put it into a list: […]."


def listed(what: str, values: object, *, allowed: str = "a list", fix: str = _FIX) -> tuple[Any, ...]:
    """Return the values of a list, which may be empty. A string is not a list: its letters would count as values.

    Args:
        what: What the values are, for the message.
        values: The list, or another iterable.
        allowed: What is allowed, for the message.
        fix: How to fix it, for the message.

    Raises:
        InvalidInputError: `values` is not a list.
    """
    if not isinstance(values, Iterable) or not is_list(values):
        raise no_list(what, values, allowed=allowed, fix=fix)
    return tuple(values)


def is_list(values: object) -> bool:
    """Whether `listed` accepts values as a list.

    Args:
        values: The values.
    """
    return isinstance(values, Iterable) and not isinstance(values, str | bytes)


def no_list(what: str, values: object, *, allowed: str = "a list", fix: str = _FIX) -> InvalidInputError:
    """Return the error for values that are not a list.

    Args:
        what: What the values are.
        values: The values.
        allowed: What is allowed.
        fix: How to fix it.
    """
    return InvalidInputError(what, value=values, allowed=allowed, fix=fix)


def texts_of(what: str, values: object) -> tuple[str, ...]:
    """Return the strings of a list, which may be empty. The caller checks the strings themselves.

    Args:
        what: What the values are, for the message.
        values: The list.

    Raises:
        InvalidInputError: `values` is not a list.
    """
    fix = f"Put it into a list: [{values!r}]." if isinstance(values, str) else ""
    return listed(what, values, allowed="a list of strings", fix=fix)
