"""What our extension of the emulator adds to Step Functions and functions, deployed by its CloudFormation."""

from __future__ import annotations

import datetime as dt
import io
import json
import textwrap
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator
from tests.integration.sessions import client_of

ACCOUNT = "111122223333"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:tried"
SDK = "arn:aws:states:::aws-sdk"
INVOKE = "arn:aws:states:::lambda:invoke"

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
    def __init__(self, emulator: Emulator) -> None:
        self.endpoint = emulator.endpoint
        self.controls = Controls(emulator)
        self.states = self.client("stepfunctions")

    def client(self, service: str) -> Any:
        return client_of(service, self.endpoint, ACCOUNT)

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
        cloudformation.create_stack(StackName="tried", TemplateBody=json.dumps({"Resources": resources}))
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName="tried", WaiterConfig={"Delay": 1, "MaxAttempts": 20})

    def start(self, said: Any = None, machine: str = MACHINE) -> str:
        arn: str = self.states.start_execution(stateMachineArn=machine, input=json.dumps(said or {}))["executionArn"]
        return arn

    def run(self, said: Any = None, machine: str = MACHINE) -> dict[str, Any]:
        return self.ended(self.start(said, machine))

    def ended(self, arn: str) -> dict[str, Any]:
        for _ in range(300):
            told: dict[str, Any] = self.states.describe_execution(executionArn=arn)
            if told["status"] != "RUNNING":
                return told
            time.sleep(0.1)
        raise AssertionError("The execution does not end.")

    def function(self, source: str = HANDLER) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", textwrap.dedent(source))
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(
            RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        self.client("lambda").create_function(
            FunctionName="work",
            Runtime="python3.13",
            Handler="index.handler",
            Role=role["Role"]["Arn"],
            Timeout=20,
            Code={"ZipFile": packed.getvalue()},
        )


def one(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "One", "States": {"One": {**state, "End": True}}, **more}


def task(resource: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **more}


def output(told: dict[str, Any]) -> Any:
    assert told["status"] == "SUCCEEDED", told
    return json.loads(told["output"])


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Emulator() as emulator:
        yield Cloud(emulator)


TABLE = {
    "TableName": "new",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
    "WarmThroughput": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 5000},
    "Tags": [{"Key": "kind", "Value": "restored"}],
}


def chain(*states: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in states]
    following: list[dict[str, Any]] = [*({"Next": name} for name in names[1:]), {"End": True}]
    said = {name: {**state, **then} for (name, state), then in zip(states, following, strict=True)}
    return {"QueryLanguage": "JSONata", "StartAt": names[0], "States": said}


def test_a_machine_makes_sets_up_exports_and_drops_a_table_by_integrations_alone(cloud: Cloud) -> None:
    policy = {"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "dynamodb:GetItem", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    named = {"TableName": "new"}
    key, item = {"pk": {"S": "a"}}, {"pk": {"S": "a"}, "on": {"Bool": True}, "none": {"Nul": True}}
    recovery = {**named, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    time_to_live = {**named, "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True}}
    export = {
        "TableArn": "{% $table.TableArn %}",
        "S3Bucket": "landing",
        "ExportTime": "{% $states.context.State.EnteredTime %}",
    }
    update = {
        **named,
        "Key": key,
        "UpdateExpression": "SET n = :n",
        "ConditionExpression": "attribute_not_exists(n)",
        "ExpressionAttributeValues": {":n": {"N": "1"}},
    }
    protect = {**named, "DeletionProtectionEnabled": False}
    states = chain(
        ("Create", task(f"{SDK}:dynamodb:createTable", {**TABLE, "ResourcePolicy": document})),
        (
            "Describe",
            task(f"{SDK}:dynamodb:describeTable", named, Assign={"table": "{% $states.result.Table %}"}),
        ),
        ("Recover", task(f"{SDK}:dynamodb:updateContinuousBackups", recovery)),
        ("Live", task(f"{SDK}:dynamodb:updateTimeToLive", time_to_live)),
        ("Put", task(f"{SDK}:dynamodb:putItem", {**named, "Item": item})),
        ("Update", task(f"{SDK}:dynamodb:updateItem", update)),
        (
            "Update2",
            task(
                "arn:aws:states:::dynamodb:updateItem",
                {**update, "UpdateExpression": "SET m = :n", "ConditionExpression": "n = :n"},
            ),
        ),
        ("Get", task(f"{SDK}:dynamodb:getItem", {**named, "Key": key}, Assign={"item": "{% $states.result.Item %}"})),
        (
            "Tags",
            task(
                f"{SDK}:dynamodb:listTagsOfResource",
                {"ResourceArn": "{% $table.TableArn %}"},
                Assign={"tags": "{% $states.result.Tags %}"},
            ),
        ),
        (
            "Export",
            task(
                f"{SDK}:dynamodb:exportTableToPointInTime",
                export,
                Assign={"arn": "{% $states.result.ExportDescription.ExportArn %}"},
            ),
        ),
        ("Wait", {"Type": "Wait", "Seconds": 20}),
        (
            "Exported",
            task(
                f"{SDK}:dynamodb:describeExport",
                {"ExportArn": "{% $arn %}"},
                Assign={"export": "{% $states.result.ExportDescription %}"},
            ),
        ),
        ("Protect", task(f"{SDK}:dynamodb:updateTable", protect)),
        ("Delete", task(f"{SDK}:dynamodb:deleteTable", named)),
        (
            "Say",
            {"Type": "Pass", "Output": {name: f"{{% ${name} %}}" for name in ("table", "item", "tags", "export")}},
        ),
    )
    cloud.client("s3").create_bucket(Bucket="landing")
    cloud.deploy(states, "dynamodb:*", "s3:*")
    told = output(cloud.run())
    assert told["table"]["WarmThroughput"]["ReadUnitsPerSecond"] == 15000
    assert told["item"]["n"] == {"N": "1"}
    assert told["item"]["m"] == {"N": "1"}
    assert told["tags"] == TABLE["Tags"]
    assert told["export"]["ExportStatus"] == "COMPLETED", told["export"]
    assert isinstance(told["export"]["StartTime"], str)


@pytest.mark.parametrize(
    ("resource", "arguments", "error"),
    [
        ("dynamodb:describeTable", {"TableName": "none"}, "DynamoDb.ResourceNotFoundException"),
        ("dynamodb:createTable", TABLE, "DynamoDb.ResourceInUseException"),
        (
            "dynamodb:putItem",
            {"TableName": "new", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_exists(pk)"},
            "DynamoDb.ConditionalCheckFailedException",
        ),
        ("dynamodb:putItem", {"TableName": "new", "Item": {}}, "DynamoDb.DynamoDbException"),
        ("dynamodb:describeTable", {"Tablename": "new"}, "States.Runtime"),
        ("s3:listObjectsV2", {"Bucket": "none"}, "S3.NoSuchBucketException"),
    ],
)
def test_errors_have_the_names_that_they_have_on_aws(
    cloud: Cloud, resource: str, arguments: dict[str, Any], error: str
) -> None:
    cloud.client("dynamodb").create_table(**TABLE)
    cloud.deploy(one(task(f"{SDK}:{resource}", arguments)), "dynamodb:*", "s3:*")
    assert cloud.run()["error"] == error


def test_a_machine_may_do_what_its_role_may(cloud: Cloud) -> None:
    cloud.client("dynamodb").create_table(**TABLE)
    states = chain(
        ("May", task(f"{SDK}:dynamodb:describeTable", {"TableName": "new"})),
        ("MayNot", task(f"{SDK}:dynamodb:putItem", {"TableName": "new", "Item": {"pk": {"S": "a"}}})),
    )
    cloud.deploy(states, "dynamodb:DescribeTable")
    told = cloud.run()
    assert told["error"] == "DynamoDb.DynamoDbException"
    assert "assumed-role/tried" in told["cause"]
    assert "not authorized to perform dynamodb:PutItem" in told["cause"]


@pytest.mark.parametrize(
    "state",
    [
        task("arn:aws:states:::dynamodb:putItem", {"TableName": "new", "Item": {"pk": {"S": "a"}}}),
        task(INVOKE, {"FunctionName": "work", "Payload": {}}),
        task("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": MACHINE, "Input": {}}),
        task("arn:aws:states:::sns:publish", {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "Message": "m"}),
        task(f"{SDK}:cloudwatch:putMetricData", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}),
    ],
)
def test_nothing_is_done_that_the_role_may_not_do(cloud: Cloud, state: dict[str, Any]) -> None:
    cloud.client("dynamodb").create_table(**TABLE)
    cloud.deploy(one(state))
    told = cloud.run()
    assert told["status"] == "FAILED"
    assert "not authorized to perform" in told["cause"]


def test_publishes_and_measures(cloud: Cloud) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}}
    metric = {"MetricName": "Age", "Value": 1.5, "Unit": "Seconds", "Dimensions": [{"Name": "Table", "Value": "t"}]}
    states = chain(
        (
            "Say",
            task(
                "arn:aws:states:::sns:publish", {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms", "Message": "m"}
            ),
        ),
        (
            "Measure",
            task(f"{SDK}:cloudwatch:putMetricData", {"Namespace": "tableguard/backup", "MetricData": [metric]}),
        ),
    )
    cloud.deploy(states, "sns:Publish", "cloudwatch:PutMetricData", Topic=topic)
    output(cloud.run())
    (found,) = cloud.client("cloudwatch").list_metrics(Namespace="tableguard/backup")["Metrics"]
    assert found["MetricName"] == "Age"
    assert found["Dimensions"] == [{"Name": "Table", "Value": "t"}]


def test_a_distributed_map_inside_a_map_reads_its_items_from_s3(cloud: Cloud) -> None:
    cloud.function()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="work")
    for name in ("a", "b"):
        s3.put_object(Bucket="work", Key=f"{name}.json", Body=json.dumps([{"n": number} for number in range(5)]))
    load = task(INVOKE, {"FunctionName": "work", "Payload": "{% $states.input %}"}, QueryLanguage="JSONata")
    files = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "work", "Key.$": "$.key"},
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
    invocations = cloud.controls.invocations()
    assert len(invocations) == 10
    assert sum(each["cold"] for each in invocations) <= 2
    s3.delete_object(Bucket="work", Key="b.json")
    assert cloud.run({"steps": [{"key": "b.json"}]})["error"] == "States.ItemReaderFailed"


def test_a_function_runs_as_its_role_at_the_shifted_time_and_is_measured(cloud: Cloud) -> None:
    cloud.function()
    cloud.deploy(one(task(INVOKE, {"FunctionName": "work", "Payload": "{% $states.input %}"})), "lambda:InvokeFunction")
    first = output(cloud.run({"who": True}))["Payload"]
    assert first["who"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/work"
    cloud.controls.shift(dt.timedelta(days=40))
    told = cloud.run({"fill": 200})
    second = output(told)["Payload"]
    assert second["calls"] == 2
    for clock in ("now", "time"):
        assert second[clock] - first[clock] == pytest.approx(40 * 86_400, abs=30)
    assert (told["startDate"] - cloud.controls.now()).total_seconds() == pytest.approx(0, abs=30)
    before, after = (each["peak_kib"] for each in cloud.controls.invocations())
    assert after - before > 150 * 1024


def test_retries_match_the_class_of_a_functions_exception(cloud: Cloud) -> None:
    cloud.function()
    retry = [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 60, "MaxAttempts": 3}]
    catch = [{"ErrorEquals": ["Rejected"], "Next": "Caught", "Output": "{% $states.errorOutput %}"}]
    arguments = {"FunctionName": "work", "Payload": "{% $states.input %}"}
    states = one(task(INVOKE, arguments, Retry=retry, Catch=catch))
    states["States"]["Caught"] = {"Type": "Pass", "End": True}
    cloud.deploy(states, "lambda:InvokeFunction")
    number = cloud.controls.inject("lambda:Invoke", "throttle", "work", times=2)
    began = time.monotonic()
    told = output(cloud.run({"raise": True}))
    assert (told["Error"], json.loads(told["Cause"])["errorMessage"]) == ("Rejected", "said so")
    assert cloud.controls.hits()[number] == 2
    assert time.monotonic() - began < 15  # two pauses of a minute at least, on AWS
    cloud.controls.inject("lambda:Invoke", "kill", seconds=0.5)
    assert cloud.run({"sleep": 10})["error"] == "Runtime.ExitError"
    cloud.controls.inject("lambda:Invoke", "lose")
    assert "its answer was lost" in cloud.run()["cause"]


def test_a_task_that_takes_too_long_times_out(cloud: Cloud) -> None:
    cloud.function()
    state = task(INVOKE, {"FunctionName": "work", "Payload": {"sleep": 5}}, TimeoutSeconds=1)
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
        {"StateMachineArn": MACHINE.replace("tried", "inner"), "Input": {}},
    )
    cloud.deploy(
        one(state),
        "states:StartExecution",
        Inner={"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
    )
    told = cloud.run()
    assert told["error"] == "States.TaskFailed"
    assert "Broken" in told["cause"]


def test_a_replica_starts_a_machine_in_the_other_account(cloud: Cloud) -> None:
    """What arrives by replication is an Object Created event there, as if it had been put."""
    intake = {
        "BucketName": "intake",
        "VersioningConfiguration": {"Status": "Enabled"},
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    }
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["intake"]}, "object": {"key": [{"suffix": "/manifest-summary.json"}]}},
    }
    target = {
        "Id": "machine",
        "Arn": {"Ref": "Machine"},
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "InputPath": "$.detail",
    }
    rule = {"EventPattern": pattern, "State": "ENABLED", "Targets": [target]}
    cloud.deploy(
        one({"Type": "Pass"}),
        Intake={"Type": "AWS::S3::Bucket", "Properties": intake},
        Rule={"Type": "AWS::Events::Rule", "Properties": rule},
    )
    said = {
        "Effect": "Allow",
        "Principal": {"AWS": "222233334444"},
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::intake/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [said]})
    cloud.client("s3").put_bucket_policy(Bucket="intake", Policy=policy)
    theirs = client_of("s3", cloud.endpoint, "222233334444")
    theirs.create_bucket(Bucket="landing")
    theirs.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
    role, iam = "arn:aws:iam::222233334444:role/replicator", client_of("iam", cloud.endpoint, "222233334444")
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allowed)]
    iam.create_role(RoleName="replicator", AssumeRolePolicyDocument=documents[0])
    iam.put_role_policy(RoleName="replicator", PolicyName="all", PolicyDocument=documents[1])
    rules = [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::intake"}}]
    theirs.put_bucket_replication(Bucket="landing", ReplicationConfiguration={"Role": role, "Rules": rules})
    for key in ("a/data.json.gz", "a/manifest-summary.json"):
        theirs.put_object(Bucket="landing", Key=key, Body=b"{}")
    for _ in range(50):
        executions = cloud.states.list_executions(stateMachineArn=MACHINE)["executions"]
        if executions:
            break
        time.sleep(0.1)
    (execution,) = executions
    told = output(cloud.ended(execution["executionArn"]))
    assert (told["bucket"]["name"], told["object"]["key"]) == ("intake", "a/manifest-summary.json")
    assert cloud.controls.refusals() == []
