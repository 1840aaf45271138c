"""What the tests of the organization's constructs share: accounts, a synthesized break-glass role, and decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tableguard.review.assuming import assuming
from tests.unit.tables.support import ORDERS, OWNER, Json, app, resolved, role, stack

EVERYTHING: Final[Json] = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PEOPLE: Final = "111122223333"
"""The dedicated account of the users."""
SIGN_IN: Final = "222233334444"
"""An account that people sign in to with Identity Center."""
STRANGER: Final = "999988887777"
NAME: Final = "break-glass"
ROLE_ARN: Final = f"arn:aws:iam::{OWNER}:role/{NAME}"
NOON: Final = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SUFFIX: Final = "0123456789abcdef"

ANN: Final = tg.User(account=PEOPLE, name="ann")
BOB: Final = tg.User(account=PEOPLE, name="bob", path="/on-call/")
USERS: Final = tg.UsersWithMfa(users=[ANN, BOB])
EMERGENCY: Final = tg.PermissionSet(account=SIGN_IN, name="Emergency")


def sso_role(name: str = "Emergency", account: str = SIGN_IN, *, path: str = "eu-west-1/", suffix: str = SUFFIX) -> str:
    return f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{path}AWSReservedSSO_{name}_{suffix}"


def break_glass(scope: cdk.Stack | None = None, **more: Any) -> tg.BreakGlassRole:
    given: dict[str, Any] = {
        "role_name": NAME,
        "assumed_by": [USERS, EMERGENCY],
        "reason": "runbook 7",
        **more,
    }
    return tg.BreakGlassRole(scope or stack(app()), "BreakGlass", **given)


@dataclass(frozen=True)
class Emergency:
    """The policies of the synthesized role."""

    trust: Json
    policy: Json

    @staticmethod
    def of(role: tg.BreakGlassRole) -> Emergency:
        template = Template.from_stack(cdk.Stack.of(role)).to_json()
        (properties,) = [
            resource["Properties"]
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::IAM::Role" and resource["Properties"].get("RoleName") == NAME
        ]
        (inline,) = properties["Policies"]
        return Emergency(resolved(properties["AssumeRolePolicyDocument"]), resolved(inline["PolicyDocument"]))

    def admits(
        self,
        caller: str,
        context: Mapping[str, ContextValue],
        *,
        action: str = "sts:AssumeRole",
        identity: Mapping[str, object] = EVERYTHING,
        time: dt.datetime | None = NOON,
    ) -> bool:
        """Whether somebody may assume the role, with an identity policy that allows everything unless it is said."""
        request = Request(principal=caller, action=action, resource=ROLE_ARN, context=context, time=time)
        # A federated user can do nothing without session policies; these hold nobody back.
        decision = assuming(request, self.trust, Policies(identity=[identity], session=[EVERYTHING]))
        assert decision.understood, decision
        return decision.allowed

    def may(
        self,
        action: str,
        resource: str = "*",
        *,
        context: Mapping[str, ContextValue] | None = None,
        attached: Mapping[str, object] | None = None,
        table_policy: Mapping[str, object] | None = None,
        time: dt.datetime | None = NOON,
    ) -> bool:
        """Whether a session of the role may do something, with what somebody attached to it or granted it elsewhere."""
        request = Request(
            principal=ROLE_ARN,
            action=action,
            resource=resource,
            resource_account=OWNER if resource == "*" else None,
            context=context or {},
            time=time,
        )
        policies = Policies(identity=[self.policy, *([attached] if attached else [])], resource=table_policy)
        decision = evaluate(request, policies)
        assert decision.understood, decision
        return decision.allowed


def allows(
    policy: Json | None,
    action: str,
    *,
    principal: str | None = None,
    resource: str = ORDERS,
    identity: Sequence[Mapping[str, object]] = (EVERYTHING,),
    context: Mapping[str, ContextValue] | None = None,
) -> bool:
    """Whether a request goes through, given the resource's policy and the caller's own policies."""
    request = Request(
        principal=principal or role(),
        action=f"dynamodb:{action}",
        resource=resource,
        resource_account=OWNER,
        context=context or {},
        time=NOON,
    )
    # A federated user can do nothing without session policies; these hold nobody back.
    decision = evaluate(request, Policies(resource=policy, identity=identity, session=[EVERYTHING]))
    assert decision.understood, decision
    return decision.allowed
