"""Finds exports in the intake bucket that nobody has sealed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice, takewhile, zip_longest
from typing import Any, Final

from . import catalogue, moments, storage
from .errors import Rejected
from .manifests import ExportLocation
from .verification import OLDEST

MOST: Final = 100  # exports that one sweep starts; the next takes the others
_RESERVE: Final = 30.0  # seconds


def sweep(
    s3: Any, intake: str, *, sealed: str, work: str, running: Collection[str], left: Callable[[], float]
) -> dict[str, list[dict[str, str]]]:
    """The exports that have arrived and are neither sealed, rejected nor at it, at most 100, in turn from each account.

    A source that sends thousands of exports that nobody can seal keeps its own waiting, not those of the others.

    Args:
        s3: The client.
        intake: The intake bucket.
        sealed: The sealed bucket.
        work: The work bucket.
        running: The executions that are at it.
        left: Seconds that are left for this.
    """
    waiting = [
        _of_account(s3, intake, account, sealed=sealed, work=work, running=running, left=left)
        for account in storage.folders(s3, intake, "")
    ]
    in_turn = filter(None, chain.from_iterable(zip_longest(*waiting)))
    return {"exports": [{"bucket": intake, "key": key} for key in islice(in_turn, MOST)]}


def _of_account(
    s3: Any, intake: str, account: str, *, sealed: str, work: str, running: Collection[str], left: Callable[[], float]
) -> Iterator[str | None]:
    """What waits of one account; None for every folder that was looked into and holds nothing that waits.

    So that the others have their turn meanwhile: an account can have folders without end.
    """

    def inside(prefix: str) -> Iterator[str]:
        """Its folders, as long as there is time: whatever they hold, and however many there are."""
        return takewhile(lambda _: left() >= _RESERVE, storage.folders(s3, intake, prefix))

    for region in inside(account):
        yield None
        for table in inside(region):
            yield None
            done: set[str] | None = None
            for folder in inside(f"{table}AWSDynamoDB/"):
                place = _place(folder)
                if place is None:
                    yield None
                    continue
                if done is None:
                    done = catalogue.exports(s3, sealed, place.source, since=moments.now() - OLDEST)
                waits = (
                    place.export not in done
                    and not _is_rejected(s3, work, place.work)
                    and _has(s3, intake, folder)
                    and not _runs(s3, work, place.work, running)
                )
                yield f"{folder}manifest-summary.json" if waits else None


def _place(folder: str) -> ExportLocation | None:
    """The export of a folder; None for what increments share, and for what is none and would only be rejected."""
    try:
        place = ExportLocation.of(f"{folder}manifest-summary.json")
    except Rejected:
        return None
    return None if place.export == "data" else place


def running(states: Any, machine: str) -> set[str]:
    """The executions of the sealing machine that run.

    Args:
        states: The client of Step Functions.
        machine: The machine's ARN.
    """
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING")
    return {each["executionArn"] for page in pages for each in page["executions"]}


def mark(s3: Any, bucket: str, work: str, execution: str) -> None:
    """Note which execution seals an export: the last one, if there are several.

    Args:
        s3: The client.
        bucket: The work bucket.
        work: The folder of the export there.
        execution: The execution's ARN.
    """
    storage.put_json(s3, bucket, _mark_key(work), {"execution": execution})


def _mark_key(work: str) -> str:
    return f"{work}execution.json"


def _runs(s3: Any, bucket: str, work: str, running: Collection[str]) -> bool:
    """Whether an execution is sealing it: a large export takes longer than the time between two sweeps."""
    noted = storage.get_json(s3, bucket, _mark_key(work)) if running else None
    return noted is not None and noted["execution"] in running


def rejected_key(work: str) -> str:
    """The key of the object that says why an export was rejected.

    Args:
        work: The folder of the export in the work bucket.
    """
    return f"{work}rejected.json"


def _is_rejected(s3: Any, bucket: str, work: str) -> bool:
    key = rejected_key(work)
    return key in storage.keys(s3, bucket, key)


def _has(s3: Any, intake: str, folder: str) -> bool:
    key = f"{folder}manifest-summary.json"
    return key in islice(storage.keys(s3, intake, key), 1)
