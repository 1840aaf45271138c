"""Replication of a whole bucket into one of another account, in one stage."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_iam as iam, aws_s3 as s3, aws_sns as sns
from constructs import Construct

from tableguard.backup.export.replication_alarm import replication_alarm
from tableguard.backup.protected_bucket import partition_in
from tableguard.policy import InvalidInputError, Role, document, names
from tableguard.policy.backup import (
    ReplicationSource,
    SealedReference,
    destination_key_statement,
    replication_role_statements,
)
from tableguard.policy.documents import Json
from tableguard.policy.tokens import is_unresolved

_RULE_ID = "Backup"


class BucketReplication(Construct):
    """Replicates every new object of a bucket, with its tags and its lock, into a bucket of another account.

    The other account's app has `ImmutableBackupBucket(sources=[replication.source])`: it trusts this role only, below
    the source account's own prefix.

    For exports of tables use a `SealedVault` instead. Here a replica carries the retention that its source gave it, and
    no policy of the destination limits that: whoever takes over the source can send objects that are locked for a day
    or for a hundred years, and any number of new versions of every key. What had arrived before stays locked. Delete
    markers and deletions of versions do not replicate. Objects that were there before the rule do not either: use S3
    Batch Replication.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: s3.Bucket,
        destination: SealedReference,
        role_name: str,
        prefix: str | None = None,
        alarms_topic: sns.ITopic | None = None,
    ) -> None:
        """Set up the sending half.

        Args:
            scope: The parent construct, in the stack of the source.
            construct_id: The construct's id, unique below its parent.
            source: The bucket to send, versioned, made in this app.
            destination: The bucket of the other account; one with a KMS key if the source has one.
            role_name: The name of the role that S3 replicates with, which the destination trusts.
            prefix: The prefix of the keys that are sent; the account's id and a slash when left out, which is what the
                destination lets through.
            alarms_topic: Who hears of objects that fail to replicate; nobody when left out.

        Raises:
            InvalidInputError: A source that was imported or is not versioned, replicates already, is in the
                destination's account, or has a key where the destination has none; or a prefix that is not below the
                account's own.
        """
        super().__init__(scope, construct_id)
        path = self.node.path
        stack = cdk.Stack.of(self)
        resource = self._checked(source, destination)
        names.role_name(f"the role of {path}", role_name)
        prefix = f"{stack.account}/" if prefix is None else prefix
        if not is_unresolved(stack.account) and not prefix.startswith(f"{stack.account}/"):
            raise InvalidInputError(
                f"the prefix of {path}", value=prefix, allowed=f"{stack.account}/ or a prefix below it"
            )
        self._destination = destination
        self._role = Role(account=stack.account, name=role_name)
        self._arn = self._role.arn(partition_in(stack))
        key = source.encryption_key
        if key is not None and destination.key_arn is None:
            raise InvalidInputError(
                f"the destination of {path}",
                value=destination.bucket,
                allowed="a bucket with a KMS key, since the source has one: S3 replicates what is encrypted with a key "
                "only if it is told the key to encrypt the replica with",
                fix="Pass SealedReference(key_arn=…), or a source without a key.",
            )
        statements = replication_role_statements(
            source_bucket_arn=source.bucket_arn,
            destination_bucket_arn=destination.bucket_arn,
            source_region=stack.region,
            destination_region=destination.region,
            prefixes=(prefix,),
            source_key_arn=None if key is None else key.key_arn,
            destination_key_arn=destination.key_arn,
        )
        role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            description=f"Replicates backups to {destination.bucket}",
            assumed_by=iam.ServicePrincipal("s3.amazonaws.com"),
        )
        for statement in document(statements)["Statement"]:
            # In a resource of its own: the bucket names the role, and the policy names the bucket.
            role.add_to_policy(iam.PolicyStatement.from_json(statement))
        resource.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=role.role_arn, rules=[_rule(destination, prefix)]
        )
        self._alarm = replication_alarm(
            self,
            source=source.bucket_name,
            destination=destination.bucket,
            rule_id=_RULE_ID,
            topic=alarms_topic,
        )

    @property
    def source(self) -> ReplicationSource:
        """What the destination lets in."""
        return ReplicationSource(account=self._role.account, role_name=self._role.name)

    @property
    def alarm(self) -> cloudwatch.Alarm:
        """Rings when an object fails to replicate."""
        return self._alarm

    @property
    def destination_key_statements(self) -> Sequence[Json]:
        """What the policy of the destination's key has to say; nothing where the destination has no key."""
        if self._destination.key_arn is None:
            return []
        statement = destination_key_statement(
            role_arn=self._arn,
            account=self._role.account,
            bucket_arn=self._destination.bucket_arn,
            region=self._destination.region,
        )
        return [statement.to_json()]

    def _checked(self, source: s3.Bucket, destination: SealedReference) -> s3.CfnBucket:
        path = self.node.path
        if not isinstance(destination, SealedReference):
            raise InvalidInputError(f"the destination of {path}", value=destination, allowed="SealedReference(…)")
        if destination.account == cdk.Stack.of(self).account:
            raise InvalidInputError(
                f"the destination of {path}",
                value=destination.bucket,
                allowed="a bucket of another account: one in the account of the data is lost with it",
            )
        resource = source.node.default_child if isinstance(source, s3.Bucket) else None
        if not isinstance(resource, s3.CfnBucket):
            raise InvalidInputError(
                f"the source of {path}",
                value=source,
                allowed="a bucket that is made in this app: the rule is part of the bucket",
            )
        if resource.versioning_configuration is None:
            raise InvalidInputError(
                f"the source of {path}",
                value=source.node.path,
                allowed="a versioned bucket",
                fix="Pass versioned=True.",
            )
        if resource.replication_configuration is not None:
            raise InvalidInputError(
                f"the source of {path}", value=source.node.path, allowed="a bucket that does not replicate already"
            )
        return resource


def _rule(destination: SealedReference, prefix: str) -> s3.CfnBucket.ReplicationRuleProperty:
    of_bucket = s3.CfnBucket
    return of_bucket.ReplicationRuleProperty(
        id=_RULE_ID,
        status="Enabled",
        priority=1,
        filter=of_bucket.ReplicationRuleFilterProperty(prefix=prefix),
        delete_marker_replication=of_bucket.DeleteMarkerReplicationProperty(status="Disabled"),
        destination=of_bucket.ReplicationDestinationProperty(
            bucket=destination.bucket_arn,
            encryption_configuration=None
            if destination.key_arn is None
            else of_bucket.EncryptionConfigurationProperty(replica_kms_key_id=destination.key_arn),
            # Without it S3 says nothing of what fails.
            metrics=of_bucket.MetricsProperty(status="Enabled"),
        ),
        # S3 wants both or neither of them.
        source_selection_criteria=None
        if destination.key_arn is None
        else of_bucket.SourceSelectionCriteriaProperty(
            sse_kms_encrypted_objects=of_bucket.SseKmsEncryptedObjectsProperty(status="Enabled")
        ),
    )
