"""Whom alarms tell."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from tableguard.backup.alarms import tell
from tests.unit.tables.support import stack


def _alarms(scope: cdk.Stack) -> tuple[cloudwatch.Alarm, ...]:
    metric = cloudwatch.Metric(namespace="n", metric_name="m")
    return tuple(metric.create_alarm(scope, name, threshold=1, evaluation_periods=1) for name in ("A", "B"))


def _actions(scope: cdk.Stack) -> list[object]:
    found = Template.from_stack(scope).find_resources("AWS::CloudWatch::Alarm").values()
    return [each["Properties"].get("AlarmActions") for each in found]


def test_every_alarm_tells_the_topic() -> None:
    scope = stack()
    topic = sns.Topic(scope, "Topic")
    tell(topic, *_alarms(scope))
    assert _actions(scope) == [[scope.resolve(topic.topic_arn)]] * 2


def test_without_a_topic_they_only_show() -> None:
    scope = stack()
    tell(None, *_alarms(scope))
    assert _actions(scope) == [None, None]
