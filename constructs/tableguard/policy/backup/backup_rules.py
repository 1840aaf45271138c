"""The rules of a backup plan: schedule, retention and copies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws.limits import BACKUP_WINDOW, COLD_DAYS
from tableguard.policy.backup.backup_vaults import BackupVaultReference, whole_days
from tableguard.policy.errors import InvalidInputError

_RULE_NAME: Final = r"[a-zA-Z0-9_.-]{1,50}"
_CRON: Final = r"cron\(\S+( \S+){5}\)"


def cron(what: str, value: str) -> str:
    """Check a schedule of AWS Backup: a cron expression of six fields, in UTC.

    Args:
        what: What is scheduled, for messages.
        value: The expression.

    Raises:
        InvalidInputError: It is another expression. What stands in the fields is AWS Backup's to check.
    """
    if not isinstance(value, str) or not re.fullmatch(_CRON, value):
        raise InvalidInputError(what, value=value, allowed='a cron expression of six fields: "cron(0 5 ? * * *)"')
    return value


def _kept(what: str, keep_days: int, cold_after_days: int | None) -> None:
    whole_days(f"keep_days of {what}", keep_days, least=1)
    if cold_after_days is None:
        return
    whole_days(f"cold_after_days of {what}", cold_after_days, least=1)
    if keep_days < cold_after_days + COLD_DAYS.least:
        raise InvalidInputError(
            f"keep_days of {what}",
            value=keep_days,
            allowed=f"at least {cold_after_days + COLD_DAYS.least:,}: {COLD_DAYS.least} days more than cold_after_days",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultCopy:
    """Copies each backup of a rule into another vault: of another account or region, or an air-gapped vault.

    A copy into another account needs all of these:
    - both accounts are in one organization with cross-account backup (UpdateGlobalSettings in the management account)
    - the vault's policy allows this account or role to copy into it
    - `AdvancedDynamoDbBackup` in the source's region.

    AWS Backup cannot copy a backup that is in cold storage; a plan copies before. Sources: AWS Backup developer guide,
    "Creating backup copies across AWS accounts" and "Backup and tag copy".

    Args:
        to: The vault, such as the `reference` of a LockedBackupVault or AirGappedVault.
        keep_days: For how many days the copy is kept. If that is outside the bounds of the vault's lock, the job fails.
        cold_after_days: After how many days the copy moves to cold storage, at least 90 days before it expires; never
            when left out.

    Raises:
        InvalidInputError: `to` is not a BackupVaultReference, or a number is out of bounds.
    """

    to: BackupVaultReference
    keep_days: int
    cold_after_days: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.to, BackupVaultReference):
            raise InvalidInputError("the vault of a VaultCopy", value=self.to, allowed="a BackupVaultReference")
        what = f"a VaultCopy to {self.to.name}"
        _kept(what, self.keep_days, self.cold_after_days)
        self.to.check_kept(what, self.keep_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRule:
    """States when a backup plan makes backups, how long it keeps them, and where copies go.

    Each backup has the table as it is at that time. For a restore to any second, use the table's own point-in-time
    recovery: AWS Backup has no continuous backups for DynamoDB. Source: AWS Backup developer guide, "Feature
    availability by resource".

    Args:
        name: The rule's name: 1 to 50 of a-z, A-Z, 0-9, '-', '_', '.'.
        schedule: A cron expression of six fields in UTC, such as "cron(0 5 ? * * *)".
        keep_days: For how many days a backup is kept, within the bounds of the vault's lock.
        cold_after_days: After how many days a backup moves to cold storage, at least 90 days before it expires; never
            when left out. Source: AWS Backup API reference, Lifecycle.
        copies: Copies to make when a backup is complete; none when left out.
        start_within_minutes: How late a job may start, 60 to 52,560,000 minutes; then its state is EXPIRED. 8 hours
            (AWS Backup's own default) when left out. Source: AWS Backup API reference, BackupRuleInput.
        complete_within_minutes: How long a job may take, more than `start_within_minutes`; 7 days when left out.

    Raises:
        InvalidInputError: An argument is malformed or out of bounds, or two copies go to one vault.
    """

    name: str
    schedule: str
    keep_days: int
    cold_after_days: int | None = None
    copies: Sequence[VaultCopy] = ()
    start_within_minutes: int = 480
    complete_within_minutes: int = 10_080

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(_RULE_NAME, self.name):
            raise InvalidInputError(
                "the name of a BackupRule", value=self.name, allowed="1 to 50 of a-z, A-Z, 0-9, '-', '_', '.'"
            )
        what = f"BackupRule {self.name}"
        cron(f"the schedule of {what}", self.schedule)
        _kept(what, self.keep_days, self.cold_after_days)
        _minutes(f"start_within_minutes of {what}", self.start_within_minutes, least=BACKUP_WINDOW.least)
        _minutes(
            f"complete_within_minutes of {what}", self.complete_within_minutes, least=self.start_within_minutes + 1
        )
        copies = tuple(self.copies)
        for copy in copies:
            if not isinstance(copy, VaultCopy):
                raise InvalidInputError(f"a copy of {what}", value=copy, allowed="a VaultCopy")
        vaults = [(copy.to.account, copy.to.region, copy.to.name) for copy in copies]
        if len(vaults) != len(set(vaults)):
            raise InvalidInputError(f"the copies of {what}", value=vaults, allowed="one copy to each vault")
        object.__setattr__(self, "copies", copies)


def _minutes(what: str, value: object, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= BACKUP_WINDOW.most:
        raise InvalidInputError(
            what, value=value, allowed=f"a whole number of minutes from {least:,} to {BACKUP_WINDOW.most:,}"
        )


__all__ = ["BackupRule", "VaultCopy", "cron"]
