"""What can be said of a drill's arguments before it fails on the day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from tableguard.backup.drill.canary import Canary
from tableguard.backup.restore.origin import Origin
from tableguard.backup.restore.table_restore import TableRestore
from tableguard.policy import InvalidInputError

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
# Two windows of the longest kind, so that one may take its time.
_OLDEST_SECONDS: Final = 2 * 24 * 60 * 60
# No export is younger: a window of 15 minutes, the five by which it ends before its export, and some to seal it.
_FRESHEST_SECONDS: Final = 30 * 60
_LONGEST_PREFIX: Final = 255 - 80  # a table's name, less the longest name of an execution
_SECONDS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}


def check_alarm_after(path: str, alarm_after: cdk.Duration, schedule: scheduler.ScheduleExpression) -> None:
    """Check that an alarm about the age of the last good drill can ever be silent.

    Args:
        path: The path of the drill.
        alarm_after: The age.
        schedule: When drills begin. Only a rate says how far apart they are; a cron expression is believed.

    Raises:
        InvalidInputError: Less than an hour, which is how often the age is measured, or no more than a rate.
    """
    seconds = alarm_after.to_seconds()
    if seconds < _SECONDS["hour"]:
        raise InvalidInputError(f"alarm_after of {path}", value=seconds, allowed="one hour at least (seconds)")
    rate = _RATE.fullmatch(schedule.expression_string)
    between = int(rate[1]) * _SECONDS[rate[2]] if rate is not None else 0
    if rate is not None and seconds <= between:
        raise InvalidInputError(
            f"alarm_after of {path}",
            value=seconds,
            allowed=f"more than the {between} seconds between two drills: it would ring before each of them",
        )


def check_canary(path: str, canary: Canary | None, key: Mapping[str, str]) -> None:
    """Check that restored tables can hold a canary at all.

    Args:
        path: The path of the drill.
        canary: The canary; None for none.
        key: The key of restored tables, with the type of each attribute.

    Raises:
        InvalidInputError: It has another key, or other types.
    """
    if canary is None:
        return
    found = {name: next(iter(value)) for name, value in canary.key.items()}
    if found != dict(key):
        raise InvalidInputError(
            f"the key of the canary of {path}",
            value=found,
            allowed=f"the key of restored tables, with its types: {dict(key)}",
        )


def checked_prefix(restore: TableRestore, *, room: int) -> str:
    """The prefix of a restore's tables.

    Args:
        restore: The restore.
        room: How many characters follow it in the prefix of a drill's tables.

    Raises:
        InvalidInputError: There is none, or it is too long.
    """
    prefix = restore.targets.table_prefix
    if prefix is None or len(prefix) + room > _LONGEST_PREFIX:
        raise InvalidInputError(
            f"the table_prefix of {restore.node.path}",
            value=prefix,
            allowed=f"a prefix of up to {_LONGEST_PREFIX - room} characters, for the tables of a drill",
            fix='Pass table_prefix="restored-" to the TableRestore.',
        )
    return prefix


def check_largest_fall(path: str, share: object) -> None:
    """Check that a share is one.

    Args:
        path: The path of the drill.
        share: The share.

    Raises:
        InvalidInputError: It is no number from 0 up to, not including, 1.
    """
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share < 1:
        raise InvalidInputError(
            f"largest_fall of {path}", value=share, allowed="a share from 0 up to, not including, 1"
        )


def seconds_of(path: str, oldest: cdk.Duration | None) -> int:
    """How old a backup may be, in seconds.

    Args:
        path: The path of the drill.
        oldest: How old; two days when None.

    Raises:
        InvalidInputError: Younger than any export can be.
    """
    seconds = _OLDEST_SECONDS if oldest is None else int(oldest.to_seconds())
    if seconds < _FRESHEST_SECONDS:
        raise InvalidInputError(f"oldest of {path}", value=seconds, allowed="30 minutes at least (seconds)")
    return seconds


def trusted_moment(drill: Construct, sealed_by: datetime | None, *, origin: Origin) -> str | None:
    """The moment in ISO 8601, and a warning that nothing newer is proved; None where everything is looked at.

    Args:
        drill: The drill.
        sealed_by: Its argument of that name.
        origin: Where its restore takes items from.

    Raises:
        InvalidInputError: It is no moment, or the restore takes no sealed exports.
    """
    if sealed_by is None:
        return None
    what = f"sealed_by of {drill.node.path}"
    if not isinstance(sealed_by, datetime) or sealed_by.tzinfo is None:
        raise InvalidInputError(what, value=sealed_by, allowed="a datetime with its offset from UTC")
    if origin.sealed is None:
        raise InvalidInputError(what, value=sealed_by, allowed="none, since the restore takes no sealed exports")
    moment = sealed_by.astimezone(UTC).isoformat().replace("+00:00", "Z")
    cdk.Annotations.of(drill).add_warning_v2(
        "tableguard:drill-leaves-out",
        f"The drills of {drill.node.path} leave out what was sealed after {moment}: nothing newer is proved. Take "
        "sealed_by away when no false export is left in the vault.",
    )
    return moment
