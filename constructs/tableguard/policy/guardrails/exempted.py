"""Whoever a perimeter exempts, and a guardrail beside it stops all the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from tableguard.aws.dynamodb import SERVICE
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering
from tableguard.policy.perimeter import Exemption, Forwarding, LambdaPoller, ServiceLinkedRole
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side
from tableguard.policy.principals import PRINCIPAL_ARN
from tableguard.policy.tokens import is_unresolved
from tableguard.policy.wildcards import Glob, tokens

_SHOWN: Final = 3
# A denial that asks for anything else, such as a tag, leaves the rest of the action open.
_WHO: Final = frozenset({PRINCIPAL_ARN, "aws:PrincipalIsAWSService"})


def check_exempted(
    exemptions: Iterable[Exemption],
    guardrails: Sequence[Guardrail],
    rendering: Rendering,
    *,
    excluded_accounts: Collection[str] = (),
) -> None:
    """Check that the guardrails of a policy let those do whom its perimeter exempts, what it exempts them for.

    A break-glass role that may cross the perimeter and is no administrator would learn that on the day it is needed.
    Where the deployment alone knows who somebody is, nothing is said.

    Args:
        exemptions: The exemptions of the perimeter, of accounts that the policy binds.
        guardrails: The guardrails beside it.
        rendering: The policy that they are for.
        excluded_accounts: Accounts that the policy does not bind.

    Raises:
        InvalidInputError: Somebody is exempt for actions that a guardrail denies them.
    """
    for exemption in exemptions:
        who = exemption.principal
        # Nothing here binds a service-linked role, Lambda polls streams only, and a forwarded call is its caller's.
        if isinstance(who, ServiceLinkedRole | LambdaPoller | Forwarding) or who.home in excluded_accounts:
            continue
        arns = arns_of(who, rendering.partition, account="*")
        for guardrail in guardrails:
            if is_unresolved("".join(arns)) or _exempts(guardrail, arns, rendering):
                continue
            stopped = sorted(set(_stopped(exemption, guardrail, rendering)))
            if stopped:
                more = f" and {len(stopped) - _SHOWN} more" if len(stopped) > _SHOWN else ""
                raise InvalidInputError(
                    f"the exemption of {who.label} from the perimeter",
                    value=exemption.actions.name,
                    allowed=f"for administrators and whoever {guardrail.name} exempts: it denies all others "
                    f"{', '.join(stopped[:_SHOWN])}{more}, from wherever they call",
                    fix="Add it to the administrators (of a BreakGlassRole: its .principal), to "
                    f"{guardrail.name}(exempt_principals=[…]), or exempt it from less.",
                )


def _exempts(guardrail: Guardrail, arns: Iterable[str], rendering: Rendering) -> bool:
    exempt = [
        Glob(tokens(pattern))
        for one in guardrail.let_through(rendering.administrators)
        for pattern in arns_of(one, rendering.partition, account="*")
    ]
    return all(any(glob.matches(arn) for glob in exempt) for arn in arns)


def _stopped(exemption: Exemption, guardrail: Guardrail, rendering: Rendering) -> Iterator[str]:
    """What an exemption is for and a guardrail denies to whom it does not exempt."""
    for denial in guardrail.denials(rendering):
        if all(clause.key in _WHO for clause in denial.clauses):
            for action in denial.actions:
                service, _, name = action.partition(":")
                if service == SERVICE and exemption.covers(name, *Side):
                    yield name
