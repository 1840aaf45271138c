"""What the accounts of a backup agree on before any of them is deployed, and how each of them exports its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import tableguard as tg
from stacks.alarms_topic import AlarmsTopic
from stacks.backup_findings import excuse, files, named
from stacks.organization import Organization, Place

TABLE, PRIVATE_TABLE = "rbac-central-table", "private-table"
EXPORTER, PRIVATE_EXPORTER = "catalogue-exporter", "private-exporter"
REPLICATION = "export-replication"
RESTORE = "restore-catalogue"

# An export begins every six hours; after a week it begins with the whole table again.
EVERY = cdk.Duration.hours(6)
FULL_EVERY = cdk.Duration.days(7)
ALARM_AFTER = cdk.Duration.hours(14)
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


class ExportedTable(Construct):
    """Exports one table of this account into the vault of another one.

    The landing bucket is on the way there: whoever takes this account over has it, and nothing that is sealed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.TableV2,
        vault: tg.VaultReference,
        role_name: str,
    ) -> None:
        """Export a table.

        Args:
            scope: The parent construct, in a stack of the table's account.
            construct_id: The construct's id.
            table: The table.
            vault: Where the exports go.
            role_name: The name of the role that exports, which rules and perimeters name.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        topic = AlarmsTopic(self, "Alarms")
        self.landing = tg.LandingBucket(
            self,
            "Landing",
            bucket_name=f"tableguard-landing-{stack.account}",
            vault=vault,
            replication_role_name=REPLICATION,
            alarms_topic=topic.topic,
        )
        self.export = tg.TableExport(
            self,
            "Export",
            tables=[table],
            landing=self.landing,
            every=EVERY,
            full_every=FULL_EVERY,
            alarm_after=ALARM_AFTER,
            alarms_topic=topic.topic,
            role_name=role_name,
        )
        resource = cast("cdk.CfnResource", table.node.default_child)
        below = f"arn:aws:s3:::{self.landing.bucket_name}/{stack.account}/{stack.region}/{named(resource)}/*"
        sent = (f"arn:aws:s3:::{vault.intake_bucket}/{stack.account}/*", f"{self.landing.bucket_arn}/*")
        excuse(self, files(below, f"{named(resource, 'Arn')}/export/*", *sent))
