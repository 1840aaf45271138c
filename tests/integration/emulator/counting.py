"""How much work was done: requests by what they were, and the bytes that S3 answered with. Robust on a busy machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_actions
from ministack.services import dynamodb, s3

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]
_counted: Counter[str] = Counter()


def install() -> None:
    """Count before anything else looks at a request."""
    dynamodb.handle_request = _counting_dynamodb(dynamodb.handle_request)
    s3.handle_request = _counting_s3(s3.handle_request)


def requests(_said: _Json) -> _Json:
    """The counts so far: `dynamodb:Action`, `s3:Action`, and `bytes:s3:Action` for what was answered."""
    return {"requests": dict(_counted)}


def _counting_dynamodb(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def count_and_handle(method: str, path: str, headers: _Json, body: bytes, query_params: _Json) -> _Answer:
        _counted[f"dynamodb:{headers.get('x-amz-target', '').rpartition('.')[2]}"] += 1
        return await handle(method, path, headers, body, query_params)

    return count_and_handle


def _counting_s3(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def count_and_handle(
        method: str, path: str, headers: _Json, body: bytes, query_params: _Json, *more: Any, **named: Any
    ) -> _Answer:
        bucket, key = s3._parse_bucket_key(path, headers)
        action = iam_actions._s3_action(method, f"/{bucket}/{key}" if key else f"/{bucket}", query_params)
        answer = await handle(method, path, headers, body, query_params, *more, **named)
        _counted[f"s3:{action}"] += 1
        _counted[f"bytes:s3:{action}"] += len(answer[2] or b"")
        return answer

    return count_and_handle
