"""JSON of templates, which others may have written: taken for what it should be, or refused with the place.

A value that only the deployment knows stands there as one of CloudFormation's functions, an object. It is no mistake:
it comes out as None.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tableguard.policy.errors import TableguardError

_SECRET: Final = "{{resolve:"  # noqa: S105 - what a dynamic reference begins with
_DATE: Final = len("2027-01-31")
# No limit of AWS's has as many, and Python refuses to read or write thousands of them.
_DIGITS: Final = 18


class MalformedMetadataError(TableguardError):
    """Metadata that is not what this release, or any other, has written."""


@dataclass(frozen=True, slots=True)
class Source:
    """An object of the metadata.

    Args:
        json: The object.
        at: Where it stands, for messages; "" for all of the metadata.
    """

    json: Mapping[str, Any]
    at: str = ""

    @classmethod
    def of(cls, value: object, at: str) -> Source:
        """A value that has to be an object.

        Args:
            value: The value.
            at: Where it stands.

        Raises:
            MalformedMetadataError: It is none.
        """
        if not isinstance(value, Mapping):
            raise MalformedMetadataError(f"{at} is no object")
        return cls(value, at)

    def within(self, key: str) -> str:
        """Where a key of it stands.

        Args:
            key: The key.
        """
        return f"{self.at}/{key}" if self.at else key

    def object(self, key: str) -> Source:
        """An object in it.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: It is none.
        """
        return Source.of(self.json.get(key), self.within(key))

    def optional(self, key: str) -> Source | None:
        """An object in it; None where there is none.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: Something else stands there.
        """
        return None if self.json.get(key) is None else self.object(key)

    def objects(self, key: str) -> Iterator[Source]:
        """The objects of a list in it; nothing where there is none.

        Args:
            key: The key of the list.

        Raises:
            MalformedMetadataError: It is no list, or something else stands in it.
        """
        for number, value in enumerate(self.listed(key)):
            yield Source.of(value, f"{self.within(key)}/{number}")

    def listed(self, key: str) -> list[Any]:
        """A list in it; empty where there is none.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: It is no list.
        """
        value = self.json.get(key)
        if value is not None and not isinstance(value, list):
            raise MalformedMetadataError(f"{self.within(key)} is no list")
        return value or []

    def text(self, key: str) -> str | None:
        """A text; None where there is none, or only the deployment knows it.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: Something else stands there.
        """
        return _known(self.json.get(key), self.within(key))

    def needed(self, key: str) -> str:
        """A text that is never left to the deployment.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: There is none.
        """
        value = self.text(key)
        if value is None:
            raise MalformedMetadataError(f"{self.within(key)} is no text")
        return value

    def texts(self, key: str) -> tuple[tuple[str, ...], bool]:
        """The texts of a list, and whether it holds others that only the deployment knows.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: It is no list, or something else stands in it.
        """
        values = self.json.get(key)
        if isinstance(values, Mapping):
            return (), True
        found = [_known(value, self.within(key)) for value in self.listed(key)]
        return tuple(value for value in found if value is not None), None in found

    def whole(self, key: str) -> int | None:
        """A whole number that is not negative; None where there is none, or only the deployment knows it.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: Something else stands there.
        """
        value = self.json.get(key)
        found = whole(value)
        if found is None and value is not None and not isinstance(value, Mapping):
            raise MalformedMetadataError(f"{self.within(key)} is no whole number")
        return found

    def number(self, key: str) -> float | None:
        """A number; None where there is none, or only the deployment knows it.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: Something else stands there.
        """
        value = self.json.get(key)
        if value is None or isinstance(value, Mapping):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MalformedMetadataError(f"{self.within(key)} is no number")
        return value

    def flag(self, key: str) -> bool:
        """A switch; off where it does not stand there.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: Something else stands there.
        """
        value = self.json.get(key)
        if value not in (None, True, False, "true", "false"):
            raise MalformedMetadataError(f"{self.within(key)} is neither true nor false")
        return value in (True, "true")

    def end(self, key: str) -> dt.date | None:
        """A day, or a moment with a time zone; None where there is none.

        Args:
            key: Its key.

        Raises:
            MalformedMetadataError: Something else stands there.
        """
        value = self.json.get(key)
        if value is None:
            return None
        try:
            if isinstance(value, str) and len(value) == _DATE:
                return dt.date.fromisoformat(value)
            moment = dt.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            moment = None
        if moment is None or moment.tzinfo is None:
            raise MalformedMetadataError(f"{self.within(key)} is neither a day nor a moment with a time zone")
        return moment


def whole(value: object) -> int | None:
    """A whole number of at most 18 digits that is not negative, as JSON or CloudFormation write it; None otherwise.

    Args:
        value: JSON of a template, resolved.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 10**_DIGITS else None


def _known(value: object, at: str) -> str | None:
    if value is None or isinstance(value, Mapping) or (isinstance(value, str) and _SECRET in value):
        return None
    if not isinstance(value, str):
        raise MalformedMetadataError(f"{at} is no text")
    return value
