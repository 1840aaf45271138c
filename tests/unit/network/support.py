"""What the tests of private tables share: who calls, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

import tableguard as tg
from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tests.unit.tables.support import NOON, ORDERS, OWNER, PARTNER, REGION, REPLICA, role

Context = Mapping[str, ContextValue]

ORGANIZATION: Final = "o-a1b2c3d4e5"
STRANGER: Final = "999988887777"
VPC: Final = "vpc-0abc1234"
REPLICA_VPC: Final = "vpc-0def5678"
ENDPOINT: Final = "vpce-1a2b3c4d"
HERE: Final = tg.FromVpc(VPC, region=REGION)
THERE: Final = tg.FromVpc(REPLICA_VPC, region=REPLICA)

INSIDE: Final[Context] = {"aws:SourceVpc": VPC, "aws:SourceVpce": "vpce-99999999", "aws:RequestedRegion": REGION}
OUTSIDE: Final[Mapping[str, Context]] = {
    "no endpoint": {"aws:RequestedRegion": REGION},
    "the internet": {"aws:SourceIp": "203.0.113.9", "aws:RequestedRegion": REGION},
    "another VPC": {"aws:SourceVpc": "vpc-99999999", "aws:SourceVpce": "vpce-99999999", "aws:RequestedRegion": REGION},
    "the replica's VPC": {"aws:SourceVpc": REPLICA_VPC, "aws:RequestedRegion": REGION},
    "a forwarding service": {
        "aws:ViaAWSService": "true",
        "aws:CalledViaLast": "athena.amazonaws.com",
        "aws:RequestedRegion": REGION,
    },
}

APP: Final = role("app", OWNER)
ADMIN: Final = role("admin", OWNER)
USER: Final = f"arn:aws:iam::{OWNER}:user/dev"
ROOT: Final = f"arn:aws:iam::{OWNER}:root"
EXECUTION: Final = role(f"cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}", OWNER)
REPLICATION: Final = role(
    "aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication", OWNER
)
CONSUMER: Final = role("reader", PARTNER)
POLLER: Final = tg.Role(account=OWNER, name="stream-worker")

MOVING: Final = (
    "ExportTableToPointInTime",
    "RestoreTableToPointInTime",
    "CreateBackup",
    "StartAwsBackupJob",
    "CreateTableReplica",
    "EnableKinesisStreamingDestination",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
)
READING: Final = ("GetItem", "Query", "PartiQLSelect", "SearchVectors")


EVERYTHING: Final[Mapping[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def allows(
    policy: Mapping[str, Any] | None,
    action: str,
    *,
    principal: str,
    resource: str = ORDERS,
    identity: Sequence[Mapping[str, object]] = (EVERYTHING,),
    context: Mapping[str, ContextValue] | None = None,
) -> bool:
    """Whether a request goes through, given the resource's policy and the caller's own policies."""
    request = Request(
        principal=principal,
        action=f"dynamodb:{action}",
        resource=resource,
        resource_account=OWNER,
        context=context or {},
        time=NOON,
    )
    decision = evaluate(request, Policies(resource=policy, identity=identity))
    assert decision.understood, decision
    return decision.allowed


def vpc_of(scope: Construct, construct_id: str = "Vpc", *, region: str | None = None) -> ec2.IVpc:
    """A VPC of another template, known by its id."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        construct_id,
        vpc_id=VPC,
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123abcd"],
        private_subnet_route_table_ids=["rtb-0123abcd"],
        vpc_cidr_block="10.0.0.0/16",
        region=region,
    )


def exempt(
    principal: tg.Role | tg.Forwarding | tg.LambdaPoller | tg.RoleOfEveryAccount, actions: tg.RestrictedActions
) -> tg.Exemption:
    return tg.Exemption(principal=principal, actions=actions, reason="a test")


def plain() -> cdk.Stack:
    """A stack whose synthesizer was passed, so that it tells no execution role."""
    app = cdk.App(analytics_reporting=False)
    synthesizer = cdk.DefaultStackSynthesizer(qualifier="acme")
    return cdk.Stack(app, "Data", env=cdk.Environment(account=OWNER, region=REGION), synthesizer=synthesizer)
