"""The machine that rebuilds a table, as a dict.

Plan, create, load in order, count, compare, and only then what would change items or close the door behind the loader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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
    wait,
)
from tableguard.policy.documents import Json

RESTORE_TAG: Final = "tableguard:restore"
STATE_TAG: Final = "tableguard:restore-state"
VERIFIED_TAG: Final = "tableguard:verified"
INCOMPLETE: Final = "incomplete"
VERIFIED: Final = "verified"
# Stands for the name that an execution is given, in everything that is rendered before there is one.
PLACEHOLDER: Final = "tableguard-restored-table"
# CloudFormation reads "${" in a definition as a variable of its own.
_BRACE: Final = "tableguard-dollar-brace"
_VARIABLE: Final = re.compile(r"\$\{(?!Token\[)")
RESULTS: Final = "results"
FUNCTION_SECONDS: Final = 900  # the longest that a Lambda function runs
_CALL_SECONDS: Final = FUNCTION_SECONDS + 60
_NO_DIGEST: Final = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """The ARNs of the functions that do the work.

    Args:
        load: Writes one file of an export.
        digest: Reads one segment of the table.
        check: Compares.
    """

    load: str
    digest: str
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMachine:
    """Everything that the definition of a restore says.

    Args:
        source: The account, region and name of the table whose items are restored.
        table_arn: The ARN of the restored table with PLACEHOLDER for its name.
        arguments: The arguments of CreateTable that follow from the blueprint.
        deletion_protection: Whether the table refuses to be deleted.
        tags: Its tags, those of the restore aside.
        policy: Its policy while it is restored, with PLACEHOLDER; None for none.
        final_policy: Its policy afterwards; None for none.
        stream_policy: The policy of its stream; None for none.
        recovery_days: The window of point-in-time recovery; None for none.
        time_to_live: The attribute that says when items expire; None for none.
        insights: Modes of contributor insights, by index; the table itself under "".
        planning: States that end in the state "Planned" with a plan as their output, "Plan" the first of them.
        functions: The functions.
        work_bucket: The name of the work bucket.
        files_at_once: How many files are loaded at the same time.
        segments: In how many segments the table is read.
        timeout_seconds: How long an execution may take.
    """

    source: Mapping[str, str]
    table_arn: str
    arguments: Json
    deletion_protection: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Json | None
    final_policy: Json | None
    stream_policy: Json | None
    recovery_days: int | None
    time_to_live: str | None
    insights: Mapping[str, str] = field(default_factory=dict)
    planning: Mapping[str, Json]
    functions: Functions
    work_bucket: str
    files_at_once: int
    segments: int
    timeout_seconds: int

    def definition(self) -> Json:
        """The definition."""
        return {
            "Comment": "Rebuilds a table from a backup and compares every item with it. It never overwrites a table.",
            "QueryLanguage": "JSONPath",
            "TimeoutSeconds": self.timeout_seconds,
            "StartAt": "Start",
            "States": {
                **self._starting(),
                **self.planning,
                **self._creating(),
                **self._loading(),
                **self._checking(),
                **self._finishing(),
            },
        }

    def _starting(self) -> dict[str, Json]:
        asked = "$states.input"
        same = " and ".join(f"{asked}.source.{part} = $source.{part}" for part in ("account", "region", "table"))
        return {
            # What was rendered before the execution is set first: expressions see variables as they were on entry.
            "Start": passing(
                "Asked",
                assign={
                    "source": dict(self.source),
                    "template": {
                        name: _without_braces(policy)
                        for name, policy in (
                            ("policy", self.policy),
                            ("final", self.final_policy),
                            ("stream", self.stream_policy),
                        )
                        if policy is not None
                    },
                    "execution": expression("$states.context.Execution.Id"),
                    "isolated": expression(f"$exists({asked}.isolated) ? {asked}.isolated = true : false"),
                    "resumes": expression(f"$exists({asked}.resume) ? {asked}.resume : ''"),
                    "until": expression(f"$exists({asked}.until) ? {asked}.until : null"),
                    "sealed_by": expression(f"$exists({asked}.sealed_by) ? {asked}.sealed_by : null"),
                },
            ),
            "Asked": choice(
                [
                    (f"$type({asked}.table) != 'string' or $length({asked}.table) < 3", "NoName"),
                    (f"$exists({asked}.source) and $not({same})", "OtherSource"),
                ],
                "Named",
            ),
            "NoName": fail("NoName", 'Say the new table\'s name: {"table": "…"}.'),
            "OtherSource": fail(
                "OtherSource", "This machine restores another table: leave source out, or name its own."
            ),
            "Named": passing(
                "Plan",
                assign={
                    "table": expression(f"{asked}.table"),
                    "arn": expression(f"'{self.table_arn.removesuffix(PLACEHOLDER)}' & {asked}.table"),
                },
            ),
            "Refused": fail(
                expression("$states.input.Error"),
                expression("'Nothing was made: ' & $states.input.Cause"),
            ),
        }

    def _creating(self) -> dict[str, Json]:
        arguments: dict[str, Any] = {
            **self.arguments,
            "TableName": expression("$table"),
            "DeletionProtectionEnabled": expression("$not($isolated)") if self.deletion_protection else False,
            "Tags": [
                *({"Key": key, "Value": value} for key, value in self.tags.items()),
                {"Key": RESTORE_TAG, "Value": expression("$execution")},
                {"Key": STATE_TAG, "Value": INCOMPLETE},
            ],
        }
        if self.policy is not None:
            arguments["ResourcePolicy"] = expression(_rendered("policy"))
        tag, state = (f"$tags[Key = '{name}'].Value" for name in (RESTORE_TAG, STATE_TAG))
        states = {
            "Planned": passing(
                "Create",
                assign={
                    "steps": expression("[$states.input.steps]"),
                    "expected": expression("$states.input.expected"),
                    "reached": expression("$states.input.reached"),
                },
            ),
            "Create": dynamodb_task(
                "createTable",
                arguments,
                then="Wait",
                catches=[catch("Whose", "DynamoDb.ResourceInUseException"), catch("NotCreated")],
            ),
            "NotCreated": fail(
                expression("$states.input.Error"),
                expression("'No table was made: ' & $states.input.Cause"),
            ),
            # A call that timed out may have made it all the same, and an execution may be taken up again.
            **reading_tags("Whose", "$arn", then="Mine", catches=[catch("TableExists")]),
            "Mine": choice(
                [
                    (f"{tag} = $execution", "Wait"),
                    (f"$resumes != '' and {tag} = $resumes and {state} = '{INCOMPLETE}'", "Wait"),
                ],
                "TableExists",
            ),
            "TableExists": fail(
                "TableExists",
                expression("'There is a table ' & $table & ' that this execution did not make. It was left as it is.'"),
            ),
            "Wait": wait(5, "Describe"),
            "Describe": dynamodb_task(
                "describeTable",
                {"TableName": expression("$table")},
                busy=True,
                then="Active",
                catches=[catch("Incomplete")],
                output={
                    "active": expression(
                        "$states.result.Table.TableStatus = 'ACTIVE' and "
                        "$count($states.result.Table.GlobalSecondaryIndexes[IndexStatus != 'ACTIVE']) = 0"
                    ),
                },
                assign={
                    "stream": expression(
                        "$exists($states.result.Table.LatestStreamArn) ? $states.result.Table.LatestStreamArn : ''"
                    )
                },
            ),
        }
        after = "Recovery" if self.recovery_days is not None else "Steps"
        states["Active"] = choice([("$states.input.active", after)], "Wait")
        if self.recovery_days is not None:
            states["Recovery"] = dynamodb_task(
                "updateContinuousBackups",
                {
                    "TableName": expression("$table"),
                    "PointInTimeRecoverySpecification": {
                        "PointInTimeRecoveryEnabled": True,
                        "RecoveryPeriodInDays": self.recovery_days,
                    },
                },
                busy=True,
                then="Steps",
                catches=[catch("Incomplete")],
            )
        return states

    def _loading(self) -> dict[str, Json]:
        item = "$states.context.Map.Item.Value"
        load = function_task(
            self.functions.load,
            {name: expression(f"$states.input.{name}") for name in ("file", "table", "type", "after")},
            seconds=_CALL_SECONDS,
            then="Loaded",
            output=expression("$merge([$states.input, $states.result.Payload])"),
        )
        files = distributed_map(
            {
                "Load": load,
                "Loaded": choice([("$states.input.done", "Done")], "Load"),
                "Done": passing(None, output={}),
            },
            start="Load",
            label="Files",
            items={
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket": self.work_bucket, "Key.$": "$.key"},
                },
            },
            selector={"file.$": "$$.Map.Item.Value", "table.$": "$.table", "type.$": "$.type", "after": 0},
            concurrency=self.files_at_once,
            then=None,
            more={
                # What the children return would not fit into a state for many files: it goes to the work bucket.
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Parameters": {"Bucket": self.work_bucket, "Prefix": RESULTS},
                },
                "ResultPath": None,
            },
        )
        return {
            # In order, one after the other: an increment says what became of what the steps before it have written.
            "Steps": {
                "Type": "Map",
                "QueryLanguage": "JSONata",
                "Items": expression("$steps"),
                "ItemSelector": {
                    "key": expression(f"{item}.key"),
                    "files": expression(f"{item}.files"),
                    "type": expression(f"{item}.type"),
                    "table": expression("$table"),
                },
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Any",
                    "States": {
                        "Any": choice([("$states.input.files > 0", "Files")], "Nothing"),
                        "Files": files,
                        "Nothing": passing(None, output={}),
                    },
                },
                "Catch": [catch("Incomplete")],
                "Output": {},
                "Next": "Segments",
            },
        }

    def _checking(self) -> dict[str, Json]:
        digest = function_task(
            self.functions.digest,
            expression("$states.input"),
            seconds=_CALL_SECONDS,
            then="Read",
        )
        fields = (
            f"'table': $table, 'segment': $, 'segments': {self.segments}, 'start': null, 'count': 0, 'bytes': 0, "
            f"'digest': '{_NO_DIGEST}'"
        )
        return {
            "Segments": passing("Digest", output={"segments": expression(f"[[0..{self.segments - 1}].{{{fields}}}]")}),
            "Digest": distributed_map(
                {
                    "DigestSegment": digest,
                    "Read": choice([("$states.input.done", "Counted")], "DigestSegment"),
                    "Counted": passing(None),
                },
                start="DigestSegment",
                label="Segments",
                items={"ItemsPath": "$.segments"},
                concurrency=self.segments,
                then="Check",
                catches=[catch("Incomplete")],
                more={"ResultPath": "$.counted"},
            ),
            "Check": function_task(
                self.functions.check,
                {"expected": expression("$expected"), "segments": expression("$states.input.counted")},
                seconds=120,
                then="Verified",
                catches=[catch("Incomplete")],
                assign={"restored": expression("$states.result.Payload")},
            ),
            "Incomplete": fail(
                expression("$states.input.Error"),
                expression(
                    f"'Table ' & $table & ' is left as it is, tagged "
                    f"{STATE_TAG} = {INCOMPLETE}: ' & $states.input.Cause"
                ),
            ),
        }

    def _finishing(self) -> dict[str, Json]:
        arguments: Json
        steps: list[tuple[str, Json]] = [
            (
                "Verified",
                {
                    "operation": "tagResource",
                    "arguments": {
                        "ResourceArn": expression("$arn"),
                        "Tags": [
                            {"Key": VERIFIED_TAG, "Value": expression("$restored.digest")},
                            {"Key": STATE_TAG, "Value": VERIFIED},
                        ],
                    },
                },
            )
        ]
        if self.stream_policy is not None:
            arguments = {"ResourceArn": expression("$stream"), "Policy": expression(_rendered("stream"))}
            steps.append(("StreamPolicy", {"operation": "putResourcePolicy", "arguments": arguments}))
        if self.time_to_live is not None:
            arguments = {
                "TableName": expression("$table"),
                "TimeToLiveSpecification": {"AttributeName": self.time_to_live, "Enabled": True},
            }
            steps.append(("TimeToLive", {"operation": "updateTimeToLive", "arguments": arguments}))
        for number, (index, mode) in enumerate(self.insights.items()):
            arguments = {
                "TableName": expression("$table"),
                **({"IndexName": index} if index else {}),
                "ContributorInsightsAction": "ENABLE",
                "ContributorInsightsMode": mode,
            }
            steps.append((f"Insights{number}", {"operation": "updateContributorInsights", "arguments": arguments}))
        last = "FinalPolicy" if self.policy != self.final_policy and self.final_policy is not None else "Restored"
        followers = [name for name, _ in steps[1:]] + ["Locked" if last == "FinalPolicy" else last]
        states = {
            name: dynamodb_task(**step, busy=True, then=then, catches=[catch("Unfinished")])
            for (name, step), then in zip(steps, followers, strict=True)
        }
        if last == "FinalPolicy":
            # A drill looks for its canary first, and removes the table.
            states["Locked"] = choice([("$isolated", "Restored")], "FinalPolicy")
            states["FinalPolicy"] = dynamodb_task(
                "putResourcePolicy",
                {"ResourceArn": expression("$arn"), "Policy": expression(_rendered("final"))},
                busy=True,
                then="Restored",
                catches=[catch("Unfinished")],
            )
        states["Unfinished"] = fail(
            expression("$states.input.Error"),
            expression(
                "'Every item of table ' & $table & ' is there, but not all of its settings: ' & $states.input.Cause"
            ),
        )
        states["Restored"] = passing(
            None,
            output={
                "table": expression("$table"),
                "arn": expression("$arn"),
                "reached": expression("$reached"),
                "restored": expression("$restored"),
                "execution": expression("$execution"),
            },
        )
        return states


def _without_braces(policy: Any) -> Any:
    if isinstance(policy, str):
        return _VARIABLE.sub(_BRACE, policy)
    if isinstance(policy, list):
        return [_without_braces(inner) for inner in policy]
    if isinstance(policy, dict):
        return {_without_braces(key): _without_braces(inner) for key, inner in policy.items()}
    return policy


def _rendered(name: str) -> str:
    """The text of a policy with the table's name in it. By splitting and joining: nothing is read as a pattern."""
    named = f"$join($split($string($template.{name}), '{PLACEHOLDER}'), $table)"
    return f"$join($split({named}, '{_BRACE}'), '$' & '{{')"
