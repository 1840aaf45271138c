"""Explains one decision: what every layer says, which statement decides, and what is missing for a yes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tableguard.evaluation import DocumentLocation, Effect, Layer, Policies, Reason, Request
from tableguard.evaluation.evaluator import is_bounded
from tableguard.evaluation.match import Match
from tableguard.evaluation.policies import LayerDocuments
from tableguard.review.decide import Verdict
from tableguard.review.sentences import Sentence, Shelf, Test

_ORDER: Final = (
    Layer.SERVICE_CONTROL,
    Layer.RESOURCE_CONTROL,
    Layer.ENDPOINT,
    Layer.RESOURCE,
    Layer.IDENTITY,
    Layer.BOUNDARY,
    Layer.SESSION,
)
_NAMES: Final = {
    Layer.SERVICE: "DynamoDB itself",
    Layer.SERVICE_CONTROL: "service control policies",
    Layer.RESOURCE_CONTROL: "resource control policies",
    Layer.ENDPOINT: "VPC endpoint policy",
    Layer.RESOURCE: "resource policy",
    Layer.IDENTITY: "identity policies",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policies",
}
_ONE: Final = frozenset({Layer.ENDPOINT, Layer.RESOURCE, Layer.BOUNDARY})
"""The layers that are one policy; the others may be several."""
_ALWAYS: Final = (Layer.RESOURCE, Layer.IDENTITY)
_KEY: Final = "the key's "


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one statement says about a request.

    Args:
        effect: Allow or Deny.
        place: Its document.
        statement: Its number there, counted from 0.
        sid: Its Sid.
    """

    effect: Effect
    place: DocumentLocation | None
    statement: int | None
    sid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one layer says about a request.

    Args:
        layer: The layer, in words.
        says: "allows", "denies", "may deny", "silent", "does not deny", "not understood", "assumed to allow" or "none".
        statements: The statements that say so; those that are not understood, where they alone decide.
    """

    layer: str
    says: str
    statements: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An explained decision.

    Args:
        verdict: The decision.
        steps: What each layer says.
        missing: What would have to change for a yes, in words; empty for a yes.
    """

    verdict: Verdict
    steps: tuple[Step, ...]
    missing: tuple[str, ...]


def explain(verdict: Verdict, shelf: Shelf) -> Explanation:
    """Explain a decision.

    Args:
        verdict: The decision.
        shelf: The statements of documents.
    """
    steps = [*_steps(verdict.request, verdict.policies, verdict.decision.because, "", assumed=verdict.assumed)]
    missing = [*_missing(verdict.decision.because, verdict.request, verdict.policies, shelf, "")]
    if verdict.decision.allowed:
        missing = []
    if verdict.key is not None and verdict.key_policies is not None and verdict.key_request is not None:
        parts = (verdict.key_request, verdict.key_policies)
        steps += _steps(*parts, verdict.key.because, _KEY, assumed=verdict.assumed)
        if not verdict.key.allowed:
            missing += _missing(verdict.key.because, *parts, shelf, _KEY)
    elif verdict.key is not None:
        steps += [Step(layer=f"{_KEY}kind", says="denies")]
        missing += [str(reason.detail) for reason in verdict.key.because]
    return Explanation(verdict=verdict, steps=tuple(steps), missing=tuple(dict.fromkeys(missing)))


def layer_name(layer: Layer) -> str:
    """A layer in words.

    Args:
        layer: The layer.
    """
    return _NAMES[layer]


def _steps(
    request: Request, policies: Policies, because: tuple[Reason, ...], prefix: str, *, assumed: bool
) -> Iterator[Step]:
    for reason in because:
        if reason.layer is Layer.SERVICE:
            yield Step(layer=_NAMES[Layer.SERVICE], says="denies")
    bounded = is_bounded(request.situation, policies)
    for layer in _ORDER:
        found = [each for each in policies.layers if each.layer is layer]
        name = f"{prefix}{_NAMES[layer]}"
        if prefix and layer is Layer.ENDPOINT:
            continue
        if layer is Layer.IDENTITY and assumed:
            yield Step(layer=name, says="assumed to allow")
        elif found:
            yield _step(name, found, request, bounded=bounded)
        elif layer in _ALWAYS:
            yield Step(layer=name, says="none")


def _step(name: str, found: list[LayerDocuments], request: Request, *, bounded: bool) -> Step:
    situation = request.situation
    said: dict[Match, list[Said]] = {True: [], None: [], False: []}
    for each in found:
        for document in each.documents:
            for statement in document.compiled.concerning(situation.action):
                applies = statement.applies(situation, named=each.named, bounded=bounded)
                said[applies].append(
                    Said(effect=statement.effect, place=document.place, statement=statement.index, sid=statement.sid)
                )
    unclear = said[None]
    denies = [each for each in said[True] if each.effect is Effect.DENY]
    perhaps = [each for each in unclear if each.effect is Effect.DENY]
    allows = [each for each in said[True] if each.effect is Effect.ALLOW]
    if denies or perhaps:
        return Step(layer=name, says="denies" if denies else "may deny", statements=(*denies, *perhaps))
    if found[0].layer is Layer.RESOURCE_CONTROL:
        return Step(layer=name, says="does not deny")
    if allows:
        return Step(layer=name, says="allows", statements=tuple(allows))
    return Step(layer=name, says="not understood" if unclear else "silent", statements=tuple(unclear))


def _missing(
    because: tuple[Reason, ...], request: Request, policies: Policies, shelf: Shelf, prefix: str
) -> Iterator[str]:
    unclear = {(each.layer, each.level) for each in because if each.effect is Effect.ALLOW and not each.understood}
    for reason in because:
        name = f"{prefix or 'the '}{_NAMES[reason.layer]}"
        if reason.effect is Effect.DENY:
            yield from _to_be_exempt(reason, request, policies, shelf, name)
        elif reason.layer is Layer.SERVICE:
            yield str(reason.detail)
        elif reason.effect is None:
            near = list(_nearly(reason, request, policies, shelf))
            if near or (reason.layer, reason.level) not in unclear:
                yield from near or [_nothing(reason.layer, prefix, request)]
        elif not reason.understood:
            at = _at(reason.place, reason.statement, reason.sid)
            yield f"{at} of {name} cannot be understood: {reason.detail}"


def _to_be_exempt(reason: Reason, request: Request, policies: Policies, shelf: Shelf, name: str) -> Iterator[str]:
    at = _at(reason.place, reason.statement, reason.sid)
    if not reason.understood:
        yield f"{at} of {name} may deny it, and cannot be understood: {reason.detail}"
        return
    sentence = shelf.deciding(reason, policies)
    tests = sentence.tests if sentence is not None else ()
    if not tests:
        yield f"{at} of {name} denies it, whatever the circumstances"
        return
    conditions = " and ".join(_has(test, request) for test in tests)
    yield f"{at} of {name} denies it, because {conditions}"


def _nearly(reason: Reason, request: Request, policies: Policies, shelf: Shelf) -> Iterator[str]:
    """The statements of a silent layer that would allow it, but for a condition."""
    situation = request.situation
    for layer in policies.layers:
        if layer.layer is not reason.layer or layer.level != reason.level:
            continue
        for sentence in shelf.about(situation.action, layer):
            if sentence.allows and sentence.tests and sentence.fits_but_for_conditions(situation, named=layer.named):
                # One of which it cannot be told makes a statement that is not understood, and is said there.
                failed = [test for test in sentence.tests if sentence.holds(test, situation) is False]
                if failed:
                    why = "; ".join(dict.fromkeys(_fails(test, sentence.tests, request) for test in failed))
                    yield f"{_of(sentence)} would allow it, but {why}"


def _nothing(layer: Layer, prefix: str, request: Request) -> str:
    what, name = request.action, f"{prefix or 'the '}{_NAMES[layer]}"
    if layer is Layer.RESOURCE and not prefix:
        return f"{name} of the table has no statement for this principal that allows {what}"
    return f"{name} {'has' if layer in _ONE else 'have'} no statement that allows {what} on this resource"


def _fails(test: Test, tests: tuple[Test, ...], request: Request) -> str:
    others = [other for other in tests if other.low_key == test.low_key and other.base != "Null"]
    asks = _asks(others[0] if test.base == "Null" and others else test)
    return f"{_value(test, request)} (it asks for {asks})"


def _has(test: Test, request: Request) -> str:
    return f"{_value(test, request)} ({test.operator} {', '.join(test.values)})"


def _value(test: Test, request: Request) -> str:
    found = request.situation.context.get(test.low_key)
    return f"{test.key} is {', '.join(found)}" if found is not None else f"the request has no {test.key}"


def _asks(test: Test) -> str:
    if test.base == "Null":
        return "no such key" if "true" in map(str.lower, test.values) else "any value of it"
    return f"{test.operator} {', '.join(test.values)}"


def _of(sentence: Sentence) -> str:
    sid = sentence.source.get("Sid")
    return _at(sentence.document.place, sentence.number, sid if isinstance(sid, str) else None)


def _at(place: DocumentLocation | None, statement: int | None, sid: str | None) -> str:
    which = "the document" if statement is None else f"statement {statement}"
    named = f" {sid!r}" if sid else ""
    where = f" [{place.stack}/{place.logical_id}]" if place is not None and place.stack else ""
    policy = f" of {place.policy}" if place is not None and place.policy and not where else ""
    return f"{which}{named}{policy}{where}"
