"""The end of a restore, run from the state in which every item is verified: what the table gets, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tableguard.backup.restore.machine import Functions, RestoreMachine
from tableguard.backup.restore.templates import PLACEHOLDER
from tableguard.backup.states.tasks import Tasks
from tests.unit.backup.machine_run import Evaluate, Json, Machine, TaskError, jsonata

NAME: Final = "restored-orders"
ARN: Final = f"arn:aws:dynamodb:us-east-1:999900001111:table/{NAME}"
STREAM: Final = f"{ARN}/stream/2026-11-22T10:00:00.000"
EXECUTION: Final = "arn:aws:states:us-east-1:999900001111:execution:restore:one"


def policy(actions: str) -> Json:
    """A policy that names the table and holds a policy variable."""
    resource = ARN.replace(NAME, PLACEHOLDER)
    condition = {"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}
    return {"Statement": [{"Effect": "Deny", "Action": actions, "Resource": resource, "Condition": condition}]}


WHILE, FINAL, OF_STREAM = policy("dynamodb:Scan"), policy("dynamodb:*"), policy("dynamodb:GetRecords")


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Evaluate]:
    with jsonata() as evaluating:
        yield evaluating


def machine(**properties: Any) -> Json:
    given: dict[str, Any] = {
        "tasks": Tasks("aws"),
        "source": {"account": "444455556666", "region": "us-east-1", "table": "orders"},
        "table_arn": ARN.replace(NAME, PLACEHOLDER),
        "arguments": {},
        "deletion_protection": True,
        "policy": WHILE,
        "final_policy": FINAL,
        "stream_policy": OF_STREAM,
        "recovery_days": 35,
        "time_to_live": "expires",
        "insights": {"": "ACCESSED_AND_THROTTLED_KEYS", "by-date": "THROTTLED_KEYS"},
        "sealed": True,
        "planning": {},
        "functions": Functions(load="load", digest="digest", check="check", problem="problem"),
        "work_bucket": "work",
        "files_at_once": 1,
        "segments": 1,
        "clearing": None,
        "timeout_seconds": 3600,
        **properties,
    }
    return {**RestoreMachine(**given).definition(), "StartAt": "Verified"}


def finished(
    evaluate: Evaluate, definition: Json, *, isolated: bool = False, failing: str = ""
) -> tuple[bool, Any, list[tuple[str, Json]]]:
    """Whether it came to a good end, its output or error, and what was asked of DynamoDB and of functions."""
    asked: list[tuple[str, Json]] = []

    def answer(operation: str, arguments: Json) -> Json:
        asked.append((operation, arguments))
        if operation == failing:
            raise TaskError("DynamoDb.LimitExceededException", "too much")
        return {"Payload": {}}

    variables = {
        "template": definition["States"]["Start"]["Assign"]["template"],
        "source": definition["States"]["Start"]["Assign"]["source"],
        "table": NAME,
        "arn": ARN,
        "stream": STREAM,
        "isolated": isolated,
        "restored": {"count": 3, "digest": "d" * 64},
        "reached": "2026-11-22T09:00:00Z",
        "execution": EXECUTION,
        "export": "export",
    }
    run = Machine(definition, evaluate, answer, datetime(2026, 11, 22, 12, tzinfo=UTC), variables)
    good, output = run.run({})
    return good, output, asked


def written(asked: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    """The policies that were put, by what they were put on."""
    return [
        (arguments["ResourceArn"], json.loads(arguments["Policy"]))
        for operation, arguments in asked
        if operation == "putResourcePolicy"
    ]


def as_named(said: Json) -> Json:
    named: Json = json.loads(json.dumps(said).replace(PLACEHOLDER, NAME))
    return named


def test_table_and_stream_get_the_policies_that_name_them(evaluate: Evaluate) -> None:
    good, output, asked = finished(evaluate, machine())
    assert good
    assert written(asked) == [(STREAM, as_named(OF_STREAM)), (ARN, as_named(FINAL))]
    assert (output["table"], output["arn"], output["execution"]) == (NAME, ARN, EXECUTION)
    assert output["restored"] == {"count": 3, "digest": "d" * 64}


def test_what_is_verified_is_said_first_and_opened_to_others_last(evaluate: Evaluate) -> None:
    _, _, asked = finished(evaluate, machine())
    operations = [operation for operation, _ in asked]
    assert operations == [
        "tagResource",
        "putResourcePolicy",
        "updateTimeToLive",
        *["updateContributorInsights"] * 2,
        "putResourcePolicy",
    ]
    tags = {tag["Key"]: tag["Value"] for tag in asked[0][1]["Tags"]}
    assert tags == {"tableguard:verified": "d" * 64, "tableguard:restore-state": "verified"}
    assert asked[2][1]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert [arguments.get("IndexName") for _, arguments in asked[3:5]] == [None, "by-date"]


def test_a_drills_table_keeps_the_policy_that_it_is_checked_under(evaluate: Evaluate) -> None:
    good, _, asked = finished(evaluate, machine(), isolated=True)
    assert good
    assert [resource for resource, _ in written(asked)] == [STREAM]


def test_a_table_without_policies_gets_none(evaluate: Evaluate) -> None:
    good, _, asked = finished(evaluate, machine(policy=None, final_policy=None, stream_policy=None))
    assert good
    assert written(asked) == []


@pytest.mark.parametrize("failing", ["tagResource", "putResourcePolicy", "updateTimeToLive"])
def test_a_setting_that_cannot_be_made_fails_the_restore_and_says_what_is_there(
    evaluate: Evaluate, failing: str
) -> None:
    good, output, asked = finished(evaluate, machine(), failing=failing)
    assert not good
    assert "Every item of table restored-orders is there, but not all of its settings" in output["Cause"]
    assert asked[-1][0] == failing


@pytest.mark.parametrize("failing", ["", "invoke"])
def test_the_export_that_a_restore_made_is_removed_and_a_table_is_whole_without_that(
    evaluate: Evaluate, failing: str
) -> None:
    good, output, asked = finished(evaluate, machine(clearing="clear"), failing=failing)
    assert good
    assert output["arn"] == ARN
    (removed,) = [arguments for operation, arguments in asked if operation == "invoke"]
    assert removed["FunctionName"] == "clear"
    assert removed["Payload"]["export"] == "export"
