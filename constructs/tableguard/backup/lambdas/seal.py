"""The handlers of the sealing machine: open, copy, close, problem; and of the sweeping one: sweep, holes.

Environment: INTAKE_BUCKET, SEALED_BUCKET, WORK_BUCKET; RETENTION_MODE (COMPLIANCE or GOVERNANCE) with RETENTION_DAYS or
RETENTION_YEARS; QUOTA_BYTES_PER_DAY and QUOTA_EXPORTS_PER_DAY, for each source account; SEALING_MACHINE, its ARN.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

from . import completion, copying, moments, problems, storage, sweeping, verification, window_gaps
from .clients import Context, s3, seconds_left, setting, states
from .errors import Rejected
from .manifests import ExportLocation
from .quota import DailyQuota

_DAYS_OF_A_YEAR: Final = 365
_MOST_DAYS: Final = 36_500  # S3 user guide, "Object Lock": 100 years


def open(event: dict[str, Any], _context: Context) -> dict[str, Any]:  # noqa: A001 - the name of the step
    """Check an export that has arrived, and list the work of sealing it.

    Args:
        event: `{"bucket": …, "key": "…/manifest-summary.json", "now": …, "execution": …}`; `now` is the machine's
            clock, and the function's own if it is left out; `execution` is the ARN of the execution, which sweeps leave
            alone as long as it runs.

    Returns:
        `{"export_id", "prefix", "bucket", "key", "work_key", "files", "already_sealed"}`; the object at `work_key` in
        the work bucket is an array of `files` work items.

    Raises:
        NotYetComplete: A file of the export has not arrived.
        Rejected: The export must not be sealed.
        QuotaExceeded: The source account has had its share of these 24 hours.
    """
    bucket, key = _of_intake(event)
    now = moments.parse(event["now"], what="now") if event.get("now") else moments.now()
    quota = DailyQuota(exports=int(setting("QUOTA_EXPORTS_PER_DAY")), size=int(setting("QUOTA_BYTES_PER_DAY")))
    work = ExportLocation.of(key).work
    with _noted(work):
        if event.get("execution"):
            sweeping.mark(s3(), setting("WORK_BUCKET"), work, str(event["execution"]))
        return verification.verify_export(
            s3(), bucket, key, sealed=setting("SEALED_BUCKET"), work=setting("WORK_BUCKET"), limits=quota, now=now
        )


def copy(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Seal one data file.

    Args:
        event: A work item of `open`, and the name of the `execution`, which reads what has gone wrong.
        context: Says how much time is left.

    Returns:
        `{"file": its name}`.

    Raises:
        Rejected: The file is not what the manifest says.
        Unfinished: The time is up. What was reached is stored: call again.
    """
    _check_intake(event["bucket"])
    verification.check_item(event)
    with _noted(event["work"]), _told(event):
        return copying.copy_file(
            s3(),
            event,
            sealed=setting("SEALED_BUCKET"),
            work=setting("WORK_BUCKET"),
            lock=_lock(),
            left=partial(seconds_left, context),
        )


def close(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """Write the catalogue entry of an export whose data files are sealed.

    Args:
        event: What `open` returned; `bucket` and `key` are used.

    Returns:
        `{"catalogue_key", "version_id", "records", "bytes", "count"}`.

    Raises:
        NotYetComplete: A data file is not sealed.
        Rejected: Something else has the place of the entry or of a manifest.
    """
    bucket, key = _of_intake(event)
    with _noted(ExportLocation.of(key).work):
        return completion.complete_export(
            s3(), bucket, key, sealed=setting("SEALED_BUCKET"), work=setting("WORK_BUCKET"), lock=_lock()
        )


def problem(event: dict[str, Any], _context: Context) -> dict[str, str]:
    """Say what stopped the copies.

    Args:
        event: `{"bucket", "key"}` of the export's manifest, the name of the `execution`, and `{"Error", "Cause"}`: what
            the machine itself knows of it.

    Returns:
        `{"Error", "Cause"}`: what the workers have met, or the machine's own if none has said anything.
    """
    _, key = _of_intake(event)
    work, bucket = ExportLocation.of(key).work, setting("WORK_BUCKET")

    def is_sealed(number: str) -> bool:
        return storage.get_json(s3(), bucket, copying.row_key(work, int(number))) is not None

    return problems.told(s3(), bucket, problems.folder_of(work, problems.execution_of(event)), event, settled=is_sealed)


def sweep(_event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Find exports that have arrived and that no run has sealed, or is sealing.

    Args:
        context: Says how much time is left.

    Returns:
        `{"exports": [{"bucket", "key"}, …]}`, at most 100: inputs of `open`.
    """
    return sweeping.sweep(
        s3(),
        setting("INTAKE_BUCKET"),
        sealed=setting("SEALED_BUCKET"),
        work=setting("WORK_BUCKET"),
        running=sweeping.running(states(), setting("SEALING_MACHINE")),
        left=partial(seconds_left, context),
    )


def holes(_event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """Count the windows that are missing between what is sealed.

    Returns:
        `{"counts": [[{"account", "table"?, "missing"}, …], …], "holes": [text, …]}`: see `window_gaps.missing_windows`.
    """
    return window_gaps.missing_windows(s3(), setting("SEALED_BUCKET"), now=moments.now())


def _of_intake(event: dict[str, Any]) -> tuple[str, str]:
    _check_intake(event.get("bucket"))
    key = event.get("key")
    if not isinstance(key, str):
        raise Rejected("The event has no key of a manifest-summary.json.")
    return setting("INTAKE_BUCKET"), key


def _check_intake(bucket: object) -> None:
    if bucket != setting("INTAKE_BUCKET"):
        raise Rejected(f"Exports are sealed from {setting('INTAKE_BUCKET')} only, not from {bucket!r}.")


def _lock() -> copying.ObjectLock:
    mode = setting("RETENTION_MODE")
    if mode not in {"COMPLIANCE", "GOVERNANCE"}:
        raise ValueError(f"RETENTION_MODE must be COMPLIANCE or GOVERNANCE, not {mode!r}.")
    years = os.environ.get("RETENTION_YEARS")
    days = int(years) * _DAYS_OF_A_YEAR if years else int(setting("RETENTION_DAYS"))
    if not 1 <= days <= _MOST_DAYS:
        raise ValueError(f"The retention must have from 1 to {_MOST_DAYS} days, not {days}.")
    return copying.ObjectLock(mode=mode, days=days)


@contextmanager
def _noted(work: str) -> Iterator[None]:
    """Leave a note of a rejection, so that no sweep takes up the export again."""
    try:
        yield
    except Rejected as error:
        storage.put_json(s3(), setting("WORK_BUCKET"), sweeping.rejected_key(work), {"why": str(error)})
        raise


def _told(event: dict[str, Any]) -> AbstractContextManager[None]:
    folder = problems.folder_of(event["work"], problems.execution_of(event))
    return problems.noted(s3(), setting("WORK_BUCKET"), folder, str(event["n"]))
