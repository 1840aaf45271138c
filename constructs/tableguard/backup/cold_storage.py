"""When backups move to a storage class that costs less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tableguard.policy import InvalidInputError

_MOST_DAYS: Final = 36_500
# Source: S3 user guide, "Transitioning objects using Amazon S3 Lifecycle".
_LEAST_DAYS: Final = {"STANDARD_IA": 30, "GLACIER_IR": 1, "GLACIER": 1, "DEEP_ARCHIVE": 1}
_READ_AT_ONCE: Final = frozenset({"STANDARD_IA", "GLACIER_IR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStorage:
    """A storage class that objects move to. Moving touches neither their lock nor their version.

    Objects below 128 KiB stay where they are, as S3 does it by default. Use one of the class methods.

    Args:
        storage_class: The class's name in the API.
        after_days: Days from an object's creation.

    Raises:
        InvalidInputError: A class that is none of the four, or days that it does not take.
    """

    storage_class: str
    after_days: int

    def __post_init__(self) -> None:
        least = _LEAST_DAYS.get(self.storage_class)
        if least is None:
            raise InvalidInputError(
                "the class of a ColdStorage", value=self.storage_class, allowed=", ".join(sorted(_LEAST_DAYS))
            )
        if type(self.after_days) is not int or not least <= self.after_days <= _MOST_DAYS:
            raise InvalidInputError(
                f"after_days of a ColdStorage of the class {self.storage_class}",
                value=self.after_days,
                allowed=f"{least} to {_MOST_DAYS:,} days, as an integer",
            )

    @classmethod
    def infrequent_access(cls, *, after_days: int = 30) -> ColdStorage:
        """Standard-IA: read at once; billed for 30 days at least.

        Args:
            after_days: 30 or more.
        """
        return cls(storage_class="STANDARD_IA", after_days=after_days)

    @classmethod
    def instant_retrieval(cls, *, after_days: int = 1) -> ColdStorage:
        """Glacier Instant Retrieval: read at once; billed for 90 days at least.

        Args:
            after_days: 1 or more.
        """
        return cls(storage_class="GLACIER_IR", after_days=after_days)

    @classmethod
    def flexible_retrieval(cls, *, after_days: int) -> ColdStorage:
        """Glacier Flexible Retrieval: to be fetched before it can be read; billed for 90 days at least.

        Args:
            after_days: 1 or more.
        """
        return cls(storage_class="GLACIER", after_days=after_days)

    @classmethod
    def deep_archive(cls, *, after_days: int) -> ColdStorage:
        """Glacier Deep Archive: to be fetched within two days before it can be read; billed for 180 days at least.

        Args:
            after_days: 1 or more.
        """
        return cls(storage_class="DEEP_ARCHIVE", after_days=after_days)

    @property
    def read_at_once(self) -> bool:
        """Whether a restore can read it without fetching it first."""
        return self.storage_class in _READ_AT_ONCE
