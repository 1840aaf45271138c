"""The export machine's definition: that nothing in it can be left waiting, written blindly or started unclaimed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tableguard.backup.export.machine import ExportSettings, export_definition
from tests.unit.tables.support import Json, strings

SETTINGS = ExportSettings(
    partition="aws-cn",
    ledger="ledger",
    bucket="acme-landing",
    bucket_owner="444455556666",
    vault="111122223333/acme-intake",
    key_arn=None,
    every_minutes=60,
    full_every_minutes=3 * 24 * 60,
)
STATES: dict[str, Json] = export_definition(SETTINGS)["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
WRITES = {name: task for name, task in TASKS.items() if task["Resource"].endswith(":updateItem")}
STARTS = {name: task for name, task in TASKS.items() if task["Resource"].endswith(":exportTableToPointInTime")}


def following(state: Json) -> Iterator[str]:
    """Where a state leads to."""
    for each in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        for way in ("Next", "Default"):
            if way in each:
                yield each[way]


def before(name: str) -> set[str]:
    return {each for each, state in STATES.items() if name in following(state)}


def test_it_is_json_of_jsonata() -> None:
    definition = export_definition(SETTINGS)
    assert json.loads(json.dumps(definition)) == definition
    assert definition["QueryLanguage"] == "JSONata"
    assert definition["TimeoutSeconds"] == (1 + 3) * 3600


def test_every_state_is_reached_and_leads_somewhere() -> None:
    reached, new = set(), {"Begin"}
    while new:
        reached |= new
        new = {way for name in new for way in following(STATES[name])} - reached
    assert reached == set(STATES)
    for name, state in STATES.items():
        assert list(following(state)) or state["Type"] in ("Fail", "Succeed"), name


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_task_ends_and_is_tried_again_with_growing_pauses(task: Json) -> None:
    assert 0 < task["TimeoutSeconds"] <= 300
    *named, everything = task["Retry"]
    assert everything["ErrorEquals"] == ["States.ALL"]
    for retry in (each for each in task["Retry"] if each["MaxAttempts"]):
        assert retry["BackoffRate"] > 1
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxDelaySeconds"] >= 60
    assert all("States.ALL" not in retry["ErrorEquals"] for retry in named)


def test_it_waits_long_while_too_many_exports_run_or_one_is_in_the_way() -> None:
    for task in STARTS.values():
        patient = next(each for each in task["Retry"] if "DynamoDb.LimitExceededException" in each["ErrorEquals"])
        assert "DynamoDb.ExportConflictException" in patient["ErrorEquals"]
        assert (
            patient["IntervalSeconds"] * sum(patient["BackoffRate"] ** n for n in range(patient["MaxAttempts"])) > 1800
        )


@pytest.mark.parametrize("task", WRITES.values(), ids=WRITES)
def test_the_ledger_is_written_by_whoever_read_it_last(task: Json) -> None:
    arguments = task["Arguments"]
    assert arguments["ConditionExpression"] == "attribute_not_exists(#revision) OR #revision = :seen"
    assert arguments["ExpressionAttributeValues"][":seen"] == {"N": "{% $revision %}"}
    assert "#revision = :next" in arguments["UpdateExpression"]
    assert task["Assign"]["revision"] == arguments["ExpressionAttributeValues"][":next"]["N"]
    lost = "DynamoDb.ConditionalCheckFailedException"
    assert task["Retry"][0] == {"ErrorEquals": [lost], "MaxAttempts": 0}
    assert [(each["ErrorEquals"], each["Next"]) for each in task["Catch"]] == [([lost], "AnotherLook")]
    # DynamoDB refuses names and values that no expression uses.
    said = arguments["UpdateExpression"] + arguments["ConditionExpression"]
    for used in (*arguments["ExpressionAttributeNames"], *arguments["ExpressionAttributeValues"]):
        assert used in said


def test_one_write_makes_the_chain_longer_and_ends_the_claim() -> None:
    longer = {name for name, task in WRITES.items() if ":chain" in task["Arguments"]["ExpressionAttributeValues"]}
    assert longer == {"Commit"}
    update = WRITES["Commit"]["Arguments"]["UpdateExpression"]
    assert update == "SET #chain = :chain, #revision = :next REMOVE #pending"
    assert before("Commit") == {"Judge"}


def test_nothing_is_exported_that_was_not_claimed() -> None:
    assert {name for start in STARTS for name in before(start)} == {"Which"}
    assert before("Which") == {"Claim", "Decide"}
    assert [rule["Condition"] for rule in STATES["Decide"]["Choices"] if rule["Next"] == "Which"] == [
        "{% $plan.do = 'start' %}"
    ]
    assert {state["Next"] for state in STARTS.values()} == {"Note"}


@pytest.mark.parametrize("task", STARTS.values(), ids=STARTS)
def test_every_export_is_whole_and_names_the_buckets_owner(task: Json) -> None:
    arguments = task["Arguments"]
    assert arguments["S3Bucket"] == "acme-landing"
    assert arguments["S3BucketOwner"] == "444455556666"
    assert arguments["S3SseAlgorithm"] == "AES256"
    assert arguments["ExportFormat"] == "DYNAMODB_JSON"
    assert arguments["ClientToken"] == "{% $pending.token %}"
    assert not any("Filter" in text for text in strings(arguments))


def test_increments_hold_what_was_and_what_is() -> None:
    assert STATES["StartIncrement"]["Arguments"]["IncrementalExportSpecification"] == {
        "ExportFromTime": "{% $pending.from %}",
        "ExportToTime": "{% $pending.to %}",
        "ExportViewType": "NEW_AND_OLD_IMAGES",
    }
    assert STATES["StartFull"]["Arguments"]["ExportTime"] == "{% $pending.to %}"


def test_the_chain_is_one_of_the_bucket_and_of_the_vault_behind_it() -> None:
    said = STATES["Begin"]["Assign"]
    assert (said["bucket"], said["vault"]) == ("acme-landing", "111122223333/acme-intake")
    assert said["target"] == "acme-landing|444455556666||111122223333/acme-intake"


def test_a_key_of_the_bucket_is_named() -> None:
    key = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    definition = export_definition(
        ExportSettings(**{**{name: getattr(SETTINGS, name) for name in SETTINGS.__slots__}, "key_arn": key})
    )
    for start in STARTS:
        arguments = definition["States"][start]["Arguments"]
        assert (arguments["S3SseAlgorithm"], arguments["S3SseKmsKeyId"]) == ("KMS", key)


def test_time_is_the_executions_and_loops_end() -> None:
    said = json.dumps(STATES)
    assert "$now(" not in said
    assert "$millis(" not in said
    assert "$looks <" in STATES["AnotherLook"]["Choices"][0]["Condition"]
    assert "$completed < 10" in STATES["More"]["Choices"][0]["Condition"]
    # The loop that waits has a way out that only time opens.
    assert any("$deadline" in rule["Condition"] and rule["Next"] == "HasAge" for rule in STATES["Judge"]["Choices"])


def test_a_metric_that_cannot_be_put_stops_nothing() -> None:
    metrics = {name: task for name, task in TASKS.items() if task["Resource"].endswith(":putMetricData")}
    assert set(metrics) == {"CountCompleted", "CountFailed", "PutAge"}
    for task in metrics.values():
        assert task["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": task["Next"]}]


def test_every_failure_ends_the_execution_as_failed() -> None:
    ways: list[Any] = [
        each
        for state in STATES.values()
        for each in (*state.get("Choices", ()), *state.get("Catch", ()))
        if "failure" in each.get("Assign", {})
    ]
    assert ways
    assert {way["Next"] for way in ways} == {"CountFailed", "Forget", "Release"}
    assert STATES["Release"]["Next"] == "CountFailed"
    assert STATES["Outcome"]["Choices"] == [{"Condition": "{% $failure != '' %}", "Next": "Failed"}]


def test_integrations_are_of_the_partition() -> None:
    assert all(task["Resource"].startswith("arn:aws-cn:states:::aws-sdk:") for task in TASKS.values())
