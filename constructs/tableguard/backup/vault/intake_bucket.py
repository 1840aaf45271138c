"""The bucket of a vault that backups arrive in."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tableguard.backup.immutable_bucket import sources_of
from tableguard.backup.protected_bucket import ProtectedBucket
from tableguard.policy import InvalidInputError, Limits, Role
from tableguard.policy.backup import Intake, ReplicationSource

_MOST_DAYS = 365
_LEAST_DAYS = 2


class IntakeBucket(Construct):
    """A versioned bucket that named roles of other accounts replicate into, each below its own account's prefix.

    Replicas of objects and their tags are all that can be written. Nobody puts, deletes or sends delete markers, the
    vault's own account included; one role reads. It holds nothing for long: what counts is what the vault has sealed.
    Whatever a taken-over source sends afterwards, the versions that arrived first stay until the retention ends, longer
    than sealing ever takes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        sources: Sequence[ReplicationSource],
        reader: Role,
        keep_days: int = 14,
        access_logs: s3.IBucket | None = None,
        deployed_by: Sequence[Role] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make an intake.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            bucket_name: Its name, which the sources' accounts have to know.
            sources: The roles that replicate into it, at least one.
            reader: The role that reads what has arrived.
            keep_days: Days that an object stays, and as many again as a noncurrent version; 2 to 365. More than sealing
                may ever take, repairs of a failing vault included.
            access_logs: A bucket that requests are logged in; none when left out.
            deployed_by: Roles that may change its settings; the role that CloudFormation deploys the stack as when left
                out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: No source, days out of range, or a malformed name.
            PolicyTooLargeError: The policy is over its limit.
        """
        super().__init__(scope, construct_id)
        path = self.node.path
        sources = sources_of(path, sources)
        if not sources:
            raise InvalidInputError(f"the sources of {path}", value=sources, allowed="at least one ReplicationSource")
        if type(keep_days) is not int or not _LEAST_DAYS <= keep_days <= _MOST_DAYS:
            raise InvalidInputError(
                f"keep_days of {path}", value=keep_days, allowed=f"{_LEAST_DAYS} to {_MOST_DAYS} days, as an integer"
            )
        kept = cdk.Duration.days(keep_days)
        self._protected = ProtectedBucket(
            self,
            bucket_name=bucket_name,
            encryption_key=None,
            access_logs=access_logs,
            deployed_by=deployed_by,
            lifecycle_rules=[
                # A version that somebody wrote over is noncurrent at once, and may be the one that is to be sealed.
                s3.LifecycleRule(id="Expire", expiration=kept, noncurrent_version_expiration=kept),
                s3.LifecycleRule(id="RemoveLoneMarkers", expired_object_delete_marker=True),
            ],
        )
        # By the resource: the CDK's own way adds a function whose role would have to change the bucket's settings.
        self._protected.resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        intake = Intake(bucket=self._protected.described, sources=sources, reader=reader)
        self._protected.attach(intake.statements(), intake.denials(), limits)

    @property
    def bucket(self) -> s3.Bucket:
        """The bucket."""
        return self._protected.bucket

    @property
    def resource(self) -> s3.CfnBucket:
        """The bucket's resource."""
        return self._protected.resource
