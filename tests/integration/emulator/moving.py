"""Counts what goes on by itself, so that whoever waits knows a busy emulator from one in which nothing will happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import counting  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core import lambda_runtime
from ministack.services import stepfunctions
from ministack.services.cloudformation import stacks

_Json = dict[str, Any]
# Requests that tests make while they wait are none of these.
_WORK = ("dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "s3:GetObjectVersion", "s3:PutObject")


class _State:
    steps = 0


def install() -> None:
    """Count the events of executions, the runs of functions and the resources of stacks."""
    stepfunctions._add_event = _counted(stepfunctions._add_event)
    lambda_runtime.Worker.invoke = _counted(lambda_runtime.Worker.invoke)
    stacks._provision_resource = _counted(stacks._provision_resource)


def steps(_said: _Json) -> _Json:
    """How many steps there have been, and requests that do something."""
    requests = counting.requests({})["requests"]
    return {"steps": _State.steps + sum(requests.get(kind, 0) for kind in _WORK)}


def _counted(step: Callable[..., Any]) -> Callable[..., Any]:
    def count_and_step(*arguments: Any, **more: Any) -> Any:
        _State.steps += 1
        try:
            return step(*arguments, **more)
        finally:
            _State.steps += 1

    return count_and_step
