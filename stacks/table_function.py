"""What the functions of all consumers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2, aws_iam as iam, aws_lambda as lambda_, aws_logs as logs
from constructs import Construct

import tableguard as tg
from stacks.findings import acknowledge_wildcard, skip_checks

_HANDLERS = Path(__file__).parent / "handlers"

_IN_A_VPC = "CKV_AWS_117"
# Checks of checkov that do not fit here, by resource.
_FUNCTION_SKIPPED = {
    "CKV_AWS_115": "Reserved concurrency takes from what the account has left, which may be no more than 10.",
    "CKV_AWS_116": "It is invoked synchronously: whoever invokes it sees the error, and a queue would stay empty.",
    _IN_A_VPC: "It reaches DynamoDB alone, and needs nothing inside a VPC.",
    "CKV_AWS_173": "Its environment holds names, no secrets.",
}
_LOG_SKIPPED = {
    "CKV_AWS_158": "It holds no data of the table. CloudWatch Logs encrypts it with a key of its own.",
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where a function runs that is to be inside.

    Args:
        vpc: The VPC, in its isolated subnets.
        group: The function's security group.
    """

    vpc: ec2.IVpc
    group: ec2.ISecurityGroup


class TableFunction(Construct):
    """A Lambda function that may do what one grant says, write its own log, and nothing else.

    It is told the table's full ARN: the account and the region of the table are in there, so it may run in any other.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        grant: tg.TableGrant,
        table: tg.TableReference,
        environment: Mapping[str, str] | None = None,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        consumer = tg.ConsumerRole(
            self, "Consumer", grant=grant, table=table, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        acknowledge_wildcard(
            consumer,
            table.key_resource,
            reason="The key has no ARN before it is deployed. kms:ViaService and the encryption context narrow this to "
            "what DynamoDB does for this one table, and the key's own policy names who may.",
        )
        log = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        log.grant_write(consumer)
        if network is not None:
            _let_lambda_into_the_vpc(consumer)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"{handler} of {table.name} in account {table.account}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(_HANDLERS / handler), exclude=["__pycache__"]),
            handler="index.handler",
            environment={"TABLE_ARN": table.arn, **(environment or {})},
            role=consumer.role,
            log_group=log,
            memory_size=256,
            timeout=cdk.Duration.seconds(30),
            vpc=network.vpc if network else None,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED) if network else None,
            security_groups=[network.group] if network else None,
        )
        skip_checks(log, _LOG_SKIPPED)
        skipped = {check: why for check, why in _FUNCTION_SKIPPED.items() if network is None or check != _IN_A_VPC}
        skip_checks(self.function, skipped)


def _let_lambda_into_the_vpc(consumer: tg.ConsumerRole) -> None:
    """What Lambda does as the role to put the function into the VPC. The function's own code may not.

    Source: Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC", permissions,
    and on lambda:SourceFunctionArn, which is there only when the function's code calls.
    """
    consumer.role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            ],
            resources=["*"],
            conditions={"Null": {"lambda:SourceFunctionArn": "true"}},
        )
    )
    acknowledge_wildcard(
        consumer,
        "*",
        reason="Lambda makes the function's network interfaces: they have no ARN before, and some of these actions "
        "are on no resource. The function's own code may not.",
    )
