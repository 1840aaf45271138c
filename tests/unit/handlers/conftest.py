"""A stand-in for AWS: real clients, each with a stub in front of the network."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from stacks.handlers.pipeline import index as pipeline
from stacks.handlers.reader import index as reader
from stacks.handlers.writer import index as writer


class Aws:
    """Answers the calls that a test expects, in their order for each service and region; any other call fails."""

    def __init__(self) -> None:
        self._make = boto3.client
        self._stubs: dict[tuple[str, str], Stubber] = {}

    def expect(
        self, service: str, region: str, operation: str, parameters: dict[str, Any], answer: dict[str, Any]
    ) -> None:
        if (service, region) not in self._stubs:
            client = self._make(
                service,  # type: ignore[call-overload]  # its overloads know the literal names of services only
                region_name=region,
                aws_access_key_id="made-up",
                aws_secret_access_key="made-up",
            )
            self._stubs[service, region] = Stubber(client)
            self._stubs[service, region].activate()
        self._stubs[service, region].add_response(operation, answer, parameters)

    def client(self, service: str, *, region_name: str) -> Any:
        assert (service, region_name) in self._stubs, f"nobody expects a client for {service} in {region_name}"
        return self._stubs[service, region_name].client

    def assert_no_pending_responses(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    caches = (reader.client, writer.client, pipeline.client, pipeline.streams_client)
    stand_in = Aws()
    monkeypatch.setattr(boto3, "client", stand_in.client)
    for cache in caches:
        cache.cache_clear()
    yield stand_in
    for cache in caches:
        cache.cache_clear()
    stand_in.assert_no_pending_responses()
