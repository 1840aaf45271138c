"""What the functions of all consumers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

import tableguard as tg
from stacks.findings import acknowledge_wildcard, skip_checks

_HANDLERS = Path(__file__).parent / "handlers"

# Checks of checkov that do not fit here, by resource.
_FUNCTION_SKIPPED = {
    "CKV_AWS_115": "Reserved concurrency takes from what the account has left, which may be no more than 10.",
    "CKV_AWS_116": "It is invoked synchronously: whoever invokes it sees the error, and a queue would stay empty.",
    "CKV_AWS_117": "It reaches DynamoDB alone, and needs nothing inside a VPC.",
    "CKV_AWS_173": "Its environment holds names, no secrets.",
}
_LOG_SKIPPED = {
    "CKV_AWS_158": "It holds no data of the table. CloudWatch Logs encrypts it with a key of its own.",
}


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
        )
        skip_checks(log, _LOG_SKIPPED)
        skip_checks(self.function, _FUNCTION_SKIPPED)
