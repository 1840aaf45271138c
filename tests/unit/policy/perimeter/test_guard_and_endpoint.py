"""Who may change exempt roles, and what an endpoint lets through: decided."""

from __future__ import annotations

import pytest

from tableguard.evaluation import Outcome, Policies
from tableguard.policy import Role, TableReference, document
from tableguard.policy.perimeter import Exemption, Perimeter, RestrictedActions, endpoint_statements
from tests.unit.policy.perimeter.parties import (
    CALLERS,
    EVERYTHING,
    ORDERS,
    ORGANIZATION,
    PERIMETER,
    Caller,
    allowed,
    decision,
    plain_policy,
    resource_policy,
    service_control_policies,
    session,
)
from tests.unit.policy.support import OWNER, PARTNER, REGION, STRANGER

_ROLES = {
    "break-glass": f"arn:aws:iam::{OWNER}:role/emergency/break-glass",
    "a deployment role to be": f"arn:aws:iam::{PARTNER}:role/cdk-hnb659fds-cfn-exec-role-x",
    "what cdk deploy works as": f"arn:aws:iam::{PARTNER}:role/cdk-hnb659fds-deploy-role-x",
    "the poller": f"arn:aws:iam::{OWNER}:role/stream-worker",
    "the exporter": f"arn:aws:iam::{OWNER}:role/exporter",
}
_CHANGES = (
    "CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "DeleteRolePolicy",
    "DeleteRole", "PassRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "TagRole", "UntagRole",
    "UpdateRole", "UpdateRoleDescription",
)  # fmt: skip
_USER_CHANGES = (
    "CreateUser", "CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile", "UpdateAccessKey", "AttachUserPolicy",
    "PutUserPolicy", "DeactivateMFADevice", "EnableMFADevice", "ResyncMFADevice", "AddUserToGroup", "DeleteUser",
    "RemoveUserFromGroup", "DeleteUserPolicy", "DetachUserPolicy", "PutUserPermissionsBoundary", "TagUser", "UntagUser",
    "DeleteUserPermissionsBoundary", "UpdateUser",
)  # fmt: skip
SCP = service_control_policies()


def changes(caller: Caller, action: str, resource: str) -> bool:
    return allowed(SCP, caller=caller, place={}, action=f"iam:{action}", resource=resource)


@pytest.mark.parametrize("role", _ROLES)
@pytest.mark.parametrize("action", _CHANGES)
def test_an_exempt_role_is_changed_by_administrators_only(role: str, action: str) -> None:
    resource = _ROLES[role]
    account = resource.split(":")[4]
    # Every call is made in the role's own account: IAM knows no other.
    for name, passes in (
        ("role/emergency/break-glass", account == OWNER),
        (f"role/cdk-hnb659fds-cfn-exec-role-{account}-{REGION}", True),
        (f"role/cdk-hnb659fds-deploy-role-{account}-{REGION}", action == "PassRole"),
        ("role/admin", False),
        ("role/exporter", False),
        ("role/break-glass", False),
    ):
        assert changes(session(f"arn:aws:iam::{account}:{name}"), action, resource) is passes, name
    assert not changes(Caller(f"arn:aws:iam::{account}:root"), action, resource)
    assert changes(session(f"arn:aws:iam::{account}:role/admin"), action, f"arn:aws:iam::{account}:role/app")


@pytest.mark.parametrize("action", _USER_CHANGES)
def test_an_exempt_user_is_changed_by_administrators_only(action: str) -> None:
    on_call, other = f"arn:aws:iam::{OWNER}:user/on-call", f"arn:aws:iam::{OWNER}:user/dev"
    assert changes(CALLERS["break-glass"], action, on_call)
    assert not changes(CALLERS["an administrator"], action, on_call)
    assert changes(CALLERS["an administrator"], action, other)


@pytest.mark.parametrize("action", ["UpdateAssumeRolePolicy", "PutRolePolicy", "PassRole"])
def test_whoever_guards_or_passes_is_guarded_though_not_exempt(action: str) -> None:
    """Otherwise whoever may do everything in IAM became an administrator first."""
    application, administrator, passer = (Role(account=OWNER, name=name) for name in ("app", "administrator", "passer"))
    perimeter = Perimeter(
        networks=PERIMETER.networks,
        exemptions=[Exemption(principal=application, actions=RestrictedActions.ITEMS, reason="a test")],
        administrators=[administrator],
        pass_role_principals=[passer],
    )
    policies = service_control_policies(perimeter)
    for role in (application, administrator, passer):
        for caller, may in ((administrator, True), (passer, action == "PassRole"), (application, False)):
            asked = {"caller": session(caller.arn("aws")), "action": f"iam:{action}", "resource": role.arn("aws")}
            assert allowed(policies, place={}, **asked) is may, (caller.name, role.name)
        other = CALLERS["an administrator"]
        assert not allowed(policies, caller=other, place={}, action=f"iam:{action}", resource=role.arn("aws"))


def test_reading_an_exempt_role_is_open() -> None:
    assert changes(CALLERS["an administrator"], "GetRole", _ROLES["break-glass"])


OURS = TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date",))
THEIRS = OURS.arn.replace(OWNER, STRANGER)
THROUGH = {
    "an application reads our table": (OWNER, "GetItem", OURS.arn, True),
    "an application queries its index": (OWNER, "Query", f"{OURS.arn}/index/by-date", True),
    "a partner's application reads our table": (PARTNER, "GetItem", OURS.arn, True),
    "an application lists tables": (OWNER, "ListTables", "*", True),
    "an application reads another table of ours": (OWNER, "GetItem", ORDERS.arn.replace("orders", "other"), False),
    "an application writes to a stranger's table": (OWNER, "PutItem", THEIRS, False),
    "smuggled credentials read our table": (STRANGER, "GetItem", OURS.arn, False),
    "smuggled credentials write to their own": (STRANGER, "PutItem", THEIRS, False),
    "smuggled credentials list tables": (STRANGER, "ListTables", "*", False),
}


@pytest.mark.parametrize("members", ["organization", "accounts"])
@pytest.mark.parametrize("case", THROUGH)
def test_an_endpoint_lets_our_callers_through_to_our_tables(case: str, members: str) -> None:
    account, action, resource, passes = THROUGH[case]
    statements = (
        endpoint_statements([OURS], organization=ORGANIZATION)
        if members == "organization"
        else endpoint_statements([OURS], accounts=[OWNER, PARTNER])
    )
    caller = session(f"arn:aws:iam::{account}:role/app")
    context = {**caller.context, "aws:PrincipalOrgID": "o-zzzzzzzzzz" if account == STRANGER else ORGANIZATION}
    made = decision(
        Policies(identity=[EVERYTHING], resource=resource_policy(), endpoint=document(statements)),
        caller=Caller(caller.principal, context),
        place={},
        action=action,
        resource=resource,
    )
    assert (made.outcome is Outcome.ALLOWED) is passes


@pytest.mark.parametrize("action", ["DescribeEndpoints", "DescribeLimits", "ListTables"])
def test_an_endpoint_lets_through_what_clients_ask_before_they_work_with_a_table(action: str) -> None:
    endpoint = document(endpoint_statements([OURS], accounts=[OWNER]))
    policies = Policies(identity=[EVERYTHING], resource=resource_policy(), endpoint=endpoint)
    assert allowed(policies, caller=CALLERS["an application"], place={}, action=action, resource="*")
    stranger = session(f"arn:aws:iam::{STRANGER}:role/app")
    assert not allowed(policies, caller=stranger, place={}, action=action, resource="*")


def test_an_endpoint_of_streams_lets_through_to_the_stream_only() -> None:
    policies = Policies(
        identity=[EVERYTHING],
        resource=resource_policy(),
        endpoint=document(endpoint_statements([OURS], accounts=[OWNER], streams=True)),
    )
    app, stream = CALLERS["an application"], f"{OURS.arn}/stream/2026-11-21T10:00:00.000"
    assert allowed(policies, caller=app, place={}, action="GetRecords", resource=stream)
    assert allowed(policies, caller=app, place={}, action="ListStreams", resource="*")
    assert not allowed(policies, caller=app, place={}, action="GetItem", resource=OURS.arn)
    foreign = stream.replace("orders", "other")
    assert not allowed(policies, caller=app, place={}, action="GetRecords", resource=foreign)


def test_the_guard_stands_in_the_scp_alone() -> None:
    guarded = [d.sid for d in PERIMETER.service_control_statements() if d.sid.startswith("Guard")]
    assert guarded == ["GuardExemptRoles", "GuardPassingRoles", "GuardExemptUsers"]
    for others in (PERIMETER.resource_control_statements(), PERIMETER.identity_statements()):
        assert not [d.sid for d in others if d.sid.startswith("Guard")]
    assert plain_policy(*PERIMETER.service_control_statements())
