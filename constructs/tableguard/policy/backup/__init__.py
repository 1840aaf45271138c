"""Backups in words: what the halves of a vault know of each other, and the statements of its buckets."""

from __future__ import annotations

from tableguard.policy.backup.backup_rules import BackupRule, VaultCopy
from tableguard.policy.backup.backup_vaults import BackupVaultReference, VaultLock
from tableguard.policy.backup.references import ReplicationSource, SealedReference, VaultReference

__all__ = [
    "BackupRule",
    "BackupVaultReference",
    "ReplicationSource",
    "SealedReference",
    "VaultCopy",
    "VaultLock",
    "VaultReference",
]
