"""Locks and policies of backups: how long they are locked, and who may do what with their buckets and vaults."""

from __future__ import annotations

from tableguard.policy.backup.backup_rules import BackupRule, VaultCopy
from tableguard.policy.backup.backup_vaults import BackupVaultReference, VaultLock
from tableguard.policy.backup.common import SETTINGS, Bucket
from tableguard.policy.backup.immutable import Immutable
from tableguard.policy.backup.intake import (
    Intake,
    bucket_policy,
    reader_key_statements,
    reader_statements,
    source_statements,
)
from tableguard.policy.backup.references import ReplicationSource, SealedReference, SourceQuota, VaultReference
from tableguard.policy.backup.replication import destination_key_statement, replication_role_statements, through_s3
from tableguard.policy.backup.retention import LockMode, Retention, RetentionBounds
from tableguard.policy.backup.sealing_names import SealingNames

__all__ = [
    "SETTINGS",
    "BackupRule",
    "BackupVaultReference",
    "Bucket",
    "Immutable",
    "Intake",
    "LockMode",
    "ReplicationSource",
    "Retention",
    "RetentionBounds",
    "SealedReference",
    "SealingNames",
    "SourceQuota",
    "VaultCopy",
    "VaultLock",
    "VaultReference",
    "bucket_policy",
    "destination_key_statement",
    "reader_key_statements",
    "reader_statements",
    "replication_role_statements",
    "source_statements",
    "through_s3",
]
