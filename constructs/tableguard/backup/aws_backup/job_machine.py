"""The machine that counts AWS Backup's jobs, and the one that has a restored table validated. No aws_cdk here."""

from __future__ import annotations

from typing import Final

from tableguard.backup.states.builders import JSONATA, catch, expression, fail, machine
from tableguard.backup.states.retries import retried
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

NAMESPACE: Final = "tableguard/backup"
BACKUPS: Final = "Backup Job State Change"
COPIES: Final = "Copy Job State Change"
RESTORES: Final = "Restore Job State Change"
SETTINGS: Final = "Region Setting State Change"
COMPLETED: Final = "COMPLETED"
# A job that never started has EXPIRED. Source: AWS Backup API reference, BackupJob and CopyJob, State.
FAILED: Final = ("ABORTED", "EXPIRED", "FAILED", "PARTIAL")

_LONGEST_MESSAGE: Final = 500
# What the validation itself has said comes first in what is cut off: a failed execution is told as JSON.
_WHY: Final = (
    '{% ($cause := $string($states.errorOutput.Cause); $told := $substring($cause, 0, 1) = "{" ? $parse($cause) : {};'
    ' $exists($told.Error) ? $told.Error & ": " & $told.Cause : $states.errorOutput.Error & ": " & $cause) %}'
)


def counting_machine(*, partition: str) -> Json:
    """Count one event of AWS Backup: a metric for each table, and for each vault that a copy goes to.

    Its input is {"metric": name, "table": ARN, "vault": ARN of a copy's destination or absent}.

    Args:
        partition: The partition, such as "aws".
    """
    dimensions = (
        '{% [{"Name": "Table", "Value": $states.input.table},'
        ' $states.input.vault ? {"Name": "Vault", "Value": $states.input.vault}] %}'
    )
    datum = {"MetricName": expression("$states.input.metric"), "Dimensions": dimensions, "Value": 1, "Unit": "Count"}
    count = Tasks(partition).metrics(NAMESPACE, [datum], retries=retried(), then=None)
    return machine("Counts a job of AWS Backup", {"Count": count}, start="Count", seconds=3600, language=JSONATA)


def validating_machine(*, validation: str, hours: int, partition: str) -> Json:
    """Have a restored table validated, and tell AWS Backup what came of it.

    Its input is the `detail` of the event. The validation is told {"table", "source", "recovery_point", "restore_job"}:
    the name of the restored table, the ARN of the original, the ARN of the backup, and the job's id. What AWS Backup
    documents of its event is the job and the table: the two others are null where it does not say them. It has passed
    if its execution succeeds. The machine itself fails when the validation has, so that its alarm rings.

    Args:
        validation: The ARN of the state machine that validates.
        hours: How long that may take: less than AWS Backup leaves the table.
        partition: The partition, such as "aws".
    """
    tasks = Tasks(partition)
    job = expression("$states.input.restoreJobId")
    validate = tasks.task(
        "states:startExecution.sync:2",
        {
            "StateMachineArn": validation,
            "Input": {
                "table": expression('$substringAfter($states.input.createdResourceArn, ":table/")'),
                "source": _if_told("sourceResourceArn"),
                "recovery_point": _if_told("recoveryPointArn"),
                "restore_job": job,
                "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": expression("$states.context.Execution.Id"),
            },
        },
        seconds=hours * 3600,
        # A validation that has failed is not started again: that it would pass the second time proves nothing.
        retries=retried("StepFunctions.ThrottlingException", "StepFunctions.SdkClientException"),
        then="SayPassed",
        catches=[catch("SayFailed", Assign={"job": job, "error": _WHY})],
        assign={"job": job},
    )
    failed = expression(f"$substring($error, 0, {_LONGEST_MESSAGE})")
    states = {
        "Validate": validate,
        "SayPassed": _result(tasks, "SUCCESSFUL", "The validation has passed", then=None),
        "SayFailed": _result(tasks, "FAILED", failed, then="Failed"),
        "Failed": fail("ValidationFailed", expression("$error")),
    }
    # Beyond the validation's own time, so that there is time left to say that it failed.
    seconds = hours * 3600 + 3600
    return machine(
        "Validates a test restore of AWS Backup", states, start="Validate", seconds=seconds, language=JSONATA
    )


def _if_told(field: str) -> str:
    """A field of the input; null without it, since an expression that finds nothing fails its state."""
    return expression(f"$exists($states.input.{field}) ? $states.input.{field} : null")


def _result(tasks: Tasks, status: str, message: str, *, then: str | None) -> Json:
    return tasks.task(
        "aws-sdk:backup:putRestoreValidationResult",
        {"RestoreJobId": expression("$job"), "ValidationStatus": status, "ValidationStatusMessage": message},
        retries=retried(),
        then=then,
    )
