"""Moments, in the notations of manifests, catalogue keys and retention."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The function's clock."""
    return datetime.now(UTC)


def parse(text: object, *, what: str) -> datetime:
    """The moment that an ISO 8601 text names.

    Args:
        text: The text.
        what: What it is, for the error.

    Raises:
        ValueError: It names none, or is without an offset from UTC.
    """
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # an offset may lead out of the years 1 to 9999
        pass
    raise ValueError(f"{what} must be a moment in ISO 8601 with its offset from UTC, such as 2026-11-22T00:00:00Z.")


def show(moment: datetime) -> str:
    """The moment in ISO 8601, in UTC, with fractions of a second only where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def compact(moment: datetime) -> str:
    """The moment as the key of an object has it: 20261122T000000Z."""
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond:06}" if moment.microsecond else ""
    return f"{moment:%Y%m%dT%H%M%S}{fraction}Z"


def from_compact(text: str) -> datetime:
    """The moment of a key.

    Raises:
        ValueError: It is none.
    """
    form = "%Y%m%dT%H%M%S.%fZ" if "." in text else "%Y%m%dT%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)
