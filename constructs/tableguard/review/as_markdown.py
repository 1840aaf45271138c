"""A review for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tableguard.review import backed_up
from tableguard.review.as_text import of_acknowledgement, summary_of
from tableguard.review.enclosed import is_worth_saying, lines, of_control, of_exempted
from tableguard.review.kinds import KINDS
from tableguard.review.matrix import cell, details, where
from tableguard.review.report import ControlReport, Review, TableReview


def as_markdown(review: Review) -> str:
    """The review in Markdown: findings first, then a matrix for each table.

    Args:
        review: The review.
    """
    return "\n".join(_lines(review))


def _lines(review: Review) -> Iterator[str]:
    yield f"**Access review:** {summary_of(review)}"
    yield ""
    yield from _section(
        "Findings", (f"**{f.kind.value}**: {safe(f.message)}{_at(where(f.place))}" for f in review.findings)
    )
    yield from _section("Warnings", (f"**{w.kind.value}**: {safe(w.message)}" for w in review.warnings))
    for table in review.tables:
        yield from _table(table, review)
        if is_worth_saying(review):
            yield from (f"- {word}: {safe(text)}" for word, text in lines(table.enclosure))
            yield ""
        if backed_up.is_worth_saying(review):
            yield from (f"- {word}: {safe(text)}" for word, text in backed_up.lines(table.backups, review.today))
            yield ""
    yield from _section("Organization policies", map(_control, review.controls))
    yield from _section("Acknowledged rules", (safe(of_acknowledgement(each)) for each in review.acknowledged))
    yield from _section("Not known", (f"{safe(u.what)}{_at(where(u.place))}" for u in review.unknowns))
    yield "`yes`, `some`: every action of the kind that can work from there, or some; `*`: under conditions; "
    yield "`?`: as far as the templates tell."


def _control(control: ControlReport) -> str:
    exempt = (f"\n  - exempt: {safe(text)}" for text in of_exempted(control))
    return f"{safe(of_control(control))}{''.join(exempt)}"


def _section(title: str, entries: Iterable[str]) -> Iterator[str]:
    listed = list(dict.fromkeys(entries))
    if listed:
        yield f"### {title} ({len(listed)})"
        yield ""
        yield from (f"- {entry}" for entry in listed)
        yield ""


def _table(table: TableReview, review: Review) -> Iterator[str]:
    it = table.table
    yield f"### {code(it.name)} of {it.account} in {it.region}"
    yield ""
    if not table.rows:
        yield "Nobody has access, as far as the templates tell."
        yield ""
        return
    yield f"| principal | {' | '.join(KINDS)} | what, when, why |"
    yield f"|---|{'---|' * len(KINDS)}---|"
    for row in table.rows:
        cells = " | ".join(safe(cell(row, it, kind)) for kind in KINDS)
        words = "<br>".join(f"{word}: {safe(text)}" for word, text in details(row, it, review.today))
        yield f"| {code(row.subject.label)} | {cells} | {words} |"
    yield ""


def _at(place: str) -> str:
    return f" ({code(place)})" if place else ""


def code(text: str) -> str:
    """Text as it stands; what would end the code or the cell is replaced.

    Args:
        text: The text.
    """
    return f"`{' '.join(text.replace('`', chr(0x2019)).split())}`".replace("|", "\\|")


def safe(text: str) -> str:
    """Text that Markdown takes for nothing but text: templates are written by others.

    Args:
        text: The text.
    """
    for sign in "\\`*_[]|#~":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
