"""The typed values of conditions: numbers, dates, booleans, binary data and IP addresses.

Every reader answers None for text that is no such value. Sources: IAM User Guide, "Condition operators"; W3C note
"Date and Time Formats" for the profiles of ISO 8601.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import socket
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address: its family's number of bits, and its value."""

    bits: int
    value: int


@dataclass(frozen=True, slots=True)
class Network:
    """A CIDR block: its family's number of bits, the bits that addresses may differ in, and the value of the others."""

    bits: int
    free: int
    prefix: int

    def contains(self, address: Address) -> bool:
        """Whether an address is in the block; never one of the other family."""
        return address.bits == self.bits and address.value >> self.free == self.prefix


# Bounded, so that no value makes a comparison slow.
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_EPOCH = re.compile(r"\d{1,3}|\d{5,15}", re.ASCII)
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d\d):(\d\d)))?", re.ASCII
)
_ADDRESS = re.compile(r"[0-9a-fA-F.:]{2,45}", re.ASCII)
_PREFIX = re.compile(r"\d{1,3}", re.ASCII)
_IPV4 = 32
_BILLION = 10**9
_LONGEST_DATE = 40
_DAY_SECONDS = 86_400
_BOOLEANS = {"true": True, "false": False}
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


def number(text: str) -> Decimal | None:
    """A number, compared by value: `10` and `10.0` are equal. `Open.NUMBER_FORMAT` says what is none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def date(text: str) -> int | None:
    """A moment, as nanoseconds since 1970 in UTC: from ISO 8601 (a day, or a time up to nanoseconds) or epoch seconds.

    A time of day needs its zone, as in the W3C's profiles. `Open.DATE_FORMAT` says what is no such moment.
    """
    return _cached_date(text) if len(text) <= _LONGEST_DATE else None


@lru_cache(maxsize=1024)
def _cached_date(text: str) -> int | None:
    if _EPOCH.fullmatch(text):
        return int(text) * _BILLION
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, zone_hour, zone_minute = found.groups()
    try:
        days = dt.date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
        clock = dt.time(int(hour or 0), int(minute or 0), int(second or 0))
        zone = dt.time(int(zone_hour or 0), int(zone_minute or 0))
    except ValueError:
        return None
    seconds = days * _DAY_SECONDS + clock.hour * 3600 + clock.minute * 60 + clock.second
    offset = zone.hour * 3600 + zone.minute * 60
    return (seconds + (offset if sign == "-" else -offset)) * _BILLION + _nanoseconds(fraction)


def _nanoseconds(fraction: str | None) -> int:
    return int((fraction or "").ljust(9, "0"))


def boolean(text: str) -> bool | None:
    """`true` or `false`, as AWS documents a policy's value."""
    return _BOOLEANS.get(text)


def boolean_of_request(text: str) -> bool | None:
    """`true` or `false`, however whoever describes a request spells it."""
    return _BOOLEANS.get(text.lower())


def binary(text: str) -> bytes | None:
    """The bytes that base64 text stands for."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def network(text: str) -> Network | None:
    """A CIDR block of either family, or a single address of IPv4. `Open.ADDRESS_FORMAT` says why not one of IPv6.

    Host bits may be set, as in `192.0.2.7/24`: "non-zero bits after the masked bits … are not considered" (IAM Access
    Analyzer policy check reference, "Improve IP range").
    """
    base, slash, prefix = text.partition("/")
    found = address(base)
    if found is None or (not slash and found.bits != _IPV4) or (slash and not _PREFIX.fullmatch(prefix)):
        return None
    free = found.bits - int(prefix) if slash else 0
    return Network(found.bits, free, found.value >> free) if free >= 0 else None


def address(text: str) -> Address | None:
    """One IP address of either family."""
    if not _ADDRESS.fullmatch(text):
        return None
    family, bits = (socket.AF_INET6, 128) if ":" in text else (socket.AF_INET, _IPV4)
    try:
        return Address(bits, int.from_bytes(socket.inet_pton(family, text)))
    except OSError:
        return None
