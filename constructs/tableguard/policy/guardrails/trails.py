"""A guardrail for CloudTrail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.cloudtrail import ACTIONS
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering
from tableguard.policy.representation import as_call

# Creating a trail and starting it again are not denied, nor are actions of services and of the management account.
_ACTIONS: Final = qualified_names(
    ACTIONS, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, but=(Category.OTHER, Category.TAGS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectTrails(Guardrail):
    """Denies everybody but the administrators to stop, change or delete CloudTrail's trails and event data stores.

    A member account cannot change an organization's trail in any case. The guardrail does not protect the logs that a
    trail has written: keep their bucket in an account of its own.

    Args:
        exempt_principals: Further principals that may do this; none when left out.

    Raises:
        InvalidInputError: `exempt_principals` has something in it that is not a role, user or permission set.
    """

    costs: ClassVar[str] = "changing one's own trails but by a deployment; making new ones stays open"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        return (Protection(sid="ProtectTrails", actions=_ACTIONS, clauses=unless),)
