"""Faults of S3: requests that fail, and bodies that do not arrive as they were sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import faults  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core import iam_actions
from ministack.services import s3

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]
_CODES = {"ThrottlingException": (503, "SlowDown"), "AccessDeniedException": (403, "AccessDenied")}
_SPOILS = ("lose", "alter", "truncate", "duplicate")


def install() -> None:
    """Let faults have the first word."""
    s3.handle_request = _unless_faulty(s3.handle_request)


def _unless_faulty(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def handle_unless_faulty(
        method: str, path: str, headers: _Json, body: bytes, query_params: _Json, *more: Any, **named: Any
    ) -> _Answer:
        bucket, key = s3._parse_bucket_key(path, headers)
        action = iam_actions._s3_action(method, f"/{bucket}/{key}" if key else f"/{bucket}", query_params)
        api = "s3:CopyObject" if "x-amz-copy-source" in headers else f"s3:{action}"
        wrong = faults.error(api, f"{bucket}/{key}")
        if wrong:
            status, code, message = wrong
            status, code = _CODES.get(code, (status, code))
            refusal: _Answer = s3._error(code, message, status)
            return refusal
        fault = faults.due(api, f"{bucket}/{key}", *_SPOILS) if api == "s3:PutObject" else None
        if fault is None:
            return await handle(method, path, headers, body, query_params, *more, **named)
        if fault.do == "lose":
            return 200, {"ETag": f'"{"0" * 32}"'}, b""
        # Without the checksums that were sent for the whole: they would tell.
        rest = {
            name: value for name, value in headers.items() if not name.startswith(("x-amz-checksum", "content-md5"))
        }
        rest.pop("x-amz-sdk-checksum-algorithm", None)
        answer = await handle(method, path, rest, faults.spoil(fault, body), query_params, *more, **named)
        if fault.do == "duplicate":
            answer = await handle(method, path, rest, body, query_params, *more, **named)
        return answer

    return handle_unless_faulty
