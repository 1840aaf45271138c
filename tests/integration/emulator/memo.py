"""What the emulated DynamoDB works out again and again for the same answer, worked out once.

It decides nothing anew: each function here asks the emulator's own, and keeps what that said.

- How long a number is, how it is written and whether it is one goes by its text.
- A page of a Scan begins at a partition and holds a megabyte; the emulator sorts and hashes all items for each.
- An item of a batch is validated before the first is written, and need not be validated again as it is written.
- Nobody is told what a batch consumes who does not ask for it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from contextvars import ContextVar
from types import FunctionType
from typing import Any

from ministack.services import dynamodb

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]
_TEXTS = 1 << 18

_batch: ContextVar[_Batch | None] = ContextVar("batch", default=None)
_sizes: ContextVar[dict[int, int] | None] = ContextVar("sizes", default=None)  # of a page's items, by their identity


class _Batch:
    """A batch that is being written.

    Args:
        asked: Whether what it consumes is told.
    """

    def __init__(self, *, asked: bool) -> None:
        self.asked = asked
        self.validated: set[tuple[int, Any]] = set()  # items, which the batch holds, by their identity; and keys


def install() -> None:
    """Wrap what is asked for so often."""
    for name in ("_number_error", "_ddb_canonicalize_number", "_number_size_bytes"):
        setattr(dynamodb, name, _by_text(getattr(dynamodb, name)))
    dynamodb._validate_item = _once_a_batch(dynamodb._validate_item)
    dynamodb._accumulate_write_capacity = _if_asked(dynamodb._accumulate_write_capacity)
    dynamodb._batch_write_item = _as_a_batch(dynamodb._batch_write_item)
    dynamodb._item_size_bytes = _once_a_page(dynamodb._item_size_bytes)
    dynamodb._scan = _from_its_start(dynamodb._scan)


def _by_text(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    kept = functools.lru_cache(_TEXTS)(of)
    return lambda text: kept(text) if type(text) is str else of(text)


# --- Batches


def _as_a_batch(write: Callable[[_Json], _Answer]) -> Callable[[_Json], _Answer]:
    def write_as_a_batch(data: _Json) -> _Answer:
        token = _batch.set(_Batch(asked=data.get("ReturnConsumedCapacity", "NONE") != "NONE"))
        try:
            return write(data)
        finally:
            _batch.reset(token)

    return write_as_a_batch


def _once_a_batch(validate: Callable[..., _Answer | None]) -> Callable[..., _Answer | None]:
    def validate_once(item: _Json, *keys: Any) -> _Answer | None:
        batch = _batch.get()
        if batch is None:
            return validate(item, *keys)
        if (id(item), keys) in batch.validated:
            return None
        wrong = validate(item, *keys)
        if wrong is None:
            batch.validated.add((id(item), keys))
        return wrong

    return validate_once


def _if_asked(add: Callable[..., None]) -> Callable[..., None]:
    def add_if_asked(*write: Any) -> None:
        batch = _batch.get()
        if batch is None or batch.asked:
            add(*write)

    return add_if_asked


# --- Pages of a Scan


def _from_its_start(scan: FunctionType) -> Callable[[_Json], _Answer]:
    """Let a page look at what it can hold: for each page, the emulator would sort and hash all that the table has."""

    def scan_from_its_start(data: _Json) -> _Answer:
        table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
        segment, total = data.get("Segment", 0), data.get("TotalSegments", 1)
        plain = isinstance(segment, int) and isinstance(total, int) and ("Segment" in data) is ("TotalSegments" in data)
        start = (data.get("ExclusiveStartKey") or {}).get(table["pk_name"]) if table else None
        if table is None or not plain or data.get("IndexName") or not isinstance(start, dict | None):
            answer: _Answer = scan(data)
            return answer
        known: dict[int, int] = {}
        token = _sizes.set(known)
        try:
            items = _page(table, segment, total, dynamodb._extract_key_val(start), known)
            tables = {table["TableName"]: {**table, "items": items}}
            found: _Answer = FunctionType(scan.__code__, {**vars(dynamodb), "_tables": tables})(data)
        finally:
            _sizes.reset(token)
        return found

    return scan_from_its_start


def _once_a_page(size: Callable[[_Json], int]) -> Callable[[_Json], int]:
    def size_once(item: _Json) -> int:
        known = (_sizes.get() or {}).get(id(item))
        return size(item) if known is None else known

    return size_once


def _page(table: _Json, segment: int, total: int, start: str, known: dict[int, int]) -> dict[str, _Json]:
    """Partitions of a segment from one on: as many as a page holds beyond that one, and what tells that more follow."""
    page, size = {}, 0
    for key in sorted(key for key in table["items"] if key >= start and (total < 2 or _segment(key, total) == segment)):
        if size > dynamodb._DDB_PAGE_SIZE_BYTES:
            break
        page[key] = rows = dict(table["items"][key])
        if key != start:
            sizes = {id(item): dynamodb._item_size_bytes(item) for item in rows.values()}
            known |= sizes
            size += sum(sizes.values())
    return page


@functools.lru_cache(_TEXTS)
def _segment(key: str, total: int) -> int:
    """As the emulator has it."""
    return int.from_bytes(hashlib.sha1(key.encode(), usedforsecurity=False).digest()[:4], "big") % total
