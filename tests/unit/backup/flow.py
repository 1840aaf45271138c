"""The steps of both machines, one after the other, as the machines call them."""

from __future__ import annotations

import json
from typing import Any

from tableguard.backup.lambdas import restore, seal
from tests.unit.backup.aws import S3, DynamoDB
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import SOURCE, Export

ZEROS = "0" * 64


def stored(s3: S3, bucket: str, key: str) -> Any:
    found = s3.buckets[bucket].current(key)
    assert found is not None, key
    assert found.body is not None, key
    return json.loads(found.body)


def seal_all(s3: S3, *exports: Export) -> list[dict[str, Any]]:
    closed = []
    for export in exports:
        opened = seal.open(export.event, Context())
        for work in stored(s3, "work", opened["work_key"]):
            seal.copy({**work, "execution": "seal-1"}, Context())
        closed.append(seal.close(opened, Context()))
    return closed


def plan(until: str | None = None) -> dict[str, Any]:
    return restore.plan({"source": SOURCE, "until": until, "execution": "restore-1"}, Context())


def load_all(s3: S3, planned: dict[str, Any]) -> None:
    for step in planned["steps"]:
        for file in stored(s3, "work", step["key"]):
            event = {"file": file, "table": "new", "type": step["type"], "after": 0, "execution": "restore-1"}
            assert restore.load(event, Context())["done"]


def digests(segments: int) -> list[dict[str, Any]]:
    done = []
    for segment in range(segments):
        state: dict[str, Any] = {"table": "new", "segment": segment, "segments": segments, "start": None}
        state |= {"count": 0, "digest": ZEROS, "bytes": 0, "done": False, "execution": "restore-1"}
        while not state["done"]:
            state = json.loads(json.dumps(restore.digest(state, Context(0))))  # one page an invocation
        done.append(state)
    return done


def check(planned: dict[str, Any], segments: int = 3) -> dict[str, Any]:
    return restore.check({"expected": planned["expected"], "segments": digests(segments)}, Context())


def restored(s3: S3, dynamodb: DynamoDB, until: str | None = None) -> dict[str, Any]:
    """The items by their partition key."""
    planned = plan(until)
    load_all(s3, planned)
    check(planned)
    return {one["pk"]["S"]: one for one in dynamodb.items.values()}
