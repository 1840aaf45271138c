"""The vault's buckets, a table to restore into, and a context whose time a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest

from tableguard.backup.lambdas import clients
from tests.unit.backup.aws import S3, Bucket, DynamoDB, Service, States


class Context:
    """Gives the milliseconds of a list one after the other, and the last for ever."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = list(seconds) or [900.0]

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]))


SETTINGS = {
    "INTAKE_BUCKET": "intake",
    "SEALED_BUCKET": "sealed",
    "WORK_BUCKET": "work",
    "RETENTION_MODE": "COMPLIANCE",
    "RETENTION_DAYS": "30",
    "QUOTA_EXPORTS_PER_DAY": "20",
    "QUOTA_BYTES_PER_DAY": "1000000",
    "SEALING_MACHINE": "arn:aws:states:eu-west-1:777788889999:stateMachine:sealed-seal",
}


@pytest.fixture
def s3() -> S3:
    return S3(intake=Bucket(), sealed=Bucket(locked=True), work=Bucket())


@pytest.fixture
def dynamodb() -> DynamoDB:
    return DynamoDB("pk")


@pytest.fixture
def states() -> States:
    return States()


@pytest.fixture(autouse=True)
def deployed(s3: S3, dynamodb: DynamoDB, states: States, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    services: dict[str, Service] = {"s3": s3, "dynamodb": dynamodb, "stepfunctions": states}

    @cache
    def made(name: str) -> Any:
        return services[name].client(name)

    def client(name: str, **_config: Any) -> Any:
        return made(name)

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr("tableguard.backup.lambdas.backoff.time.sleep", lambda _seconds: None)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    for cached in (clients.s3, clients.dynamodb, clients.states):
        cached.cache_clear()
    yield
    for cached in (clients.s3, clients.dynamodb, clients.states):
        cached.cache_clear()
