"""Imports what the functions use, and reads the models of their clients, in the process that they are copies of."""

from __future__ import annotations

import functools
import gc
from typing import Any

import boto3
from botocore.loaders import JSONFileLoader

_SERVICES = ("dynamodb", "s3", "stepfunctions")


def _up() -> None:
    JSONFileLoader.load_file = _once(JSONFileLoader.load_file)  # type: ignore[method-assign]
    session = boto3.Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1")
    for service in _SERVICES:
        session.client(service)  # type: ignore[call-overload]
    gc.freeze()  # the copies share it for as long as nobody counts it


def _once(load_file: Any) -> Any:
    """Each loader reads a file of its own accord, and only to look at what is in it."""
    loader = JSONFileLoader()
    cached = functools.cache(lambda path: load_file(loader, path))
    return lambda _self, path: cached(path)


_up()
