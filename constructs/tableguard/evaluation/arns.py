"""Amazon Resource Names and the patterns that match them, segment by segment.

Sources: IAM User Guide, "Resource" element and "Amazon Resource Name (ARN) condition operators". The sixth segment
takes the rest of the text, colons included: a stream's label holds some.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from tableguard.evaluation.match import Context, MalformedError, Match
from tableguard.evaluation.open_answers import Open
from tableguard.evaluation.variables import (
    Exact,
    Piece,
    Resolved,
    doubt_of,
    glob_of,
    is_static,
    parse,
    resolve,
    variables_of,
)
from tableguard.policy.wildcards import Glob, compact, container, fits

Segments: TypeAlias = tuple[str, ...]

_SEGMENTS: Final = 6
_SERVICE: Final = 2
_LONGEST: Final = 2048
_ORDER: Final = (5, 4, 3, 2, 1)


def split_arn(text: str) -> Segments | None:
    """The six segments of an ARN, or None when it is none."""
    return _cached_split(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _cached_split(text: str) -> Segments | None:
    segments = tuple(text.split(":", _SEGMENTS - 1))
    return segments if len(segments) == _SEGMENTS and segments[0] == "arn" else None


class ArnPatterns:
    """Compiled patterns for ARNs.

    Args:
        texts: The patterns: `*`, or six segments, each with any wildcards.
        variables: Whether `${…}` is a variable.
        fixed_service: Whether a wildcard in the service is an error, as it is in a Resource element.

    Raises:
        MalformedError: If IAM would not take one of them as an ARN.
    """

    __slots__ = ("_any", "_exact", "_fixed", "_open", "_prefixes")

    def __init__(self, texts: Iterable[str], *, variables: bool, fixed_service: bool) -> None:
        exact: list[str] = []
        prefixes: list[str] = []
        fixed: list[tuple[tuple[int, str | Glob], ...]] = []
        open_: list[_OpenPattern | _WholePattern] = []
        self._any = False
        for text in texts:
            if text == "*":
                self._any = True
            elif variables and "${" in text:
                open_.append(_open_pattern(text, fixed_service))
            else:
                segments = text.split(":", _SEGMENTS - 1)
                service = segments[_SERVICE] if len(segments) == _SEGMENTS else ""
                _check(text, len(segments), segments[0], fixed_service and ("*" in service or "?" in service))
                if "*" in text[:-1] or "?" in text:
                    fixed.append(_segment_tests(segments))
                elif text.endswith("*"):
                    # The sixth segment takes the rest of the text, so its last `*` takes whatever comes.
                    prefixes.append(text[:-1])
                else:
                    exact.append(text)
        self._exact = container(exact)
        self._prefixes = tuple(prefixes)
        self._fixed = tuple(fixed)
        self._open = tuple(open_)

    def match(self, arn: str, segments: Segments | None, context: Context) -> Match:
        """Whether an ARN fits any of the patterns.

        Args:
            arn: The ARN, or other text.
            segments: Its segments; None for text that is no ARN.
            context: Where the variables come from.

        Returns:
            None when it fits none, but the request lacks a variable of one, or its value is in doubt.
        """
        if self._any or arn in self._exact:
            return True
        if segments is None:
            return False
        if arn.startswith(self._prefixes):
            return True
        for tests in self._fixed:
            for number, pattern in tests:
                if not fits(pattern, segments[number]):
                    break
            else:
                return True
        missing = False
        for each in self._open:
            found = each.match(segments, context)
            if found:
                return True
            missing = missing or found is None
        return None if missing else False

    def doubt(self, context: Context) -> Open | None:
        """Why a variable can neither be put in nor be left out for certain; None where that is certain.

        Args:
            context: Where the variables come from.
        """
        return next(filter(None, (doubt_of(each.variables, context) for each in self._open)), None)


def _segment_tests(segments: Sequence[str]) -> tuple[tuple[int, str | Glob], ...]:
    # The resource and the account come first: they tell most ARNs apart.
    return tuple([(number, compact(segments[number])) for number in _ORDER if segments[number] != "*"])


def _check(text: str, segments: int, head: str, wild_service: bool) -> None:
    if segments < _SEGMENTS:
        raise MalformedError(f"{text!r} is no ARN: it has fewer than {_SEGMENTS} segments")
    if head != "arn":
        raise MalformedError(f"{text!r} does not begin with 'arn:'")
    if wild_service:
        raise MalformedError(f"{text!r} has a wildcard for the service")


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


def _open_pattern(text: str, fixed_service: bool) -> _OpenPattern | _WholePattern:
    pieces = parse(text, variables=True)
    parts = _split(pieces)
    if len(parts) < _SEGMENTS and not is_static(pieces):
        return _WholePattern(pieces)
    service = parts[_SERVICE] if len(parts) == _SEGMENTS else ()
    wild_service = any(isinstance(piece, str) and ("*" in piece or "?" in piece) for piece in service)
    _check(text, len(parts), "arn" if parts[0] == ["arn"] else "", fixed_service and wild_service)
    return _OpenPattern(parts)


class _OpenPattern:
    """A pattern with variables inside its segments."""

    __slots__ = ("_fixed", "_open", "variables")

    def __init__(self, parts: Sequence[Sequence[Piece]]) -> None:
        self.variables = variables_of(piece for part in parts for piece in part)
        numbered = list(enumerate(parts))
        self._fixed = [(number, glob_of(part)) for number, part in numbered if is_static(part)]
        self._open = [(number, part) for number, part in numbered if not is_static(part)]

    def match(self, segments: Segments, context: Context) -> Match:
        if not all(glob.matches(segments[number]) for number, glob in self._fixed):
            return False
        missing = False
        for number, part in self._open:
            resolved = resolve(part, context)
            if resolved is None:
                missing = True
            elif not glob_of(resolved).matches(segments[number]):
                return False
        return None if missing else True


class _WholePattern:
    """A pattern that becomes an ARN only with the request's values, such as `${aws:PrincipalTag/table}`."""

    __slots__ = ("_pieces", "variables")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self.variables = variables_of(pieces)

    def match(self, segments: Segments, context: Context) -> Match:
        resolved = resolve(self._pieces, context)
        if resolved is None:
            return None
        parts = _split([piece for each in resolved for piece in _written_out(each)])
        if len(parts) < _SEGMENTS:
            return False
        return all(glob_of(part).matches(segment) for part, segment in zip(parts, segments, strict=True))


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
