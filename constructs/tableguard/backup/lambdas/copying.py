"""Seals one data file: reads it to the end, and copies exactly the version that was read under the vault's own lock."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from . import moments, storage
from .errors import Rejected, Unfinished
from .item_digest import ItemDigest
from .records import lines, parse

_LINES: Final = 2_000  # between two looks at the clock
_MOST_SEALED: Final = 10  # versions of a sealed object: each is written once
_RESERVE: Final = 120.0  # seconds that are kept for the checksums of the rest, and for the copy


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """How the vault locks what it seals.

    Args:
        mode: COMPLIANCE or GOVERNANCE.
        days: For how many days, from the moment of the copy.
    """

    mode: str
    days: int

    def until(self) -> datetime:
        """The moment up to which an object that is written now is locked."""
        return (moments.now() + timedelta(days=self.days)).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a version of a data file was found to be."""

    version: str
    sha256: str
    size: int
    effect: ItemDigest


def copy_file(
    s3: Any, item: Mapping[str, Any], *, sealed: str, work: str, lock: ObjectLock, left: Callable[[], float]
) -> dict[str, Any]:
    """Seal one data file. A repetition finds what an earlier run has sealed, and does not read it again.

    What was found of the file is kept with the sealed object, which nobody can change: its row in the work bucket is
    made of that.

    Args:
        s3: The client.
        item: A work item of `verification.work_of`.
        sealed: The sealed bucket.
        work: The work bucket.
        lock: How it is locked.
        left: Seconds that are left for this.

    Returns:
        The name of the file.

    Raises:
        Rejected: No version of the file is what the manifest says, or its place in the sealed bucket is taken.
        Unfinished: The time is up; the next invocation goes on.
    """
    row = _sealed_before(s3, item, sealed) or _seal_file(s3, item, sealed, find(s3, item, work, left), lock)
    known = {"n": item["n"], "key": item["sealed_key"], "md5": item["md5"], "records": item["records"]}
    storage.put_json(s3, work, row_key(item["work"], item["n"]), {**known, **row})
    return {"file": posixpath.basename(item["key"])}


def _seal_file(s3: Any, item: Mapping[str, Any], sealed: str, read: _Read, lock: ObjectLock) -> dict[str, Any]:
    said = {
        "md5": item["md5"],
        "records": str(item["records"]),
        "count": str(read.effect.count),
        "digest": read.effect.hex,
    }
    copied = seal(
        s3, item["bucket"], item["key"], read.version, read.sha256, to=item["sealed_key"], sealed=sealed, lock=lock,
        said=said,
    )  # fmt: skip
    effect = {"count": read.effect.count, "digest": read.effect.hex}
    return {"sha256": read.sha256, "bytes": read.size, **effect, **copied}


def _sealed_before(s3: Any, item: Mapping[str, Any], sealed: str) -> dict[str, Any] | None:
    """What an earlier run has found of this very file and sealed; None if there is nothing, or something else."""
    versions = storage.versions_of(s3, sealed, item["sealed_key"], most=_MOST_SEALED)
    if not versions:
        return None
    head = s3.head_object(Bucket=sealed, Key=item["sealed_key"], VersionId=versions[0].id, ChecksumMode="ENABLED")
    said = head.get("Metadata", {})
    same = (said.get("md5"), said.get("records")) == (item["md5"], str(item["records"]))
    if not same or not {"ObjectLockRetainUntilDate", "ChecksumSHA256"} <= set(head):
        return None
    return {
        "sha256": storage.hex_of(head["ChecksumSHA256"]),
        "bytes": head["ContentLength"],
        "count": int(said["count"]),
        "digest": said["digest"],
        "version_id": versions[0].id,
        "retain_until": moments.show(head["ObjectLockRetainUntilDate"]),
    }


def row_key(work: str, number: int) -> str:
    """The key of a result in the work bucket.

    Args:
        work: The folder of the export there.
        number: The number of the data file.
    """
    return f"{work}rows/{number}.json"


def find(s3: Any, item: Mapping[str, Any], work: str, left: Callable[[], float]) -> _Read:
    """The version that has the MD5 of the manifest."""
    for version in item["versions"]:
        read = _read(s3, item, version, work, left)
        if read is not None:
            return read
    raise Rejected(
        f"{item['key']}: none of its {len(item['versions'])} versions has the MD5 that the manifest gives: "
        "it is cut short or altered."
    )


def _read(s3: Any, item: Mapping[str, Any], version: str, work: str, left: Callable[[], float]) -> _Read | None:
    """Read a version to its end; None if it is not the one that the manifest means."""
    progress_key = f"{item['work']}progress/{item['n']}.json"
    stored = storage.get_json(s3, work, progress_key)
    start: dict[str, Any] = (
        stored if stored and stored["version"] == version else {"lines": 0, "count": 0, "digest": ItemDigest().hex}
    )
    passing = storage.Hashes(storage.chunks(s3, item["bucket"], item["key"], version))
    done, effect, wrong = 0, ItemDigest.read(start), None
    try:
        for line in lines(passing):
            done += 1
            if done <= start["lines"]:
                continue
            effect += parse(line, item["type"]).effect
            if done % _LINES == 0 and left() < _RESERVE:
                reached = {"version": version, "lines": done, "count": effect.count, "digest": effect.hex}
                storage.put_json(s3, work, progress_key, reached)
                raise Unfinished(f"{item['key']}: {done} of {item['records']} records are read.")
    except Rejected as error:
        wrong = error
    passing.drain()
    if passing.md5 != item["md5"]:
        return None
    if wrong is not None:
        raise Rejected(f"{item['key']}, record {done}: {wrong}") from wrong
    if done != item["records"]:
        raise Rejected(f"{item['key']} has {done} records, and the manifest says {item['records']}.")
    return _Read(version, passing.sha256, passing.size, effect)


def seal(
    s3: Any,
    bucket: str,
    key: str,
    version: str,
    sha256: str,
    *,
    to: str,
    sealed: str,
    lock: ObjectLock,
    said: Mapping[str, str],
) -> dict[str, str]:
    """Copy a version into the sealed bucket, unless the same content is there already.

    Nothing that the source could have set comes along: no tags, no metadata, no access list, no retention.

    Args:
        s3: The client.
        bucket: The intake bucket.
        key: The key there.
        version: The version.
        sha256: What its content was found to be.
        to: The key in the sealed bucket.
        sealed: The sealed bucket.
        lock: How it is locked.
        said: What is kept with it.

    Returns:
        The version id in the sealed bucket, and until when it is locked.

    Raises:
        Rejected: What is there is not what was read.
    """
    until = lock.until()
    try:
        answer = s3.copy_object(
            Bucket=sealed,
            Key=to,
            CopySource={"Bucket": bucket, "Key": key, "VersionId": version},
            CopySourceIfMatch=s3.head_object(Bucket=bucket, Key=key, VersionId=version)["ETag"],
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
            Metadata=dict(said),
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
            ContentType="binary/octet-stream",
            ObjectLockMode=lock.mode,
            ObjectLockRetainUntilDate=until,
        )
    except ClientError as error:
        if not storage.is_precondition(error):
            raise
        return existing(s3, sealed, to, sha256)
    stored = answer["CopyObjectResult"].get("ChecksumSHA256")
    if stored is None or "VersionId" not in answer:
        return existing(s3, sealed, to, sha256)
    if stored != base64.b64encode(bytes.fromhex(sha256)).decode("ascii"):
        raise Rejected(f"{to}: S3 stored something else than what was read and checked.")
    return {"version_id": answer["VersionId"], "retain_until": moments.show(until)}


def existing(s3: Any, sealed: str, key: str, sha256: str) -> dict[str, str]:
    """What an earlier run has sealed under a key, if it has the content.

    Raises:
        Rejected: There is something else, or it is not locked.
    """
    versions = storage.versions_of(s3, sealed, key, most=_MOST_SEALED)
    if not versions:
        raise Rejected(
            f"{key}: S3 says that the copy's source has changed, or that the key is taken, and nothing is there."
        )
    head = s3.head_object(Bucket=sealed, Key=key, VersionId=versions[0].id, ChecksumMode="ENABLED")
    if storage.hex_of(head.get("ChecksumSHA256", "")) != sha256:
        raise Rejected(f"{key} is sealed already, with another content.")
    if "ObjectLockRetainUntilDate" not in head:
        raise Rejected(f"{key} is in the sealed bucket without a lock.")
    return {"version_id": versions[0].id, "retain_until": moments.show(head["ObjectLockRetainUntilDate"])}
