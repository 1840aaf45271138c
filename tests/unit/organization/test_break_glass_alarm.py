"""The alarm of a break-glass role: which events ring it, and whether what it says can arrive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tests.unit.organization.event_patterns import matches
from tests.unit.organization.support import NAME, PEOPLE, ROLE_ARN, STRANGER
from tests.unit.tables.support import OWNER, Json, app, resolved, stack

ROLE: Final = tg.Role(account=OWNER, name=NAME)
ISSUER: Final = {"type": "Role", "arn": ROLE_ARN, "accountId": OWNER, "userName": NAME}
SESSION: Final[Json] = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:ann",
    "arn": f"arn:aws:sts::{OWNER}:assumed-role/{NAME}/ann",
    "accountId": OWNER,
    "sessionContext": {"sessionIssuer": ISSUER, "attributes": {"mfaAuthenticated": "true"}},
}
USER: Final = {"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": PEOPLE}
ADMIN: Final = {**SESSION, "arn": f"arn:aws:sts::{OWNER}:assumed-role/admin/eve"} | {
    "sessionContext": {"sessionIssuer": {**ISSUER, "arn": f"arn:aws:iam::{OWNER}:role/admin"}}
}
NAMESAKE: Final = {**SESSION, "arn": SESSION["arn"].replace(OWNER, STRANGER), "sessionContext": {}}
LONGER_NAME: Final = {**SESSION, "arn": f"arn:aws:sts::{OWNER}:assumed-role/{NAME}-test/ann", "sessionContext": {}}


def event(source: str, name: str, who: Mapping[str, Any], parameters: object = None, **more: Any) -> Json:
    """An event as CloudTrail hands it to EventBridge."""
    kind = "Console Sign In" if source == "signin" else "API Call"
    return {
        "version": "0",
        "source": f"aws.{source}",
        "detail-type": f"AWS {kind} via CloudTrail",
        "account": OWNER,
        "region": "eu-west-1",
        "detail": {
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "userIdentity": who,
            "requestParameters": parameters,
            "readOnly": False,
            **more,
        },
    }


ASSUME: Final = {"roleArn": ROLE_ARN, "roleSessionName": "ann", "durationSeconds": 3600}
WITHOUT_CONTEXT: Final = {key: value for key, value in SESSION.items() if key != "sessionContext"}
EVENTS: Final = [
    ("assumed by a user", event("sts", "AssumeRole", USER, ASSUME, readOnly=True), {"Assumed"}),
    ("refused to somebody", event("sts", "AssumeRole", USER, ASSUME, errorCode="AccessDenied"), {"Assumed"}),
    ("another role assumed", event("sts", "AssumeRole", USER, {"roleArn": f"{ROLE_ARN}-test"}), set()),
    ("a namesake assumed", event("sts", "AssumeRole", USER, {"roleArn": ROLE_ARN.replace(OWNER, STRANGER)}), set()),
    ("switched to in the console", event("signin", "SwitchRole", WITHOUT_CONTEXT), {"Assumed"}),
    ("signed in with its session", event("signin", "ConsoleLogin", SESSION), {"Assumed"}),
    ("another role switched to", event("signin", "SwitchRole", LONGER_NAME), set()),
    ("a table changed by it", event("dynamodb", "UpdateTable", SESSION, {"tableName": "orders"}), {"Used"}),
    ("an item read by it", event("dynamodb", "GetItem", SESSION, {"tableName": "orders"}), {"Used"}),
    ("something refused to it", event("iam", "PassRole", SESSION, {}, errorCode="AccessDenied"), {"Used"}),
    ("done, the issuer alone known", event("dynamodb", "UpdateTable", {"sessionContext": {"sessionIssuer": ISSUER}}),
     {"Used"}),
    ("a table changed by an admin", event("dynamodb", "UpdateTable", ADMIN, {"tableName": "orders"}), set()),
    ("a table changed by a namesake", event("dynamodb", "UpdateTable", NAMESAKE, {"tableName": "orders"}), set()),
    ("done by a role of a longer name", event("dynamodb", "UpdateTable", LONGER_NAME), set()),
    ("opened by an admin", event("iam", "UpdateAssumeRolePolicy", ADMIN, {"roleName": NAME}), {"Changed"}),
    ("widened by an admin", event("iam", "AttachRolePolicy", ADMIN, {"roleName": NAME}), {"Changed"}),
    ("another role changed", event("iam", "UpdateAssumeRolePolicy", ADMIN, {"roleName": "admin"}), set()),
    ("changed by itself", event("iam", "PutRolePolicy", SESSION, {"roleName": NAME}), {"Used", "Changed"}),
    ("a name without a change", event("sts", "GetCallerIdentity", ADMIN), set()),
]  # fmt: skip


@pytest.fixture(scope="module")
def template() -> Json:
    scope = stack(app())
    tg.BreakGlassAlarm(scope, "Alarm", roles=[ROLE])
    return dict(resolved(Template.from_stack(scope).to_json()))


def only(template: Mapping[str, Any], kind: str) -> Json:
    (found,) = [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]
    return dict(found)


def rules(template: Mapping[str, Any]) -> dict[str, Json]:
    """The rules by the word that their ids hold."""
    return {
        word: each["Properties"]
        for word in ("Assumed", "Used", "Changed")
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Events::Rule" and word in name
    }


@pytest.mark.parametrize(("seen", "rung"), [each[1:] for each in EVENTS], ids=[each[0] for each in EVENTS])
def test_rings_for_what_concerns_the_role(template: Json, seen: Json, rung: set[str]) -> None:
    assert {word for word, rule in rules(template).items() if matches(rule["EventPattern"], seen)} == rung


def test_hears_of_being_assumed_though_that_only_reads(template: Json) -> None:
    states = {word: rule["State"] for word, rule in rules(template).items()}
    assert states == {
        "Assumed": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        "Used": "ENABLED",
        "Changed": "ENABLED",
    }


def test_hears_of_every_look_where_it_is_told_to() -> None:
    scope = stack(app())
    tg.BreakGlassAlarm(scope, "Alarm", roles=[ROLE], reads_too=True)
    assert rules(Template.from_stack(scope).to_json())["Used"]["State"].startswith("ENABLED_WITH_ALL")


def test_every_rule_has_the_topic_and_the_queue(template: Json) -> None:
    for rule in rules(template).values():
        (target,) = rule["Targets"]
        assert target["Arn"].startswith("<AlarmTopic")
        assert target["DeadLetterConfig"]["Arn"].startswith("<AlarmUndelivered")


def test_the_message_names_who_what_and_where(template: Json) -> None:
    for rule in rules(template).values():
        transformer = rule["Targets"][0]["InputTransformer"]
        for name in transformer["InputPathsMap"]:
            assert f"<{name}>" in transformer["InputTemplate"]
        for line in transformer["InputTemplate"].split("\n"):
            assert line[0] == line[-1] == '"'


KEY: Final = f"arn:aws:kms:us-east-1:{OWNER}:key/1234"
TOPIC: Final = f"arn:aws:sns:us-east-1:{OWNER}:alarm"
FOR_TOPIC: Final = {"kms:EncryptionContext:aws:sns:topicArn": TOPIC}
FOREIGN_TOPIC: Final = {"kms:EncryptionContext:aws:sns:topicArn": TOPIC.replace(OWNER, STRANGER)}


@pytest.mark.parametrize(
    ("service", "context", "admitted"),
    [
        ("events.amazonaws.com", FOR_TOPIC, True),
        ("events.amazonaws.com", FOREIGN_TOPIC, False),
        ("events.amazonaws.com", {}, False),
        ("cloudwatch.amazonaws.com", {**FOR_TOPIC, "aws:SourceAccount": OWNER}, True),
        ("cloudwatch.amazonaws.com", {**FOR_TOPIC, "aws:SourceAccount": STRANGER}, False),
        ("cloudwatch.amazonaws.com", FOR_TOPIC, False),
        ("lambda.amazonaws.com", FOR_TOPIC, False),
    ],
)
@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_the_key_admits_who_publishes(
    template: Json, service: str, context: Mapping[str, ContextValue], action: str, admitted: bool
) -> None:
    policy = only(template, "AWS::KMS::Key")["KeyPolicy"]
    request = Request(principal=service, action=action, resource=KEY, context=context)
    assert evaluate(request, Policies(resource=policy)).allowed is admitted


@pytest.mark.parametrize(
    ("kind", "action", "service", "source", "admitted"),
    [
        ("AWS::SNS::TopicPolicy", "sns:Publish", "events.amazonaws.com", None, True),
        ("AWS::SNS::TopicPolicy", "sns:Publish", "lambda.amazonaws.com", None, False),
        ("AWS::SNS::TopicPolicy", "sns:Publish", "cloudwatch.amazonaws.com", "UndeliveredAlarm", True),
        ("AWS::SNS::TopicPolicy", "sns:Publish", "cloudwatch.amazonaws.com", None, False),
        ("AWS::SNS::TopicPolicy", "sns:Subscribe", "events.amazonaws.com", None, False),
        ("AWS::SQS::QueuePolicy", "sqs:SendMessage", "events.amazonaws.com", "Assumed", True),
        ("AWS::SQS::QueuePolicy", "sqs:SendMessage", "events.amazonaws.com", "Used", True),
        ("AWS::SQS::QueuePolicy", "sqs:SendMessage", "events.amazonaws.com", "Changed", True),
        ("AWS::SQS::QueuePolicy", "sqs:SendMessage", "events.amazonaws.com", None, False),
        ("AWS::SQS::QueuePolicy", "sqs:ReceiveMessage", "events.amazonaws.com", "Assumed", False),
    ],
)
def test_topic_and_queue_admit_who_has_to_reach_them(
    template: Json, kind: str, action: str, service: str, source: str | None, admitted: bool
) -> None:
    policy = made_known(only(template, kind)["PolicyDocument"])
    target = policy["Statement"][-1]["Resource"]
    context: dict[str, ContextValue] = {"aws:SecureTransport": "true"}
    if source:
        (name,) = [name for name in template["Resources"] if source in name]
        context["aws:SourceArn"] = made_known(f"<{name}.Arn>")
    request = Request(principal=service, action=action, resource=target, context=context)
    decision = evaluate(request, Policies(resource=policy))
    assert decision.understood
    assert decision.allowed is admitted


def made_known(value: Any) -> Any:
    """A part of a template with ARNs where only the deployment knows them, so that they can be decided with."""
    match value:
        case dict():
            return {key: made_known(inner) for key, inner in value.items()}
        case list():
            return [made_known(inner) for inner in value]
        case str():
            return re.sub(r"<(\w+?)(\.Arn)?>", rf"arn:aws:some:us-east-1:{OWNER}:\1", value)
    return value


def test_both_are_encrypted(template: Json) -> None:
    assert only(template, "AWS::SNS::Topic")["KmsMasterKeyId"].startswith("<AlarmKey")
    assert only(template, "AWS::SQS::Queue")["SqsManagedSseEnabled"] is True
    assert only(template, "AWS::KMS::Key")["EnableKeyRotation"] is True


def test_what_cannot_be_delivered_rings_too(template: Json) -> None:
    alarm = only(template, "AWS::CloudWatch::Alarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["Dimensions"][0]["Value"].startswith("<AlarmUndelivered")
    assert [each[:11] for each in alarm["AlarmActions"]] == ["<AlarmTopic"]


def test_people_are_told() -> None:
    scope = stack(app())
    mail = subscriptions.EmailSubscription("on-call@example.com")
    alarm = tg.BreakGlassAlarm(scope, "Alarm", roles=[ROLE], subscriptions=[mail])
    subscribed = only(Template.from_stack(scope).to_json(), "AWS::SNS::Subscription")
    assert subscribed["Endpoint"] == "on-call@example.com"
    assert scope.resolve(alarm.topic.topic_arn) == subscribed["TopicArn"]


def test_is_made_in_every_region() -> None:
    scope = app()
    stacks = [stack(scope, region, region=region) for region in ("us-east-1", "eu-west-1", "ap-southeast-2")]
    alarms = tg.BreakGlassAlarm.in_every(stacks, "Alarm", roles=[ROLE])
    assert [cdk.Stack.of(alarm).region for alarm in alarms] == ["us-east-1", "eu-west-1", "ap-southeast-2"]
    for each in stacks:
        assert len(rules(Template.from_stack(each).to_json())) == 3


@pytest.mark.parametrize(
    ("regions", "accounts"),
    [
        (("eu-west-1", "eu-central-1"), (OWNER, OWNER)),
        (("us-east-1", "us-east-1"), (OWNER, OWNER)),
        (("us-east-1", "eu-west-1"), (OWNER, STRANGER)),
        (("us-gov-east-1",), (OWNER,)),
        ((), ()),
    ],
    ids=["without us-east-1", "twice in one", "another account's us-east-1", "GovCloud's east", "none"],
)
def test_a_region_that_would_be_missed_is_an_error(regions: tuple[str, ...], accounts: tuple[str, ...]) -> None:
    scope = app()
    places = enumerate(zip(regions, accounts, strict=True))
    stacks = [stack(scope, f"S{number}", region=region, account=account) for number, (region, account) in places]
    with pytest.raises(tg.InvalidInputError, match="one stack for each enabled Region"):
        tg.BreakGlassAlarm.in_every(stacks, "Alarm", roles=[ROLE])


def test_in_a_stack_of_no_region_that_is_left_to_the_caller() -> None:
    (alarm,) = tg.BreakGlassAlarm.in_every([cdk.Stack(app(), "Anywhere")], "Alarm", roles=[ROLE])
    assert len(alarm.rules) == 3


@pytest.mark.parametrize("roles", [[], [ROLE_ARN], [ROLE, "break-glass"]], ids=["none", "an ARN", "a name"])
def test_needs_roles(roles: list[Any]) -> None:
    with pytest.raises(tg.InvalidInputError, match="at least one Role"):
        tg.BreakGlassAlarm(stack(app()), "Alarm", roles=roles)


@pytest.mark.parametrize("how", ["least", "everything"])
def test_template(how: str, template_snapshots: SnapshotAssertion) -> None:
    mail = subscriptions.EmailSubscription("on-call@example.com")
    scope = stack(app())
    more: dict[str, Any] = {"subscriptions": [mail], "reads_too": True} if how == "everything" else {}
    tg.BreakGlassAlarm(scope, "Alarm", roles=[ROLE], **more)
    assert scope == template_snapshots
