"""A guardrail for backups and the settings of AWS Backup."""

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
    """Denies everybody but the administrators to delete backups, or change plans, vaults, vault locks and settings.

    It also protects what restores need: the vault that gives another account access to an air-gapped vault, and the
    plans of restore tests, which report unusable backups.

    It does not deny making, copying and restoring backups. `ProtectTables` protects point-in-time recovery. AWS Backup
    deletes expired backups with its service-linked role, to which no SCP applies, or with the role of the plan. If
    expired backups are not deleted, exempt the role of the plan.

    Args:
        exempt_principals: Further principals that may do this, such as the role that AWS Backup runs plans with.

    Raises:
        InvalidInputError: `exempt_principals` has something in it that is not a role, user or permission set.
    """

    costs: ClassVar[str] = "deleting backups by hand, and changing backup plans, vaults and restore tests"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        return (Protection(sid="ProtectBackups", actions=_ACTIONS, clauses=unless),)
