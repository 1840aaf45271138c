"""The handlers for a restore from point-in-time recovery: they measure an export that the restore made for itself.

What a vault does while sealing is done here for files that nobody keeps: afterwards they are loaded as a chain is.

Environment: SEALED_BUCKET, the bucket of the export; WORK_BUCKET.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from . import copying, item_digest, moments, problems, storage, verification
from .clients import Context, s3, seconds_left, setting
from .errors import NotYetComplete, Rejected, Unfinished
from .records import FULL

_AT_ONCE: Final = 500
_RESERVE_SECONDS: Final = 60


def begin(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """Check the manifests of the export and list its files.

    Args:
        event: `{"source": {"account", "region", "table"}, "export": its ARN, "execution": name}`.

    Returns:
        `{"work_key": the key of the list, "files": how many, "key": of its manifest, "execution"}`.

    Raises:
        NotYetComplete: A file is not there yet.
        Rejected: It is no full export of that table.
    """
    execution = problems.execution_of(event)
    key = f"{_folder(event)}manifest-summary.json"
    bucket, work = setting("SEALED_BUCKET"), setting("WORK_BUCKET")
    verified = verification.read(s3(), bucket, key)
    if verified.summary.kind != FULL:
        raise Rejected(f"{key} is of an increment.")
    items = [
        {**item, "work": f"{execution}/", "execution": execution}
        for item in verification.work_of(s3(), bucket, verified)
    ]
    work_key = f"{execution}/files.json"
    storage.put_json(s3(), work, work_key, items)
    return {"work_key": work_key, "files": len(items), "key": key, "execution": execution}


def _folder(event: Mapping[str, Any]) -> str:
    """Where DynamoDB has put the export."""
    source, export = event["source"], event["export"].rpartition("/")[2]
    return f"{source['account']}/{source['region']}/{source['table']}/AWSDynamoDB/{export}/"


def measure(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Read one file to its end and write down which version it is and what it holds.

    Args:
        event: One item of the list.
        context: Says how much time is left.

    Returns:
        `{"file": its number}`.

    Raises:
        Rejected: It is not what the manifest says.
        Unfinished: The time is up; the next invocation goes on.
    """
    work = setting("WORK_BUCKET")
    folder = problems.folder_of(event["work"], problems.execution_of(event))
    with problems.noted(s3(), work, folder, event["key"]):
        return _measured(event, work, partial(seconds_left, context))


def _measured(event: Mapping[str, Any], work: str, left: Callable[[], float]) -> dict[str, Any]:
    read = copying.find(s3(), event, work, left)
    row = {
        "key": event["key"],
        "version_id": read.version,
        "sha256": read.sha256,
        "bytes": read.size,
        "records": event["records"],
        "count": read.effect.count,
        "digest": read.effect.hex,
    }
    storage.put_json(s3(), work, copying.row_key(event["work"], event["n"]), row)
    return {"file": event["n"]}


def finish(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """Add up what was measured.

    Args:
        event: What `begin` returned.

    Returns:
        What `restore.plan` returns: one step, and what to expect of the table.

    Raises:
        NotYetComplete: A file has not been measured.
        Rejected: The files do not add up to what the manifest says.
    """
    bucket, work, folder = setting("SEALED_BUCKET"), setting("WORK_BUCKET"), f"{event['execution']}/"
    verified = verification.read(s3(), bucket, event["key"])

    def row(number: int) -> dict[str, Any]:
        found: dict[str, Any] | None = storage.get_json(s3(), work, copying.row_key(folder, number))
        if found is None:
            raise NotYetComplete(f"File {number} of {event['key']} has not been measured.")
        return found

    rows = storage.in_parallel(row, range(len(verified.files)))
    total = item_digest.of_rows(list[Mapping[str, Any]](rows), what=event["key"])
    if total.count != verified.summary.items:
        raise Rejected(f"The files hold {total.count} items, and the manifest says {verified.summary.items}.")
    key = f"{folder}steps/0.json"
    storage.put_json(s3(), work, key, rows)
    reached = moments.show(verified.summary.end)
    return {
        "work_bucket": work,
        "work_prefix": folder,
        "steps": [{"key": key, "files": len(rows), "type": FULL, "from": None, "to": reached}],
        "expected": {"count": total.count, "digest": total.hex},
        "reached": reached,
        "table_id": verified.summary.table_id,
        "records": sum(row["records"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
    }


def clear(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Remove every version of the export, which holds the table in clear and which nobody needs any more.

    Args:
        event: `{"source": {"account", "region", "table"}, "export": its ARN}`.
        context: Says how much time is left.

    Returns:
        `{"removed": how many}`, in this invocation.

    Raises:
        Unfinished: The time is up; the next invocation goes on.
    """
    bucket = setting("SEALED_BUCKET")

    def remove(found: storage.Version) -> None:
        s3().delete_object(Bucket=bucket, Key=found.key, VersionId=found.id)

    every = list(storage.versions(s3(), bucket, _folder(event)))
    for first in range(0, len(every), _AT_ONCE):
        if seconds_left(context) < _RESERVE_SECONDS:
            raise Unfinished(f"{first} of {len(every)} versions of {event['export']} have been removed.")
        storage.in_parallel(remove, every[first : first + _AT_ONCE])
    return {"removed": len(every)}
