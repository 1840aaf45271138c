"""The machine that checks a restored table, as a dict. It stands alone, so that it checks what others restored, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tableguard.backup.restore.counting_states import counting
from tableguard.backup.states.builders import catch, choice, expression, fail, machine, passing
from tableguard.backup.states.errors import NO_PARAMETER
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMachine:
    """The definition that checks a restored table: counts it, holds it against the last good drill, finds the canary.

    Its input is {"table": name} and what is known besides: "restored" ({"count", "bytes", "digest"}) where the table
    has been counted already, "not_before" (a moment) for the canary, "reached" (the moment that the backup reaches) and
    "fresh_at" (when it has to be fresh; now when left out). Without "reached" nothing is said of its age. It changes
    nothing.

    Args:
        tasks: Builds tasks for the machine's partition.
        parameter: The name of the SSM parameter that keeps what the last good drill found.
        digest: The ARN of the function that reads one segment.
        check: The ARN of the function that compares.
        problem: The ARN of the function that says why the table could not be read.
        canary_key: The key of the canary as DynamoDB JSON; None where there is none.
        largest_fall: The share by which count or bytes may fall.
        oldest_seconds: How long before the moment at which it has to be fresh a backup may end.
        segments: In how many segments the table is read.
    """

    tasks: Tasks
    parameter: str
    digest: str
    check: str
    problem: str
    canary_key: Json | None
    largest_fall: float
    oldest_seconds: int
    segments: int

    def definition(self) -> Json:
        """The definition."""
        canary: Any = None
        if self.canary_key is not None:
            canary = {"table": expression("$table"), "key": self.canary_key, "not_before": expression("$oldest")}
        return machine(
            "Checks a restored table against the last good drill. It changes nothing.",
            {
                "Asked": passing(
                    "Known",
                    assign={
                        "table": expression("$states.input.table"),
                        "oldest": expression("$exists($states.input.not_before) ? $states.input.not_before : null"),
                        "reached": expression("$exists($states.input.reached) ? $states.input.reached : null"),
                        "fresh_at": expression(
                            "$exists($states.input.fresh_at) ? $states.input.fresh_at"
                            " : $states.context.State.EnteredTime"
                        ),
                        "previous": None,
                    },
                ),
                "Known": choice([("$exists($states.input.restored.count)", "Given")], "Segments"),
                "Given": passing("Previous", assign={"restored": expression("$states.input.restored")}),
                **counting(self.tasks, self.digest, segments=self.segments, then="Sum", problem="Problem"),
                "Problem": self.tasks.problem(self.problem, then="NotRead"),
                "NotRead": fail(expression("$states.input.Error"), expression("$states.input.Cause")),
                "Sum": passing(
                    "Previous",
                    assign={
                        "restored": {
                            "count": expression("$sum($states.input.counted.count)"),
                            "bytes": expression("$sum($states.input.counted.bytes)"),
                        }
                    },
                ),
                "Previous": self.tasks.parameter(
                    "getParameter",
                    {"Name": self.parameter},
                    then="Check",
                    assign={"previous": expression("$parse($states.result.Parameter.Value)")},
                    # The first drill has nothing to compare with.
                    catches=[catch("Check", *NO_PARAMETER)],
                ),
                "Check": self.tasks.function(
                    self.check,
                    {
                        "restored": expression("$restored"),
                        "previous": expression("$previous"),
                        "largest_fall": self.largest_fall,
                        "canary": canary,
                        "reached": expression("$reached"),
                        "fresh_at": expression("$fresh_at"),
                        "oldest_seconds": self.oldest_seconds,
                        "now": expression("$states.context.State.EnteredTime"),
                    },
                    seconds=120,
                    then=None,
                ),
            },
            start="Asked",
            seconds=86_400,
        )
