"""Arguments that have to be lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tableguard.policy.errors import InvalidInputError

_FIX: Final = "Put it into a list: […]."


def listed(what: str, values: object, *, allowed: str = "a list", fix: str = _FIX) -> tuple[Any, ...]:
    """The values of a list, which a single one is not. It may be empty.

    A text is none: its letters would be taken for its values.

    Args:
        what: What the values are, for the message.
        values: The list, or whatever else can be gone through.
        allowed: What is allowed, for the message.
        fix: How to get there, for the message.

    Raises:
        InvalidInputError: It is no list.
    """
    if not isinstance(values, Iterable) or not is_list(values):
        raise no_list(what, values, allowed=allowed, fix=fix)
    return tuple(values)


def is_list(values: object) -> bool:
    """Whether values are a list, as `listed` takes it.

    Args:
        values: The values.
    """
    return isinstance(values, Iterable) and not isinstance(values, str | bytes)


def no_list(what: str, values: object, *, allowed: str = "a list", fix: str = _FIX) -> InvalidInputError:
    """The error of values that are no list.

    Args:
        what: What the values are.
        values: The values.
        allowed: What is allowed.
        fix: How to get there.
    """
    return InvalidInputError(what, value=values, allowed=allowed, fix=fix)


def texts_of(what: str, values: object) -> tuple[str, ...]:
    """The texts of a list. It may be empty, and what stands in it is for the caller to check.

    Args:
        what: What the values are, for the message.
        values: The list.

    Raises:
        InvalidInputError: It is no list.
    """
    fix = f"Put it into a list: [{values!r}]." if isinstance(values, str) else ""
    return listed(what, values, allowed="a list of strings", fix=fix)
