"""Whether rules hold, tried request by request.

Trying shows that a rule does not hold. That it holds it cannot show: what it says is with how many requests it was
tried.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.policy import InvalidInputError
from tableguard.policy.evaluation import Layer, Place, Request
from tableguard.review.decide import ANY_IDENTITY, Verdict, decide
from tableguard.review.picture import Picture, Unknown
from tableguard.review.rules.around import NoWayAround
from tableguard.review.rules.meaning import Question, Rule
from tableguard.review.rules.people import opened, without
from tableguard.review.rules.scene import Scene
from tableguard.review.rules.wording import described, place_in_words

MOST_REQUESTS: Final = 1_000_000
"""At most so many requests in one check, unless the caller says otherwise."""


# What stands in a policy counts where a request gets to it; and taking these for absent takes no access away.
_TRIED: Final = ("a value in a policy", "an entry of ManagedPolicyArns", "an entry of Policies")
_ONLY_LIMITS: Final = ("ServiceName", "TargetIds", "KMSMasterKeyId", "PermissionsBoundary")
_CONDITIONAL: Final = "whether its condition holds"

_ASSUMED: Final = tuple(document.place for document in ANY_IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A rule that does not hold, or of which that is not known.

    Requests that the same statements decided are one failure: the first stands for all of them.

    Args:
        rule: The rule.
        what: What is wrong, in words: resource, principal, action, circumstances and the deciding statement.
        question: The request that shows it; None where there was nothing to ask, or more than could be tried.
        verdict: What was decided; None likewise.
        requests: How many requests were decided so.
        principals: Whose they were.
        actions: What they wanted.
        place: Where in the templates the fault lies; None where the templates do not hold what the rule speaks of.
    """

    rule: Rule
    what: str
    question: Question | None = None
    verdict: Verdict | None = None
    requests: int = 0
    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What came of trying rules.

    Args:
        tried: How many requests were tried, by rule.
        failures: What failed.
    """

    tried: Mapping[str, int]
    failures: tuple[Failure, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing failed. It says no more than `summary`."""
        return not self.failures

    @property
    def summary(self) -> str:
        """What was tried, in one line."""
        total = sum(self.tried.values())
        failed = len({failure.rule.id for failure in self.failures})
        outcome = f"{failed} do not hold" if failed else "no counterexample"
        return f"{len(self.tried)} rules tried with {total:,} requests: {outcome}"


def check(picture: Picture, rules: Sequence[Rule], today: dt.date, *, most_requests: int = MOST_REQUESTS) -> Results:
    """Try rules on a picture.

    Whoever the picture does not hold may have identity policies that allow everything, and so may the roles and users
    of other accounts than the table's, since those accounts write them. Roles and users of the table's own account
    have the policies that the templates show, unless some of them stand in no template, or no template makes the role
    or user itself: what else is attached to it is not known then. What cannot be understood
    counts against the rule.

    Args:
        picture: The picture.
        rules: The rules.
        today: The day that grants are compared with.
        most_requests: A rule that takes more requests than what is left of these fails: it was not tried whole.

    Raises:
        InvalidInputError: Two rules with one id.
    """
    ids = [rule.id for rule in rules]
    for rule_id in ids:
        if ids.count(rule_id) > 1:
            raise InvalidInputError("the ids of rules", value=rule_id, allowed="an id for each", fix="Say id=….")
    court = _Court(picture)
    tried: dict[str, int] = {}
    failures: list[Failure] = []
    for rule in rules:
        if isinstance(rule, NoWayAround):
            tried[rule.id], found = rule.search(picture, today)
            failures += (Failure(rule=rule, what=f.what, principals=f.people, place=f.place) for f in found)
            failures += (
                Failure(rule=rule, what=f"Not known: {place_in_words(each.place)}: {each.what}", place=each.place)
                for each in picture.unknowns
                if not _is_tried(each)
            )
            continue
        scene = Scene(picture, today)
        trial = _Trial(rule, scene, court)
        trial.run(most_requests - sum(tried.values()))
        tried[rule.id] = trial.tried
        failures += trial.failures()
    return Results(tried, tuple(failures))


class _Court:
    """Decides questions, with the identity policies as they stand or as they might be."""

    def __init__(self, picture: Picture) -> None:
        self._as_written = picture
        self._as_they_might_be = opened(picture)
        perhaps = {_resource(each.place) for each in picture.unknowns if each.what.startswith(_CONDITIONAL)}
        documents = [document for each in picture.identities for document in each.documents]
        self.doubtful = {each.place for each in documents if each.place and _resource(each.place) in perhaps}
        self._without_doubtful = without(picture, self.doubtful)

    def is_certain(self, request: Request) -> bool:
        """Whether a request goes through without the identity policies that may not be made."""
        return not self.doubtful or decide(self._without_doubtful, request).allowed

    def decide(self, question: Question, request: Request) -> Verdict:
        if question.allowed:
            return decide(self._as_written, request)
        behind = question.caller.identity
        closed = (
            behind is not None and behind.account == question.table.account and behind.in_assembly and not behind.unread
        )
        return decide(self._as_written if closed else self._as_they_might_be, request, outsider=ANY_IDENTITY)


class _Trial:
    """One rule, tried."""

    def __init__(self, rule: Rule, scene: Scene, court: _Court) -> None:
        self.tried = 0
        self._rule = rule
        self._scene = scene
        self._court = court
        self._found: dict[object, _Finding] = {}
        self._unfinished = False
        self._wants_refusals = False
        self._stacks: set[str | None] = set()
        self._may_be_missing: dict[Place, None] = {}

    def run(self, most: int) -> None:
        for question in self._rule.questions(self._scene):
            if self.tried >= most:
                self._unfinished = True
                return
            self.tried += 1
            self._wants_refusals = self._wants_refusals or not question.allowed
            self._stacks.add(question.table.place.stack)
            request = Request(
                principal=question.caller.principal,
                action=question.action.qualified,
                resource=question.resource,
                resource_account=question.table.account,
                context={**question.caller.facts, **question.context},
                time=question.moment or self._scene.now,
            )
            verdict = self._court.decide(question, request)
            if question.allowed and verdict.allowed and not self._court.is_certain(request):
                places = (reason.place for reason in verdict.because)
                self._may_be_missing |= {place: None for place in places if place in self._court.doubtful}
            if verdict.allowed is not question.allowed or (not question.allowed and not verdict.understood):
                self._found.setdefault(_key(question, verdict), _Finding(question, verdict)).add(question)

    def failures(self) -> Iterator[Failure]:
        for each in self._found.values():
            yield each.failure(self._rule)
        for what, place in self._problems():
            yield Failure(rule=self._rule, what=what, place=place)

    def _problems(self) -> Iterator[tuple[str, Place | None]]:
        for said in dict.fromkeys(self._scene.missing):
            yield f"Nothing was tried for {said}: no template makes it", None
        if not self.tried and not self._scene.missing:
            yield "Nothing was tried: everybody is excepted", None
        if self._unfinished:
            yield f"Not tried whole: stopped after {self.tried:,} requests. Name tables, or allow more", None
        if self._scene.left_out:
            many = f"{self._scene.left_out:,}"
            yield f"Not tried whole: the policies' conditions combine to {many} more circumstances than are tried", None
        for place in self._may_be_missing:
            yield f"Not known: {place_in_words(place)}: {_CONDITIONAL}, and nothing else allows it", place
        yield from self._scene.untried.remaining() if not self._unfinished else ()
        yield from self._unread()

    def _unread(self) -> Iterator[tuple[str, Place | None]]:
        """What no template shows of the tables, or of tables that may be there: a refusal cannot be told from it."""
        for unknown in self._scene.picture.unknowns if self._wants_refusals else ():
            at = unknown.place
            if not _is_tried(unknown) and (not self._rule.tables or at.stack in self._stacks):
                yield f"Not known: {place_in_words(at)}: {unknown.what}", at


class _Finding:
    """What the same statements decided against a rule."""

    def __init__(self, question: Question, verdict: Verdict) -> None:
        self._question = question
        self._verdict = verdict
        self._requests = 0
        self._principals: dict[str, None] = {}
        self._actions: dict[str, None] = {}

    def add(self, question: Question) -> None:
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
        )


def _resource(place: Place) -> tuple[str | None, str | None]:
    return place.stack, place.logical_id


def _is_tried(unknown: Unknown) -> bool:
    """Whether trying requests tells what follows from something unknown."""
    path = unknown.place.path or ""
    return unknown.what.startswith(_TRIED) or path.endswith(_ONLY_LIMITS)


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
