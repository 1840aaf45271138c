"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, `${*}`, `${?}`, `${$}`.

Source: IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tableguard.aws.condition_keys import MULTIVALUED
from tableguard.evaluation.match import Context, MalformedError
from tableguard.evaluation.open_answers import Open
from tableguard.policy.wildcards import Glob, Wild, tokens


@dataclass(frozen=True, slots=True)
class Exact:
    """Text in which `*` and `?` are ordinary characters, because it comes from `${*}` or from the request."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A key of the request's context (in lower case), and what stands for it when the request has none.

    A key that can have several values is no variable: `multivalued` says so.
    """

    key: str
    default: str | None
    multivalued: bool


Resolved: TypeAlias = str | Exact
Piece: TypeAlias = str | Exact | Variable

_VARIABLE = re.compile(r"\$\{\s*(?:([*?$])|([^\s,{}'*?$][^,{}']*?)\s*(?:,\s*'([^']*)'\s*)?)\s*\}")


def parse(text: str, *, variables: bool) -> tuple[Piece, ...]:
    """Split text into literal text and variables.

    Args:
        text: A value of a policy.
        variables: Whether the policy is of Version 2012-10-17. In older ones `${` is ordinary text.

    Raises:
        MalformedError: If a `${` opens no variable.
    """
    if not variables or "${" not in text:
        return (text,)
    pieces: list[Piece] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        found = _VARIABLE.match(text, start)
        if found is None:
            raise MalformedError(f"{text!r} holds a '${{' that opens no policy variable")
        if start > position:
            pieces.append(text[position:start])
        character, key, default = found.groups()
        pieces.append(Exact(character) if character else _variable(key.lower(), default))
        position = found.end()
    if position < len(text):
        pieces.append(text[position:])
    return tuple(pieces)


def _variable(key: str, default: str | None) -> Variable:
    return Variable(key, default, key in MULTIVALUED)


def is_static(pieces: Iterable[Piece]) -> bool:
    """Whether nothing in it depends on the request."""
    return not any(isinstance(piece, Variable) for piece in pieces)


def variables_of(pieces: Iterable[Piece]) -> tuple[Variable, ...]:
    """The variables among the pieces of a text."""
    return tuple(piece for piece in pieces if isinstance(piece, Variable))


def resolve(pieces: Iterable[Piece], context: Context) -> list[Resolved] | None:
    """Put the request's values in, or return None when one is missing, or cannot be put in for certain.

    "There is no equal or like value" for a variable without a value (same source): whatever holds one fits nothing.
    """
    resolved: list[Resolved] = []
    for piece in pieces:
        if not isinstance(piece, Variable):
            resolved.append(piece)
            continue
        values = context.get(piece.key)
        if values is None:
            if piece.default is None:
                return None
            resolved.append(Exact(piece.default))
        elif len(values) == 1 and values[0] and not piece.multivalued:
            resolved.append(Exact(values[0]))
        else:
            return None
    return resolved


def doubt_of(variables: Iterable[Variable], context: Context) -> Open | None:
    """Why one of the variables can neither be put in nor be left out for certain; None where that is certain.

    Args:
        variables: The variables of one text, or of several.
        context: The request's context.
    """
    for variable in variables:
        values = context.get(variable.key)
        if values is not None:
            if len(values) != 1 or variable.multivalued:
                return Open.VARIABLE_OF_SEVERAL_VALUES
            if not values[0]:
                return Open.VARIABLE_OF_EMPTY_TEXT
    return None


def text_of(pieces: Iterable[Piece]) -> str:
    """The plain text of resolved pieces."""
    fixed = (piece for piece in pieces if not isinstance(piece, Variable))
    return "".join(piece if isinstance(piece, str) else piece.text for piece in fixed)


def glob_of(pieces: Iterable[Piece]) -> Glob:
    """The pattern of resolved pieces; wildcards count only where the policy wrote them."""
    pattern: list[str | Wild] = []
    for piece in pieces:
        if isinstance(piece, str):
            pattern.extend(tokens(piece))
        elif isinstance(piece, Exact):
            pattern.append(piece.text)
    return Glob(pattern)
