"""Rules that are tried request by request.

Trying shows that a rule does not hold. That it holds it cannot show: what it says is with how many requests it was
tried.
"""

from __future__ import annotations

import abc
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tableguard.evaluation import Document, DocumentLocation, Layer, Request
from tableguard.review.decide import ANY_IDENTITY, Verdict
from tableguard.review.picture import Table
from tableguard.review.rules.deciding import Deciding
from tableguard.review.rules.doubts import FAILS_NO_RULE, resource_at
from tableguard.review.rules.question import Question
from tableguard.review.rules.rule import Failure, Rule, RuleOutcome
from tableguard.review.rules.scene import Scene
from tableguard.review.rules.ways import Way
from tableguard.review.rules.wording import described, place_in_words
from tableguard.review.unknown import Unknown

_LIMITS: Final = frozenset({Layer.BOUNDARY.value, Layer.ENDPOINT.value, Layer.SERVICE_CONTROL.value})

_ASSUMED: Final = tuple(document.place for document in ANY_IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRule(Rule):
    """A rule that says which requests must be refused, and which must go through."""

    @abc.abstractmethod
    def questions(self, scene: Scene) -> Iterator[Question]:
        """The requests that show whether it holds, each with what is expected of it.

        Args:
            scene: The tables and everybody who might ask for them.
        """

    def check(self, deciding: Deciding, today: dt.date, budget: int) -> RuleOutcome:
        trial = _Trial(self, Scene(deciding.picture, today), deciding)
        trial.run(budget)
        trial.run_again()
        return RuleOutcome(trial.tried, tuple(trial.failures()))


class _Trial:
    """One rule, tried."""

    def __init__(self, rule: TriedRule, scene: Scene, deciding: Deciding) -> None:
        self.tried = 0
        self._rule = rule
        self._scene = scene
        self._deciding = deciding
        self._found: dict[object, _Finding] = {}
        self._unfinished = False
        self._wants_refusals = False
        self._asked: dict[DocumentLocation, Table] = {}
        self._asks_inside = False
        self._left: tuple[Way, ...] = ()
        self._doubts: dict[tuple[str, DocumentLocation | None], None] = {}

    def run(self, most: int) -> None:
        for question in self._rule.questions(self._scene):
            if self.tried >= most:
                self._unfinished = True
                return
            self.tried += 1
            self._wants_refusals = self._wants_refusals or not question.allowed
            self._asked[question.table.place] = question.table
            self._asks_inside = self._asks_inside or question.caller.account == question.table.account
            if not question.allowed and self._deciding.surely_refuses(question, self._scene.reach):
                continue
            request = self._request(question)
            verdict = self._deciding.decide(question, request)
            if question.allowed and verdict.allowed:
                self._doubts |= dict.fromkeys(self._deciding.doubts(question, request, verdict))
            if verdict.allowed is not question.allowed or (not question.allowed and not verdict.understood):
                self._found.setdefault(_key(question, verdict), _Finding(question, verdict)).add(question, verdict)

    def _request(self, question: Question) -> Request:
        return Request(
            principal=question.caller.principal,
            action=question.action.qualified,
            resource=question.resource,
            resource_account=question.table.account,
            context={**question.caller.facts, **question.context},
            time=question.moment or self._scene.now,
        )

    def run_again(self) -> None:
        """Try without the protections that a way was left around: what goes through then is not known to be refused."""
        remaining = self._scene.ways.remaining
        if not remaining or self._unfinished or not self._wants_refusals:
            return
        weaker = Deciding(self._scene.ways.without_protection())
        left: dict[Way, None] = {}
        for question in self._rule.questions(self._scene):
            if question.allowed or self._deciding.surely_refuses(question, self._scene.reach):
                continue
            request = self._request(question)
            protected = self._deciding.decide(question, request)
            if not protected.allowed and weaker.decide(question, request).allowed:
                left |= dict.fromkeys(way for way in remaining if _bears_on(way, protected))
        self._left = tuple(left)

    def failures(self) -> Iterator[Failure]:
        for each in self._found.values():
            yield each.failure(self._rule)
        for what, place, *rests_on in self._problems():
            yield Failure(rule=self._rule, what=what, place=place, rests_on=tuple(rests_on))

    def _problems(self) -> Iterator[tuple[str, DocumentLocation | None] | tuple[str, DocumentLocation | None, str]]:
        for said in dict.fromkeys(self._scene.missing):
            yield f"Nothing was tried for {said}: no template makes it", None
        if not self.tried and not self._scene.missing:
            yield "Nothing was tried: everybody is excepted", None
        if self._unfinished:
            yield f"Not tried whole: stopped after {self.tried:,} requests. Name tables, or allow more", None
        if self._scene.left_out:
            many = f"{self._scene.left_out:,}"
            yield f"Not tried whole: the policies' conditions combine to {many} more circumstances than are tried", None
        for what, place in self._doubts:
            yield f"Not known: {place_in_words(place or DocumentLocation())}: {what}", place
        yield from self._scene.untried.remaining() if not self._unfinished else ()
        for way in self._left:
            yield _left_in_words(way), way.sentence.document.place, _as_json(way.sentence.document.source)
        yield from self._unread()

    def _unread(self) -> Iterator[tuple[str, DocumentLocation | None, str]]:
        """What no template shows of the tables, or of tables that may be there: a refusal cannot be told from it."""
        asked = {resource_at(place) for place in self._asked}
        made = {resource_at(table.place) for table in self._scene.picture.tables}
        for unknown in self._scene.picture.unknowns if self._wants_refusals else ():
            at = resource_at(unknown.place)
            if at in made and not unknown.anything:
                bears = at in asked
            else:
                bears = unknown.anything or not self._rule.tables or self._is_near(unknown)
            if bears and unknown.kind not in FAILS_NO_RULE:
                yield f"Not known: {place_in_words(unknown.place)}: {unknown.what}", unknown.place, unknown.source

    def _is_near(self, unknown: Unknown) -> bool:
        """Whether it stands where a table does that was asked about, or makes identities of that table's account."""
        if any(place.stack == unknown.place.stack for place in self._asked):
            return True
        return self._asks_inside and unknown.account in {table.account for table in self._asked.values()}


class _Finding:
    """What the same statements decided against a rule."""

    def __init__(self, question: Question, verdict: Verdict) -> None:
        self._question = question
        self._verdict = verdict
        self._requests = 0
        self._principals: dict[str, None] = {}
        self._actions: dict[str, None] = {}
        self._documents: dict[int, tuple[str, Document]] = {}

    def add(self, question: Question, verdict: Verdict) -> None:
        for policies in (verdict.policies, verdict.key_policies):
            for layer in policies.layers if policies is not None else ():
                self._documents.update({id(each): (layer.layer.value, each) for each in layer.documents})
        self._requests += 1
        self._principals[question.caller.principal] = None
        self._actions[question.action.qualified] = None

    def failure(self, rule: Rule) -> Failure:
        reasons = self._verdict.decision.because
        places = (reason.place for reason in reasons if reason.place is not None and reason.layer is Layer.RESOURCE)
        return Failure(
            rule=rule,
            what=described(self._question, self._verdict),
            question=self._question,
            verdict=self._verdict,
            requests=self._requests,
            principals=tuple(self._principals),
            actions=tuple(self._actions),
            place=next((place for place in places if place.logical_id is not None), self._question.table.place),
            rests_on=tuple(sorted(set(self._protections()))),
        )

    def _protections(self) -> Iterator[str]:
        """What limits the requests, in any layer: Denies, and all of what has to allow besides the two sides."""
        actions = [action.lower() for action in self._actions]
        for layer, document in self._documents.values():
            limits = layer in _LIMITS
            for action in (*actions, "kms:decrypt"):
                for statement in document.compiled.concerning(action):
                    if statement.denies or limits:
                        yield _as_json([layer, _stated(document, statement.index)])


def _stated(document: Document, number: int | None) -> object:
    """A statement as it stands; the whole document where it cannot be taken apart."""
    source = document.source
    stated = source.get("Statement") if isinstance(source, Mapping) else None
    if number is None:
        return source
    return stated[number] if isinstance(stated, (list, tuple)) else stated


def _as_json(source: object) -> str:
    return json.dumps(source, sort_keys=True, default=str)


def _bears_on(way: Way, verdict: Verdict) -> bool:
    policies = [each for each in (verdict.policies, verdict.key_policies) if each is not None]
    return any(
        way.sentence.document is each for found in policies for layer in found.layers for each in layer.documents
    )


def _left_in_words(way: Way) -> str:
    sid = way.sentence.source.get("Sid")
    which = f"statement {sid!r}" if isinstance(sid, str) else f"statement {way.sentence.number}"
    place = place_in_words(way.sentence.document.place or DocumentLocation())
    what = "an Allow that a refusal rests on" if way.sentence.allows else "a Deny that a refusal rests on"
    return f"Not tried: {what}, {which} at {place}: no request that was made up is beyond it by {way.said}"


def _key(question: Question, verdict: Verdict) -> object:
    reasons = tuple(
        (reason.layer, reason.place, reason.statement)
        for reason in verdict.because
        if reason.place not in _ASSUMED and not (verdict.allowed and reason.statement is None)
    )
    return (
        question.table.arn,
        question.caller.principal if question.allowed else None,
        verdict.decision.outcome,
        reasons,
    )
