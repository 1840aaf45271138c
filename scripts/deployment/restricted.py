"""What is in the private workload's account and the management account only: asked for, and found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from scripts.deployment.accounts import Accounts
from scripts.deployment.documents import normal
from scripts.deployment.plan import Json, Place

_Properties = Mapping[str, Any]


def _documented(said: Any) -> Any:
    """JSON that an API hands back as text."""
    return json.loads(said) if isinstance(said, str) else said


# --- What the templates ask for; "attached" is what another resource of the template adds to it


def _asked_rule(said: Json) -> _Properties:
    return {"pattern": said["EventPattern"], "state": said.get("State", "ENABLED"), "targets": said["Targets"]}


def _asked_group(said: Json) -> _Properties:
    return {
        "vpc": said["VpcId"],
        "in": sorted(_flow(each) for each in said.get("SecurityGroupIngress", ())),
        "out": sorted(_flow(each) for each in said["SecurityGroupEgress"]),
    }


ASKED: Mapping[str, Callable[[Json], _Properties]] = {
    "AWS::SNS::Topic": lambda said: {"encryption with": said.get("KmsMasterKeyId"), "policy": normal(said["attached"])},
    "AWS::SQS::Queue": lambda said: {
        "encrypted": said["SqsManagedSseEnabled"],
        "seconds of retention": said["MessageRetentionPeriod"],
        "policy": normal(said["attached"]),
    },
    "AWS::Events::Rule": _asked_rule,
    "AWS::EC2::VPC": lambda said: {"range": said["CidrBlock"]},
    "AWS::EC2::Subnet": lambda said: {
        "vpc": said["VpcId"],
        "range": said["CidrBlock"],
        "public addresses": said["MapPublicIpOnLaunch"],
    },
    "AWS::EC2::RouteTable": lambda said: {"vpc": said["VpcId"], "subnet": said["attached"], "ways out": []},
    "AWS::EC2::VPCEndpoint": lambda said: {
        "kind": said["VpcEndpointType"],
        "service": said["ServiceName"],
        "vpc": said["VpcId"],
        "route tables": sorted(said["RouteTableIds"]),
        "policy": normal(said["PolicyDocument"]),
    },
    "AWS::EC2::SecurityGroup": _asked_group,
    "AWS::Organizations::Policy": lambda said: {
        "type": said["Type"],
        "targets": sorted(said["TargetIds"]),
        "policy": normal(said["Content"]),
    },
}
"""How to read a resource of a template, by its type."""

ATTACHED: Mapping[str, tuple[str, str, str]] = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "PolicyDocument"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "PolicyDocument"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "PolicyDocument"),
    "AWS::EC2::RouteTable": ("AWS::EC2::SubnetRouteTableAssociation", "RouteTableId", "SubnetId"),
}
"""What is told with the resource that it is attached to: its type, where it names that, and what it adds."""

ATTRIBUTES: Mapping[tuple[str, str], str] = {
    ("AWS::SQS::Queue", "Arn"): "arn:aws:sqs:{region}:{account}:{name}",
    ("AWS::SQS::Queue", "QueueName"): "{name}",
    ("AWS::Events::Rule", "Arn"): "arn:aws:events:{region}:{account}:rule/{name}",
    ("AWS::CloudWatch::Alarm", "Arn"): "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    ("AWS::EC2::SecurityGroup", "GroupId"): "{name}",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{path}",
    ("AWS::StepFunctions::StateMachine", "Arn"): "{path}",
    ("AWS::StepFunctions::StateMachine", "Name"): "{last}",
    ("AWS::Logs::LogGroup", "Arn"): "arn:aws:logs:{region}:{account}:log-group:{path}:*",
}
"""Attributes that templates refer to; {path} is the physical name, {name} what comes after its last slash, {last} after
its last colon."""


# --- What is there


def _topic(accounts: Accounts, place: Place, arn: str) -> _Properties:
    found = accounts.client("sns", place).get_topic_attributes(TopicArn=arn)["Attributes"]
    return {"encryption with": found.get("KmsMasterKeyId") or None, "policy": normal(found["Policy"])}


def _queue(accounts: Accounts, place: Place, url: str) -> _Properties:
    found = accounts.client("sqs", place).get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {
        "encrypted": found.get("SqsManagedSseEnabled") == "true",
        "seconds of retention": int(found["MessageRetentionPeriod"]),
        "policy": normal(found.get("Policy")),
    }


def _rule(accounts: Accounts, place: Place, name: str) -> _Properties:
    client = accounts.client("events", place)
    found = client.describe_rule(Name=name.rpartition("/")[2])
    targets = client.list_targets_by_rule(Rule=name.rpartition("/")[2])["Targets"]
    return {"pattern": _documented(found["EventPattern"]), "state": found["State"], "targets": targets}


def _vpc(accounts: Accounts, place: Place, vpc: str) -> _Properties:
    (found,) = accounts.client("ec2", place).describe_vpcs(VpcIds=[vpc])["Vpcs"]
    return {"range": found["CidrBlock"]}


def _subnet(accounts: Accounts, place: Place, subnet: str) -> _Properties:
    (found,) = accounts.client("ec2", place).describe_subnets(SubnetIds=[subnet])["Subnets"]
    return {"vpc": found["VpcId"], "range": found["CidrBlock"], "public addresses": found["MapPublicIpOnLaunch"]}


def _route_table(accounts: Accounts, place: Place, table: str) -> _Properties:
    (found,) = accounts.client("ec2", place).describe_route_tables(RouteTableIds=[table])["RouteTables"]
    out = [each for each in found["Routes"] if each.get("GatewayId", "") not in ("local", "")]
    return {
        "vpc": found["VpcId"],
        "subnet": [each["SubnetId"] for each in found["Associations"] if "SubnetId" in each],
        # The way to an endpoint is no way out.
        "ways out": [each for each in out if not each["GatewayId"].startswith("vpce-")],
    }


def _endpoint(accounts: Accounts, place: Place, endpoint: str) -> _Properties:
    (found,) = accounts.client("ec2", place).describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    return {
        "kind": found["VpcEndpointType"],
        "service": found["ServiceName"],
        "vpc": found["VpcId"],
        "route tables": sorted(found["RouteTableIds"]),
        "policy": normal(found.get("PolicyDocument")),
    }


def _group(accounts: Accounts, place: Place, group: str) -> _Properties:
    (found,) = accounts.client("ec2", place).describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return {
        "vpc": found["VpcId"],
        "in": sorted(_flow(each, ranged) for each in found["IpPermissions"] for ranged in each["IpRanges"]),
        "out": sorted(_flow(each, ranged) for each in found["IpPermissionsEgress"] for ranged in each["IpRanges"]),
    }


def _flow(said: Json, ranged: Json | None = None) -> str:
    cidr = (ranged or said)["CidrIp"]
    return f"{said['IpProtocol']} {said.get('FromPort')}-{said.get('ToPort')} {cidr}"


def _organization_policy(accounts: Accounts, place: Place, policy: str) -> _Properties:
    client = accounts.client("organizations", place)
    found = client.describe_policy(PolicyId=policy)["Policy"]
    targets = client.list_targets_for_policy(PolicyId=policy)["Targets"]
    return {
        "type": found["PolicySummary"]["Type"],
        "targets": sorted(each["TargetId"] for each in targets),
        "policy": normal(found["Content"]),
    }


FOUND: Mapping[str, Callable[[Accounts, Place, str], _Properties]] = {
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
    "AWS::Events::Rule": _rule,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::RouteTable": _route_table,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::Organizations::Policy": _organization_policy,
}
"""How to read a resource of an account, by its type."""
