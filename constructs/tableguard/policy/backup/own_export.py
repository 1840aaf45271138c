"""The policy of the bucket that a restore exports a living table into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tableguard.policy.backup.common import DELETES, Bucket, unless
from tableguard.policy.backup.landing import ALTERATIONS, WRITES_OF_EXPORTS
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.principals import ArnIdentity, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnExport:
    """What the bucket's policy says: what stands there is a whole table in clear, restricted or not.

    Nothing is allowed by it: every caller is of the bucket's own account.

    Args:
        bucket: The bucket.
        writer: Who exports: DynamoDB writes as whoever asks it to.
        readers: Who measures and loads.
        remover: Who removes the export once the table is restored: it lists, and reads nothing.
    """

    bucket: Bucket
    writer: Role | ArnIdentity
    readers: Sequence[Role | ArnIdentity]
    remover: Role | ArnIdentity

    def denials(self) -> tuple[DenyStatement, ...]:
        """What it denies; lifecycle removes whatever the restore has left."""
        of, partition = self.bucket, self.bucket.partition
        denials = (
            *of.transport(),
            *of.encryption(),
            DenyStatement(
                sid="OnlyTheExportWrites",
                actions=WRITES_OF_EXPORTS,
                resources=of.objects,
                clauses=unless(partition, self.writer),
            ),
            DenyStatement(
                sid="OnlyTheRestoreRemoves",
                actions=DELETES,
                resources=of.objects,
                clauses=unless(partition, self.remover),
            ),
            DenyStatement(sid="NobodyAlters", actions=ALTERATIONS, resources=of.objects),
            *of.readers(self.readers, finders=[self.remover]),
            *of.settings(),
        )
        return (*denials, of.unclassified(denials))
