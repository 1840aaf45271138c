"""Deny statements, of which restrictions and guardrails consist."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tableguard.policy.conditions import Clause
from tableguard.policy.documents import VERSION, Json, condition_element, minified, scalar
from tableguard.policy.errors import InvalidInputError, PolicyTooLargeError
from tableguard.policy.limits import Limit, check_size, measured
from tableguard.policy.principals import PRINCIPAL_ARN
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered

IS_SERVICE: Final = "aws:PrincipalIsAWSService"
VIA_SERVICE: Final = "aws:ViaAWSService"
VIA_LAST: Final = "aws:CalledViaLast"
# A wildcard or a variable, but not a CDK token.
_PATTERN: Final = re.compile(r"[*?]|\$\{(?!Token\[)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyStatement:
    """A statement with `"Effect": "Deny"`.

    Args:
        sid: Its name, which decisions show: letters and digits.
        actions: The denied actions, with their service prefix.
        but_actions: Instead of `actions`: denies all actions except these (NotAction). An RCP and a table's policy
            take no such list.
        resources: ARNs, or "*".
        clauses: The conditions, all of which must hold for it to deny. Without conditions, it always denies.
    """

    sid: str
    actions: tuple[str, ...] = ()
    but_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ("*",)
    clauses: tuple[Clause, ...] = ()

    __repr__ = as_call

    def __post_init__(self) -> None:
        if bool(self.actions) is bool(self.but_actions):
            raise InvalidInputError(
                f"the actions of the denial {self.sid}",
                value={"actions": self.actions, "but_actions": self.but_actions},
                allowed="exactly one of the two",
            )

    def to_json(self, *, principal: str | None = None) -> Json:
        """Return the statement as JSON, minified.

        Args:
            principal: "*" in a resource-based policy, which must name principals; None in other policies.
        """
        json_: dict[str, Any] = {"Sid": self.sid, "Effect": "Deny"}
        if principal is not None:
            json_["Principal"] = principal
        if self.actions:
            json_["Action"] = scalar(ordered(self.actions))
        else:
            json_["NotAction"] = scalar(ordered(self.but_actions))
        json_["Resource"] = scalar(ordered(self.resources))
        if self.clauses:
            json_["Condition"] = condition_element(self.clauses)
        return json_


def unless_called_by(arns: Iterable[str]) -> tuple[Clause, ...]:
    """Return the clause that exempts some callers from a deny statement; none if there are no callers.

    Args:
        arns: The values of their `aws:PrincipalArn`, or patterns.
    """
    listed = ordered(arns)
    if not listed:
        return ()
    operator = "ArnNotLike" if any(map(_PATTERN.search, listed)) else "ArnNotEquals"
    return (Clause(operator, PRINCIPAL_ARN, listed),)


def joined(denials: Iterable[DenyStatement]) -> tuple[DenyStatement, ...]:
    """Join statements that differ only in their actions or only in their resources, as far as possible.

    No decision on a request changes. Of several names, the first stays. The order of the statements stays.
    """
    current = tuple(denials)
    while True:
        fewer = _join(current, _but_actions, lambda one, other: replace(one, actions=one.actions + other.actions))
        fewer = _join(fewer, _but_resources, lambda one, other: replace(one, resources=one.resources + other.resources))
        if len(fewer) == len(current):
            return fewer
        current = fewer


def denying(denials: Sequence[DenyStatement], *, principal: str | None = None) -> Json:
    """Return a policy document of deny statements.

    Args:
        denials: The statements, at least one.
        principal: "*" for a resource-based policy; None for other policies.

    Raises:
        InvalidInputError: There is no statement: an empty policy is invalid.
    """
    if not denials:
        raise InvalidInputError("the statements of a policy document", value=(), allowed="at least one statement")
    return {"Version": VERSION, "Statement": [denial.to_json(principal=principal) for denial in denials]}


def _canonical(clauses: Iterable[Clause]) -> frozenset[Clause]:
    return frozenset(replace(clause, values=ordered(clause.values)) for clause in clauses)


def _but_actions(denial: DenyStatement) -> Hashable:
    # Two NotAction lists cannot be joined without a change of meaning.
    return (denial.but_actions, denial.sid if denial.but_actions else "", *_rest(denial), ordered(denial.resources))


def _but_resources(denial: DenyStatement) -> Hashable:
    return (ordered(denial.actions), ordered(denial.but_actions), *_rest(denial))


def _rest(denial: DenyStatement) -> tuple[Hashable, ...]:
    return (_canonical(denial.clauses),)


def _join(
    denials: Iterable[DenyStatement],
    alike: Callable[[DenyStatement], Hashable],
    join: Callable[[DenyStatement, DenyStatement], DenyStatement],
) -> tuple[DenyStatement, ...]:
    groups: dict[Hashable, DenyStatement] = {}
    for denial in denials:
        key = alike(denial)
        groups[key] = join(groups[key], denial) if key in groups else denial
    return tuple(groups.values())


def packed(
    denials: Sequence[DenyStatement],
    limit: Limit,
    *,
    principal: str | None = None,
    at_most: int | None = None,
    owner: str,
) -> tuple[Json, ...]:
    """Pack deny statements into few documents, each within its limit. The same statements give the same documents.

    The largest statement comes first, each into the first document with room (first-fit decreasing). That needs at most
    a quarter more documents than the fewest possible, and a new small statement rarely moves the others.

    Args:
        denials: The statements, at least one.
        limit: The limit of one document.
        principal: "*" for resource-based policies; None for other policies.
        at_most: The largest number of documents; no limit when left out.
        owner: Whose policies they are, for the message.

    Raises:
        InvalidInputError: There is no statement, or two have the same name.
        PolicyTooLargeError: One statement alone is over the limit, or there are more documents than allowed.
    """
    named = {denial.sid: denial for denial in denials}
    if len(named) < len(denials):
        twice = sorted({d.sid for d in denials if sum(other.sid == d.sid for other in denials) > 1})
        raise InvalidInputError(f"the statements of {owner}", value=twice, allowed="statements of different names")
    position = {sid: index for index, sid in enumerate(named)}
    bins: list[list[DenyStatement]] = []
    for denial in sorted(denials, key=lambda d: (-len(minified(d.to_json(principal=principal))), d.sid)):
        for candidate in bins:
            if measured(denying([*candidate, denial], principal=principal), limit).size <= limit.size:
                candidate.append(denial)
                break
        else:
            document = denying([denial], principal=principal)
            check_size(document, limit, owner=f"{owner} (statement {denial.sid})", fix=_TOO_LARGE)
            bins.append([denial])
    if at_most is not None and len(bins) > at_most:
        raise PolicyTooLargeError(
            f"{owner} takes {len(bins)} policies. Allowed: {at_most} ({limit.source}). {_TOO_LARGE}"
        )
    # The largest statements decide the order of documents; within a document, the statements keep their own order.
    return tuple(
        denying(sorted(documents, key=lambda d: position[d.sid]), principal=principal)
        for documents in sorted(bins, key=lambda b: min(position[d.sid] for d in b))
    )


_TOO_LARGE = (
    "To make it fit: exempt a RoleOfEveryAccount instead of one role of each account, render it for fewer accounts, "
    "trust VPC endpoints or fewer regions, attach part of it to another level of the organization, or leave open what "
    "AWS adds later (unclassified_open of the perimeter), which takes one statement for each region of its VPCs."
)
