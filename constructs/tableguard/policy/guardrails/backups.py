"""Backups, and the settings that make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws import backup, dynamodb
from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering
from tableguard.policy.representation import as_call

# Restoring stays open, and so does reading what a backup holds without a restore. No vault's policy goes by tags.
_ACTIONS: Final = (
    *qualified_names(dynamodb.ACTIONS, Effect.CHANGES_PROTECTION, on=dynamodb.Resource.BACKUP),
    *qualified_names(
        backup.ACTIONS, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, but=(Category.RESTORE, Category.TAGS)
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectBackups(Guardrail):
    """Nobody but the administrators deletes backups, or changes plans, vaults, their locks and the service's settings.

    Nor does anybody else take away what a restore goes through: the vault that gives another account access to an
    air-gapped one, and the plans of restore tests, by which one hears that a backup is worth nothing.

    Taking a backup, copying one and restoring one stay open. AWS Backup removes what has reached the end of its plan
    with a role: with its service-linked role, which is out of reach, or with the role of the plan. Where backups
    outlive their plan, exempt that role. Point-in-time recovery belongs to `ProtectTables`.

    Args:
        exempt_principals: Who else may, such as the role that AWS Backup runs plans with.

    Raises:
        InvalidInputError: Something in `exempt_principals` is no role, user or permission set.
    """

    costs: ClassVar[str] = "deleting backups by hand, and changing backup plans, vaults and restore tests"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        return (Protection(sid="ProtectBackups", actions=_ACTIONS, clauses=unless),)
