"""State machines and functions, deployed into the emulator in few words."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from typing import Any

from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator
from tests.integration.sessions import client_of, new_account

SDK = "arn:aws:states:::aws-sdk"
INVOKE = "arn:aws:states:::lambda:invoke"

TABLE = {
    "TableName": "new",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
    "WarmThroughput": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 5000},
    "Tags": [{"Key": "kind", "Value": "restored"}],
}

HANDLER = """
    import os, time, datetime
    import boto3

    class Rejected(Exception):
        pass

    calls = 0

    def handler(event, context):
        global calls
        calls += 1
        if event.get("raise"):
            raise Rejected("said so")
        if event.get("fill"):
            os.urandom(event["fill"] * 1024 * 1024)
        if event.get("sleep"):
            time.sleep(event["sleep"])
        now = datetime.datetime.now(datetime.timezone.utc)
        told = {"calls": calls, "file": boto3.__version__, "now": now.timestamp(), "time": time.time()}
        if event.get("who"):
            told["who"] = boto3.client("sts").get_caller_identity()["Arn"]
        return told
"""


class Cloud:
    """A new account, and the shortest ways to make what it is to hold."""

    def __init__(self, emulator: Emulator) -> None:
        self.endpoint = emulator.endpoint
        self.controls = Controls(emulator)
        self.account = new_account()
        self.machine = f"arn:aws:states:us-east-1:{self.account}:stateMachine:tried"
        self.worker = f"work-{self.account}"  # the name of the function, which tells its runs from those of others
        self.states = self.client("stepfunctions")

    def client(self, service: str) -> Any:
        return client_of(service, self.endpoint, self.account)

    def deploy(self, definition: dict[str, Any], *allowed: str, **more: dict[str, Any]) -> None:
        """A machine, whose role may do this on everything, and whatever else there is to be."""
        said = {"Effect": "Allow", "Action": ["states:ListExecutions", *allowed], "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = {"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": [said]}}
        role = {
            "RoleName": "tried",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [policy],
        }
        machine = {
            "StateMachineName": "tried",
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DefinitionString": json.dumps(definition),
        }
        resources = {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
            **more,
        }
        cloudformation = self.client("cloudformation")
        made = cloudformation.create_stack(StackName="tried", TemplateBody=json.dumps({"Resources": resources}))
        self.controls.stack_at(cloudformation, made["StackId"], "CREATE_COMPLETE")

    def start(self, said: Any = None) -> str:
        begun = self.states.start_execution(stateMachineArn=self.machine, input=json.dumps(said or {}))
        return str(begun["executionArn"])

    def run(self, said: Any = None) -> dict[str, Any]:
        return self.ended(self.start(said))

    def ended(self, arn: str) -> dict[str, Any]:
        def end() -> dict[str, Any] | None:
            told: dict[str, Any] = self.states.describe_execution(executionArn=arn)
            return None if told["status"] == "RUNNING" else told

        told = self.controls.until(end, lambda: f"the end of {arn}")
        assert told is not None
        return told

    def function(self, source: str = HANDLER) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", textwrap.dedent(source))
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(
            RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        self.client("lambda").create_function(
            FunctionName=self.worker,
            Runtime="python3.13",
            Handler="index.handler",
            Role=role["Role"]["Arn"],
            Timeout=20,
            Code={"ZipFile": packed.getvalue()},
        )

    def invocations(self) -> list[dict[str, Any]]:
        """Each run of the function."""
        return [each for each in self.controls.invocations() if each["function"] == self.worker]


def one(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "One", "States": {"One": {**state, "End": True}}, **more}


def task(resource: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **more}


def output(told: dict[str, Any]) -> Any:
    assert told["status"] == "SUCCEEDED", told
    return json.loads(told["output"])


def chain(*states: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in states]
    following: list[dict[str, Any]] = [*({"Next": name} for name in names[1:]), {"End": True}]
    said = {name: {**state, **then} for (name, state), then in zip(states, following, strict=True)}
    return {"QueryLanguage": "JSONata", "StartAt": names[0], "States": said}
