"""An explanation for a terminal, and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from tableguard.review.as_json import SCHEMA_VERSION, place, verdict
from tableguard.review.explain import Explanation, Said, Step
from tableguard.review.subjects import label_of

_BOLD, _GREEN, _RED, _OFF = "\033[1m", "\033[32m", "\033[31m", "\033[0m"


def explained(explanation: Explanation, *, notes: tuple[str, ...] = (), width: int = 80, color: bool = False) -> str:
    """The explanation as text.

    Args:
        explanation: The explanation.
        notes: What else to say.
        width: The width of the terminal in characters.
        color: Whether to use colours.
    """
    return "\n".join(_lines(explanation, notes, max(width, 60), color=color))


def explained_as_json(explanation: Explanation, *, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """The explanation as JSON.

    Args:
        explanation: The explanation.
        notes: What else to say.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        **verdict(explanation.verdict),
        "layers": [
            {
                "layer": step.layer,
                "says": step.says,
                "statements": [
                    {
                        "effect": said.effect.value,
                        "statement": said.statement,
                        "sid": said.sid,
                        "place": place(said.place),
                    }
                    for said in step.statements
                ],
            }
            for step in explanation.steps
        ],
        "missing": list(explanation.missing),
        "notes": list(notes),
    }


def _lines(explanation: Explanation, notes: tuple[str, ...], width: int, *, color: bool) -> Iterator[str]:
    decided = explanation.verdict
    asked = decided.request
    answer = _answer(explanation)
    code = _GREEN if decided.allowed else _RED
    yield f"{_BOLD}{code}{answer}{_OFF}" if color else answer
    yield f"  {label_of(asked.principal)}"
    yield f"  {asked.action} on {asked.resource}"
    for note in notes:
        yield from textwrap.wrap(note, width, initial_indent="  ! ", subsequent_indent="    ", break_on_hyphens=False)
    yield ""
    name = max(len(step.layer) for step in explanation.steps)
    for step in explanation.steps:
        yield from _step(step, name)
    if explanation.missing:
        yield ""
        yield "What is missing"
        for each in explanation.missing:
            yield from textwrap.wrap(
                each, width, initial_indent="  - ", subsequent_indent="    ",
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip


def _answer(explanation: Explanation) -> str:
    decided = explanation.verdict
    if decided.allowed and decided.unknown_key is not None:
        return "Not known: the policies of the table allow it, but the table's key stands in no template"
    if decided.allowed and decided.assumed:
        return "Allowed, if the principal's own side allows it, which stands in no template"
    if decided.allowed:
        return "Allowed"
    if not decided.understood:
        return "Denied, as far as the policies can be understood"
    explicit = any(reason.effect is not None and reason.effect.value == "Deny" for reason in decided.because)
    return "Denied by a statement" if explicit else "Denied: not everything that has to allow it does"


def _step(step: Step, name: int) -> Iterator[str]:
    head = f"  {step.layer:<{name}}  {step.says}"
    if not step.statements:
        yield head
    for number, said in enumerate(step.statements):
        yield f"{head if not number else ' ' * len(head)}  {_which(said)}"
        if said.place is not None and said.place.path:
            yield f"      {said.place.path}"


def _which(said: Said) -> str:
    which = "the document" if said.statement is None else f"statement {said.statement}"
    sid = f" {said.sid!r}" if said.sid else ""
    if said.place is None:
        return f"{which}{sid}"
    where = f"in {said.place.stack}" if said.place.stack else f"of {said.place.policy}"
    return f"{which}{sid} {where}"
