"""Alarms on several metrics, which the emulator's CloudFormation refuses: kept and read back, never evaluated."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

_Json = dict[str, Any]
_OF_ONE_METRIC = ("Dimensions", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Unit")


def install() -> None:
    """Extend the emulator."""
    record = provisioners._cw_metric_alarm_record

    def with_several(name: str, props: _Json) -> _Json:
        metrics = props.get("Metrics")
        if not metrics:
            return record(name, props)
        alarm = record(name, {**props, "Metrics": None, "MetricName": "several", "Namespace": "several"})
        kept = {key: value for key, value in alarm.items() if key not in _OF_ONE_METRIC}
        return {**kept, "Metrics": [_query(each) for each in metrics]}

    provisioners._cw_metric_alarm_record = with_several


def _query(said: _Json) -> _Json:
    """One of the metrics with the types that the API has for it: a template may say all of it as text."""
    query = dict(said)
    if "ReturnData" in query:
        query["ReturnData"] = str(query["ReturnData"]).lower() == "true"
    if "MetricStat" in query:
        query["MetricStat"] = {**query["MetricStat"], "Period": int(query["MetricStat"]["Period"])}
    return query
