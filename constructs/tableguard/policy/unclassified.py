"""Actions that AWS adds after this release: refused where a refusal is promised, and to nobody who is let through.

A statement that lists what it denies leaves open whatever AWS adds tomorrow. This one denies everything but what is
classified in `aws/`, and stands beside the others: on an action that is classified it decides nothing.
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
    """What the statement leaves to the others: its NotAction element.

    Args:
        actions: The actions of one service that are classified.
        open_verbs: Beginnings of names that stay open whatever follows: verbs that look at settings alone.
        other_services: Prefixes of other services whose actions go to resources of this one.
        denied: Actions with their service prefix that other statements deny to everybody whom this one reaches, and to
            more. They can be left out where there is no room: they are then denied twice, and to nobody else.
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
    """The denial of every action but some, to everybody but those whom any other statement of the policy exempts.

    Args:
        sid: What it is called.
        but_actions: The actions that it leaves to the others, with their service prefix.
        resources: ARNs of one service: with "*" it would deny what every other service does.
        outside: What has to hold for it to deny anything, whoever calls.
        beside: The other statements. Whoever is exempt in one of them, from whatever it denies, is exempt here: nobody
            can tell what a new action is needed for.
        exempt: ARNs, or patterns of them, of who else is.
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
