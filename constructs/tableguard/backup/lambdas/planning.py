"""Plans a restore: which sealed files are loaded in which order, and what the table must hold afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from . import catalogue, chain, moments, storage
from .errors import Damaged
from .item_digest import ItemDigest
from .records import FULL, INCREMENTAL
from .storage import Version

_SHOWN: Final = 3  # damaged objects that a message names


def plan_restore(
    s3: Any,
    source: Mapping[str, str],
    until: datetime | None,
    *,
    sealed_by: datetime | None = None,
    sealed: str,
    work: str,
    folder: str,
) -> dict[str, Any]:
    """Choose the chain, see that every file of it is there and what it was, and write down the steps.

    Args:
        s3: The client.
        source: Account, region and name of the table.
        until: The moment to go up to; None means as far as there are exports.
        sealed_by: Nothing that was sealed later is looked at, and what was sealed by then is trusted; None means that
            everything is looked at, and nothing may contradict anything.
        sealed: The sealed bucket.
        work: The work bucket of the account that restores.
        folder: The folder of this restore in the work bucket, ending with a slash.

    Returns:
        The steps in their order, each with the key of its array of files, and what to expect.

    Raises:
        NoBackup: No full export is sealed up to the moment.
        BrokenChain: A window is missing, or exports contradict each other.
        Damaged: A sealed object is not there, or not what the catalogue says.
    """
    name = f"{source['account']}/{source['region']}/{source['table']}"
    known = [
        version for version in catalogue.entries(s3, sealed, name) if sealed_by is None or version.modified <= sealed_by
    ]
    found = catalogue.candidates(known, until)
    version_of = {version.key: version for version in found}

    def link(version: Version) -> chain.Link:
        return catalogue.link_of(version, catalogue.read(s3, sealed, version))

    links = [link for link in storage.in_parallel(link, found) if sealed_by is None or link.sealed_at <= sealed_by]
    chosen = chain.choose(links, until, trusted=sealed_by is not None)
    steps, expected, records, size = [], ItemDigest(), 0, 0
    for number, one in enumerate(chosen):
        # Entries are read again, one at a time: those of a whole chain may be too many files to hold at once.
        entry = catalogue.read(s3, sealed, version_of[one.key])
        expected += _checked_digest(one.key, entry)
        _check_files(s3, sealed, entry["files"])
        key = f"{folder}steps/{number}.json"
        storage.put_json(s3, work, key, entry["files"])
        kind, start, end = (entry["export"][part] for part in ("type", "from", "to"))
        steps.append({"key": key, "files": len(entry["files"]), "type": kind, "from": start, "to": end})
        records += entry["records"]
        size += entry["bytes"]
    return {
        "work_bucket": work,
        "work_prefix": folder,
        "steps": steps,
        "expected": {"count": expected.count, "digest": expected.hex},
        "reached": moments.show(chosen[-1].end),
        "table_id": chosen[0].table_id,
        "records": records,
        "bytes": size,
    }


def _checked_digest(key: str, entry: Mapping[str, Any]) -> ItemDigest:
    """The effect of an export, once its files add up to it."""
    try:
        total = sum((ItemDigest.read(file) for file in _without_sizes(entry["files"])), ItemDigest())
        whole = ItemDigest.read({"count": entry["count"], "digest": entry["digest"]})
        records = sum(file["records"] for file in entry["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{key} is no catalogue entry: {error}") from error
    if total != whole or records != entry["records"] or entry["export"]["type"] not in {FULL, INCREMENTAL}:
        raise Damaged(f"{key}: its files do not add up to what it says of the whole.")
    return whole


def _without_sizes(files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count and digest of each row; the bytes there are those of the file, not of its items."""
    return [{"count": file["count"], "digest": file["digest"]} for file in files]


def _check_files(s3: Any, sealed: str, files: Sequence[Mapping[str, Any]]) -> None:
    def wrong(file: Mapping[str, Any]) -> str | None:
        return _what_is_wrong(s3, sealed, file)

    damaged = [found for found in storage.in_parallel(wrong, files) if found]
    if damaged:
        raise Damaged(f"{len(damaged)} of {len(files)} files cannot be restored: {' '.join(damaged[:_SHOWN])}")


def _what_is_wrong(s3: Any, sealed: str, file: Mapping[str, Any]) -> str | None:
    try:
        head = s3.head_object(Bucket=sealed, Key=file["key"], VersionId=file["version_id"], ChecksumMode="ENABLED")
    except ClientError as error:
        if storage.is_missing(error):
            return f"{file['key']} has no version {file['version_id']} in {sealed}."
        raise
    if storage.hex_of(head.get("ChecksumSHA256", "")) != file["sha256"] or head["ContentLength"] != file["bytes"]:
        return f"{file['key']} (version {file['version_id']}) is not what the catalogue says."
    return None
