"""The clients, kept between invocations, and what a handler may ask of its surroundings."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config


class Context(Protocol):
    """The part of an invocation's context that the functions use."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is cut off."""


@cache
def s3() -> Any:
    """The client for S3, with as many connections as `storage.in_parallel` uses."""
    return boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32))


@cache
def dynamodb() -> Any:
    """The client for DynamoDB. Throttled writes are repeated by the code that writes, which knows its time."""
    return boto3.client("dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 3}))


@cache
def states() -> Any:
    """The client for Step Functions."""
    return boto3.client("stepfunctions", config=Config(retries={"mode": "standard", "max_attempts": 5}))


def setting(name: str) -> str:
    """A setting of the function.

    Raises:
        ValueError: The function was deployed without it.
    """
    value = os.environ.get(name)
    if not value:
        raise ValueError(f"{name} must be set in the environment of the function.")
    return value


def seconds_left(context: Context) -> float:
    """Seconds until the invocation is cut off."""
    return context.get_remaining_time_in_millis() / 1000
