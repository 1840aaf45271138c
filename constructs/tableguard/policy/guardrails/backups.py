"""Backups, and the settings that make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.policy.denials import Denial
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering, actions_of
from tableguard.policy.representation import as_call

_ACTIONS: Final = (
    "dynamodb:DeleteBackup",
    *actions_of(
        "backup",
        "AssociateBackupVaultMpaApprovalTeam CancelLegalHold DeleteBackupPlan DeleteBackupSelection"
        " DeleteBackupVault DeleteBackupVaultAccessPolicy DeleteBackupVaultLockConfiguration"
        " DeleteBackupVaultNotifications DeleteBackupVaultSharingPolicy DeleteRecoveryPoint"
        " DisassociateBackupVaultMpaApprovalTeam DisassociateRecoveryPoint DisassociateRecoveryPointFromParent"
        " PutBackupVaultAccessPolicy PutBackupVaultLockConfiguration PutBackupVaultNotifications"
        " PutBackupVaultSharingPolicy StopBackupJob UpdateBackupPlan UpdateGlobalSettings"
        " UpdateRecoveryPointLifecycle UpdateRegionSettings",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectBackups(Guardrail):
    """Nobody but the guardians deletes backups, or changes plans, vaults, their locks and the service's settings.

    Taking a backup, copying one and restoring one stay open. AWS Backup removes what has reached the end of its plan
    with a role: with its service-linked role, which is out of reach, or with the role of the plan. Where backups
    outlive their plan, spare that role. Point-in-time recovery belongs to `ProtectTables`.

    Args:
        spared: Who else may, such as the role that AWS Backup runs plans with.

    Raises:
        InvalidInputError: Something in `spared` is no role, user or permission set.
    """

    costs: ClassVar[str] = "deleting backups by hand, and changing backup plans and vaults"

    __repr__ = as_call

    def denials(self, rendering: Rendering) -> tuple[Denial, ...]:
        unless = rendering.unless(self.let_through(rendering.guardians))
        return (Denial(sid="ProtectBackups", actions=_ACTIONS, clauses=unless),)
