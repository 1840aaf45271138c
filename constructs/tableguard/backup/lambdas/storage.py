"""Reads and writes of S3: pinned versions, whole listings, objects that are written once."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError, FlexibleChecksumError

from .errors import Damaged, NotYetComplete, Rejected

CHUNK: Final = 1024 * 1024  # bytes of an object that are read at a time
_THREADS: Final = 32
_A = TypeVar("_A")
_B = TypeVar("_B")

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}
_PRECONDITION: Final = {"412", "PreconditionFailed"}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, as a listing shows it.

    Args:
        key: The object's key.
        id: The version's id.
        size: Its bytes.
        etag: Its ETag, without quotes: the MD5 for some ways to upload and encrypt, and something else for others.
        modified: When it was stored.
    """

    key: str
    id: str
    size: int
    etag: str
    modified: datetime


def code_of(error: ClientError) -> str:
    """The error code that a service answered with."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_missing(error: ClientError) -> bool:
    """Whether S3 says that there is no such object or version."""
    return code_of(error) in _MISSING


def is_precondition(error: ClientError) -> bool:
    """Whether S3 says that If-Match or If-None-Match does not hold."""
    return code_of(error) in _PRECONDITION


def versions(s3: Any, bucket: str, prefix: str, *, after: str = "") -> Iterator[Version]:
    """Every version of every key that starts with the prefix, key by key, the newest of a key first.

    Delete markers are left out: they take nothing away from what they cover.

    Args:
        s3: The client.
        bucket: The bucket.
        prefix: How the keys start.
        after: Keys up to and including this one are left out.
    """
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=prefix, **({"KeyMarker": after} if after else {})
    )
    for page in pages:
        for found in page.get("Versions", []):
            yield Version(
                found["Key"], found["VersionId"], found["Size"], found["ETag"].strip('"'), found["LastModified"]
            )


def versions_of(s3: Any, bucket: str, key: str, *, most: int) -> list[Version]:
    """The versions of one key, the oldest first.

    Args:
        s3: The client.
        bucket: The bucket.
        key: The key.
        most: How many there may be.

    Raises:
        Rejected: There are more: somebody writes the key over and over.
    """
    found: list[Version] = []
    for version in versions(s3, bucket, key):
        if version.key != key:  # keys are listed in order: what follows are longer ones
            break
        found.append(version)
        if len(found) > most:
            raise Rejected(f"{key} has more than {most} versions, and an export writes each key once.")
    return found[::-1]


def oldest(found: Iterable[Version]) -> dict[str, Version]:
    """The oldest version of each key of a listing."""
    return {version.key: version for version in found}  # of a key, the oldest comes last


def folders(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    """The prefixes one level below a prefix, each ending with a slash."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    for page in pages:
        for found in page.get("CommonPrefixes", []):
            yield found["Prefix"]


def keys(s3: Any, bucket: str, prefix: str, *, after: str = "") -> Iterator[str]:
    """The keys that start with the prefix, in order.

    Args:
        s3: The client.
        bucket: The bucket.
        prefix: How the keys start.
        after: Keys up to and including this one are left out.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, **({"StartAfter": after} if after else {})
    )
    for page in pages:
        for found in page.get("Contents", []):
            yield found["Key"]


def chunks(s3: Any, bucket: str, key: str, version: str) -> Iterator[bytes]:
    """A version of an object, piece by piece.

    Raises:
        NotYetComplete: There is no such version.
        Damaged: It is another content than the checksum that S3 has kept of it, which the client compares at the end.
    """
    try:
        body = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"]
    except ClientError as error:
        if is_missing(error):
            raise NotYetComplete(f"{key} has no version {version} in {bucket}.") from error
        raise
    try:
        while piece := body.read(CHUNK):
            yield piece
    except FlexibleChecksumError as error:
        raise Damaged(f"{key} (version {version}) is not what was stored in {bucket}: its checksum differs.") from error


def read_small(s3: Any, bucket: str, version: Version, *, most: int) -> bytes:
    """A version that is small enough to be held in memory.

    Args:
        s3: The client.
        bucket: The bucket.
        version: The version.
        most: Bytes that it may have.

    Raises:
        Rejected: It has more.
    """
    if version.size > most:
        raise Rejected(f"{version.key} has {version.size} bytes; at most {most} are read.")
    return b"".join(chunks(s3, bucket, version.key, version.id))


class Hashes:
    """Takes the checksums and the length of what passes through.

    Args:
        pieces: The pieces.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._md5 = hashlib.md5(usedforsecurity=False)  # what an export's manifest gives
        self._sha256 = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._md5.update(piece)
            self._sha256.update(piece)
            self.size += len(piece)
            yield piece

    def drain(self) -> None:
        """Let the rest pass, so that the checksums are those of the whole."""
        for _ in self:
            pass

    @property
    def md5(self) -> str:
        """The MD5 so far, in base64, as manifests have it."""
        return base64.b64encode(self._md5.digest()).decode("ascii")

    @property
    def sha256(self) -> str:
        """The SHA-256 so far, in hexadecimal digits, as the catalogue has it."""
        return self._sha256.hexdigest()


def hex_of(checksum: str) -> str:
    """A checksum in hexadecimal digits, from the base64 that S3 gives; that of an upload in parts fits nothing."""
    return base64.b64decode(checksum).hex() if "-" not in checksum else checksum


def put_json(s3: Any, bucket: str, key: str, value: Any) -> None:
    """Write a JSON object into a bucket of our own, over what may be there."""
    s3.put_object(
        Bucket=bucket, Key=key, Body=json.dumps(value, separators=(",", ":")).encode(), ContentType="application/json"
    )


def get_json(s3: Any, bucket: str, key: str) -> Any:
    """What an object of our own holds; None if there is none."""
    try:
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def in_parallel(do: Callable[[_A], _B], several: Iterable[_A]) -> list[_B]:
    """The results of many small requests, in order.

    Args:
        do: The request.
        several: What it is made for.

    Raises:
        Exception: The first error of one of them.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(do, several))
