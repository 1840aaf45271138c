"""Where the emulated S3 differs from S3 in what backups rest on: conditional copies, their checksums and retention.

- CopyObject honours If-None-Match and If-Match, computes the checksum that is asked for and keeps that one alone, says
  it in the answer, and takes retention from the request or the bucket, never from the source.
- A retention that has ended already, or a mode without a date, is refused.
- Versioning of a bucket with Object Lock cannot be suspended.
- SSE-KMS without a key means the account's own for S3.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import clock  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core.responses import get_account_id, get_region
from ministack.services import s3

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]
_SSE = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
_MODE, _DATE = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"


def install() -> None:
    """Wrap what the emulated S3 does."""
    s3._copy_object = _copying(s3._copy_object)
    lock_error, put_retention = s3._object_lock_header_error, s3._put_object_retention
    put_versioning = s3._put_bucket_versioning

    def object_lock_header_error(bucket: str, headers: _Json) -> _Answer | None:
        said: _Answer | None = lock_error(bucket, headers) or _wrong(headers.get(_MODE), headers.get(_DATE))
        return said

    def put_object_retention(bucket: str, key: str, body: bytes, headers: _Json, query: _Json) -> _Answer:
        date = next((each.text for each in s3.fromstring(body).iter() if each.tag.endswith("RetainUntilDate")), None)
        answer: _Answer = _past(date) or put_retention(bucket, key, body, headers, query)
        return answer

    def put_bucket_versioning(bucket: str, body: bytes) -> _Answer:
        if b"Suspended" in body and s3._bucket_object_lock.get(bucket):
            said = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            refusal: _Answer = s3._error("InvalidBucketState", said, 409)
            return refusal
        answer: _Answer = put_versioning(bucket, body)
        return answer

    s3._resolve_sse_write_headers = _with_the_own_key(s3._resolve_sse_write_headers)
    s3._object_lock_header_error, s3._put_object_retention = object_lock_header_error, put_object_retention
    s3._put_bucket_versioning = put_bucket_versioning


def _copying(copy: Callable[..., _Answer]) -> Callable[..., _Answer]:
    def copy_object(bucket: str, key: str, headers: _Json) -> _Answer:
        there = s3._buckets.get(bucket, {}).get("objects", {}).get(key)
        refused: _Answer | None = s3._check_put_preconditions(headers, there)
        if refused:
            return refused
        algorithm = headers.get("x-amz-checksum-algorithm", "").upper()
        asked = {**headers, "x-amz-sdk-checksum-algorithm": algorithm} if algorithm else dict(headers)
        status, answered, body = copy(bucket, key, asked)
        if status != 200:
            return status, answered, body
        made = s3._buckets[bucket]["objects"][key]
        if algorithm:
            for other in set(made["checksums"]) - {algorithm}:
                del made["checksums"][other]
            value = escape(made["checksums"][algorithm])
            more = f"<Checksum{algorithm}>{value}</Checksum{algorithm}></CopyObjectResult>".encode()
            body = body.replace(b"</CopyObjectResult>", more)
        version = made.get("version_id")
        for carried in (s3._object_retention, s3._object_legal_hold):
            carried.pop((bucket, key, version), None)
        s3._apply_object_lock_from_headers(bucket, key, headers, version)
        return status, answered, body

    return copy_object


def _with_the_own_key(resolve: Callable[[_Json, str], Any]) -> Callable[[_Json, str], Any]:
    def resolve_with_a_key(headers: _Json, bucket: str) -> Any:
        said = {**s3._bucket_default_sse_headers(bucket), **{name: headers[name] for name in _SSE if name in headers}}
        if said.get(_SSE[0]) == "aws:kms" and _SSE[1] not in said:
            own = f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"
            return resolve({**headers, _SSE[0]: "aws:kms", _SSE[1]: own}, bucket)
        return resolve(headers, bucket)

    return resolve_with_a_key


def _wrong(mode: str | None, date: str | None) -> _Answer | None:
    if bool(mode) != bool(date):
        said = f"{_DATE} and {_MODE} must both be supplied"
        refusal: _Answer = s3._error("InvalidArgument", said, 400)
        return refusal
    return _past(date)


def _past(date: str | None) -> _Answer | None:
    if not date or dt.datetime.fromisoformat(date).timestamp() > clock.now():
        return None
    refusal: _Answer = s3._error("InvalidArgument", "The retain until date must be in the future!", 400)
    return refusal
