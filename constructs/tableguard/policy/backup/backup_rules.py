"""The rules of a backup plan: when, for how long, and where copies go."""

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
    """A copy of each backup, into another vault: of another account, of another region, or an air-gapped one.

    A copy into another account needs that both are of one organization, in which cross-account backup is turned on
    (UpdateGlobalSettings in the management account), that the vault lets this account or role copy into it, and
    `AdvancedDynamoDbBackup` in the source's region. A backup that went to cold storage can no longer be copied; a plan
    copies before. Sources: AWS Backup developer guide, "Creating backup copies across AWS accounts" and "Backup and
    tag copy".

    Args:
        to: The vault, such as the `reference` of a LockedBackupVault or AirGappedVault.
        keep_days: How long the copy is kept: within the bounds of that vault's lock, else the job fails.
        cold_after_days: When it goes to cold storage, at least 90 days before its end; never when left out.

    Raises:
        InvalidInputError: It is no vault, or a number out of bounds.
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
    """When backups are made, how long they are kept, and where copies go.

    They are backups of the table as it is then. Continuous backups, with a restore to any second, are not to be had
    for DynamoDB from AWS Backup: that is the table's own point-in-time recovery. Source: AWS Backup developer guide,
    "Feature availability by resource".

    Args:
        name: Its name: 1 to 50 of a-z, A-Z, 0-9, '-', '_', '.'.
        schedule: When, as a cron expression of six fields in UTC, such as "cron(0 5 ? * * *)".
        keep_days: How long a backup is kept: within the bounds of the vault's lock.
        cold_after_days: When it goes to cold storage, at least 90 days before its end; never when left out. Source:
            AWS Backup API reference, Lifecycle.
        copies: Copies, as soon as a backup is complete; none when left out.
        start_within_minutes: How late a job may start, after which it has EXPIRED: 60 to 52,560,000 minutes; 8 hours
            (AWS Backup's own default) when left out. Source: AWS Backup API reference, BackupRuleInput.
        complete_within_minutes: How long a job may take, longer than it may be late; 7 days when left out.

    Raises:
        InvalidInputError: One of them is malformed or out of bounds, or two copies go to one vault.
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
