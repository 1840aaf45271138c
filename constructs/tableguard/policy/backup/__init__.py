"""Backups in words: what the halves of a vault know of each other, and the statements of its buckets."""

from __future__ import annotations

from tableguard.policy.backup.references import ReplicationSource, SealedReference, VaultReference

__all__ = ["ReplicationSource", "SealedReference", "VaultReference"]
