"""What the accounts of a backup agree on before any of them is deployed."""

from __future__ import annotations

from dataclasses import dataclass

import tableguard as tg
from stacks.organization import Organization, Place

TABLE, PRIVATE_TABLE = "rbac-central-table", "private-table"
EXPORTER, PRIVATE_EXPORTER = "catalogue-exporter", "private-exporter"
REPLICATION = "export-replication"
RESTORE = "restore-catalogue"

# A chain of a week can be restored as long as its first export is there: two weeks leave another one to notice damage.
#
# Governance, and short, because people deploy this to try it: a compliance lock can be lifted by nobody, AWS included,
# so neither the bucket nor the account could be emptied before its end. In production take Retention.compliance(…),
# and more days.
RETENTION = tg.Retention.governance(days=14)
# What a source may have sealed in a day: two tables four times, and some room to catch up.
QUOTA = tg.SourceQuota(bytes_per_day=50_000_000_000, exports_per_day=24)


@dataclass(frozen=True, slots=True)
class Backups:
    """The buckets' names, each with its account's id: they are unique in all of AWS.

    Args:
        organization: Who has which account.
    """

    organization: Organization

    @property
    def vault(self) -> tg.VaultReference:
        """The vault as those see it who send exports."""
        place = self.organization.vault
        intake = f"tableguard-intake-{place.account}"
        return tg.VaultReference(account=place.account, region=place.region, intake_bucket=intake)

    @property
    def sealed(self) -> tg.SealedReference:
        """The vault as those see it who restore."""
        place = self.organization.vault
        bucket = f"tableguard-sealed-{place.account}"
        return tg.SealedReference(account=place.account, region=place.region, bucket=bucket)

    @property
    def sources(self) -> tuple[tg.ReplicationSource, ...]:
        """Who may send exports, and of which tables."""
        tables: dict[Place, list[str]] = {}
        for place, table in (
            (self.organization.central, TABLE),
            (self.organization.private, PRIVATE_TABLE),
        ):
            tables.setdefault(place, []).append(table)
        return tuple(
            tg.ReplicationSource(account=place.account, role_name=REPLICATION, tables=names)
            for place, names in tables.items()
        )
