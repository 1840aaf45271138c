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

from tableguard.backup.aws_backup.job_machine import retried

_DAY: Final = 86_400_000
_PAGE: Final = 100
_TASK_SECONDS: Final = 60
_STEP_SECONDS: Final = 30
# CreateBackup: 50 a second, DeleteBackup: 10, ListBackups: 5. Source: DynamoDB API reference.
_TABLES_AT_ONCE: Final = 3
_DELETIONS_AT_ONCE: Final = 2
_STARTED: Final = "$replace($states.context.Execution.StartTime, /[-:]|[.][0-9]+/, '')"
_GONE: Final = "DynamoDb.BackupNotFoundException"


def on_demand_machine(
    *, tables: Sequence[str], prefix: str, keep_days: int, keep_at_least: int, hours: int, partition: str
) -> dict[str, Any]:
    """The machine's definition. Its input is not looked at.

    Args:
        tables: The ARNs of the tables.
        prefix: What the names of its backups begin with.
        keep_days: How old a backup becomes, in days.
        keep_at_least: How many of its younger ones must be there before it removes an older one.
        hours: How long a run may take.
        partition: The partition, such as "aws".
    """
    return {
        "Comment": "Makes on-demand backups of tables and removes its own old ones",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": hours * 3600,
        "StartAt": "Tables",
        "States": {
            "Tables": {
                "Type": "Map",
                "Items": list(tables),
                "MaxConcurrency": _TABLES_AT_ONCE,
                "ItemSelector": {"table": "{% $states.context.Map.Item.Value %}"},
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Create",
                    "States": _of_one_table(prefix, keep_days, keep_at_least, partition),
                },
                "Assign": {"failed": "{% [$states.result[failed].(table & ': ' & failed)] %}"},
                "Next": "AllDone",
            },
            "AllDone": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $count($failed) > 0 %}", "Next": "SomeFailed"}],
                "Default": "Done",
            },
            "SomeFailed": {
                "Type": "Fail",
                "Error": "BackupFailed",
                "Cause": "{% $substring($join($failed, '; '), 0, 1000) %}",
            },
            "Done": {"Type": "Succeed"},
        },
    }


def _of_one_table(prefix: str, keep_days: int, keep_at_least: int, partition: str) -> dict[str, Any]:
    own = f"/^{re.escape(prefix)}-[0-9]{{8}}T[0-9]{{6}}Z$/"
    good = f"$states.result.BackupSummaries[BackupStatus = 'AVAILABLE' and $contains(BackupName, {own})]"
    cutoff = f"{{% $fromMillis($toMillis($states.context.State.EnteredTime) - {keep_days * _DAY}) %}}"
    onward = "{% $states.result.LastEvaluatedBackupArn ? $states.result.LastEvaluatedBackupArn : '' %}"
    return {
        "Create": {
            **_call("createBackup", partition, final="DynamoDb.TableNotFoundException"),
            "Arguments": {
                "TableName": "{% $states.input.table %}",
                "BackupName": f"{{% '{prefix}-' & {_STARTED} %}}",
            },
            "Assign": {
                "table": "{% $states.input.table %}",
                "backup": "{% $states.result.BackupDetails.BackupArn %}",
            },
            "Catch": [_caught("{% $states.input.table %}")],
            "Next": "Wait",
        },
        "Wait": {"Type": "Wait", "Seconds": _STEP_SECONDS, "Next": "Describe"},
        "Describe": {
            **_call("describeBackup", partition),
            "Arguments": {"BackupArn": "{% $backup %}"},
            "Output": {"status": "{% $states.result.BackupDescription.BackupDetails.BackupStatus %}"},
            "Catch": [_caught("{% $table %}")],
            "Next": "IsThere",
        },
        "IsThere": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $states.input.status = 'AVAILABLE' %}",
                    "Assign": {"young": 0, "next": "", "cutoff": cutoff},
                    "Next": "CountYoung",
                },
                {"Condition": "{% $states.input.status = 'CREATING' %}", "Next": "Wait"},
            ],
            "Default": "Vanished",
        },
        "Vanished": {
            "Type": "Pass",
            "Output": {"table": "{% $table %}", "failed": "{% 'the backup is ' & $states.input.status %}"},
            "End": True,
        },
        # The one that was just made counts as well: it is AVAILABLE, and no older than the cutoff.
        "CountYoung": {
            **_call("listBackups", partition),
            "Arguments": _page("TimeRangeLowerBound"),
            "Assign": {
                "young": f"{{% $young + $count({good}) %}}",
                "next": onward,
            },
            "Catch": [_caught("{% $table %}")],
            "Next": "EnoughYoung",
        },
        "EnoughYoung": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": f"{{% $young >= {keep_at_least} %}}",
                    "Assign": {"next": ""},
                    "Next": "FindOld",
                },
                {"Condition": "{% $next != '' %}", "Next": "CountYoung"},
            ],
            "Default": "Kept",
        },
        "FindOld": {
            **_call("listBackups", partition),
            "Arguments": _page("TimeRangeUpperBound"),
            "Assign": {
                "next": onward,
            },
            "Output": {"old": f"{{% [{good}.BackupArn] %}}"},
            "Catch": [_caught("{% $table %}")],
            "Next": "AnyOld",
        },
        "AnyOld": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $count($states.input.old) > 0 %}", "Next": "Remove"},
                {"Condition": "{% $next != '' %}", "Next": "FindOld"},
            ],
            "Default": "Kept",
        },
        "Remove": {
            "Type": "Map",
            "Items": "{% $states.input.old %}",
            "MaxConcurrency": _DELETIONS_AT_ONCE,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Delete",
                "States": {
                    "Delete": {
                        **_call("deleteBackup", partition, final=_GONE),
                        "Arguments": {"BackupArn": "{% $states.input %}"},
                        # Another run, or a repeated call, was there first.
                        "Catch": [{"ErrorEquals": [_GONE], "Next": "Gone"}],
                        "End": True,
                    },
                    "Gone": {"Type": "Succeed"},
                },
            },
            "Catch": [_caught("{% $table %}")],
            "Next": "Kept",
        },
        "Kept": {"Type": "Pass", "Output": {"table": "{% $table %}"}, "End": True},
        "CouldNot": {"Type": "Pass", "End": True},
    }


def _page(bound: str) -> str:
    # One expression, since an argument that is null is not the same as one that is not there.
    fixed = f'{{"TableName": $table, "BackupType": "USER", "Limit": {_PAGE}, "{bound}": $cutoff}}'
    return f"{{% $merge([{fixed}, $next != '' ? {{'ExclusiveStartBackupArn': $next}} : {{}}]) %}}"


def _call(operation: str, partition: str, *, final: str | None = None) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:dynamodb:{operation}",
        "TimeoutSeconds": _TASK_SECONDS,
        "Retry": retried(final=final),
    }


def _caught(table: str) -> dict[str, Any]:
    # The other tables go on: a run that ends with a failure has still backed up whatever it could.
    return {
        "ErrorEquals": ["States.ALL"],
        "Output": {
            "table": table,
            "failed": "{% $states.errorOutput.Error & ' ' & $substring($string($states.errorOutput.Cause), 0, 200) %}",
        },
        "Next": "CouldNot",
    }
