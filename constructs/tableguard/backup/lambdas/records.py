"""The records of an export's data files: one line each."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .canonical import canonical
from .errors import Rejected
from .item_digest import ItemDigest, of_effect

FULL: Final = "FULL"
INCREMENTAL: Final = "INCREMENTAL"

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """What one line says happened to one item.

    Args:
        put: The item as it is afterwards; None if it was deleted.
        old: The item as it was at the start of the window; None if there was none, and in full exports.
        keys: The item's key; None in full exports, whose lines do not tell it from the rest.
    """

    put: Item | None
    old: Item | None
    keys: Item | None

    @property
    def effect(self) -> ItemDigest:
        """What the record adds to the item digest of the table."""
        return of_effect(self.put, self.old)


def parse(line: bytes, kind: str) -> Record:
    """The record that a line of a data file holds.

    Args:
        line: The line.
        kind: FULL or INCREMENTAL, the type of the export.

    Raises:
        Rejected: It is no record of an export of that type. The message tells nothing of the item.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Rejected("A line is not JSON.") from error
    if not isinstance(found, dict):
        raise Rejected("A line is not an object of JSON.")
    return _full(found) if kind == FULL else _change(found)


def _full(found: dict[str, Any]) -> Record:
    if set(found) != {"Item"} or not isinstance(found["Item"], dict):
        raise Rejected("A line of a full export is not one Item.")
    return Record(put=found["Item"], old=None, keys=None)


def _change(found: dict[str, Any]) -> Record:
    unknown = set(found) - {"Metadata", "Keys", "NewImage", "OldImage"}
    keys, new, old = found.get("Keys"), found.get("NewImage"), found.get("OldImage")
    if unknown or not isinstance(keys, dict) or not 1 <= len(keys) <= 2:  # noqa: PLR2004 - partition and sort key
        raise Rejected("A line of an incremental export does not have Keys and images, and nothing else.")
    if not isinstance(new, dict | None) or not isinstance(old, dict | None) or (new is None and old is None):
        # Inserted and deleted inside the window leaves no record: developer guide, "Table export output format".
        raise Rejected("A line of an incremental export has neither a new nor an old image.")
    normal = canonical(keys)
    for image in (new, old):
        if image is not None and canonical({name: image[name] for name in keys if name in image}) != normal:
            raise Rejected("A line of an incremental export has an image with another key than its own.")
    return Record(put=new, old=old, keys=keys)


def to_client(item: Item) -> dict[str, Any]:
    """The item as the client takes it: binary values are bytes there, and base64 in files."""
    return {name: _map_binary(value, base64.b64decode) for name, value in item.items()}


def from_client(item: Item) -> dict[str, Any]:
    """The item as files write it, from what the client gives."""
    return {name: _map_binary(value, lambda raw: base64.b64encode(raw).decode("ascii")) for name, value in item.items()}


def _map_binary(value: Mapping[str, Any], change: Any) -> dict[str, Any]:
    ((kind, inner),) = value.items()
    match kind:
        case "B":
            return {"B": change(inner)}
        case "BS":
            return {"BS": [change(one) for one in inner]}
        case "M":
            return {"M": {name: _map_binary(one, change) for name, one in inner.items()}}
        case "L":
            return {"L": [_map_binary(one, change) for one in inner]}
    return {kind: inner}
