"""Compares the restored table with what the sealed exports say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from . import backoff
from .errors import Different, Throttled
from .item_digest import ItemDigest, of_items
from .records import from_client, to_client

RESERVE: Final = 30.0  # seconds that must be left when a page is asked for


def digest_segment(dynamodb: Any, event: Mapping[str, Any], *, left: Callable[[], float]) -> dict[str, Any]:
    """Add up a segment of the table, from where the last invocation stopped.

    Args:
        dynamodb: The client.
        event: `{"table", "segment", "segments", "start", "count", "digest", "bytes"}`; `start` is null at first.
        left: Seconds that are left for this.

    Returns:
        The same with the sums so far, and `done`.

    Raises:
        Throttled: The table answered nothing during the whole invocation.
    """
    table, segment, segments = event["table"], int(event["segment"]), int(event["segments"])
    total, start = ItemDigest.read(event), event.get("start")
    done = False
    first = True
    while not done and (first or left() >= RESERVE):
        page = _page(
            dynamodb,
            left,
            TableName=table,
            Segment=segment,
            TotalSegments=segments,
            ConsistentRead=True,
            **({"ExclusiveStartKey": to_client(json.loads(start))} if start else {}),
        )
        if page is None and first:
            raise Throttled(f"{table} answered nothing of segment {segment}.")
        if page is None:
            break
        first = False
        total += of_items(page["Items"])
        further = page.get("LastEvaluatedKey")
        start = json.dumps(from_client(further), sort_keys=True) if further else None
        done = start is None
    return {
        "table": table,
        "segment": segment,
        "segments": segments,
        "start": start,
        "count": total.count,
        "digest": total.hex,
        "bytes": total.size,
        "done": done,
    }


def _page(dynamodb: Any, left: Callable[[], float], **request: Any) -> dict[str, Any] | None:
    """One page, however often the table asks to come back later; None when there is no time for another attempt."""
    attempt = 0
    while True:
        try:
            page: dict[str, Any] = dynamodb.scan(**request)
        except ClientError as error:
            if not backoff.is_throttled(error):
                raise
        else:
            return page
        if left() < RESERVE:
            return None
        attempt += 1
        backoff.pause(attempt)


def check(expected: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Hold the sum of all segments against what the chain adds up to.

    Args:
        expected: Count and digest.
        segments: The last output for each segment.

    Returns:
        Count, digest, and the bytes of the items as one canonical text each.

    Raises:
        Different: A segment is missing, or the sums differ.
    """
    numbers = sorted(int(one["segment"]) for one in segments)
    if (
        not segments
        or any(int(one["segments"]) != len(segments) or one.get("done") is not True for one in segments)
        or numbers != list(range(len(segments)))
    ):
        raise Different(
            f"The table was not read to its end: of its segments, {numbers} are there, some of them in part."
        )
    found = sum((ItemDigest.read(one) for one in segments), ItemDigest())
    wanted = ItemDigest.read({"count": expected["count"], "digest": expected["digest"]})
    if (found.count, found.digest) != (wanted.count, wanted.digest):
        kind = "the same number, but not the same content" if found.count == wanted.count else "another number"
        raise Different(
            f"The table holds {kind} of items: {found.count} with the digest {found.hex}, and the sealed exports say "
            f"{wanted.count} with {wanted.hex}."
        )
    return {"count": found.count, "digest": found.hex, "bytes": found.size}
