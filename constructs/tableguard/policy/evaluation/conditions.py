"""The Condition element: every test in it has to hold.

Sources: IAM User Guide, "Condition operators" (absent keys, IfExists, Null) and "Single-valued vs. multivalued context
keys" (ForAllValues, ForAnyValue); "policy check reference" is its "IAM Access Analyzer policy check reference". `Open`
lists what they leave open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from tableguard.policy.evaluation import values as read
from tableguard.policy.evaluation.match import Context, Doubt, MalformedError, Match
from tableguard.policy.evaluation.multivalued import MULTIVALUED
from tableguard.policy.evaluation.open_answers import Open
from tableguard.policy.evaluation.operators import OPERATORS, Comparison, Operator, check_one_boolean
from tableguard.policy.evaluation.variables import Variable, doubt_of, parse, variables_of


class Test(Protocol):
    """One operator with one key and its values."""

    def holds(self, context: Context) -> Match:
        """Whether the request's context meets it; None when that cannot be told."""

    def doubt(self, context: Context) -> Doubt | None:
        """Why that cannot be told; None where it can."""


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


def _compile_test(name: _Name, key: str, texts: Sequence[str], variables: bool) -> Test:
    found = name.operator
    if found is None:
        return _null(name, key, texts, variables)
    if not texts:
        if name.kind is _Single and not name.if_exists:
            raise MalformedError("no value", Open.EMPTY_LIST)
        return _NoValues(name, key, _NOTHING)
    kind = name.kind
    if kind is _Single and key.lower() in MULTIVALUED:
        kind = _Unqualified
    test = kind(name, key, found.compiler(texts, variables))
    if variables:
        # A generator would take longer than the rest of this.
        for text in texts:
            if "${" in text:
                return _with_variables(test, texts, name, key)
    return test


def _with_variables(test: _Single, texts: Sequence[str], name: _Name, key: str) -> Test:
    held = variables_of(piece for text in texts for piece in parse(text, variables=True))
    return _WithVariables(test, held, name, key) if held else test


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """What the name of an operator says.

    Args:
        written: The name.
        operator: The operator; None for Null.
        negated: Whether the operator is negated.
        kind: How to read several values.
        if_exists: Whether it ends in IfExists.
        absent: What it says of a key that the request lacks; None where AWS documents no answer.
    """

    written: str
    operator: Operator | None
    negated: bool
    kind: type[_Single]
    if_exists: bool
    absent: Match


@lru_cache(maxsize=1024)
def _operator(name: str) -> _Name:
    bare = name.removeprefix(_ALL).removeprefix(_ANY) if name.count(":") == 1 else name
    base = bare.removesuffix(_IF_EXISTS)
    if_exists = base != bare
    kind = _ForAllValues if name.startswith(_ALL) else _ForAnyValue if name.startswith(_ANY) else _Single
    if base == "Null":
        if if_exists:
            # "Error - Null with if exists: The Null condition operator cannot be used with the IfExists suffix" (policy
            # check reference).
            raise MalformedError(f"Condition: {name!r}: Null cannot end in IfExists")
        return _Name(written=name, operator=None, negated=False, kind=kind, if_exists=False, absent=None)
    found = OPERATORS.get(base)
    if found is None:
        raise MalformedError(f"Condition: {name!r} is no condition operator")
    if kind is _ForAllValues:
        absent: Match = True
    elif kind is _ForAnyValue:
        # False for negated operators too: "if the key does not exist, the condition returns false".
        absent = None if if_exists else False
    else:
        absent = found.negated or if_exists
    return _Name(written=name, operator=found, negated=found.negated, kind=kind, if_exists=if_exists, absent=absent)


def _null(name: _Name, key: str, texts: Sequence[str], variables: bool) -> Test:
    if not texts:
        raise MalformedError("no value", Open.EMPTY_LIST)
    check_one_boolean(texts)
    wanted = read.boolean(texts[0])
    if wanted is None:
        variable = variables and "${" in texts[0]
        raise MalformedError(
            f"{texts[0]!r} is neither true nor false", Open.VARIABLE_FOR_OPERATOR if variable else Open.BOOLEAN_FORMAT
        )
    if name.kind is _Single:
        return _Null(key, wanted=wanted)
    # "When you use the Null condition operator with ForAllValues, the statement always returns true. When you use the
    # Null condition operator with ForAnyValue, the statement always returns false" (policy check reference, "Null with
    # qualifier").
    return _Always(holds=name.kind is _ForAllValues)


class _Always:
    __slots__ = ("_holds",)

    def __init__(self, *, holds: bool) -> None:
        self._holds = holds

    def holds(self, context: Context) -> Match:
        return self._holds

    def doubt(self, context: Context) -> Doubt | None:
        return None


class _Null:
    __slots__ = ("_key", "_shown", "_wanted")

    def __init__(self, key: str, *, wanted: bool) -> None:
        self._shown = key
        self._key = key.lower()
        self._wanted = wanted

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return self._wanted
        return not self._wanted if present[0] or any(present) else None

    def doubt(self, context: Context) -> Doubt | None:
        return _open("Null", self._shown, Open.NULL_OF_EMPTY_TEXT) if self.holds(context) is None else None


class _Single:
    """An operator without a prefix."""

    __slots__ = ("_absent", "_comparison", "_key", "_name", "_negated", "_shown")

    def __init__(self, name: _Name, key: str, comparison: Comparison) -> None:
        self._name = name.written
        self._shown = key
        self._key = key.lower()
        self._comparison = comparison
        self._negated = name.negated
        self._absent = name.absent

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return self._absent
        if len(present) != 1:
            return None
        fits = self._comparison.fits(present[0], context)
        return None if fits is None else fits is not self._negated

    def doubt(self, context: Context) -> Doubt | None:
        """Why it cannot be told whether it holds; None where it can."""
        if self.holds(context) is not None:
            return None
        answer = self._open(context.get(self._key))
        if answer is not None:
            return self.open(answer)
        return f"{self._name} {self._shown}: the request's value cannot be read", None

    def open(self, answer: Open) -> Doubt:
        """An open answer, with its operator and key."""
        return _open(self._name, self._shown, answer)

    def _open(self, present: tuple[str, ...] | None) -> Open | None:
        return Open.NO_SET_OPERATOR if present is not None and len(present) != 1 else None


class _Unqualified(_Single):
    """A key that can have several values, compared without a prefix."""

    __slots__ = ()

    def holds(self, context: Context) -> Match:
        return None if self._key in context else self._absent

    def _open(self, present: tuple[str, ...] | None) -> Open | None:
        return Open.NO_SET_OPERATOR


class _ForAllValues(_Single):
    __slots__ = ()

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return True
        fits = self._comparison.fits
        negated = self._negated
        doubtful = False
        for value in present:
            found = fits(value, context)
            if found is negated or found is None:
                if value and found is not None:
                    return False
                doubtful = True
        # "Also true … if the key values resolve to a null data set, such as an empty string."
        return None if doubtful and any(present) else True

    def _open(self, present: tuple[str, ...] | None) -> Open | None:
        return Open.EMPTY_TEXT_IN_SET if present is not None and "" in present else None


class _ForAnyValue(_Single):
    __slots__ = ()

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return self._absent
        fits = self._comparison.fits
        doubtful = False
        for value in present:
            found = fits(value, context)
            if found is not self._negated:
                if value and found is not None:
                    return True
                doubtful = True
        return None if doubtful else False

    def _open(self, present: tuple[str, ...] | None) -> Open | None:
        if present is None:
            return Open.FOR_ANY_VALUE_IF_EXISTS
        return Open.EMPTY_TEXT_IN_SET if "" in present else None


class _NoValues(_Single):
    """A set operator, or one that ends in IfExists, with an empty list of values.

    ForAllValues and IfExists match "only if the key is missing from the request context", ForAnyValue never (policy
    check reference, "Empty array condition").
    """

    __slots__ = ()

    def holds(self, context: Context) -> Match:
        present = context.get(self._key)
        if present is None:
            return self._absent
        return False if any(present) and not self._negated else None

    def _open(self, present: tuple[str, ...] | None) -> Open | None:
        if present is None:
            return Open.FOR_ANY_VALUE_IF_EXISTS
        return Open.EMPTY_LIST_NEGATED if self._negated else Open.EMPTY_TEXT_IN_SET


class _Nothing:
    """An empty list of values, which nothing fits."""

    __slots__ = ()

    def fits(self, value: str, context: Context) -> Match:
        return False


_NOTHING: Final = _Nothing()


class _WithVariables:
    """A test whose values hold policy variables.

    The test itself takes a variable that the request lacks, or that cannot be put in for certain, for one that fits
    nothing. Where it would hold or fail by that, the other reading may say the opposite.
    """

    __slots__ = ("_if_exists", "_key", "_negated", "_test", "_variables")

    def __init__(self, test: _Single, variables: tuple[Variable, ...], name: _Name, key: str) -> None:
        self._key = key.lower()
        self._test = test
        self._variables = variables
        self._negated = name.negated
        self._if_exists = name.if_exists and not name.negated

    def holds(self, context: Context) -> Match:
        found = self._test.holds(context)
        if found is not self._negated or self._answer(context) is None:
            return found
        return None

    def doubt(self, context: Context) -> Doubt | None:
        found = self._test.holds(context)
        if found is None:
            return self._test.doubt(context)
        answer = self._answer(context) if found is self._negated else None
        return None if answer is None else self._test.open(answer)

    def _answer(self, context: Context) -> Open | None:
        """The open answer that the variables need, whatever they are compared with."""
        if self._key not in context:
            return None
        if self._if_exists and any(each.default is None and each.key not in context for each in self._variables):
            return Open.VARIABLE_IF_EXISTS
        return doubt_of(self._variables, context)


def _open(name: str, key: str, answer: Open) -> Doubt:
    return f"{name} {key}: {answer.words}", answer
