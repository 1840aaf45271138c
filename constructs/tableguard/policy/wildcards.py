"""Matches patterns with `*` and `?` without regular expressions.

Regular expressions take a hundred times longer to compile, and backtrack without a bound on patterns such as
`a*a*a*b`, which a policy may contain.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from typing import Final


class Wild(enum.Enum):
    """A wildcard, as opposed to the literal character."""

    MANY = "*"
    ONE = "?"


def tokens(text: str) -> list[str | Wild]:
    """Split a pattern into literal texts and wildcards."""
    found: list[str | Wild] = []
    for number, part in enumerate(text.split("*")):
        if number:
            found.append(Wild.MANY)
        for place, run in enumerate(part.split("?")):
            if place:
                found.append(Wild.ONE)
            if run:
                found.append(run)
    return found


class _Part:
    """The part of a pattern between two `*`: literal texts and `?`."""

    __slots__ = ("length", "runs")

    def __init__(self, runs: list[str]) -> None:
        self.runs = runs
        self.length = sum(map(len, runs)) + len(runs) - 1

    def fits(self, text: str, position: int) -> bool:
        for run in self.runs:
            if not text.startswith(run, position):
                return False
            position += len(run) + 1
        return True

    def find(self, text: str, start: int, end: int) -> int:
        if len(self.runs) == 1:
            return text.find(self.runs[0], start, end)
        return next((at for at in range(start, end - self.length + 1) if self.fits(text, at)), -1)


class Glob:
    """A compiled pattern: `*` is any text, `?` any one character."""

    __slots__ = ("_least", "_parts")

    def __init__(self, pattern: Iterable[str | Wild]) -> None:
        parts: list[list[str]] = [[""]]
        for token in pattern:
            if token is Wild.MANY:
                parts.append([""])
            elif token is Wild.ONE:
                parts[-1].append("")
            else:
                parts[-1][-1] += str(token)
        self._parts = [_Part(runs) for runs in parts]
        self._least = sum(part.length for part in self._parts)

    def matches(self, text: str) -> bool:
        """Whether the whole text fits the pattern."""
        parts = self._parts
        first = parts[0]
        if len(parts) == 1:
            return len(text) == self._least and first.fits(text, 0)
        last = parts[-1]
        end = len(text) - last.length
        if len(text) < self._least or not first.fits(text, 0) or not last.fits(text, end):
            return False
        position = first.length
        # The leftmost match of each part leaves the most room for the next parts.
        for part in parts[1:-1]:
            found = part.find(text, position, end)
            if found < 0:
                return False
            position = found + part.length
        return True


_FEW: Final = 4


def container(texts: Collection[str]) -> Collection[str]:
    """Return a collection for lookups: a tuple for few texts, since it costs the garbage collector nothing."""
    return tuple(texts) if len(texts) <= _FEW else frozenset(texts)


class Patterns:
    """Several patterns of plain text, `*` and `?`, matched together.

    Most patterns have no wildcard, or one `*` at the end: Python matches all of these at once.

    Args:
        texts: The patterns.
    """

    __slots__ = ("_exact", "_globs", "_prefixes")

    def __init__(self, texts: Iterable[str]) -> None:
        exact: list[str] = []
        prefixes: list[str] = []
        globs: list[Glob] = []
        for text in texts:
            if "?" in text or "*" in text[:-1]:
                globs.append(Glob(tokens(text)))
            elif text.endswith("*"):
                prefixes.append(text[:-1])
            else:
                exact.append(text)
        self._exact = container(exact)
        self._prefixes = tuple(prefixes)
        self._globs = tuple(globs)

    def match(self, text: str) -> bool:
        """Whether the text matches any of the patterns."""
        if text in self._exact or text.startswith(self._prefixes):
            return True
        # A generator expression would take longer than most comparisons.
        for glob in self._globs:  # noqa: SIM110
            if glob.matches(text):
                return True
        return False


def fits(pattern: str | Glob, text: str) -> bool:
    """Whether text fits a pattern as `compact` returns it."""
    if isinstance(pattern, Glob):
        return pattern.matches(text)
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def compact(pattern: str) -> str | Glob:
    """Compile a pattern of plain text, `*` and `?`.

    The usual forms, without wildcards or with one `*` at the end, stay text: a set of policies has many thousands of
    them, and text costs the garbage collector nothing.
    """
    if "?" in pattern or "*" in pattern[:-1]:
        return Glob(tokens(pattern))
    return pattern
