"""Whether an export is accepted, and what it is described as: the rules that AWS documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

# Its neighbours: run as a script, they have no package.
import changes  # type: ignore[import-not-found]
import clock  # type: ignore[import-not-found]
from ministack.core.responses import get_account_id
from ministack.services import dynamodb

_Json = dict[str, Any]
_SHORTEST, _LONGEST = 15 * 60, 24 * 60 * 60  # of an increment's window, in seconds
_AT_ONCE = 300
_TOKEN_LASTS = 8 * 60 * 60  # seconds
_BEHIND = 1.0  # seconds by which rounding may put a time before what it was taken from
_KEPT = ("S3Prefix", "S3BucketOwner", "S3SseAlgorithm", "S3SseKmsKeyId", "ClientToken")


class RefusedError(Exception):
    """A request that is refused.

    Args:
        code: The error's name.
        message: What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def accepted(data: _Json, exports: Sequence[_Json]) -> tuple[_Json, _Json, _Json | None]:
    """The table, the description of a new export and, if its client token is known, that of the export there is.

    Args:
        data: The request.
        exports: The descriptions of all exports.

    Raises:
        RefusedError: It is refused.
    """
    arn = data.get("TableArn") or ""
    table = dynamodb._tables.get(dynamodb._table_name_from_arn(arn))
    if table is None or table["TableArn"] != arn:
        raise RefusedError("TableNotFoundException", f"Table not found: {arn}")
    known = _known(data, exports)
    if known:
        return table, known, known
    if not changes.days(table):
        said = f"Point in time recovery is not enabled for table '{arn.split('/')[1]}'"
        raise RefusedError("PointInTimeRecoveryUnavailableException", said)
    running = sum(each["ExportStatus"] == "IN_PROGRESS" and _same_account(each, arn) for each in exports)
    if running >= _AT_ONCE:
        raise RefusedError("LimitExceededException", f"{running} exports are running; at most {_AT_ONCE} may be")
    return table, _description(data, table), None


def _known(data: _Json, exports: Sequence[_Json]) -> _Json | None:
    token = data.get("ClientToken")
    for each in exports:
        alive = clock.now() - each["StartTime"] < _TOKEN_LASTS
        if token and each.get("ClientToken") == token and alive and _same_account(each, data["TableArn"]):
            if each["_request"] != data:
                said = f"The client token {token} was used with other parameters"
                raise RefusedError("ExportConflictException", said)
            return each
    return None


def _same_account(description: _Json, arn: str) -> bool:
    return bool(description["ExportArn"].split(":")[3:5] == arn.split(":")[3:5])


def _description(data: _Json, table: _Json) -> _Json:
    if not data.get("S3Bucket"):
        raise RefusedError("ValidationException", "S3Bucket is missing")
    if data.get("ExportFormat", "DYNAMODB_JSON") != "DYNAMODB_JSON" or "FilterSpecification" in data:
        raise RefusedError(
            "ValidationException", "this emulator exports whole tables as DYNAMODB_JSON, and nothing else"
        )
    kind = data.get("ExportType", "FULL_EXPORT")
    now = clock.now()
    milliseconds = f"{int(now * 1000):014d}"
    description = {
        "ExportArn": f"{table['TableArn']}/export/{milliseconds}-{uuid4().hex[:8]}",
        "ExportStatus": "IN_PROGRESS",
        "StartTime": now,
        "TableArn": table["TableArn"],
        "TableId": table["TableId"],
        "S3Bucket": data["S3Bucket"],
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": kind,
        **{name: data[name] for name in _KEPT if data.get(name)},
        "_request": data,
        "_account": get_account_id(),
    }
    if kind == "FULL_EXPORT":
        if "IncrementalExportSpecification" in data:
            raise RefusedError("ValidationException", "IncrementalExportSpecification is for INCREMENTAL_EXPORT")
        description["ExportTime"] = _in_reach("ExportTime", _seconds(data.get("ExportTime"), now), table)
    elif kind == "INCREMENTAL_EXPORT":
        description["IncrementalExportSpecification"] = _window(data.get("IncrementalExportSpecification"), table)
    else:
        raise RefusedError("ValidationException", f"ExportType {kind} is neither FULL_EXPORT nor INCREMENTAL_EXPORT")
    return description


def _window(said: _Json | None, table: _Json) -> _Json:
    if not said or said.get("ExportFromTime") is None:
        raise RefusedError("ValidationException", "IncrementalExportSpecification.ExportFromTime is missing")
    start = _in_reach("ExportFromTime", _seconds(said["ExportFromTime"], 0.0), table)
    end = _in_reach("ExportToTime", _seconds(said.get("ExportToTime"), clock.now()), table)
    if not _SHORTEST <= end - start <= _LONGEST:
        raise RefusedError(
            "ValidationException",
            f"The window from {clock.iso(start)} to {clock.iso(end)} must be of 15 minutes to 24 hours",
        )
    view = said.get("ExportViewType", "NEW_AND_OLD_IMAGES")
    if view not in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}:
        raise RefusedError("ValidationException", f"ExportViewType {view} is neither NEW_IMAGE nor NEW_AND_OLD_IMAGES")
    return {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}


def _in_reach(name: str, time: float, table: _Json) -> float:
    earliest = changes.earliest(table)
    if not earliest - _BEHIND <= time <= clock.now():
        said = f"{name} {clock.iso(time)} is not between {clock.iso(earliest)} and {clock.now_iso()}"
        raise RefusedError("InvalidExportTimeException", said)
    return time


def _seconds(said: Any, otherwise: float) -> float:
    """A time: seconds since 1970 from the SDKs, text from Step Functions."""
    if said is None:
        return otherwise
    if isinstance(said, str):
        return dt.datetime.fromisoformat(said).timestamp()
    return float(said)
