"""A review for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tableguard.review import backed_up
from tableguard.review.acknowledgements import Acknowledgement
from tableguard.review.enclosed import is_worth_saying, lines as enclosed, of_control, of_exempted
from tableguard.review.kinds import KINDS
from tableguard.review.lines import LEAST, wrapped
from tableguard.review.matrix import LEGEND, NONE, cell, details, where
from tableguard.review.report import Finding, Review, Row, TableReview, Warning_
from tableguard.review.unknown import Unknown

_BOLD, _RED, _YELLOW, _DIM, _OFF = "\033[1m", "\033[31m", "\033[33m", "\033[2m", "\033[0m"
# The columns and a principal's name take this much: below it, what a principal may do stands in words instead.
_LEAST_TABLE: Final = 60
_WIDEST: Final = 120
_NAME: Final = "principal"


def as_text(review: Review, *, width: int = 80, color: bool = False) -> str:
    """The review as text.

    Args:
        review: The review.
        width: The width of the terminal in characters; no less than 40 is used.
        color: Whether to use colours.
    """
    return "\n".join(_Text(review, min(max(width, LEAST), _WIDEST), color=color).lines())


def summary_of(review: Review) -> str:
    """The review in one line. It counts what the lists below or above it show: what two tables share counts once.

    Args:
        review: The review.
    """
    counts = (
        (len(review.tables), "table"),
        (len({row.subject.label for table in review.tables for row in table.rows}), "principal"),
        (len(_once(map(_of_finding, review.findings))), "finding"),
        (len(_once(map(_of_warning, review.warnings))), "warning"),
    )
    said = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    return f"{said}, {len(_once(map(_of_unknown, review.unknowns)))} not known, on {review.today.isoformat()}"


class _Text:
    def __init__(self, review: Review, width: int, *, color: bool) -> None:
        self._review = review
        self._width = width
        self._color = color
        self._restricted = is_worth_saying(review)
        self._backed_up = backed_up.is_worth_saying(review)

    def lines(self) -> Iterator[str]:
        """All lines."""
        for table in self._review.tables:
            yield from self._table(table)
            yield from self._enclosed(table)
            yield ""
        if any(table.rows for table in self._review.tables):
            for sign, meaning in LEGEND:
                yield from self._wrapped(f"{sign:<11} ", meaning, dim=True)
            yield ""
        yield from self._section("Findings", _RED, map(_of_finding, self._review.findings))
        yield from self._section("Warnings", _YELLOW, map(_of_warning, self._review.warnings))
        yield from self._controls()
        yield from self._section("Acknowledged rules", _YELLOW, map(of_acknowledgement, self._review.acknowledged))
        yield from self._section("Not known", "", map(_of_unknown, self._review.unknowns))
        yield from (self._painted(_BOLD, line) for line in wrapped(summary_of(self._review), self._width))

    def _painted(self, code: str, text: str) -> str:
        return f"{code}{text}{_OFF}" if self._color and code else text

    def _table(self, table: TableReview) -> Iterator[str]:
        it = table.table
        hanging = len(table.accounts)
        others = f", {hanging} other account{'' if hanging == 1 else 's'}" if hanging else ""
        title = f"{it.name}  {it.account} {it.region}{others}"
        yield from (self._painted(_BOLD, line) for line in wrapped(title, self._width, indent="  "))
        if not table.rows:
            yield from self._wrapped("  ", "Nobody has access, as far as the templates tell.")
            return
        if self._width < _LEAST_TABLE:
            for row in table.rows:
                yield from self._narrow(row, table)
            return
        widths = [max(len(kind), *(len(cell(row, it, kind)) for row in table.rows)) for kind in KINDS]
        longest = max(len(_NAME), *(len(row.subject.label) for row in table.rows))
        room = self._width - sum(widths) - 1
        # Columns stand closer where that keeps a principal and its cells in one line.
        gap = 2 if longest <= room - 2 * len(widths) else 1
        widths = [width + gap - 1 for width in widths]
        name = min(room - gap * len(KINDS), longest)
        heads = "".join(f" {kind:>{width}}" for kind, width in zip(KINDS, widths, strict=True))
        yield f" {_NAME:<{name}}{heads}".rstrip()
        for row in table.rows:
            yield from self._row(row, table, name, widths)

    def _enclosed(self, table: TableReview) -> Iterator[str]:
        if self._restricted:
            for word, text in enclosed(table.enclosure):
                yield from self._wrapped(f"   {word:<8} ", text)
        if self._backed_up:
            for word, text in backed_up.lines(table.backups, self._review.today):
                yield from self._wrapped(f"   {word:<8} ", text)

    def _row(self, row: Row, table: TableReview, name: int, widths: list[int]) -> Iterator[str]:
        label = row.subject.label
        cells = "".join(f" {cell(row, table.table, kind):>{width}}" for kind, width in zip(KINDS, widths, strict=True))
        if len(label) > name:
            yield from self._wrapped(" ", label)
            label = ""
        yield f" {label:<{name}}{cells}"
        yield from self._details(row, table)

    def _narrow(self, row: Row, table: TableReview) -> Iterator[str]:
        """A row where there is no room for columns."""
        cells = {kind: cell(row, table.table, kind) for kind in KINDS}
        yield from self._wrapped(" ", row.subject.label)
        yield from self._wrapped("   ", ", ".join(f"{kind}: {each}" for kind, each in cells.items() if each != NONE))
        yield from self._details(row, table)

    def _details(self, row: Row, table: TableReview) -> Iterator[str]:
        for word, text in details(row, table.table, self._review.today):
            yield from self._wrapped(f"   {word:<8} ", text, dim=word == "why")

    def _controls(self) -> Iterator[str]:
        controls = self._review.controls
        if controls:
            yield self._painted(_BOLD, f"Organization policies ({len(controls)})")
            for control in controls:
                yield from self._wrapped("  - ", of_control(control))
                for text in of_exempted(control):
                    yield from self._wrapped("    exempt   ", text)
            yield ""

    def _wrapped(self, head: str, text: str, *, dim: bool = False) -> Iterator[str]:
        yield from (self._painted(_DIM if dim else "", line) for line in wrapped(text, self._width, head=head))

    def _section(self, title: str, code: str, entries: Iterable[str]) -> Iterator[str]:
        listed = _once(entries)
        if not listed:
            return
        yield self._painted(_BOLD + code, f"{title} ({len(listed)})")
        for entry in listed:
            yield from self._wrapped("  - ", entry)
        yield ""


def _once(entries: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(entries))


def _of_finding(finding: Finding) -> str:
    at = where(finding.place)
    return f"{finding.kind.value}: {finding.message}{f' [{at}]' if at else ''}"


def _of_warning(warning: Warning_) -> str:
    return f"{warning.kind.value}: {warning.message}"


def _of_unknown(unknown: Unknown) -> str:
    at = where(unknown.place)
    return f"{unknown.what}{f' [{at}]' if at else ''}"


def of_acknowledgement(acknowledged: Acknowledgement) -> str:
    """An acknowledged rule in one sentence.

    Args:
        acknowledged: The acknowledgement.
    """
    hidden = f"; it hides: {'; '.join(acknowledged.hidden)}" if acknowledged.hidden else ""
    return f"{acknowledged.rule} on {acknowledged.where or 'the app'}: {acknowledged.reason}{hidden}"
