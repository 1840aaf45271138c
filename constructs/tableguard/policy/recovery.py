"""The window of point-in-time recovery."""

from __future__ import annotations

from tableguard.aws.limits import RECOVERY_DAYS
from tableguard.policy.errors import InvalidInputError


def check_recovery_days(what: str, days: object) -> None:
    """Check the window of point-in-time recovery.

    Args:
        what: What the window is for, for messages.
        days: 1 to 35, or None.

    Raises:
        InvalidInputError: `days` is something else.
    """
    if days is None:
        return
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= RECOVERY_DAYS.most:
        raise InvalidInputError(what, value=days, allowed=f"1 to {RECOVERY_DAYS.most} days")
