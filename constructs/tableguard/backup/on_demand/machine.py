"""The machine that makes on-demand backups and removes its own old ones. No aws_cdk here.

A backup is the machine's own if its name is the prefix and a time ("PREFIX-20261122T050000Z"), whole. Whoever gives a
backup such a name by hand gives it to the machine.

It removes only what is older than `keep_days`, and only where at least `keep_at_least` younger ones of its own are
AVAILABLE: the newest good ones are never touched, and when backups have begun to fail nothing is removed at all. A run
removes at most one page (100) for each table; what is left over is for the next run, which makes but one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from tableguard.backup.states.builders import (
    JSONATA,
    catch,
    choice,
    expression,
    fail,
    machine,
    passing,
    rule,
    succeed,
    wait,
)
from tableguard.backup.states.maps import inline_map
from tableguard.backup.states.retries import retried
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

_DAY: Final = 86_400_000
_PAGE: Final = 100
_STEP_SECONDS: Final = 30
# CreateBackup: 50 a second, DeleteBackup: 10, ListBackups: 5. Source: DynamoDB API reference.
_TABLES_AT_ONCE: Final = 3
_DELETIONS_AT_ONCE: Final = 2
_STARTED: Final = "$replace($states.context.Execution.StartTime, /[-:]|[.][0-9]+/, '')"
_GONE: Final = "DynamoDb.BackupNotFoundException"


def on_demand_machine(
    *, tables: Sequence[str], prefix: str, keep_days: int, keep_at_least: int, hours: int, partition: str
) -> Json:
    """The machine's definition. Its input is not looked at.

    Args:
        tables: The ARNs of the tables.
        prefix: What the names of its backups begin with.
        keep_days: How old a backup becomes, in days.
        keep_at_least: How many of its younger ones must be there before it removes an older one.
        hours: How long a run may take.
        partition: The partition, such as "aws".
    """
    states = {
        "Tables": inline_map(
            list(tables),
            _of_one_table(Tasks(partition), prefix, keep_days, keep_at_least),
            start="Create",
            concurrency=_TABLES_AT_ONCE,
            selector={"table": expression("$states.context.Map.Item.Value")},
            assign={"failed": expression("[$states.result[failed].(table & ': ' & failed)]")},
            then="AllDone",
        ),
        "AllDone": choice([("$count($failed) > 0", "SomeFailed")], "Done"),
        "SomeFailed": fail("BackupFailed", expression("$substring($join($failed, '; '), 0, 1000)")),
        "Done": succeed(),
    }
    what = "Makes on-demand backups of tables and removes its own old ones"
    return machine(what, states, start="Tables", seconds=hours * 3600, language=JSONATA)


def _of_one_table(tasks: Tasks, prefix: str, keep_days: int, keep_at_least: int) -> dict[str, Json]:
    own = f"/^{re.escape(prefix)}-[0-9]{{8}}T[0-9]{{6}}Z$/"
    good = f"$states.result.BackupSummaries[BackupStatus = 'AVAILABLE' and $contains(BackupName, {own})]"
    cutoff = expression(f"$fromMillis($toMillis($states.context.State.EnteredTime) - {keep_days * _DAY})")
    onward = expression("$states.result.LastEvaluatedBackupArn ? $states.result.LastEvaluatedBackupArn : ''")

    def call(operation: str, arguments: Any, *, final: str | None = None, **more: Any) -> Json:
        return tasks.task(f"aws-sdk:dynamodb:{operation}", arguments, retries=retried(final=final), **more)

    # The other tables go on: a run that ends with a failure has still backed up whatever it could.
    could_not = [_caught("$table")]
    return {
        "Create": call(
            "createBackup",
            {
                "TableName": expression("$states.input.table"),
                "BackupName": expression(f"'{prefix}-' & {_STARTED}"),
            },
            final="DynamoDb.TableNotFoundException",
            assign={
                "table": expression("$states.input.table"),
                "backup": expression("$states.result.BackupDetails.BackupArn"),
            },
            catches=[_caught("$states.input.table")],
            then="Wait",
        ),
        "Wait": wait(_STEP_SECONDS, "Describe"),
        "Describe": call(
            "describeBackup",
            {"BackupArn": expression("$backup")},
            output={"status": expression("$states.result.BackupDescription.BackupDetails.BackupStatus")},
            catches=could_not,
            then="IsThere",
        ),
        "IsThere": choice(
            [
                rule(
                    "$states.input.status = 'AVAILABLE'",
                    "CountYoung",
                    Assign={"young": 0, "next": "", "cutoff": cutoff},
                ),
                ("$states.input.status = 'CREATING'", "Wait"),
            ],
            "Vanished",
        ),
        "Vanished": passing(
            None,
            output={"table": expression("$table"), "failed": expression("'the backup is ' & $states.input.status")},
        ),
        # The one that was just made counts as well: it is AVAILABLE, and no older than the cutoff.
        "CountYoung": call(
            "listBackups",
            _page("TimeRangeLowerBound"),
            assign={"young": expression(f"$young + $count({good})"), "next": onward},
            catches=could_not,
            then="EnoughYoung",
        ),
        "EnoughYoung": choice(
            [
                rule(f"$young >= {keep_at_least}", "FindOld", Assign={"next": ""}),
                ("$next != ''", "CountYoung"),
            ],
            "Kept",
        ),
        "FindOld": call(
            "listBackups",
            _page("TimeRangeUpperBound"),
            assign={"next": onward},
            output={"old": expression(f"[{good}.BackupArn]")},
            catches=could_not,
            then="AnyOld",
        ),
        "AnyOld": choice([("$count($states.input.old) > 0", "Remove"), ("$next != ''", "FindOld")], "Kept"),
        "Remove": inline_map(
            expression("$states.input.old"),
            {
                "Delete": call(
                    "deleteBackup",
                    {"BackupArn": expression("$states.input")},
                    final=_GONE,
                    # Another run, or a repeated call, was there first.
                    catches=[catch("Gone", _GONE)],
                    then=None,
                ),
                "Gone": succeed(),
            },
            start="Delete",
            concurrency=_DELETIONS_AT_ONCE,
            catches=could_not,
            then="Kept",
        ),
        "Kept": passing(None, output={"table": expression("$table")}),
        "CouldNot": passing(None),
    }


def _page(bound: str) -> str:
    # One expression, since an argument that is null is not the same as one that is not there.
    fixed = f'{{"TableName": $table, "BackupType": "USER", "Limit": {_PAGE}, "{bound}": $cutoff}}'
    return expression(f"$merge([{fixed}, $next != '' ? {{'ExclusiveStartBackupArn': $next}} : {{}}])")


def _caught(table: str) -> Json:
    why = "$states.errorOutput.Error & ' ' & $substring($string($states.errorOutput.Cause), 0, 200)"
    return catch("CouldNot", Output={"table": expression(table), "failed": expression(why)})
