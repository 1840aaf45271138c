"""What our extension of the emulator keeps, seen through the API of each service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from scripts.deployment.accounts import Accounts
from tests.integration import deploy_local
from tests.integration.emulator.server import Emulator
from tests.integration.sessions import new_account

OTHER = "222233334444"
KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
BOUNDARY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def policy(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": action, "Resource": "*"}
    return {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


TABLE = {
    "TableName": "one",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "ResourcePolicy": policy("dynamodb:GetRecords"),
    },
    "ResourcePolicy": policy("dynamodb:GetItem"),
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7},
    "DeletionProtectionEnabled": True,
    "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY},
}
BARE = {name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
GLOBAL = {
    **BARE,
    "TableName": "world",
    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
    "Replicas": [
        {
            "Region": region,
            "ResourcePolicy": policy(action),
            "ReplicaStreamSpecification": {"ResourcePolicy": policy("dynamodb:GetRecords")},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"KMSMasterKeyId": KEY.replace("us-east-1", region)},
        }
        for region, action in {"us-east-1": "dynamodb:GetItem", "eu-west-1": "dynamodb:Query"}.items()
    ],
}
ROLE = {
    "RoleName": "bounded",
    "AssumeRolePolicyDocument": policy("sts:AssumeRole")["PolicyDocument"],
    "PermissionsBoundary": BOUNDARY,
}


class Cloud:
    """Two new accounts; the first has a stack."""

    def __init__(self, emulator: Emulator) -> None:
        self.account, self.other = new_account(), new_account()
        self.here, self.elsewhere = (self.account, "us-east-1"), (self.account, "eu-west-1")
        profiles = {account: account for account in (self.account, self.other)}
        self.client = Accounts(profiles, deploy_local.environment(emulator, profiles)).client

    def deploy(self, **resources: tuple[str, dict[str, Any]]) -> None:
        """Make the stack what these resources say, or make it; who is OTHER in them is the other account."""
        cloudformation = self.client("cloudformation", self.here)
        said = {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in resources.items()}
        template = json.dumps({"Resources": said}).replace(OTHER, self.other)
        there = [each for each in cloudformation.list_stacks()["StackSummaries"] if "DELETE" not in each["StackStatus"]]
        do, done = ("update_stack", "stack_update_complete") if there else ("create_stack", "stack_create_complete")
        getattr(cloudformation, do)(StackName="tried", TemplateBody=template)
        cloudformation.get_waiter(done).wait(StackName="tried", WaiterConfig={"Delay": 1, "MaxAttempts": 10})

    def table(self, name: str, place: tuple[str, str] | None = None) -> dict[str, Any]:
        """All that the extension keeps of a table."""
        place = place or self.here
        client = self.client("dynamodb", place)
        described = client.describe_table(TableName=name)["Table"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]
        return {
            "policy": self.policy(place, described["TableArn"]),
            "stream's": self.policy(place, described.get("LatestStreamArn")),
            "recovery": (recovery["PointInTimeRecoveryStatus"], recovery.get("RecoveryPeriodInDays")),
            "protected": described["DeletionProtectionEnabled"],
            "key": described.get("SSEDescription", {}).get("KMSMasterKeyArn"),
        }

    def policy(self, place: tuple[str, str], arn: str | None) -> str | None:
        if arn is None:
            return None
        client = self.client("dynamodb", place)
        try:
            found = client.get_resource_policy(ResourceArn=arn)["Policy"]
        except client.exceptions.PolicyNotFoundException:
            return None
        return str(json.loads(found)["Statement"][0]["Action"])


@pytest.fixture
def cloud(emulator: Emulator) -> Cloud:
    return Cloud(emulator)


def test_keeps_what_a_table_says_and_forgets_what_it_says_no_longer(cloud: Cloud) -> None:
    cloud.deploy(Table=("AWS::DynamoDB::Table", TABLE))
    assert cloud.table("one") == {
        "policy": "dynamodb:GetItem",
        "stream's": "dynamodb:GetRecords",
        "recovery": ("ENABLED", 7),
        "protected": True,
        "key": KEY,
    }
    streaming = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    cloud.deploy(Table=("AWS::DynamoDB::Table", {**BARE, "TableName": "one", "StreamSpecification": streaming}))
    assert {**cloud.table("one"), "key": None} == {
        "policy": None,
        "stream's": None,
        "recovery": ("DISABLED", None),
        "protected": False,
        "key": None,
    }


def test_keeps_what_each_replica_says(cloud: Cloud) -> None:
    cloud.deploy(Table=("AWS::DynamoDB::GlobalTable", GLOBAL))
    here, there = cloud.table("world"), cloud.table("world", cloud.elsewhere)
    assert (here["policy"], there["policy"]) == ("dynamodb:GetItem", "dynamodb:Query")
    assert (here["stream's"], there["stream's"]) == ("dynamodb:GetRecords", "dynamodb:GetRecords")
    assert (here["key"], there["key"]) == (KEY, KEY.replace("us-east-1", "eu-west-1"))
    assert here["recovery"] == there["recovery"] == ("ENABLED", 35)


def test_keeps_the_boundary_of_a_role(cloud: Cloud) -> None:
    def boundary() -> Any:
        return cloud.client("iam", cloud.here).get_role(RoleName="bounded")["Role"].get("PermissionsBoundary")

    cloud.deploy(Role=("AWS::IAM::Role", ROLE))
    assert boundary()["PermissionsBoundaryArn"] == BOUNDARY
    cloud.deploy(Role=("AWS::IAM::Role", {**ROLE, "PermissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"}))
    assert boundary()["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/PowerUserAccess"


def test_does_not_delete_a_protected_table_with_its_stack(cloud: Cloud) -> None:
    cloud.deploy(Table=("AWS::DynamoDB::Table", TABLE))
    cloudformation = cloud.client("cloudformation", cloud.here)
    cloudformation.delete_stack(StackName="tried")
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName="tried", WaiterConfig={"Delay": 1, "MaxAttempts": 3}
        )
    assert cloud.table("one")["protected"]


def test_deletes_the_policies_with_a_table(cloud: Cloud) -> None:
    unprotected = {**TABLE, "DeletionProtectionEnabled": False}
    cloud.deploy(Table=("AWS::DynamoDB::Table", unprotected))
    cloudformation = cloud.client("cloudformation", cloud.here)
    cloudformation.delete_stack(StackName="tried")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="tried", WaiterConfig={"Delay": 1})
    cloud.deploy(Table=("AWS::DynamoDB::Table", {**BARE, "TableName": "one"}))
    assert cloud.table("one")["policy"] is None


def test_passes_a_request_by_arn_on_to_the_tables_account(cloud: Cloud) -> None:
    cloud.deploy(Table=("AWS::DynamoDB::Table", TABLE))
    other = (cloud.other, "us-east-1")
    theirs, owners = cloud.client("dynamodb", other), cloud.client("dynamodb", cloud.here)
    arn = f"arn:aws:dynamodb:us-east-1:{cloud.account}:table/one"
    one, two, three = ({"pk": {"S": word}} for word in ("one", "two", "three"))
    stream = owners.describe_table(TableName="one")["Table"]["LatestStreamArn"]
    everything = {"Effect": "Allow", "Principal": {"AWS": cloud.other}, "Action": "dynamodb:*", "Resource": "*"}
    with pytest.raises(ClientError, match=r"not authorized to perform dynamodb:PutItem .* decided by resource"):
        theirs.put_item(TableName=arn, Item=one)
    for resource in (arn, stream):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        owners.put_resource_policy(ResourceArn=resource, Policy=policy)

    theirs.put_item(TableName=arn, Item=one)
    theirs.transact_write_items(TransactItems=[{"Put": {"TableName": arn, "Item": two}}])
    theirs.batch_write_item(RequestItems={arn: [{"PutRequest": {"Item": three}}]})
    assert owners.scan(TableName="one")["Count"] == 3
    assert theirs.get_item(TableName=arn, Key=one)["Item"] == one
    assert theirs.list_tables()["TableNames"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        theirs.get_item(TableName="one", Key=one)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        theirs.get_item(TableName=arn.replace(cloud.account, new_account()), Key=one)

    streams = cloud.client("dynamodbstreams", other)
    assert theirs.describe_table(TableName=arn)["Table"]["LatestStreamArn"] == stream
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    assert len(streams.get_records(ShardIterator=iterator)["Records"]) == 3
