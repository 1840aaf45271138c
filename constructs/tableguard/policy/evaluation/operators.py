"""The condition operators: how one value of a request compares with the values of a policy.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". Operators are known by their exact spelling;
another spelling is not understood, which is the safe reading of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tableguard.policy.evaluation import values as read
from tableguard.policy.evaluation.arns import arn_matcher, split_arn
from tableguard.policy.evaluation.match import Context, MalformedError, Match
from tableguard.policy.evaluation.variables import Piece, glob_of, is_static, parse, resolve, text_of

Comparison: TypeAlias = Callable[[str, Context], Match]
"""Whether a value of the request fits any value of the policy; None when the value cannot be read."""

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


def _same(text: str) -> str:
    return text


def _equals(fold: Callable[[str], str]) -> Compiler:
    def compile_values(texts: Sequence[str], variables: bool) -> Comparison:
        fixed: set[str] = set()
        open_: list[tuple[Piece, ...]] = []
        for text in texts:
            pieces = parse(text, variables=variables)
            if is_static(pieces):
                fixed.add(fold(text_of(pieces)))
            else:
                open_.append(pieces)
        if not open_:
            return lambda value, context: fold(value) in fixed

        def compare(value: str, context: Context) -> Match:
            folded = fold(value)
            resolved = (resolve(pieces, context) for pieces in open_)
            return folded in fixed or any(each is not None and fold(text_of(each)) == folded for each in resolved)

        return compare

    return compile_values


def _like(texts: Sequence[str], variables: bool) -> Comparison:
    fixed: list[Callable[[str], bool]] = []
    open_: list[tuple[Piece, ...]] = []
    for text in texts:
        pieces = parse(text, variables=variables)
        if is_static(pieces):
            fixed.append(glob_of(pieces).matches)
        else:
            open_.append(pieces)
    if not open_ and len(fixed) == 1:
        fits_one = fixed[0]
        return lambda value, context: fits_one(value)

    def compare(value: str, context: Context) -> Match:
        resolved = (resolve(pieces, context) for pieces in open_)
        return any(fits(value) for fits in fixed) or any(
            each is not None and glob_of(each).matches(value) for each in resolved
        )

    return compare


def _arn(texts: Sequence[str], variables: bool) -> Comparison:
    matchers = [arn_matcher(text, variables=variables, fixed_service=False) for text in texts]

    def compare(value: str, context: Context) -> Match:
        segments = split_arn(value)
        # A missing variable (None) fits nothing: that makes the negated operators true, as documented.
        return any(matches(value, segments, context) for matches in matchers)

    return compare


def _typed(reader: Callable[[str], Any], test: Callable[[Any, Any], bool], what: str) -> Compiler:
    def compile_values(texts: Sequence[str], variables: bool) -> Comparison:
        limits = [reader(text) for text in texts]
        for text, limit in zip(texts, limits, strict=True):
            if limit is None:
                raise MalformedError(f"{text!r} is no {what}")

        def compare(value: str, context: Context) -> Match:
            own = reader(value)
            return None if own is None else any(test(own, limit) for limit in limits)

        return compare

    return compile_values


def _address(texts: Sequence[str], variables: bool) -> Comparison:
    networks: list[read.Network] = []
    for text in texts:
        network = read.network(text)
        if network is None:
            raise MalformedError(f"{text!r} is no IP address or CIDR block")
        networks.append(network)

    def compare(value: str, context: Context) -> Match:
        address = read.address(value)
        # An address is never inside a block of the other family.
        return None if address is None else any(address in network for network in networks)

    return compare


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
    "StringEquals": Operator(_equals(_same)),
    "StringNotEquals": Operator(_equals(_same), negated=True),
    "StringEqualsIgnoreCase": Operator(_equals(str.casefold)),
    "StringNotEqualsIgnoreCase": Operator(_equals(str.casefold), negated=True),
    "StringLike": Operator(_like),
    "StringNotLike": Operator(_like, negated=True),
    **_ordered("Numeric", read.number, "number"),
    **_ordered("Date", read.date, "date (ISO 8601 or epoch seconds)"),
    "Bool": Operator(_typed(read.boolean, operator.eq, "boolean")),
    "BinaryEquals": Operator(_typed(read.binary, operator.eq, "base64 text")),
    "IpAddress": Operator(_address),
    "NotIpAddress": Operator(_address, negated=True),
    # ArnEquals and ArnLike "behave identically" (same source).
    "ArnEquals": Operator(_arn),
    "ArnLike": Operator(_arn),
    "ArnNotEquals": Operator(_arn, negated=True),
    "ArnNotLike": Operator(_arn, negated=True),
}
