"""Functions in the emulator, called by its machines, and executions that do not go well."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest

from tests.integration.emulator.server import Emulator
from tests.integration.machines import INVOKE, SDK, TABLE, Cloud, chain, one, output, task


@pytest.fixture
def cloud(emulator: Emulator) -> Cloud:
    return Cloud(emulator)


def test_a_distributed_map_inside_a_map_reads_its_items_from_s3(cloud: Cloud) -> None:
    cloud.function()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=cloud.account)
    for name in ("a", "b"):
        s3.put_object(Bucket=cloud.account, Key=f"{name}.json", Body=json.dumps([{"n": number} for number in range(5)]))
    load = task(INVOKE, {"FunctionName": cloud.worker, "Payload": "{% $states.input %}"}, QueryLanguage="JSONata")
    files = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": cloud.account, "Key.$": "$.key"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Load",
            "States": {"Load": {**load, "End": True}},
        },
        "MaxConcurrency": 2,
        "End": True,
    }
    steps = {
        "Type": "Map",
        "ItemsPath": "$.steps",
        "MaxConcurrency": 1,
        "ItemProcessor": {"StartAt": "Files", "States": {"Files": files}},
        "End": True,
    }
    cloud.deploy({"StartAt": "Steps", "States": {"Steps": steps}}, "lambda:InvokeFunction", "s3:GetObject")
    told = output(cloud.run({"steps": [{"key": "a.json"}, {"key": "b.json"}]}))
    assert [len(step) for step in told] == [5, 5]
    invocations = cloud.invocations()
    assert len(invocations) == 10
    assert sum(each["cold"] for each in invocations) <= 2
    s3.delete_object(Bucket=cloud.account, Key="b.json")
    assert cloud.run({"steps": [{"key": "b.json"}]})["error"] == "States.ItemReaderFailed"


def test_a_function_runs_as_its_role_at_the_shifted_time_and_is_measured(cloud: Cloud) -> None:
    cloud.function()
    arguments = {"FunctionName": cloud.worker, "Payload": "{% $states.input %}"}
    cloud.deploy(one(task(INVOKE, arguments)), "lambda:InvokeFunction")
    first = output(cloud.run({"who": True}))["Payload"]
    assert first["who"] == f"arn:aws:sts::{cloud.account}:assumed-role/worker/{cloud.worker}"
    cloud.controls.shift(dt.timedelta(days=40))
    told = cloud.run({"fill": 200})
    second = output(told)["Payload"]
    assert second["calls"] == 2
    for clock in ("now", "time"):
        assert second[clock] - first[clock] == pytest.approx(40 * 86_400, abs=30)
    assert (told["startDate"] - cloud.controls.now()).total_seconds() == pytest.approx(0, abs=30)
    before, after = (each["peak_kib"] for each in cloud.invocations())
    assert after - before > 150 * 1024


def test_retries_match_the_class_of_a_functions_exception(cloud: Cloud) -> None:
    cloud.function()
    retry = [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 60, "MaxAttempts": 3}]
    catch = [{"ErrorEquals": ["Rejected"], "Next": "Caught", "Output": "{% $states.errorOutput %}"}]
    arguments = {"FunctionName": cloud.worker, "Payload": "{% $states.input %}"}
    states = one(task(INVOKE, arguments, Retry=retry, Catch=catch))
    states["States"]["Caught"] = {"Type": "Pass", "End": True}
    cloud.deploy(states, "lambda:InvokeFunction")
    number = cloud.controls.inject("lambda:Invoke", "throttle", cloud.worker, times=2)
    began = time.monotonic()
    told = output(cloud.run({"raise": True}))
    assert (told["Error"], json.loads(told["Cause"])["errorMessage"]) == ("Rejected", "said so")
    assert cloud.controls.hits()[number] == 2
    assert output(cloud.run())["Payload"]["calls"] == 2  # the process goes on after an exception
    assert time.monotonic() - began < 180  # AWS would pause that long, the second time for twice as long as the first
    cloud.controls.inject("lambda:Invoke", "kill", seconds=0.5)
    assert cloud.run({"sleep": 10})["error"] == "Runtime.ExitError"
    cloud.controls.inject("lambda:Invoke", "lose")
    assert "its answer was lost" in cloud.run()["cause"]


def test_a_task_that_takes_too_long_times_out(cloud: Cloud) -> None:
    cloud.function()
    state = task(INVOKE, {"FunctionName": cloud.worker, "Payload": {"sleep": 5}}, TimeoutSeconds=1)
    cloud.deploy(one(state), "lambda:InvokeFunction")
    assert cloud.run()["error"] == "States.Timeout"


def test_an_execution_can_be_killed_between_two_states_and_started_again(cloud: Cloud) -> None:
    put = task(f"{SDK}:dynamodb:putItem", {"TableName": "new", "Item": {"pk": {"S": "a"}}})
    cloud.client("dynamodb").create_table(**TABLE)
    cloud.deploy(chain(("First", {"Type": "Pass"}), ("Put", put), ("Last", {"Type": "Pass"})), "dynamodb:PutItem")
    cloud.controls.inject("states:Execution", "kill", "tried/Last")
    assert cloud.run()["status"] == "ABORTED"
    assert cloud.client("dynamodb").scan(TableName="new")["Count"] == 1
    assert cloud.run()["status"] == "SUCCEEDED"


def test_a_nested_execution_that_fails_is_a_failed_task(cloud: Cloud) -> None:
    inner = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "so"}}}
    machine = {
        "StateMachineName": "inner",
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "DefinitionString": json.dumps(inner),
    }
    state = task(
        "arn:aws:states:::states:startExecution.sync:2",
        {"StateMachineArn": cloud.machine.replace("tried", "inner"), "Input": {}},
    )
    cloud.deploy(
        one(state),
        "states:StartExecution",
        Inner={"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
    )
    told = cloud.run()
    assert told["error"] == "States.TaskFailed"
    assert "Broken" in told["cause"]
