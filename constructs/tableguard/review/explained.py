"""An explanation for a terminal, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tableguard.review.as_json import SCHEMA_VERSION, place, verdict
from tableguard.review.explain import Explanation, Said, Step
from tableguard.review.lines import LEAST, wrapped
from tableguard.review.subjects import label_of

# What a statement and its stack take beside what a layer says, in characters.
_ROOM: Final = 30
_BOLD, _GREEN, _RED, _OFF = "\033[1m", "\033[32m", "\033[31m", "\033[0m"


def explained(explanation: Explanation, *, notes: tuple[str, ...] = (), width: int = 80, color: bool = False) -> str:
    """The explanation as text.

    Args:
        explanation: The explanation.
        notes: What else to say.
        width: The width of the terminal in characters; no less than 40 is used. ARNs and
            paths stay in one piece, to be copied.
        color: Whether to use colours.
    """
    return "\n".join(_lines(explanation, notes, max(width, LEAST), color=color))


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
    yield from (f"{_BOLD}{code}{line}{_OFF}" if color else line for line in wrapped(answer, width))
    yield from wrapped(label_of(asked.principal), width, head="  ")
    yield from wrapped(f"{asked.action} on {asked.resource}", width, head="  ", whole=True)
    for note in notes:
        yield from wrapped(note, width, head="  ! ")
    yield ""
    name = max(len(step.layer) for step in explanation.steps)
    for step in explanation.steps:
        yield from _step(step, name, width)
    if explanation.missing:
        yield ""
        yield "What is missing"
        for each in explanation.missing:
            yield from wrapped(each, width, head="  - ")


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


def _step(step: Step, name: int, width: int) -> Iterator[str]:
    head = f"  {step.layer:<{name}}  {step.says}"
    if not step.statements:
        yield from wrapped(head.strip(), width, head="  ")
    for number, said in enumerate(step.statements):
        if len(head) + _ROOM > width:
            yield from () if number else wrapped(head.strip(), width, head="  ")
            yield from wrapped(_which(said), width, head="    ")
        else:
            yield from wrapped(_which(said), width, head=f"{' ' * len(head) if number else head}  ")
        if said.place is not None and said.place.path:
            yield from wrapped(said.place.path, width, head="      ", whole=True)


def _which(said: Said) -> str:
    which = "the document" if said.statement is None else f"statement {said.statement}"
    sid = f" {said.sid!r}" if said.sid else ""
    if said.place is None:
        return f"{which}{sid}"
    where = f"in {said.place.stack}" if said.place.stack else f"of {said.place.policy}"
    return f"{which}{sid} {where}"
