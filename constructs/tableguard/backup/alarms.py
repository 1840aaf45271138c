"""Alarms of backups: whom they tell, and the shapes that recur."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import (
    aws_cloudwatch as cloudwatch,
    aws_cloudwatch_actions as actions,
    aws_events as events,
    aws_events_targets as targets,
    aws_iam as iam,
    aws_sns as sns,
    aws_stepfunctions as sfn,
)
from constructs import Construct

from tableguard.policy import InvalidInputError

_HOUR: Final = 3600
_WEEK: Final = 7 * 24
_AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_LESS: Final = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


def tell(topic: sns.ITopic | None, *alarms: cloudwatch.Alarm) -> None:
    """Let alarms tell a topic, and CloudWatch publish to it for their account.

    A topic without a policy takes what its account's alarms publish. With the first statement that anything adds, such
    as `told_of` for EventBridge, the topic has a policy of its own, which replaces that default: then CloudWatch needs
    a statement as well. Source: SNS API reference, SetTopicAttributes, on Policy.

    Args:
        topic: Who is told; nobody when None: then the alarms only show.
        alarms: The alarms.
    """
    if topic is None:
        return
    for each in alarms:
        each.add_alarm_action(actions.SnsAction(topic))
        admitted = topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(each).account}},
            )
        )
        _warn(topic, "cloudwatch.amazonaws.com", admitted=admitted.statement_added)


def told_of(topic: sns.ITopic, rule: events.Rule) -> None:
    """Let a rule tell a topic, and EventBridge publish to it.

    Without a condition: where EventBridge sends neither aws:SourceAccount nor aws:SourceArn, one on them would keep the
    topic silent.

    Args:
        topic: Who is told.
        rule: The rule.
    """
    rule.add_target(targets.SnsTopic(topic))
    _warn(topic, "events.amazonaws.com", admitted=isinstance(topic, sns.Topic))


def _warn(topic: sns.ITopic, service: str, *, admitted: bool) -> None:
    if not admitted:
        cdk.Annotations.of(topic).add_warning_v2(
            f"tableguard:alarms-topic-{service.partition('.')[0]}",
            f"This topic is not made in this app, so nothing here lets {service} publish to it. If it has a policy of "
            "its own, that has to allow it sns:Publish, or alarms ring unheard.",
        )


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
        metric: How often it happened.
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
    tell(topic, made)
    return made


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
        metric: How often it happened.
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
    tell(topic, made)
    return made


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
