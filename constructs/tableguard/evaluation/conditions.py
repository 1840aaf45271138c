"""The Condition element: every test in it has to hold.

Sources: IAM User Guide, "Condition operators" (absent keys, IfExists, Null) and "Single-valued vs. multivalued context
keys" (ForAllValues, ForAnyValue); "policy check reference" is its "IAM Access Analyzer policy check reference". `Open`
lists what they leave open.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from tableguard.aws.condition_keys import MULTIVALUED
from tableguard.evaluation import values as read
from tableguard.evaluation.condition_tests import (
    NOTHING,
    Always,
    ForAllValues,
    ForAnyValue,
    Name,
    NoValues,
    Null,
    Single,
    Test,
    Unqualified,
    WithVariables,
)
from tableguard.evaluation.match import MalformedError, Match
from tableguard.evaluation.open_answers import Open
from tableguard.evaluation.operators import OPERATORS, check_one_boolean
from tableguard.evaluation.variables import parse, variables_of

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
    if not block:
        raise MalformedError("Condition", Open.EMPTY_CONDITION)
    tests: list[Test] = []
    for name, keys in block.items():
        if not isinstance(keys, dict) or not keys:
            raise MalformedError(f"Condition: {name!r} holds no object of keys and values")
        operator = _operator(str(name))
        if len(keys) > 1 and len({str(key).lower() for key in keys}) < len(keys):
            # "Error - Duplicate keys with different case" (IAM Access Analyzer policy check reference).
            raise MalformedError(f"Condition: {name!r} holds a key twice, in different cases")
        for key, value in keys.items():
            if not isinstance(key, str) or ":" not in key:
                raise MalformedError(f"Condition: {key!r} is no condition key")
            items = value if isinstance(value, (list, tuple)) else [value]
            try:
                tests.append(_compile_test(operator, key, [scalar_text(item) for item in items], variables))
            except MalformedError as error:
                raise MalformedError(f"Condition: {name} {key}: {error}", error.answer) from error
    return tests


def _compile_test(name: Name, key: str, texts: Sequence[str], variables: bool) -> Test:
    found = name.operator
    if found is None:
        return _null(name, key, texts, variables)
    if not texts:
        if name.kind is Single and not name.if_exists:
            raise MalformedError("no value", Open.EMPTY_LIST)
        return NoValues(name, key, NOTHING)
    kind = name.kind
    if kind is Single and key.lower() in MULTIVALUED:
        kind = Unqualified
    test = kind(name, key, found.compiler(texts, variables))
    if variables:
        # A generator would take longer than the rest of this.
        for text in texts:
            if "${" in text:
                return _with_variables(test, texts, name, key)
    return test


def _with_variables(test: Single, texts: Sequence[str], name: Name, key: str) -> Test:
    held = variables_of(piece for text in texts for piece in parse(text, variables=True))
    return WithVariables(test, held, name, key) if held else test


@lru_cache(maxsize=1024)
def _operator(name: str) -> Name:
    bare = name.removeprefix(_ALL).removeprefix(_ANY) if name.count(":") == 1 else name
    base = bare.removesuffix(_IF_EXISTS)
    if_exists = base != bare
    kind = ForAllValues if name.startswith(_ALL) else ForAnyValue if name.startswith(_ANY) else Single
    if base == "Null":
        if if_exists:
            # "Error - Null with if exists: The Null condition operator cannot be used with the IfExists suffix" (policy
            # check reference).
            raise MalformedError(f"Condition: {name!r}: Null cannot end in IfExists")
        return Name(written=name, operator=None, negated=False, kind=kind, if_exists=False, absent=None)
    found = OPERATORS.get(base)
    if found is None:
        raise MalformedError(f"Condition: {name!r} is no condition operator")
    if kind is ForAllValues:
        absent: Match = True
    elif kind is ForAnyValue:
        # False for negated operators too: "if the key does not exist, the condition returns false".
        absent = None if if_exists else False
    else:
        absent = found.negated or if_exists
    return Name(written=name, operator=found, negated=found.negated, kind=kind, if_exists=if_exists, absent=absent)


def _null(name: Name, key: str, texts: Sequence[str], variables: bool) -> Test:
    if not texts:
        raise MalformedError("no value", Open.EMPTY_LIST)
    check_one_boolean(texts)
    wanted = read.boolean(texts[0])
    if wanted is None:
        variable = variables and "${" in texts[0]
        raise MalformedError(
            f"{texts[0]!r} is neither true nor false", Open.VARIABLE_FOR_OPERATOR if variable else Open.BOOLEAN_FORMAT
        )
    if name.kind is Single:
        return Null(key, wanted=wanted)
    # "When you use the Null condition operator with ForAllValues, the statement always returns true. When you use the
    # Null condition operator with ForAnyValue, the statement always returns false" (policy check reference, "Null with
    # qualifier").
    return Always(holds=name.kind is ForAllValues)
