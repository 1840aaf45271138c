"""What AWS documents no answer for: the review marks what may be had, and says which operator leaves it open."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.review.matrix import cell, details
from tableguard.review.report import Review
from tests.unit.review.support import (
    CONSUMER,
    LOCAL,
    OWNER,
    READER,
    TODAY,
    allow,
    consumer,
    deny,
    document,
    findings,
    only_row,
    reviewed,
    role,
    stack,
    table,
    to,
)

CARRIED = {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}
OPEN = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
WORDS = "ForAnyValue:StringEqualsIfExists aws:TagKeys: the request lacks the key"
# Nothing that a request carries settles it.
ALWAYS_OPEN = {"Null": {"aws:TagKeys": ["true", "false"]}}


def control(kind: str, account: str, statement: dict[str, Any]) -> dict[str, Any]:
    named = {"Principal": "*"} if kind.startswith("RESOURCE") else {}
    properties = {"Name": "p", "Type": kind, "TargetIds": [account], "Content": document({**statement, **named})}
    return {"Type": "AWS::Organizations::Policy", "Properties": properties}


def placed(layer: str, effect: str, condition: Any) -> Review:
    """A review of a table with one reader in another account, and one statement in one layer with a condition."""
    make = allow if effect == "Allow" else deny
    asked = make("dynamodb:GetItem", "*", Condition=condition)
    alone = effect == "Allow"
    grants = {"resource": [to(READER, Condition=condition)] if alone else [to(READER), {**asked, "Principal": "*"}]}
    own = {"identity": [allow(Condition=condition)] if alone else [allow(), asked]}
    beside: dict[str, Any] = {}
    if layer == "boundary":
        managed = document(*([asked] if alone else [allow(resource="*"), asked]))
        beside["B"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": managed}}
    limits: dict[str, Any] = {"PermissionsBoundary": {"Ref": "B"}} if beside else {}
    reader = role(*own.get(layer, [allow()]), **limits)
    controls = {
        "service_control": ("SERVICE_CONTROL_POLICY", CONSUMER),
        "resource_control": ("RESOURCE_CONTROL_POLICY", OWNER),
    }
    organization = stack("Root", "777788889999", P=control(*controls[layer], asked)) if layer in controls else None
    stacks = [stack(T=table(*grants.get(layer, [to(READER)]))), consumer(R=reader, **beside)]
    return reviewed(*stacks, *([organization] if organization is not None else []))


def read_cell(found: Review) -> str:
    return cell(only_row(found), found.tables[0].table, "read")


def lines(found: Review) -> list[str]:
    return [said for kind, said in details(only_row(found), found.tables[0].table, TODAY) if kind == "read"]


@pytest.mark.parametrize("layer", ["identity", "resource", "boundary"])
def test_an_allow_that_rests_on_it_is_marked_and_named(layer: str) -> None:
    assert read_cell(placed(layer, "Allow", CARRIED)) == "some*"
    found = placed(layer, "Allow", OPEN)
    assert read_cell(found) == "some*?"
    certain, perhaps = lines(found)
    assert certain == "GetItem; aws:TagKeys is team"
    assert perhaps.startswith(f"GetItem; not known; {WORDS}")

    found = placed(layer, "Allow", ALWAYS_OPEN)
    assert read_cell(found) == "?"
    assert lines(found)[0].startswith("GetItem; not known; Condition: Null aws:TagKeys")


@pytest.mark.parametrize("layer", ["identity", "resource", "boundary", "service_control", "resource_control"])
def test_a_deny_that_rests_on_it_is_marked_and_named(layer: str) -> None:
    assert read_cell(placed(layer, "Deny", CARRIED)) == "some*"
    found = placed(layer, "Deny", OPEN)
    assert read_cell(found) == "some*?"
    certain, perhaps = lines(found)
    assert certain == "GetItem; aws:TagKeys is not team"
    assert perhaps.startswith(f"GetItem; not known; {WORDS}")

    found = placed(layer, "Deny", ALWAYS_OPEN)
    assert read_cell(found) == "?"
    assert lines(found)[0].startswith("GetItem; not known; Condition: Null aws:TagKeys")


@pytest.mark.parametrize("layer", ["identity", "resource"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_the_statement_is_a_finding_that_names_the_operator(layer: str, effect: str) -> None:
    assert findings(placed(layer, effect, CARRIED)) == []
    found = placed(layer, effect, OPEN)
    assert findings(found) == ["not understood"]
    assert WORDS in found.findings[0].message


def test_the_network_of_an_endpoint_whose_policy_rests_on_it_is_not_known() -> None:
    def through(condition: Any) -> str:
        endpoint = {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "ServiceName": "com.amazonaws.eu-west-1.dynamodb",
                "VpcId": "vpc-1",
                "PolicyDocument": document(allow("*", "*", Principal="*", Condition=condition)),
            },
        }
        inside = {"StringEquals": {"aws:SourceVpce": {"Ref": "E"}}}
        local = role(allow(Condition=inside), name="local")
        return read_cell(reviewed(stack(T=table(), E=endpoint, R=local)))

    assert "?" not in through({"Bool": {"aws:SecureTransport": "true"}})
    assert "?" in through(ALWAYS_OPEN)


def test_a_restriction_around_a_stream_that_rests_on_it_is_none() -> None:
    outside = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    restriction = deny("dynamodb:*", "*", Principal="*", Condition=outside)
    perhaps = {**restriction, "Condition": {**outside, **ALWAYS_OPEN}}
    assert "perimeter" not in findings(reviewed(stack(T=table(restriction, stream=[restriction]))))
    assert "perimeter" in findings(reviewed(stack(T=table(restriction, stream=[perhaps]))))


@pytest.mark.parametrize(("condition", "exempted"), [(None, False), (ALWAYS_OPEN, True)])
def test_whom_only_an_open_deny_of_an_scp_may_deny_counts_as_exempted(condition: Any, exempted: bool) -> None:
    exempting = deny("dynamodb:DeleteTable", "*", Condition={"ArnNotLike": {"aws:PrincipalArn": LOCAL}})
    beside = deny("dynamodb:DeleteTable", "*", **({} if condition is None else {"Condition": condition}))
    policy = control("SERVICE_CONTROL_POLICY", OWNER, exempting)
    policy["Properties"]["Content"] = document(exempting, beside)
    (found,) = reviewed(stack(T=table()), stack("Root", "777788889999", P=policy)).controls
    assert bool(found.exempted) is exempted
