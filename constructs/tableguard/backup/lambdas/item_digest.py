"""How many items there are and what they hold, in a form that can be added up.

The digest of a set of items is the sum of the SHA-256 of each, modulo 2**256. The order does not matter, so the
digest of a full export and the changes of all increments add up to the digest of the table at the end of the chain: a
record that is lost, doubled or altered, or an increment that is missing, changes the sum. Hashed is one text for one
item, however DynamoDB, an export or a client writes it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self

from .errors import Rejected

_DIGITS: Final = 38  # significant digits of a number: DynamoDB developer guide, "Data types"
_LONGEST_NUMBER: Final = 200  # characters: 1E+125 and 1E-130 with 38 digits each, written out
_DEPTH: Final = 32  # levels of nesting: the same, "Document types"
_MODULUS: Final = 2**256
_HEX: Final = 64


@dataclass(frozen=True, slots=True)
class ItemDigest:
    """A number of items and their digest.

    Args:
        count: How many items; an increment that deletes more than it adds has a negative one.
        digest: The sum of their hashes, from 0 up to but not including 2**256.
        size: Bytes of their canonical texts. Increments have none: it is known of scanned tables alone.
    """

    count: int = 0
    digest: int = 0
    size: int = 0

    def __add__(self, other: ItemDigest) -> ItemDigest:
        return ItemDigest(self.count + other.count, (self.digest + other.digest) % _MODULUS, self.size + other.size)

    def __sub__(self, other: ItemDigest) -> ItemDigest:
        return ItemDigest(self.count - other.count, (self.digest - other.digest) % _MODULUS, self.size - other.size)

    @property
    def hex(self) -> str:
        """The digest as 64 hexadecimal digits."""
        return f"{self.digest:0{_HEX}x}"

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """What stands in a row, an entry or an event.

        Raises:
            ValueError: It has no count that is an integer, or no digest of 64 hexadecimal digits.
        """
        count, digest, size = written.get("count"), written.get("digest"), written.get("bytes", 0)
        if not (isinstance(count, int) and isinstance(size, int) and isinstance(digest, str) and len(digest) == _HEX):
            raise ValueError("An item digest needs a count and a digest of 64 hexadecimal digits.")
        return cls(count, int(digest, 16), size)


def of_item(item: Mapping[str, Any]) -> ItemDigest:
    """The item digest of one item.

    Args:
        item: The item, as DynamoDB JSON writes it.

    Raises:
        Rejected: It is no item.
    """
    text = canonical(item)
    return ItemDigest(1, int.from_bytes(hashlib.sha256(text).digest(), "big"), len(text))


def of_items(items: list[Mapping[str, Any]]) -> ItemDigest:
    """The item digest of a page of items: the sum of theirs."""
    return sum(map(of_item, items), ItemDigest())


def of_effect(put: Mapping[str, Any] | None, old: Mapping[str, Any] | None) -> ItemDigest:
    """What a change adds to the item digest of its table.

    Args:
        put: The item after the change; None if it was deleted.
        old: The item before it; None if there was none.
    """
    none = ItemDigest()
    effect = (of_item(put) if put is not None else none) - (of_item(old) if old is not None else none)
    return ItemDigest(effect.count, effect.digest)


def of_rows(rows: list[Mapping[str, Any]], *, what: str) -> ItemDigest:
    """The sum of what rows say.

    Args:
        rows: Rows with a count and a digest.
        what: What the rows are of, for the error.

    Raises:
        Rejected: One of them has none.
    """
    try:
        total = sum((ItemDigest.read(row) for row in rows), ItemDigest())
    except ValueError as error:
        raise Rejected(f"{what}: {error}") from error
    return ItemDigest(total.count, total.digest)


def canonical(item: Mapping[str, Any]) -> bytes:
    """The item as one text: attributes and sets in order, numbers and binary values in one notation.

    Args:
        item: Attribute values by name, as DynamoDB JSON writes them. Binary values may be base64 or bytes.

    Raises:
        Rejected: It is no item.
    """
    if not isinstance(item, Mapping):
        raise Rejected("An item is not a map of attributes.")
    ordered = {name: _value(value, 0) for name, value in item.items()}
    return json.dumps(ordered, sort_keys=True, separators=(",", ":")).encode("ascii")


def _value(value: Any, depth: int) -> dict[str, Any]:  # noqa: C901 - one case for each type that DynamoDB has
    if not isinstance(value, Mapping) or len(value) != 1:
        raise Rejected("An attribute value does not have exactly one type.")
    if depth > _DEPTH:
        raise Rejected(f"An item is nested deeper than {_DEPTH} levels.")
    ((kind, inner),) = value.items()
    match kind, inner:
        case "S", str():
            return {"S": inner}
        case "N", str():
            return {"N": _number(inner)}
        case "B", str() | bytes():
            return {"B": _binary(inner)}
        case "BOOL", bool():
            return {"BOOL": inner}
        case "NULL", True:
            return {"NULL": True}
        case "M", Mapping():
            return {"M": {name: _value(one, depth + 1) for name, one in inner.items()}}
        case "L", list():
            return {"L": [_value(one, depth + 1) for one in inner]}
        case "SS", list():
            return {"SS": _set(inner, _string)}
        case "NS", list():
            return {"NS": _set(inner, _number)}
        case "BS", list():
            return {"BS": _set(inner, _binary)}
    raise Rejected(f"An attribute value says it is {str(kind)[:8]!r}, and is not.")


def _set(values: list[Any], normal: Any) -> list[str]:
    ordered = sorted(normal(value) for value in values)
    if not ordered or len(set(ordered)) < len(ordered):
        raise Rejected("A set is empty or holds a value twice.")
    return ordered


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Rejected("A set of strings holds something else.")
    return value


def _number(value: Any) -> str:
    """Digits without zeros at either end, and an exponent; zero has no sign."""
    try:
        number = Decimal(value) if isinstance(value, str) and len(value) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Rejected("A number is not a number.")
    sign, digits, exponent = number.as_tuple()
    written = "".join(map(str, digits))
    significant = written.rstrip("0")
    if not significant:
        return "0"
    if len(significant) > _DIGITS or not isinstance(exponent, int):
        raise Rejected(f"A number has more than {_DIGITS} digits.")
    return f"{'-' if sign else ''}{significant}E{exponent + len(written) - len(significant)}"


def _binary(value: Any) -> str:
    try:
        raw = value if isinstance(value, bytes) else base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Rejected("A binary value is not base64.") from error
    return base64.b64encode(raw).decode("ascii")
