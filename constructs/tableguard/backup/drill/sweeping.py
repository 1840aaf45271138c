"""The states that remove tables which drills have left that were killed, by their names and tags. None else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tableguard.backup.restore.tags import RESTORE_TAG
from tableguard.backup.states.builders import catch, choice, expression, passing
from tableguard.backup.states.maps import inline_map
from tableguard.backup.states.retries import retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

HOURS: Final = 6
"""How old a table is at least that is removed."""

_GONE: Final = ("Sfn.ExecutionDoesNotExistException", "Sfn.ExecutionDoesNotExist")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTables:
    """The tables of a drill: each is named by the prefix and its execution's name, and tagged with its restore's ARN.

    Args:
        drill: The ARN of the drill's machine.
        restore: The ARN of the machine that restores.
        prefix: What their names begin with.
        arn_prefix: Their ARN up to and including that.
    """

    drill: str
    restore: str
    prefix: str
    arn_prefix: str


def sweeping(tasks: Tasks, tables: DrillTables) -> dict[str, Json]:
    """The states from "Sweep" to the end.

    A table is removed if its tag says that the restore of the drill in its name has made it, that drill does not run,
    and it is older than some hours. One of those that cannot be told is left, and fails the execution in the end.

    Args:
        tasks: Builds tasks for the machine's partition.
        tables: The tables of the drill.
    """
    length = len(tables.prefix)
    started = "$toMillis($states.context.Execution.StartTime)"
    return {
        "Sweep": passing(
            "Tables",
            assign={
                "after": "",
                "drills": expression(_executions(tables.drill)),
                "restores": expression(_executions(tables.restore)),
            },
        ),
        "Tables": tasks.dynamodb(
            "listTables",
            expression("$after = '' ? {} : {'ExclusiveStartTableName': $after}"),
            then="Each",
            assign={
                "after": expression(
                    "$exists($states.result.LastEvaluatedTableName) ? $states.result.LastEvaluatedTableName : ''"
                )
            },
            output={
                "tables": expression(
                    f"[$states.result.TableNames[$substring($, 0, {length}) = '{tables.prefix}']]",
                )
            },
        ),
        "Each": inline_map(
            expression("$states.input.tables"),
            _of_one(tasks, tables, length, started),
            start="Table",
            concurrency=1,
            output={},
            then="More",
        ),
        "More": choice([("$after != ''", "Tables")], "Swept"),
        "Swept": passing(None, output={}),
    }


def _of_one(tasks: Tasks, tables: DrillTables, length: int, started: str) -> dict[str, Json]:
    # Another one's removal of the same table is none of its business.
    gone = catch("Left", "DynamoDb.ResourceNotFoundException", Output={})
    found = {"TableName": expression("$left")}
    states = {
        "Table": passing(
            "Drill",
            assign={"left": expression("$states.input"), "drill": expression(f"$substring($states.input, {length})")},
        ),
        "Drill": passing(
            "Tags",
            assign={"arn": expression(f"'{tables.arn_prefix}' & $drill"), "maker": expression("$restores & $drill")},
        ),
        **tasks.reading_tags("Tags", "$arn", then="Ours", catches=[gone]),
        "Ours": choice([(f"$tags[Key = '{RESTORE_TAG}'].Value = $maker", "Running")], "Left"),
        "Running": tasks.task(
            "aws-sdk:sfn:describeExecution",
            {"ExecutionArn": expression("$drills & $drill")},
            retries=[retry("Sfn.ThrottlingException", "Sfn.SdkClientException", "States.Timeout")],
            then="Over",
            output={"over": expression("$states.result.Status != 'RUNNING'")},
            # Step Functions forgets an execution 90 days after its end.
            catches=[catch("Age", *_GONE, Output={})],
        ),
        "Over": choice([("$states.input.over", "Age")], "Left"),
        "Age": tasks.dynamodb(
            "describeTable",
            found,
            then="Old",
            output={"hours": expression(f"({started} - $toMillis($states.result.Table.CreationDateTime)) / 3600000")},
            catches=[gone],
        ),
        "Old": choice([(f"$states.input.hours > {HOURS}", "Remove")], "Left"),
        "Remove": tasks.dynamodb("deleteTable", found, then="Left", output={}, catches=[gone]),
        "Left": passing(None, output={}),
    }
    # A table that is still being made refuses to be deleted, which passes.
    states["Remove"]["Retry"].append(retry("DynamoDb.ResourceInUseException", attempts=5, interval=10))
    return states


def _executions(machine: str) -> str:
    return f"$join($split('{machine}', ':stateMachine:'), ':execution:') & ':'"
