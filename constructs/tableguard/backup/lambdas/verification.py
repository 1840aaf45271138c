"""Lets an export in: checks its manifests and lists the work of sealing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from . import catalogue, moments, quota, storage
from .errors import NotYetComplete, Rejected
from .manifests import DataFile, ExportLocation, Summary, check_sum, read_files, read_summary
from .records import FULL, INCREMENTAL
from .storage import Version

LARGEST_FILE: Final = 5 * 2**30  # bytes that CopyObject copies at once: S3 API reference, CopyObject
OLDEST: Final = catalogue.OLDEST
_FUTURE: Final = timedelta(hours=1)  # clocks differ by less, and a false moment is a nuisance for as long
_MOST_VERSIONS: Final = 1_000  # of a manifest. The oldest counts, so more would only cost time
_MOST_CANDIDATES: Final = 10  # versions of a data file that are read to find the one that the manifest means
_MANIFESTS: Final = (
    "manifest-summary.json",
    "manifest-summary.checksum",
    "manifest-files.json",
    "manifest-files.checksum",
)
_MOST_BYTES: Final = 64 * 2**20  # of a manifest: 100,000 lines of 640 bytes


@dataclass(frozen=True, slots=True)
class VerifiedExport:
    """An export whose manifests agree with their checksums and with the place where they stand.

    Args:
        place: Where it stands.
        summary: What its summary says.
        files: Its data files.
        manifests: The oldest version of each of its four manifests, with its content.
    """

    place: ExportLocation
    summary: Summary
    files: list[DataFile]
    manifests: dict[Version, bytes]


def read(s3: Any, bucket: str, key: object) -> VerifiedExport:
    """Read the manifests of an export. What is written over them later changes nothing: the oldest version counts.

    Args:
        s3: The client.
        bucket: The intake bucket.
        key: The key of manifest-summary.json.

    Raises:
        NotYetComplete: One of them has not arrived.
        Rejected: One of them is not what it should be.
    """
    place = ExportLocation.of(key)
    found: dict[str, Version] = {}
    for name in _MANIFESTS:
        versions = storage.versions_of(s3, bucket, f"{place.folder}{name}", most=_MOST_VERSIONS)
        if not versions:
            raise NotYetComplete(f"{place.folder}{name} has not arrived in {bucket}.")
        found[name] = versions[0]
    bodies = {name: storage.read_small(s3, bucket, version, most=_MOST_BYTES) for name, version in found.items()}
    for name in ("manifest-summary", "manifest-files"):
        check_sum(bodies[f"{name}.json"], bodies[f"{name}.checksum"], name=f"{place.folder}{name}.json")
    summary = read_summary(bodies["manifest-summary.json"], place)
    files = read_files(bodies["manifest-files.json"], place, summary)
    return VerifiedExport(place, summary, files, {found[name]: bodies[name] for name in _MANIFESTS})


def check_time(verified: VerifiedExport, now: datetime) -> None:
    """Refuse windows that no export can have: one from the future would stay the newest backup for ever.

    Raises:
        Rejected: The window ends more than an hour from now, or more than 60 days ago.
    """
    if not now - OLDEST <= verified.summary.end <= now + _FUTURE:
        raise Rejected(
            f"The export {verified.place.folder} is of {moments.show(verified.summary.end)}, and it is "
            f"{moments.show(now)}: at most {OLDEST.days} days old exports are sealed, and none from the future."
        )


def work_of(s3: Any, bucket: str, verified: VerifiedExport) -> list[dict[str, Any]]:
    """One work item for each data file, with the versions that it may be.

    Raises:
        NotYetComplete: A data file has not arrived; the message says how many, and names one.
        Rejected: A data file is too large.
    """

    def candidates(file: DataFile) -> list[Version]:
        return _candidates(s3, bucket, file)

    found = storage.in_parallel(candidates, verified.files)
    missing = [file.key for file, versions in zip(verified.files, found, strict=True) if not versions]
    if missing:
        raise NotYetComplete(
            f"{len(missing)} of {len(found)} data files have not arrived in {bucket}; one is {missing[0]}."
        )
    return [
        {
            "n": number,
            "bucket": bucket,
            "key": file.key,
            "versions": [version.id for version in versions],
            "bytes": max(version.size for version in versions),
            "md5": file.md5,
            "records": file.records,
            "type": verified.summary.kind,
            "sealed_key": f"{verified.place.sealed}{file.key.rpartition('/')[2]}",
            "work": verified.place.work,
        }
        for number, (file, versions) in enumerate(zip(verified.files, found, strict=True))
    ]


def check_item(item: Mapping[str, Any]) -> None:
    """See that a work item would seal a file of an export where `work_of` says, and nowhere else.

    Raises:
        Rejected: Somebody has made it up.
    """
    source, _, export = str(item["work"]).removesuffix("/").rpartition("/")
    folder, _, name = str(item["key"]).rpartition("/")
    place = ExportLocation.of(f"{source}/AWSDynamoDB/{export}/manifest-summary.json")
    said = (item["work"], f"{folder}/", item["sealed_key"])
    if item["type"] not in {FULL, INCREMENTAL} or said != (
        place.work,
        place.data(item["type"]),
        f"{place.sealed}{name}",
    ):
        raise Rejected(f"This is no work item of the export {place.folder}.")


def _candidates(s3: Any, bucket: str, file: DataFile) -> list[Version]:
    """The versions of a data file, the likeliest first."""
    versions = storage.versions_of(s3, bucket, file.key, most=_MOST_VERSIONS)
    found = [version for version in versions if version.size <= LARGEST_FILE]
    if versions and not found:
        raise Rejected(
            f"{file.key} is larger than {LARGEST_FILE} bytes (5 GiB), the most that S3 copies as one object with its "
            "lock and checksum. This export cannot be sealed."
        )
    # An ETag is no proof, and after a replication that encrypts anew it is another one. It is a hint where to start.
    found.sort(key=lambda version: version.etag != file.etag)
    return found[:_MOST_CANDIDATES]


def verify_export(
    s3: Any, bucket: str, key: str, *, sealed: str, work: str, limits: quota.DailyQuota, now: datetime
) -> dict[str, Any]:
    """Check an export, count it in and write down the work of sealing it.

    Args:
        s3: The client.
        bucket: The intake bucket.
        key: The key of manifest-summary.json.
        sealed: The sealed bucket.
        work: The work bucket.
        limits: What the source account may have.
        now: The moment.

    Returns:
        What the other steps need, and whether the export is sealed already.

    Raises:
        NotYetComplete: A file has not arrived.
        Rejected: The export must not be sealed.
        QuotaExceeded: The source account has had its share.
    """
    verified = read(s3, bucket, key)
    place = verified.place
    result: dict[str, Any] = {
        "export_id": place.export,
        "prefix": place.folder,
        "bucket": bucket,
        "key": key,
        "work_key": f"{place.work}files.json",
        "files": len(verified.files),
        "already_sealed": bool(
            storage.versions_of(s3, sealed, catalogue.key_of(place, verified.summary), most=_MOST_VERSIONS)
        ),
    }
    if result["already_sealed"]:
        return result
    check_time(verified, now)
    items = work_of(s3, bucket, verified)
    quota.admit(s3, work, place, size=sum(item["bytes"] for item in items), quota=limits, now=moments.now())
    storage.put_json(s3, work, result["work_key"], items)
    return result
