"""The states of a drill that say what it found: a metric, an event, a message, and how its execution ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tableguard.backup.states.builders import catch, choice, expression, fail, passing
from tableguard.backup.states.errors import TASK_FAILED
from tableguard.backup.states.retries import retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

NAMESPACE: Final = "tableguard/backup"
GOOD: Final = "DrillSucceeded"
BAD: Final = "DrillFailed"
ITEMS: Final = "DrillItems"
SECONDS: Final = "DrillSeconds"
"""How long the restore took, the check not counted."""
EVENT_SOURCE: Final = "tableguard.backup"


def reporting(tasks: Tasks, *, name: str, topic: str | None) -> dict[str, Json]:
    """The states from "Report" to the end.

    Args:
        tasks: Builds tasks for the machine's partition.
        name: What metrics and messages call the drill.
        topic: The ARN of the topic that is told; None for none.
    """
    dimensions = [{"Name": "Drill", "Value": name}]
    ok = "$passed"

    def metric(name: str, value: Any, unit: str = "Count") -> Json:
        return {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": dimensions}

    detail: Mapping[str, Any] = {
        "drill": name,
        "ok": expression(ok),
        "problem": expression("$problem"),
        "table": expression("$table"),
        "found": expression("$found"),
        "reached": expression("$reached"),
        "seconds": expression("$took"),
        "sealed_by": expression("$sealed_by"),
        "counts": expression("$counts"),
    }
    left_out = (
        "($sealed_by = null ? '' : ' What was sealed after ' & $sealed_by & ' was left out.') & "
        "($counts ? '' : ' This one was started by hand with that moment, and counts for nothing.')"
    )
    told = "Tell" if topic is not None else "Verdict"
    states = {
        "Report": tasks.metrics(
            NAMESPACE,
            [
                metric(GOOD, expression(f"{ok} and $counts ? 1 : 0")),
                metric(BAD, expression(f"{ok} ? 0 : 1")),
                metric(ITEMS, expression("$found = null ? 0 : $found.count")),
                metric(SECONDS, expression("$took = null ? 0 : $took"), "Seconds"),
            ],
            retries=[retry(*TASK_FAILED)],
            then="Event",
            # What cannot be said here is said by the alarm on absence.
            catches=[catch("Event", Output={})],
            output={},
        ),
        "Event": tasks.task(
            "events:putEvents",
            {
                "Entries": [
                    {"Source": EVENT_SOURCE, "DetailType": "Restore drill", "Detail": detail},
                ]
            },
            retries=[retry(*TASK_FAILED)],
            then=told,
            catches=[catch(told, Output={})],
            output={},
        ),
        "Verdict": choice([(ok, "Good")], "Bad"),
        "Good": passing(None, output=expression("$found")),
        "Bad": fail("DrillFailed", expression("$problem")),
    }
    if topic is not None:
        states["Tell"] = tasks.task(
            "sns:publish",
            {
                "TopicArn": topic,
                "Subject": expression(
                    f"$substring(({ok} ? 'Restore drill passed: ' : 'Restore drill FAILED: ') & '{name}', 0, 99)"
                ),
                "Message": expression(
                    f"({ok} ? 'Restored ' & $string($found.count) & ' items as of ' & $reached & ' in '"
                    f" & $string($took) & ' seconds.' : $problem) & "
                    f"{left_out}"
                ),
            },
            retries=[retry(*TASK_FAILED)],
            then="Verdict",
            catches=[catch("Verdict", Output={})],
            output={},
        )
    return states
