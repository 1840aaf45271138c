"""Imports what the functions use, and reads the models of their clients, in the process that they are copies of."""

from __future__ import annotations

import functools
import gc
from typing import Any

import boto3
from botocore import useragent
from botocore.auth import SigV4Auth
from botocore.loaders import JSONFileLoader

_SERVICES = ("dynamodb", "s3", "stepfunctions")


def _up() -> None:
    _cheaper_requests()
    JSONFileLoader.load_file = _once(JSONFileLoader.load_file)  # type: ignore[method-assign]
    session = boto3.Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1")
    for service in _SERVICES:
        session.client(service)  # type: ignore[call-overload]
    gc.freeze()  # the copies share it for as long as nobody counts it


def _cheaper_requests() -> None:
    """Nobody checks a signature here, and who calls is said all the same; names of an agent are always the same few."""
    SigV4Auth.canonical_request = lambda _auth, _request: ""  # type: ignore[assignment,method-assign]
    SigV4Auth.signature = lambda _auth, _text, _request: "0" * 64  # type: ignore[assignment,method-assign]
    name = "sanitize_user_agent_string_component"
    setattr(useragent, name, functools.cache(getattr(useragent, name)))


def _once(load_file: Any) -> Any:
    """Each loader reads a file of its own accord, and only to look at what is in it."""
    loader = JSONFileLoader()
    cached = functools.cache(lambda path: load_file(loader, path))
    return lambda _self, path: cached(path)


_up()
