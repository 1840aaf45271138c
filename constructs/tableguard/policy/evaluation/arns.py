"""Amazon Resource Names and the patterns that match them, segment by segment.

Sources: IAM User Guide, "Resource" element and "Amazon Resource Name (ARN) condition operators". The sixth segment
takes the rest of the text, colons included: a stream's label holds some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from tableguard.policy.evaluation.match import Context, MalformedError, Match
from tableguard.policy.evaluation.variables import (
    Exact,
    Piece,
    Resolved,
    glob_of,
    is_static,
    parse,
    resolve,
    text_of,
)

Segments: TypeAlias = tuple[str, ...]
ArnMatcher: TypeAlias = Callable[[str, Segments | None, Context], Match]

_SEGMENTS: Final = 6
_SERVICE: Final = 2
_LONGEST: Final = 2048


def split_arn(text: str) -> Segments | None:
    """The six segments of an ARN, or None when it is none."""
    segments = tuple(text.split(":", _SEGMENTS - 1))
    return segments if len(segments) == _SEGMENTS and segments[0] == "arn" and len(text) <= _LONGEST else None


def arn_matcher(text: str, *, variables: bool, fixed_service: bool) -> ArnMatcher:
    """Compile a pattern for ARNs.

    The function that comes back takes an ARN, its segments (None for text that is no ARN) and the context. It answers
    None when the request lacks a variable of the pattern.

    Args:
        text: The pattern: `*`, or six segments, each with any wildcards.
        variables: Whether `${…}` is a variable.
        fixed_service: Whether a wildcard in the service is an error, as it is in a Resource element.

    Raises:
        MalformedError: If IAM would not take it as an ARN.
    """
    if text == "*":
        return lambda arn, segments, context: True
    pieces = parse(text, variables=variables)
    parts = _split(pieces)
    if len(parts) < _SEGMENTS:
        if is_static(pieces):
            raise MalformedError(f"{text!r} is no ARN: it has fewer than {_SEGMENTS} segments")
        return _whole_matcher(pieces)
    if fixed_service and any(isinstance(piece, str) and ("*" in piece or "?" in piece) for piece in parts[_SERVICE]):
        raise MalformedError(f"{text!r} has a wildcard for the service")
    if parts[0] != ["arn"]:
        raise MalformedError(f"{text!r} does not begin with 'arn:'")
    if all(isinstance(piece, str) and "*" not in piece and "?" not in piece for piece in pieces):
        return lambda arn, segments, context: arn == text
    return _segment_matcher(parts)


def _split(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Cut at the first five colons that the policy wrote itself; those of a value never move a segment."""
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            parts[-1].append(piece)
            continue
        for number, run in enumerate(piece.split(":", _SEGMENTS - len(parts))):
            if number:
                parts.append([])
            if run:
                parts[-1].append(run)
    return parts


def _segment_matcher(parts: Sequence[Sequence[Piece]]) -> ArnMatcher:
    plain: list[tuple[int, str]] = []
    wild: list[tuple[int, Callable[[str], bool]]] = []
    open_: list[tuple[int, Sequence[Piece]]] = []
    for number, part in enumerate(parts):
        if not is_static(part):
            open_.append((number, part))
        elif list(part) == ["*"]:
            continue
        elif any(isinstance(piece, str) and ("*" in piece or "?" in piece) for piece in part):
            wild.append((number, glob_of(part).matches))
        else:
            plain.append((number, text_of(part)))

    def matches(arn: str, segments: Segments | None, context: Context) -> Match:
        if segments is None:
            return False
        for number, text in plain:
            if segments[number] != text:
                return False
        for number, fits in wild:
            if not fits(segments[number]):
                return False
        missing = False
        for number, part in open_:
            resolved = resolve(part, context)
            if resolved is None:
                missing = True
            elif not glob_of(resolved).matches(segments[number]):
                return False
        return None if missing else True

    return matches


def _whole_matcher(pieces: Sequence[Piece]) -> ArnMatcher:
    """For a pattern that becomes an ARN only with the request's values, such as `${aws:PrincipalTag/table}`."""

    def matches(arn: str, segments: Segments | None, context: Context) -> Match:
        resolved = resolve(pieces, context)
        if resolved is None:
            return None
        parts = _split([piece for each in resolved for piece in _written_out(each)])
        if segments is None or len(parts) < _SEGMENTS:
            return False
        return all(glob_of(part).matches(segment) for part, segment in zip(parts, segments, strict=True))

    return matches


def _written_out(piece: Resolved) -> list[Piece]:
    """Let the colons of a value separate segments, and nothing else in it have a meaning."""
    if isinstance(piece, str):
        return [piece]
    written: list[Piece] = []
    for number, run in enumerate(piece.text.split(":")):
        if number:
            written.append(":")
        written.append(Exact(run))
    return written
