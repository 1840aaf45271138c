"""Where a restore takes its files from: a chain of sealed exports, or an export that it makes for itself."""

from __future__ import annotations

from dataclasses import dataclass

from tableguard.backup.states.builders import CALL_SECONDS, catch, choice, expression, fail, wait
from tableguard.backup.states.errors import DYNAMODB_FAULTS
from tableguard.backup.states.maps import distributed_map
from tableguard.backup.states.retries import retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json


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


def from_catalogue(tasks: Tasks, plan: str) -> dict[str, Json]:
    """Take a chain of exports out of the catalogue of a sealed bucket.

    Args:
        tasks: Builds tasks for the machine's partition.
        plan: The ARN of the function that plans.
    """
    return {
        "Plan": tasks.function(
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
    tasks: Tasks,
    *,
    table_arn: str,
    account: str,
    bucket: str,
    work_bucket: str,
    files_at_once: int,
    functions: Measuring,
) -> dict[str, Json]:
    """Export the table as it was at a moment, and measure what was exported.

    Not `RestoreTableToPointInTime`: the table that it makes has no policy, so its items would stand open until somebody
    sets one; nor does it keep time to live, tags and streams.

    Args:
        tasks: Builds tasks for the machine's partition.
        table_arn: The table's ARN.
        account: Its account, which the bucket has to belong to.
        bucket: The name of the bucket for the export.
        work_bucket: The name of the bucket for lists of files.
        files_at_once: How many files are measured at the same time.
        functions: The functions that do the work.
    """
    described = "$states.result.ExportDescription"
    return {
        "Plan": tasks.task(
            "aws-sdk:dynamodb:exportTableToPointInTime",
            expression(
                f"$merge([{{'TableArn': '{table_arn}', 'S3Bucket': '{bucket}', 'S3BucketOwner': '{account}', "
                "'S3Prefix': $source.account & '/' & $source.region & '/' & $source.table, "
                "'ExportFormat': 'DYNAMODB_JSON', 'ExportType': "
                "'FULL_EXPORT', 'S3SseAlgorithm': 'AES256', 'ClientToken': $states.context.Execution.Name}, "
                "$until = null ? {} : {'ExportTime': $until}])"
            ),
            retries=[retry(*DYNAMODB_FAULTS), retry("DynamoDb.ExportConflictException", interval=30)],
            then="ExportWait",
            assign={"export": expression(f"{described}.ExportArn")},
            catches=[catch("Refused")],
        ),
        "ExportWait": wait(30, "ExportDescribe"),
        "ExportDescribe": tasks.task(
            "aws-sdk:dynamodb:describeExport",
            {"ExportArn": expression("$export")},
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
        "Open": tasks.function(
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
                "MeasureFile": tasks.function(
                    functions.measure, expression("$states.input"), seconds=CALL_SECONDS, then="Measured"
                ),
                "Measured": {"Type": "Succeed", "QueryLanguage": "JSONata", "Output": {}},
            },
            start="MeasureFile",
            label="Measure",
            items={"ItemReader": tasks.read_file(work_bucket, "$.work_key")},
            concurrency=files_at_once,
            then="Close",
            catches=[catch("Unmeasured")],
            more={
                "ResultWriter": tasks.write_files(work_bucket, {"Prefix": "results"}),
                "ResultPath": None,
            },
        ),
        "Unmeasured": tasks.problem(functions.problem, then="Refused"),
        "Close": tasks.function(
            functions.close,
            expression("$states.input"),
            seconds=CALL_SECONDS,
            then="Planned",
            catches=[catch("Refused")],
        ),
    }
