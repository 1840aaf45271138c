"""The Condition element: every test in it has to hold.

Sources: IAM User Guide, "Condition operators" (absent keys, IfExists, Null) and "Set operators for multivalued
context keys" (ForAllValues, ForAnyValue).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Protocol

from tableguard.policy.evaluation import values as read
from tableguard.policy.evaluation.match import Context, MalformedError, Match
from tableguard.policy.evaluation.operators import OPERATORS, Comparison, Operator


class Test(Protocol):
    """One operator with one key and its values."""

    def holds(self, context: Context) -> Match:
        """Whether the request's context meets it; None when that cannot be told."""


_ALL: Final = "ForAllValues:"
_ANY: Final = "ForAnyValue:"
_IF_EXISTS: Final = "IfExists"


def scalar_text(value: object) -> str:
    """A value as IAM compares it: JSON's numbers and booleans count as their text.

    Raises:
        MalformedError: If it is neither text, number nor boolean.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        try:
            return str(value)
        except ValueError as error:
            # Python refuses to write out integers of more than some thousand digits.
            raise MalformedError("a number has too many digits") from error
    raise MalformedError(f"{type(value).__name__} is no text, number or boolean")


def compile_condition(block: object, *, variables: bool) -> list[Test]:
    """Compile a Condition element.

    Args:
        block: The element as it stands in the document.
        variables: Whether the policy is of Version 2012-10-17.

    Raises:
        MalformedError: If any part of it is not understood; the rest is then worth nothing, since all tests count.
    """
    # What a document holds was copied into dicts and lists.
    if not isinstance(block, dict):
        raise MalformedError("Condition is no object")
    tests: list[Test] = []
    for name, keys in block.items():
        if not isinstance(keys, dict) or not keys:
            raise MalformedError(f"Condition: {name!r} holds no object of keys and values")
        if len(keys) > 1 and len({str(key).lower() for key in keys}) < len(keys):
            # Whether both count or one wins is documented nowhere, and a Deny must not get lost over it.
            raise MalformedError(f"Condition: {name!r} holds a key twice, in different cases")
        for key, value in keys.items():
            if not isinstance(key, str) or ":" not in key:
                raise MalformedError(f"Condition: {key!r} is no condition key")
            items = value if isinstance(value, (list, tuple)) else [value]
            if not items:
                raise MalformedError(f"Condition: {key!r} is compared with no value")
            tests.append(_compile_test(str(name), key.lower(), [scalar_text(item) for item in items], variables))
    return tests


def _compile_test(name: str, key: str, texts: Sequence[str], variables: bool) -> Test:
    if name == "Null":
        return _Null(key, texts)
    found, kind, absent = _operator(name)
    return kind(key, found.compiler(texts, variables), found.negated, absent=absent)


@lru_cache(maxsize=1024)
def _operator(name: str) -> tuple[Operator, type[_Single], bool]:
    """What the name of an operator says: the operator, how to read several values, and what an absent key means."""
    base = name.removeprefix(_ALL).removeprefix(_ANY) if name.count(":") == 1 else name
    found = OPERATORS.get(base.removesuffix(_IF_EXISTS))
    if found is None:
        raise MalformedError(f"Condition: {name!r} is no condition operator")
    if_exists = base.endswith(_IF_EXISTS)
    if name.startswith(_ALL):
        return found, _ForAllValues, True
    if name.startswith(_ANY):
        # False for negated operators too: there is no value that could differ.
        return found, _ForAnyValue, if_exists
    return found, _Single, found.negated or if_exists


class _Null:
    __slots__ = ("_key", "_wanted")

    def __init__(self, key: str, texts: Sequence[str]) -> None:
        self._key = key
        self._wanted = frozenset(map(read.boolean, texts))
        if None in self._wanted:
            raise MalformedError("Condition: Null compares with something other than true or false")

    def holds(self, context: Context) -> Match:
        return (self._key not in context) in self._wanted


class _Single:
    """An operator without a prefix; `absent` is what it says of a key that the request lacks."""

    __slots__ = ("_absent", "_comparison", "_key", "_negated")

    def __init__(self, key: str, comparison: Comparison, negated: bool, *, absent: bool) -> None:
        self._key = key
        self._comparison = comparison
        self._negated = negated
        self._absent = absent

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return self._absent
        if len(present) != 1:
            # Keys with several values "require" a set operator; what happens without one is documented nowhere.
            return None
        fits = self._comparison.fits(present[0], context)
        return None if fits is None else fits is not self._negated


class _ForAllValues(_Single):
    __slots__ = ()

    def holds(self, context: Context) -> Match:
        unread = False
        # "Also true if there are no keys in the request, or if the key values resolve to a null data set, such as an
        # empty string."
        for value in context.get(self._key, ()):
            fits = self._comparison.fits(value, context) if value else not self._negated
            if fits is None:
                unread = True
            elif fits is self._negated:
                return False
        return None if unread else True


class _ForAnyValue(_Single):
    __slots__ = ()

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return self._absent
        unread = False
        for value in present:
            fits = self._comparison.fits(value, context)
            if fits is None:
                unread = True
            elif fits is not self._negated:
                return True
        return None if unread else False
