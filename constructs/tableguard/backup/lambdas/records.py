"""The records of an export's data files: one line each of a gzip file, which is streamed in constant memory."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .errors import Rejected
from .item_digest import ItemDigest, canonical, of_effect

# An item has at most 400 KB, and DynamoDB JSON writes at most nine characters for a byte of it (a list of empty
# strings); a record of an incremental export holds two images. A longer line is no record, but a decompression bomb.
LONGEST_LINE: Final = 16 * 2**20
_CHUNK: Final = 256 * 1024  # bytes that are decompressed at a time
_GZIP: Final = 31  # zlib's code for a gzip header, nothing else
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


def lines(chunks: Iterable[bytes], *, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a gzip file, without their ends. Lines that are empty are left out.

    An empty file has no lines, whether it is of zero bytes or the gzip of nothing; several gzip members in a row are
    one file (RFC 1952).

    Args:
        chunks: The compressed file, in pieces of any size.
        longest: Bytes of the longest line that is taken.

    Raises:
        Rejected: The file is cut short, is not gzip from end to end, or has a longer line.
    """
    rest = bytearray()
    for text in _decompressed(chunks):
        start = 0
        while (end := text.find(b"\n", start)) >= 0:
            rest += text[start:end]
            _check_length(rest, longest)
            if rest.strip():
                yield bytes(rest)
            rest = bytearray()
            start = end + 1
        rest += text[start:]
        _check_length(rest, longest)
    if rest.strip():
        yield bytes(rest)


def _check_length(line: bytearray, longest: int) -> None:
    if len(line) > longest:
        raise Rejected(f"A line has more than {longest} bytes, which no record of an export has.")


def _decompressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of the gzip members, in pieces of a bounded size however well they are compressed."""
    member = None
    for chunk in filter(None, chunks):
        waiting = chunk
        while True:
            member = member or zlib.decompressobj(_GZIP)
            try:
                text = member.decompress(waiting, _CHUNK)
            except zlib.error as error:
                raise Rejected(f"The file is not gzip from end to end: {error}.") from error
            if text:
                yield text
            if member.eof:
                waiting, member = member.unused_data, None
                if not waiting:
                    break
            else:
                waiting = member.unconsumed_tail
                if not waiting:  # what zlib holds back comes with the next piece: the member's end is still to come
                    break
    if member is not None:
        raise Rejected("The file is cut short: its last gzip member has no end.")
