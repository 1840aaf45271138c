"""The Condition element: every test in it has to hold.

Sources: IAM User Guide, "Condition operators" (absent keys, IfExists, Null) and "Set operators for multivalued
context keys" (ForAllValues, ForAnyValue).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from tableguard.policy.evaluation import values as read
from tableguard.policy.evaluation.match import Context, MalformedError, Match
from tableguard.policy.evaluation.operators import OPERATORS, Comparison

Test: TypeAlias = Callable[[Context], Match]

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
    if not isinstance(block, Mapping):
        raise MalformedError("Condition is no object")
    tests: list[Test] = []
    for name, keys in block.items():
        if not isinstance(keys, Mapping) or not keys:
            raise MalformedError(f"Condition: {name!r} holds no object of keys and values")
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
        return _null(key, texts)
    base = name.removeprefix(_ALL).removeprefix(_ANY) if name.count(":") == 1 else name
    found = OPERATORS.get(base.removesuffix(_IF_EXISTS))
    if found is None:
        raise MalformedError(f"Condition: {name!r} is no condition operator")
    compare = found.compiler(texts, variables)
    if_exists = base.endswith(_IF_EXISTS)
    if name.startswith(_ALL):
        return _for_all_values(key, compare, found.negated)
    if name.startswith(_ANY):
        return _for_any_value(key, compare, found.negated, if_exists)
    return _single(key, compare, found.negated, found.negated or if_exists)


def _null(key: str, texts: Sequence[str]) -> Test:
    wanted = {read.boolean(text) for text in texts}
    if None in wanted:
        raise MalformedError("Condition: Null compares with something other than true or false")
    return lambda context: (key not in context) in wanted


def _single(key: str, compare: Comparison, negated: bool, absent: bool) -> Test:
    def holds(context: Context) -> Match:
        present = context.get(key)
        if present is None:
            return absent
        if len(present) != 1:
            # Keys with several values "require" a set operator; what happens without one is documented nowhere.
            return None
        fits = compare(present[0], context)
        return fits if not negated or fits is None else not fits

    return holds


def _for_all_values(key: str, compare: Comparison, negated: bool) -> Test:
    def holds(context: Context) -> Match:
        unread = False
        # "Also true if there are no keys in the request, or if the key values resolve to a null data set, such as an
        # empty string."
        for value in context.get(key, ()):
            if not value:
                continue
            fits = compare(value, context)
            if fits is None:
                unread = True
            elif fits is negated:
                return False
        return None if unread else True

    return holds


def _for_any_value(key: str, compare: Comparison, negated: bool, if_exists: bool) -> Test:
    def holds(context: Context) -> Match:
        present = context.get(key)
        if present is None:
            # False even for negated operators: there is no value that could differ.
            return if_exists
        unread = False
        for value in present:
            fits = compare(value, context)
            if fits is None:
                unread = True
            elif fits is not negated:
                return True
        return None if unread else False

    return holds
