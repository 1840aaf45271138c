"""What our extension of the emulator adds to Step Functions, deployed by its CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.emulator.server import Emulator
from tests.integration.machines import INVOKE, SDK, TABLE, Cloud, chain, one, output, task
from tests.integration.sessions import client_of, new_account

ACCOUNT = "111122223333"  # stands for that of the test
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:tried"


@pytest.fixture
def cloud(emulator: Emulator) -> Cloud:
    return Cloud(emulator)


def test_a_machine_makes_sets_up_exports_and_drops_a_table_by_integrations_alone(cloud: Cloud) -> None:
    policy = {"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "dynamodb:GetItem", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    named = {"TableName": "new"}
    key, item = {"pk": {"S": "a"}}, {"pk": {"S": "a"}, "on": {"Bool": True}, "none": {"Nul": True}}
    recovery = {**named, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    time_to_live = {**named, "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True}}
    export = {
        "TableArn": "{% $table.TableArn %}",
        "S3Bucket": cloud.account,
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
    cloud.client("s3").create_bucket(Bucket=cloud.account)
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
    cloud.deploy(one(json.loads(json.dumps(state).replace(ACCOUNT, cloud.account))))
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
                "arn:aws:states:::sns:publish",
                {"TopicArn": f"arn:aws:sns:us-east-1:{cloud.account}:alarms", "Message": "m"},
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


def test_a_replica_starts_a_machine_in_the_other_account(cloud: Cloud) -> None:
    """What arrives by replication is an Object Created event there, as if it had been put."""
    other = new_account()
    intake, landing = f"intake-{cloud.account}", f"landing-{other}"
    before = len(cloud.controls.refusals())
    props = {
        "BucketName": intake,
        "VersioningConfiguration": {"Status": "Enabled"},
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    }
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [intake]}, "object": {"key": [{"suffix": "/manifest-summary.json"}]}},
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
        Intake={"Type": "AWS::S3::Bucket", "Properties": props},
        Rule={"Type": "AWS::Events::Rule", "Properties": rule},
    )
    said = {
        "Effect": "Allow",
        "Principal": {"AWS": other},
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{intake}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [said]})
    cloud.client("s3").put_bucket_policy(Bucket=intake, Policy=policy)
    theirs = client_of("s3", cloud.endpoint, other)
    theirs.create_bucket(Bucket=landing)
    theirs.put_bucket_versioning(Bucket=landing, VersioningConfiguration={"Status": "Enabled"})
    role, iam = f"arn:aws:iam::{other}:role/replicator", client_of("iam", cloud.endpoint, other)
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allowed)]
    iam.create_role(RoleName="replicator", AssumeRolePolicyDocument=documents[0])
    iam.put_role_policy(RoleName="replicator", PolicyName="all", PolicyDocument=documents[1])
    rules = [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{intake}"}}]
    theirs.put_bucket_replication(Bucket=landing, ReplicationConfiguration={"Role": role, "Rules": rules})
    for key in ("a/data.json.gz", "a/manifest-summary.json"):
        theirs.put_object(Bucket=landing, Key=key, Body=b"{}")
    (execution,) = cloud.controls.until(
        lambda: cloud.states.list_executions(stateMachineArn=cloud.machine)["executions"],
        lambda: f"an execution that the replica starts: {cloud.controls.refusals()[before:]}",
    )
    told = output(cloud.ended(execution["executionArn"]))
    assert (told["bucket"]["name"], told["object"]["key"]) == (intake, "a/manifest-summary.json")
    assert cloud.controls.refusals()[before:] == []
