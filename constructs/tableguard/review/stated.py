"""Whether a grant that metadata claims and the policies agree. A claim decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tableguard.aws.dynamodb import SERVICE
from tableguard.evaluation import Layer, Request
from tableguard.policy.access import ALL_INDEXES, STREAM, TABLE
from tableguard.policy.metadata import ClauseClaim, ConditionClaim, GrantClaim
from tableguard.review.access import AccessRow, Status, single_accesses
from tableguard.review.picture import Table
from tableguard.review.search import Asked, Search
from tableguard.review.sentences import Sentence, Test
from tableguard.review.wording import last_day

_FEW: Final = 3
# What says whose statement it is, and so tells it apart from those of others.
_CALLERS: Final = frozenset({"aws:principalarn", "aws:principalaccount"})
_Pair = tuple[str, str]


def disagreements(
    search: Search,
    table: Table,
    claim: GrantClaim,
    principal: str,
    hints: Mapping[str, str],
    *,
    any_identity: bool,
) -> Iterator[str]:
    """In what a claim and the policies differ, in words.

    Args:
        search: What searches the picture.
        table: The table.
        claim: The claim.
        principal: The principal of requests that it is about.
        hints: What its context holds for certain.
        any_identity: Whether to leave the principal's own side open.
    """
    found, _ = single_accesses(search, table, principal, hints, any_identity=any_identity)
    # Where only the key's consent is not known, the policies of the table say what the claim is about.
    usable = [
        each
        for each in found
        if (each.status is not Status.UNKNOWN or each.verdict.allowed) and _keeps(each.verdict.request, hints)
    ]
    given = {(resource, action) for each in usable for resource in each.resources for action in each.actions}
    claimed = sorted(_pairs(claim, table))
    missing = [action for resource, action in claimed if (resource, action) not in given]
    if missing:
        yield f"states {claim.access.name}, but the policies do not allow {_short(missing)}"
    relevant = [each for each in usable if any(_is_of(pair, each) for pair in claimed)]
    if relevant and not any(_ends_as_stated(claim.until, each) for each in relevant):
        ends = sorted({last_day(each.until).isoformat() if each.until else "never" for each in relevant})
        until = claim.until.isoformat() if claim.until is not None else "never"
        yield f"states that it ends {until}, but by the policies it ends {', '.join(ends)}"
    granting = {
        (resource, action): _granting(
            search,
            Asked(
                principal=principal,
                action=action,
                resource=resource,
                table=table,
                hints=hints,
                any_identity=any_identity,
            ),
            claim,
        )
        for resource, action in claimed
        if claim.conditions and (resource, action) in given
    }
    lacking = [(action, _lacking(claim.conditions, action, each)) for (_, action), each in granting.items()]
    for condition in claim.conditions:
        without = [action for action, conditions in lacking if condition in conditions]
        if without:
            some = "" if len(without) == len(lacking) else f" for {_short(without)}"
            yield f"states the condition {condition.label!r}, which the policies do not have{some}"


def _keeps(request: Request, hints: Mapping[str, str]) -> bool:
    """Whether a request is still the principal's own: the search for a way in may have made another one's of it."""
    return all(request.situation.context.get(key.lower()) == (value,) for key, value in hints.items())


def _pairs(claim: GrantClaim, table: Table) -> Iterator[_Pair]:
    """The requests that a claim is about: the ARN and the qualified action."""
    for target, action in claim.access.permissions:
        resources: Sequence[str] = (f"{table.arn}{target}",)
        if target == ALL_INDEXES:
            # Where it has none, nothing is granted of them.
            resources = [f"{table.arn}/index/{index}" for index in table.indexes]
        elif target in (TABLE, STREAM):
            resources = (table.stream_arn if target == STREAM else table.arn,)
        yield from ((resource, f"{SERVICE}:{action}") for resource in resources)


def _is_of(pair: _Pair, access: AccessRow) -> bool:
    return pair[0] in access.resources and pair[1] in access.actions


def _short(actions: Sequence[str]) -> str:
    names = list(dict.fromkeys(action.removeprefix(f"{SERVICE}:") for action in actions))
    return ", ".join(names) if len(names) <= _FEW else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _ends_as_stated(until: dt.date | None, access: AccessRow) -> bool:
    if until is None or access.until is None:
        return until is None and access.until is None
    if isinstance(until, dt.datetime):
        return until.replace(microsecond=0) == access.until
    return until == last_day(access.until)


def _granting(search: Search, asked: Asked, claim: GrantClaim) -> tuple[Sentence, ...]:
    """The statements for this very principal that allow something, but for the claim's own conditions."""
    verdict = search.verdict(asked)
    situation = verdict.request.situation
    stated = {clause.key.lower() for condition in claim.conditions for clause in condition.clauses}
    about = (_CALLERS | {key.lower() for key in asked.hints}) - stated
    return tuple(
        sentence
        for layer in verdict.policies.layers
        if layer.layer in (Layer.IDENTITY, Layer.RESOURCE)
        for sentence in search.shelf.about(situation.action, layer)
        if sentence.allows
        if sentence.fits_but_for_conditions(situation, named=layer.named) is not False
        if all(sentence.holds(test, situation) for test in sentence.tests if test.low_key in about)
    )


def _lacking(
    conditions: Sequence[ConditionClaim], action: str, sentences: Sequence[Sentence]
) -> tuple[ConditionClaim, ...]:
    """The conditions that the statement lacks which has most of them: all have to stand in one."""
    lacking = [tuple(condition for condition in conditions if not _has(each, condition, action)) for each in sentences]
    return min(lacking, key=len, default=())


def _has(sentence: Sentence, condition: ConditionClaim, action: str) -> bool:
    clauses = condition.for_action(action.removeprefix(f"{SERVICE}:"))
    return all(any(_same(clause, test) for test in sentence.tests) for clause in clauses)


def _same(clause: ClauseClaim, test: Test) -> bool:
    asked = (clause.operator, clause.key.lower(), frozenset(clause.values))
    return asked == (test.operator, test.low_key, frozenset(test.values))
