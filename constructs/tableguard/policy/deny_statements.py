"""Statements that deny: what restrictions and guardrails are made of."""

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
# A wildcard or a variable, which a token of the CDK is not.
_PATTERN: Final = re.compile(r"[*?]|\$\{(?!Token\[)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyStatement:
    """One statement that denies something.

    Args:
        sid: What it is called in the decisions that it makes: letters and digits.
        actions: Actions with their service prefix.
        but_actions: Every action but these, with their service prefix. Exactly one of the two is given. An RCP and a
            table's policy take no such list.
        resources: ARNs, or "*".
        clauses: The conditions, all of which must hold for it to deny. None: it always denies.
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
        """The statement as IAM reads it, minified.

        Args:
            principal: "*" in a policy of a resource, which must name principals; None where a policy cannot.
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
    """The clause that does not hold for some callers; none for nobody, so that everybody is denied.

    Args:
        arns: What their `aws:PrincipalArn` may be, or patterns of it.
    """
    listed = ordered(arns)
    if not listed:
        return ()
    operator = "ArnNotLike" if any(map(_PATTERN.search, listed)) else "ArnNotEquals"
    return (Clause(operator, PRINCIPAL_ARN, listed),)


def joined(denials: Iterable[DenyStatement]) -> tuple[DenyStatement, ...]:
    """Join denials that differ in nothing but their actions, or in nothing but their resources, until none do.

    The decision on every request stays the same; of several names, the first remains. The order is theirs.
    """
    current = tuple(denials)
    while True:
        fewer = _join(current, _but_actions, lambda one, other: replace(one, actions=one.actions + other.actions))
        fewer = _join(fewer, _but_resources, lambda one, other: replace(one, resources=one.resources + other.resources))
        if len(fewer) == len(current):
            return fewer
        current = fewer


def denying(denials: Sequence[DenyStatement], *, principal: str | None = None) -> Json:
    """A whole policy document of denials.

    Args:
        denials: At least one.
        principal: "*" for a policy of a resource.

    Raises:
        InvalidInputError: There is none: an empty policy is invalid.
    """
    if not denials:
        raise InvalidInputError("the statements of a policy document", value=(), allowed="at least one statement")
    return {"Version": VERSION, "Statement": [denial.to_json(principal=principal) for denial in denials]}


def _canonical(clauses: Iterable[Clause]) -> frozenset[Clause]:
    return frozenset(replace(clause, values=ordered(clause.values)) for clause in clauses)


def _but_actions(denial: DenyStatement) -> Hashable:
    # Two lists of exceptions have no union that means the same.
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
    """Pack denials into as few documents as fit, each within its limit, the same ones for the same denials.

    Largest first, each into the first document that has room: that is never more than a quarter above the fewest
    possible, and adding a small statement rarely moves the others.

    Args:
        denials: At least one.
        limit: The limit of one document.
        principal: "*" for policies of resources; None for policies that name no principal.
        at_most: How many documents there may be; no matter how many when left out.
        owner: Whose policies they are, for the message.

    Raises:
        InvalidInputError: There is no denial, or two of the same name.
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
    # The largest statement decides which document is first, the statements' own order what it looks like.
    return tuple(
        denying(sorted(documents, key=lambda d: position[d.sid]), principal=principal)
        for documents in sorted(bins, key=lambda b: min(position[d.sid] for d in b))
    )


_TOO_LARGE = (
    "To make it fit: exempt a RoleOfEveryAccount instead of one role of each account, render it for fewer accounts, "
    "trust VPC endpoints or fewer regions, attach part of it to another level of the organization, or leave open what "
    "AWS adds later (unclassified_open of the perimeter), which takes one statement for each region of its VPCs."
)
