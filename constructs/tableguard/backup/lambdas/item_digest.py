"""How many items there are and what they hold, in a form that can be added up.

The digest of a set of items is the sum of the SHA-256 of each, modulo 2**256. The order does not matter, so the
digest of a full export and the changes of all increments add up to the digest of the table at the end of the chain: a
record that is lost, doubled or altered, or an increment that is missing, changes the sum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .canonical import canonical
from .errors import Rejected

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
