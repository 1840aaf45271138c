"""The buckets of a restore: the one that it works in, and the one that it exports a living table into."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_s3 as s3
from constructs import Construct

from tableguard.backup.protected_bucket import ProtectedBucket
from tableguard.policy import Limits, Role
from tableguard.policy.backup.own_export import OwnExport
from tableguard.policy.principals import ArnIdentity


def restore_bucket(scope: Construct, construct_id: str, *, days: int) -> s3.Bucket:
    """Make a bucket for what a restore needs while it runs: lists of files, and what the workers note.

    It holds no items, and nothing that cannot be made again: what is older than a few days expires. TLS only, no public
    access, no ACLs.

    Args:
        scope: The parent construct.
        construct_id: The construct's id, unique below its parent.
        days: After how many days its objects expire.
    """
    return s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                expiration=cdk.Duration.days(days),
            )
        ],
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )


class ExportBucket(Construct):
    """The bucket that a restore from point-in-time recovery exports the living table into.

    While a restore runs it holds the whole table in clear, whatever restriction the table has: its policy keeps
    everybody but the restore's own functions from reading it. Versioned, so that a file is loaded as it was measured. A
    restore that came to its end removes its export; what one that failed has left expires.
    """

    def __init__(self, scope: Construct, construct_id: str, *, deployed_by: Role, days: int) -> None:
        """Make the bucket; `protect` writes its policy.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            deployed_by: The role that may change its settings.
            days: After how many days its objects expire: as many as an execution may take.
        """
        super().__init__(scope, construct_id)
        self._protected = ProtectedBucket(
            self,
            bucket_name=None,
            encryption_key=None,
            access_logs=None,
            deployed_by=[deployed_by],
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Expire",
                    expiration=cdk.Duration.days(days),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                ),
                s3.LifecycleRule(id="ExpireDeleteMarkers", expired_object_delete_marker=True),
            ],
        )

    @property
    def bucket(self) -> s3.Bucket:
        """The bucket."""
        return self._protected.bucket

    def protect(self, *, writer: iam.IRole, workers: Mapping[str, iam.IRole], limits: Limits | None) -> None:
        """Write the policy.

        Args:
            writer: The role that asks for the export.
            workers: The roles of the functions: "Open", "Measure", "Close", "Load", and "Clear", which removes it.
            limits: Limits on its size.
        """
        exporting = OwnExport(
            bucket=self._protected.described,
            writer=self._known(writer),
            readers=[self._known(workers[part]) for part in ("Open", "Measure", "Close", "Load")],
            remover=self._known(workers["Clear"]),
        )
        self._protected.attach((), exporting.denials(), limits)

    def _known(self, role: iam.IRole) -> ArnIdentity:
        account = cdk.Stack.of(self).account
        return ArnIdentity(account=account, principal_arn=role.role_arn, described_as=role.node.path)
