"""Exports to S3 as AWS documents them; the emulator itself writes none.

What is in the files comes from the log of changes. They are put into the bucket by requests to the emulated S3, as
whoever asked for the export, so that policies decide, notifications go out and replication follows. What decides
whether an export is accepted stands in `export_requests`.
"""

from __future__ import annotations

import base64
import contextvars
import gzip
import hashlib
import json
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

# Its neighbours: run as a script, they have no package.
import binding  # type: ignore[import-not-found]
import changes  # type: ignore[import-not-found]
import clock  # type: ignore[import-not-found]
import export_requests  # type: ignore[import-not-found]
import faults  # type: ignore[import-not-found]
from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb, s3

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]

_AT_LEAST = 4  # data files, of which the last is always empty, as AWS writes such ones, too
_LINES = 25_000  # in a data file, about
_RUNS = 0.3  # seconds that an export is in progress at least

_exports: dict[str, _Json] = {}  # by ARN: descriptions, in the order of their beginning


class _FailedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Take the place of the emulator's exports."""
    dynamodb._export_table_to_point_in_time = _begin
    dynamodb._describe_export = _describe
    dynamodb._list_exports = _list


# --- Requests


def _begin(data: _Json) -> _Answer:
    try:
        table, description, known = export_requests.accepted(data, list(_exports.values()))
    except export_requests.RefusedError as refused:
        return _error(refused.code, str(refused))
    if known:
        return _answer({"ExportDescription": _public(known)})
    _exports[description["ExportArn"]] = description
    log = changes.of(table)
    context = contextvars.copy_context()  # the account, and whoever asked
    context.run(binding.acting.set, binding.asking.get())
    threading.Thread(target=context.run, args=(_run, description, log), daemon=True).start()
    return _answer({"ExportDescription": _public(description)})


def _describe(data: _Json) -> _Answer:
    found = _exports.get(data.get("ExportArn", ""))
    if found is None or found["ExportArn"].split(":")[4] != get_account_id():
        return _error("ExportNotFoundException", f"Export not found: {data.get('ExportArn')}")
    return _answer({"ExportDescription": _public(found)})


def _list(data: _Json) -> _Answer:
    own = [each for each in _exports.values() if each["ExportArn"].split(":")[3:5] == [get_region(), get_account_id()]]
    table = data.get("TableArn")
    found = [each for each in own if table in {None, each["TableArn"]}]
    start, most = int(data.get("NextToken") or 0), min(int(data.get("MaxResults") or 25), 25)
    names = ("ExportArn", "ExportStatus", "ExportType")
    answer: _Json = {"ExportSummaries": [{name: each[name] for name in names} for each in found[start : start + most]]}
    if start + most < len(found):
        answer["NextToken"] = str(start + most)
    return _answer(answer)


def _public(description: _Json) -> _Json:
    return {name: value for name, value in description.items() if not name.startswith("_")}


def _answer(said: _Json) -> _Answer:
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(said).encode()


def _error(code: str, message: str) -> _Answer:
    said = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, said.encode()


# --- Writing


def _run(description: _Json, log: changes.Log) -> None:
    began = time.monotonic()
    try:
        faults.hold("dynamodb:Export", description)
        told = _write(description, log)
        time.sleep(max(0.0, _RUNS - (time.monotonic() - began)))
        description.update(told, ExportStatus="COMPLETED", EndTime=clock.now())
    except _FailedError as failed:
        description.update(
            ExportStatus="FAILED", EndTime=clock.now(), FailureCode=failed.code, FailureMessage=str(failed)
        )
    except Exception as error:
        description.update(
            ExportStatus="FAILED", EndTime=clock.now(), FailureCode="INTERNAL", FailureMessage=str(error)
        )
        raise


def _write(description: _Json, log: changes.Log) -> _Json:
    full = description["ExportType"] == "FULL_EXPORT"
    identifier = description["ExportArn"].rpartition("/")[2]
    prefix = description.get("S3Prefix", "").strip("/")
    root = f"{prefix}/AWSDynamoDB" if prefix else "AWSDynamoDB"
    here = f"{root}/{identifier}"
    _put(description, f"{here}/_started", b"")
    records = _full(log, description) if full else _increment(log, description)
    rows: list[_Json] = []
    billed = 0
    for body, count, size in _files(records):
        key = f"{here if full else root}/data/{secrets.token_hex(13)}.json.gz"
        digest = hashlib.md5(body, usedforsecurity=False)
        etag = _put(description, key, body)
        rows.append(
            {
                "itemCount": count,
                "md5Checksum": base64.b64encode(digest.digest()).decode(),
                "etag": etag,
                "dataFileS3Key": key,
            }
        )
        billed += size
    files = f"{here}/manifest-files.json"
    _put_with_checksum(description, files, "".join(f"{json.dumps(row)}\n" for row in rows).encode())
    told = {"ItemCount": sum(row["itemCount"] for row in rows), "BilledSizeBytes": billed}
    summary = _summary(description, log, told, files)
    _put_with_checksum(description, f"{here}/manifest-summary.json", json.dumps(summary).encode())
    return {**told, "ExportManifest": f"{here}/manifest-summary.json"}


def _summary(description: _Json, log: changes.Log, told: _Json, files: str) -> _Json:
    incremental = description.get("IncrementalExportSpecification")
    said: _Json = {
        "version": "2023-08-01",
        "exportArn": description["ExportArn"],
        "startTime": clock.iso(description["StartTime"]),
        "endTime": clock.now_iso(),
        "tableArn": description["TableArn"],
        "tableId": log.table_id,
    }
    if incremental:
        said["exportFromTime"] = clock.iso(incremental["ExportFromTime"])
        said["exportToTime"] = clock.iso(incremental["ExportToTime"])
    else:
        said["exportTime"] = clock.iso(description["ExportTime"])
    said |= {
        "s3Bucket": description["S3Bucket"],
        "s3Prefix": description.get("S3Prefix"),
        "s3SseAlgorithm": description.get("S3SseAlgorithm", "AES256"),
        "s3SseKmsKeyId": description.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": files,
        "billedSizeBytes": told["BilledSizeBytes"],
        "itemCount": told["ItemCount"],
        "outputFormat": "DYNAMODB_JSON",
        "exportType": description["ExportType"],
    }
    if incremental:
        said["outputView"] = incremental["ExportViewType"]
    return said


_Record = tuple[bytes, bytes]  # the key that says which file it goes to, and its line


def _full(log: changes.Log, description: _Json) -> Iterator[_Record]:
    for key, item in log.at(_micros(description["ExportTime"])):
        yield key, b'{"Item":' + item + b"}\n"


def _increment(log: changes.Log, description: _Json) -> Iterator[_Record]:
    said = description["IncrementalExportSpecification"]
    both = said["ExportViewType"] == "NEW_AND_OLD_IMAGES"
    for key, time_, old, new in log.between(_micros(said["ExportFromTime"]), _micros(said["ExportToTime"])):
        line = b'{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":%s' % (time_, key)
        if new is not None:
            line += b',"NewImage":' + new
        if both and old is not None:
            line += b',"OldImage":' + old
        yield key, line + b"}\n"


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _files(records: Iterable[_Record]) -> Iterator[tuple[bytes, int, int]]:
    """Compressed files, each with its number of lines and their size; one after the other, to hold little."""
    said = list(records)
    number = max(_AT_LEAST, len(said) // _LINES + 2)
    shards: list[list[bytes]] = [[] for _ in range(number)]
    for key, line in said:
        shards[zlib.crc32(key) % (number - 1)].append(line)
    del said
    while shards:
        shard = shards.pop(0)
        text = b"".join(shard)
        yield gzip.compress(text, 1, mtime=0), len(shard), len(text)


def _put_with_checksum(description: _Json, key: str, body: bytes) -> None:
    _put(description, key, body)
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    _put(description, f"{key.removesuffix('.json')}.checksum", base64.b64encode(digest))


def _put(description: _Json, key: str, body: bytes) -> str:
    headers = {
        "host": "s3",
        "authorization": f"AWS4-HMAC-SHA256 Credential={get_account_id()}/20260101/{get_region()}/s3/aws4_request",
        "x-amz-acl": "bucket-owner-full-control",
    }
    if "S3SseAlgorithm" in description:
        algorithm: str = description["S3SseAlgorithm"]
        headers["x-amz-server-side-encryption"] = "aws:kms" if algorithm == "KMS" else algorithm
    if "S3SseKmsKeyId" in description:
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = description["S3SseKmsKeyId"]
    bucket = description["S3Bucket"]
    owner = s3._bucket_owner_account(bucket)
    expected = description.get("S3BucketOwner", get_account_id())
    if owner is not None and owner != expected:
        raise _FailedError("S3AccessDenied", f"{bucket} belongs to {owner}, and S3BucketOwner says {expected}")
    handle: Callable[..., Any] = s3.handle_request
    path = f"/{bucket}/{quote(key)}"
    status, answered, said = app.call_service_handler_sync(handle, "PUT", path, headers, body, {})
    if status >= 400:
        text = said.decode() if isinstance(said, bytes) else said
        code = "S3NoSuchBucket" if status == 404 else "S3AccessDenied" if status == 403 else "S3Error"
        raise _FailedError(code, text)
    return str(answered["ETag"]).strip('"')
