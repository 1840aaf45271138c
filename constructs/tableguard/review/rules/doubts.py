"""What makes an access doubtful that was decided: something of which no template tells, and that may take it away.

Refusals and accesses need opposite care. Where something is not known, a rule of refusal takes it to grant, and a rule
that wants access kept takes it to deny.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from tableguard.evaluation import DocumentLocation, Request
from tableguard.review.decide import Verdict, decide
from tableguard.review.picture import Identity, OrganizationPolicy, Picture, account_of
from tableguard.review.rules.question import Question
from tableguard.review.unknown import Unknown, UnknownKind

# What stands in a policy counts where a request gets to it.
IN_A_POLICY: Final = frozenset({UnknownKind.POLICY_VALUE, UnknownKind.POLICY_ENTRY})
# Taking these for absent takes no access away.
_ONLY_LIMITS: Final = frozenset(
    {
        UnknownKind.BOUNDARY,
        UnknownKind.BOUNDARY_ELSEWHERE,
        UnknownKind.ENDPOINT_SERVICE,
        UnknownKind.TABLE_KEY,
        UnknownKind.TARGETS,
        UnknownKind.TARGET_ACCOUNTS,
        UnknownKind.TARGET_ENTRY,
    }
)
# No decision rests on what metadata says.
_CLAIMED: Final = frozenset({UnknownKind.METADATA, UnknownKind.METADATA_NEWER, UnknownKind.METADATA_OLDER})
FAILS_NO_RULE: Final = IN_A_POLICY | _ONLY_LIMITS | _CLAIMED
"""Of what is not known, that of which trying requests tells what follows, or from which nothing does."""
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
# Policies that AWS manages grant; the few that deny say so.
_GRANTS_ONLY: Final = re.compile(r"arn:[a-z-]+:iam::aws:policy/(?!.*(Deny|Quarantine)).*")
_Doubt: TypeAlias = tuple[str, DocumentLocation | None]


class Doubts:
    """What is not known about accesses of one picture.

    Args:
        picture: The picture.
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._unknowns: dict[tuple[str | None, str | None], list[Unknown]] = {}
        for unknown in picture.unknowns:
            if unknown.kind not in IN_A_POLICY | _CLAIMED:
                self._unknowns.setdefault(resource_at(unknown.place), []).append(unknown)
        self._anything = [unknown for unknown in picture.unknowns if unknown.anything]
        self._perhaps_bound: dict[frozenset[str], tuple[tuple[OrganizationPolicy, Picture], ...]] = {}

    def about(self, question: Question, request: Request, verdict: Verdict) -> Iterator[_Doubt]:
        """What may take an access away, in words, with its place.

        Args:
            question: The question, whose request goes through.
            request: Its request.
            verdict: What was decided.
        """
        places = [question.table.place]
        key = self._picture.key(question.table.key_arn)
        if key is not None:
            places.append(key.place)
        elif verdict.unknown_key is not None:
            yield f"the policy of the table's key {verdict.unknown_key}", question.table.place
        through = request.situation.context.get("aws:sourcevpce", ())
        places += [endpoint.place for endpoint in self._picture.endpoints if endpoint.endpoint_id in through]
        identity = self._picture.identity_of(request.principal)
        if identity is not None:
            places.append(identity.place)
            yield from _of(identity)
        for place in dict.fromkeys(places):
            for unknown in self._unknowns.get(resource_at(place), ()):
                yield unknown.what, unknown.place
        stacks = {place.stack for place in places}
        yield from ((each.what, each.place) for each in self._anything if each.place.stack in stacks)
        accounts = {account_of(request.principal), question.table.account, key.account if key is not None else None}
        for policy, bound in self._bound_to(frozenset(each for each in accounts if each is not None)):
            if not decide(bound, request).allowed:
                yield "whether this policy, which denies it, is attached to the account", policy.place

    def _bound_to(self, accounts: frozenset[str]) -> tuple[tuple[OrganizationPolicy, Picture], ...]:
        """Each organization policy that may bind the accounts, with the picture in which it does."""
        if accounts not in self._perhaps_bound:
            self._perhaps_bound[accounts] = tuple(
                (policy, replace(self._picture, organization_policies=(*others, bound)))
                for policy in self._picture.organization_policies
                if self._may_bind_more(policy)
                for others in [[each for each in self._picture.organization_policies if each is not policy]]
                for bound in [replace(policy, targets=tuple(accounts), managed_from="")]
            )
        return self._perhaps_bound[accounts]

    def _may_bind_more(self, policy: OrganizationPolicy) -> bool:
        """Whether it may bind accounts that it does not bind for certain: those of a unit, of a root, or unnamed."""
        unknown = resource_at(policy.place) in self._unknowns
        return unknown or not all(map(_ACCOUNT.fullmatch, policy.targets))


def _of(identity: Identity) -> Iterator[_Doubt]:
    if not identity.in_assembly:
        yield "no template makes the role or user: its other policies and its permissions boundary", identity.place
        return
    for unread in identity.unread:
        if not _GRANTS_ONLY.fullmatch(unread):
            yield f"what {unread} says, which is attached to it", identity.place


def resource_at(place: DocumentLocation) -> tuple[str | None, str | None]:
    """The resource that a place is in: its stack and its logical id.

    Args:
        place: The place.
    """
    return place.stack, place.logical_id
