"""A failure in words: resource, principal, action, circumstances, and the statement that decided."""

from __future__ import annotations

from collections.abc import Mapping

from tableguard.evaluation import ContextValue, DocumentLocation, Effect, Reason
from tableguard.review.decide import Verdict
from tableguard.review.explain import layer_name
from tableguard.review.rules.question import Question


def described(question: Question, verdict: Verdict) -> str:
    """What is wrong with a decision that a rule did not expect.

    Args:
        question: What was asked.
        verdict: What was decided.
    """
    who = f"{question.caller.label} ({question.caller.principal})"
    verb = "may" if verdict.allowed else "may not" if verdict.understood else "might be able to"
    lines = [f"{who} {verb} {question.action.qualified} on {question.resource}", *because(verdict)]
    if question.allowed and question.caller.identity is None and question.caller.account is not None:
        lines.append("it is in no template, so its identity policies are not known")
    stated = circumstances_in_words(question.context)
    if stated:
        lines.append(f"asked with {stated}")
    if question.moment is not None:
        lines.append(f"asked for {question.moment.date().isoformat()}")
    if not verdict.understood:
        lines.append("this is not known: the denial rests on a statement that cannot be understood")
    return "\n".join(lines)


def because(verdict: Verdict) -> tuple[str, ...]:
    """The reasons of a verdict that bear on its outcome, each once; of the key only what the table's side does not say.

    Args:
        verdict: The verdict.
    """
    decision = verdict.decision
    said = [
        worded(reason)
        for reason in decision.because
        if decision.allowed or reason.effect is not Effect.ALLOW or not reason.understood
    ]
    if verdict.key is not None and not verdict.key.allowed:
        said = [] if decision.allowed else said
        said += [f"to decrypt with the table's key: {worded(reason)}" for reason in verdict.key.because]
    if verdict.unknown_key is not None:
        said.append(f"the policy of the table's key {verdict.unknown_key} is not known")
    return tuple(dict.fromkeys(said))


def worded(reason: Reason, *, layer: str | None = None) -> str:
    """A reason with its place.

    Args:
        reason: A reason of a decision.
        layer: What its layer is called; the layer's own name when left out.
    """
    layer = layer or layer_name(reason.layer)
    if reason.effect is None:
        return f"{layer}: {reason.detail}"
    if reason.statement is None and reason.detail is not None and reason.understood:
        return reason.detail
    verb = "allowed" if reason.effect is Effect.ALLOW else "denied"
    which = f"statement {reason.sid!r}" if reason.sid else f"statement {reason.statement}"
    said = f"{layer}: {verb} by {which}"
    if reason.place is not None:
        said += f" at {place_in_words(reason.place)}"
    return said if reason.understood else f"{said}, which cannot be understood: {reason.detail}"


def place_in_words(place: DocumentLocation) -> str:
    """Where a policy stands.

    Args:
        place: The place.
    """
    if place.path is None:
        return place.policy or place.stack or "an unknown place"
    return f"{place.stack}: {place.path}"


def circumstances_in_words(context: Mapping[str, ContextValue]) -> str:
    """A context in one line.

    Args:
        context: The condition keys.
    """
    return ", ".join(
        f"{key}={'/'.join(map(str, value)) if isinstance(value, (list, tuple)) else value}"
        for key, value in sorted(context.items())
    )
