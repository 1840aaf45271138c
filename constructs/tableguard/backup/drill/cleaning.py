"""The states of a drill that remove its table."""

from __future__ import annotations

from tableguard.backup.restore.tags import RESTORE_TAG
from tableguard.backup.states.builders import catch, choice, expression, passing, wait
from tableguard.backup.states.retries import retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json


def cleaning(tasks: Tasks, *, prefix: str, arn_prefix: str, keep_failed: bool) -> dict[str, Json]:
    """Remove the table, if this drill's restore has made it: by its name, and by its tag.

    Args:
        tasks: Builds tasks for the machine's partition.
        prefix: What the names of the drill's tables begin with.
        arn_prefix: The ARN of those tables up to and including that.
        keep_failed: Whether a table that failed is kept for inspection.
    """
    arn = f"'{arn_prefix}' & $substring($table, {len(prefix)})"
    unclean = catch("Unclean")
    gone = catch("Report", "DynamoDb.ResourceNotFoundException", Output={})
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
        # There is none where the restore failed before it made one. Asked for its tags, DynamoDB does not say that.
        "Look": tasks.dynamodb(
            "describeTable",
            {"TableName": expression("$table")},
            then="Tags",
            catches=[gone, unclean],
            output={},
        ),
        **tasks.reading_tags("Tags", arn, then="Ours", catches=[gone, unclean]),
        "Ours": choice(
            [(f"$tags[Key = '{RESTORE_TAG}'].Value = $maker", "Kept" if keep_failed else "Remove")], "Report"
        ),
        "Remove": tasks.dynamodb(
            "deleteTable",
            {"TableName": expression("$table")},
            then="Removing",
            catches=[gone, unclean],
            output={},
        ),
        "Removing": wait(10, "Gone"),
        "Gone": tasks.dynamodb(
            "describeTable",
            {"TableName": expression("$table")},
            then="Removing",
            catches=[gone, unclean],
            output={},
        ),
    }
    # A table that is still being made refuses to be deleted, which passes.
    states["Remove"]["Retry"].append(retry("DynamoDb.ResourceInUseException", attempts=30, interval=10))
    if keep_failed:
        states["Kept"] = choice([("$passed", "Remove")], "Report")
    return states
