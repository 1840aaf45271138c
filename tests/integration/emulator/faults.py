"""What tests let go wrong: the next calls of an API that are to fail, and what is to be lost or altered.

A fault says of which API it is (`dynamodb:PutItem`, `s3:PutObject`, `lambda:Invoke`, …), when it applies (parts of the
request's text that must all be there), what it does and how often. Each answer that it gives says that it was injected:
nobody is to take it for the emulated service's, nor for a policy's.

- `fail`, `throttle`, `deny`: the call is answered with an error and not carried out.
- `leave`: a table takes every other request of a batch, and leaves the rest (`dynamodb:BatchWriteItem`).
- `hold`: an export waits for some seconds before it writes; a replica is written so much later.
- `lose`, `alter`, `truncate`, `duplicate`: what is put into S3, or the replica of it.
- `kill`: an execution stops, as if aborted, before it enters a state (`states:Execution`); a function's process dies
  after some seconds (`lambda:Invoke`).
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

_Json = dict[str, Any]
SAID = "injected by the test"
_ERRORS = {
    "fail": (500, "InternalServerError"),
    "throttle": (400, "ThrottlingException"),
    "deny": (400, "AccessDeniedException"),
}
_lock = threading.Lock()
_numbers = itertools.count(1)


@dataclass
class Fault:
    """What is to go wrong.

    Args:
        api: The API's name.
        do: What is to happen.
        times: How often; a call that it does not apply to does not count.
        when: Parts of the request's text; all must be there.
        code: The error's name, in place of the one that goes with `do`.
        seconds: How long it holds, or when it kills.
        after: How many calls that it applies to pass before.
    """

    api: str
    do: str
    times: int = 1
    when: tuple[str, ...] = ()
    code: str | None = None
    seconds: float = 0.0
    after: int = 0
    number: int = field(default_factory=lambda: next(_numbers))
    hits: int = 0


_faults: list[Fault] = []


def inject(said: _Json) -> _Json:
    """Let something go wrong from now on.

    Args:
        said: The fields of a Fault.
    """
    fault = Fault(**{**said, "when": tuple(said.get("when", ()))})
    with _lock:
        _faults.append(fault)
    return {"number": fault.number}


def forget(_said: _Json) -> _Json:
    """Let nothing go wrong any more; says how often each fault did."""
    with _lock:
        told = {str(fault.number): fault.hits for fault in _faults}
        _faults.clear()
    return {"hits": told}


def hits(_said: _Json) -> _Json:
    """How often each fault did something."""
    return {"hits": {str(fault.number): fault.hits for fault in _faults}}


def due(api: str, request: Any, *do: str) -> Fault | None:
    """The fault that applies to a call, which counts as done with that.

    Args:
        api: The API.
        request: The request; its text is looked at.
        *do: What the caller can let happen.
    """
    if not any(fault.api == api and fault.do in do for fault in _faults):
        return None
    text = request if isinstance(request, str) else json.dumps(request, default=str)
    with _lock:
        for fault in _faults:
            if fault.api == api and fault.do in do and all(part in text for part in fault.when):
                if fault.after:
                    fault.after -= 1
                elif fault.times > 0:
                    fault.times -= 1
                    fault.hits += 1
                    return fault
    return None


def error(api: str, request: Any) -> tuple[int, str, str] | None:
    """Status, name and message of the error that a call is to be answered with.

    Args:
        api: The API.
        request: The request.
    """
    fault = due(api, request, *_ERRORS)
    if fault is None:
        return None
    status, code = _ERRORS[fault.do]
    return status, fault.code or code, f"{api}: {SAID}"


def hold(api: str, request: Any) -> None:
    """Wait, if a fault says so.

    Args:
        api: The API.
        request: The request.
    """
    fault = due(api, request, "hold")
    if fault:
        time.sleep(fault.seconds)


def spoil(fault: Fault, body: bytes) -> bytes:
    """What is left of a body.

    Args:
        fault: What is done to it.
        body: The body.
    """
    if fault.do == "truncate":
        return body[: len(body) // 2]
    if fault.do == "alter" and body:
        middle = len(body) // 2
        return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    return body
