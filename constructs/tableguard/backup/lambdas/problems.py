"""What a worker of a Distributed Map found wrong, for whoever reads why the whole has failed.

The map itself says only that too many of its children failed. So a worker leaves its problem in the work bucket before
it raises, and a step after the map tells the first few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from botocore.exceptions import ClientError

from . import storage
from .errors import BackupError, NotAllowed, NotYetComplete, Throttled, Unfinished

_TRANSIENT: Final = (NotYetComplete, Throttled, Unfinished)  # the machine tries again, and what was done is kept
_READ: Final = 100  # a map stops after its first failure, so that there are about as many as workers at once
_TOLD: Final = 3
_EXECUTION: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_LONGEST: Final = 1_000  # characters of one message


def execution_of(event: Mapping[str, Any]) -> str:
    """The name of the execution that an event says it is of.

    Raises:
        ValueError: It says none.
    """
    execution = event.get("execution")
    if not isinstance(execution, str) or not _EXECUTION.fullmatch(execution):
        raise ValueError("The event needs the name of its execution: letters, digits, and _ . - between them.")
    return execution


def folder_of(work: str, execution: str) -> str:
    """The folder of the problems of one execution in the work bucket, ending with a slash.

    Args:
        work: The folder of the export, or of the restore, ending with a slash.
        execution: The name of the execution: what one before it has met is none of its problems.
    """
    return f"{work}problems/{execution}/"


@contextmanager
def noted(s3: Any, bucket: str, folder: str, name: str) -> Iterator[None]:
    """Leave a note of the error that ends what is done within, unless the next attempt goes on from there.

    Args:
        s3: The client.
        bucket: The work bucket.
        folder: What `folder_of` says.
        name: What tells the worker apart from the others.
    """
    try:
        yield
    except _TRANSIENT:
        raise
    except Exception as error:  # noqa: BLE001 - raised again below, whatever it is
        problem = {"error": type(error).__name__, "message": _said(error, name)}
        try:
            storage.put_json(s3, bucket, f"{folder}{name}.json", problem)
        finally:
            raise error  # whatever becomes of the note: the machine matches on it


def _said(error: Exception, name: str) -> str:
    """What an error says of itself, and nothing of an item: a message that is not ours may quote what it was given."""
    if isinstance(error, BackupError):
        return str(error)[:_LONGEST]
    if isinstance(error, ClientError):
        return f"{name}: {error.operation_name} was answered with {storage.code_of(error)}."
    return f"{name}: the log of the function says more."


def told(
    s3: Any, bucket: str, folder: str, otherwise: Mapping[str, Any], *, settled: Callable[[str], bool] = lambda _: False
) -> dict[str, str]:
    """The first few problems of an execution as one error.

    Args:
        s3: The client.
        bucket: The work bucket.
        folder: What `folder_of` says.
        otherwise: What the map itself said, `{"Error", "Cause"}`, for where no worker left a problem.
        settled: Whether the worker of a name has come to a good end after all.

    Returns:
        `{"Error", "Cause"}`, as Step Functions has it.
    """
    found = [
        storage.get_json(s3, bucket, key)
        for key in islice(storage.keys(s3, bucket, folder), _READ)
        if not settled(key.removeprefix(folder).removesuffix(".json"))
    ]
    # What was refused is tried again: next to another problem, it has most likely passed.
    found = [each for each in found if each["error"] != NotAllowed.__name__] or found
    if not found:
        return {"Error": otherwise["Error"], "Cause": otherwise["Cause"]}
    first = found[0]["error"]
    texts = [one["message"] if one["error"] == first else f"{one['error']}: {one['message']}" for one in found[:_TOLD]]
    more = [f"and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
    return {"Error": first, "Cause": "; ".join([*texts, *more])}
