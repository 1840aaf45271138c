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
    """Denies everybody but the administrators to delete backups, and to change plans, vaults, locks and settings.

    It also protects what restores depend on: vaults that give another account access to an air-gapped vault, and
    restore test plans. Making, copying and restoring backups stays open. For point-in-time recovery, use
    `ProtectTables`.

    AWS Backup deletes expired backups with its service-linked role, which no SCP binds, or with the role of the plan.
    If backups stay after their retention, exempt that role.

    Args:
        exempt_principals: Who else may, such as the role of a backup plan; only the administrators when left out.

    Raises:
        InvalidInputError: Something in `exempt_principals` is no role, user or permission set.
    """

    costs: ClassVar[str] = "deleting backups by hand, and changing backup plans, vaults and restore tests"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        return (Protection(sid="ProtectBackups", actions=_ACTIONS, clauses=unless),)
