"""The machine of a drill, as a dict: it restores, asks another whether the table is right, and cleans up."""

from __future__ import annotations

from dataclasses import dataclass

from tableguard.backup.drill.cleaning import cleaning
from tableguard.backup.drill.report import reporting
from tableguard.backup.states.builders import catch, choice, expression, machine, passing
from tableguard.backup.states.retries import retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillMachine:
    """The definition of a drill.

    Its input may say "sealed_by", a moment: it restores what was sealed by then. Such a drill tells what it found, and
    counts for nothing: whoever may start one must not be able to choose a backup that passes for the newest. What holds
    for those that count stands in the definition, which only they can change who could as well change the rest of it.

    Args:
        tasks: Builds tasks for the machine's partition.
        name: What its metrics and messages call it.
        restore: The ARN of the machine that restores.
        check: The ARN of the machine that checks.
        prefix: What the names of its tables begin with.
        arn_prefix: The ARN of those tables up to and including that.
        parameter: The name of the SSM parameter that keeps what the last good drill found.
        sealed_by: Up to when what was sealed is trusted, a moment; None where everything is looked at.
        canary_age: How old the canary may be at the moment that the backup reaches, in seconds; None without one.
        topic: The ARN of the topic that is told; None for none.
        keep_failed: Whether a table that failed is kept for inspection.
        timeout_seconds: How long a drill may take.
    """

    tasks: Tasks
    name: str
    restore: str
    check: str
    prefix: str
    arn_prefix: str
    parameter: str
    sealed_by: str | None
    canary_age: int | None
    topic: str | None
    keep_failed: bool
    timeout_seconds: int

    def definition(self) -> Json:
        """The definition."""
        oldest = (
            f"$fromMillis($toMillis($states.result.Output.reached) - {self.canary_age * 1000})"
            if self.canary_age is not None
            else "null"
        )
        asked = "$states.input.sealed_by"
        is_asked = f"($exists({asked}) and {asked} != null)"
        trusted = f"'{self.sealed_by}'" if self.sealed_by is not None else "null"
        execution = "$join($split($restore, ':stateMachine:'), ':execution:') & ':' & $states.context.Execution.Name"
        return machine(
            "Restores a backup, checks it, says what it found and removes what it made.",
            {
                "Start": passing(
                    "Name",
                    assign={
                        "restore": self.restore,
                        "passed": False,
                        "problem": "",
                        "found": None,
                        "reached": None,
                        "took": None,
                        "sealed_by": expression(f"{is_asked} ? {asked} : {trusted}"),
                        "counts": expression(f"$not{is_asked}"),
                    },
                ),
                "Name": passing(
                    "Trusted",
                    assign={
                        "began": expression("$states.context.Execution.StartTime"),
                        # A name of its own for each drill, and short enough with any prefix.
                        "table": expression(f"'{self.prefix}' & $substring($states.context.Execution.Name, 0, 80)"),
                        "maker": expression(execution),
                    },
                ),
                # It would trust what nobody can have looked at yet.
                "Trusted": choice(
                    [("$sealed_by != null and $toMillis($sealed_by) > $toMillis($began)", "ToCome")], "Restore"
                ),
                "ToCome": passing(
                    "Failed",
                    output={
                        "Error": "ToCome",
                        "Cause": expression("'sealed_by is still to come: ' & $sealed_by & '. Nothing was restored.'"),
                    },
                ),
                "Restore": self.tasks.task(
                    "states:startExecution.sync:2",
                    {
                        "StateMachineArn": self.restore,
                        "Name": expression("$states.context.Execution.Name"),
                        "Input": {
                            "table": expression("$table"),
                            "isolated": True,
                            "sealed_by": expression("$sealed_by"),
                        },
                    },
                    seconds=self.timeout_seconds,
                    retries=[retry("StepFunctions.ThrottlingException", "StepFunctions.SdkClientException")],
                    then="Took",
                    catches=[catch("Failed")],
                    assign={
                        "restored": expression("$states.result.Output.restored"),
                        "reached": expression("$states.result.Output.reached"),
                        "oldest": expression(oldest),
                    },
                    output={},
                ),
                "Took": passing(
                    "Check",
                    assign={
                        "took": expression(
                            "$round(($toMillis($states.context.State.EnteredTime) - $toMillis($began)) / 1000)"
                        )
                    },
                    output={},
                ),
                "Check": self.tasks.task(
                    "states:startExecution.sync:2",
                    {
                        "StateMachineArn": self.check,
                        "Input": {
                            "table": expression("$table"),
                            "restored": expression("$restored"),
                            "not_before": expression("$oldest"),
                            "reached": expression("$reached"),
                            # What is left out on purpose need not be there: the backup was to be fresh by then.
                            "fresh_at": expression("$sealed_by != null ? $sealed_by : $began"),
                        },
                    },
                    seconds=self.timeout_seconds,
                    retries=[retry("StepFunctions.ThrottlingException", "StepFunctions.SdkClientException")],
                    then="Counts",
                    catches=[catch("Failed")],
                    assign={"found": expression("$states.result.Output")},
                    output={},
                ),
                "Counts": choice([("$counts", "Keep")], "Tried"),
                "Tried": passing("Look", assign={"passed": True}, output={}),
                # What the next drill is compared with, before anything is said: only a good one counts.
                "Keep": self.tasks.parameter(
                    "putParameter",
                    {
                        "Name": self.parameter,
                        "Type": "String",
                        "Overwrite": True,
                        "Value": expression(
                            "$string({'count': $found.count, 'bytes': $found.bytes, 'reached': $reached, "
                            "'drilled': $began})"
                        ),
                    },
                    then="Look",
                    catches=[catch("Failed")],
                    # Nothing but this makes it a good one that counts.
                    assign={"passed": True},
                    output={},
                ),
                **cleaning(self.tasks, prefix=self.prefix, arn_prefix=self.arn_prefix, keep_failed=self.keep_failed),
                **reporting(self.tasks, name=self.name, topic=self.topic),
            },
            start="Start",
            seconds=self.timeout_seconds,
        )
