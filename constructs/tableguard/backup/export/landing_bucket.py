"""The bucket that exports of tables are written to, in the tables' own account."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_iam as iam, aws_s3 as s3, aws_sns as sns
from constructs import Construct

from tableguard.backup.export.replication_alarm import replication_alarm
from tableguard.backup.protected_bucket import ProtectedBucket, partition_in, roles_of
from tableguard.policy import InvalidInputError, Limits, Role, document, names
from tableguard.policy.backup import VaultReference, replication_role_statements
from tableguard.policy.backup.landing import Landing
from tableguard.policy.metadata.backups import IntakeClaim, LandingClaim
from tableguard.policy.tokens import is_unresolved

_LEAST_DAYS = 3
_MOST_DAYS = 365
_RULE = "ToVault"


class LandingBucket(Construct):
    """A versioned bucket for exports on their way to a vault: unlocked, private, and emptied by and by.

    It is unlocked because nobody has shown that DynamoDB can export into a bucket with default retention. It protects
    nothing for long: whoever takes the account over can open it. What he cannot do is to reach what the vault has
    sealed. Until then its policy lets the roles of `TableExport` write, the replication role read, and nobody delete.

    S3 replicates every object into the vault's intake as one named role, which the vault trusts and which can do
    nothing else. S3 checks the intake when replication is set up: deploy the vault first. Neither delete markers nor
    deletions are replicated. The role reads no retention and no legal hold, since nothing here has any. S3 gives up on
    an object that fails to replicate, and then a window is missing from the vault: `alarm` rings.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        vault: VaultReference | None,
        replication_role_name: str | None,
        keep_days: int = 14,
        alarms_topic: sns.ITopic | None = None,
        readers: Sequence[Role] = (),
        access_logs: s3.IBucket | None = None,
        deployed_by: Sequence[Role] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make a landing bucket.

        Args:
            scope: The parent construct, in a stack of the tables' account and region.
            construct_id: The construct's id, unique below its parent.
            bucket_name: Its name, written down.
            vault: Where exports are replicated to; None: nowhere, and then whoever reads them has to be in `readers`.
            replication_role_name: The name of the role that replicates, as the vault's `ReplicationSource` names it;
                None without a vault.
            keep_days: Days that an export stays, and as many again as a noncurrent version; 3 to 365. It has to be more
                than replication and sealing ever take, repairs of a failing vault included.
            alarms_topic: Who hears of objects that fail to replicate; nobody when left out.
            readers: Further roles that may read objects.
            access_logs: A bucket that requests are logged in; none when left out.
            deployed_by: Roles that may change its settings; the role that CloudFormation deploys the stack as when left
                out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: A malformed name, days out of range, a vault without a role or a role without a vault, or
                a vault in the account of the tables.
            PolicyTooLargeError: The policy is over its limit.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._check(stack, bucket_name, keep_days)
        role = self._replicator(stack, vault, replication_role_name)
        self._protected = ProtectedBucket(
            self,
            bucket_name=bucket_name,
            encryption_key=None,
            access_logs=access_logs,
            deployed_by=deployed_by,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ExpireExports",
                    expiration=cdk.Duration.days(keep_days),
                    noncurrent_version_expiration=cdk.Duration.days(keep_days),
                ),
                s3.LifecycleRule(id="ExpireDeleteMarkers", expired_object_delete_marker=True),
            ],
        )
        self._landing = Landing(
            bucket=self._protected.described,
            readers=(*([] if role is None else [role]), *roles_of(self, "readers", readers)),
        )
        self._protected.attach((), self._landing.denials(), limits)
        self._exporters: list[str] = []
        self._of_exporters = {
            denial: iam.PolicyStatement.from_json(denial(()).to_json(principal="*"))
            for denial in (self._landing.only_exports_write, self._landing.unclassified)
        }
        for statement in self._of_exporters.values():
            self._protected.bucket.add_to_resource_policy(statement)
        self._vault = vault
        self._alarm: cloudwatch.Alarm | None = None
        if vault is not None and role is not None:
            self._replicate(stack, vault, role)
            self._alarm = replication_alarm(
                self, source=bucket_name, destination=vault.intake_bucket, rule_id=_RULE, topic=alarms_topic
            )
        self._protected.describe(
            LandingClaim(
                vault=None
                if vault is None
                else IntakeClaim(account=vault.account, region=vault.region, intake=vault.intake_bucket),
                role=replication_role_name,
                expires_after_days=keep_days,
            )
        )

    @property
    def bucket(self) -> s3.Bucket:
        """The bucket."""
        return self._protected.bucket

    @property
    def bucket_name(self) -> str:
        """Its name, as it was written down."""
        return self._protected.described.arn.rpartition(":")[2]

    @property
    def bucket_arn(self) -> str:
        """Its ARN, which needs no reference to this stack."""
        return self._protected.described.arn

    @property
    def vault(self) -> VaultReference | None:
        """Where exports are replicated to; None: nowhere."""
        return self._vault

    @property
    def alarm(self) -> cloudwatch.Alarm | None:
        """Rings when an object fails to replicate; None without a vault."""
        return self._alarm

    def admit(self, exporter: iam.IRole | Role) -> None:
        """Let a role write exports. What it may write, and below which keys, its own policy says.

        `TableExport` calls it for its role.

        Args:
            exporter: The role, of the bucket's account. A `Role` is written down, so the role may be made in a stack
                that is deployed after this one.
        """
        partition = partition_in(cdk.Stack.of(self))
        self._exporters.append(exporter.arn(partition) if isinstance(exporter, Role) else exporter.role_arn)
        for denial, statement in self._of_exporters.items():
            for operator, keys in denial(self._exporters).to_json(principal="*")["Condition"].items():
                statement.add_condition(operator, keys)

    def _check(self, stack: cdk.Stack, bucket_name: str, keep_days: int) -> None:
        names.bucket_name(f"the bucket name of {self.node.path}", bucket_name)
        if is_unresolved(bucket_name):
            raise InvalidInputError(
                f"the bucket name of {self.node.path}",
                value="a name that is known only at deployment",
                allowed="a name that is written down, since policies of other stacks name it",
            )
        if type(keep_days) is not int or not _LEAST_DAYS <= keep_days <= _MOST_DAYS:
            raise InvalidInputError(
                f"keep_days of {self.node.path}", value=keep_days, allowed=f"{_LEAST_DAYS} to {_MOST_DAYS} days"
            )

    def _replicator(self, stack: cdk.Stack, vault: VaultReference | None, name: str | None) -> Role | None:
        what = f"the vault of {self.node.path}"
        if (vault is None) is not (name is None):
            raise InvalidInputError(
                what,
                value={"vault": vault, "replication_role_name": name},
                allowed="a vault together with the name of the role that replicates to it, or neither",
            )
        if vault is None or name is None:
            return None
        if not isinstance(vault, VaultReference):
            raise InvalidInputError(what, value=vault, allowed="a VaultReference, or None")
        if vault.account == stack.account:
            raise InvalidInputError(
                what,
                value=vault.account,
                allowed="a vault in another account: whoever takes this one over would have both",
            )
        return Role(account=stack.account, name=name)

    def _replicate(self, stack: cdk.Stack, vault: VaultReference, role: Role) -> None:
        replicator = iam.Role(
            self,
            "Replication",
            role_name=role.name,
            # S3 says in no documented condition for which bucket it assumes the role.
            assumed_by=iam.ServicePrincipal("s3.amazonaws.com"),
            description=f"Replicates exports into the vault of {vault.account}",
        )
        statements = replication_role_statements(
            source_bucket_arn=self.bucket_arn,
            destination_bucket_arn=f"arn:{partition_in(stack)}:s3:::{vault.intake_bucket}",
            source_region=stack.region,
            destination_region=vault.region,
            prefixes=(f"{stack.account}/",),
            locked=False,
            destination_key_arn=vault.intake_key_arn,
        )
        policy = iam.Policy(
            self,
            "ReplicationPolicy",
            document=iam.PolicyDocument.from_json(document(statements)),
            roles=[replicator],
        )
        key = vault.intake_key_arn
        self._protected.resource.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=replicator.role_arn,
            rules=[
                s3.CfnBucket.ReplicationRuleProperty(
                    id=_RULE,
                    status="Enabled",
                    priority=1,
                    filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
                    delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Disabled"),
                    destination=s3.CfnBucket.ReplicationDestinationProperty(
                        bucket=f"arn:{partition_in(stack)}:s3:::{vault.intake_bucket}",
                        metrics=s3.CfnBucket.MetricsProperty(status="Enabled"),
                        encryption_configuration=None
                        if key is None
                        else s3.CfnBucket.EncryptionConfigurationProperty(replica_kms_key_id=key),
                    ),
                    # S3 wants both or neither of them.
                    source_selection_criteria=None
                    if key is None
                    else s3.CfnBucket.SourceSelectionCriteriaProperty(
                        sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
                    ),
                )
            ],
        )
        self._protected.resource.node.add_dependency(policy)
