"""What can be said of a drill's arguments before it fails on the day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler

from tableguard.backup.drill.canary import Canary
from tableguard.policy import InvalidInputError

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
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
