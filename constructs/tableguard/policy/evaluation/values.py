"""The typed values of conditions: numbers, dates, booleans, binary data and IP addresses.

Every reader answers None for text that is no such value. Sources: IAM User Guide, "Condition operators"; W3C note
"Date and Time Formats" for the profiles of ISO 8601.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Bounded, so that no value makes a comparison slow.
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = re.compile(r"(?:\d{1,3}|\d{5,15})(?:\.\d{1,9})?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(?:(Z)|([+-])(\d\d):(\d\d)))?)?)?", re.ASCII
)
_ADDRESS = re.compile(r"[0-9a-fA-F.:]{2,45}(?:/\d{1,3})?", re.ASCII)
_DAY_SECONDS = 86_400
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()


def number(text: str) -> Decimal | None:
    """A number, compared by value: `10`, `10.0` and `1e1` are equal."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def date(text: str) -> Fraction | None:
    """A moment, as seconds since 1970 in UTC: from ISO 8601 (a year alone up to fractions of a second) or epoch time.

    Four digits are a year. A time of day needs its zone, as in the W3C's profiles.
    """
    if _EPOCH.fullmatch(text):
        return Fraction(text)
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, zone_hour, zone_minute = found.groups()
    try:
        days = datetime.date(int(year), int(month or 1), int(day or 1)).toordinal() - _EPOCH_DAY
        clock = datetime.time(int(hour or 0), int(minute or 0), int(second or 0))
        zone = datetime.time(int(zone_hour or 0), int(zone_minute or 0))
    except ValueError:
        return None
    seconds = days * _DAY_SECONDS + clock.hour * 3600 + clock.minute * 60 + clock.second
    offset = zone.hour * 3600 + zone.minute * 60
    return seconds - (-offset if sign == "-" else offset) + Fraction(fraction or 0)


def boolean(text: str) -> bool | None:
    """`true` or `false`, in any case."""
    return {"true": True, "false": False}.get(text.lower())


def binary(text: str) -> bytes | None:
    """The bytes that base64 text stands for."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def network(text: str) -> Network | None:
    """A CIDR block of either family, or a single address. Host bits may be set, as in `192.0.2.7/24`."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Address | None:
    """One IP address of either family."""
    try:
        return ipaddress.ip_address(text) if "/" not in text and _ADDRESS.fullmatch(text) else None
    except ValueError:
        return None
