"""Schedules whose target is an API of AWS: the emulated Scheduler starts machines and functions alone.

The request is made as the schedule's role, decided like any other, and its input may name the moment of the schedule.
What fails is told to tests in `failures`; the Scheduler's own tries and its dead-letter queue are not emulated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# Its neighbours: run as a script, they have no package.
import binding  # type: ignore[import-not-found]
import clock  # type: ignore[import-not-found]
from ministack.services import eventbridge, stepfunctions

_Json = dict[str, Any]
_UNIVERSAL = ":scheduler:::aws-sdk:"
_MOMENT = "<aws.scheduler.scheduled-time>"
_failures: list[str] = []


def install() -> None:
    """Wrap what calls a schedule's target."""
    eventbridge._invoke_target = _universal_too(eventbridge._invoke_target)


def failures(_said: _Json) -> _Json:
    """What was refused or failed so far."""
    return {"failures": _failures}


def _universal_too(invoke: Callable[..., None]) -> Callable[..., None]:
    def invoke_universal_too(target: _Json, event: _Json, *rest: Any, **more: Any) -> None:
        if _UNIVERSAL not in target.get("Arn", ""):
            invoke(target, event, *rest, **more)
            return
        moment = f"{clock.now_iso().partition('.')[0]}Z"
        said = json.loads((target.get("Input") or "{}").replace(_MOMENT, moment))
        service, action = target["Arn"].split(_UNIVERSAL)[1].split(":")
        token = binding.acting.set(binding.session_of(target["RoleArn"], "schedule"))
        try:
            stepfunctions._invoke_aws_sdk_integration(f"arn:aws:states:::aws-sdk:{service}:{action}", said)
        except stepfunctions._ExecutionError as error:
            _failures.append(f"{target['Arn']}: {error.error}: {error.cause}")
        finally:
            binding.acting.reset(token)

    return invoke_universal_too
