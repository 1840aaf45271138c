"""Scenario 14: identity policy by resource policy, inside one account and across accounts."""

from __future__ import annotations

import pytest

from tableguard.evaluation import Layer, Outcome, Policies, Request, evaluate

OWNER = "111122223333"
OTHER = "444455556666"
TABLE = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
ALLOWED, IMPLICIT, EXPLICIT = Outcome.ALLOWED, Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED

# identity policy, resource policy, same account, across accounts
TABLE_14 = [
    ("Allow", "Allow", ALLOWED, ALLOWED),
    ("Allow", "silent", ALLOWED, IMPLICIT),
    ("Allow", "Deny", EXPLICIT, EXPLICIT),
    ("silent", "Allow", ALLOWED, IMPLICIT),
    ("silent", "silent", IMPLICIT, IMPLICIT),
    ("silent", "Deny", EXPLICIT, EXPLICIT),
    ("Deny", "Allow", EXPLICIT, EXPLICIT),
    ("Deny", "silent", EXPLICIT, EXPLICIT),
    ("Deny", "Deny", EXPLICIT, EXPLICIT),
]
CALLERS = ["role/path/reader", "user/path/foo"]


def says(effect: str, **principal: object) -> dict[str, object]:
    action = "dynamodb:PutItem" if effect == "silent" else "dynamodb:GetItem"
    statement = {"Effect": "Allow" if effect == "silent" else effect, "Action": action, "Resource": TABLE, **principal}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize(("identity", "resource", "same", "across"), TABLE_14)
def test_identity_and_resource_policy_decide_together(
    name: str, identity: str, resource: str, same: Outcome, across: Outcome
) -> None:
    for account, expected in ((OWNER, same), (OTHER, across)):
        caller = f"arn:aws:iam::{account}:{name}"
        request = Request(principal=caller, action="dynamodb:GetItem", resource=TABLE, resource_account=OWNER)
        policies = Policies(identity=[says(identity)], resource=says(resource, Principal={"AWS": caller}))
        assert evaluate(request, policies).outcome is expected


@pytest.mark.parametrize(("identity", "same", "across"), [("Allow", ALLOWED, ALLOWED), ("silent", IMPLICIT, IMPLICIT)])
@pytest.mark.parametrize("form", ["{}", "arn:aws:iam::{}:root"])
def test_naming_an_account_lets_its_identity_policies_decide(
    form: str, identity: str, same: Outcome, across: Outcome
) -> None:
    for account, expected in ((OWNER, same), (OTHER, across)):
        request = Request(principal=f"arn:aws:iam::{account}:role/reader", action="dynamodb:GetItem", resource=TABLE)
        resource = says("Allow", Principal={"AWS": form.format(account)})
        assert evaluate(request, Policies(identity=[says(identity)], resource=resource)).outcome is expected


def test_an_allowed_request_names_the_statements_that_grant_it() -> None:
    caller = f"arn:aws:iam::{OTHER}:role/reader"
    request = Request(principal=caller, action="dynamodb:GetItem", resource=TABLE)
    policies = Policies(identity=[says("Allow")], resource=says("Allow", Principal={"AWS": caller}))
    assert [reason.layer for reason in evaluate(request, policies).because] == [Layer.RESOURCE, Layer.IDENTITY]


@pytest.mark.parametrize(
    ("identity", "resource", "missing"),
    [
        ("Allow", "silent", [Layer.RESOURCE]),
        ("silent", "Allow", [Layer.IDENTITY]),
        ("silent", "silent", [Layer.RESOURCE, Layer.IDENTITY]),
    ],
)
def test_a_denial_across_accounts_names_the_side_that_is_missing(
    identity: str, resource: str, missing: list[Layer]
) -> None:
    caller = f"arn:aws:iam::{OTHER}:role/reader"
    request = Request(principal=caller, action="dynamodb:GetItem", resource=TABLE)
    policies = Policies(identity=[says(identity)], resource=says(resource, Principal={"AWS": caller}))
    assert [reason.layer for reason in evaluate(request, policies).because] == missing
