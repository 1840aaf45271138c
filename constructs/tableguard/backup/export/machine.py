"""The state machine that exports one table, as a definition in the Amazon States Language. Free of aws_cdk.

An execution gets `{"table": "<ARN>"}` and moves that table's chain of exports on. All that executions know of each
other stands in one item of the ledger:

    table     the table's ARN (key)
    revision  a number that every write raises by one
    chain     table_id, bucket, vault, covered_to, full_at, last_export: up to when everything is exported without a gap
    pending   type, from, to, table_id, bucket, vault, attempt, token, and export once it is known: the one under way

Every write has the condition that the revision is still the one that was read: of two executions one writes, and the
other looks again. An export is claimed before it is started, with the client token that it is started with, and one
write extends the chain and ends the claim. What an execution that dies leaves, and what the next one does about it:

    before Claim             nothing: it plans anew
    Claim to Note            a claim without an export: it starts it with the same token, by which DynamoDB knows it for
                             8 hours; later the window may be exported twice, which a chain takes no harm from
    Note to Commit, Release  a claim with an export: it looks how that one is doing
    after Commit             a chain that is longer: at most a count is missing from the metrics

A full export is a point of the chain. The first one, and any after a hole, starts the chain at its time. One that is
due is taken of the moment that the chain goes up to, so that the windows adjoin across it and older full exports stay
good for everything that comes later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tableguard.backup.export.plan import (
    ANOTHER_ATTEMPT,
    COVERED_SECONDS_AGO,
    LONGER_CHAIN,
    NEXT_REVISION,
    NOW,
    PREFIX,
    RECOVERY,
    plan,
    read,
    stored,
)
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
from tableguard.backup.states.retries import never, retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

NAMESPACE: Final = "tableguard/backup"
COMPLETED: Final = "CompletedExports"
FAILED: Final = "FailedExports"
AGE: Final = "NewestExportAge"
DIMENSION: Final = "Table"
MOST_EXPORTS: Final = 10
"""How many exports one execution completes at most; the next one goes on."""
SPARE_SECONDS: Final = 3 * 3600
"""How long an execution may go on after the next one is due: for what is tried again with growing pauses."""

_ANY: Final = retry("States.ALL", attempts=6)
_MOST_LOOKS: Final = 4 * MOST_EXPORTS
_POLL_SECONDS: Final = 60
_BREATH_SECONDS: Final = 5

# Step Functions names errors as the AWS SDK for Java does.
_LOST: Final = "DynamoDb.ConditionalCheckFailedException"
_NO_TIME: Final = "DynamoDb.InvalidExportTimeException"
_NO_TABLE: Final = "DynamoDb.ResourceNotFoundException"
_UNKNOWN: Final = "DynamoDb.ExportNotFoundException"
_HOPELESS: Final = (
    _NO_TIME,
    "DynamoDb.PointInTimeRecoveryUnavailableException",
    "DynamoDb.TableNotFoundException",
)
# At most 300 exports run at once in an account and region, and an export of the same table may be in the way.
_BUSY: Final = ("DynamoDb.LimitExceededException", "DynamoDb.ExportConflictException")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """What the machine is made for.

    Args:
        partition: The partition, for the ARNs of Step Functions' integrations.
        ledger: The name of the ledger's table.
        bucket: The name of the landing bucket.
        bucket_owner: The account of the landing bucket.
        vault: Where the landing bucket is replicated to, account and bucket; nowhere when empty. Another vault has
            nothing that increments could join, so it gets a full export first.
        key_arn: The KMS key that exports are encrypted with; SSE-S3 when None.
        every_minutes: How often executions start. One that still waits when the next is due leaves the rest to it.
        full_every_minutes: How far the chain may go on from its last full export before another one is due.
    """

    partition: str
    ledger: str
    bucket: str
    bucket_owner: str
    vault: str
    key_arn: str | None
    every_minutes: int
    full_every_minutes: int

    @property
    def tasks(self) -> Tasks:
        """Builds its tasks."""
        return Tasks(self.partition)


def export_definition(settings: ExportSettings) -> Json:
    """The definition of the state machine.

    Args:
        settings: What it is made for.
    """
    return machine(
        "Moves the chain of exports of one table on.",
        {**_look(settings), **_start(settings), **_settle(settings), **_end(settings)},
        start="Begin",
        seconds=settings.every_minutes * 60 + SPARE_SECONDS,
        language=JSONATA,
    )


def _look(settings: ExportSettings) -> Json:
    table = {"TableName": expression("$table")}
    target = "|".join((settings.bucket, settings.bucket_owner, settings.key_arn or "", settings.vault))
    return {
        "Begin": passing(
            "Look",
            assign={
                "table": expression("$states.input.table"),
                "bucket": settings.bucket,
                "vault": settings.vault,
                "target": target,
                "deadline": expression(f"{NOW} + {settings.every_minutes * 60_000}"),
                "looks": 0,
                "completed": 0,
                "failure": "",
            },
        ),
        "Look": _call(
            settings,
            "getItem",
            {"TableName": settings.ledger, "Key": _KEY, "ConsistentRead": True},
            after="DescribeTable",
            assign={
                "looks": "$looks + 1",
                "revision": "$exists($states.result.Item.revision) ? $states.result.Item.revision.N : '0'",
                "chain": read("chain"),
                "pending": read("pending"),
            },
        ),
        "DescribeTable": _call(
            settings,
            "describeTable",
            table,
            after="DescribeBackups",
            assign={"table_id": "$states.result.Table.TableId"},
            final=(_NO_TABLE,),
            catches=[catch("CountFailed", _NO_TABLE, **_failed("'there is no such table'"))],
        ),
        "DescribeBackups": _call(
            settings,
            "describeContinuousBackups",
            table,
            after="Plan",
            assign={"recovery": RECOVERY},
        ),
        "Plan": passing("Decide", assign={"plan": expression(plan(full_every_minutes=settings.full_every_minutes))}),
        "Decide": choice(
            [
                ("$plan.do = 'poll'", "Poll"),
                ("$plan.do = 'start'", "Which"),
                ("$plan.do = 'forget'", "Forget"),
                ("$plan.do = 'claim'", "Claim"),
                rule("$plan.do = 'off'", "CountFailed", **_failed("'point-in-time recovery is off'")),
            ],
            "HasAge",
        ),
    }


def _start(settings: ExportSettings) -> Json:
    export = {
        "TableArn": expression("$table"),
        "S3Bucket": settings.bucket,
        # Without it an export into a bucket of another account is refused, and one that has changed hands gets it.
        "S3BucketOwner": settings.bucket_owner,
        "S3Prefix": expression(PREFIX),
        "S3SseAlgorithm": "AES256" if settings.key_arn is None else "KMS",
        **({} if settings.key_arn is None else {"S3SseKmsKeyId": settings.key_arn}),
        "ExportFormat": "DYNAMODB_JSON",
        "ClientToken": expression("$pending.token"),
    }
    window = {
        "ExportFromTime": expression("$pending.from"),
        "ExportToTime": expression("$pending.to"),
        "ExportViewType": "NEW_AND_OLD_IMAGES",
    }
    increment = {**export, "ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": window}
    return {
        "Claim": _write(settings, after="Which", pending=stored("$plan.pending"), assign={"pending": "$plan.pending"}),
        "Which": choice([("$pending.type = 'FULL'", "StartFull")], "StartIncrement"),
        "StartFull": _export(
            settings, {**export, "ExportType": "FULL_EXPORT", "ExportTime": expression("$pending.to")}
        ),
        "StartIncrement": _export(settings, increment),
        "Note": _write(settings, after="Wait", pending=stored("$pending")),
        "Wait": wait(_POLL_SECONDS, "Poll"),
    }


def _settle(settings: ExportSettings) -> Json:
    failed = "'the export ' & $pending.export & ' failed: ' & $join([$found.FailureCode, $found.FailureMessage], ', ')"
    return {
        "Poll": _call(
            settings,
            "describeExport",
            {"ExportArn": expression("$pending.export")},
            after="Judge",
            assign={"found": "$states.result.ExportDescription"},
            final=(_UNKNOWN,),
            catches=[catch("Release", _UNKNOWN, **_failed("'DynamoDB has forgotten ' & $pending.export"))],
        ),
        "Judge": choice(
            [
                # The table was deleted and made anew between the look at it and the start.
                ("$exists($found.TableId) and $found.TableId != $pending.table_id", "Forget"),
                ("$found.ExportStatus = 'COMPLETED'", "Commit"),
                rule("$found.ExportStatus = 'FAILED'", "Release", **_failed(failed)),
                # Whoever comes next looks how it is doing.
                (f"{NOW} >= $deadline", "HasAge"),
            ],
            "Wait",
        ),
        "Commit": _write(
            settings,
            after="CountCompleted",
            chain=stored(LONGER_CHAIN),
            assign={"chain": LONGER_CHAIN, "completed": "$completed + 1"},
        ),
        "CountCompleted": _metric(settings, COMPLETED, 1, "Count", after="More"),
        "More": choice([(f"$completed < {MOST_EXPORTS} and {NOW} < $deadline", "Look")], "HasAge"),
        # The claim stays, for the next execution to try again: this one ends as failed.
        "Release": _write(settings, after="CountFailed", pending=stored(ANOTHER_ATTEMPT)),
        "Forget": _write(settings, after="Forgotten"),
        "Forgotten": choice([("$failure != ''", "CountFailed")], "AnotherLook"),
        "AnotherLook": choice([(f"$looks < {_MOST_LOOKS}", "Breathe")], "HasAge"),
        "Breathe": wait(_BREATH_SECONDS, "Look"),
    }


def _end(settings: ExportSettings) -> Json:
    return {
        "CountFailed": _metric(settings, FAILED, 1, "Count", after="HasAge"),
        "HasAge": choice([("$exists($chain.covered_to)", "PutAge")], "Outcome"),
        "PutAge": _metric(settings, AGE, expression(COVERED_SECONDS_AGO), "Seconds", after="Outcome"),
        "Outcome": choice([("$failure != ''", "Failed")], "Done"),
        "Failed": fail("ExportFailed", expression("$table & ': ' & $failure")),
        "Done": succeed(),
    }


_KEY: Final[Json] = {"table": {"S": expression("$table")}}


def _write(
    settings: ExportSettings,
    *,
    after: str,
    chain: str | None = None,
    pending: str | None = None,
    assign: Mapping[str, str] | None = None,
) -> Json:
    """A write of the ledger by whoever read its last revision. Where there is no `pending`, none is left.

    An answer that is lost makes the second try fail, as if somebody else had written: another look tells.
    """
    given = {"chain": chain, "pending": pending}
    sets = [f"#{name} = :{name}" for name, value in given.items() if value is not None]
    return _call(
        settings,
        "updateItem",
        {
            "TableName": settings.ledger,
            "Key": _KEY,
            "UpdateExpression": " ".join(
                (f"SET {', '.join((*sets, '#revision = :next'))}", *(() if pending else ("REMOVE #pending",)))
            ),
            "ConditionExpression": "attribute_not_exists(#revision) OR #revision = :seen",
            "ExpressionAttributeNames": {
                f"#{name}": name for name in ("chain", "pending", "revision") if name != "chain" or chain is not None
            },
            "ExpressionAttributeValues": {
                ":seen": {"N": expression("$revision")},
                ":next": {"N": expression(NEXT_REVISION)},
                **{f":{name}": {"M": expression(value)} for name, value in given.items() if value is not None},
            },
        },
        after=after,
        assign={"revision": NEXT_REVISION, **(assign or {})},
        final=(_LOST,),
        catches=[catch("AnotherLook", _LOST)],
    )


def _export(settings: ExportSettings, arguments: Mapping[str, Any]) -> Json:
    refused = "'the export was refused: ' & $states.errorOutput.Error & ' ' & $states.errorOutput.Cause"
    return _call(
        settings,
        "exportTableToPointInTime",
        arguments,
        after="Note",
        assign={"pending": "$merge([$pending, {'export': $states.result.ExportDescription.ExportArn}])"},
        final=_HOPELESS,
        slow=_BUSY,
        catches=[
            catch("Forget", _NO_TIME, **_failed(refused)),
            catch("CountFailed", "States.ALL", **_failed(refused)),
        ],
    )


def _metric(settings: ExportSettings, name: str, value: object, unit: str, *, after: str) -> Json:
    datum = {
        "MetricName": name,
        "Dimensions": [{"Name": DIMENSION, "Value": expression("$substringAfter($table, ':table/')")}],
        "Value": value,
        "Unit": unit,
    }
    # Without a metric the alarm on absence rings. It is no reason to stop exporting.
    return settings.tasks.metrics(NAMESPACE, [datum], retries=[_ANY], then=after, catches=[catch(after)])


def _call(
    settings: ExportSettings,
    operation: str,
    arguments: Mapping[str, Any],
    *,
    after: str,
    assign: Mapping[str, str] | None = None,
    final: tuple[str, ...] = (),
    slow: tuple[str, ...] = (),
    catches: Sequence[Json] = (),
) -> Json:
    """A call of DynamoDB, tried again unless the error is `final`; with long pauses if it is among those of `slow`."""
    return settings.tasks.task(
        f"aws-sdk:dynamodb:{operation}",
        arguments,
        retries=[
            *([never(*final)] if final else []),
            *([retry(*slow, attempts=6, interval=60, most=600)] if slow else []),
            _ANY,
        ],
        then=after,
        catches=catches,
        assign={name: expression(value) for name, value in assign.items()} if assign else None,
    )


def _failed(failure: str) -> dict[str, Json]:
    """What a catcher or a rule keeps of a failure."""
    return {"Assign": {"failure": expression(failure)}}
