"""Staying where the guardrails are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering
from tableguard.policy.representation import as_call

_ACTIONS: Final = ("account:CloseAccount", "organizations:LeaveOrganization")


@dataclass(frozen=True, slots=True, kw_only=True)
class StayInOrganization(Guardrail):
    """Denies leaving the organization and closing the account, from inside the account; no guardrail would hold then.

    The management account can still remove and close accounts. Administrators are bound as well.

    Args:
        exempt_principals: Who may; nobody when left out.

    Raises:
        InvalidInputError: Something in `exempt_principals` is no role, user or permission set.
    """

    exempts_administrators: ClassVar[bool] = False
    costs: ClassVar[str] = "nothing in daily work"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        return (
            DenyStatement(sid="StayInOrganization", actions=_ACTIONS, clauses=rendering.unless(self.exempt_principals)),
        )
