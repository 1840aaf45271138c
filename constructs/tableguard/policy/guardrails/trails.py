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
    """Nobody but the administrators stops, changes or deletes CloudTrail's trails and event data stores.

    An organization's trail cannot be changed from a member account anyway. What a trail has written is as safe as its
    bucket: keep that in an account of its own.

    Args:
        exempt_principals: Who else may.

    Raises:
        InvalidInputError: Something in `exempt_principals` is no role, user or permission set.
    """

    costs: ClassVar[str] = "changing one's own trails but by a deployment; making new ones stays open"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        return (Protection(sid="ProtectTrails", actions=_ACTIONS, clauses=unless),)
