"""The states of a restore that make the table: what an interrupted one was up to, creation, settings, recovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tableguard.backup.restore.tags import INCOMPLETE, REACHED_TAG, RESTORE_TAG, STATE_TAG, VERIFIED, VERIFIED_TAG
from tableguard.backup.restore.templates import rendered
from tableguard.backup.states.builders import catch, choice, expression, fail, passing, wait
from tableguard.backup.states.errors import DYNAMODB_NOT_YET
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

_MADE_FOR: Final = f"$tags[Key = '{REACHED_TAG}'].Value"
_LOOKS: Final = 5  # at the tags of a table that shows none
_STREAM: Final = "$exists($states.result.Table.LatestStreamArn) ? $states.result.Table.LatestStreamArn : ''"


def creating(
    tasks: Tasks,
    *,
    arguments: Mapping[str, Any],
    deletion_protection: bool,
    tags: Mapping[str, str],
    with_policy: bool,
    recovery_days: int | None,
) -> dict[str, Json]:
    """The states from "Planned" up to "Steps". They leave to "Incomplete" what fails once there is a table.

    Args:
        tasks: Builds tasks for the machine's partition.
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
                "looked": 0,
            },
        ),
        "Create": tasks.dynamodb(
            "createTable",
            request,
            then="Wait",
            catches=[
                catch("Whose", "DynamoDb.ResourceInUseException"),
                catch("Refusal", *DYNAMODB_NOT_YET),
                catch("NotCreated"),
            ],
        ),
        # Nobody may mark a verified table as incomplete, and creating asks for the right to tag: a table that is there
        # may be said by a refusal.
        "Refusal": tasks.dynamodb(
            "describeTable",
            {"TableName": expression("$table")},
            then="Whose",
            catches=[catch("NotCreated", Output=expression("$states.input"))],
            output={},
        ),
        "NotCreated": fail(
            expression("$states.input.Error"),
            expression("'No table was made: ' & $states.input.Cause"),
        ),
        # A call that timed out may have made it all the same, and an execution may be taken up again.
        **tasks.reading_tags(
            "Whose",
            "$arn",
            then="Seen",
            catches=[catch("Seen", "DynamoDb.ResourceNotFoundException"), catch("TableExists")],
        ),
        # Tags are eventually consistent: a table that was just made may show none.
        "Seen": choice([(f"$exists({tag}) or $looked >= {_LOOKS}", "Mine")], "LookAgain"),
        "LookAgain": passing("LookPause", assign={"looked": expression("$looked + 1")}, output={}),
        "LookPause": wait(5, "Whose"),
        "Mine": choice(
            [
                (f"{tag} = $execution", "Wait"),
                (f"$resumes != '' and {tag} = $resumes and {state} = '{INCOMPLETE}'", "Wait"),
                (f"$resumes != '' and {tag} = $resumes and {state} = '{VERIFIED}'", "Settings"),
            ],
            "TableExists",
        ),
        # Its items are verified, and its final policy may keep the workers out: what follows them alone is done again.
        "Settings": tasks.dynamodb(
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
        "Describe": tasks.dynamodb(
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
        states["Recovery"] = tasks.dynamodb(
            "updateContinuousBackups",
            {
                "TableName": expression("$table"),
                "PointInTimeRecoverySpecification": {
                    "PointInTimeRecoveryEnabled": True,
                    "RecoveryPeriodInDays": recovery_days,
                },
            },
            busy=True,
            new=True,
            then="Steps",
            catches=[catch("Incomplete")],
        )
    return states


def resuming(tasks: Tasks, *, then: str) -> dict[str, Json]:
    """The states from "Resumes" up to the plan.

    Meanwhile there are newer exports, and what was deleted between two full ones would stay in a table that was begun
    with the older one. So the moment is in a tag of the table, as soon as there is one.

    Args:
        tasks: Builds tasks for the machine's partition.
        then: The state that plans, up to the variable "until".
    """
    return {
        "Resumes": choice([("$resumes != ''", "Before")], then),
        # Before there is a table, nothing has to be gone on with. Asked for its tags, DynamoDB does not say that.
        "Before": tasks.dynamodb(
            "describeTable",
            {"TableName": expression("$table")},
            then="MadeFor",
            catches=[catch(then, "DynamoDb.ResourceNotFoundException"), catch("Refused")],
            output={},
        ),
        **tasks.reading_tags("MadeFor", "$arn", then="Known", catches=[catch("Refused")]),
        "Known": choice(
            [
                (f"$not($exists({_MADE_FOR}))", then),
                (f"$until = null or $toMillis($until) >= $toMillis({_MADE_FOR})", "Same"),
            ],
            "OtherMoment",
        ),
        "Same": passing(then, assign={"until": expression(_MADE_FOR)}),
        "OtherMoment": fail(
            "OtherMoment",
            expression(
                f"'Table ' & $table & ' was begun with the state of ' & {_MADE_FOR} & ', which is later than ' & "
                "$until & '. Leave until out to go on with it, or restore to another name.'"
            ),
        ),
    }
