"""The states of a restore that set, once every item is verified, what would have changed items or kept workers out."""

from __future__ import annotations

from collections.abc import Mapping

from tableguard.backup.restore.tags import STATE_TAG, VERIFIED, VERIFIED_TAG
from tableguard.backup.restore.templates import rendered
from tableguard.backup.states.builders import CALL_SECONDS, catch, choice, expression, fail, passing
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json


def finishing(
    tasks: Tasks,
    *,
    with_stream_policy: bool,
    time_to_live: str | None,
    insights: Mapping[str, str],
    policy_changes: bool,
    clearing: str | None,
) -> dict[str, Json]:
    """The states from "Verified" to the end.

    Args:
        tasks: Builds tasks for the machine's partition.
        with_stream_policy: Whether the stream has a policy, the template "stream".
        time_to_live: The attribute that says when items expire; None for none.
        insights: Modes of contributor insights, by index; the table itself under "".
        policy_changes: Whether the table gets another policy than it had while it was restored, the template "final".
        clearing: The ARN of the function that removes the export that the restore made; None where it made none.
    """
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
    if with_stream_policy:
        arguments = {"ResourceArn": expression("$stream"), "Policy": expression(rendered("stream"))}
        steps.append(("StreamPolicy", {"operation": "putResourcePolicy", "arguments": arguments}))
    if time_to_live is not None:
        arguments = {
            "TableName": expression("$table"),
            "TimeToLiveSpecification": {"AttributeName": time_to_live, "Enabled": True},
        }
        steps.append(("TimeToLive", {"operation": "updateTimeToLive", "arguments": arguments}))
    for number, (index, mode) in enumerate(insights.items()):
        arguments = {
            "TableName": expression("$table"),
            **({"IndexName": index} if index else {}),
            "ContributorInsightsAction": "ENABLE",
            "ContributorInsightsMode": mode,
        }
        steps.append((f"Insights{number}", {"operation": "updateContributorInsights", "arguments": arguments}))
    last = "FinalPolicy" if policy_changes else "Restored"
    followers = [name for name, _ in steps[1:]] + ["Locked" if last == "FinalPolicy" else last]
    states = {
        name: tasks.dynamodb(**step, busy=True, then=then, catches=[catch("Unfinished")])
        for (name, step), then in zip(steps, followers, strict=True)
    }
    if last == "FinalPolicy":
        # A drill looks for its canary first, and removes the table.
        states["Locked"] = choice([("$isolated", "Restored")], "FinalPolicy")
        states["FinalPolicy"] = tasks.dynamodb(
            "putResourcePolicy",
            {"ResourceArn": expression("$arn"), "Policy": expression(rendered("final"))},
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
        None if clearing is None else "Clear",
        output={
            "table": expression("$table"),
            "arn": expression("$arn"),
            "reached": expression("$reached"),
            "restored": expression("$restored"),
            "execution": expression("$execution"),
        },
    )
    if clearing is not None:
        # What it leaves expires: the table is whole all the same.
        states["Clear"] = tasks.function(
            clearing,
            {"source": expression("$source"), "export": expression("$export")},
            seconds=CALL_SECONDS,
            then=None,
            output=expression("$states.input"),
            catches=[catch("NotCleared", Output=expression("$states.input"))],
        )
        states["NotCleared"] = passing(None)
    return states
