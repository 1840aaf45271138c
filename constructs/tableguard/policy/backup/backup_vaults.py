"""Vaults of AWS Backup: their locks, and references to them for other apps."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from tableguard.aws.limits import AIR_GAPPED_DAYS, GRACE_DAYS, VAULT_DAYS
from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError

_VAULT_NAME: Final = r"[a-zA-Z0-9_-]{2,50}"
GOVERNANCE: Final = "GOVERNANCE"
COMPLIANCE: Final = "COMPLIANCE"


def whole_days(what: str, value: object, *, least: int, most: int = VAULT_DAYS.most, fix: str = "") -> int:
    """Check a number of days.

    Args:
        what: What the number is for, for messages.
        value: The number.
        least: The smallest that is allowed.
        most: The largest that is allowed.
        fix: What to do about it, where that does not follow.

    Raises:
        InvalidInputError: It is no whole number between the two.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInputError(
            what, value=value, allowed=f"a whole number of days from {least:,} to {most:,}", fix=fix
        )
    return value


def vault_name(what: str, value: str) -> str:
    """Check the name of a backup vault, literal, since the other account has to know it.

    Args:
        what: What the name is for, for messages.
        value: The name.

    Raises:
        InvalidInputError: It is malformed, or known at deployment only. Source: AWS Backup API reference,
            CreateBackupVault.
    """
    if not isinstance(value, str) or not re.fullmatch(_VAULT_NAME, value):
        raise InvalidInputError(what, value=value, allowed="2 to 50 of a-z, A-Z, 0-9, '-', '_', written down")
    return value


def said(what: str, value: object, allowed: str) -> str:
    """Check that somebody has said something in words.

    Args:
        what: What it is, for messages.
        value: What was said.
        allowed: What is to be said.

    Raises:
        InvalidInputError: It is no text, or an empty one.
    """
    if not isinstance(value, str) or not re.search(r"\w", value):
        raise InvalidInputError(what, value=value, allowed=allowed)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLock:
    """The vault lock of a backup vault: for how long recovery points are kept. Use `governance` or `compliance`.

    A job with a retention outside the bounds fails. The lock does not cover recovery points that existed before it.
    Source: AWS Backup API reference, PutBackupVaultLockConfiguration.

    Args:
        mode: "GOVERNANCE" or "COMPLIANCE".
        at_least_days: The shortest retention that the vault takes.
        at_most_days: The longest; None: no bound.
        changeable_for_days: How long a compliance lock can still be changed; None with governance.
        acknowledge: Who accepts that a compliance lock is for good, and why; empty with governance.
    """

    mode: str
    at_least_days: int
    at_most_days: int | None
    changeable_for_days: int | None
    acknowledge: str

    @staticmethod
    def governance(*, at_least_days: int, at_most_days: int | None = None) -> VaultLock:
        """Return a lock that can be removed with backup:DeleteBackupVaultLockConfiguration, so it is *not* immutable.

        Attach `ProtectBackups` to the account, and do not allow that action to its administrators.

        Args:
            at_least_days: The shortest retention of a recovery point, 1 to 36,500 days.
            at_most_days: The longest retention, at most 36,500 days; no bound when left out.

        Raises:
            InvalidInputError: A number is out of bounds, or the longest retention is shorter than the shortest.
        """
        whole_days("at_least_days of VaultLock.governance", at_least_days, least=1)
        if at_most_days is not None:
            whole_days("at_most_days of VaultLock.governance", at_most_days, least=at_least_days)
        return VaultLock(
            mode=GOVERNANCE,
            at_least_days=at_least_days,
            at_most_days=at_most_days,
            changeable_for_days=None,
            acknowledge="",
        )

    @staticmethod
    def compliance(*, at_least_days: int, at_most_days: int, changeable_for_days: int, acknowledge: str) -> VaultLock:
        """Return a lock that nobody, not even root or AWS, can remove or change after its grace time.

        During the grace time it is *not* immutable: backup:DeleteBackupVaultLockConfiguration removes it. The grace
        time begins when the lock is deployed; DescribeBackupVault shows its end as LockDate. Afterwards, the vault
        cannot be deleted while it has a recovery point, and each recovery point stays, and is billed, until it expires.

        Args:
            at_least_days: The shortest retention of a recovery point, 1 to 36,500 days.
            at_most_days: The longest retention, at most 36,500 days. AWS does not require it; but without it, a mistake
                or an attacker could fill the vault with recovery points that stay for a hundred years.
            changeable_for_days: The grace time, 3 to 36,500 days. Choose enough time to try a backup, a copy and a
                restore, but not more, such as 14.
            acknowledge: Who has accepted that the lock cannot be undone, and why. It goes into the template's metadata.

        Raises:
            InvalidInputError: A number is out of bounds, the longest retention is shorter than the shortest, or
                `acknowledge` is empty.
        """
        whole_days("at_least_days of VaultLock.compliance", at_least_days, least=1)
        whole_days("at_most_days of VaultLock.compliance", at_most_days, least=at_least_days)
        whole_days("changeable_for_days of VaultLock.compliance", changeable_for_days, least=GRACE_DAYS.least)
        said("acknowledge of VaultLock.compliance", acknowledge, "who accepts that it cannot be undone, and why")
        return VaultLock(
            mode=COMPLIANCE,
            at_least_days=at_least_days,
            at_most_days=at_most_days,
            changeable_for_days=changeable_for_days,
            acknowledge=acknowledge,
        )

    def immutable_from(self, locked_on: dt.date) -> dt.date | None:
        """The first day on which nothing can undo it, if the lock was deployed on a given day; None: there is none.

        Args:
            locked_on: The day (in UTC) on which the lock was first deployed. Its hour counts as well, so the day after
                the last day of the grace time is said.
        """
        if self.changeable_for_days is None:
            return None
        return locked_on + dt.timedelta(days=self.changeable_for_days + 1)


def air_gapped_bounds(*, at_least_days: int, at_most_days: int) -> None:
    """Check the bounds of a logically air-gapped vault: at least 7 days, and a longest retention.

    Args:
        at_least_days: The shortest retention.
        at_most_days: The longest.

    Raises:
        InvalidInputError: A number out of bounds. Source: AWS Backup API reference,
            CreateLogicallyAirGappedBackupVault.
    """
    whole_days("at_least_days of an AirGappedVault", at_least_days, least=AIR_GAPPED_DAYS.least)
    whole_days("at_most_days of an AirGappedVault", at_most_days, least=at_least_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupVaultReference:
    """Names a vault of AWS Backup, of any account, by plain values.

    Args:
        account: The 12-digit id of the vault's account.
        region: The vault's region.
        name: The vault's name. "Default" is an error: AWS Backup cannot copy into a default vault of another account.
        at_least_days: The shortest retention that the vault's lock allows, so that a job that would fail is an error at
            synthesis; not checked when left out.
        at_most_days: The longest retention that the lock allows; not checked when left out.

    Raises:
        InvalidInputError: A value is malformed, or known only at deployment.
    """

    account: str
    region: str
    name: str
    at_least_days: int | None = None
    at_most_days: int | None = None

    def __post_init__(self) -> None:
        names.account_id("the account of a BackupVaultReference", self.account)
        names.region("the region of a BackupVaultReference", self.region)
        vault_name("the name of a BackupVaultReference", self.name)
        if self.name == "Default":
            raise InvalidInputError(
                "the name of a BackupVaultReference", value=self.name, allowed="a vault of your own making"
            )
        least = 1
        if self.at_least_days is not None:
            least = whole_days("at_least_days of a BackupVaultReference", self.at_least_days, least=1)
        if self.at_most_days is not None:
            whole_days("at_most_days of a BackupVaultReference", self.at_most_days, least=least)

    def arn(self, partition: str) -> str:
        """Its ARN; that of a logically air-gapped vault looks the same.

        Args:
            partition: The partition, such as "aws".
        """
        return f"arn:{partition}:backup:{self.region}:{self.account}:backup-vault:{self.name}"

    def check_kept(self, what: str, days: int) -> None:
        """Check that the vault's lock takes a retention.

        Args:
            what: What is kept, for messages.
            days: How long.

        Raises:
            InvalidInputError: A job with it would fail.
        """
        least, most = self.at_least_days or VAULT_DAYS.least, self.at_most_days or VAULT_DAYS.most
        if not least <= days <= most:
            raise InvalidInputError(
                f"keep_days of {what}",
                value=days,
                allowed=f"{least:,} to {most:,} days, the bounds of the lock of vault {self.name}",
                fix="A job with another retention fails.",
            )
