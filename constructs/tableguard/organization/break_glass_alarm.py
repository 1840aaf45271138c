"""The alarm for break-glass roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import (
    aws_cloudwatch as cloudwatch,
    aws_cloudwatch_actions as actions,
    aws_events as events,
    aws_iam as iam,
    aws_kms as kms,
    aws_sns as sns,
    aws_sqs as sqs,
)
from constructs import Construct

from tableguard.aws.partitions import partition_of
from tableguard.policy import InvalidInputError, Role
from tableguard.policy.tokens import is_unresolved

_SIGN_IN: Final = "signin.amazonaws.com"
_BY_CLOUDTRAIL: Final = ("AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail")
# A rule in the state ENABLED gets no events of read-only operations, and AssumeRole counts as one of these.
# Source: EventBridge user guide, "Receiving read-only management events from AWS services".
_CHANGES: Final = "ENABLED"
_READS_TOO: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_EVENTS: Final = "events.amazonaws.com"
_CLOUDWATCH: Final = "cloudwatch.amazonaws.com"
# Where each partition's IAM is. Source: IAM user guide, "Logging IAM and AWS STS API calls with AWS CloudTrail".
_IAM_EVENTS: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_DAYS_KEPT: Final = 14
_PATHS: Final = {
    "account": "$.account",
    "address": "$.detail.sourceIPAddress",
    "error": "$.detail.errorCode",
    "event": "$.detail.eventID",
    "name": "$.detail.eventName",
    "region": "$.region",
    "source": "$.detail.eventSource",
    "time": "$.detail.eventTime",
    "who": "$.detail.userIdentity.arn",
}


class BreakGlassAlarm(Construct):
    """Sends a message when a break-glass role is assumed, when its sessions change something, and when it is changed.

    Make one alarm in every enabled Region of the role's account (`in_every`), since each event appears in one Region:
    AssumeRole and console sign-in in the Region whose endpoint served them, a change to a table in the table's Region,
    changes in IAM and Organizations in us-east-1 only. The alarm needs a trail that logs management events. Reads and
    writes of items appear only if the trail logs DynamoDB's data events as well.

    EventBridge delivers CloudTrail's events on a best-effort basis: to prove that nothing happened, read the trail.
    Messages that cannot be delivered go to a queue, which has its own CloudWatch alarm.

    A denied attempt is logged in the caller's account. To see these too, make an alarm for the role in that account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        roles: Sequence[Role],
        subscriptions: Sequence[sns.ITopicSubscription] = (),
        reads_too: bool = False,
        undelivered: Sequence[cloudwatch.IAlarmAction] = (),
    ) -> None:
        """Make the alarm for one Region.

        Args:
            scope: The parent construct, in a stack of the role's account or of its users' account.
            construct_id: The construct's id, unique below its parent.
            roles: The roles, at least one, such as `BreakGlassRole.principal`.
            subscriptions: Who gets the messages, such as `aws_sns_subscriptions.EmailSubscription(…)`. When left out,
                nobody gets them until somebody subscribes to `topic`.
            reads_too: True also sends a message for each read-only call of a session: in the console, for each view.
                False when left out; assuming the role sends a message in any case.
            undelivered: Further actions of the alarm on the queue; none when left out. That alarm publishes to the same
                topic, which may be the part that does not work.

        Raises:
            InvalidInputError: `roles` is empty or holds something other than roles.
        """
        super().__init__(scope, construct_id)
        known = [role for role in roles if isinstance(role, Role)]
        if not known or len(known) != len(roles):
            raise InvalidInputError(
                f"the roles of {self.node.path}",
                value=list(roles),
                allowed="at least one Role",
                fix="Pass the .principal of a BreakGlassRole.",
            )
        stack = cdk.Stack.of(self)
        self._key = kms.Key(self, "Key", enable_key_rotation=True, description="Messages about break-glass roles")
        self._admit(_EVENTS, {})
        self._admit(_CLOUDWATCH, {"StringEquals": {"aws:SourceAccount": stack.account}})
        self._topic = sns.Topic(self, "Topic", master_key=self._key, enforce_ssl=True)
        for subscription in subscriptions:
            self._topic.add_subscription(subscription)
        self._dead_letters = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(_DAYS_KEPT),
        )
        self._rules = (
            self._rule("Assumed", "was assumed", _assumed(known, stack.partition), reads=True),
            self._rule("Used", "is in use", _used(known, stack.partition), reads=reads_too),
            self._rule("Changed", "was changed", _changed(known), reads=False),
        )
        # No condition on aws:SourceArn here either: if EventBridge sends none, the queue would get no messages.
        self._let_publish(_EVENTS, {})
        self._dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(_EVENTS)],
                actions=["sqs:SendMessage"],
                resources=[self._dead_letters.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in self._rules]}},
            )
        )
        self._watch(undelivered)

    @staticmethod
    def in_every(stacks: Sequence[cdk.Stack], construct_id: str, **options: Any) -> tuple[BreakGlassAlarm, ...]:
        """Make the alarm in several stacks: one for each enabled Region.

        Args:
            stacks: The stacks.
            construct_id: The construct's id in each of them.
            **options: The other arguments of `BreakGlassAlarm`.

        Raises:
            InvalidInputError: Two stacks are of the same account and Region, so each event would send two messages; or
                an account has no stack in the Region where IAM's events appear.
        """
        regions: dict[str, list[str]] = {}
        for stack in stacks:
            regions.setdefault(stack.account, []).append(stack.region)
        if not stacks or any(len(each) != len(set(each)) or not _with_iam(each) for each in regions.values()):
            raise InvalidInputError(
                "the stacks of a BreakGlassAlarm",
                value=[f"{account} {region}" for account, each in regions.items() for region in each],
                allowed="one stack for each enabled Region of an account, the one with the events of IAM among them",
                fix=f"That is {', '.join(_IAM_EVENTS.values())}.",
            )
        return tuple(BreakGlassAlarm(stack, construct_id, **options) for stack in stacks)

    @property
    def topic(self) -> sns.Topic:
        """The topic that messages go to."""
        return self._topic

    @property
    def key(self) -> kms.Key:
        """The topic's KMS key. Other publishers to the topic must be allowed to use it."""
        return self._key

    @property
    def dead_letters(self) -> sqs.Queue:
        """The queue of messages that could not be delivered."""
        return self._dead_letters

    @property
    def rules(self) -> tuple[events.CfnRule, ...]:
        """The EventBridge rules: role assumed, role used, role changed."""
        return self._rules

    def _admit(self, service: str, conditions: Mapping[str, Mapping[str, object]]) -> None:
        """Let a service encrypt messages for topics of this account and Region.

        EventBridge gets no condition on aws:SourceAccount or aws:SourceArn: with either, no message arrives. Source:
        SNS developer guide, "Managing Amazon SNS encryption keys", on EventBridge and encrypted topics.
        """
        topics = cdk.Stack.of(self).format_arn(service="sns", resource="*")
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={**conditions, "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}},
            )
        )

    def _rule(self, construct_id: str, what: str, detail: Mapping[str, object], *, reads: bool) -> events.CfnRule:
        # No L2 target: it would let EventBridge use the key for every topic of every account.
        return events.CfnRule(
            self,
            construct_id,
            description=f"A break-glass role {what}",
            event_pattern={"detail-type": list(_BY_CLOUDTRAIL), "detail": detail},
            state=_READS_TOO if reads else _CHANGES,
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=self._topic.topic_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._dead_letters.queue_arn),
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=_PATHS, input_template=_message(what)
                    ),
                )
            ],
        )

    def _let_publish(self, service: str, conditions: Mapping[str, Any]) -> None:
        self._topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["sns:Publish"],
                resources=[self._topic.topic_arn],
                conditions=dict(conditions),
            )
        )

    def _watch(self, undelivered: Sequence[cloudwatch.IAlarmAction]) -> None:
        alarm = self._dead_letters.metric_approximate_number_of_messages_visible(
            period=cdk.Duration.minutes(1), statistic="Maximum"
        ).create_alarm(
            self,
            "UndeliveredAlarm",
            alarm_description="A message about a break-glass role could not be delivered: read the queue.",
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic), *undelivered)
        self._let_publish(_CLOUDWATCH, {"ArnEquals": {"aws:SourceArn": alarm.alarm_arn}})


def _sessions(roles: Sequence[Role], partition: str) -> list[object]:
    # The ARN of a session does not contain the role's path.
    return [{"prefix": f"arn:{partition}:sts::{role.account}:assumed-role/{role.name}/"} for role in roles]


def _assumed(roles: Sequence[Role], partition: str) -> dict[str, object]:
    """The role is assumed: by any STS operation, by switching roles in the console, or by console sign-in."""
    arns = [role.arn(partition) for role in roles]
    return {
        "$or": [
            {"eventSource": ["sts.amazonaws.com"], "requestParameters": {"roleArn": arns}},
            {"eventSource": [_SIGN_IN], "userIdentity": {"arn": _sessions(roles, partition)}},
        ]
    }


def _used(roles: Sequence[Role], partition: str) -> dict[str, object]:
    """Sessions of the role make requests."""
    return {
        "eventSource": [{"anything-but": [_SIGN_IN]}],
        "$or": [
            {"userIdentity": {"arn": _sessions(roles, partition)}},
            {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [role.arn(partition) for role in roles]}}}},
        ],
    }


def _changed(roles: Sequence[Role]) -> dict[str, object]:
    """Somebody changes the role in IAM, such as its trust policy."""
    return {
        "eventSource": ["iam.amazonaws.com"],
        "requestParameters": {"roleName": [role.name for role in roles]},
    }


def _message(what: str) -> str:
    lines = (
        f"A break-glass role {what}.",
        "<name> of <source>",
        "by <who>",
        "from <address>",
        "at <time> in <region>, account <account>",
        "error: <error>",
        "CloudTrail event <event>",
    )
    return "\n".join(f'"{line}"' for line in lines)


def _with_iam(regions: Sequence[str]) -> bool:
    """Whether the Region where IAM's events appear is among these, or may be since one is known at deployment only."""
    home = _IAM_EVENTS.get(partition_of(regions[0]))
    return home is None or home in regions or any(map(is_unresolved, regions))
