"""What a permissions boundary and a session policy hold back when a resource policy grants.

The 28 rows are facts that benkehoe/permissions-boundary-test (Apache-2.0) verified on AWS, for a session of a role in
the resource's account: which of boundary, identity policy and resource policy allow, and the outcome.
"""

from __future__ import annotations

import pytest

from tableguard.evaluation import Outcome, Policies, Request, evaluate

ACCOUNT = "111122223333"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/today"

NAMED_ROLE = {"Principal": {"AWS": ROLE}}
NAMED_SESSION = {"Principal": {"AWS": SESSION}}
CONDITION = {"Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}}
NAMED_ACCOUNT = {"Principal": {"AWS": ACCOUNT}, **CONDITION}
NAMED_EVERYBODY = {"Principal": "*", **CONDITION}

YES, SILENT = True, False

# resource policy's principal, boundary allows, identity policy allows, resource policy allows, allowed
FACTS = [
    (NAMED_ROLE, SILENT, SILENT, YES, False),
    (NAMED_ROLE, SILENT, YES, YES, False),
    (NAMED_ROLE, YES, YES, SILENT, True),
    (NAMED_ROLE, YES, SILENT, YES, True),
    (NAMED_ROLE, YES, YES, YES, True),
    (NAMED_ROLE, YES, SILENT, SILENT, False),
    (NAMED_ROLE, SILENT, YES, SILENT, False),
    (NAMED_SESSION, SILENT, SILENT, YES, True),
    (NAMED_SESSION, SILENT, YES, YES, True),
    (NAMED_SESSION, YES, YES, SILENT, True),
    (NAMED_SESSION, YES, SILENT, YES, True),
    (NAMED_SESSION, YES, YES, YES, True),
    (NAMED_SESSION, YES, SILENT, SILENT, False),
    (NAMED_SESSION, SILENT, YES, SILENT, False),
    (NAMED_ACCOUNT, SILENT, SILENT, YES, False),
    (NAMED_ACCOUNT, SILENT, YES, YES, False),
    (NAMED_ACCOUNT, YES, YES, SILENT, True),
    (NAMED_ACCOUNT, YES, SILENT, YES, False),
    (NAMED_ACCOUNT, YES, YES, YES, True),
    (NAMED_ACCOUNT, YES, SILENT, SILENT, False),
    (NAMED_ACCOUNT, SILENT, YES, SILENT, False),
    (NAMED_EVERYBODY, SILENT, SILENT, YES, True),
    (NAMED_EVERYBODY, SILENT, YES, YES, True),
    (NAMED_EVERYBODY, YES, YES, SILENT, True),
    (NAMED_EVERYBODY, YES, SILENT, YES, True),
    (NAMED_EVERYBODY, YES, YES, YES, True),
    (NAMED_EVERYBODY, YES, SILENT, SILENT, False),
    (NAMED_EVERYBODY, SILENT, YES, SILENT, False),
]

ALLOW = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}
DENY = {**ALLOW, "Effect": "Deny"}
OTHER = {**ALLOW, "Action": "dynamodb:PutItem"}


def document(allows: bool, extra: dict[str, object] | None = None) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [{**(ALLOW if allows else OTHER), **(extra or {})}]}


def ask(principal: str = SESSION, **more: object) -> Request:
    context = {"aws:PrincipalArn": ROLE} if principal == SESSION else {}
    return Request(principal=principal, action="dynamodb:GetItem", resource=TABLE, context=context, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", ["boundary", "session"])
@pytest.mark.parametrize(("named", "limit_allows", "identity", "resource", "allowed"), FACTS)
def test_a_silent_limit_holds_back_grants_to_roles_but_not_to_sessions_or_everybody(
    limit: str, named: dict[str, object], limit_allows: bool, identity: bool, resource: bool, allowed: bool
) -> None:
    layers = {"identity": [document(identity)], "resource": document(resource, named), limit: [document(limit_allows)]}
    decision = evaluate(ask(), Policies(**layers))  # type: ignore[arg-type]
    assert decision.outcome is (Outcome.ALLOWED if allowed else Outcome.IMPLICITLY_DENIED)


@pytest.mark.parametrize("named", [NAMED_ROLE, NAMED_SESSION, NAMED_EVERYBODY])
@pytest.mark.parametrize("limit", ["boundary", "session", "identity"])
def test_an_explicit_deny_holds_back_every_grant(named: dict[str, object], limit: str) -> None:
    layers = {"resource": document(True, named), limit: [{"Version": "2012-10-17", "Statement": DENY}]}
    assert evaluate(ask(), Policies(**layers)).outcome is Outcome.EXPLICITLY_DENIED  # type: ignore[arg-type]


USER = f"arn:aws:iam::{ACCOUNT}:user/people/foo"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/foo"


@pytest.mark.parametrize(
    ("principal", "federated_by", "named", "allowed"),
    [
        (USER, None, USER, True),
        (FEDERATED, None, FEDERATED, True),
        (FEDERATED, USER, USER, False),
        (ROLE, None, ROLE, False),
        (USER, None, ACCOUNT, False),
    ],
)
def test_a_grant_to_the_callers_own_arn_is_not_held_back_by_silent_limits(
    principal: str, federated_by: str | None, named: str, allowed: bool
) -> None:
    resource = document(True, {"Principal": {"AWS": named}})
    silent = [document(False)]
    policies = Policies(resource=resource, boundary=silent, session=silent)
    assert evaluate(ask(principal, federated_by=federated_by), policies).allowed is allowed


def test_a_federated_session_uses_a_grant_to_its_user_within_its_limits() -> None:
    resource = document(True, {"Principal": {"AWS": USER}})
    policies = Policies(resource=resource, boundary=[document(True)], session=[document(True)])
    assert evaluate(ask(FEDERATED, federated_by=USER), policies).allowed
    assert not evaluate(ask(FEDERATED), policies).allowed


@pytest.mark.parametrize("order", [1, -1])
def test_the_strongest_of_several_grants_counts(order: int) -> None:
    grants = [{**ALLOW, "Principal": {"AWS": named}} for named in (ACCOUNT, ROLE, SESSION)][::order]
    silent = [document(False)]
    for number, allowed in ((3, True), (2, order == -1)):
        resource = {"Version": "2012-10-17", "Statement": grants[:number]}
        assert evaluate(ask(), Policies(resource=resource, boundary=silent)).allowed is allowed
    within = {"Version": "2012-10-17", "Statement": grants[:2]}
    assert evaluate(ask(), Policies(resource=within)).allowed


def test_several_session_policies_count_as_one() -> None:
    policies = Policies(identity=[document(True)], session=[document(False), document(True)])
    assert evaluate(ask(), policies).allowed


@pytest.mark.parametrize("named", [NAMED_SESSION, NAMED_EVERYBODY, NAMED_ROLE])
@pytest.mark.parametrize("limit", ["boundary", "session"])
def test_across_accounts_a_silent_limit_holds_back_every_grant(named: dict[str, object], limit: str) -> None:
    foreign = TABLE.replace(ACCOUNT, "444455556666")
    everything = {"Version": "2012-10-17", "Statement": {**ALLOW, "Resource": foreign}}
    resource = {"Version": "2012-10-17", "Statement": {**ALLOW, "Resource": foreign, **named}}
    asked = Request(principal=SESSION, action="dynamodb:GetItem", resource=foreign, context={"aws:PrincipalArn": ROLE})
    held_back = {"identity": [everything], "resource": resource, limit: [document(False)]}
    assert not evaluate(asked, Policies(**held_back)).allowed  # type: ignore[arg-type]
    let_go = {**held_back, limit: [everything]}
    assert evaluate(asked, Policies(**let_go)).allowed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("resource", "session", "allowed"),
    [
        (None, [], False),
        (None, [document(True)], True),
        (None, [document(False)], False),
        # Its user is named, or the account: neither names the session.
        (document(True, {"Principal": {"AWS": USER}}), [], False),
        (document(True, {"Principal": {"AWS": ACCOUNT}}), [], False),
        (document(True, {"Principal": {"AWS": FEDERATED}}), [], True),
    ],
)
def test_a_federated_session_can_do_nothing_of_its_own_without_session_policies(
    resource: object, session: list[object], allowed: bool
) -> None:
    policies = Policies(identity=[document(True)], resource=resource, session=session)
    assert evaluate(ask(FEDERATED, federated_by=USER), policies).allowed is allowed
    # Other callers need none.
    assert evaluate(ask(USER), Policies(identity=[document(True)])).allowed
