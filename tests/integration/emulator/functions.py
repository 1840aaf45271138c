"""How functions run here: exceptions keep their names, runs are measured, and tests can let them fail.

The emulator runs a function's Python in a process of its own, which it uses again; it imports boto3 from the emulator's
environment, reaches the emulator alone, and has the credentials of the function's role. It says of every exception
`Runtime.HandlerError`, and ends the process; AWS says the exception's class, which state machines match, and goes on
with the process.
"""

from __future__ import annotations

import contextvars
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faults  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_Json = dict[str, Any]
_RAISED = '{"status": "error", "error": str(e), "trace"'
_RAISES = "raises"  # beside a status of which the emulator ends no process
_ERRORS = {"throttle": "TooManyRequestsException", "deny": "AccessDeniedException", "fail": "ServiceException"}

_raised: contextvars.ContextVar[str | None] = contextvars.ContextVar("raised", default=None)
_invocations: list[_Json] = []


def install() -> None:
    """Wrap what runs functions."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _RAISED not in script:
        raise RuntimeError("The emulator's worker has changed: it does not report exceptions as it did.")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(
        _RAISED, f'{{"status": "ok", "{_RAISES}": True, "type": type(e).__name__, "error": str(e), "trace"'
    )
    lambda_runtime.Worker.invoke = _measured(lambda_runtime.Worker.invoke)
    # It waits for 50 ms after each run for what might still be printed: longer than most runs take.
    lambda_runtime.Worker._drain_stderr_bounded = lambda_runtime.Worker._drain_stderr
    lambda_svc._execute_function_warm = _named(lambda_svc._execute_function_warm)


def invocations(_said: _Json) -> _Json:
    """Each run so far."""
    return {"invocations": _invocations}


def _measured(invoke: Callable[..., _Json]) -> Callable[..., _Json]:
    def invoke_and_measure(worker: Any, event: Any, *request: Any, **more: Any) -> _Json:
        fault = faults.due("lambda:Invoke", _text(worker.func_name, event), "kill", "lose")
        timer = threading.Timer(fault.seconds, _kill, (worker,)) if fault and fault.do == "kill" else None
        if timer:
            timer.daemon = True
            timer.start()
        began = time.monotonic()
        try:
            answer = invoke(worker, event, *request, **more)
        except RuntimeError:  # a process that ends before it has said that it is ready
            if timer is None:
                raise
            answer = {"status": "error", "error": "Worker process died"}
        if answer.pop(_RAISES, False):
            answer["status"] = "error"
        if timer:
            timer.cancel()
            if answer["status"] == "ok":  # it was faster: it dies before it answers
                _kill(worker)
                answer = {"status": "error", "error": "Worker process died"}
        _raised.set(answer.get("type") or ("Runtime.ExitError" if "died" in str(answer.get("error")) else None))
        _invocations.append(
            {
                "function": worker.func_name,
                "seconds": time.monotonic() - began,
                "cold": bool(answer.get("cold_start")),
                "status": answer["status"],
                "peak_kib": _peak(worker),
            }
        )
        if fault and fault.do == "lose":
            _raised.set("Runtime.ExitError")
            return {"status": "error", "error": f"it ran, and its answer was lost: {faults.SAID}"}
        return answer

    return invoke_and_measure


def _named(execute: Callable[..., _Json]) -> Callable[..., _Json]:
    def execute_and_name(function: _Json, event: Any, request_id: str) -> _Json:
        name = (function.get("config") or function).get("FunctionName", "")
        fault = faults.due("lambda:Invoke", _text(name, event), *_ERRORS)
        if fault:
            said = {
                "errorType": fault.code or f"Lambda.{_ERRORS[fault.do]}",
                "errorMessage": f"lambda:Invoke: {faults.SAID}",
            }
            return {"body": said, "error": True, "log": ""}
        _raised.set(None)
        answer = execute(function, event, request_id)
        kind = _raised.get()
        if answer.get("error") and kind:
            answer["body"]["errorType"] = kind
        return answer

    return execute_and_name


def _text(function: str, event: Any) -> str:
    return f"{function} {json.dumps(event)}"


def _kill(worker: Any) -> None:
    process = worker._proc
    if process is not None and process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()  # the next run is to begin with another


def _peak(worker: Any) -> int | None:
    """The most memory that the process has had, in KiB; None for one that is gone."""
    try:
        status = Path(f"/proc/{worker._proc.pid}/status").read_text()
    except (AttributeError, OSError):
        return None
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), None)
