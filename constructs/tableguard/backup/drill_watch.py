"""The machine that says how old the last good drill is, as a dict."""

from __future__ import annotations

from typing import Final

from tableguard.backup.drill_report import NAMESPACE
from tableguard.backup.restore_states import NO_PARAMETER, catch, expression, parameter_task, passing, retry, task
from tableguard.policy.documents import Json

AGE: Final = "DrillAgeHours"


def watch_definition(*, name: str, parameter: str) -> Json:
    """The definition that says how old the last good drill is: an alarm on absence that reaches further than a week.

    Args:
        name: What the metrics call the drill.
        parameter: The name of the SSM parameter that keeps what the last good drill found.
    """
    began = "$toMillis($parse($states.result.Parameter.Value).drilled)"
    return {
        "Comment": "Says how many hours ago the last good drill began.",
        "QueryLanguage": "JSONPath",
        "TimeoutSeconds": 600,
        "StartAt": "Last",
        "States": {
            "Last": parameter_task(
                "getParameter",
                {"Name": parameter},
                then="Say",
                # No metric either: missing data is an alarm.
                catches=[catch("Never", *NO_PARAMETER)],
                output={"hours": expression(f"($toMillis($states.context.State.EnteredTime) - {began}) / 3600000")},
            ),
            "Never": passing(None, output={"never": True}),
            "Say": task(
                "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
                {
                    "Namespace": NAMESPACE,
                    "MetricData": [
                        {
                            "MetricName": AGE,
                            "Value": expression("$states.input.hours"),
                            "Unit": "None",
                            "Dimensions": [{"Name": "Drill", "Value": name}],
                        }
                    ],
                },
                seconds=60,
                retries=[retry("States.TaskFailed", "States.Timeout")],
                then=None,
            ),
        },
    }
