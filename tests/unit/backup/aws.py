"""S3 and DynamoDB in memory, behind real clients: the parameters of each call are checked by botocore's models.

Only what the backups use, with the semantics that matter there: versions, pinned reads, conditional writes, the lock
that a sealed bucket asks for, listings in pages, batches that are taken in part.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.response import StreamingBody

_client = boto3.client  # tests put something else in its place
_behind: dict[str, Service] = {}
"""Who answers what is asked of a client: of each service there is one at a time."""
PAGE = 3  # keys or versions of one answer; small, so that every listing has several


class RefusalError(Exception):
    """What a service answers instead."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass
class Stored:
    key: str
    id: str
    body: bytes | None  # None: a delete marker
    etag: str
    head: dict[str, Any]
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))


class Bucket:
    def __init__(self, *, locked: bool = False) -> None:
        self.locked = locked
        self.versions: list[Stored] = []  # the oldest first

    def current(self, key: str) -> Stored | None:
        found = [version for version in self.versions if version.key == key]
        return found[-1] if found and found[-1].body is not None else None


class Service:
    """Dispatches the calls of a real client to methods of the same names."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda _operation, _request: None
        self.after: Callable[[str, dict[str, Any]], None] = lambda _operation, _request: None
        self._lock = threading.RLock()

    def client(self, name: str) -> Any:
        """The client of a service, behind which this one is from now on: making a client takes long."""
        _behind[name] = self
        return _client_of(name)

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[Http, dict[str, Any]]:
        with self._lock:
            self.calls.append((operation, request))
            try:
                self.before(operation, request)
                done = getattr(self, operation)(**request)
                self.after(operation, request)
                return Http(200), done
            except RefusalError as refusal:
                return Http(refusal.status), {"Error": {"Code": refusal.code, "Message": "refused"}}

    def count(self, operation: str) -> int:
        return sum(1 for called, _ in self.calls if called == operation)


@dataclass
class Http:
    status_code: int


@functools.cache
def _client_of(name: str) -> Any:
    asked = threading.local()
    client: Any = _client(
        name,  # type: ignore[call-overload]
        region_name="eu-west-1",
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up",
        config=Config(user_agent="tests"),  # the usual one is put together for every request
    )

    def remember(params: dict[str, Any], **_more: Any) -> None:
        asked.request = dict(params)

    def answer(model: Any, **_more: Any) -> Any:
        return _behind[name].answer(model.name, asked.request)

    client.meta.events.register_first("provide-client-params.*.*", remember)
    client.meta.events.register_first("before-call.*.*", answer)
    return client


class S3(Service):
    def __init__(self, **buckets: Bucket) -> None:
        super().__init__()
        self.buckets = buckets
        self.replaced_by_md5 = True  # an ETag is the MD5; not so where replicas are encrypted anew
        self.largest_read = 0

    def put(self, bucket: str, key: str, body: bytes | None, **head: Any) -> str:
        """Store a version, as the owner of the bucket would."""
        versions = self.buckets[bucket].versions
        number = f"v{len(versions) + 1}"
        content = body or b""
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        etag = md5 if self.replaced_by_md5 else hashlib.sha1(content, usedforsecurity=False).hexdigest()
        versions.append(Stored(key, number, body, etag, head))
        return number

    def _version(self, bucket: str, key: str, version: str | None) -> Stored:
        if version is None:
            found = self.buckets[bucket].current(key)
        else:
            found = next((one for one in self.buckets[bucket].versions if (one.key, one.id) == (key, version)), None)
        if found is None or found.body is None:
            raise RefusalError("NoSuchKey" if version is None else "NoSuchVersion", 404)
        return found

    def PutObject(self, **request: Any) -> dict[str, Any]:  # noqa: N802 - as the API names it
        return self._write(request, request.get("Body", b""))

    def CopyObject(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        source = request["CopySource"]
        found = self._version(source["Bucket"], source["Key"], source["VersionId"])
        assert found.body is not None
        if request.get("CopySourceIfMatch", found.etag).strip('"') != found.etag:
            raise RefusalError("PreconditionFailed", 412)
        assert request["MetadataDirective"] == request["TaggingDirective"] == "REPLACE", "nothing of the source's"
        assert "ACL" not in request
        written = self._write(request, found.body)
        checksum = base64.b64encode(hashlib.sha256(found.body).digest()).decode()
        return {"VersionId": written["VersionId"], "CopyObjectResult": {"ChecksumSHA256": checksum}}

    def _write(self, request: dict[str, Any], body: bytes) -> dict[str, Any]:
        bucket = self.buckets[request["Bucket"]]
        if bucket.locked:
            if request.get("IfNoneMatch") != "*":
                raise RefusalError("AccessDenied", 403)
            if not {"ObjectLockMode", "ObjectLockRetainUntilDate", "ChecksumAlgorithm"} <= set(request):
                raise RefusalError("InvalidRequest")
        if request.get("IfNoneMatch") == "*" and bucket.current(request["Key"]):
            raise RefusalError("PreconditionFailed", 412)
        kept = ("ObjectLockMode", "ObjectLockRetainUntilDate", "Metadata")
        head: dict[str, Any] = {name: request[name] for name in kept if name in request}
        if "ChecksumAlgorithm" in request:
            head["ChecksumSHA256"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
        return {"VersionId": self.put(request["Bucket"], request["Key"], body, **head)}

    def GetObject(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        found = self._version(request["Bucket"], request["Key"], request.get("VersionId"))
        assert found.body is not None
        return {"Body": StreamingBody(self._stream(found.body), len(found.body)), "ETag": f'"{found.etag}"'}

    def _stream(self, body: bytes) -> io.BytesIO:
        return io.BytesIO(body)

    def HeadObject(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        try:
            found = self._version(request["Bucket"], request["Key"], request.get("VersionId"))
        except RefusalError as refusal:
            raise RefusalError("404", 404) from refusal  # an answer to HEAD has no body to say more
        assert found.body is not None
        head = dict(found.head)
        if request.get("ChecksumMode") != "ENABLED":
            head.pop("ChecksumSHA256", None)
        return {"ContentLength": len(found.body), "ETag": f'"{found.etag}"', "VersionId": found.id, **head}

    def DeleteObject(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        if "VersionId" in request:
            bucket = self.buckets[request["Bucket"]]
            bucket.versions = [
                one for one in bucket.versions if (one.key, one.id) != (request["Key"], request["VersionId"])
            ]
        else:
            self.put(request["Bucket"], request["Key"], None)
        return {}

    def ListObjectVersions(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        after = (request.get("KeyMarker", ""), request.get("VersionIdMarker"))
        every = sorted(enumerate(self.buckets[request["Bucket"]].versions), key=lambda one: (one[1].key, -one[0]))
        found = [version for _, version in every if version.key.startswith(request.get("Prefix", ""))]
        if after[1]:
            at = next(i for i, version in enumerate(found) if (version.key, version.id) == after)
            found = found[at + 1 :]
        else:
            found = [version for version in found if version.key > after[0]]
        page, more = found[:PAGE], len(found) > PAGE
        answer: dict[str, Any] = {"IsTruncated": more}
        if more:
            answer |= {"NextKeyMarker": page[-1].key, "NextVersionIdMarker": page[-1].id}
        stored = [version for version in page if version.body is not None]
        answer["Versions"] = [
            {
                "Key": version.key,
                "VersionId": version.id,
                "Size": version.head.get("Size", len(version.body or b"")),
                "ETag": f'"{version.etag}"',
                "LastModified": version.modified,
            }
            for version in stored
        ]
        return answer

    def ListObjectsV2(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        bucket, prefix, delimiter = self.buckets[request["Bucket"]], request.get("Prefix", ""), request.get("Delimiter")
        names = {version.key for version in bucket.versions if bucket.current(version.key)}
        rows: set[tuple[str, bool]] = set()
        for name in names:
            if not name.startswith(prefix):
                continue
            head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            rows.add((f"{prefix}{head}{found}", True) if found else (name, False))
        start = request.get("ContinuationToken") or request.get("StartAfter", "")
        waiting = sorted(row for row in rows if row[0] > start)
        page, more = waiting[:PAGE], len(waiting) > PAGE
        answer: dict[str, Any] = {
            "IsTruncated": more,
            "Contents": [{"Key": name} for name, folder in page if not folder],
            "CommonPrefixes": [{"Prefix": name} for name, folder in page if folder],
        }
        return answer | ({"NextContinuationToken": page[-1][0]} if more else {})


class States(Service):
    """Step Functions, of which somebody says what runs."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[str] = []

    def ListExecutions(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        assert request["statusFilter"] == "RUNNING"
        start = int(request.get("nextToken", 0))
        page = self.running[start : start + PAGE]
        named = [{"executionArn": arn, "stateMachineArn": request["stateMachineArn"], "name": "x"} for arn in page]
        more = {"nextToken": str(start + PAGE)} if start + PAGE < len(self.running) else {}
        return {"executions": named, **more}


class DynamoDB(Service):
    """One table per name, with items by the canonical text of their key."""

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.keys = keys
        self.items: dict[str, dict[str, Any]] = {}
        self.takes: Iterator[int] = iter(lambda: 25, 0)  # how many requests of each batch are processed

    def _key(self, item: dict[str, Any]) -> str:
        return repr([(name, item[name]) for name in self.keys])

    def DescribeTable(self, **_request: Any) -> dict[str, Any]:  # noqa: N802
        types = ("HASH", "RANGE")
        schema = [{"AttributeName": name, "KeyType": kind} for name, kind in zip(self.keys, types, strict=False)]
        return {"Table": {"KeySchema": schema}}

    def BatchWriteItem(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        ((table, requests),) = request["RequestItems"].items()
        keys = [
            self._key(one["PutRequest"]["Item"] if "PutRequest" in one else one["DeleteRequest"]["Key"])
            for one in requests
        ]
        if not 1 <= len(requests) <= 25 or len(set(keys)) != len(keys):
            raise RefusalError("ValidationException")
        taken = next(self.takes)
        for key, one in list(zip(keys, requests, strict=True))[:taken]:
            if "PutRequest" in one:
                self.items[key] = one["PutRequest"]["Item"]
            else:
                self.items.pop(key, None)
        rest = requests[taken:]
        return {"UnprocessedItems": {table: rest} if rest else {}}

    def Scan(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        assert request["ConsistentRead"]
        total, segment = request["TotalSegments"], request["Segment"]
        mine = [(key, item) for i, (key, item) in enumerate(sorted(self.items.items())) if i % total == segment]
        if start := request.get("ExclusiveStartKey"):
            mine = [(key, item) for key, item in mine if key > self._key(start)]
        answer: dict[str, Any] = {"Items": [item for _, item in mine[:2]]}
        if len(mine) > 2:
            answer["LastEvaluatedKey"] = {name: mine[1][1][name] for name in self.keys}
        return answer

    def GetItem(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        assert request["ConsistentRead"]
        found = self.items.get(self._key(request["Key"]))
        return {"Item": found} if found else {}
