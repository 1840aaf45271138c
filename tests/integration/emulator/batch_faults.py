"""A table that takes a part of a batch only: what it leaves is named in the answer, and the caller comes back with it.

The emulated DynamoDB takes every batch as a whole. The fault is `dynamodb:BatchWriteItem`, `leave`.
"""

from __future__ import annotations

import json
from typing import Any

import faults  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.services import dynamodb

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Wrap what writes batches."""
    write = dynamodb._batch_write_item

    def write_or_leave(data: _Json) -> _Answer:
        if faults.due("dynamodb:BatchWriteItem", data, "leave") is None:
            answer: _Answer = write(data)
            return answer
        taken = {table: requests[::2] for table, requests in data["RequestItems"].items()}
        left = {table: requests[1::2] for table, requests in data["RequestItems"].items() if requests[1::2]}
        status, headers, body = write({**data, "RequestItems": taken})
        return status, headers, json.dumps({**json.loads(body), "UnprocessedItems": left}).encode()

    dynamodb._batch_write_item = write_or_leave
