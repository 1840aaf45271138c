"""How each account exports its table into the vault."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import tableguard as tg
from stacks.alarms_topic import AlarmsTopic
from stacks.backup_findings import excuse, files, named
from stacks.backups import REPLICATION

# An export begins every six hours; after a week it begins with the whole table again.
EVERY = cdk.Duration.hours(6)
FULL_EVERY = cdk.Duration.days(7)
ALARM_AFTER = cdk.Duration.hours(14)


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
