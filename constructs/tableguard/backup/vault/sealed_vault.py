"""A vault that a taken-over source can neither empty nor poison."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_s3 as s3, aws_sns as sns, aws_stepfunctions as sfn
from constructs import Construct

from tableguard.backup.alarms import tell
from tableguard.backup.cold_storage import ColdStorage
from tableguard.backup.immutable_bucket import ImmutableBackupBucket
from tableguard.backup.protected_bucket import partition_in, roles_of
from tableguard.backup.vault.alarms import SealingAlarms
from tableguard.backup.vault.checks import (
    check_buckets,
    check_cold_storage,
    check_home,
    check_quota,
    check_role_name,
    check_sweep,
    checked_sources,
)
from tableguard.backup.vault.intake_bucket import IntakeBucket
from tableguard.backup.vault.sealing import Sealers
from tableguard.policy import Limits, Role
from tableguard.policy.backup import (
    ReplicationSource,
    Retention,
    RetentionBounds,
    SealedReference,
    SourceQuota,
    VaultReference,
)
from tableguard.policy.metadata.backups import QuotaClaim, SealedClaim, SourceClaim


class SealedVault(Construct):
    """Keeps exports of tables of other accounts in a locked bucket of an account of its own.

    Sources replicate into an intake bucket. A role of the vault checks each complete export against its checksums and
    copies it once into the sealed bucket, under the vault's own retention. It then writes an entry of the catalogue:
    keys, versions, SHA-256, counts and a digest of the items. Restores read the catalogue. No principal of a source's
    account has any permission on the sealed bucket, unless you name it as a reader. (With plain replication, a source
    decides how long its replicas are locked, and can write any number of new versions.)

    A source that is taken over can write anything below its own prefix of the intake. The first version of a manifest
    counts, with the files that match it, and a quota limits what is sealed in a day. Alarms report an intake that grows
    faster, refused exports, a source of which nothing was sealed for a while, and a missing window.

    Names are literal, so that both sides can be deployed separately: pass `reference` to the sources' apps, and
    `sealed_reference` to those who restore. Attach `VaultGuardrail` to the account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: Sequence[ReplicationSource],
        retention: Retention,
        quota: SourceQuota,
        intake_bucket_name: str,
        sealed_bucket_name: str,
        bounds: RetentionBounds | None = None,
        readers: Sequence[Role] = (),
        bypass_governance_roles: Sequence[Role] = (),
        sealing_role_name: str = "tableguard-sealing",
        intake_days: int = 14,
        cold_storage: ColdStorage | None = None,
        expire_after_days: int | None = None,
        sweep_every: cdk.Duration | None = None,
        alarm_after: cdk.Duration | None = None,
        alarms_topic: sns.ITopic | None = None,
        access_logs: s3.IBucket | None = None,
        deployed_by: Sequence[Role] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make a vault.

        Args:
            scope: The parent construct, in a stack with a literal account and region.
            construct_id: The construct's id, unique below its parent.
            sources: The roles that replicate into the intake, of other accounts than the vault's.
            retention: How long a sealed file is locked. A chain of exports can be restored as long as its full export
                is there: no shorter than the time between two full exports, plus the time that damage may go unnoticed.
            quota: How much of one source account is sealed in 24 hours.
            intake_bucket_name: The intake's name.
            sealed_bucket_name: The sealed bucket's name, at most 63 characters; the machines are named after it.
            bounds: How long the sealing may lock for instead; the retention and nothing else when left out.
            readers: Roles that restore; of this account, or of another where backups are to be restored there.
            bypass_governance_roles: Break-glass roles of this account that may lift a governance lock.
            sealing_role_name: The name of the role that seals, up to 56 characters. The other roles of the sealing and
                its functions are named after it, so that `VaultGuardrail` knows them.
            intake_days: Days that an object stays in the intake; 2 to 365.
            cold_storage: When sealed files move to a cheaper class that can be read at once; never when left out.
            expire_after_days: When sealed files are deleted; never when left out.
            sweep_every: How often it looks for exports that no event told of; 15 minutes to a day, an hour when left
                out.
            alarm_after: How long nothing may be sealed of a source until an alarm rings, in whole hours up to 7 days;
                26 hours when left out.
            alarms_topic: Who hears the alarms; nobody when left out.
            access_logs: A bucket of this account that requests are logged in; none when left out.
            deployed_by: Roles that may change the buckets' settings; the role that CloudFormation deploys the stack as
                when left out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: A stack without account and region, a source of the vault's own account, one bucket for
                both, a storage class that has to be fetched, a name that is too long, or a duration out of range.
            PolicyTooLargeError: A policy is over its limit.
        """
        super().__init__(scope, construct_id)
        sweep_every = cdk.Duration.hours(1) if sweep_every is None else sweep_every
        alarm_after = cdk.Duration.hours(26) if alarm_after is None else alarm_after
        check_home(self)
        sources = checked_sources(self, sources)
        check_quota(self, quota)
        check_buckets(self, intake=intake_bucket_name, sealed=sealed_bucket_name)
        check_cold_storage(self, cold_storage)
        check_sweep(self, sweep_every)
        readers = roles_of(self, "readers", readers)
        check_role_name(self, sealing_role_name)
        stack = cdk.Stack.of(self)
        role = self._sealing_role = Role(account=stack.account, name=sealing_role_name)
        self._reference = VaultReference(account=stack.account, region=stack.region, intake_bucket=intake_bucket_name)
        self._sealed_reference = SealedReference(account=stack.account, region=stack.region, bucket=sealed_bucket_name)
        self._intake = IntakeBucket(
            self,
            "Intake",
            bucket_name=intake_bucket_name,
            sources=sources,
            reader=role,
            keep_days=intake_days,
            access_logs=access_logs,
            deployed_by=deployed_by,
            limits=limits,
        )
        self._sealed = ImmutableBackupBucket(
            self,
            "Sealed",
            retention=retention,
            bounds=bounds,
            bypass_governance_roles=bypass_governance_roles,
            writers=[role],
            readers=[*readers, role],
            write_once=True,
            cold_storage=cold_storage,
            expire_after_days=expire_after_days,
            access_logs=access_logs,
            bucket_name=sealed_bucket_name,
            deployed_by=deployed_by,
            limits=limits,
        )
        self._sealers = Sealers(
            self,
            "Sealing",
            role=role,
            intake_arn=self._reference.intake_arn,
            intake_name=intake_bucket_name,
            sealed_arn=self._sealed_reference.bucket_arn,
            sealed_name=sealed_bucket_name,
            retention=retention,
            quota=quota,
            sweep_every=sweep_every,
            access_logs=access_logs,
        )
        self._alarms = SealingAlarms(
            self,
            "Alarms",
            sources=sources,
            quota=quota,
            intake_name=intake_bucket_name,
            sealed_name=sealed_bucket_name,
            machines=[self._sealers.machine.arn, self._sealers.sweeper.arn],
            alarm_after=alarm_after,
        )
        tell(alarms_topic, *self._alarms.alarms)
        self._sealed.describe(
            SealedClaim(
                intake=intake_bucket_name,
                sources=tuple(map(_claim, sources)),
                mode=retention.mode.value,
                days=retention.at_least_days,
                quota=QuotaClaim(bytes_per_day=quota.bytes_per_day, exports_per_day=quota.exports_per_day),
                readers=tuple(reader.arn(partition_in(stack)) for reader in readers),
                alarm_after_minutes=int(alarm_after.to_minutes()),
            )
        )

    @property
    def intake(self) -> IntakeBucket:
        """Where backups arrive."""
        return self._intake

    @property
    def sealed(self) -> ImmutableBackupBucket:
        """Where they are kept."""
        return self._sealed

    @property
    def machine(self) -> sfn.StateMachine:
        """The state machine that seals."""
        return self._sealers.machine.machine

    @property
    def sweeper(self) -> sfn.StateMachine:
        """The state machine that looks for what is not sealed."""
        return self._sealers.sweeper.machine

    @property
    def sealing_role(self) -> Role:
        """The role that seals, for `VaultGuardrail`."""
        return self._sealing_role

    @property
    def alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        """All alarms."""
        return self._alarms.alarms

    @property
    def reference(self) -> VaultReference:
        """The vault for the accounts that send backups."""
        return self._reference

    @property
    def sealed_reference(self) -> SealedReference:
        """The vault for those who restore."""
        return self._sealed_reference


def _claim(source: ReplicationSource) -> SourceClaim:
    tables = None if source.tables is None else tuple(source.tables)
    return SourceClaim(account=source.account, role=source.role_name, tables=tables)
