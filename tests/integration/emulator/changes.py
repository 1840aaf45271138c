"""The log of changes of a table with point-in-time recovery: what each item was, when.

A table's log begins when recovery is turned on, with what the table held then, and ends when it is turned off or the
table goes. An emulator that is started anew has none of before: there, it begins with the start. Whatever writes items
(requests, transactions, PartiQL, TTL, replication, imports) goes through the emulator's two functions that are wrapped.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterator
from typing import Any

import clock  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core.responses import request_scope
from ministack.services import dynamodb

_Json = dict[str, Any]
Image = bytes | None
"""An item as JSON, or that there is none."""

_logs: dict[str, Log] = {}  # by the table's ARN


class Log:
    """What the items of a table were.

    Args:
        table: The emulator's record of the table.
    """

    def __init__(self, table: _Json) -> None:
        self.table_id: str = table["TableId"]
        self.since = clock.tick()
        self._names = [name for name in (table["pk_name"], table["sk_name"]) if name]
        # By key, as JSON: times in microseconds, and what the item has been from then on.
        self._times: dict[bytes, list[int]] = {}
        self._images: dict[bytes, list[Image]] = {}
        for rows in table["items"].values():
            for item in rows.values():
                self._keep(0, item, item)

    def write(self, old: _Json | None, new: _Json | None) -> None:
        """Keep a change, as of now."""
        either = new if new is not None else old
        if either is not None:
            self._keep(clock.tick(), either, new)

    def replaced(self, items: _Json) -> None:
        """Keep that the table now holds these, whatever it held before."""
        there = {self._key(item): item for rows in items.values() for item in rows.values()}
        for key, images in list(self._images.items()):
            latest = images[-1]
            if latest is not None and key not in there:
                self._keep(clock.tick(), json.loads(latest), None)
        for key, item in there.items():
            if key not in self._images or self._images[key][-1] != _text(item):
                self._keep(clock.tick(), item, item)

    def at(self, time: int) -> Iterator[tuple[bytes, bytes]]:
        """Key and item of all that was there, after all writes before a time in microseconds."""
        for key, times in list(self._times.items()):
            image = self._before(key, times, time)
            if image is not None:
                yield key, image

    def between(self, start: int, end: int) -> Iterator[tuple[bytes, int, Image, Image]]:
        """Key, time of the last write, and the item at both ends of a window, of all that was written in it.

        What was neither there before nor is there after is left out, as AWS does.
        """
        for key, times in list(self._times.items()):
            last = bisect.bisect_left(times, end) - 1
            if last < 0 or times[last] < start:
                continue
            old, new = self._before(key, times, start), self._images[key][last]
            if old is not None or new is not None:
                yield key, times[last], old, new

    def _before(self, key: bytes, times: list[int], time: int) -> Image:
        found = bisect.bisect_left(times, time)
        return self._images[key][found - 1] if found else None

    def _keep(self, time: int, either: _Json, new: _Json | None) -> None:
        key = self._key(either)
        # The image first: whoever reads meanwhile goes by the times.
        self._images.setdefault(key, []).append(None if new is None else _text(new))
        self._times.setdefault(key, []).append(time)

    def _key(self, item: _Json) -> bytes:
        return _text({name: item[name] for name in self._names})


def install() -> None:
    """Wrap what writes items."""
    set_item, remove_item, items_replaced = dynamodb._set_item, dynamodb._remove_item, dynamodb._items_replaced

    def set_and_keep(table: _Json, partition: Any, sort: Any, item: _Json) -> Any:
        log = of(table)
        old = set_item(table, partition, sort, item)
        if log:
            log.write(old, item)
        return old

    def remove_and_keep(table: _Json, partition: Any, sort: Any) -> Any:
        log = of(table)
        old = remove_item(table, partition, sort)
        if log:
            log.write(old, None)
        return old

    def replace_and_keep(table: _Json) -> None:
        items_replaced(table)
        log = of(table)
        if log:
            log.replaced(table["items"])

    dynamodb._set_item, dynamodb._remove_item, dynamodb._items_replaced = (
        set_and_keep,
        remove_and_keep,
        replace_and_keep,
    )


def fill(said: _Json) -> _Json:
    """Put items into a table, past all requests: in bulk, by requests, the emulator takes a second for 1,400 of them.

    Args:
        said: The `table`'s ARN, the `items`, as DynamoDB JSON, and the keys to `remove` after that.
    """
    _, _, _, region, account, name = said["table"].split(":")
    with request_scope(account, region):
        table = dynamodb._tables[name.removeprefix("table/")]
        for item in said["items"]:
            dynamodb._set_item(table, *_key_values(table, item), item)
        for key in said.get("remove", ()):
            dynamodb._remove_item(table, *_key_values(table, key))
    return {"count": table["ItemCount"]}


def _key_values(table: _Json, item: _Json) -> tuple[Any, Any]:
    sort = dynamodb._extract_key_val(item[table["sk_name"]]) if table["sk_name"] else "__no_sort__"
    return dynamodb._extract_key_val(item[table["pk_name"]]), sort


def of(table: _Json) -> Log | None:
    """The log of a table, begun now if it should have one; None without point-in-time recovery."""
    arn = table["TableArn"]
    if not days(table):
        _logs.pop(arn, None)
        return None
    log = _logs.get(arn)
    if log is None or log.table_id != table["TableId"]:
        log = _logs[arn] = Log(table)
    return log


def days(table: _Json) -> int:
    """How far back a table can be restored; 0 without point-in-time recovery."""
    _, _, _, region, account, _ = table["TableArn"].split(":", 5)
    name = table["TableArn"].split("/")[1]
    return int(dynamodb._pitr_settings.get_scoped(account, region, name, 0))


def earliest(table: _Json) -> float:
    """The earliest time that a table with point-in-time recovery can be restored to, in seconds since 1970."""
    log = of(table)
    since: float = log.since / 1_000_000 if log else clock.now()
    oldest: float = clock.now() - days(table) * 86_400
    return max(since, oldest)


def _text(value: _Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
