"""A drill tells a topic what it found, whichever key the topic has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms, aws_scheduler as scheduler, aws_sns as sns

from tableguard.backup.drill.restore_drill import RestoreDrill
from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.backup.restore.support import VAULT, restore, vault_stack
from tests.unit.backup.restore.test_roles import Roles
from tests.unit.tables.support import REGION

TOPIC = f"arn:aws:sns:{REGION}:{VAULT}:alarms"
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": VAULT}, "Action": "kms:*", "Resource": "*"}],
}


def without_a_key(scope: cdk.Stack) -> sns.ITopic:
    return sns.Topic(scope, "Topic")


def with_a_key(scope: cdk.Stack) -> sns.ITopic:
    return sns.Topic(scope, "Topic", master_key=kms.Key(scope, "TopicKey"))


def of_somebody_else(scope: cdk.Stack) -> sns.ITopic:
    return sns.Topic.from_topic_arn(scope, "Topic", TOPIC)


def drilled(make: Callable[[cdk.Stack], sns.ITopic] | None) -> Roles:
    vault = vault_stack()
    RestoreDrill(
        vault,
        "Drill",
        restore=restore(vault),
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        alarms_topic=make(vault) if make is not None else None,
    )
    return Roles(vault)


def uses(roles: Roles, role: str, action: str, kind: str) -> bool:
    """Whether a role may do something with the topic, or with the key, whatever ARN it gets."""
    found: set[Any] = {
        resource
        for policy in roles.policies(role)
        for statement in policy["Statement"]
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
        if kind in resource
    }
    return any(_may(roles, role, action, resource) for resource in found)


def _may(roles: Roles, role: str, action: str, resource: str) -> bool:
    arn = {"kms": f"arn:aws:kms:{REGION}:{VAULT}:key/1234", "sns": TOPIC}[action.partition(":")[0]]
    policies = [_named(policy, resource, arn) for policy in roles.policies(role)]
    request = Request(principal=f"arn:aws:iam::{VAULT}:role/drill", action=action, resource=arn)
    beside = KEY_POLICY if action.startswith("kms") else None
    return evaluate(request, Policies(identity=policies, resource=beside)).allowed


def _named(value: Any, resource: str, arn: str) -> Any:
    if isinstance(value, dict):
        return {key: _named(inner, resource, arn) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, resource, arn) for inner in value]
    return arn if value == resource else value


@pytest.mark.parametrize("make", [without_a_key, with_a_key, of_somebody_else])
def test_the_drill_publishes_and_uses_the_key_of_the_topic(make: Callable[[cdk.Stack], sns.ITopic]) -> None:
    roles = drilled(make)
    kind = "alarms" if make is of_somebody_else else "Topic"
    assert uses(roles, "DrillMachineRole", "sns:Publish", kind)
    assert uses(roles, "DrillMachineRole", "kms:GenerateDataKey", "TopicKey") is (make is with_a_key)
    assert uses(roles, "DrillMachineRole", "kms:Decrypt", "TopicKey") is (make is with_a_key)
    assert not uses(roles, "DrillMachineRole", "kms:ScheduleKeyDeletion", "TopicKey")
    for other in ("DrillWatchRole", "DrillCheckRole"):
        assert not uses(roles, other, "sns:Publish", kind)


def test_without_a_topic_it_publishes_nothing() -> None:
    assert "sns:Publish" not in str(drilled(None).template)
