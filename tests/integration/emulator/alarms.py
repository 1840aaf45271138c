"""Alarms on expressions over metrics: the emulated CloudFormation refuses them, so they are taken and never evaluated.

Alarms on a single metric are the emulated CloudWatch's own, and work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

_Json = dict[str, Any]
_EXPRESSION = "expression:"  # what the id of such an alarm begins with


def install() -> None:
    """Wrap what makes alarms of a template."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def create_or_take(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        if "Metrics" not in props:
            made: tuple[str, _Json] = create(logical_id, props, stack_name)
            return made
        return _taken(f"{_EXPRESSION}{stack_name}-{logical_id}")

    handler.update(create=create_or_take, update=_unless_taken(update), delete=_unless_taken(delete))


def _unless_taken(work: Callable[..., Any]) -> Callable[..., Any]:
    def work_unless_taken(physical_id: str, *request: Any) -> Any:
        return _taken(physical_id) if physical_id.startswith(_EXPRESSION) else work(physical_id, *request)

    return work_unless_taken


def _taken(physical_id: str) -> tuple[str, _Json]:
    return physical_id, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{physical_id}"}
