"""Loads one sealed file into the new table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from . import backoff, storage
from .errors import Damaged, NotYetComplete, Rejected, Throttled
from .item_digest import canonical
from .records import Item, Record, lines, parse, to_client

MOST_REQUESTS: Final = 25  # in one BatchWriteItem: DynamoDB API reference
_MOST_BYTES: Final = 12 * 2**20  # of lines; DynamoDB takes 16 MB in one request
RESERVE: Final = 60.0  # seconds that must be left when a batch is sent


class _TimeIsUpError(Exception):
    """There is no time for another attempt."""


def load_file(
    s3: Any, dynamodb: Any, event: Mapping[str, Any], *, sealed: str, left: Callable[[], float]
) -> dict[str, Any]:
    """Write the records of a file, from the line at which the last invocation stopped.

    Repeating it, or a part of it, changes nothing: each key is in a file once, and is written or deleted as a whole.

    Args:
        s3: The client.
        dynamodb: The client.
        event: `{"file": row of the catalogue, "table", "type", "after"}`.
        sealed: The sealed bucket.
        left: Seconds that are left for this.

    Returns:
        `{"done": bool, "after": lines that are written}`.

    Raises:
        Damaged: The file is not what was sealed, or has a key twice. Nothing of an altered file is written.
        Throttled: The table took nothing during the whole invocation.
    """
    file, table, kind, after = event["file"], event["table"], event["type"], int(event.get("after") or 0)
    if after == 0:
        _check_whole(s3, sealed, file)
    keys = _key_names(dynamodb, table)
    batch, size, seen, done = _Batch(keys), 0, 0, after
    try:
        for line in lines(storage.chunks(s3, sealed, file["key"], file["version_id"])):
            seen += 1
            if seen <= after:
                continue
            if len(batch) == MOST_REQUESTS or (len(batch) and size + len(line) > _MOST_BYTES):
                _write(dynamodb, table, batch.requests, left)
                batch, size, done = _Batch(keys), 0, seen - 1
            batch.add(parse(line, kind))
            size += len(line)
        if len(batch):
            _write(dynamodb, table, batch.requests, left)
    except _TimeIsUpError:
        if done == after:
            raise Throttled(f"{table} took no write of {file['key']} after record {after}.") from None
        return {"done": False, "after": done}
    except (Rejected, NotYetComplete) as error:
        raise Damaged(f"{file['key']}, record {seen}: {error}") from error
    if seen != file["records"]:
        raise Damaged(f"{file['key']} has {seen} records, and the catalogue says {file['records']}.")
    return {"done": True, "after": seen}


def _check_whole(s3: Any, sealed: str, file: Mapping[str, Any]) -> None:
    passing = storage.Hashes(storage.chunks(s3, sealed, file["key"], file["version_id"]))
    try:
        passing.drain()
    except NotYetComplete as error:
        raise Damaged(str(error)) from error
    if (passing.sha256, passing.size) != (file["sha256"], file["bytes"]):
        raise Damaged(f"{file['key']} (version {file['version_id']}) is not what was sealed: nothing of it is written.")


def _key_names(dynamodb: Any, table: str) -> tuple[str, ...]:
    return tuple(one["AttributeName"] for one in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"])


class _Batch:
    """Requests of one BatchWriteItem, each for another key."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.requests: list[dict[str, Any]] = []
        self._names = keys
        self._keys: set[bytes] = set()

    def __len__(self) -> int:
        return len(self.requests)

    def add(self, record: Record) -> None:
        """Add what a record asks for.

        Raises:
            Rejected: It lacks the key, or its key is here already.
        """
        if record.keys is not None and set(record.keys) != set(self._names):
            raise Rejected("The record's key is not that of the table.")
        key = self._key(record.keys or record.put or {})
        normal = canonical(key)
        if normal in self._keys:
            raise Rejected("The file has a key twice.")
        self._keys.add(normal)
        if record.put is not None:
            self.requests.append({"PutRequest": {"Item": to_client(record.put)}})
        else:
            self.requests.append({"DeleteRequest": {"Key": to_client(key)}})

    def _key(self, image: Item) -> Item:
        if missing := [name for name in self._names if name not in image]:
            raise Rejected(f"The record lacks {missing[0]!r}, a key attribute of the table.")
        return {name: image[name] for name in self._names}


def _write(dynamodb: Any, table: str, requests: list[dict[str, Any]], left: Callable[[], float]) -> None:
    """Write all of the requests, however often the table asks to come back later."""
    attempt = 0
    while requests:
        if left() < RESERVE:
            raise _TimeIsUpError
        if attempt:
            backoff.pause(attempt)
        attempt += 1
        try:
            answer = dynamodb.batch_write_item(RequestItems={table: requests})
        except ClientError as error:
            if not backoff.is_throttled(error):
                raise
            continue
        unprocessed = answer.get("UnprocessedItems", {}).get(table, [])
        if len(unprocessed) < len(requests):
            attempt = 1 if unprocessed else 0  # the table is taking something
        requests = unprocessed
