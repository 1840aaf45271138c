"""The tests of a Condition element: one operator with one key and its values, put to the context of a request.

Sources: see `conditions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from tableguard.evaluation.match import Context, Doubt, Match
from tableguard.evaluation.open_answers import Open
from tableguard.evaluation.operators import Comparison, Operator
from tableguard.evaluation.variables import Variable, doubt_of


class Test(Protocol):
    """One operator with one key and its values."""

    __slots__ = ()

    def holds(self, context: Context) -> Match:
        """Whether the request's context meets it; None when that cannot be told."""

    def doubt(self, context: Context) -> Doubt | None:
        """Why that cannot be told; None where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
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
    kind: type[Single]
    if_exists: bool
    absent: Match


class Always(Test):
    """Null after a set operator, which asks nothing of the request."""

    __slots__ = ("_holds",)

    def __init__(self, *, holds: bool) -> None:
        self._holds = holds

    def holds(self, context: Context) -> Match:
        return self._holds

    def doubt(self, context: Context) -> Doubt | None:
        return None


class Null(Test):
    """Whether the request lacks a key."""

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


class Single(Test):
    """An operator without a prefix."""

    __slots__ = ("_absent", "_comparison", "_key", "_name", "_negated", "_shown")

    def __init__(self, name: Name, key: str, comparison: Comparison) -> None:
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


class Unqualified(Single):
    """A key that can have several values, compared without a prefix."""

    __slots__ = ()

    def holds(self, context: Context) -> Match:
        return None if self._key in context else self._absent

    def _open(self, present: tuple[str, ...] | None) -> Open | None:
        return Open.NO_SET_OPERATOR


class ForAllValues(Single):
    """Every value of the request has to fit; none is fine."""

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


class ForAnyValue(Single):
    """One value of the request has to fit."""

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


class NoValues(Single):
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


class Nothing(Comparison):
    """An empty list of values, which nothing fits."""

    __slots__ = ()

    def fits(self, value: str, context: Context) -> Match:
        return False


NOTHING: Final = Nothing()


class WithVariables(Test):
    """A test whose values hold policy variables.

    The test itself takes a variable that the request lacks, or that cannot be put in for certain, for one that fits
    nothing. Where it would hold or fail by that, the other reading may say the opposite.
    """

    __slots__ = ("_if_exists", "_key", "_negated", "_test", "_variables")

    def __init__(self, test: Single, variables: tuple[Variable, ...], name: Name, key: str) -> None:
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
