"""The vault's account: what arrives, what is sealed of it, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

import tableguard as tg
from stacks.alarms_topic import AlarmsTopic
from stacks.backup_findings import excuse, executions, files, named
from stacks.backups import QUOTA, RETENTION, Backups


class BackupVault(cdk.Stack):
    """The vault. The accounts of the tables cannot reach what is sealed here; `Management` guards the account.

    Deploy it first: S3 looks for the intake when a landing bucket is to replicate into it. Destroying this stack keeps
    both buckets and their policies: docs/deploy.md says how to remove what was only a try-out.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, env: cdk.Environment, backups: Backups, readers: Sequence[tg.Role]
    ) -> None:
        """Make the vault.

        Args:
            scope: The app.
            construct_id: The stack's name.
            env: Account and region.
            backups: The names.
            readers: The roles that restore, and the one in which people look, of another account.
        """
        super().__init__(scope, construct_id, env=env)
        topic = AlarmsTopic(self, "Alarms")
        self.vault = tg.SealedVault(
            self,
            "Vault",
            sources=backups.sources,
            retention=RETENTION,
            quota=QUOTA,
            intake_bucket_name=backups.vault.intake_bucket,
            sealed_bucket_name=backups.sealed.bucket,
            readers=readers,
            alarms_topic=topic.topic,
        )
        intake, sealed = self.vault.reference.intake_arn, self.vault.sealed_reference.bucket_arn
        sealing = self.vault.node.find_child("Sealing")
        work = cast("s3.CfnBucket", sealing.node.find_child("Work").node.default_child)
        machine = named(cast("cdk.CfnResource", self.vault.machine.node.default_child), "Name")
        excuse(
            self.vault,
            files(
                *(f"{bucket}/*" for bucket in (intake, sealed, f"{sealed}/catalogue", f"{sealed}/exports")),
                *(f"{named(work, 'Arn')}/{part}" for part in ("*", "quota/*")),
            )
            | executions(self.region, self.account, machine),
        )
