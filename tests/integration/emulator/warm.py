"""Imports what the functions use, and reads the models of their clients, in the process that they are copies of."""

from __future__ import annotations

import functools
import gc
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import boto3
from botocore import useragent
from botocore.auth import SigV4Auth
from botocore.loaders import JSONFileLoader, Loader, create_loader

_SERVICES = ("dynamodb", "s3", "stepfunctions")
_LAMBDAS = Path(__file__).resolve().parents[3] / "constructs" / "tableguard" / "backup" / "lambdas"


def _up() -> None:
    gc.disable()  # nothing of what is imported is garbage
    _cheaper_requests()
    _compile_the_functions()
    JSONFileLoader.load_file = _once(JSONFileLoader.load_file)  # type: ignore[method-assign]
    Loader.list_available_services = _as_found_first(Loader.list_available_services)  # type: ignore[method-assign]
    session = boto3.Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1")
    for service in _SERVICES:
        session.client(service)  # type: ignore[call-overload]
    gc.freeze()  # the copies share it for as long as nobody counts it
    gc.enable()


def _cheaper_requests() -> None:
    """Nobody checks a signature here, and who calls is said all the same; names of an agent are always the same few."""
    SigV4Auth.canonical_request = lambda _auth, _request: ""  # type: ignore[assignment,method-assign]
    SigV4Auth.signature = lambda _auth, _text, _request: "0" * 64  # type: ignore[assignment,method-assign]
    name = "sanitize_user_agent_string_component"
    setattr(useragent, name, functools.cache(getattr(useragent, name)))


def _compile_the_functions() -> None:
    """Each function has a copy of the library's code, and so each process would compile all of it again."""
    compiled = {file.read_bytes(): compile(file.read_bytes(), file, "exec") for file in _LAMBDAS.glob("*.py")}
    compile_anew = SourceFileLoader.source_to_code

    def source_to_code(loader: SourceFileLoader, data: bytes, *where: Any, **more: Any) -> Any:
        return compiled.get(data) or compile_anew(loader, data, *where, **more)

    SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign,assignment]
    sys.dont_write_bytecode = True


def _as_found_first(find: Any) -> Any:
    """Which services there are is looked up in folders whenever a process makes its first client; they stay."""
    found = functools.cache(lambda kind: find(create_loader(), kind))
    return lambda _self, type_name: found(type_name)


def _once(load_file: Any) -> Any:
    """Each loader reads a file of its own accord, and only to look at what is in it."""
    loader = JSONFileLoader()
    cached = functools.cache(lambda path: load_file(loader, path))
    return lambda _self, path: cached(path)


_up()
