"""For how long objects are locked, and which other retention a request may ask for."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

from tableguard.aws.limits import LOCK_DAYS, LOCK_YEARS
from tableguard.policy.errors import InvalidInputError

_LONGEST_YEAR: Final = 366


class LockMode(enum.Enum):
    """Who can shorten a retention."""

    GOVERNANCE = "GOVERNANCE"
    """Principals with `s3:BypassGovernanceRetention` can shorten it."""
    COMPLIANCE = "COMPLIANCE"
    """Nobody can shorten it, not even the root user or AWS. Objects locked by mistake cost money until the last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """States for how long an object is locked after it is written. Use `Retention.governance` or `.compliance`.

    Args:
        mode: Who can shorten the retention.
        days: 1 to 36,500 days. Pass exactly one of days and years.
        years: 1 to 100 years.
        acknowledged: Why it is acceptable that nobody can undo it. Required in compliance mode, and only there.

    Raises:
        InvalidInputError: Not exactly one of days and years, a value out of range, or compliance without a reason.
    """

    mode: LockMode
    days: int | None = None
    years: int | None = None
    acknowledged: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.mode, LockMode):
            raise InvalidInputError("the mode of a Retention", value=self.mode, allowed="a LockMode")
        if (self.days is None) is (self.years is None):
            raise InvalidInputError(
                "the length of a Retention",
                value={"days": self.days, "years": self.years},
                allowed="exactly one of days and years",
            )
        _check_number("the days of a Retention", self.days, LOCK_DAYS.most)
        _check_number("the years of a Retention", self.years, LOCK_YEARS.most)
        said = isinstance(self.acknowledged, str) and re.search(r"\w", self.acknowledged) is not None
        if self.mode is LockMode.COMPLIANCE and not said:
            raise InvalidInputError(
                "acknowledge of a Retention in compliance mode",
                value=self.acknowledged,
                allowed="why it is fine that nobody, not even the account's root user or AWS, can ever shorten it",
                fix="Try it with Retention.governance(…) first.",
            )

    @classmethod
    def governance(cls, *, days: int | None = None, years: int | None = None) -> Retention:
        """Return a retention in governance mode, which the bucket's break-glass roles can lift, if it names any.

        Args:
            days: 1 to 36,500.
            years: 1 to 100, instead of days.
        """
        return cls(mode=LockMode.GOVERNANCE, days=days, years=years)

    @classmethod
    def compliance(cls, *, days: int | None = None, years: int | None = None, acknowledge: str) -> Retention:
        """Return a retention in compliance mode, which nobody can lift.

        Args:
            days: 1 to 36,500.
            years: 1 to 100, instead of days.
            acknowledge: Why that is acceptable. Every locked object costs money until the last day.
        """
        return cls(mode=LockMode.COMPLIANCE, days=days, years=years, acknowledged=acknowledge)

    @property
    def at_least_days(self) -> int:
        """Days, a year counted as 365."""
        return self.days if self.days is not None else 365 * (self.years or 0)

    @property
    def at_most_days(self) -> int:
        """Days, a year counted as 366."""
        return self.days if self.days is not None else _LONGEST_YEAR * (self.years or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionBounds:
    """Limits for how many days, from the request on, a request may lock an object.

    Args:
        at_least: The shortest lock, 0 days or more; 0 is no bound.
        at_most: The longest lock, from `at_least` to 36,601 days.

    Raises:
        InvalidInputError: A value is out of its range.
    """

    at_least: int
    at_most: int

    def __post_init__(self) -> None:
        most = _LONGEST_YEAR * LOCK_YEARS.most + 1
        for name, least in (("at_least", 0), ("at_most", self.at_least)):
            value = getattr(self, name)
            if type(value) is not int or type(least) is not int or not least <= value <= most:
                raise InvalidInputError(
                    f"{name} of RetentionBounds", value=value, allowed=f"{least} to {most:,} days, as an integer"
                )

    @classmethod
    def around(cls, retention: Retention) -> RetentionBounds:
        """Return bounds that allow a bucket's own retention and nothing else.

        They are one day wider on both sides: S3 decides a request a moment after the client computed its date, and it
        is not documented whether S3 rounds the rest of a day.

        Args:
            retention: The bucket's retention.
        """
        return cls(at_least=retention.at_least_days - 1, at_most=retention.at_most_days + 1)

    def check(self, retention: Retention, owner: str) -> None:
        """Check that a bucket's own retention is within them.

        Args:
            retention: The bucket's retention.
            owner: The bucket, for the message.

        Raises:
            InvalidInputError: It is not: explicit retentions of that length would be denied.
        """
        if not self.at_least <= retention.at_least_days <= retention.at_most_days <= self.at_most:
            raise InvalidInputError(
                f"the bounds of {owner}",
                value=(self.at_least, self.at_most),
                allowed=f"bounds that hold the bucket's own {retention.at_least_days} to {retention.at_most_days} days",
            )


def _check_number(what: str, value: object, most: int) -> None:
    if value is not None and (type(value) is not int or not 1 <= value <= most):
        raise InvalidInputError(what, value=value, allowed=f"1 to {most:,}, as an integer")
