"""A guardrail that keeps accounts in the organization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering
from tableguard.policy.representation import as_call

_ACTIONS: Final = ("account:CloseAccount", "organizations:LeaveOrganization")


@dataclass(frozen=True, slots=True, kw_only=True)
class StayInOrganization(Guardrail):
    """Denies an account to leave the organization, and with it all guardrails, or to close itself.

    The guardrail also applies to the administrators. The management account can still remove and close accounts.

    Args:
        exempt_principals: Principals that may do this; none when left out.

    Raises:
        InvalidInputError: `exempt_principals` has something in it that is not a role, user or permission set.
    """

    exempts_administrators: ClassVar[bool] = False
    costs: ClassVar[str] = "nothing in daily work"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        return (
            DenyStatement(sid="StayInOrganization", actions=_ACTIONS, clauses=rendering.unless(self.exempt_principals)),
        )
