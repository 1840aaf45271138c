"""Whom alarms tell, and whether the topic lets them."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_events as events, aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from tableguard.backup.alarms import tell, told_of
from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.backup.aws_backup import plan_support
from tests.unit.tables.support import OWNER, PARTNER, REGION, Json, stack

CLOUDWATCH: Final = "cloudwatch.amazonaws.com"
EVENTS: Final = "events.amazonaws.com"
ON_CALL: Final = f"arn:aws:sns:{REGION}:{OWNER}:on-call"


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


def may_publish(found: Json, service: str, account: str) -> bool:
    """Whether the policy of the template's topic lets a service publish for an account's alarm or rule."""
    (policy,) = plan_support.of_kind(found, "AWS::SNS::TopicPolicy")
    (topic,) = policy["Topics"]
    stated = json.loads(json.dumps(policy["PolicyDocument"]).replace(topic, ON_CALL))
    source = {"aws:SourceAccount": account}
    request = Request(principal=service, action="sns:Publish", resource=ON_CALL, context=source)
    return evaluate(request, Policies(resource=stated)).allowed


def test_a_topic_that_a_rule_tells_as_well_hears_cloudwatch_still() -> None:
    scope = stack()
    topic = sns.Topic(scope, "Topic")
    told_of(topic, events.Rule(scope, "Rule", event_pattern=events.EventPattern(source=["aws.backup"])))
    tell(topic, *_alarms(scope))
    found = plan_support.template(scope)
    assert may_publish(found, CLOUDWATCH, OWNER)
    assert not may_publish(found, CLOUDWATCH, PARTNER)
    assert may_publish(found, EVENTS, OWNER)
    assert len(plan_support.only(found, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]) == 2


def test_each_account_whose_alarms_tell_a_topic_may_publish_to_it() -> None:
    app = cdk.App()
    own, other = (
        cdk.Stack(app, name, env=cdk.Environment(account=a, region=REGION))
        for name, a in (("Own", OWNER), ("Other", PARTNER))
    )
    topic = sns.Topic(own, "Topic", topic_name="on-call")
    for scope in (own, other):
        tell(topic, *_alarms(scope))
    found = plan_support.template(own)
    assert may_publish(found, CLOUDWATCH, OWNER)
    assert may_publish(found, CLOUDWATCH, PARTNER)
    assert not may_publish(found, CLOUDWATCH, "999999999999")


def test_the_topic_of_a_plan_and_its_test_restores_hears_alarms_and_rules() -> None:
    scope = stack()
    plan_support.everything(scope)
    found = plan_support.template(scope)
    assert may_publish(found, CLOUDWATCH, OWNER)
    assert may_publish(found, EVENTS, OWNER)


def test_an_imported_topic_is_warned_of_for_each_service_once() -> None:
    scope = stack()
    topic = sns.Topic.from_topic_arn(scope, "Topic", ON_CALL)
    tell(topic, *_alarms(scope))
    told_of(topic, events.Rule(scope, "Rule", event_pattern=events.EventPattern(source=["aws.backup"])))
    found = [str(each.entry.data) for each in Annotations.from_stack(scope).find_warning("*", Match.any_value())]
    assert sorted(service for service in (CLOUDWATCH, EVENTS) for each in found if service in each) == [
        CLOUDWATCH,
        EVENTS,
    ]


def test_a_topic_of_the_app_is_not_warned_of() -> None:
    scope = stack()
    topic = sns.Topic(scope, "Topic")
    tell(topic, *_alarms(scope))
    told_of(topic, events.Rule(scope, "Rule", event_pattern=events.EventPattern(source=["aws.backup"])))
    Annotations.from_stack(scope).has_no_warning("*", Match.any_value())
