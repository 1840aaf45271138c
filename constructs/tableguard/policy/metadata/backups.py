"""What metadata says of what keeps backups. Each class here is both what is written and what is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol, Self

from tableguard.policy.documents import Json
from tableguard.policy.metadata.source import Source

_READ_ONLY: Final = MappingProxyType({"read only": True})
"""Marks what only a reader knows: whether something could not be read before deployment."""


class BackupClaim(Protocol):
    """What metadata says of one thing that keeps backups."""

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says.

        Args:
            source: What it says.

        Raises:
            MalformedMetadataError: It is not what `backup_json` writes.
        """


def backup_json(claim: object) -> Json:
    """A claim about backups as metadata says it: what is None is left out.

    Args:
        claim: One of the classes of this module.
    """
    fields = [each for each in dataclasses.fields(claim) if each.metadata != _READ_ONLY]  # type: ignore[arg-type]
    found = {each.name: getattr(claim, each.name) for each in fields}
    return {name: _written(value) for name, value in found.items() if value is not None}


def _written(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return backup_json(value)
    return [_written(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmutableClaim:
    """A bucket whose objects are locked.

    Args:
        mode: The mode of the lock.
        days: For how many days, where whoever writes says nothing else.
        at_least_days: The least that its policy lets somebody ask for.
        at_most_days: The most.
        bypass_governance_roles: The ARNs of the roles that may lift a lock in governance mode.
    """

    mode: str | None
    days: int | None
    at_least_days: int | None = None
    at_most_days: int | None = None
    bypass_governance_roles: tuple[str, ...] = ()

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(
            mode=source.text("mode"),
            days=source.whole("days"),
            at_least_days=source.whole("at_least_days"),
            at_most_days=source.whole("at_most_days"),
            bypass_governance_roles=source.texts("bypass_governance_roles")[0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceClaim:
    """An account from which a vault says that it takes exports.

    Args:
        account: The account; None where only the deployment knows it.
        role: The name of the role that replicates; None likewise.
        tables: The names of its tables; None for all of them.
    """

    account: str | None
    role: str | None
    tables: tuple[str, ...] | None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        every = source.json.get("tables") is None
        return cls(
            account=source.text("account"),
            role=source.text("role"),
            tables=None if every else source.texts("tables")[0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaClaim:
    """What a vault seals of a source in a day at most.

    Args:
        bytes_per_day: So many bytes.
        exports_per_day: So many exports.
    """

    bytes_per_day: int | None
    exports_per_day: int | None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(bytes_per_day=source.whole("bytes_per_day"), exports_per_day=source.whole("exports_per_day"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedClaim:
    """The sealed bucket of a vault.

    Args:
        intake: The name of the vault's intake bucket; None where only the deployment knows it.
        sources: From whom the vault takes exports.
        mode: The mode of the lock.
        days: For how many days what is sealed is locked.
        quota: What is sealed in a day at most; None where it does not say.
        readers: The ARNs of the roles that may read what is sealed.
        alarm_after_minutes: After how long without an export somebody is told.
    """

    intake: str | None
    sources: tuple[SourceClaim, ...]
    mode: str | None = None
    days: int | None = None
    quota: QuotaClaim | None = None
    readers: tuple[str, ...] = ()
    alarm_after_minutes: int | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        quota = source.optional("quota")
        return cls(
            intake=source.text("intake"),
            sources=tuple(map(SourceClaim.read, source.objects("sources"))),
            mode=source.text("mode"),
            days=source.whole("days"),
            quota=None if quota is None else QuotaClaim.read(quota),
            readers=source.texts("readers")[0],
            alarm_after_minutes=source.whole("alarm_after_minutes"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeClaim:
    """The vault that a landing bucket is replicated into.

    Args:
        account: Its account; None where only the deployment knows it.
        intake: The name of its intake bucket; None likewise.
        region: Its region.
    """

    account: str | None
    intake: str | None
    region: str | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(account=source.text("account"), intake=source.text("intake"), region=source.text("region"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingClaim:
    """A bucket that DynamoDB exports to.

    Args:
        vault: The vault that it is replicated into; None for none.
        role: The name of the role that replicates.
        expires_after_days: After how many days exports are deleted there.
    """

    vault: IntakeClaim | None
    role: str | None = None
    expires_after_days: int | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        vault = source.optional("vault")
        return cls(
            vault=None if vault is None else IntakeClaim.read(vault),
            role=source.text("role"),
            expires_after_days=source.whole("expires_after_days"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportClaim:
    """A machine that exports tables.

    Args:
        tables: The ARNs of the tables.
        unknown_tables: Whether it exports others as well, which only the deployment knows.
        every_minutes: How long a window is.
        full_every_minutes: How often a full export begins a new chain.
        alarm_after_minutes: After how long without a complete export somebody is told.
        landing: The name of the bucket that it exports to.
    """

    tables: tuple[str, ...]
    unknown_tables: bool = field(default=False, metadata=_READ_ONLY)
    every_minutes: int | None = None
    full_every_minutes: int | None = None
    alarm_after_minutes: int | None = None
    landing: str | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        tables, more = source.texts("tables")
        return cls(
            tables=tables,
            unknown_tables=more,
            every_minutes=source.whole("every_minutes"),
            full_every_minutes=source.whole("full_every_minutes"),
            alarm_after_minutes=source.whole("alarm_after_minutes"),
            landing=source.text("landing"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketClaim:
    """A sealed bucket that a restore takes exports from.

    Args:
        account: Its account.
        region: Its region.
        bucket: Its name; None where only the deployment knows it.
    """

    account: str | None
    region: str | None
    bucket: str | None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(account=source.text("account"), region=source.text("region"), bucket=source.text("bucket"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreClaim:
    """A machine that restores a table.

    Args:
        source: The ARN of the table whose items it restores; None where only the deployment knows it.
        sealed: The sealed bucket that it takes them from; None for point-in-time recovery.
        targets: The names of the tables that it makes, or patterns of them.
    """

    source: str | None
    sealed: BucketClaim | None
    targets: tuple[str, ...]

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        sealed = source.optional("sealed")
        return cls(
            source=source.text("source"),
            sealed=None if sealed is None else BucketClaim.read(sealed),
            targets=source.texts("targets")[0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableClaim:
    """A table by its parts; None for what only the deployment knows.

    Args:
        account: Its account.
        region: Its region.
        table: Its name.
    """

    account: str | None
    region: str | None
    table: str | None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(account=source.text("account"), region=source.text("region"), table=source.text("table"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillClaim:
    """A machine that tries a restore out.

    Args:
        source: The table whose backup it tries.
        schedule: When, as a schedule expression.
        canary: Whether it looks for an item that was written independently of the backup.
        largest_fall: By which part the number of items may fall between two drills.
        oldest_minutes: How long ago the backup may have ended.
        sealed_by: Up to when what was sealed is looked at, a moment; None where everything is.
        alarm_after_minutes: After how long without a good drill somebody is told.
    """

    source: TableClaim
    schedule: str | None = None
    canary: bool = False
    largest_fall: float | None = None
    oldest_minutes: int | None = None
    sealed_by: str | None = None
    alarm_after_minutes: int | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(
            source=TableClaim.read(source.object("source")),
            schedule=source.text("schedule"),
            canary=source.flag("canary"),
            largest_fall=source.number("largest_fall"),
            oldest_minutes=source.whole("oldest_minutes"),
            sealed_by=source.text("sealed_by"),
            alarm_after_minutes=source.whole("alarm_after_minutes"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandClaim:
    """A machine that makes on-demand backups.

    Args:
        tables: The ARNs of the tables.
        unknown_tables: Whether it backs up others as well, which only the deployment knows.
        schedule: When, as a schedule expression.
        keep_days: For how many days it keeps them.
        keep_at_least: How many it always keeps.
        alarm_after_minutes: After how long without a backup somebody is told.
    """

    tables: tuple[str, ...]
    unknown_tables: bool = field(default=False, metadata=_READ_ONLY)
    schedule: str | None = None
    keep_days: int | None = None
    keep_at_least: int | None = None
    alarm_after_minutes: int | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        tables, more = source.texts("tables")
        return cls(
            tables=tables,
            unknown_tables=more,
            schedule=source.text("schedule"),
            keep_days=source.whole("keep_days"),
            keep_at_least=source.whole("keep_at_least"),
            alarm_after_minutes=source.whole("alarm_after_minutes"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyClaim:
    """A copy of each backup of a rule.

    Args:
        vault_arn: The ARN of the vault that it goes to.
        account: The vault's account.
        keep_days: For how many days it is kept; None for good.
    """

    vault_arn: str | None
    account: str | None
    keep_days: int | None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(
            vault_arn=source.text("vault_arn"), account=source.text("account"), keep_days=source.whole("keep_days")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleClaim:
    """A rule of a plan of AWS Backup.

    Args:
        schedule: When, as a schedule expression.
        keep_days: For how many days backups are kept; None for good.
        vault: The name of the vault that they go to.
        copies: Their copies.
    """

    schedule: str | None
    keep_days: int | None
    vault: str | None
    copies: tuple[CopyClaim, ...]

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(
            schedule=source.text("schedule"),
            keep_days=source.whole("keep_days"),
            vault=source.text("vault"),
            copies=tuple(map(CopyClaim.read, source.objects("copies"))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanClaim:
    """A plan of AWS Backup.

    Args:
        tables: The ARNs of the tables.
        rules: Its rules.
        restore_testing: Whether AWS Backup tries restores out.
        advanced: Who has seen to it that advanced DynamoDB backup is on, or what checks it.
        alarm_after_minutes: After how long without a backup or a copy somebody is told.
    """

    tables: tuple[str, ...]
    rules: tuple[RuleClaim, ...] = ()
    restore_testing: bool = False
    advanced: str | None = None
    alarm_after_minutes: int | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(
            tables=source.texts("tables")[0],
            rules=tuple(map(RuleClaim.read, source.objects("rules"))),
            restore_testing=source.flag("restore_testing"),
            advanced=source.text("advanced"),
            alarm_after_minutes=source.whole("alarm_after_minutes"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultClaim:
    """A vault of AWS Backup.

    Args:
        lock: The mode of its lock.
        min_days: For how many days a backup is kept at least.
        max_days: For how many days at most.
        changeable_for_days: For how many days after its making the lock can be taken off; None where it always can.
        air_gapped: Whether AWS keeps it logically air-gapped.
        acknowledged: Who has accepted that this cannot be undone, and why.
    """

    lock: str | None
    min_days: int | None = None
    max_days: int | None = None
    changeable_for_days: int | None = None
    air_gapped: bool = False
    acknowledged: str | None = None

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says; see `BackupClaim.read`."""
        return cls(
            lock=source.text("lock"),
            min_days=source.whole("min_days"),
            max_days=source.whole("max_days"),
            changeable_for_days=source.whole("changeable_for_days"),
            air_gapped=source.flag("air_gapped"),
            acknowledged=source.text("acknowledged"),
        )


CLAIMS: Final[Mapping[str, type[BackupClaim]]] = {
    "immutable": ImmutableClaim,
    "sealed": SealedClaim,
    "landing": LandingClaim,
    "export": ExportClaim,
    "restore": RestoreClaim,
    "drill": DrillClaim,
    "on_demand": OnDemandClaim,
    "plan": PlanClaim,
    "vault": VaultClaim,
}
"""Under which name each of them stands in the metadata of a resource."""
