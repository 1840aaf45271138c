"""What the templates of an assembly say of backups, resource by resource: what is read, before anything is concluded.

Properties decide. Metadata stands here only where no property tells, and as a claim to be compared with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tableguard.evaluation import Document, DocumentLocation
from tableguard.policy.metadata.backups import SealedClaim

COMPLIANCE: Final = "COMPLIANCE"
GOVERNANCE: Final = "GOVERNANCE"
NO_LOCK: Final = "NONE"
UNKNOWN_KEY: Final = "a key that is not known"
"""What stands for a customer-managed key that no template tells: imported, a parameter, or an alias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLockFacts:
    """How long something cannot be deleted.

    Args:
        mode: "COMPLIANCE" (by nobody), "GOVERNANCE" (but by those who may bypass it) or "NONE".
        days: For how many days; None where the template does not tell.
        grace_days: How many days after its making the lock itself can still be taken off; 0 where it never can.
    """

    mode: str
    days: int | None
    grace_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """A rule by which S3 copies objects into another bucket.

    Args:
        bucket: The name of the destination.
        role: The ARN of the role that S3 works as; None where that is not known.
        prefix: What the keys of the copied objects begin with.
        account: The destination's account, where the rule says it.
    """

    bucket: str
    role: str | None
    prefix: str = ""
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketFacts:
    """An S3 bucket.

    Args:
        name: Its name, or a placeholder.
        account: Its account.
        region: Its region.
        lock: Its default retention.
        claimed_lock: The retention that its metadata claims; None where it claims none.
        replications: The enabled rules by which it is copied.
        expires_days: After how many days objects of any name expire; None where none do.
        key: The customer-managed key that it is encrypted with by default, or `UNKNOWN_KEY`; None for a key of AWS.
        policy: Its policy.
        landing_vault: The vault that its metadata claims to be replicated into, as account and intake bucket.
        sealed: What its metadata claims of a vault; None where it claims none.
        place: The bucket in its template.
    """

    name: str
    account: str
    region: str
    lock: VaultLockFacts
    claimed_lock: VaultLockFacts | None = None
    replications: tuple[Replication, ...] = ()
    expires_days: int | None = None
    key: str | None = None
    policy: Document | None = None
    landing_vault: tuple[str, str] | None = None
    sealed: SealedClaim | None = None
    place: DocumentLocation = field(default_factory=DocumentLocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A state machine that makes, restores or checks backups.

    Args:
        account: Its account.
        region: Its region.
        tables: The ARNs of the tables that it is about; a pattern where names may differ.
        unknown_tables: Whether it is about other tables as well, known at deployment only.
        starts: For each schedule that starts it: its expression, and the input it gives.
        place: The machine in its template.
    """

    account: str
    region: str
    tables: tuple[str, ...]
    unknown_tables: bool = False
    starts: tuple[tuple[str, str], ...] = ()
    place: DocumentLocation = field(default_factory=DocumentLocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Machine):
    """A machine that exports tables.

    Args:
        every_minutes: How long a window is.
        full_every_minutes: How often a full export begins a new chain.
        alarm_after_minutes: After how long without a complete export somebody is told.
        landing: The name of the bucket that it exports to.
    """

    every_minutes: int | None = None
    full_every_minutes: int | None = None
    alarm_after_minutes: int | None = None
    landing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(Machine):
    """A machine that restores a table.

    Args:
        sealed: The name of the sealed bucket that it restores from; None for point-in-time recovery.
        targets: The names of the tables that it makes, or patterns of them.
    """

    sealed: str | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill(Machine):
    """A machine that tries a restore out.

    Args:
        schedule: When, as the metadata claims.
        canary: Whether it looks for an item that was written independently of the backup.
        sealed_by: Up to when what was sealed is looked at, a moment; None where everything is.
        alarm_after_minutes: After how long without a good drill somebody is told.
    """

    schedule: str | None = None
    canary: bool = False
    sealed_by: str | None = None
    alarm_after_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemand(Machine):
    """A machine that makes on-demand backups.

    Args:
        schedule: When, as the metadata claims.
        keep_days: For how many days it keeps them.
        alarm_after_minutes: After how long without a backup somebody is told.
    """

    schedule: str | None = None
    keep_days: int | None = None
    alarm_after_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupVault:
    """A vault of AWS Backup.

    Args:
        arn: Its ARN.
        account: Its account.
        lock: Its lock.
        air_gapped: Whether AWS keeps it logically air-gapped.
        approval: Whether a team may open it to others by multi-party approval.
        key: The customer-managed key of its backups, or `UNKNOWN_KEY`; None for a key of AWS.
        claimed_lock: The lock that its metadata claims; None where it claims none.
        place: The vault in its template.
    """

    arn: str
    account: str
    lock: VaultLockFacts
    air_gapped: bool = False
    approval: bool = False
    key: str | None = None
    claimed_lock: VaultLockFacts | None = None
    place: DocumentLocation = field(default_factory=DocumentLocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of each backup of a rule.

    Args:
        vault: The ARN of the vault that it goes to.
        keep_days: For how many days it is kept; None for good.
    """

    vault: str
    keep_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """A rule of a backup plan.

    Args:
        schedule: When; None where it does not say, which is once a day.
        start_minutes: How long after that AWS Backup may begin.
        vault: The ARN of the vault that backups go to; None where that is not known.
        keep_days: For how many days they are kept; None for good.
        copies: Their copies.
    """

    schedule: str | None
    start_minutes: int
    vault: str | None
    keep_days: int | None
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A backup plan of AWS Backup, with what it is told to back up.

    Args:
        account: Its account.
        region: Its region.
        rules: Its rules.
        tables: Patterns of the ARNs of what it backs up.
        leaves_out: Patterns of ARNs that it does not.
        by_tags: Whether tags or conditions choose as well, of which a template does not tell all.
        alarm_after_minutes: After how long without a backup or a copy somebody is told, as the metadata claims.
        place: The plan in its template.
    """

    account: str
    region: str
    rules: tuple[PlanRule, ...]
    tables: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    by_tags: bool = False
    alarm_after_minutes: int | None = None
    place: DocumentLocation = field(default_factory=DocumentLocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTest:
    """A restore testing plan of AWS Backup for some tables.

    Args:
        account: Its account.
        tables: Patterns of the ARNs of the tables.
        schedule: When.
    """

    account: str
    tables: tuple[str, ...]
    schedule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFacts:
    """All of it.

    Args:
        buckets: The S3 buckets.
        exports: What exports tables.
        restores: What restores them.
        drills: What tries restores out.
        on_demand: What makes on-demand backups.
        plans: The plans of AWS Backup.
        vaults: The vaults of AWS Backup.
        restore_tests: Its restore tests.
        unread: What might keep backups, or restore them, and whose metadata cannot be read: where each stands.
    """

    buckets: tuple[BucketFacts, ...] = ()
    exports: tuple[Export, ...] = ()
    restores: tuple[Restore, ...] = ()
    drills: tuple[Drill, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()
    plans: tuple[Plan, ...] = ()
    vaults: tuple[BackupVault, ...] = ()
    restore_tests: tuple[RestoreTest, ...] = ()
    unread: tuple[DocumentLocation, ...] = ()

    def bucket(self, name: str | None) -> BucketFacts | None:
        """The bucket of a name; None where no template makes it.

        Args:
            name: Its name.
        """
        return next((each for each in self.buckets if each.name == name), None)

    def vault(self, arn: str | None) -> BackupVault | None:
        """The vault of AWS Backup of an ARN; None where no template makes it.

        Args:
            arn: Its ARN.
        """
        return next((each for each in self.vaults if each.arn == arn), None)

    @property
    def are_any(self) -> bool:
        """Whether any template says anything of backups that outlive a table, or of restores."""
        return bool(
            self.exports
            or self.restores
            or self.drills
            or self.on_demand
            or self.plans
            or any(each.sealed is not None for each in self.buckets)
        )
