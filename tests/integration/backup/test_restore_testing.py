"""Test restores of AWS Backup, from the event that a job has ended to what AWS Backup is told of the table.

Rules, machines, functions and roles are the library's, the emulator runs them. AWS Backup is not emulated. What stands
in for it makes the table, tells EventBridge of the job with the fields that are documented, and takes the results. Only
a real account shows that AWS Backup makes the table by the role's rights and calls it what it is called here, which
further fields its events have, that it takes a result, and that it removes the table.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.backup import organization as org
from tests.integration.backup.flow import Flow, Item

COUNT = 60
ITEMS: list[Item] = [{"pk": {"S": f"o{n}"}, "sk": {"N": str(n)}, "kind": {"S": "order"}} for n in range(COUNT)]
POINT = f"arn:aws:backup:{org.REGION}:{org.DATA}:recovery-point:1a2b3c4d"


@pytest.fixture(scope="module")
def drilled(tested_flow: Flow) -> Flow:
    """A drill has passed: what AWS Backup restores is compared with what it found."""
    flow = tested_flow
    flow.advance(minutes=30)
    flow.write(ITEMS)
    flow.canary()
    flow.advance(minutes=5)
    flow.ended(flow.start(flow.output("Data", "DrillMachine"), {}, org.DATA))
    return flow


def arn(table: str) -> str:
    return f"arn:aws:dynamodb:{org.REGION}:{org.DATA}:table/{table}"


def restored(flow: Flow, name: str, found: list[Item]) -> str:
    """The table as AWS Backup makes it: with keys and items, and neither tags nor a policy."""
    table = f"awsbackup-restore-test-{name}"
    flow.client("dynamodb", org.DATA).create_table(
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    flow.controls.fill(arn(table), found)
    return table


def tell(flow: Flow, job: str, table: str, *, plan: str | None, status: str = "COMPLETED", **more: Any) -> None:
    """What AWS Backup tells. Source: AWS Backup developer guide, "Monitoring AWS Backup events using EventBridge"."""
    flow.controls.restored(
        org.DATA,
        org.REGION,
        plan,
        [POINT],
        restoreJobId=job,
        backupSizeInBytes="4096",
        creationDate=flow.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        iamRoleArn=f"arn:aws:iam::{org.DATA}:role/test-restores",
        percentDone=0.0,
        resourceType="DynamoDB",
        status=status,
        createdResourceArn=arn(table),
        **more,
    )


def validated(flow: Flow, job: str, *statuses: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the machine that the rule has started ended, and the one result that AWS Backup has of it."""

    def started() -> str | None:
        found = flow.executions("ValidateMachine", "Data")
        return next((each["executionArn"] for each in found if json.loads(each["input"])["restoreJobId"] == job), None)

    run = flow.ended(flow.until(started, lambda: f"what a rule starts for {job}"), *statuses)
    (result,) = flow.controls.validations(job)
    return run, result


def plan_of(flow: Flow) -> str:
    return flow.output("Data", "TestPlan")


# What the documentation's example has, and what else rules are known to find in events.
@pytest.mark.parametrize("more", [{}, {"sourceResourceArn": arn(org.TABLE), "recoveryPointArn": POINT}])
def test_a_good_table_passes(drilled: Flow, more: dict[str, str]) -> None:
    flow, job = drilled, f"good-{len(more)}"
    table = restored(flow, job, list(flow.items()))
    tell(flow, job, table, plan=plan_of(flow), **more)
    run, result = validated(flow, job)
    assert result == {
        "RestoreJobId": job,
        "ValidationStatus": "SUCCESSFUL",
        "ValidationStatusMessage": "The validation has passed",
    }
    heard = [json.loads(each["input"]) for each in flow.executions("CheckMachine", "Data")]
    (asked,) = [each for each in heard if each["table"] == table]
    assert asked["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"] == run["executionArn"]
    assert (asked["source"], asked["recovery_point"], asked["restore_job"]) == (
        more.get("sourceResourceArn"),
        more.get("recoveryPointArn"),
        job,
    )


@pytest.mark.parametrize(
    ("job", "left", "why"),
    [
        ("emptied", lambda item: item["pk"] == org.CANARY["pk"], ["Shrunk", "The count fell from 61 to 1,"]),
        ("halved", lambda item: int(item["sk"]["N"]) % 2 == 0, ["Shrunk", "The count fell from 61 to 31,"]),
        (
            "of-before",
            lambda item: item["pk"] != org.CANARY["pk"],
            ["CanaryMissing", "The canary is not in awsbackup-restore-test-of-before"],
        ),
    ],
)
def test_a_bad_table_fails_and_says_why(drilled: Flow, job: str, left: Any, why: list[str]) -> None:
    flow = drilled
    table = restored(flow, job, [item for item in flow.items() if left(item)])
    tell(flow, job, table, plan=plan_of(flow))
    run, result = validated(flow, job, "FAILED")
    assert run["error"] == "ValidationFailed"
    assert result["ValidationStatus"] == "FAILED"
    assert [each in result["ValidationStatusMessage"] for each in why] == [True, True]
    assert result["ValidationStatusMessage"] == run["cause"]


def test_no_other_table_is_read(drilled: Flow) -> None:
    """A job's event may name any: the check's roles read what test restores have made. This one would pass."""
    flow = drilled
    tell(flow, "another", org.TABLE, plan=plan_of(flow))
    assert validated(flow, "another", "FAILED")[1]["ValidationStatus"] == "FAILED"


def test_jobs_of_others_and_failed_ones_validate_nothing(drilled: Flow) -> None:
    flow = drilled
    plan = plan_of(flow)
    table = restored(flow, "left-alone", [])
    before = len(flow.executions("ValidateMachine", "Data"))
    tell(flow, "by-hand", table, plan=None)
    tell(flow, "of-others", table, plan=f"{plan}-other")
    tell(flow, "failed", table, plan=plan, status="FAILED")
    # The last one is validated: everything that was told before it would have been as well.
    tell(flow, "last", table, plan=plan)
    validated(flow, "last", "FAILED")
    assert len(flow.executions("ValidateMachine", "Data")) == before + 1
    assert [flow.controls.validations(job) for job in ("by-hand", "of-others", "failed")] == [[], [], []]
