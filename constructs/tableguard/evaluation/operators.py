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

from tableguard.evaluation import values as read
from tableguard.evaluation.arns import ArnPatterns, split_arn
from tableguard.evaluation.match import Context, MalformedError, Match
from tableguard.evaluation.open_answers import Open
from tableguard.evaluation.variables import Piece, glob_of, is_static, parse, resolve, text_of
from tableguard.policy.wildcards import Glob, Patterns, container

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Comparison(Protocol):
    """The values of a policy, ready to be compared with."""

    __slots__ = ()

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
        # A variable in doubt fits nothing here; the condition asks what follows from the doubt.
        return self._patterns.match(value, split_arn(value), context) or False


class _Typed:
    __slots__ = ("_limits", "_read", "_test")

    def __init__(self, kind: _Kind, texts: Sequence[str], variables: bool, test: Callable[[Any, Any], bool]) -> None:
        self._read = kind.of_request
        self._test = test
        self._limits = tuple(map(kind.of_policy, texts))
        for text, limit in zip(texts, self._limits, strict=True):
            if limit is None:
                variable = variables and "${" in text
                raise MalformedError(
                    f"{text!r} is no {kind.what}", Open.VARIABLE_FOR_OPERATOR if variable else kind.open
                )

    def fits(self, value: str, context: Context) -> Match:
        own = self._read(value)
        if own is None:
            return None
        # A generator would take longer than most comparisons.
        for limit in self._limits:  # noqa: SIM110
            if self._test(own, limit):
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of value that is no text.

    Args:
        what: Its name.
        of_policy: What reads a policy's value; None for text that is no such value.
        of_request: What reads a request's value, likewise.
        open: What a policy's value in another form needs; None where IAM's grammar does not allow it.
    """

    what: str
    of_policy: Callable[[str], Any]
    of_request: Callable[[str], Any]
    open: Open | None


_NUMBER: Final = _Kind(what="number", of_policy=read.number, of_request=read.number, open=Open.NUMBER_FORMAT)
_DATE: Final = _Kind(
    what="date (ISO 8601 or epoch seconds)", of_policy=read.date, of_request=read.date, open=Open.DATE_FORMAT
)
_BOOLEAN: Final = _Kind(
    what="boolean", of_policy=read.boolean, of_request=read.boolean_of_request, open=Open.BOOLEAN_FORMAT
)
_BINARY: Final = _Kind(what="base64 text", of_policy=read.binary, of_request=read.binary, open=None)
_NETWORK: Final = _Kind(
    what="IP address or CIDR block", of_policy=read.network, of_request=read.address, open=Open.ADDRESS_FORMAT
)


def _typed(kind: _Kind, test: Callable[[Any, Any], bool]) -> Compiler:
    return lambda texts, variables: _Typed(kind, texts, variables, test)


def _boolean(texts: Sequence[str], variables: bool) -> Comparison:
    check_one_boolean(texts)
    return _Typed(_BOOLEAN, texts, variables, operator.eq)


def check_one_boolean(texts: Sequence[str]) -> None:
    """Refuse several values for Bool or Null, unless they are the same.

    Args:
        texts: The policy's values.

    Raises:
        MalformedError: If they differ.
    """
    if len(set(texts)) > 1:
        raise MalformedError("several values", Open.SEVERAL_BOOLEANS)


def _inside(address: read.Address, network: read.Network) -> bool:
    return network.contains(address)


def _equal_in_any_case(texts: Sequence[str], variables: bool) -> Comparison:
    # Not `casefold`, which takes a sharp s for "ss": an Allow would be wider than anybody wrote it.
    return _Equal(texts, variables, _in_lower_case)


def _in_lower_case(text: str) -> str:
    """ASCII only: the Kelvin sign is no k."""
    return text.translate(_LOWER)


def _ordered(prefix: str, kind: _Kind) -> dict[str, Operator]:
    return {
        f"{prefix}Equals": Operator(_typed(kind, operator.eq)),
        f"{prefix}NotEquals": Operator(_typed(kind, operator.eq), negated=True),
        f"{prefix}LessThan": Operator(_typed(kind, operator.lt)),
        f"{prefix}LessThanEquals": Operator(_typed(kind, operator.le)),
        f"{prefix}GreaterThan": Operator(_typed(kind, operator.gt)),
        f"{prefix}GreaterThanEquals": Operator(_typed(kind, operator.ge)),
    }


OPERATORS: Final[Mapping[str, Operator]] = {
    "StringEquals": Operator(_Equal),
    "StringNotEquals": Operator(_Equal, negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_in_any_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_in_any_case, negated=True),
    "StringLike": Operator(_Like),
    "StringNotLike": Operator(_Like, negated=True),
    **_ordered("Numeric", _NUMBER),
    **_ordered("Date", _DATE),
    "Bool": Operator(_boolean),
    "BinaryEquals": Operator(_typed(_BINARY, operator.eq)),
    "IpAddress": Operator(_typed(_NETWORK, _inside)),
    "NotIpAddress": Operator(_typed(_NETWORK, _inside), negated=True),
    # ArnEquals and ArnLike "behave identically" (same source).
    "ArnEquals": Operator(_Arn),
    "ArnLike": Operator(_Arn),
    "ArnNotEquals": Operator(_Arn, negated=True),
    "ArnNotLike": Operator(_Arn, negated=True),
}
