"""The role in which people look at what is sealed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

import tableguard as tg
from stacks.findings import acknowledge_wildcard

NAME = "backup-reader"
PEOPLE = "BackupReader"


class BackupReader(Construct):
    """A role for those who follow a runbook: it reads what is sealed of one table, and changes nothing.

    Of the recovery account, so that nobody needs a way into the vault's. It shows items, as the table does: who is
    assigned the permission set is decided like access to the table, and each session stands in CloudTrail.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, sealed: tg.SealedReference, table: tg.TableReference
    ) -> None:
        """Make the role.

        Args:
            scope: A stack of the recovery account.
            construct_id: The construct's id, unique below its parent.
            sealed: The vault, which has to name `reader` among its readers.
            table: The table.
        """
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        self.reader = tg.Role(account=account, name=NAME)
        people = tg.PermissionSet(account=account, name=PEOPLE).role_patterns("aws")
        below = f"{table.account}/{table.region}/{table.name}/*"
        files = [f"{sealed.bucket_arn}/{kind}/{below}" for kind in ("exports", "catalogue")]
        listing = iam.PolicyStatement(
            actions=["s3:ListBucket", "s3:ListBucketVersions"],
            resources=[sealed.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"exports/{below}", f"catalogue/{below}"]}},
        )
        reading = iam.PolicyStatement(actions=["s3:GetObject", "s3:GetObjectVersion"], resources=files)
        role = iam.Role(
            self,
            "Role",
            role_name=NAME,
            description="Shows people what is sealed of a table: docs/disaster-recovery.md",
            assumed_by=iam.AccountPrincipal(account).with_conditions({"ArnLike": {"aws:PrincipalArn": [*people]}}),
            max_session_duration=cdk.Duration.hours(1),
        )
        role.add_to_policy(listing)
        role.add_to_policy(reading)
        for resource in files:
            acknowledge_wildcard(self, resource, reason="Files have no name before they are written.")
