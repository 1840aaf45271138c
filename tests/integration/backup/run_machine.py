"""Runs a state machine in the emulator's interpreter, with on-demand backups as the DynamoDB API reference has them.

Runs in the emulator's own environment: a definition and backups come in on standard input, as JSON, and what came of
them goes out. The emulated DynamoDB ignores the bounds of ListBackups, so this one stands in for it here: time bounds
(from inclusive, to exclusive), pages, statuses, and faults by operation. AWS Backup and CloudWatch's metrics are not
emulated: what they are called with goes out as well.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["SFN_WAIT_SCALE"] = "0"
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from ministack import app
from ministack.services import stepfunctions

from tests import waiting


class Backups:
    """The backups of an account, and the calls that were made."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.all: list[dict[str, Any]] = given["backups"]
        self.faults: dict[str, list[str]] = given["faults"]
        self.status: str = given["status"]
        self.page: int = given["page"]
        self.calls: list[str] = []

    def answer(self, target: str, asked: dict[str, Any]) -> dict[str, Any]:
        operation = target.rsplit(".", 1)[1]
        self.calls.append(operation)
        about = f"{operation} {asked.get('TableName') or asked.get('BackupArn')}"
        for key in (operation, about):
            if self.faults.get(key):
                raise LookupError(self.faults[key].pop(0))
        return dict(getattr(self, operation)(asked))

    def CreateBackup(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - as the API calls it
        made = {
            "BackupArn": f"{asked['TableName']}/backup/{len(self.all):014d}-00000000",
            "BackupName": asked["BackupName"],
            "BackupStatus": self.status,
            "TableArn": asked["TableName"],
            "BackupCreationDateTime": dt.datetime.now(dt.UTC).isoformat(),
        }
        self.all.append(made)
        return {"BackupDetails": made}

    def DescribeBackup(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        (found,) = [each for each in self.all if each["BackupArn"] == asked["BackupArn"]]
        seen = dict(found)
        if found["BackupStatus"] == "CREATING":
            found["BackupStatus"] = "AVAILABLE"
        return {"BackupDescription": {"BackupDetails": seen}}

    def ListBackups(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert asked["BackupType"] == "USER"
        assert asked["Limit"] == 100
        assert ("TimeRangeLowerBound" in asked) is not ("TimeRangeUpperBound" in asked)
        found = [each for each in self.all if each["TableArn"] == asked["TableName"] and _within(each, asked)]
        start = asked.get("ExclusiveStartBackupArn")
        if "ExclusiveStartBackupArn" in asked:
            found = found[[each["BackupArn"] for each in found].index(start) + 1 :]
        page = found[: self.page]
        return {
            "BackupSummaries": page,
            **({"LastEvaluatedBackupArn": page[-1]["BackupArn"]} if len(found) > len(page) else {}),
        }

    def DeleteBackup(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = [each for each in self.all if each["BackupArn"] == asked["BackupArn"]]
        if not found:
            raise LookupError("BackupNotFoundException")
        self.all.remove(found[0])
        return {"BackupDescription": {}}


def _within(backup: dict[str, Any], asked: dict[str, Any]) -> bool:
    made = dt.datetime.fromisoformat(backup["BackupCreationDateTime"])
    if "TimeRangeLowerBound" in asked:
        return made >= _time(asked["TimeRangeLowerBound"])
    return made < _time(asked["TimeRangeUpperBound"])


def _time(value: Any) -> dt.datetime:
    if isinstance(value, int | float):
        return dt.datetime.fromtimestamp(value, dt.UTC)
    return dt.datetime.fromisoformat(value)


def main() -> None:
    """Run one execution to its end."""
    given = json.load(sys.stdin)
    backups = Backups(given)

    def call(_handler: Any, _method: str, _path: str, headers: dict[str, str], body: str, _query: Any) -> Any:
        try:
            return 200, {}, json.dumps(backups.answer(headers["x-amz-target"], json.loads(body)))
        except LookupError as error:
            return 400, {}, json.dumps({"__type": error.args[0], "message": "made to fail"})

    beyond: list[Any] = []

    def integration(resource: str, arguments: Any) -> Any:
        if "aws-sdk:dynamodb:" in resource:
            return emulated(resource, arguments)
        beyond.append([resource.rsplit(":", 1)[1], arguments])
        return {}

    emulated = stepfunctions._invoke_aws_sdk_integration
    stepfunctions._invoke_aws_sdk_integration = integration
    app.call_service_handler_sync = call
    if given["validation"] is not None:
        made("check", given["validation"])
    started = stepfunctions._start_execution(
        {"stateMachineArn": made("machine", given["definition"]), "input": json.dumps(given["input"])}
    )
    execution = stepfunctions._executions[json.loads(started[2])["executionArn"]]
    waiting.until(
        lambda: execution["status"] != "RUNNING",
        lambda: len(execution["events"]),
        lambda: f"the end of the machine, after {execution['events'][-3:]}",
        pause=0.05,
    )
    heard = [
        json.loads(each["input"]) for each in stepfunctions._executions.values() if ":check:" in each["executionArn"]
    ]
    json.dump(
        {
            "status": execution["status"],
            "backups": backups.all,
            "calls": backups.calls,
            "beyond": beyond,
            "validated": heard,
        },
        sys.stdout,
    )


def made(name: str, definition: dict[str, Any]) -> str:
    """Make a state machine and say its ARN."""
    asked = {
        "name": name,
        "definition": json.dumps(definition),
        "roleArn": "arn:aws:iam::000000000000:role/machine",
    }
    return str(json.loads(stepfunctions._create_state_machine(asked)[2])["stateMachineArn"])


main()
