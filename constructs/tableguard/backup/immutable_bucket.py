"""A bucket whose objects nobody can destroy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_kms as kms, aws_s3 as s3
from constructs import Construct

from tableguard.backup.cold_storage import ColdStorage
from tableguard.backup.protected_bucket import ProtectedBucket, roles_of
from tableguard.policy import InvalidInputError, Limits, Role
from tableguard.policy.backup import (
    Immutable,
    LockMode,
    ReplicationSource,
    Retention,
    RetentionBounds,
    SealedReference,
    destination_key_statement,
    reader_key_statements,
    reader_statements,
    source_statements,
)
from tableguard.policy.lists import listed
from tableguard.policy.metadata.backups import ImmutableClaim, SealedClaim
from tableguard.policy.tokens import is_unresolved

_MOST_DAYS = 36_600


class ImmutableBackupBucket(Construct):
    """A versioned bucket with Object Lock, and a policy that keeps the lock from being lifted or circumvented.

    What is locked is kept by S3 itself: in compliance mode against everybody, in governance mode against everybody
    without `s3:BypassGovernanceRetention`. The policy adds: nobody deletes versions or sets delete markers; nobody but
    the bypass_governance_roles lifts a governance lock or sets a legal hold; no lock is shorter or longer than the
    bounds, or of another mode; no object is written, or later put, under a key that is not the bucket's own; only
    deployments change settings. Bucket and policy stay when their stack is deleted.

    What it does not stop: the root user of the bucket's account replaces or deletes the policy, as S3 lets it always.
    Then a governance lock can be lifted by that account, and a compliance lock still not. `VaultGuardrail` keeps the
    root user from it, too. Whoever deletes the bucket's KMS key loses the content: leave the key out where the account
    is there for backups alone. docs/adr/0010 has the reasons.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        retention: Retention,
        bounds: RetentionBounds | None = None,
        bypass_governance_roles: Sequence[Role] = (),
        writers: Sequence[Role] | None = None,
        readers: Sequence[Role] | None = None,
        sources: Sequence[ReplicationSource] = (),
        write_once: bool = False,
        encryption_key: kms.IKey | None = None,
        cold_storage: ColdStorage | None = None,
        expire_after_days: int | None = None,
        access_logs: s3.IBucket | None = None,
        bucket_name: str | None = None,
        deployed_by: Sequence[Role] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make a bucket.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            retention: How long every object is locked that says nothing else.
            bounds: How long a request may lock an object for instead; the bucket's own retention and nothing else when
                left out.
            bypass_governance_roles: Break-glass roles of the bucket's account that may lift a governance lock, delete
                versions and set or lift legal holds. They may list versions and see how long they are locked; they read
                no content unless they are readers, too. Nobody when left out.
            writers: The only roles that may write objects; whoever other policies let when left out. It allows nobody.
            readers: The only roles that may read and list objects; whoever other policies let when left out. The policy
                lets those of other accounts, too.
            sources: Roles of other accounts that may replicate into it, each below its account's prefix and without
                tables. Mind that a replica keeps the source's retention: see `BucketReplication`.
            write_once: Whether an object can be written only where none of its key is.
            encryption_key: A KMS key of the bucket's account: whoever deletes it deletes every backup. S3's own keys
                when left out, which nobody can delete. Its policy lets readers of other accounts decrypt and sources
                encrypt through S3, objects of this bucket alone; where there are any, it has to be a key that is made
                in this app.
            cold_storage: When objects move to a cheaper class; never when left out.
            expire_after_days: When a version is deleted after its lock has ended, counted from its creation and, once
                there is a newer one, again from then: so whatever somebody writes over it, it never goes sooner.
                Nothing is ever deleted when left out.
            access_logs: A bucket that requests are logged in; none when left out.
            bucket_name: Its name; CloudFormation's choice when left out.
            deployed_by: Roles that may change its settings; the role that CloudFormation deploys the stack as when left
                out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: Bounds that leave out the retention, bypass_governance_roles in compliance mode, an
                expiry before the end of a lock, a source with tables, a key of another account, or nobody who could
                ever change the policy.
            PolicyTooLargeError: The policy is over its limit.
        """
        super().__init__(scope, construct_id)
        path = self.node.path
        if not isinstance(retention, Retention):
            raise InvalidInputError(f"the retention of {path}", value=retention, allowed="a Retention")
        bounds = RetentionBounds.around(retention) if bounds is None else bounds
        if not isinstance(bounds, RetentionBounds):
            raise InvalidInputError(f"the bounds of {path}", value=bounds, allowed="RetentionBounds(…)")
        bounds.check(retention, path)
        lifting = self._checked_bypass_governance_roles(retention, bypass_governance_roles)
        self._protected = ProtectedBucket(
            self,
            bucket_name=bucket_name,
            encryption_key=encryption_key,
            access_logs=access_logs,
            deployed_by=deployed_by,
            lifecycle_rules=[
                *_colder(path, cold_storage),
                *_expiring(path, expire_after_days, bounds, cold_storage),
            ],
            further={"object_lock_enabled": True},
        )
        self._protected.resource.object_lock_configuration = _default_lock(retention)
        self._attach(
            Immutable(
                bucket=self._protected.described,
                retention=retention,
                bounds=bounds,
                bypass_governance_roles=lifting,
                writers=None if writers is None else roles_of(self, "writers", writers),
                readers=None if readers is None else roles_of(self, "readers", readers),
                sources=[source.role for source in self._checked_sources(sources)],
                write_once=write_once,
            ),
            sources,
            limits,
        )
        self._open_key(encryption_key, None if readers is None else roles_of(self, "readers", readers), sources)

    @classmethod
    def for_testing(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str | None = None,
        access_logs: s3.IBucket | None = None,
    ) -> s3.Bucket:
        """A bucket with Object Lock that can be torn down: it locks nothing by itself, and it protects nothing.

        It goes with its stack once it is empty. What a test locks in it, it has to unlock and delete: lock in
        governance mode.

        Args:
            scope: The parent construct.
            construct_id: The construct's id.
            bucket_name: Its name; CloudFormation's choice when left out.
            access_logs: A bucket that requests are logged in.
        """
        holder = Construct(scope, construct_id)
        protected = ProtectedBucket(
            holder,
            bucket_name=bucket_name,
            encryption_key=None,
            access_logs=access_logs,
            deployed_by=None,
            lifecycle_rules=(),
            destroyed=True,
            further={"object_lock_enabled": True},
        )
        protected.attach((), (*protected.described.transport(), *protected.described.encryption()), None)
        return protected.bucket

    @property
    def bucket(self) -> s3.Bucket:
        """The bucket."""
        return self._protected.bucket

    @property
    def reference(self) -> SealedReference:
        """The bucket for those who replicate into it or restore from it, by literal values.

        Raises:
            InvalidInputError: Its name, or the account or region of its stack, is not known before the deployment.
        """
        stack = cdk.Stack.of(self)
        name = self._protected.bucket_name
        if name is None or is_unresolved(f"{stack.account}{stack.region}"):
            raise InvalidInputError(
                f"the reference of {self.node.path}",
                value=name,
                allowed="a bucket with a name of its own, in a stack with a literal account and region",
            )
        key_arn = self._protected.described.key_arn
        return SealedReference(account=stack.account, region=stack.region, bucket=name, key_arn=key_arn)

    @property
    def resource(self) -> s3.CfnBucket:
        """The bucket's resource."""
        return self._protected.resource

    def describe(self, what: SealedClaim) -> None:
        """Say in the template that it is the sealed bucket of a vault.

        Args:
            what: What is said of the vault.
        """
        self._protected.describe(self._said, what)

    def _open_key(
        self, key: kms.IKey | None, readers: Sequence[Role] | None, sources: Sequence[ReplicationSource]
    ) -> None:
        """Let readers of other accounts decrypt, and sources encrypt: named and not able to, they are no backup."""
        if key is None:
            return
        stack, described = cdk.Stack.of(self), self._protected.described
        statements = (
            *reader_key_statements(described, readers or (), owner=stack.account, region=stack.region),
            *(
                destination_key_statement(
                    role_arn=source.role.arn(described.partition),
                    account=source.account,
                    bucket_arn=described.arn,
                    region=stack.region,
                )
                for source in sources
            ),
        )
        if statements and self._protected.bucket_name is None:
            raise InvalidInputError(
                f"the bucket_name of {self.node.path}",
                value=None,
                allowed="a name that is written down, since the policy of its key names the bucket",
            )
        for statement in statements:
            added = key.add_to_resource_policy(iam.PolicyStatement.from_json(statement.to_json()), allow_no_op=True)
            if not added.statement_added:
                raise InvalidInputError(
                    f"the encryption_key of {self.node.path}",
                    value=key.key_arn,
                    allowed="a key that is made in this app, since readers and sources of other accounts have to stand "
                    "in its policy; or readers of the bucket's own account alone, and no sources",
                    fix="Pass the kms.Key itself, or leave the key out.",
                )

    def _attach(self, policy: Immutable, sources: Sequence[ReplicationSource], limits: Limits | None) -> None:
        self._protected.attach(
            (
                *source_statements(policy.bucket, sources),
                *reader_statements(policy.bucket, policy.readers or (), owner=cdk.Stack.of(self).account),
            ),
            policy.denials(),
            limits,
        )
        self._said = ImmutableClaim(
            mode=policy.retention.mode.value,
            days=policy.retention.at_least_days,
            at_least_days=policy.bounds.at_least,
            at_most_days=policy.bounds.at_most,
            bypass_governance_roles=tuple(role.arn(policy.bucket.partition) for role in policy.bypass_governance_roles),
        )
        self._protected.describe(self._said)

    def _checked_bypass_governance_roles(
        self, retention: Retention, bypass_governance_roles: Sequence[Role]
    ) -> tuple[Role, ...]:
        checked = roles_of(self, "bypass_governance_roles", bypass_governance_roles)
        account = cdk.Stack.of(self).account
        if checked and retention.mode is LockMode.COMPLIANCE:
            raise InvalidInputError(
                f"the bypass_governance_roles of {self.node.path}",
                value=[role.label for role in checked],
                allowed="none in compliance mode, which nobody can lift",
            )
        for role in checked:
            if role.account != account:
                raise InvalidInputError(
                    f"the bypass_governance_roles of {self.node.path}",
                    value=role.label,
                    allowed=f"roles of {account}, the bucket's account",
                )
        return checked

    def _checked_sources(self, sources: Sequence[ReplicationSource]) -> tuple[ReplicationSource, ...]:
        checked = sources_of(self.node.path, sources)
        for source in checked:
            if source.tables is not None:
                raise InvalidInputError(
                    f"a source of {self.node.path}",
                    value=list(source.tables),
                    allowed="no tables: a bucket that is replicated in one stage has keys of any kind, and nothing in "
                    "them that is sure to be a table's name",
                    fix="Leave tables out: the source writes below its account's prefix. SealedVault holds a source to "
                    "its tables.",
                )
        return checked


def sources_of(path: str, values: Any) -> tuple[ReplicationSource, ...]:
    """Check an argument that is a list of sources.

    Args:
        path: The construct that was given it.
        values: The list; it may be empty.

    Raises:
        InvalidInputError: It is no list, something in it is no ReplicationSource, or one role stands in it twice.
    """
    sources = []
    for source in listed(f"the sources of {path}", values):
        if not isinstance(source, ReplicationSource):
            raise InvalidInputError(f"a source of {path}", value=source, allowed="ReplicationSource(…)")
        sources.append(source)
    roles = [source.role for source in sources]
    if len(set(roles)) < len(roles):
        raise InvalidInputError(
            f"the sources of {path}",
            value=[role.label for role in roles],
            allowed="each role once, with all its tables",
        )
    return tuple(sources)


def _default_lock(retention: Retention) -> s3.CfnBucket.ObjectLockConfigurationProperty:
    return s3.CfnBucket.ObjectLockConfigurationProperty(
        object_lock_enabled="Enabled",
        rule=s3.CfnBucket.ObjectLockRuleProperty(
            default_retention=s3.CfnBucket.DefaultRetentionProperty(
                mode=retention.mode.value, days=retention.days, years=retention.years
            )
        ),
    )


def _colder(path: str, cold: ColdStorage | None) -> list[s3.LifecycleRule]:
    if cold is None:
        return []
    if not isinstance(cold, ColdStorage):
        raise InvalidInputError(f"the cold storage of {path}", value=cold, allowed="ColdStorage.instant_retrieval(…)")
    storage_class = s3.StorageClass(cold.storage_class)
    after = cdk.Duration.days(cold.after_days)
    return [
        s3.LifecycleRule(
            id="Colder",
            transitions=[s3.Transition(storage_class=storage_class, transition_after=after)],
            noncurrent_version_transitions=[
                s3.NoncurrentVersionTransition(storage_class=storage_class, transition_after=after)
            ],
        )
    ]


def _expiring(
    path: str, after_days: int | None, bounds: RetentionBounds, cold: ColdStorage | None
) -> list[s3.LifecycleRule]:
    if after_days is None:
        return []
    least = max(bounds.at_most, 0 if cold is None else cold.after_days + 1)
    if type(after_days) is not int or not least <= after_days <= _MOST_DAYS:
        raise InvalidInputError(
            f"expire_after_days of {path}",
            value=after_days,
            allowed=f"{least} to {_MOST_DAYS:,} days: no less than the longest lock, and later than the colder class",
        )
    after = cdk.Duration.days(after_days)
    return [
        # Both count the same days: a good version that somebody wrote over at once lives as long as any.
        s3.LifecycleRule(id="Expire", expiration=after, noncurrent_version_expiration=after),
        s3.LifecycleRule(id="RemoveLoneMarkers", expired_object_delete_marker=True),
    ]
