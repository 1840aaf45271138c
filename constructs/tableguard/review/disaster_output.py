"""The disasters of an assembly's tables for a terminal, for a program and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tableguard.review.as_markdown import code, safe
from tableguard.review.disaster import GUIDE, DisasterOutcome, TableDisasters
from tableguard.review.lines import LEAST, wrapped

SCHEMA_VERSION: Final = 1
_NOTHING: Final = "nothing is left"
_HEAD: Final = (
    "Derived from the templates, not from what is deployed. Times are estimates; only a drill tells. "
    f"What to do stands in {GUIDE}."
)
_WIDEST: Final = 120


def disasters_as_text(found: Sequence[TableDisasters], *, width: int = 80) -> str:
    """The disasters as text.

    Args:
        found: The disasters of each table.
        width: The width of the terminal in characters; no less than 40 is used.
    """
    return "\n".join(_text(found, min(max(width, LEAST), _WIDEST)))


def _text(found: Sequence[TableDisasters], width: int) -> Iterator[str]:
    yield from wrapped(_HEAD if found else "No table stands in the templates.", width)
    for each in found:
        yield ""
        title = f"{each.table.name}  {each.table.account} {each.table.region}"
        yield from wrapped(title, width, indent="  ", whole=True)
        for number, outcome in enumerate(each.outcomes, start=1):
            yield from wrapped(outcome.disaster.value, width, head=f" {number} ")
            for word, text in lines(outcome):
                yield from wrapped(text, width, head=f"   {word:<8} ", whole=True)


def lines(outcome: DisasterOutcome) -> Iterator[tuple[str, str]]:
    """An outcome in words, as all formats have it.

    Args:
        outcome: The outcome.
    """
    for left in outcome.left or (_NOTHING,):
        yield "left", left
    for step in outcome.do:
        yield "do", step
    yield "takes", outcome.takes
    yield "loses", f"{outcome.loses}: {outcome.why}"


def disasters_as_markdown(found: Sequence[TableDisasters]) -> str:
    """The disasters in Markdown.

    Args:
        found: The disasters of each table.
    """
    return "\n".join(_markdown(found))


def _markdown(found: Sequence[TableDisasters]) -> Iterator[str]:
    yield safe(_HEAD if found else "No table stands in the templates.")
    for each in found:
        yield ""
        yield f"### {code(each.table.name)} of {each.table.account} in {each.table.region}"
        yield ""
        yield "| disaster | left | do | takes | loses at most |"
        yield "|---|---|---|---|---|"
        for outcome in each.outcomes:
            words = list(lines(outcome))
            cells = ("<br>".join(safe(t) for w, t in words if w == word) for word in ("left", "do", "takes", "loses"))
            yield f"| {outcome.disaster.value} | {' | '.join(cells)} |"


def disasters_as_json(found: Sequence[TableDisasters]) -> dict[str, Any]:
    """The disasters as JSON. The schema is documented in docs/disaster-recovery.md, and only grows within a version.

    Args:
        found: The disasters of each table.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "guide": GUIDE,
        "tables": [
            {
                "arn": each.table.arn,
                "name": each.table.name,
                "account": each.table.account,
                "region": each.table.region,
                "disasters": [_outcome(outcome) for outcome in each.outcomes],
            }
            for each in found
        ],
    }


def _outcome(outcome: DisasterOutcome) -> dict[str, Any]:
    return {
        "disaster": outcome.disaster.name.lower(),
        "title": outcome.disaster.value,
        "section": outcome.disaster.section,
        "left": list(outcome.left),
        "do": list(outcome.do),
        "takes": outcome.takes,
        "loses": outcome.loses,
        "loses_minutes": outcome.loses_minutes,
        "why": outcome.why,
    }
