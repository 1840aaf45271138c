"""The handlers of the restore machine: plan, load, digest, check; and problem, for what went wrong.

Environment: SEALED_BUCKET for plan and load; WORK_BUCKET, of the account that restores, for all but check.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from . import backoff, comparing, loading, moments, planning, problems
from .clients import Context, dynamodb, s3, seconds_left, setting

_SOURCE: Final = {"account": r"\d{12}", "region": r"[a-z0-9-]{5,32}", "table": r"[A-Za-z0-9_.-]{3,255}"}


def plan(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """Choose the exports to load and check that they are all there.

    Args:
        event: `{"source": {"account", "region", "table"}, "until": ISO moment or null, "execution": name,
            "sealed_by": ISO moment or null}`; nothing that was sealed after `sealed_by` is looked at.

    Returns:
        `{"work_bucket", "work_prefix", "steps": [{"key", "files", "type", "from", "to"}, …], "expected": {"count",
        "digest"}, "reached", "table_id", "records", "bytes"}`.

    Raises:
        NoBackup: No full export is sealed up to the moment.
        BrokenChain: A window is missing, or exports contradict each other and nobody said which to trust.
        Damaged: A sealed object is not there, or not what the catalogue says.
        ValueError: The event is no such one.
    """
    source = event.get("source") or {}
    for name, form in _SOURCE.items():
        if not re.fullmatch(form, str(source.get(name, ""))):
            raise ValueError(f"The event's source needs the {name} of the table.")
    execution = problems.execution_of(event)
    until = moments.parse(event["until"], what="until") if event.get("until") else None
    sealed_by = moments.parse(event["sealed_by"], what="sealed_by") if event.get("sealed_by") else None
    return planning.plan_restore(
        s3(),
        source,
        until,
        sealed_by=sealed_by,
        sealed=setting("SEALED_BUCKET"),
        work=setting("WORK_BUCKET"),
        folder=f"{execution}/",
    )


def load(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Write the records of one file into the table.

    Args:
        event: `{"file": one of a step's files, "table": name, "type": "FULL" or "INCREMENTAL", "after": lines done,
            "execution": name}`.
        context: Says how much time is left.

    Returns:
        `{"done": bool, "after": int}`; if it is not done, call again with that `after`.

    Raises:
        Damaged: The file is not what was sealed.
        Throttled: The table took nothing during the whole invocation.
        NotAllowed: DynamoDB refuses, as it does until the tags of a new table are known everywhere.
    """
    with (
        problems.noted(s3(), setting("WORK_BUCKET"), _problems(event), event["file"]["key"]),
        backoff.allowed_soon(event["table"]),
    ):
        return loading.load_file(
            s3(), dynamodb(), event, sealed=setting("SEALED_BUCKET"), left=partial(seconds_left, context)
        )


def digest(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Add up a segment of the restored table.

    Args:
        event: `{"table", "segment", "segments", "start": null, "count": 0, "digest": 64 zeros, "bytes": 0,
            "execution": name}`, or what the last call returned.
        context: Says how much time is left.

    Returns:
        The same with the sums so far, and `done`.

    Raises:
        Throttled: The table answered nothing during the whole invocation.
        NotAllowed: As in `load`.
    """
    with (
        problems.noted(s3(), setting("WORK_BUCKET"), _problems(event), f"segment {event['segment']}"),
        backoff.allowed_soon(event["table"]),
    ):
        read = comparing.digest_segment(dynamodb(), event, left=partial(seconds_left, context))
    return {**read, "execution": event["execution"]}


def check(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """Hold the restored table against what the sealed exports say.

    Args:
        event: `{"expected": of the plan, "segments": [last output of digest for each segment]}`.

    Returns:
        `{"count", "digest", "bytes"}` of the table.

    Raises:
        Different: They are not the same.
    """
    return comparing.check(event["expected"], event["segments"])


def problem(event: dict[str, Any], _context: Context) -> dict[str, str]:
    """Say what stopped the loading, the reading, or the measuring of an export.

    Args:
        event: `{"execution": name, "Error", "Cause"}`; the last two are what the machine itself knows of it.

    Returns:
        `{"Error", "Cause"}`: what the workers have met, or the machine's own if none has said anything.
    """
    return problems.told(s3(), setting("WORK_BUCKET"), _problems(event), event)


def _problems(event: dict[str, Any]) -> str:
    execution = problems.execution_of(event)
    return problems.folder_of(f"{execution}/", execution)
