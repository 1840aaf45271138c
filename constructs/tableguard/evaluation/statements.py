"""One statement of a policy: whether it applies to a request.

Actions are compiled when a first request comes, and the rest when one gets past them: most statements are settled by
their action.
Source: IAM User Guide, "IAM JSON policy element reference".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from tableguard.evaluation.arns import ArnPatterns
from tableguard.evaluation.condition_tests import Test
from tableguard.evaluation.conditions import compile_condition
from tableguard.evaluation.decision import DocumentLocation, Effect, Layer, Reason
from tableguard.evaluation.match import Doubt, MalformedError, Match
from tableguard.evaluation.open_answers import Open
from tableguard.evaluation.principals import PrincipalElement, Strength
from tableguard.evaluation.request import Situation
from tableguard.policy.wildcards import Patterns

Source: TypeAlias = Mapping[object, object]

_ELEMENTS: Final = frozenset(
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
)
_ACTION: Final = re.compile(r"\*|[a-z0-9-]+:[a-z0-9_.*?-]+|\*:\*", re.ASCII)
_CACHED_LENGTH: Final = 1024
_UNKNOWN_ACTIONS: Final = Patterns(())
_NEEDS: Final = "a statement needs either {0} or Not{0}"
_DIRECT: Final = Strength.DIRECT
_GONE: Final[Source] = {}
_NAMES_NOBODY: Final = "a policy of this kind cannot name principals"
_NOT_KNOWN: Final = "what it compares with is missing from the request, or cannot be read there"
_ANY_RESOURCE: Final = ArnPatterns(["*"], variables=False, fixed_service=True)


@lru_cache(maxsize=4096)
def _cached_actions(texts: tuple[str, ...]) -> Patterns:
    """Patterns for an action in lower case. The statements of many policies name the same few lists of actions."""
    for text in texts:
        if not _ACTION.fullmatch(text.lower()):
            raise MalformedError(f"{text!r} is no action")
    return Patterns(map(str.lower, texts))


class CompiledStatement:
    """A compiled statement.

    Args:
        source: The statement as it stands in the document.
        index: Its number in the document.
        variables: Whether `${…}` is a variable, which takes Version 2012-10-17.
        problem: What is wrong with the document around it, so that it cannot be understood either.
    """

    __slots__ = (
        "_actions",
        "_answer",
        "_exempts",
        "_has_principal",
        "_last_reason",
        "_other_actions",
        "_other_resource",
        "_principal_problem",
        "_problem",
        "_resource",
        "_source",
        "_tests",
        "_variables",
        "allows",
        "denies",
        "index",
        "principal",
        "sid",
    )

    def __init__(self, source: object, *, index: int | None, variables: bool, problem: str | None) -> None:
        self._source: Source = source if isinstance(source, Mapping) else {}
        self._variables = variables
        self._problem = problem if isinstance(source, Mapping) else (problem or "a statement is no object")
        # The open answer behind the problem, if any.
        self._answer: Open | None = None
        # Kept apart: the same document may serve a layer that names principals and one that does not.
        self._principal_problem: str | None = _NEEDS.format("Principal")
        self._has_principal = "Principal" in self._source or "NotPrincipal" in self._source
        self._actions: Patterns | None = None
        self._other_actions = False
        self._resource = _ANY_RESOURCE
        self._other_resource = False
        self._exempts = False
        self._tests: tuple[Test, ...] | None = None
        self.principal: PrincipalElement | None = None
        self._last_reason: Reason | None = None
        self.index = index
        sid = self._source.get("Sid")
        self.sid = sid if isinstance(sid, str) else None
        effect = self._source.get("Effect")
        # Whatever is not clearly one of the two could be either: it grants nothing and denies.
        self.allows = effect != "Deny"
        self.denies = effect != "Allow"
        if self.allows and self.denies:
            self._problem = self._problem or f"the Effect {effect!r} is neither Allow nor Deny"

    @property
    def effect(self) -> Effect:
        """Its effect; Deny when it cannot be told."""
        return Effect.DENY if self.denies else Effect.ALLOW

    def concerns(self, action: str) -> Match:
        """Whether it is about an action (in lower case); None when that cannot be told."""
        actions = self._actions or self._compile_actions()
        return None if actions is _UNKNOWN_ACTIONS else actions.match(action) is not self._other_actions

    def applies(self, situation: Situation, *, named: bool, bounded: bool = False) -> Match:
        """Whether it applies to a request about an action that it concerns; None when that cannot be told.

        Args:
            situation: The request.
            named: Whether its layer's policies name principals.
            bounded: Whether the caller has a permissions boundary: a NotPrincipal exempts no such caller.
        """
        tests = self._tests
        if tests is None:
            tests = self._compile_rest()
        known = self._problem is None
        matched = self._resource.match(situation.resource, situation.segments, situation.context)
        if matched is None:
            # "The resource that includes a policy variable with no value will not match any resource" (IAM User Guide,
            # "Variables and tags").
            if not self._other_resource and self._resource.doubt(situation.context) is None:
                return False
            known = False
        elif matched is self._other_resource:
            return False
        if named:
            matched = self._match_principal(situation, bounded=bounded)
            if matched is False:
                return False
            known = known and matched is not None
        elif self._has_principal:
            known = False
        context = situation.context
        for test in tests:
            matched = test.holds(context)
            if matched is False:
                return False
            known = known and matched is not None
        return True if known else None

    def strength(self, situation: Situation) -> Strength:
        """The most that its principal element gives, or might give, to a caller to whom the statement may apply."""
        if self.principal is None or self._exempts:
            return _DIRECT
        return self.principal.strength(situation) or _DIRECT

    def reason(
        self,
        layer: Layer,
        level: int | None,
        place: DocumentLocation | None,
        *,
        doubt_about: Situation | None,
        named: bool,
    ) -> Reason:
        """The reason that it is, when it decides.

        Args:
            layer: The layer that its document belongs to.
            level: The level, for an organization's policies.
            place: Where its document stands.
            doubt_about: The request of which it cannot be told whether it applies; None where it clearly does.
            named: Whether its layer's policies name principals.
        """
        # A statement decides many requests, mostly in the same layer and place.
        last = self._last_reason
        if doubt_about is not None:
            detail, answer = self.doubt(doubt_about, named=named)
            return Reason(layer, self.effect, self.sid, place, self.index, level, False, detail, answer)  # noqa: FBT003
        if last is not None and (last.layer is layer and last.level == level and last.place is place):
            return last
        self._last_reason = reason = Reason(layer, self.effect, self.sid, place, self.index, level)
        return reason

    def doubt(self, situation: Situation, *, named: bool) -> Doubt:
        """Why it cannot be told whether it applies to a request, which it is already known that it cannot.

        Args:
            situation: The request.
            named: Whether its layer's policies name principals.
        """
        if self._problem is not None:
            return self._problem, self._answer
        if named and self._principal_problem is not None:
            return self._principal_problem, None
        if not named and self._has_principal:
            return _NAMES_NOBODY, None
        context = situation.context
        doubts = [doubt for test in self._tests or () for doubt in [test.doubt(context)] if doubt is not None]
        if self._resource.match(situation.resource, situation.segments, context) is None:
            answer = self._resource.doubt(context) or Open.VARIABLE_IN_NOT_RESOURCE
            doubts.append((f"{'NotResource' if self._other_resource else 'Resource'}: {answer.words}", answer))
        if not doubts:
            return _NOT_KNOWN, None
        return "; ".join(words for words, _ in doubts), next((found for _, found in doubts if found is not None), None)

    def _match_principal(self, situation: Situation, *, bounded: bool) -> Match:
        principal = self.principal
        if principal is None:
            return None
        if not self._exempts:
            return principal.covers(situation)
        # "NotPrincipal … with a Deny effect will always deny any IAM principal that has a permissions boundary" (IAM
        # User Guide, "AWS JSON policy elements: NotPrincipal").
        return True if bounded else principal.leaves_out(situation)

    def _fail(self, error: MalformedError) -> None:
        if self._problem is None:
            self._answer = error.answer
            self._problem = str(error) if error.answer is None else f"{error}: {error.answer.words}"

    def _compile_actions(self) -> Patterns:
        source = self._source
        if self._actions is not None:
            # Another thread was faster, and may have let go of the source.
            return self._actions
        if not _ELEMENTS.issuperset(source):
            strange = min(map(str, source.keys() - _ELEMENTS))
            self._problem = self._problem or f"{strange!r} is no element of a statement"
        if "Sid" in source and self.sid is None:
            self._problem = self._problem or "the Sid is no text"
        try:
            element, self._other_actions = _pair(source, "Action")
            texts = tuple(_texts("Action", element))
            short = sum(map(len, texts)) <= _CACHED_LENGTH
            actions = (_cached_actions if short else _cached_actions.__wrapped__)(texts)
        except MalformedError as error:
            self._fail(error)
            actions = _UNKNOWN_ACTIONS
        self._actions = actions
        return actions

    def _compile_rest(self) -> tuple[Test, ...]:
        """Compile what is left, and let go of the source: the compiled form takes as much memory again."""
        source = self._source
        self._compile_actions()
        if self._tests is not None:
            return self._tests
        self._compile_resource(source)
        if self._has_principal:
            self._compile_principal(source)
        tests: tuple[Test, ...] = ()
        if "Condition" in source:
            try:
                tests = tuple(compile_condition(source["Condition"], variables=self._variables))
            except MalformedError as error:
                self._fail(error)
        # Last, so that another thread never sees a statement without its conditions.
        self._tests = tests
        self._source = _GONE
        return tests

    def _compile_resource(self, source: Source) -> None:
        try:
            element, self._other_resource = _pair(source, "Resource")
            texts = _texts("Resource", element)
            self._resource = ArnPatterns(texts, variables=self._variables, fixed_service=True)
        except MalformedError as error:
            self._fail(error)
            self._other_resource = False
            # The statement's problem makes every match unclear.
            self._resource = _ANY_RESOURCE

    def _compile_principal(self, source: Source) -> None:
        try:
            element, negated = _pair(source, "Principal")
            if negated and self.allows:
                raise MalformedError("NotPrincipal is not supported with Allow")
            self._exempts = negated
            self.principal = PrincipalElement(element)
            self._principal_problem = None
        except MalformedError as error:
            self._principal_problem = str(error)


def _pair(source: Source, name: str) -> tuple[object, bool]:
    """An element or its negation, of which a statement must have exactly one."""
    inverse = f"Not{name}"
    if (name in source) is (inverse in source):
        raise MalformedError(_NEEDS.format(name))
    negated = inverse in source
    return source[inverse if negated else name], negated


def _texts(name: str, element: object) -> list[str]:
    items = element if isinstance(element, (list, tuple)) else [element]
    texts = [item for item in items if isinstance(item, str)]
    if not texts or len(texts) != len(items):
        raise MalformedError(f"{name} is neither text nor a list of texts")
    return texts
