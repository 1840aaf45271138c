"""The catalogue: one sealed entry for each sealed export."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from . import moments, storage
from .chain import Link
from .errors import Damaged
from .item_digest import ItemDigest
from .manifests import LONGEST_WINDOW, ExportLocation, Summary
from .records import FULL, INCREMENTAL

VERSION: Final = 1
PREFIX: Final = "catalogue/"
_MOST_BYTES: Final = 100 * 2**20  # of an entry: 100,000 files of 400 bytes each, and as much again
# PITR holds 35 days, so no export is of an older moment; the rest is time for a vault that stood still.
OLDEST: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class EntryName:
    """What the key of an entry says.

    Args:
        end: The end of the window.
        kind: FULL or INCREMENTAL.
        export: The id of the export.
    """

    end: datetime
    kind: str
    export: str


def key_of(place: ExportLocation, summary: Summary) -> str:
    """The key of an export's entry: the same in every run."""
    return f"{folder(place.source)}{moments.compact(summary.end)}-{summary.kind.lower()}-{place.export}.json"


def folder(source: str) -> str:
    """The folder of the entries of a table.

    Args:
        source: account/region/table.
    """
    return f"{PREFIX}{source}/"


def name_of(key: str) -> EntryName:
    """What a key says.

    Raises:
        Damaged: It is no key of an entry.
    """
    end, _, rest = key.rpartition("/")[2].removesuffix(".json").partition("-")
    kind, _, export = rest.partition("-")
    try:
        if kind.upper() not in {FULL, INCREMENTAL} or not export or not key.endswith(".json"):
            raise ValueError("not of the form moment-type-export.json")
        return EntryName(moments.from_compact(end), kind.upper(), export)
    except ValueError as error:
        raise Damaged(f"{key} is no key of a catalogue entry: {error}") from error


def entry_of(
    place: ExportLocation,
    summary: Summary,
    *,
    files: Sequence[Mapping[str, Any]],
    manifests: Sequence[Mapping[str, Any]],
    effect: Mapping[str, Any],
    mode: str,
) -> dict[str, Any]:
    """The entry of an export whose files are all sealed.

    Args:
        place: Where the export stood.
        summary: What its manifest says.
        files: The rows of its data files, each with the moment up to which it is locked.
        manifests: The same of its manifests.
        effect: Count and digest that the export adds to its table.
        mode: COMPLIANCE or GOVERNANCE.
    """
    every = [*files, *manifests]
    return {
        "version": VERSION,
        "source": {
            "account": place.account,
            "region": place.region,
            "table": place.table,
            "table_arn": summary.table_arn,
            "table_id": summary.table_id,
        },
        "export": {
            "id": place.export,
            "arn": summary.export_arn,
            "type": summary.kind,
            "from": moments.show(summary.start) if summary.start else None,
            "to": moments.show(summary.end),
        },
        "sealed_at": moments.show(moments.now().replace(microsecond=0)),
        "retain_until": min(row["retain_until"] for row in every),
        "mode": mode,
        "records": sum(row["records"] for row in files),
        "bytes": sum(row["bytes"] for row in files),
        "count": effect["count"],
        "digest": effect["digest"],
        "manifests": [{name: row[name] for name in ("key", "version_id", "sha256", "bytes")} for row in manifests],
        "files": [
            {name: row[name] for name in ("key", "version_id", "sha256", "bytes", "records", "count", "digest")}
            for row in files
        ],
    }


def exports(s3: Any, bucket: str, source: str, *, since: datetime) -> set[str]:
    """The ids of the sealed exports of a table whose windows end at or after a moment."""
    return {name_of(version.key).export for version in entries(s3, bucket, source, since=since)}


def entries(s3: Any, bucket: str, source: str, *, since: datetime | None = None) -> Iterator[storage.Version]:
    """The entries of a table in the order of the ends of their windows, each as it was first written."""
    start = folder(source)
    after = f"{start}{moments.compact(since.replace(microsecond=0) - timedelta(seconds=1))}" if since else ""
    yield from storage.oldest(storage.versions(s3, bucket, start, after=after)).values()


def read(s3: Any, bucket: str, version: storage.Version) -> dict[str, Any]:
    """The entry that a version holds.

    Raises:
        Damaged: It is none of this version of the catalogue, or stands under a key that is not its own.
    """
    try:
        entry = json.loads(storage.read_small(s3, bucket, version, most=_MOST_BYTES))
        name = name_of(version.key)
        export = entry["export"]
        source = entry["source"]
        own = (
            entry["version"] == VERSION
            and (export["id"], export["type"]) == (name.export, name.kind)
            and moments.parse(export["to"], what="to") == name.end
            and version.key.startswith(folder(f"{source['account']}/{source['region']}/{source['table']}"))
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{version.key} is no catalogue entry.") from error
    if not own:
        raise Damaged(f"{version.key} holds the entry of another export, or one of another version than {VERSION}.")
    return dict(entry)


def link_of(version: storage.Version, entry: Mapping[str, Any]) -> Link:
    """What the choice of a chain needs to know of an entry.

    Raises:
        Damaged: It does not say it.
    """
    try:
        export = entry["export"]
        return Link(
            key=version.key,
            table_id=entry["source"]["table_id"],
            start=moments.parse(export["from"], what="from") if export["from"] else None,
            end=moments.parse(export["to"], what="to"),
            # S3 notes by itself when an object was stored: an entry cannot say that it is older than it is.
            sealed_at=max(moments.parse(entry["sealed_at"], what="sealed_at"), version.modified),
            effect=ItemDigest.read({"count": entry["count"], "digest": entry["digest"]}),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{version.key} is no catalogue entry: {error}") from error


def candidates(found: list[storage.Version], until: datetime | None) -> list[storage.Version]:
    """The entries that a chain up to a moment may be made of, and those that would contradict it.

    They go back to the last full export before everything that can have been sealed as late as the newest: full
    exports that somebody made up would hide the true ones otherwise. Those that end after the moment stay, because one
    whose window starts before it may show a gap.
    """
    names = {version.key: name_of(version.key) for version in found}
    fulls = sorted(name.end for name in names.values() if name.kind == FULL and (until is None or name.end <= until))
    start = max((end for end in fulls if end <= fulls[-1] - OLDEST), default=None)
    last = until + LONGEST_WINDOW if until else None
    return [
        version
        for version in found
        if (start is None or names[version.key].end >= start) and (last is None or names[version.key].end <= last)
    ]


def write_once(
    s3: Any,
    bucket: str,
    key: str,
    body: bytes,
    *,
    mode: str,
    retain_until: datetime,
    content_type: str = "application/json",
) -> bool:
    """Write a locked object, unless there is one.

    Returns:
        Whether it was written: False if the key was taken.
    """
    try:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
            ContentType=content_type,
            ObjectLockMode=mode,
            ObjectLockRetainUntilDate=retain_until,
        )
    except ClientError as error:
        if storage.is_precondition(error):
            return False
        raise
    return True
