"""What a search found, as a reviewer reads it: who may do what, under which conditions, until when."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from tableguard.aws.dynamodb import Action
from tableguard.evaluation import Document, Effect, Layer, Reason
from tableguard.evaluation.evaluator import is_bounded
from tableguard.evaluation.policies import Policies
from tableguard.evaluation.request import Situation
from tableguard.review.decide import ANY_IDENTITY, Verdict
from tableguard.review.exempting import about_callers, what_exempts
from tableguard.review.kinds import ACTIONS_OF, KINDS, resources_of
from tableguard.review.picture import Table, account_of
from tableguard.review.samples import TIMES, Context, at, moment
from tableguard.review.search import FIXED, Asked, Search
from tableguard.review.sentences import Test
from tableguard.review.wording import begins, ends, last_day, phrases

_Tests: TypeAlias = tuple[tuple[Test, ...], bool]
"""Conditions of one statement, and whether they must hold."""

# The least that dates of policies differ by, so that a moment after one of them is past it.
_MOMENT: Final = dt.timedelta(seconds=1)


class Status(enum.Enum):
    """How sure an access is."""

    ALLOWED = "allowed"
    OPEN = "own side unknown"
    """The table's side allows it; the caller's own side stands in no template."""
    OVER = "over"
    """It was allowed, until a day that has passed."""
    LATER = "later"
    """It will be allowed, from a day on that has not come."""
    UNKNOWN = "unknown"
    """Something that decides it is not known, or not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """One way to do one kind of thing with a table.

    Args:
        kind: One of `KINDS`.
        actions: The actions, as a policy names them.
        resources: The ARNs that they go to.
        status: Whether it is allowed today.
        conditions: What must hold, in words.
        until: The first moment at which it is over.
        since: The moment from which it is allowed.
        verdict: The evidence: the request that was decided, and the decision.
        named: The tests of the statements behind it, for comparison with what metadata claims.
    """

    kind: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    status: Status
    conditions: tuple[str, ...]
    until: dt.datetime | None
    since: dt.datetime | None
    verdict: Verdict
    named: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that is denied although one side, or both, grant it.

    Args:
        kind: One of `KINDS`.
        action: The action, as a policy names it.
        resource: The ARN.
        verdict: The decision of the plain request.
    """

    kind: str
    action: str
    resource: str
    verdict: Verdict


def accesses(
    search: Search,
    table: Table,
    principal: str,
    hints: Mapping[str, str],
    *,
    any_identity: bool = False,
    many: bool = False,
) -> tuple[tuple[AccessRow, ...], tuple[Refusal, ...]]:
    """Everything that a principal may do with a table, and what it may not although a statement grants it.

    What is alike but for its action and resource is one entry.

    Args:
        search: What searches the picture.
        table: The table.
        principal: The principal, as in a request.
        hints: What its context holds for certain.
        any_identity: Whether to leave the principal's own side open, even when the picture holds it.
        many: Whether the principal stands for many, such as all of an account: what ends for it may not end for all.
    """
    found, refused = single_accesses(search, table, principal, hints, any_identity=any_identity, many=many)
    return tuple(together(found)), refused


def single_accesses(
    search: Search,
    table: Table,
    principal: str,
    hints: Mapping[str, str],
    *,
    any_identity: bool = False,
    many: bool = False,
) -> tuple[tuple[AccessRow, ...], tuple[Refusal, ...]]:
    """The same as `accesses`, with an entry for each action and resource.

    Args:
        search: What searches the picture.
        table: The table.
        principal: The principal, as in a request.
        hints: What its context holds for certain.
        any_identity: Whether to leave the principal's own side open, even when the picture holds it.
        many: Whether the principal stands for many, such as all of an account: what ends for it may not end for all.
    """
    found: list[AccessRow] = []
    refused: list[Refusal] = []
    known: dict[tuple[object, ...], list[Verdict]] = {}
    granting = _granting_documents(search, table, principal, any_identity=any_identity)
    for kind in KINDS:
        for action in ACTIONS_OF[kind]:
            # Where no statement is about an action, nobody has to be asked.
            concerned = any(_may_grant(document, action) for document in granting)
            for resource in resources_of(action, table) if concerned else ():
                asked = Asked(
                    principal=principal,
                    action=action.qualified,
                    resource=resource,
                    table=table,
                    hints=hints,
                    any_identity=any_identity,
                )
                ways, refusal = _ways(search, asked, action, known)
                first = [_access(search, kind, asked, verdict, many=many) for verdict in ways]
                found += _lasting(search, kind, asked, first, many=many)
                if refusal is not None:
                    refused.append(Refusal(kind=kind, action=asked.action, resource=resource, verdict=refusal))
    return tuple(found), tuple(refused)


def _granting_documents(search: Search, table: Table, principal: str, *, any_identity: bool) -> list[Document]:
    """The policies that may grant a principal something: the table's, and its own where they are known."""
    identity = search.picture.identity_of(principal)
    own = identity.documents if identity is not None and not any_identity else ()
    inside = account_of(principal) == table.account
    # Inside the account anything may be granted by policies that are left open.
    assumed = ANY_IDENTITY if any_identity and inside else ()
    return [each for each in (table.policy, table.stream_policy, *own, *assumed) if each is not None]


def _may_grant(document: Document, action: Action) -> bool:
    return any(statement.allows for statement in document.compiled.concerning(action.qualified.lower()))


def _ways(
    search: Search, asked: Asked, action: Action, known: dict[tuple[object, ...], list[Verdict]]
) -> tuple[list[Verdict], Verdict | None]:
    """The ways to get something, and a denial that is not known to be one; with neither, the denial of what is granted.

    Answers for a like action come first.
    """
    plain = search.verdict(asked)
    granting = frozenset(_granting(search, plain.policies, plain.request.situation))
    if not granting and not plain.allowed:
        return [], None
    if plain.allowed:
        return [plain], None
    alike = (granting, action.by_key, action.by_attribute, plain.key is None)
    here = (*alike, asked.resource)
    if here in known and not known[here]:
        return [], plain
    again = [search.verdict(asked, each.request.situation.context) for each in known.get(alike, ())]
    if again and all(each.allowed or not each.understood for each in again):
        return _told(plain, again)
    found = list(search.ways(asked, plain))
    known[here] = found
    known.setdefault(alike, found)
    return _told(plain, found)


def _told(plain: Verdict, found: list[Verdict]) -> tuple[list[Verdict], Verdict | None]:
    ways = [each for each in found if each.allowed]
    perhaps = next((each for each in (plain, *found) if not each.understood), None)
    return ways, perhaps or (None if ways else plain)


def _granting(search: Search, policies: Policies, situation: Situation) -> Iterator[tuple[int, int]]:
    """The statements of identity and resource policies that would allow it, but for their conditions."""
    for layer in policies.layers:
        if layer.layer in (Layer.IDENTITY, Layer.RESOURCE):
            for sentence in search.shelf.about(situation.action, layer):
                if not sentence.denies and sentence.fits_but_for_conditions(situation, named=layer.named) is not False:
                    yield id(sentence.document), sentence.number


def _lasting(search: Search, kind: str, asked: Asked, found: list[AccessRow], *, many: bool) -> list[AccessRow]:
    """The same, with whatever is left after an end, or begins again: only what then ends for good is said to end."""
    if not any(access.until is not None and access.until > search.now for access in found):
        return found
    more: dict[tuple[object, ...], AccessRow] = {}
    passed = [search.now]
    for end in _turns(search, asked):
        passed.append(end + _MOMENT)
        later = Search(search.picture, passed[-1], search.shelf)
        for verdict in _ways_at(later, asked):
            context = verdict.request.situation.context
            today = search.verdict(asked, {**context, **at(search.now)})
            throughout = all(search.verdict(asked, {**context, **at(each)}).allowed for each in passed)
            left = _access(later, kind, asked, verdict, many=many)
            if throughout:
                status = _status(search, today, left.until, None)
                left = replace(left, verdict=today, since=None, status=status)
            else:
                left = replace(left, since=left.since or end, status=Status.LATER)
            more.setdefault((left.conditions, left.until, left.since), left)
    alike = {(access.conditions, access.until, access.since) for access in found}
    added = [access for key, access in more.items() if key not in alike]
    return [access for access in (*found, *added) if not any(_outlasts(other, access) for other in added)]


def _outlasts(other: AccessRow, access: AccessRow) -> bool:
    """Whether an access is part of another one that ends later, or never."""
    if access.until is None or other.since is not None or not set(other.conditions) <= set(access.conditions):
        return False
    return other.until is None or other.until > access.until


def _turns(search: Search, asked: Asked) -> list[dt.datetime]:
    """The moments to come at which a statement about an action begins or ceases to hold."""
    plain = search.verdict(asked)
    parts = [(plain.policies, plain.request), (plain.key_policies, plain.key_request)]
    return sorted(
        {
            found
            for policies, request in parts
            if policies is not None and request is not None
            for layer in policies.layers
            for sentence in search.shelf.about(request.situation.action, layer)
            for test in sentence.tests
            if test.low_key in TIMES
            for found in map(moment, test.values)
            if found is not None and found > search.now
        }
    )


def _ways_at(search: Search, asked: Asked) -> list[Verdict]:
    """The ways to get something at the moment of a search, and at no other."""
    plain = search.verdict(asked)
    if plain.allowed:
        return [plain]
    if not _is_granted_then(search, plain):
        return []
    now = at(search.now)
    return [
        way
        for way in search.ways(asked, plain)
        if way.allowed
        if all(way.request.situation.context.get(key) == value for key, value in now.items())
    ]


def _is_granted_then(search: Search, plain: Verdict) -> bool:
    """Whether the sides that have to grant a request do so at its moment, in some circumstances: if not, none helps."""
    situation = plain.request.situation
    granting = {
        layer.layer
        for layer in plain.policies.layers
        if layer.layer in (Layer.IDENTITY, Layer.RESOURCE)
        for sentence in search.shelf.about(situation.action, layer)
        if sentence.allows
        if all(sentence.holds(test, situation) is not False for test in sentence.tests if test.low_key in TIMES)
    }
    across = situation.caller.account not in (None, situation.resource_account)
    return granting >= {Layer.IDENTITY, Layer.RESOURCE} if across else bool(granting)


def _access(search: Search, kind: str, asked: Asked, verdict: Verdict, *, many: bool) -> AccessRow:
    said: dict[str, None] = {}
    limits: list[dt.datetime] = []
    starts: list[dt.datetime] = []
    named: list[Test] = []
    bearing = list(_bearing(search, asked, verdict))
    for tests, holds in bearing:
        exempted = () if holds or not many else phrases(about_callers(tests), holds=False, callers=True)
        end = ends(tests, holds=holds)
        if exempted and end is not None:
            said[f"until {last_day(end).isoformat()} unless {' or '.join(exempted)}"] = None
            continue
        named += tests if holds else ()
        if holds:
            said |= dict.fromkeys(phrases(tests))
        else:
            # A Deny stands aside as soon as one of its conditions does not hold.
            alternatives = phrases(tests, holds=False)
            if alternatives:
                said[" or ".join(alternatives)] = None
        start = begins(tests, holds=holds)
        limits += [end] if end is not None else []
        starts += [start] if start is not None else []
    said |= dict.fromkeys(f"depending on {key}" for key in _unsaid(search, asked, verdict, bearing))
    until, since = min(limits, default=None), max(starts, default=None)
    request = verdict.request
    return AccessRow(
        kind=kind,
        actions=(request.action,),
        resources=(request.resource,),
        status=_status(search, verdict, until, since),
        conditions=tuple(said),
        until=until,
        since=since,
        verdict=verdict,
        named=tuple(named),
    )


def _status(search: Search, verdict: Verdict, until: dt.datetime | None, since: dt.datetime | None) -> Status:
    if until is not None and until <= search.now:
        return Status.OVER
    if since is not None and since > search.now:
        return Status.LATER
    through = verdict.request.situation.context.get("aws:sourcevpce", ())
    doubtful = any(each.in_doubt and each.endpoint_id in through for each in search.picture.endpoints)
    if verdict.unknown_key is not None or doubtful:
        return Status.UNKNOWN
    return Status.OPEN if verdict.assumed else Status.ALLOWED


def _unsaid(search: Search, asked: Asked, verdict: Verdict, bearing: list[_Tests]) -> Iterator[str]:
    """What the request had to carry beyond a plain one, or had to lack, and no condition that is said is about."""
    tests = [test for tests, _ in bearing for test in tests]
    known = {test.low_key for test in tests} | FIXED | set(TIMES)
    values = " ".join(value for test in tests for value in test.values).lower()
    plain = search.plain(asked)
    context: Context = verdict.request.situation.context
    changed = {key for key in (*context, *plain) if context.get(key) != plain.get(key)} - known
    for key in sorted(changed):
        without = {each: found for each, found in context.items() if each != key}
        without |= {key: plain[key]} if key in plain else {}
        if search.verdict(asked, without).allowed:
            # The search came by it on its way. What stood in for it is asked about without it.
            context = without
        elif f"${{{key}" not in values:
            yield key


def _bearing(search: Search, asked: Asked, verdict: Verdict) -> Iterator[_Tests]:
    """The conditions of the statements that allow a request, and of the Denies that stand aside for it."""
    # A tag of the caller is none of these: without it the same caller is refused.
    fixed = {key for key in FIXED if key.startswith("aws:principal")} | {key.lower() for key in asked.hints}
    parts = [(verdict.decision.because, verdict.policies, verdict.request)]
    if verdict.key is not None and verdict.key_policies is not None and verdict.key_request is not None:
        parts.append((verdict.key.because, verdict.key_policies, verdict.key_request))
    for reasons, policies, request in parts:
        yield from _allowing(search, reasons, policies)
        yield from _exempting(search, policies, request.situation, fixed)


def _allowing(search: Search, reasons: tuple[Reason, ...], policies: Policies) -> Iterator[_Tests]:
    for reason in reasons:
        sentence = search.shelf.deciding(reason, policies) if reason.effect is Effect.ALLOW else None
        if sentence is not None and sentence.tests:
            yield _worth_saying(sentence.tests), True


def _exempting(search: Search, policies: Policies, situation: Situation, fixed: Collection[str]) -> Iterator[_Tests]:
    bounded = is_bounded(situation, policies)
    for layer in policies.layers:
        for sentence in search.shelf.about(situation.action, layer):
            if (
                sentence.denies
                and sentence.tests
                and sentence.fits_but_for_conditions(situation, named=layer.named, bounded=bounded)
            ):
                # What says who the caller is: where it does not fit, the Deny is about somebody else.
                about = [test for test in sentence.tests if test.low_key in fixed]
                if all(sentence.holds(test, situation) for test in about):
                    yield _worth_saying(what_exempts(sentence, situation, about)), False


def _worth_saying(tests: tuple[Test, ...]) -> tuple[Test, ...]:
    """Without what DynamoDB itself tells KMS."""
    return tuple(test for test in tests if not test.low_key.startswith("kms:"))


def together(found: Sequence[AccessRow]) -> Iterator[AccessRow]:
    """One entry for all actions that are alike in everything else.

    Args:
        found: Entries of one action and one resource each.
    """
    groups: dict[tuple[object, ...], AccessRow] = {}
    unconditional = {
        (access.kind, access.actions, access.resources)
        for access in found
        if not access.conditions and access.until is None and access.status is Status.ALLOWED
    }
    for each in found:
        if each.conditions and (each.kind, each.actions, each.resources) in unconditional:
            continue
        key = (each.kind, each.status, each.conditions, each.until, each.since)
        other = groups.get(key)
        groups[key] = (
            each
            if other is None
            else replace(
                other,
                actions=tuple(dict.fromkeys((*other.actions, *each.actions))),
                resources=tuple(dict.fromkeys((*other.resources, *each.resources))),
            )
        )
    yield from groups.values()
