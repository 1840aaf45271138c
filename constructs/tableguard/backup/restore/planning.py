"""Where a restore takes its files from: a chain of sealed exports, or an export that it makes for itself."""

from __future__ import annotations

from dataclasses import dataclass

from tableguard.backup.states.builders import (
    CALL_SECONDS,
    DYNAMODB_FAULTS,
    catch,
    choice,
    distributed_map,
    expression,
    fail,
    function_task,
    problem_task,
    task,
    wait,
)
from tableguard.backup.states.retries import retry
from tableguard.policy.documents import Json

_EXPORTS = "arn:aws:states:::aws-sdk:dynamodb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """The ARNs of the functions that measure an export which the restore made for itself.

    Args:
        open: Lists its files.
        measure: Measures one of them.
        close: Adds up what was measured.
        problem: Says why the measuring failed.
    """

    open: str
    measure: str
    close: str
    problem: str


def from_catalogue(plan: str) -> dict[str, Json]:
    """Take a chain of exports out of the catalogue of a sealed bucket.

    Args:
        plan: The ARN of the function that plans.
    """
    return {
        "Plan": function_task(
            plan,
            {
                "source": expression("$source"),
                "until": expression("$until"),
                "sealed_by": expression("$sealed_by"),
                "execution": expression("$states.context.Execution.Name"),
            },
            seconds=CALL_SECONDS,
            then="Planned",
            catches=[catch("Refused")],
        )
    }


def from_point_in_time(
    *, table_arn: str, account: str, bucket: str, work_bucket: str, files_at_once: int, functions: Measuring
) -> dict[str, Json]:
    """Export the table as it was at a moment, and measure what was exported.

    Not `RestoreTableToPointInTime`: the table that it makes has no policy, so its items would stand open until somebody
    sets one; nor does it keep time to live, tags and streams.

    Args:
        table_arn: The table's ARN.
        account: Its account, which the bucket has to belong to.
        bucket: The name of the bucket for the export.
        work_bucket: The name of the bucket for lists of files.
        files_at_once: How many files are measured at the same time.
        functions: The functions that do the work.
    """
    described = "$states.result.ExportDescription"
    return {
        "Plan": task(
            f"{_EXPORTS}:exportTableToPointInTime",
            expression(
                f"$merge([{{'TableArn': '{table_arn}', 'S3Bucket': '{bucket}', 'S3BucketOwner': '{account}', "
                "'S3Prefix': $source.account & '/' & $source.region & '/' & $source.table, "
                "'ExportFormat': 'DYNAMODB_JSON', 'ExportType': "
                "'FULL_EXPORT', 'S3SseAlgorithm': 'AES256', 'ClientToken': $states.context.Execution.Name}, "
                "$until = null ? {} : {'ExportTime': $until}])"
            ),
            seconds=60,
            retries=[retry(*DYNAMODB_FAULTS), retry("DynamoDb.ExportConflictException", interval=30)],
            then="ExportWait",
            assign={"export": expression(f"{described}.ExportArn")},
            catches=[catch("Refused")],
        ),
        "ExportWait": wait(30, "ExportDescribe"),
        "ExportDescribe": task(
            f"{_EXPORTS}:describeExport",
            {"ExportArn": expression("$export")},
            seconds=60,
            retries=[retry(*DYNAMODB_FAULTS)],
            then="Exported",
            output={
                "status": expression(f"{described}.ExportStatus"),
                "why": expression(f"$exists({described}.FailureMessage) ? {described}.FailureMessage : ''"),
            },
            catches=[catch("Refused")],
        ),
        "Exported": choice(
            [("$states.input.status = 'COMPLETED'", "Open"), ("$states.input.status = 'FAILED'", "ExportFailed")],
            "ExportWait",
        ),
        "ExportFailed": fail("ExportFailed", expression("'Nothing was made: ' & $states.input.why")),
        "Open": function_task(
            functions.open,
            {
                "source": expression("$source"),
                "export": expression("$export"),
                "execution": expression("$states.context.Execution.Name"),
            },
            seconds=CALL_SECONDS,
            then="Measure",
            catches=[catch("Refused")],
        ),
        "Measure": distributed_map(
            {
                "MeasureFile": function_task(
                    functions.measure, expression("$states.input"), seconds=CALL_SECONDS, then="Measured"
                ),
                "Measured": {"Type": "Succeed", "QueryLanguage": "JSONata", "Output": {}},
            },
            start="MeasureFile",
            label="Measure",
            items={
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket": work_bucket, "Key.$": "$.work_key"},
                }
            },
            concurrency=files_at_once,
            then="Close",
            catches=[catch("Unmeasured")],
            more={
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Parameters": {"Bucket": work_bucket, "Prefix": "results"},
                },
                "ResultPath": None,
            },
        ),
        "Unmeasured": problem_task(functions.problem, then="Refused"),
        "Close": function_task(
            functions.close,
            expression("$states.input"),
            seconds=CALL_SECONDS,
            then="Planned",
            catches=[catch("Refused")],
        ),
    }
