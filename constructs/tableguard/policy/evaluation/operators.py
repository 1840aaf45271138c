"""The condition operators: how one value of a request compares with the values of a policy.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". Operators are known by their exact spelling;
another spelling is not understood, which is the safe reading of it.
"""

from __future__ import annotations

import operator
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from tableguard.policy.evaluation import values as read
from tableguard.policy.evaluation.arns import ArnPatterns, split_arn
from tableguard.policy.evaluation.match import Context, MalformedError, Match
from tableguard.policy.evaluation.variables import Piece, glob_of, is_static, parse, resolve, text_of
from tableguard.policy.evaluation.wildcards import Glob, Patterns, container

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Comparison(Protocol):
    """The values of a policy, ready to be compared with."""

    def fits(self, value: str, context: Context) -> Match:
        """Whether a value of the request fits any value of the policy; None when it cannot be read."""


Compiler: TypeAlias = Callable[[Sequence[str], bool], Comparison]
"""From the policy's values, and whether variables count in them, to a comparison. Raises MalformedError."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator, without its prefix and suffix.

    Args:
        compiler: What reads the policy's values.
        negated: Whether it holds for values that do *not* fit.
    """

    compiler: Compiler
    negated: bool = False


# Slotted objects, not closures: an eighth of the work for the garbage collector.
class _Equal:
    __slots__ = ("_fixed", "_fold", "_open")

    def __init__(self, texts: Sequence[str], variables: bool, fold: Callable[[str], str] | None = None) -> None:
        self._fold = fold
        fixed: list[str] = []
        open_: list[tuple[Piece, ...]] = []
        for text in texts:
            pieces = parse(text, variables=variables)
            if len(pieces) == 1 and pieces[0] is text:
                fixed.append(text if fold is None else fold(text))
            elif is_static(pieces):
                fixed.append(text_of(pieces) if fold is None else fold(text_of(pieces)))
            else:
                open_.append(pieces)
        self._fixed = container(fixed)
        self._open = tuple(open_)

    def fits(self, value: str, context: Context) -> Match:
        fold = self._fold
        if fold is not None:
            value = fold(value)
        if value in self._fixed:
            return True
        for pieces in self._open:
            resolved = resolve(pieces, context)
            if resolved is not None:
                text = text_of(resolved)
                if value == (text if fold is None else fold(text)):
                    return True
        return False


class _Like:
    __slots__ = ("_fixed", "_globs", "_open")

    def __init__(self, texts: Sequence[str], variables: bool) -> None:
        fixed: list[str] = []
        globs: list[Glob] = []
        open_: list[tuple[Piece, ...]] = []
        for text in texts:
            pieces = parse(text, variables=variables)
            if pieces == (text,):
                fixed.append(text)
            elif is_static(pieces):
                globs.append(glob_of(pieces))
            else:
                open_.append(pieces)
        self._fixed = Patterns(fixed)
        self._globs = tuple(globs)
        self._open = tuple(open_)

    def fits(self, value: str, context: Context) -> Match:
        if self._fixed.match(value):
            return True
        for glob in self._globs:
            if glob.matches(value):
                return True
        for pieces in self._open:
            resolved = resolve(pieces, context)
            if resolved is not None and glob_of(resolved).matches(value):
                return True
        return False


class _Arn:
    __slots__ = ("_patterns",)

    def __init__(self, texts: Sequence[str], variables: bool) -> None:
        self._patterns = ArnPatterns(texts, variables=variables, fixed_service=False)

    def fits(self, value: str, context: Context) -> Match:
        # A missing variable (None) fits nothing: that makes the negated operators true, as documented.
        return self._patterns.match(value, split_arn(value), context) or False


class _Typed:
    __slots__ = ("_limits", "_read", "_test")

    def __init__(
        self, texts: Sequence[str], reader: Callable[[str], Any], test: Callable[[Any, Any], bool], what: str
    ) -> None:
        self._read = reader
        self._test = test
        self._limits = tuple(map(reader, texts))
        for text, limit in zip(texts, self._limits, strict=True):
            if limit is None:
                raise MalformedError(f"{text!r} is no {what}")

    def fits(self, value: str, context: Context) -> Match:
        own = self._read(value)
        if own is None:
            return None
        # A generator would take longer than most comparisons.
        for limit in self._limits:  # noqa: SIM110
            if self._test(own, limit):
                return True
        return False


def _typed(reader: Callable[[str], Any], test: Callable[[Any, Any], bool], what: str) -> Compiler:
    return lambda texts, variables: _Typed(texts, reader, test, what)


def _inside(address: read.Address, network: read.Network) -> bool:
    return network.contains(address)


class _Address(_Typed):
    __slots__ = ()

    def __init__(self, texts: Sequence[str], variables: bool) -> None:
        super().__init__(texts, read.network, _inside, "IP address or CIDR block")
        self._read = read.address


def _equal_in_any_case(texts: Sequence[str], variables: bool) -> Comparison:
    # Not `casefold`, which takes a sharp s for "ss": an Allow would be wider than anybody wrote it.
    return _Equal(texts, variables, _in_lower_case)


def _in_lower_case(text: str) -> str:
    """ASCII only: the Kelvin sign is no k."""
    return text.translate(_LOWER)


def _ordered(prefix: str, reader: Callable[[str], Any], what: str) -> dict[str, Operator]:
    return {
        f"{prefix}Equals": Operator(_typed(reader, operator.eq, what)),
        f"{prefix}NotEquals": Operator(_typed(reader, operator.eq, what), negated=True),
        f"{prefix}LessThan": Operator(_typed(reader, operator.lt, what)),
        f"{prefix}LessThanEquals": Operator(_typed(reader, operator.le, what)),
        f"{prefix}GreaterThan": Operator(_typed(reader, operator.gt, what)),
        f"{prefix}GreaterThanEquals": Operator(_typed(reader, operator.ge, what)),
    }


OPERATORS: Final[Mapping[str, Operator]] = {
    "StringEquals": Operator(_Equal),
    "StringNotEquals": Operator(_Equal, negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_in_any_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_in_any_case, negated=True),
    "StringLike": Operator(_Like),
    "StringNotLike": Operator(_Like, negated=True),
    **_ordered("Numeric", read.number, "number"),
    **_ordered("Date", read.date, "date (ISO 8601 or epoch seconds)"),
    "Bool": Operator(_typed(read.boolean, operator.eq, "boolean")),
    "BinaryEquals": Operator(_typed(read.binary, operator.eq, "base64 text")),
    "IpAddress": Operator(_Address),
    "NotIpAddress": Operator(_Address, negated=True),
    # ArnEquals and ArnLike "behave identically" (same source).
    "ArnEquals": Operator(_Arn),
    "ArnLike": Operator(_Arn),
    "ArnNotEquals": Operator(_Arn, negated=True),
    "ArnNotLike": Operator(_Arn, negated=True),
}
