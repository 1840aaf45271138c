"""The machine that says how old the last good drill is and removes what killed ones have left, as a dict."""

from __future__ import annotations

from typing import Final

from tableguard.backup.drill.report import NAMESPACE
from tableguard.backup.drill.sweeping import DrillTables, sweeping
from tableguard.backup.states.builders import catch, expression, machine, passing
from tableguard.backup.states.errors import NO_PARAMETER, TASK_FAILED
from tableguard.backup.states.retries import retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

AGE: Final = "DrillAgeHours"


def watch_definition(tasks: Tasks, *, name: str, parameter: str, tables: DrillTables | None) -> Json:
    """The definition that says how old the last good drill is: an alarm on absence that reaches further than a week.

    Args:
        tasks: Builds tasks for the machine's partition.
        name: What the metrics call the drill.
        parameter: The name of the SSM parameter that keeps what the last good drill found.
        tables: The tables of the drill, of which those are removed that a killed one has left; None to keep them.
    """
    # First what is said: a table that cannot be removed must not keep the alarm from being fed.
    then = "Sweep" if tables is not None else None
    began = "$toMillis($parse($states.result.Parameter.Value).drilled)"
    return machine(
        "Says how many hours ago the last good drill began. It removes what killed drills have left.",
        {
            "Last": tasks.parameter(
                "getParameter",
                {"Name": parameter},
                then="Say",
                # No metric either: missing data is an alarm.
                catches=[catch("Never", *NO_PARAMETER)],
                output={"hours": expression(f"($toMillis($states.context.State.EnteredTime) - {began}) / 3600000")},
            ),
            "Never": passing(then, output={"never": True}),
            "Say": tasks.metrics(
                NAMESPACE,
                [
                    {
                        "MetricName": AGE,
                        "Value": expression("$states.input.hours"),
                        "Unit": "None",
                        "Dimensions": [{"Name": "Drill", "Value": name}],
                    }
                ],
                retries=[retry(*TASK_FAILED)],
                then=then,
            ),
            **(sweeping(tasks, tables) if tables is not None else {}),
        },
        start="Last",
        seconds=3_000,
    )
