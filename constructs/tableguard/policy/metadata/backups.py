"""What metadata says of what keeps backups. Each class is what is written and what is read, by its fields' types."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import NoneType
from typing import Any, Final, Self, get_args, get_type_hints

from tableguard.policy.documents import Json
from tableguard.policy.metadata.source import Source

_UNKNOWN_OF: Final = "holds what only the deployment knows"
"""Marks a field that is not written: whether the list that it names holds texts that only the deployment knows."""
_READERS: Final[Mapping[object, Callable[[Source, str], object]]] = {
    str | None: Source.text,
    int | None: Source.whole,
    float | None: Source.number,
    bool: Source.flag,
    tuple[str, ...]: lambda source, key: source.texts(key)[0],
    tuple[str, ...] | None: lambda source, key: None if source.json.get(key) is None else source.texts(key)[0],
}


class BackupClaim:
    """What metadata says of one thing that keeps backups."""

    __slots__ = ()

    @classmethod
    def read(cls, source: Source) -> Self:
        """What metadata says.

        Args:
            source: What it says.

        Raises:
            MalformedMetadataError: It is not what `backup_json` writes.
        """
        readers = _readers(cls)  # type: ignore[arg-type] # mypy takes a type[Self] for not hashable
        return cls(**{name: read(source, name) for name, read in readers.items()})


@cache
def _readers(claim: type[BackupClaim]) -> Mapping[str, Callable[[Source, str], object]]:
    """How each field is read."""
    hints = get_type_hints(claim)
    return {
        each.name: _whether_unknown(each.metadata[_UNKNOWN_OF]) if each.metadata else _reader(hints[each.name])
        for each in dataclasses.fields(claim)  # type: ignore[arg-type]
    }


def _whether_unknown(key: str) -> Callable[[Source, str], object]:
    return lambda source, _: source.texts(key)[1]


def _reader(hint: object) -> Callable[[Source, str], object]:
    """How a field of a type is read: a text, a number, a switch, texts, or another claim, optional or in a list."""
    if hint in _READERS:
        return _READERS[hint]
    (part,) = (each for each in get_args(hint) or (hint,) if isinstance(each, type) and issubclass(each, BackupClaim))
    if hint is part:
        return lambda source, key: part.read(source.object(key))
    if NoneType in get_args(hint):
        return lambda source, key: None if (there := source.optional(key)) is None else part.read(there)
    return lambda source, key: tuple(map(part.read, source.objects(key)))


def backup_json(claim: object) -> Json:
    """A claim about backups as metadata says it: what is None is left out.

    Args:
        claim: One of the classes of this module.
    """
    fields = [each for each in dataclasses.fields(claim) if _UNKNOWN_OF not in each.metadata]  # type: ignore[arg-type]
    found = {each.name: getattr(claim, each.name) for each in fields}
    return {name: _written(value) for name, value in found.items() if value is not None}


def _written(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return backup_json(value)
    return [_written(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmutableClaim(BackupClaim):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceClaim(BackupClaim):
    """An account from which a vault says that it takes exports.

    Args:
        account: The account; None where only the deployment knows it.
        role: The name of the role that replicates; None likewise.
        tables: The names of its tables; None for all of them.
    """

    account: str | None
    role: str | None
    tables: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaClaim(BackupClaim):
    """What a vault seals of a source in a day at most.

    Args:
        bytes_per_day: So many bytes.
        exports_per_day: So many exports.
    """

    bytes_per_day: int | None
    exports_per_day: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedClaim(BackupClaim):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeClaim(BackupClaim):
    """The vault that a landing bucket is replicated into.

    Args:
        account: Its account; None where only the deployment knows it.
        intake: The name of its intake bucket; None likewise.
        region: Its region.
    """

    account: str | None
    intake: str | None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingClaim(BackupClaim):
    """A bucket that DynamoDB exports to.

    Args:
        vault: The vault that it is replicated into; None for none.
        role: The name of the role that replicates.
        expires_after_days: After how many days exports are deleted there.
    """

    vault: IntakeClaim | None
    role: str | None = None
    expires_after_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportClaim(BackupClaim):
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
    unknown_tables: bool = field(default=False, metadata={_UNKNOWN_OF: "tables"})
    every_minutes: int | None = None
    full_every_minutes: int | None = None
    alarm_after_minutes: int | None = None
    landing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketClaim(BackupClaim):
    """A sealed bucket that a restore takes exports from.

    Args:
        account: Its account.
        region: Its region.
        bucket: Its name; None where only the deployment knows it.
    """

    account: str | None
    region: str | None
    bucket: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreClaim(BackupClaim):
    """A machine that restores a table.

    Args:
        source: The ARN of the table whose items it restores; None where only the deployment knows it.
        sealed: The sealed bucket that it takes them from; None for point-in-time recovery.
        targets: The names of the tables that it makes, or patterns of them.
    """

    source: str | None
    sealed: BucketClaim | None
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableClaim(BackupClaim):
    """A table by its parts; None for what only the deployment knows.

    Args:
        account: Its account.
        region: Its region.
        table: Its name.
    """

    account: str | None
    region: str | None
    table: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillClaim(BackupClaim):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandClaim(BackupClaim):
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
    unknown_tables: bool = field(default=False, metadata={_UNKNOWN_OF: "tables"})
    schedule: str | None = None
    keep_days: int | None = None
    keep_at_least: int | None = None
    alarm_after_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyClaim(BackupClaim):
    """A copy of each backup of a rule.

    Args:
        vault_arn: The ARN of the vault that it goes to.
        account: The vault's account.
        keep_days: For how many days it is kept; None for good.
    """

    vault_arn: str | None
    account: str | None
    keep_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleClaim(BackupClaim):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanClaim(BackupClaim):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultClaim(BackupClaim):
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
