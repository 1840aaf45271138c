"""Lists that somebody passes."""

from __future__ import annotations

from collections.abc import Iterable

from tableguard.policy.errors import InvalidInputError


def objects(what: str, values: object) -> tuple[object, ...]:
    """The values of a list, which a single one is not.

    Args:
        what: What the values are, for the message.
        values: The list.

    Raises:
        InvalidInputError: It is no list.
    """
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise InvalidInputError(what, value=values, allowed="a list", fix="Put it into a list: […].")
    return tuple(values)
