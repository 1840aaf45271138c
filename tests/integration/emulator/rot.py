"""What no request can do to a locked object, and a test may: the storage under S3 loses it, or alters a byte of it.

S3 would notice neither in what it says of the object: metadata and checksums stay as they were written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region, request_scope
from ministack.services import s3

_Json = dict[str, Any]
_ROTTEN = b"\0rotten\0"
_altered: set[tuple[str, str]] = set()
_lost: dict[tuple[str, str], tuple[Any, Any]] = {}


def install() -> None:
    """Wrap what reads bodies."""
    s3._read_body = _spoilt(s3._read_body)
    version_body = s3._version_body
    s3._version_body = lambda bucket, name, key, entry: _spoil(name, key, version_body(bucket, name, key, entry))


def rot(said: _Json) -> _Json:
    """Let an object rot, or heal it.

    Args:
        said: The `bucket`, the `key`, and what to `do`: "alter" or "lose" all its versions, or "heal" it.
    """
    name, key, do = said["bucket"], said["key"], said["do"]
    with request_scope(s3._bucket_owner_account(name), get_region()):
        objects = s3._buckets[name]["objects"]
        if do == "alter":
            _altered.add((name, key))
        elif do == "lose":
            _lost[name, key] = objects.pop(key), s3._object_versions.pop((name, key))
        elif do == "heal":
            _altered.discard((name, key))
            if (name, key) in _lost:
                objects[key], s3._object_versions[name, key] = _lost.pop((name, key))
        else:
            raise ValueError(f"There is no {do!r}.")
    return {}


def _spoilt(read: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    def read_spoilt(name: str, key: str, *rest: Any, **more: Any) -> bytes | None:
        return _spoil(name, key, read(name, key, *rest, **more))

    return read_spoilt


def _spoil(name: str, key: str, body: bytes | None) -> bytes | None:
    """The body with other bytes in its middle; doing it twice is doing it once."""
    if body is None or (name, key) not in _altered:
        return body
    start = max(0, len(body) // 2 - len(_ROTTEN))
    return body[:start] + _ROTTEN[: len(body) - start] + body[start + len(_ROTTEN) :]
