"""Looks for a request that the policies allow: the evidence for every access that a review shows.

It starts from a plain request and changes its context as the statements that stand in the way suggest, until the
evaluation allows it or no suggestion is left. So what it finds is true, by the evaluation's judgement; what it does not
find may still exist where many conditions depend on each other, beyond the number of tries.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tableguard.aws.condition_keys import CONDITION_KEYS, About, keys_about
from tableguard.evaluation import Decision, Effect, Layer, Policies, Reason, Request
from tableguard.evaluation.request import Situation
from tableguard.review.decide import ANY_IDENTITY, Verdict, decide
from tableguard.review.picture import Picture, Table
from tableguard.review.samples import TIMES, Change, Context, at, failing, meeting
from tableguard.review.sentences import Sentence, Shelf, Test

_TRIES: Final = 48
_LEADING: Final = "dynamodb:leadingkeys"
# Which requests carry a key that not all do.
_CARRIERS: Final = {low: frozenset(map(str.lower, key.actions)) for low, key in CONDITION_KEYS.items() if key.actions}
# What follows from who asks and for what: no other request of the same caller could have another value.
FIXED: Final = (keys_about(About.CALLER) - {"aws:principalorgid", "aws:principalorgpaths"}) | {
    "aws:resourceaccount",
    "aws:requestedregion",
    "aws:securetransport",
}
# Another moment or a detour through a service is a way in as well, but none that one would look for first.
_LATE: Final = (*TIMES, "aws:viaawsservice", "aws:calledvia")
_PUBLIC_NETWORK: Final = frozenset({"aws:sourceip"})
_PRIVATE_NETWORK: Final = keys_about(About.NETWORK) - _PUBLIC_NETWORK


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a search is for.

    Args:
        principal: Who, as in a `Request`.
        action: The action.
        resource: The ARN.
        table: The table that the ARN belongs to.
        hints: What the caller's context holds for certain, such as the organization it is in.
        any_identity: Whether to leave the caller's own side open, even when the picture holds it.
    """

    principal: str
    action: str
    resource: str
    table: Table
    hints: Mapping[str, str]
    any_identity: bool = False


class Search:
    """Searches one picture.

    Args:
        picture: The picture.
        now: The moment of the requests, with a time zone.
        shelf: The statements of the picture's documents.
    """

    def __init__(self, picture: Picture, now: dt.datetime, shelf: Shelf) -> None:
        self.picture = picture
        self.shelf = shelf
        self.now = now
        self._now = at(now)
        self._vpcs = {e.vpc_id: e.endpoint_id for e in picture.endpoints if e.vpc_id is not None}
        self._endpoints = {e.endpoint_id: e.vpc_id for e in picture.endpoints if e.vpc_id is not None}

    def verdict(self, asked: Asked, context: Context | None = None) -> Verdict:
        """The decision of one request.

        Args:
            asked: What is asked for.
            context: Its context; that of a plain request when left out.
        """
        found = self.plain(asked) if context is None else context
        request = Request(
            principal=asked.principal,
            action=asked.action,
            resource=asked.resource,
            context={key: values[0] if len(values) == 1 else values for key, values in found.items()},
        )
        # Inside the table's account anybody may be allowed anything by policies of its own: that says nothing.
        inside = request.situation.caller.account == asked.table.account
        outsider = None if inside and not asked.any_identity else ANY_IDENTITY
        return decide(self.picture, request, outsider=outsider, even_if_known=asked.any_identity)

    def plain(self, asked: Asked) -> Context:
        """The context of a plain request: over TLS, now, for some item, not through another service."""
        context = {
            "aws:securetransport": ("true",),
            "aws:viaawsservice": ("false",),
            "aws:requestedregion": (asked.table.region,),
            **self._now,
            **{key.lower(): (value,) for key, value in asked.hints.items()},
        }
        if asked.action.lower() in _CARRIERS[_LEADING]:
            context[_LEADING] = ("some-key",)
        return context

    def ways(self, asked: Asked, first: Verdict) -> Iterator[Verdict]:
        """Requests that are allowed, one for each statement that may grant it; else one of which that is not known.

        Args:
            asked: What is asked for.
            first: The decision of the plain request, which denies it.
        """
        if any(reason.layer is Layer.SERVICE for reason in first.because):
            return
        plain = self.plain(asked)
        starts = {_frozen(start): start for start in self._starts(first, plain, asked)}
        for start in starts.values() or [plain]:
            found = self._from(start, asked, first if start == plain else None)
            if found is not None:
                yield found

    def _starts(self, verdict: Verdict, plain: Context, asked: Asked) -> Iterator[Context]:
        situation = verdict.request.situation
        for layer in verdict.policies.layers:
            if layer.layer not in (Layer.IDENTITY, Layer.RESOURCE):
                continue
            for sentence in self.shelf.about(situation.action, layer):
                if sentence.allows and sentence.fits_but_for_conditions(situation, named=layer.named):
                    for change in _meeting(sentence, situation, plain):
                        changed = self._changed(plain, change, asked)
                        if changed is not None:
                            yield changed
                            break

    def _from(self, start: Context, asked: Asked, first: Verdict | None) -> Verdict | None:
        soon, late = deque([start]), deque[Context]()
        seen = {_frozen(start)}
        perhaps: Verdict | None = None
        for _ in range(_TRIES):
            if not soon and not late:
                break
            context = soon.popleft() if soon else late.popleft()
            verdict = first if first is not None and context is start else self.verdict(asked, context)
            if verdict.allowed:
                return verdict
            if perhaps is None and not verdict.understood:
                perhaps = verdict
            for change in self._suggestions(verdict, context):
                changed = self._changed(context, change, asked)
                if changed is not None and _frozen(changed) not in seen:
                    seen.add(_frozen(changed))
                    (late if any(key.startswith(_LATE) for key in change) else soon).append(changed)
        return perhaps

    def _suggestions(self, verdict: Verdict, context: Context) -> Iterator[Change]:
        yield from self._against(verdict.decision, verdict.policies, verdict.request, context)
        if verdict.key is not None and verdict.key_policies is not None and verdict.key_request is not None:
            yield from self._against(verdict.key, verdict.key_policies, verdict.key_request, context)

    def _against(self, decision: Decision, policies: Policies, request: Request, context: Context) -> Iterator[Change]:
        """Changes that may turn a denial."""
        for reason in decision.because if not decision.allowed else ():
            if reason.effect is Effect.DENY:
                sentence = self.shelf.deciding(reason, policies)
                for test in sentence.tests if sentence is not None else ():
                    yield from failing(test, context)
            elif reason.effect is None:
                yield from self._through(reason, policies, request.situation, context)

    def _through(self, reason: Reason, policies: Policies, situation: Situation, context: Context) -> Iterator[Change]:
        """Changes after which a layer that was silent may allow."""
        for layer in policies.layers:
            if layer.layer is reason.layer and layer.level == reason.level:
                for sentence in self.shelf.about(situation.action, layer):
                    if sentence.allows and sentence.fits_but_for_conditions(situation, named=layer.named):
                        yield from _meeting(sentence, situation, context)

    def _changed(self, context: Context, change: Change, asked: Asked) -> Context | None:
        """The context with a change; None when no request of this caller for this action could look like that."""
        if not all(_may_change(key, asked.action.lower()) for key in change):
            return None
        changed = {key: values for key, values in context.items() if key not in change}
        changed |= {key: values for key, values in change.items() if values is not None}
        return self._on_one_network(changed, change)

    def _on_one_network(self, context: dict[str, tuple[str, ...]], change: Change) -> Context:
        """A request comes from the internet or through an endpoint, and an endpoint is in one VPC."""
        came = {key for key, values in change.items() if values is not None}
        if came & _PUBLIC_NETWORK:
            return {key: values for key, values in context.items() if key not in _PRIVATE_NETWORK}
        if not came & _PRIVATE_NETWORK:
            return context
        context = {key: values for key, values in context.items() if key not in _PUBLIC_NETWORK}
        for key, other, known in (
            ("aws:sourcevpc", "aws:sourcevpce", self._vpcs),
            ("aws:sourcevpce", "aws:sourcevpc", self._endpoints),
        ):
            beside = known.get(context.get(key, ("",))[0]) if key in came and other not in came else None
            if beside is not None:
                context[other] = (beside,)
        return context


def _may_change(key: str, action: str) -> bool:
    if key in FIXED or key.startswith("kms:"):
        return False
    return key not in _CARRIERS or action in _CARRIERS[key]


def _meeting(sentence: Sentence, situation: Situation, context: Context) -> Iterator[Change]:
    """Changes that meet all conditions of a statement: the first suggestion for each, then the others one by one."""
    failed = [test for test in sentence.tests if not sentence.holds(test, situation)]
    suggestions = [_for(test, sentence.tests, context) for test in failed]
    if not all(suggestions):
        return
    first: dict[str, tuple[str, ...] | None] = {}
    for each in suggestions:
        first |= each[0]
    yield first
    for each in suggestions:
        for other in each[1:]:
            yield {**first, **other}


def _for(test: Test, tests: Iterable[Test], context: Context) -> list[Change]:
    """Suggestions for a test; where it asks only that a key is there, a value that the key's other tests accept."""
    others = [o for o in tests if o.low_key == test.low_key and o.base != "Null" and not o.negated]
    if test.base == "Null" and others and "false" in map(str.lower, test.values):
        return list(meeting(others[0], context))
    return list(meeting(test, context))


def _frozen(context: Context) -> frozenset[tuple[str, tuple[str, ...]]]:
    return frozenset(context.items())
