"""Looks for ways by which a person becomes an application: from role to role, until nobody gets any further."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tableguard.evaluation import Decision, Document, DocumentLocation, Layer, Request, evaluate
from tableguard.policy import Access, Role
from tableguard.policy.people import EVERY_PERSON
from tableguard.policy.wildcards import compact, fits
from tableguard.review.assuming import assuming, completed, lets_sign_in, services
from tableguard.review.decide import ANY_IDENTITY, decide
from tableguard.review.picture import Identity, Key, Picture, Table
from tableguard.review.rules.circumstances import circumstances
from tableguard.review.rules.people import TriedCaller, everybody
from tableguard.review.rules.scene import Scene, resources
from tableguard.review.rules.wording import worded
from tableguard.review.sentences import Shelf

_NOTHING: Final = "sts:Nothing"
_ANY_POLICY: Final = frozenset(document.place for document in ANY_IDENTITY)
# A root user cannot assume a role, and a session of GetFederationToken cannot call STS or IAM.
_MAY_ACT: Final = tuple(
    compact(pattern.format(partition="*")) for pattern in EVERY_PERSON if ":user/" in pattern or ":role/" in pattern
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from somebody to a role.

    Args:
        who: Who takes it.
        to: The role.
        how: What lets them: "may assume it", and so on.
        because: The statements that do, in words.
    """

    who: TriedCaller
    to: Identity
    how: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Ways of one kind to one application's role, or that they are not known.

    Args:
        what: The finding in words.
        people: The principals that the ways begin with.
        place: The role in its template.
        rests_on: What the policies on the way say, as JSON, sorted: changed, it is another finding.
    """

    what: str
    people: tuple[str, ...]
    place: DocumentLocation
    rests_on: tuple[str, ...] = ()


class Detours:
    """The ways by which people get to the roles of applications.

    Args:
        picture: The picture.
        scene: The picture on a day, with everybody in it.
        tables: The tables.
        access: What makes a role an application's.
        sign_in_roles: Roles that are people's.
    """

    def __init__(
        self, picture: Picture, scene: Scene, tables: Collection[Table], access: Access, sign_in_roles: Iterable[Role]
    ) -> None:
        self.tried = 0
        self._left_out = 0
        self._picture = picture
        self._scene = scene
        self._shelf = Shelf()
        named = {(role.account, role.name) for role in sign_in_roles}
        self._sign_in = {
            each.arn
            for each in picture.identities
            if _is_person(each.arn) or (each.account, each.name.rpartition("/")[2]) in named or lets_sign_in(each.trust)
        }
        # One principal is several callers where policies name several organizations that it may be in.
        self._callers: dict[str, list[TriedCaller]] = {}
        for caller in scene.callers:
            self._callers.setdefault(caller.principal, []).append(caller)
        self._applications = tuple(
            (role, reached)
            for role in picture.identities
            if role.kind == "role" and role.arn not in self._sign_in
            if (reached := tuple(table.name for table in tables if self._reaches(role, table, access)))
        )
        self._trusts = {
            each.arn: _at_best(completed(each.trust)) for each in picture.identities if each.trust is not None
        }
        self._hops = self._reached()

    def found(self) -> Iterator[Found]:
        """The ways, those of one kind to one role together, and what is not known."""
        for role, tables in self._applications:
            reaches = f"role {role.name} of {role.account} reaches the data of {', '.join(tables)}"
            if role.trust is None:
                yield Found(f"{reaches}, and no template says who may assume it", (), role.place)
            by_kind: dict[str, list[Hop]] = {}
            for hop in self._hops.get(role.arn, ()):
                by_kind.setdefault(hop.how, []).append(hop)
            for how, hops in by_kind.items():
                chains = dict(sorted((self._chain(hop), self._path(hop.who)[0].principal) for hop in hops))
                because = dict.fromkeys(reason for hop in hops for reason in hop.because)
                lines = (f"{reaches}, and people {how}:", *chains, *because)
                rests_on = tuple(sorted({said for hop in hops for said in self._rests_on(hop)}))
                yield Found("\n".join(lines), tuple(dict.fromkeys(chains.values())), role.place, rests_on)
        if self._left_out:
            what = f"Not tried whole: conditions combine to {self._left_out:,} more circumstances than are tried"
            yield Found(what, (), DocumentLocation())

    def _reaches(self, role: Identity, table: Table, access: Access) -> bool:
        # What else is attached to it may allow anything.
        outsider = ANY_IDENTITY if role.unread else None
        for request in self._requests(role, table, access):
            self.tried += 1
            verdict = decide(self._picture, request, outsider=outsider, even_if_known=outsider is not None)
            if verdict.allowed or not verdict.understood:
                return True
        return False

    def _requests(self, role: Identity, table: Table, access: Access) -> Iterator[Request]:
        for caller in self._callers[role.arn]:
            for resource, action in resources(table, access):
                for context in self._scene.circumstances(table, caller, resource, action):
                    yield Request(
                        principal=role.arn,
                        action=action.qualified,
                        resource=resource,
                        resource_account=table.account,
                        context={**caller.facts, **context},
                        time=self._scene.now,
                    )

    def _reached(self) -> Mapping[str, tuple[Hop, ...]]:
        """Every role that people get to, with the last steps to it. Who is in a role goes on from there."""
        roles = [each for each in self._picture.identities if each.kind == "role" and each.arn not in self._sign_in]
        hops: dict[str, tuple[Hop, ...]] = {}
        waiting = deque(self._people())
        while waiting:
            who = waiting.popleft()
            for role in roles:
                if role.arn == who.principal:
                    continue
                steps = tuple(self._steps(who, role))
                if steps and role.arn not in hops:
                    waiting.extend(self._callers[role.arn])
                if steps:
                    hops[role.arn] = (*hops.get(role.arn, ()), *steps)
        return hops

    def _people(self) -> Iterator[TriedCaller]:
        # Read like the policies of keys, trust policies name accounts, users and roles to be tried as well.
        trusts = tuple(
            Key(arn=f"trust of {each.arn}", account=each.account, policy=each.trust)
            for each in self._picture.identities
            if each.trust is not None
        )
        for caller in everybody(replace(self._picture, keys=(*self._picture.keys, *trusts))):
            known = caller.identity is not None and caller.identity.arn in self._sign_in
            if known or (caller.identity is None and _is_person(caller.principal)):
                yield caller

    def _steps(self, who: TriedCaller, role: Identity) -> Iterator[Hop]:
        trust = self._trusts.get(role.arn)
        if trust is not None:
            yield from self._step(Hop(who, role, "may assume it"), "sts:AssumeRole", trust=trust)
        if who.identity is None or who.account != role.account:
            # Somebody made up may have any policy: what counts against a role is that it trusts them.
            return
        for service in services(role.trust, self._shelf):
            handing_over = Hop(who, role, f"may pass it to {service}")
            yield from self._step(handing_over, "iam:PassRole", {"iam:passedtoservice": service})
        yield from self._step(Hop(who, role, "may change who may assume it"), "iam:UpdateAssumeRolePolicy")

    def _step(
        self, hop: Hop, action: str, said: Mapping[str, str] | None = None, *, trust: Document | None = None
    ) -> Iterator[Hop]:
        """The step, if somebody can take it."""
        who = hop.who
        documents = () if who.identity is None else (*who.identity.documents, *who.identity.boundary)
        contexts, left_out = circumstances((*((trust,) if trust else ()), *documents), action, self._shelf)
        self._left_out += left_out
        for context in contexts:
            self.tried += 1
            request = Request(
                principal=who.principal,
                action=action,
                resource=hop.to.arn,
                context={**who.facts, **context, **(said or {})},
                time=self._scene.now,
            )
            decision = self._decide(request, who, trust)
            if decision.allowed or not decision.understood:
                consulted = (*((hop.to.trust,) if trust is not None and hop.to.trust is not None else ()), *documents)
                yield replace(hop, because=tuple(dict.fromkeys(self._words(decision, consulted))))
                return

    def _decide(self, request: Request, who: TriedCaller, trust: Document | None) -> Decision:
        policies = self._picture.policies_for(request, identity=ANY_IDENTITY)
        if who.identity is not None and who.identity.unread:
            policies = replace(policies, identity=[*policies.identity, *ANY_IDENTITY])
        return evaluate(request, policies) if trust is None else assuming(request, trust, policies)

    def _rests_on(self, hop: Hop) -> Iterator[str]:
        """The trust policies on the way, and what people and roles on it may do themselves."""
        on_the_way = [each.identity for each in self._path(hop.who) if each.identity is not None]
        for identity in (*on_the_way, hop.to):
            own = () if identity is hop.to else (*identity.documents, *identity.boundary)
            for document in (*((identity.trust,) if identity.trust is not None else ()), *own):
                yield json.dumps(document.source, sort_keys=True, default=str)

    def _words(self, decision: Decision, consulted: Iterable[Document]) -> Iterator[str]:
        """Why a step can be taken, each statement as it is written: loosened, it is another finding."""
        written = {
            (document.place, sentence.number): json.dumps(sentence.source, sort_keys=True)
            for document in consulted
            for sentence in self._shelf.sentences(document)
        }
        for reason in decision.because:
            if reason.place in _ANY_POLICY:
                yield "on the caller's side any policy that allows it: people's policies are not all of the assembly"
            elif reason.statement is not None:
                said = worded(reason, layer="trust policy" if reason.layer is Layer.RESOURCE else None)
                yield f"{said}: {written.get((reason.place, reason.statement), 'a policy of the organization')}"

    def _chain(self, hop: Hop) -> str:
        path = (*(each.label for each in self._path(hop.who)), f"role {hop.to.name}")
        return " → ".join(path)

    def _path(self, who: TriedCaller) -> tuple[TriedCaller, ...]:
        """How somebody got there: a person, then the roles on the way."""
        path: tuple[TriedCaller, ...] = (who,)
        while path[0].principal in self._hops:
            # The first step to a role was taken by somebody who was reached before it.
            path = (self._hops[path[0].principal][0].who, *path)
        return path


def _is_person(arn: str) -> bool:
    return any(fits(pattern, arn) for pattern in _MAY_ACT)


def _at_best(trust: Document) -> Document:
    """A trust policy with variables taken to be what lets somebody in, who chooses the session's name and tags."""
    source = trust.source
    stated = source.get("Statement", []) if isinstance(source, Mapping) else []
    if not isinstance(source, Mapping) or not _has_variable(source):
        return trust
    return Document({**source, "Statement": [_without_variables(each) for each in stated]}, trust.place)


def _without_variables(statement: object) -> object:
    condition = statement.get("Condition") if isinstance(statement, Mapping) else None
    if not isinstance(statement, Mapping) or not isinstance(condition, Mapping) or not _has_variable(condition):
        return statement
    if statement.get("Effect") != "Allow":
        return {**statement, "Action": _NOTHING}
    kept = {
        operator: {key: values for key, values in keys.items() if not _has_variable(values)}
        for operator, keys in condition.items()
        if isinstance(keys, Mapping)
    }
    return {**statement, "Condition": {operator: keys for operator, keys in kept.items() if keys}}


def _has_variable(part: object) -> bool:
    return "${" in json.dumps(part, default=str)
