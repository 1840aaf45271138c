"""What the emulator's CloudFormation refuses or drops of alarms, state machines and schedules: kept and read back.

An alarm on several metrics is never evaluated, a log and traces are never written: they are settings here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import scheduler, stepfunctions
from ministack.services.cloudformation import provisioners

_Json = dict[str, Any]
_OF_ONE_METRIC = ("Dimensions", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Unit")


def install() -> None:
    """Extend the emulator."""
    record = provisioners._cw_metric_alarm_record

    def with_several(name: str, props: _Json) -> _Json:
        metrics = props.get("Metrics")
        if not metrics:
            return record(name, props)  # type: ignore[no-any-return]
        alarm = record(name, {**props, "Metrics": None, "MetricName": "several", "Namespace": "several"})
        kept = {key: value for key, value in alarm.items() if key not in _OF_ONE_METRIC}
        return {**kept, "Metrics": [_query(each) for each in metrics]}

    provisioners._cw_metric_alarm_record = with_several
    handlers = provisioners._RESOURCE_HANDLERS
    _extend(handlers["AWS::StepFunctions::StateMachine"], _keep_machine)
    _extend(handlers["AWS::Scheduler::Schedule"], _keep_schedule)


def _extend(handler: _Json, keep: Callable[[str, _Json], None]) -> None:
    create, update = handler["create"], handler["update"]

    def create_and_keep(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        name, attributes = create(logical_id, props, stack_name)
        keep(name, props)
        return name, attributes

    def update_and_keep(physical_id: str, old: _Json, new: _Json, *more: Any) -> tuple[str, _Json]:
        name, attributes = update(physical_id, old, new, *more)
        keep(name, new)
        return name, attributes

    handler.update(create=create_and_keep, update=update_and_keep)


def _keep_machine(arn: str, props: _Json) -> None:
    machine = stepfunctions._state_machines[arn]
    log = props.get("LoggingConfiguration")
    if log:
        destinations = [each["CloudWatchLogsLogGroup"]["LogGroupArn"] for each in log.get("Destinations", ())]
        machine["loggingConfiguration"] = {
            "level": log.get("Level", "OFF"),
            "includeExecutionData": _is_true(log.get("IncludeExecutionData", False)),
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}} for arn in destinations],
        }
    machine["tracingConfiguration"] = {"enabled": _is_true(props.get("TracingConfiguration", {}).get("Enabled", False))}


def _keep_schedule(name: str, props: _Json) -> None:
    schedule = scheduler._schedules[f"{props.get('GroupName', 'default')}/{name}"]
    schedule["ScheduleExpressionTimezone"] = props.get("ScheduleExpressionTimezone", "UTC")


def _query(said: _Json) -> _Json:
    """One of the metrics with the types that the API has for it: a template may say all of it as text."""
    query = dict(said)
    if "ReturnData" in query:
        query["ReturnData"] = _is_true(query["ReturnData"])
    if "MetricStat" in query:
        query["MetricStat"] = {**query["MetricStat"], "Period": int(query["MetricStat"]["Period"])}
    return query


def _is_true(said: Any) -> bool:
    return str(said).lower() == "true"
