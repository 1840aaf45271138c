"""Denies actions that AWS adds after this release.

A statement with a list of denied actions does not deny actions that AWS adds later. The statement of this module denies
all actions except those that `aws/` classifies, which other statements of the same policy deny or leave open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tableguard.aws.actions import ServiceAction
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import IS_SERVICE, VIA_LAST, VIA_SERVICE, DenyStatement, unless_called_by
from tableguard.policy.principals import PRINCIPAL_ARN
from tableguard.policy.tokens import ordered

_NOT_OF_PRINCIPALS: Final = frozenset({"ArnNotEquals", "ArnNotLike"})


def all_classified(
    actions: Iterable[ServiceAction],
    *,
    open_verbs: Sequence[str] = (),
    other_services: Iterable[str] = (),
    denied: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the NotAction element of the statement: the actions that it does not deny.

    Args:
        actions: The classified actions of one service.
        open_verbs: Prefixes of action names that are never denied: verbs that only read settings.
        other_services: Prefixes of other services whose actions go to resources of this service.
        denied: Actions, with their service prefix, that other statements deny to all callers that this one denies. They
            are left out of the list to save room: then both statements deny them, and the decision stays the same.
    """
    listed, left_out, verbs = tuple(actions), frozenset(denied), tuple(open_verbs)
    return (
        *(
            action.qualified
            for action in listed
            if action.qualified not in left_out and not (verbs and action.name.startswith(verbs))
        ),
        *(f"{listed[0].service}:{verb}*" for verb in verbs),
        *(f"{service}:*" for service in other_services),
    )


def unclassified(
    sid: str,
    but_actions: Sequence[str],
    *,
    resources: Sequence[str],
    outside: Sequence[Clause] = (),
    beside: Iterable[DenyStatement],
    exempt: Iterable[str] = (),
) -> DenyStatement:
    """Return a statement that denies all actions except some, to callers that no other statement exempts.

    Args:
        sid: The statement's name.
        but_actions: The actions that it does not deny, with their service prefix.
        resources: ARNs of one service: with "*" it would deny the actions of all other services.
        outside: Conditions that must hold for it to deny, for every caller.
        beside: The other statements. A caller that one of them exempts is exempt here, too, since it is not known what
            a new action is needed for.
        exempt: ARNs, or patterns of ARNs, of further exempt callers.
    """
    clauses = tuple(clause for denial in beside for clause in denial.clauses)
    arns = (v for c in clauses if c.key == PRINCIPAL_ARN and c.operator in _NOT_OF_PRINCIPALS for v in c.values)
    return DenyStatement(
        sid=sid,
        but_actions=tuple(but_actions),
        resources=tuple(resources),
        clauses=(
            *outside,
            *unless_called_by((*arns, *exempt)),
            *_unless_forwarded(clauses),
            *_unless_services(clauses),
        ),
    )


def _unless_forwarded(clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    if any(clause.key == VIA_SERVICE for clause in clauses):
        return (Clause("BoolIfExists", VIA_SERVICE, ("false",)),)
    services = ordered(value for clause in clauses if clause.key == VIA_LAST for value in clause.values)
    return (Clause("StringNotEquals", VIA_LAST, services),) if services else ()


def _unless_services(clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    unless = Clause("BoolIfExists", IS_SERVICE, ("false",))
    return (unless,) if unless in clauses else ()
