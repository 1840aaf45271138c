"""A state machine of a backup, with a role that may do what it is given and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from tableguard.backup.protected_bucket import partition_in
from tableguard.backup.service_trust import own_service
from tableguard.policy import InvalidInputError

# Neither has a resource that could be named. Sources: Step Functions developer guide, "Using CloudWatch Logs to log
# execution history" and "Trace Step Functions request data in AWS X-Ray".
_WITHOUT_RESOURCE: Final = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


class BackupMachine(Construct):
    """A standard workflow with a literal name, a role, a log of its errors and data, and traces."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: Mapping[str, Any],
        statements: Sequence[iam.PolicyStatement],
        distributed: bool = False,
        role_name: str | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
    ) -> None:
        """Make a machine.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            name: Its name, 1 to 80 letters, digits, '-', '_' and '.'.
            definition: What it does, in the Amazon States Language.
            statements: What its states may do.
            distributed: Whether it starts children of its own, as a distributed map does.
            role_name: The name of its role; CloudFormation's choice when left out.
            log_retention: How long its log is kept.

        Raises:
            InvalidInputError: A malformed name.
        """
        super().__init__(scope, construct_id)
        if not re.fullmatch(r"[\w.-]{1,80}", name, re.ASCII):
            raise InvalidInputError(
                f"the name of the machine {self.node.path}",
                value=name,
                allowed="1 to 80 of a-z, A-Z, 0-9, '-', '_', '.'",
            )
        stack = cdk.Stack.of(self)
        partition = partition_in(stack)
        self._arn = f"arn:{partition}:states:{stack.region}:{stack.account}:stateMachine:{name}"
        log = logs.LogGroup(self, "Log", retention=log_retention, removal_policy=cdk.RemovalPolicy.DESTROY)
        self._role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            assumed_by=own_service(self, "states.amazonaws.com"),
        )
        for statement in statements:
            self._role.add_to_policy(statement)
        self._role.add_to_policy(iam.PolicyStatement(actions=list(_WITHOUT_RESOURCE), resources=["*"]))
        if distributed:
            self._role.add_to_policy(
                iam.PolicyStatement(actions=["states:StartExecution", "states:RedriveExecution"], resources=[self._arn])
            )
            executions = self._arn.replace(":stateMachine:", ":execution:")
            self._role.add_to_policy(
                iam.PolicyStatement(
                    actions=["states:DescribeExecution", "states:StopExecution"],
                    resources=[f"{executions}/*", f"{executions}:*"],
                )
            )
        self._machine = sfn.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type="STANDARD",
            role_arn=self._role.role_arn,
            # As text: a null of the definition would be lost on the way through the CDK.
            definition_string=json.dumps(definition, ensure_ascii=False),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log.log_group_arn
                        )
                    )
                ],
            ),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )
        # Without its policy the role cannot deliver the log, and the machine cannot be made.
        self._machine.node.add_dependency(self._role)

    @property
    def machine(self) -> sfn.CfnStateMachine:
        """The state machine's resource."""
        return self._machine

    @property
    def role(self) -> iam.Role:
        """The role that it runs as."""
        return self._role

    @property
    def arn(self) -> str:
        """Its ARN, made of its name: it creates no reference."""
        return self._arn
