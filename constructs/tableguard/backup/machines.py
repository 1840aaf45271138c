"""State machines and their alarms, as the plans of this folder make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from tableguard.backup.service_trust import own_service
from tableguard.policy import InvalidInputError
from tableguard.policy.documents import Json
from tableguard.tables.policies import METADATA_KEY

_HOUR: Final = 3600
_WEEK: Final = 7 * 24
_AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_LESS: Final = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


def machine(
    scope: Construct, construct_id: str, definition: Mapping[str, Any], policy: Json, *, role_name: str | None = None
) -> sfn.StateMachine:
    """A standard state machine with a role that may do exactly what a policy says, and write its log and traces.

    Args:
        scope: The parent construct.
        construct_id: The construct's id, unique below its parent.
        definition: Its definition.
        policy: The policy of its role.
        role_name: The name of its role, where somebody has to name it; made by CloudFormation when left out.
    """
    log = logs.LogGroup(
        scope, f"{construct_id}Log", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.RETAIN
    )
    role = iam.Role(
        scope,
        f"{construct_id}Role",
        role_name=role_name,
        assumed_by=own_service(scope, "states.amazonaws.com"),
        inline_policies={"Work": iam.PolicyDocument.from_json(policy)},
    )
    return sfn.StateMachine(
        scope,
        construct_id,
        role=role,
        definition_body=sfn.DefinitionBody.from_string(cdk.Stack.of(scope).to_json_string(definition)),
        # What a failed execution was given, and why it failed, stands in its history and here.
        logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ERROR, include_execution_data=True),
        tracing_enabled=True,
    )


def describe(made: sfn.StateMachine, metadata: Mapping[str, object]) -> None:
    """Put what reviews read onto a machine.

    Args:
        made: The machine.
        metadata: What it is, under its kind.
    """
    resource = made.node.default_child
    if not isinstance(resource, sfn.CfnStateMachine):
        raise InvalidInputError("a state machine", value=made.node.path, allowed="one that this library made")
    resource.add_metadata(METADATA_KEY, dict(metadata))


def watch_failure(
    scope: Construct, construct_id: str, watched: sfn.IStateMachine, what: str, topic: sns.ITopic | None
) -> cloudwatch.Alarm:
    """An alarm for each execution that failed, took too long, or was aborted.

    Args:
        scope: The parent construct.
        construct_id: The alarm's id.
        watched: The machine.
        what: What has not come about then, in a reader's words.
        topic: Who is told; nobody when None.
    """
    hour = cdk.Duration.hours(1)
    failed = cloudwatch.MathExpression(
        expression="failed + late + aborted",
        label="Executions that did not succeed",
        period=hour,
        using_metrics={
            "failed": watched.metric_failed(period=hour),
            "late": watched.metric_timed_out(period=hour),
            "aborted": watched.metric_aborted(period=hour),
        },
    )
    return alarm(scope, construct_id, failed, f"{what}: read the history of the execution.", topic)


def alarm(
    scope: Construct, construct_id: str, metric: cloudwatch.IMetric, description: str, topic: sns.ITopic | None
) -> cloudwatch.Alarm:
    """An alarm for each time that something happens.

    Args:
        scope: The parent construct.
        construct_id: The alarm's id.
        metric: How often it happened, by the hour.
        description: What that means, and where to read on.
        topic: Who is told; nobody when None.
    """
    made = cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        alarm_description=description,
        threshold=1,
        evaluation_periods=1,
        comparison_operator=_AT_LEAST,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    return _told(made, topic)


def absence(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.IMetric,
    description: str,
    *,
    after_hours: int,
    topic: sns.ITopic | None,
) -> cloudwatch.Alarm:
    """An alarm that rings when something has not happened for hours: missing data is the alarm.

    Args:
        scope: The parent construct.
        construct_id: The alarm's id.
        metric: How often it happened, by the hour.
        description: What that means, and where to read on.
        after_hours: For how many hours: 1 to 168, see `hours_of`.
        topic: Who is told; nobody when None.
    """
    made = cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        alarm_description=description,
        threshold=1,
        evaluation_periods=after_hours,
        datapoints_to_alarm=after_hours,
        comparison_operator=_LESS,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    return _told(made, topic)


def hours_of(what: str, duration: cdk.Duration) -> int:
    """A time after which an absence is an alarm, in hours.

    Args:
        what: What the time is for, for messages.
        duration: The time.

    Raises:
        InvalidInputError: It is no whole number of hours from 1 to 168: an alarm looks back seven days at most. Source:
            CloudWatch user guide, "Alarm evaluation".
    """
    seconds = duration.to_seconds() if isinstance(duration, cdk.Duration) else 0
    if seconds % _HOUR or not 1 <= seconds // _HOUR <= _WEEK:
        raise InvalidInputError(what, value=duration, allowed="a cdk.Duration of whole hours, 1 to 168 (7 days)")
    return int(seconds // _HOUR)


def _told(made: cloudwatch.Alarm, topic: sns.ITopic | None) -> cloudwatch.Alarm:
    if topic is not None:
        made.add_alarm_action(actions.SnsAction(topic))
    return made
