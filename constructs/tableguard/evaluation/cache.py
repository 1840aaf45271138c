"""A cache by content: equal JSON values share what is made of them, within a fixed amount of memory."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

Made = TypeVar("Made")

# Version 2 of the format writes equal values as equal bytes; later ones depend on who else refers to a text.
_MARSHAL_VERSION: Final = 2
# A policy has eight levels, and at most some thousand parts on one of them.
_DEEPEST: Final = 16
_BROADEST: Final = 100_000
_CONTAINERS: Final = frozenset({dict, list, tuple})


class ContentCache(Generic[Made]):
    """What was made of values, by the values' content. When a generation is full, the one before it is dropped.

    Args:
        make: Makes something of a copy of the value, so that later changes to the value have no effect.
        generation_bytes: How much of source a generation holds; there are two of them. What is made of a policy
            takes some ten times its source.
    """

    def __init__(self, make: Callable[[Any], Made], *, generation_bytes: int) -> None:
        self._make = make
        self._limit = generation_bytes
        self._young: dict[bytes, Made] = {}
        self._old: dict[bytes, Made] = {}
        self._bytes = 0

    def of(self, value: object) -> Made:
        """What is made of any value; one that contains itself, or is far larger than a policy, counts as None."""
        return self.of_json(value if _is_shallow(value) else None)

    def of_json(self, value: Any) -> Made:
        """What is made of a value that cannot contain itself, because it was read from JSON."""
        try:
            key = marshal.dumps(value, _MARSHAL_VERSION)
        except ValueError:
            # Something else than JSON's own types is in it.
            plain: Any = _plain(value, _DEEPEST)
            key = marshal.dumps(plain if _is_shallow(plain) else None, _MARSHAL_VERSION)
        young = self._young
        found = young.get(key)
        if found is not None:
            return found
        found = self._old.get(key)
        if found is None:
            found = self._make(marshal.loads(key))  # noqa: S302 - our own bytes, written just above
        if self._bytes + len(key) > self._limit:
            self._old, self._young, self._bytes = young, {}, 0
        if len(key) <= self._limit:
            self._young[key] = found
            self._bytes += len(key)
        return found


def _is_shallow(value: object) -> bool:
    """Whether it is nested no deeper, and branches no more, than any policy; a structure within itself is not."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(_DEEPEST):
        if not level:
            return True
        inside = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]  # type: ignore[attr-defined]
        if len(inside) > _BROADEST:
            return False
        level = [item for item in inside if type(item) in _CONTAINERS]
    return False


def _plain(value: object, depth: int) -> object:
    """Copy what JSON could hold, however deep; the rest becomes None, which is understood nowhere in a policy."""
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        return {
            str.__str__(key) if isinstance(key, str) else None: _plain(item, depth - 1) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    return value if type(value) in (bool, int, float) else None
