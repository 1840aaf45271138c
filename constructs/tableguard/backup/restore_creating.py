"""The states of a restore that make the table, or find the one that an earlier attempt has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tableguard.backup.restore_states import (
    catch,
    choice,
    dynamodb_task,
    expression,
    fail,
    passing,
    reading_tags,
    wait,
)
from tableguard.backup.restore_tags import INCOMPLETE, REACHED_TAG, RESTORE_TAG, STATE_TAG, VERIFIED, VERIFIED_TAG
from tableguard.backup.restore_templates import rendered
from tableguard.policy.documents import Json

_STREAM: Final = "$exists($states.result.Table.LatestStreamArn) ? $states.result.Table.LatestStreamArn : ''"


def creating(
    *,
    arguments: Mapping[str, Any],
    deletion_protection: bool,
    tags: Mapping[str, str],
    with_policy: bool,
    recovery_days: int | None,
) -> dict[str, Json]:
    """The states from "Planned" up to "Steps". They leave to "Incomplete" what fails once there is a table.

    Args:
        arguments: The arguments of CreateTable that follow from the blueprint.
        deletion_protection: Whether the table refuses to be deleted.
        tags: Its tags, those of the restore aside.
        with_policy: Whether it has a policy, the template "policy".
        recovery_days: The window of point-in-time recovery; None for none.
    """
    request: dict[str, Any] = {
        **arguments,
        "TableName": expression("$table"),
        "DeletionProtectionEnabled": expression("$not($isolated)") if deletion_protection else False,
        "Tags": [
            *({"Key": key, "Value": value} for key, value in tags.items()),
            {"Key": RESTORE_TAG, "Value": expression("$execution")},
            {"Key": STATE_TAG, "Value": INCOMPLETE},
            {"Key": REACHED_TAG, "Value": expression("$reached")},
        ],
    }
    if with_policy:
        request["ResourcePolicy"] = expression(rendered("policy"))
    tag, state, reached = (f"$tags[Key = '{name}'].Value" for name in (RESTORE_TAG, STATE_TAG, REACHED_TAG))
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
            request,
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
                (f"$resumes != '' and {tag} = $resumes and {state} = '{VERIFIED}'", "Settings"),
            ],
            "TableExists",
        ),
        # Its items are verified, and its final policy may keep the workers out: what follows them alone is done again.
        "Settings": dynamodb_task(
            "describeTable",
            {"TableName": expression("$table")},
            busy=True,
            then="Verified",
            catches=[catch("Unfinished")],
            output={},
            assign={
                "stream": expression(_STREAM),
                "restored": {"digest": expression(f"$tags[Key = '{VERIFIED_TAG}'].Value")},
                "reached": expression(f"$exists({reached}) ? {reached} : null"),
            },
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
            assign={"stream": expression(_STREAM)},
        ),
    }
    after = "Recovery" if recovery_days is not None else "Steps"
    states["Active"] = choice([("$states.input.active", after)], "Wait")
    if recovery_days is not None:
        states["Recovery"] = dynamodb_task(
            "updateContinuousBackups",
            {
                "TableName": expression("$table"),
                "PointInTimeRecoverySpecification": {
                    "PointInTimeRecoveryEnabled": True,
                    "RecoveryPeriodInDays": recovery_days,
                },
            },
            busy=True,
            then="Steps",
            catches=[catch("Incomplete")],
        )
    return states
