"""Reads the manifests of an export, and holds them against the place where they stand.

Source: DynamoDB developer guide, "DynamoDB table export output format".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from . import moments
from .errors import Rejected
from .records import FULL, INCREMENTAL

MOST_FILES: Final = 100_000  # of one export; a table of 100 TB in files of 1 GB each
LONGEST_WINDOW: Final = timedelta(hours=24)  # of an increment: DynamoDB API reference, ExportTableToPointInTime
_TYPES: Final = {"FULL_EXPORT": FULL, "INCREMENTAL_EXPORT": INCREMENTAL}
_KEY: Final = re.compile(
    r"(?P<prefix>(?P<account>\d{12})/(?P<region>[a-z0-9-]{5,32})/(?P<table>[A-Za-z0-9_.-]{3,255}))"
    r"/AWSDynamoDB/(?P<export>[A-Za-z0-9-]{1,40})/manifest-summary\.json"
)
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json\.gz")


@dataclass(frozen=True, slots=True)
class ExportLocation:
    """Where the export stands in the intake bucket, which says whose it is.

    Args:
        account: The account of the table, from the part of the bucket that only its replication role may write.
        region: The table's region.
        table: The table's name.
        export: The id of the export.
    """

    account: str
    region: str
    table: str
    export: str

    @classmethod
    def of(cls, key: object) -> ExportLocation:
        """The place of a manifest-summary.json.

        Raises:
            Rejected: The key is none of such a manifest.
        """
        found = _KEY.fullmatch(key) if isinstance(key, str) else None
        if found is None:
            raise Rejected(
                f"{str(key)[:300]!r} is no key like account/region/table/AWSDynamoDB/export/manifest-summary.json."
            )
        return cls(found["account"], found["region"], found["table"], found["export"])

    @property
    def source(self) -> str:
        """The part of every key that says which table it is of."""
        return f"{self.account}/{self.region}/{self.table}"

    @property
    def folder(self) -> str:
        """The folder of the manifests in the intake bucket, ending with a slash."""
        return f"{self.source}/AWSDynamoDB/{self.export}/"

    def data(self, kind: str) -> str:
        """The folder of the data files in the intake bucket: increments of a table share one."""
        return f"{self.folder}data/" if kind == FULL else f"{self.source}/AWSDynamoDB/data/"

    @property
    def sealed(self) -> str:
        """The folder of manifests and data files in the sealed bucket, ending with a slash."""
        return f"exports/{self.source}/{self.export}/"

    @property
    def work(self) -> str:
        """The folder of this export in the work bucket, ending with a slash."""
        return f"{self.source}/{self.export}/"


@dataclass(frozen=True, slots=True)
class Summary:
    """What manifest-summary.json says.

    Args:
        export_arn: The export.
        table_arn: The table.
        table_id: The id that a table of the same name made later does not have.
        kind: FULL or INCREMENTAL.
        start: The start of an increment's window, which is in it; None for a full export.
        end: The end of the window, which is not in it; the moment of a full export.
        items: The number of records.
    """

    export_arn: str
    table_arn: str
    table_id: str
    kind: str
    start: datetime | None
    end: datetime
    items: int


@dataclass(frozen=True, slots=True)
class DataFile:
    """One line of manifest-files.json.

    Args:
        key: The key of the data file.
        md5: The base64 of its MD5.
        etag: The ETag that it had in the bucket that it was exported to.
        records: The number of its lines.
    """

    key: str
    md5: str
    etag: str
    records: int


def check_sum(body: bytes, checksum: bytes, *, name: str) -> None:
    """Hold a manifest against its checksum.

    Raises:
        Rejected: They do not agree.
    """
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest())
    if md5 != checksum.strip():
        raise Rejected(f"{name} does not agree with its checksum: it is cut short or altered.")


def read_summary(body: bytes, place: ExportLocation) -> Summary:
    """What the summary says, once it is sure that it may be sealed.

    Args:
        body: The file.
        place: Where it stands.

    Raises:
        Rejected: It is of another table or export, of another format, filtered, or without the old images.
    """
    found = _object(body, "manifest-summary.json")
    table_arn, export_arn = _text(found, "tableArn"), _text(found, "exportArn")
    parts = table_arn.split(":")
    if parts[2:] != ["dynamodb", place.region, place.account, f"table/{place.table}"]:
        raise Rejected(
            f"The manifest at {place.folder} is of the table {table_arn[:300]!r}: not of the one it stands under."
        )
    if export_arn != f"{table_arn}/export/{place.export}":
        raise Rejected(f"The manifest at {place.folder} is of the export {export_arn[:300]!r}.")
    if found.get("manifestFilesS3Key") != f"{place.folder}manifest-files.json":
        raise Rejected(f"The manifest at {place.folder} names data files of another place.")
    if found.get("outputFormat") != "DYNAMODB_JSON":
        raise Rejected(f"The export is in the format {found.get('outputFormat')!r}; only DYNAMODB_JSON is sealed.")
    if filters := [name for name, value in found.items() if "filter" in name.lower() and value]:
        raise Rejected(f"The export is a part of the table only ({filters[0]}): it has no place in a chain.")
    kind = _kind(found)
    start, end = _window(found, kind)
    return Summary(export_arn, table_arn, _text(found, "tableId"), kind, start, end, _count(found, "itemCount"))


def _kind(found: Mapping[str, Any]) -> str:
    # Manifests of full exports from before there were incremental ones name no type.
    kind = _TYPES.get(str(found.get("exportType", "FULL_EXPORT")))
    if kind is None:
        raise Rejected(f"The export is of the type {found.get('exportType')!r}. Known: {', '.join(_TYPES)}.")
    if kind == INCREMENTAL and found.get("outputView") != "NEW_AND_OLD_IMAGES":
        raise Rejected(
            f"The increment has the view {found.get('outputView')!r}: without the old images (NEW_AND_OLD_IMAGES) "
            "nobody can prove that a chain is whole."
        )
    return kind


def _window(found: Mapping[str, Any], kind: str) -> tuple[datetime | None, datetime]:
    try:
        if kind == FULL:
            return None, moments.parse(found.get("exportTime"), what="exportTime")
        start = moments.parse(found.get("exportFromTime"), what="exportFromTime")
        end = moments.parse(found.get("exportToTime"), what="exportToTime")
    except ValueError as error:
        raise Rejected(f"manifest-summary.json: {error}") from error
    if start >= end:
        raise Rejected("The window of the increment ends before it starts.")
    if end - start > LONGEST_WINDOW:
        raise Rejected("The window of the increment is longer than 24 hours, which no export has.")
    return start, end


def read_files(body: bytes, place: ExportLocation, summary: Summary) -> list[DataFile]:
    """The data files that manifest-files.json names, which may be none.

    Args:
        body: The file.
        place: Where it stands.
        summary: The summary beside it.

    Raises:
        Rejected: One stands in another folder or is named twice, or their records do not add up to the summary's.
    """
    found = [_data_file(line, place.data(summary.kind)) for line in body.splitlines() if line.strip()]
    if len(found) > MOST_FILES:
        raise Rejected(f"The export has {len(found)} data files; at most {MOST_FILES} are sealed.")
    if len({file.key for file in found}) != len(found):
        raise Rejected("manifest-files.json names a data file twice.")
    records = sum(file.records for file in found)
    if records != summary.items:
        raise Rejected(f"The data files have {records} records, and the summary says {summary.items}.")
    return found


def _data_file(line: bytes, folder: str) -> DataFile:
    found = _object(line, "manifest-files.json")
    key, md5 = _text(found, "dataFileS3Key"), _text(found, "md5Checksum")
    # Whatever a manifest could name here would be copied to where the readers of this table may read it.
    if not key.startswith(folder) or not _FILE.fullmatch(key.removeprefix(folder)):
        raise Rejected(f"manifest-files.json names {key[:300]!r}, which is no data file in {folder}.")
    return DataFile(key, md5, str(found.get("etag", "")).strip('"'), _count(found, "itemCount"))


def _object(text: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{name} is not JSON.") from error
    if not isinstance(found, dict):
        raise Rejected(f"{name} holds no object of JSON.")
    return found


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise Rejected(f"The manifest has no {name}.")
    return value


def _count(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Rejected(f"The manifest has no {name} that is a number from 0.")
    return value
