"""The state machines of backups: whatever one does, it is made, logged and traced in this way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam, aws_logs as logs, aws_stepfunctions as sfn
from constructs import Construct, IValidation

from tableguard.backup.protected_bucket import partition_in
from tableguard.backup.service_trust import own_service
from tableguard.backup.states.tasks import Tasks
from tableguard.policy import InvalidInputError, TableguardError
from tableguard.policy.documents import AllowStatement, Json, document
from tableguard.policy.metadata import METADATA_KEY, backup_metadata

_NAME: Final = r"[\w.-]{1,80}"


class BackupMachine(Construct):
    """A standard workflow with a role that may do what it is given and no more, a log and traces.

    Its log has every step and no data: which states an execution went through, how long each took, what was tried again
    and where it ended. Inputs and outputs stay out, since some hold keys of items (where a reader of a table goes on),
    policies, or names of files. What a failed execution was given, and its error, stands in its history for 90 days,
    for whoever may read that; the log is kept for a year, and outlives the stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definition: Mapping[str, Any] | Callable[[], Json],
        policy: Json,
        name: str | None = None,
        role_name: str | None = None,
        describes: str | None = None,
        distributed: bool = False,
    ) -> None:
        """Make a machine.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            definition: What it does, in the Amazon States Language, or a function that makes that when the template is
                written; the validation of `scope` then says what is wrong with it.
            policy: The policy of its role.
            name: Its name, 1 to 80 letters, digits, '-', '_' and '.'; CloudFormation's choice when left out.
            role_name: The name of its role, where somebody has to name it; CloudFormation's choice when left out.
            describes: What its role says that it is for; nothing when left out.
            distributed: Whether it starts children of its own, as a distributed map does.

        Raises:
            InvalidInputError: A malformed name.
        """
        super().__init__(scope, construct_id)
        if name is not None and not re.fullmatch(_NAME, name, re.ASCII):
            raise InvalidInputError(
                f"the name of the machine {self.node.path}",
                value=name,
                allowed="1 to 80 of a-z, A-Z, 0-9, '-', '_', '.'",
            )
        self._role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            description=describes,
            assumed_by=own_service(self, "states.amazonaws.com", conditions={"ArnLike": self._any_machine()}),
        )
        # A resource of its own: what it names (a key, a bucket) may name the role.
        work = iam.Policy(self, "Policy", document=iam.PolicyDocument.from_json(policy), roles=[self._role])
        self._machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            role=self._role,
            definition_body=_lazy_definition(scope, definition)
            if callable(definition)
            # As text: the CDK leaves out what is null, and null says something to a state.
            else sfn.DefinitionBody.from_string(json.dumps(definition, ensure_ascii=False)),
            logs=sfn.LogOptions(destination=self._log(), level=sfn.LogLevel.ALL, include_execution_data=False),
            tracing_enabled=True,
        )
        self._machine.node.add_dependency(work)
        if distributed:
            # A policy of its own: the machine waits for that of its role, and this one names the machine.
            iam.Policy(
                self, "Maps", document=iam.PolicyDocument.from_json(_running_maps(self._machine)), roles=[self._role]
            )

    @property
    def machine(self) -> sfn.StateMachine:
        """The state machine."""
        return self._machine

    @property
    def role(self) -> iam.Role:
        """The role that it runs as."""
        return self._role

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self._machine.state_machine_arn

    def describe(self, what: object) -> None:
        """Say in the template what it is.

        Args:
            what: What it is, for reviews: a claim of `tableguard.policy.metadata.backups`.
        """
        resource = self._machine.node.default_child
        assert isinstance(resource, sfn.CfnStateMachine)  # noqa: S101
        resource.add_metadata(METADATA_KEY, backup_metadata(what))

    def _log(self) -> logs.LogGroup:
        return logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.RETAIN
        )

    def _any_machine(self) -> Mapping[str, str]:
        # Which one is not known before its role is. Source: Step Functions developer guide, "Creating an IAM role for
        # your state machine", confused deputy prevention.
        colons = cdk.ArnFormat.COLON_RESOURCE_NAME
        stack = cdk.Stack.of(self)
        arn = stack.format_arn(service="states", resource="stateMachine", resource_name="*", arn_format=colons)
        return {"aws:SourceArn": arn}


def tasks_in(scope: Construct) -> Tasks:
    """Builds the tasks of the machines of a stack.

    Args:
        scope: A construct of the stack.
    """
    return Tasks(partition_in(cdk.Stack.of(scope)))


def executions_of(machine: sfn.StateMachine, which: str) -> str:
    """The ARN of executions of a machine.

    Args:
        machine: The machine.
        which: What follows its name, such as ":*".
    """
    stack = cdk.Stack.of(machine)
    name = f"{machine.state_machine_name}{which}"
    colons = cdk.ArnFormat.COLON_RESOURCE_NAME
    return stack.format_arn(service="states", resource="execution", resource_name=name, arn_format=colons)


def _running_maps(machine: sfn.StateMachine) -> Json:
    """What a machine needs to run the children of its maps.

    Source: Step Functions developer guide, "IAM policies for using Distributed Map states".
    """
    children = executions_of(machine, "/*")
    return document(
        [
            AllowStatement(actions=("states:StartExecution",), resources=(machine.state_machine_arn,)),
            AllowStatement(
                actions=("states:DescribeExecution", "states:StopExecution"),
                resources=(executions_of(machine, ":*"), children),
            ),
            AllowStatement(actions=("states:RedriveExecution",), resources=(children,)),
        ]
    )


@jsii.implements(cdk.IStringProducer)
class _Definition:
    """Rendered when the template is written: by then everything has been granted on the table that it is like."""

    def __init__(self, definition: Callable[[], Json]) -> None:
        self._definition = definition

    def produce(self, context: cdk.IResolveContext) -> str:
        # Not by the CDK, which leaves out what is null, and null says something to a state.
        return json.dumps(self._definition())


@jsii.implements(IValidation)
class _Validate:
    """Says what is wrong with a definition in words: an error in a lazy value would come out with a trace around it."""

    def __init__(self, definition: Callable[[], Json]) -> None:
        self._definition = definition

    def validate(self) -> list[str]:
        try:
            self._definition()
        except TableguardError as error:
            return [str(error)]
        return []


def _lazy_definition(scope: Construct, definition: Callable[[], Json]) -> sfn.DefinitionBody:
    """A body that says what is so when the template is written.

    Args:
        scope: The construct whose validation says what is wrong with it.
        definition: Makes the definition.
    """
    scope.node.add_validation(_Validate(definition))
    return sfn.DefinitionBody.from_string(cdk.Lazy.uncached_string(_Definition(definition)))
