"""The record of who did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.cloudtrail import ACTIONS
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering
from tableguard.policy.representation import as_call

# To make a trail and to start it again stay open, and so does what services and the management account do.
_ACTIONS: Final = qualified_names(
    ACTIONS, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, but=(Category.OTHER, Category.TAGS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectTrails(Guardrail):
    """Denies everybody but the administrators to stop, change or delete CloudTrail's trails and event data stores.

    A member account can never change an organization's trail. This does not protect the bucket of a trail: keep it in
    an account of its own.

    Args:
        exempt_principals: Who else may; only the administrators when left out.

    Raises:
        InvalidInputError: Something in `exempt_principals` is no role, user or permission set.
    """

    costs: ClassVar[str] = "changing one's own trails but by a deployment; making new ones stays open"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        return (Protection(sid="ProtectTrails", actions=_ACTIONS, clauses=unless),)
