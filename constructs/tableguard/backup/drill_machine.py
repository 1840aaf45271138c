"""The machines of a drill, as dicts: one restores, asks the other whether the table is right, and cleans up.

The second stands alone, so that a table which something else restored can be checked the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tableguard.backup.restore_machine import RESTORE_TAG
from tableguard.backup.restore_states import (
    catch,
    choice,
    distributed_map,
    dynamodb_task,
    expression,
    fail,
    function_task,
    passing,
    reading_tags,
    retry,
    task,
    wait,
)
from tableguard.policy.documents import Json

NAMESPACE: Final = "tableguard/backup"
GOOD: Final = "DrillSucceeded"
BAD: Final = "DrillFailed"
ITEMS: Final = "DrillItems"
AGE: Final = "DrillAgeHours"
EVENT_SOURCE: Final = "tableguard.backup"
_CALL_SECONDS: Final = 960
_NO_DIGEST: Final = "0" * 64
# By the service's own name of the error as well: which of the two Step Functions says is not documented.
_NO_PARAMETER: Final = ("Ssm.ParameterNotFoundException", "Ssm.ParameterNotFound")
_SSM_FAULTS: Final = ("Ssm.ThrottlingException", "Ssm.InternalServerErrorException", "Ssm.SdkClientException")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMachine:
    """The definition that checks a restored table: counts it, holds it against the last good drill, finds the canary.

    Its input is {"table": name} and what is known besides: "restored" ({"count", "bytes", "digest"}) where the table
    has been counted already, "not_before" (a moment) for the canary. It changes nothing.

    Args:
        parameter: The name of the SSM parameter that keeps what the last good drill found.
        digest: The ARN of the function that reads one segment.
        check: The ARN of the function that compares.
        canary_key: The key of the canary as DynamoDB JSON; None where there is none.
        largest_fall: The share by which count or bytes may fall.
        segments: In how many segments the table is read.
    """

    parameter: str
    digest: str
    check: str
    canary_key: Json | None
    largest_fall: float
    segments: int

    def definition(self) -> Json:
        """The definition."""
        fields = (
            f"'table': $table, 'segment': $, 'segments': {self.segments}, 'start': null, 'count': 0, 'bytes': 0, "
            f"'digest': '{_NO_DIGEST}'"
        )
        canary: Any = None
        if self.canary_key is not None:
            canary = {"table": expression("$table"), "key": self.canary_key, "not_before": expression("$oldest")}
        return {
            "Comment": "Checks a restored table against the last good drill. It changes nothing.",
            "QueryLanguage": "JSONPath",
            "TimeoutSeconds": 86_400,
            "StartAt": "Asked",
            "States": {
                "Asked": passing(
                    "Known",
                    assign={
                        "table": expression("$states.input.table"),
                        "oldest": expression("$exists($states.input.not_before) ? $states.input.not_before : null"),
                        "previous": None,
                    },
                ),
                "Known": choice([("$exists($states.input.restored.count)", "Given")], "Segments"),
                "Given": passing("Previous", assign={"restored": expression("$states.input.restored")}),
                "Segments": passing(
                    "Digest", output={"segments": expression(f"[[0..{self.segments - 1}].{{{fields}}}]")}
                ),
                "Digest": distributed_map(
                    {
                        "DigestSegment": function_task(
                            self.digest, expression("$states.input"), seconds=_CALL_SECONDS, then="Read"
                        ),
                        "Read": choice([("$states.input.done", "Counted")], "DigestSegment"),
                        "Counted": passing(None),
                    },
                    start="DigestSegment",
                    label="Segments",
                    items={"ItemsPath": "$.segments"},
                    concurrency=self.segments,
                    then="Sum",
                    more={"ResultPath": "$.counted"},
                ),
                "Sum": passing(
                    "Previous",
                    assign={
                        "restored": {
                            "count": expression("$sum($states.input.counted.count)"),
                            "bytes": expression("$sum($states.input.counted.bytes)"),
                        }
                    },
                ),
                "Previous": task(
                    "arn:aws:states:::aws-sdk:ssm:getParameter",
                    {"Name": self.parameter},
                    seconds=60,
                    retries=[retry(*_SSM_FAULTS, "States.Timeout")],
                    then="Check",
                    assign={"previous": expression("$parse($states.result.Parameter.Value)")},
                    # The first drill has nothing to compare with.
                    catches=[catch("Check", *_NO_PARAMETER)],
                ),
                "Check": function_task(
                    self.check,
                    {
                        "restored": expression("$restored"),
                        "previous": expression("$previous"),
                        "largest_fall": self.largest_fall,
                        "canary": canary,
                    },
                    seconds=120,
                    then=None,
                ),
            },
        }


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
            "Last": task(
                "arn:aws:states:::aws-sdk:ssm:getParameter",
                {"Name": parameter},
                seconds=60,
                retries=[retry(*_SSM_FAULTS, "States.Timeout")],
                then="Say",
                # No metric either: missing data is an alarm.
                catches=[catch("Never", *_NO_PARAMETER)],
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillMachine:
    """The definition of a drill.

    Args:
        name: What its metrics and messages call it.
        restore: The ARN of the machine that restores.
        check: The ARN of the machine that checks.
        prefix: What the names of its tables begin with.
        arn_prefix: The ARN of those tables up to and including that.
        parameter: The name of the SSM parameter that keeps what the last good drill found.
        canary_age: How old the canary may be at the moment that the backup reaches, in seconds; None without one.
        topic: The ARN of the topic that is told; None for none.
        keep_failed: Whether a table that failed is kept for inspection.
        timeout_seconds: How long a drill may take.
    """

    name: str
    restore: str
    check: str
    prefix: str
    arn_prefix: str
    parameter: str
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
        execution = "$join($split($restore, ':stateMachine:'), ':execution:') & ':' & $states.context.Execution.Name"
        return {
            "Comment": "Restores a backup, checks it, says what it found and removes what it made.",
            "QueryLanguage": "JSONPath",
            "TimeoutSeconds": self.timeout_seconds,
            "StartAt": "Start",
            "States": {
                "Start": passing(
                    "Name", assign={"restore": self.restore, "passed": False, "problem": "", "found": None}
                ),
                "Name": passing(
                    "Restore",
                    assign={
                        "began": expression("$states.context.Execution.StartTime"),
                        # A name of its own for each drill, and short enough with any prefix.
                        "table": expression(f"'{self.prefix}' & $substring($states.context.Execution.Name, 0, 80)"),
                        "maker": expression(execution),
                    },
                ),
                "Restore": task(
                    "arn:aws:states:::states:startExecution.sync:2",
                    {
                        "StateMachineArn": self.restore,
                        "Name": expression("$states.context.Execution.Name"),
                        "Input": {"table": expression("$table"), "isolated": True},
                    },
                    seconds=self.timeout_seconds,
                    retries=[retry("StepFunctions.ThrottlingException", "StepFunctions.SdkClientException")],
                    then="Check",
                    catches=[catch("Failed")],
                    assign={
                        "restored": expression("$states.result.Output.restored"),
                        "reached": expression("$states.result.Output.reached"),
                        "oldest": expression(oldest),
                    },
                    output={},
                ),
                "Check": task(
                    "arn:aws:states:::states:startExecution.sync:2",
                    {
                        "StateMachineArn": self.check,
                        "Input": {
                            "table": expression("$table"),
                            "restored": expression("$restored"),
                            "not_before": expression("$oldest"),
                        },
                    },
                    seconds=self.timeout_seconds,
                    retries=[retry("StepFunctions.ThrottlingException", "StepFunctions.SdkClientException")],
                    then="Keep",
                    catches=[catch("Failed")],
                    assign={"found": expression("$states.result.Output")},
                    output={},
                ),
                # What the next drill is compared with, before anything is said: only a good one counts.
                "Keep": task(
                    "arn:aws:states:::aws-sdk:ssm:putParameter",
                    {
                        "Name": self.parameter,
                        "Type": "String",
                        "Overwrite": True,
                        "Value": expression(
                            "$string({'count': $found.count, 'bytes': $found.bytes, 'reached': $reached, "
                            "'drilled': $began})"
                        ),
                    },
                    seconds=60,
                    retries=[retry(*_SSM_FAULTS, "States.Timeout")],
                    then="Look",
                    catches=[catch("Failed")],
                    # Nothing but this makes it a good one.
                    assign={"passed": True},
                    output={},
                ),
                **self._cleaning(),
                **self._reporting(),
            },
        }

    def _cleaning(self) -> dict[str, Json]:
        """Remove the table, if this drill's restore has made it: by its name, and by its tag."""
        arn = f"'{self.arn_prefix}' & $substring($table, {len(self.prefix)})"
        unclean = catch("Unclean")
        gone = {**catch("Report", "DynamoDb.ResourceNotFoundException"), "Output": {}}
        said = "$states.input.Error & ': ' & $states.input.Cause"
        states = {
            "Failed": passing("Look", assign={"passed": False, "problem": expression(said)}, output={}),
            "Unclean": passing(
                "Report",
                assign={
                    "passed": False,
                    "problem": expression(f"$problem & ' Table ' & $table & ' was not removed: ' & {said}"),
                },
                output={},
            ),
            **reading_tags("Look", arn, then="Ours", catches=[gone, unclean]),
            "Ours": choice(
                [(f"$tags[Key = '{RESTORE_TAG}'].Value = $maker", "Kept" if self.keep_failed else "Remove")], "Report"
            ),
            "Remove": dynamodb_task(
                "deleteTable",
                {"TableName": expression("$table")},
                then="Removing",
                catches=[gone, unclean],
                output={},
            ),
            "Removing": wait(10, "Gone"),
            "Gone": dynamodb_task(
                "describeTable",
                {"TableName": expression("$table")},
                then="Removing",
                catches=[gone, unclean],
                output={},
            ),
        }
        # A table that is still being made refuses to be deleted, which passes.
        states["Remove"]["Retry"].append(retry("DynamoDb.ResourceInUseException", attempts=30, interval=10))
        if self.keep_failed:
            states["Kept"] = choice([("$passed", "Remove")], "Report")
        return states

    def _reporting(self) -> dict[str, Json]:
        dimensions = [{"Name": "Drill", "Value": self.name}]
        ok = "$passed"

        def metric(name: str, value: Any, unit: str = "Count") -> Json:
            return {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": dimensions}

        detail: Mapping[str, Any] = {
            "drill": self.name,
            "ok": expression(ok),
            "problem": expression("$problem"),
            "table": expression("$table"),
            "found": expression("$found"),
        }
        told = "Tell" if self.topic is not None else "Verdict"
        states = {
            "Report": task(
                "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
                {
                    "Namespace": NAMESPACE,
                    "MetricData": [
                        metric(GOOD, expression(f"{ok} ? 1 : 0")),
                        metric(BAD, expression(f"{ok} ? 0 : 1")),
                        metric(ITEMS, expression("$found = null ? 0 : $found.count")),
                    ],
                },
                seconds=60,
                retries=[retry("States.TaskFailed", "States.Timeout")],
                then="Event",
                # What cannot be said here is said by the alarm on absence.
                catches=[{**catch("Event"), "Output": {}}],
                output={},
            ),
            "Event": task(
                "arn:aws:states:::events:putEvents",
                {
                    "Entries": [
                        {"Source": EVENT_SOURCE, "DetailType": "Restore drill", "Detail": detail},
                    ]
                },
                seconds=60,
                retries=[retry("States.TaskFailed", "States.Timeout")],
                then=told,
                catches=[{**catch(told), "Output": {}}],
                output={},
            ),
            "Verdict": choice([(ok, "Good")], "Bad"),
            "Good": passing(None, output=expression("$found")),
            "Bad": fail("DrillFailed", expression("$problem")),
        }
        if self.topic is not None:
            states["Tell"] = task(
                "arn:aws:states:::sns:publish",
                {
                    "TopicArn": self.topic,
                    "Subject": expression(
                        f"$substring(({ok} ? 'Restore drill passed: ' : 'Restore drill FAILED: ') "
                        f"& '{self.name}', 0, 99)"
                    ),
                    "Message": expression(
                        f"{ok} ? 'Restored ' & $string($found.count) & ' items as of ' & $reached & '.' : $problem"
                    ),
                },
                seconds=60,
                retries=[retry("States.TaskFailed", "States.Timeout")],
                then="Verdict",
                catches=[{**catch("Verdict"), "Output": {}}],
                output={},
            )
        return states
