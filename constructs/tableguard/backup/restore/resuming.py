"""The states of a restore that is taken up again: it goes on to the moment that the table was made for."""

from __future__ import annotations

from typing import Final

from tableguard.backup.restore.tags import REACHED_TAG
from tableguard.backup.states.builders import catch, choice, expression, fail, passing
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

_MADE_FOR: Final = f"$tags[Key = '{REACHED_TAG}'].Value"


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
