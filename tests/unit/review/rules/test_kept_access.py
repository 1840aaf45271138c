"""Access that a rule wants kept: whatever no template tells, and may take it away, makes that "not known"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from tableguard.policy import Access, Role
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.collect import collect
from tableguard.review.rules import KeepsAccess, Results, check
from tests.unit.review.support import (
    CONSUMER,
    OWNER,
    READER,
    TABLE,
    TODAY,
    VENDOR,
    allow,
    deny,
    document,
    role,
    stack,
    table,
    to,
)

ENDPOINT = {"aws:SourceVpce": "{Consumer.E}"}
ROLE = Role(account=CONSUMER, name="reader")
PERHAPS = {
    "Parameters": {"Stage": {"Type": "String"}},
    "Conditions": {"Perhaps": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
}
Json = Any


def kept(*stacks: SynthesizedStack, **more: Json) -> Results:
    rule = KeepsAccess(principals=[ROLE], access=Access.on_table("GetItem"), **more)
    return check(collect(stacks), [rule], TODAY)


def data(*policy: Json, condition: bool = False, **more: Json) -> SynthesizedStack:
    made = table(*(policy or (to(READER),)), **more)
    return stack(template=PERHAPS, T={**made, "Condition": "Perhaps"} if condition else made)


def consumer(made: Json = None, **resources: Json) -> SynthesizedStack:
    return stack("Consumer", CONSUMER, template=PERHAPS, R=made or role(allow()), **resources)


def organization(targets: Sequence[Json], *statements: Json, kind: str = "SERVICE", **more: Json) -> SynthesizedStack:
    properties = {"Type": f"{kind}_CONTROL_POLICY", "Content": document(*statements), "TargetIds": list(targets)}
    policy = {"Type": "AWS::Organizations::Policy", "Properties": properties, **more}
    return stack("Organization", VENDOR, template=PERHAPS, P=policy)


def reasons(results: Results) -> str:
    return " / ".join(failure.what for failure in results.failures)


def test_access_about_which_everything_is_known_is_kept() -> None:
    assert kept(data(), consumer()).holds
    assert kept(data(), consumer(), organization([VENDOR], deny(resource="*"))).holds


RESTRICTION = deny(resource="*")
ELSEWHERE = deny("s3:*", resource="*")


@pytest.mark.parametrize("kind", ["SERVICE", "RESOURCE"])
@pytest.mark.parametrize(
    "targets", [["ou-ab12-34567890"], ["r-ab12", VENDOR], [{"Ref": "Stage"}], ["{Other.Unit}"]], ids=str
)
def test_a_policy_that_may_bind_the_account_makes_it_not_known(targets: list[Json], kind: str) -> None:
    restriction = {**RESTRICTION, **({"Principal": "*"} if kind == "RESOURCE" else {})}
    elsewhere = {**ELSEWHERE, **({"Principal": "*"} if kind == "RESOURCE" else {})}

    denied = kept(data(), consumer(), organization(targets, restriction, kind=kind))

    assert not denied.holds
    assert kept(data(), consumer(), organization(targets, elsewhere, kind=kind)).holds
    assert "whether this policy, which denies it, is attached" in reasons(denied) or targets[0] == "r-ab12"


def test_a_policy_under_a_condition_that_may_bind_it_makes_it_not_known() -> None:
    assert not kept(data(), consumer(), organization([CONSUMER], RESTRICTION, Condition="Perhaps")).holds
    assert kept(data(), consumer(), organization([CONSUMER], ELSEWHERE, Condition="Perhaps")).holds


def test_a_table_that_may_not_be_made_keeps_nothing_for_certain() -> None:
    assert "Not known: Data: Resources/T: whether its condition holds" in reasons(
        kept(data(condition=True), consumer())
    )


def test_nor_does_a_role_that_may_not_be_made_whatever_is_attached_to_it() -> None:
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": document(allow()), "Roles": ["reader"]},
    }

    assert kept(data(), consumer(role(), P=policy)).holds
    assert not kept(data(), consumer({**role(), "Condition": "Perhaps"}, P=policy)).holds


@pytest.mark.parametrize(("condition", "holds"), [({}, True), ({"Condition": "Perhaps"}, False)])
def test_nor_does_a_key_that_may_not_be_made(condition: Json, holds: bool) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": READER}, "Action": "kms:Decrypt", "Resource": "*"}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(statement)}, **condition}
    made = table(to(READER), SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}})
    reader = role(allow(), allow("kms:Decrypt", "*"))

    assert kept(stack(template=PERHAPS, T=made, Key=key), consumer(reader)).holds is holds


@pytest.mark.parametrize(
    "encryption",
    [
        {"SSEEnabled": True, "KMSMasterKeyId": f"arn:aws:kms:eu-west-1:{OWNER}:key/elsewhere"},
        {"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Stage"}},
        {"Fn::If": ["Perhaps", {"SSEEnabled": True}, {"Ref": "AWS::NoValue"}]},
    ],
)
def test_nor_does_a_table_whose_key_is_not_known(encryption: Json) -> None:
    assert not kept(data(SSESpecification=encryption), consumer()).holds
    assert kept(data(SSESpecification={"SSEEnabled": False}), consumer()).holds


class TestRolesThatNoTemplateMakes:
    POLICY: ClassVar[Json] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": document(allow()), "Roles": ["reader"]},
    }
    IMPORTED = stack("Consumer", CONSUMER, P=POLICY)

    def test_may_have_a_boundary_or_a_deny(self) -> None:
        assert "no template makes the role or user" in reasons(kept(data(), self.IMPORTED))

    def test_and_with_a_boundary_a_not_principal_exempts_nobody(self) -> None:
        exempted = {**deny(), "NotPrincipal": {"AWS": [READER, f"arn:aws:iam::{CONSUMER}:root"]}}
        boundary = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(allow())}}
        bounded = consumer(role(allow(), PermissionsBoundary={"Ref": "B"}), B=boundary)

        assert kept(data(to(READER)), bounded).holds
        assert kept(data(to(READER), exempted), consumer()).holds
        assert not kept(data(to(READER), exempted), bounded).holds
        assert not kept(data(to(READER), exempted), self.IMPORTED).holds


@pytest.mark.parametrize(
    ("arn", "holds"),
    [
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", True),
        ("arn:aws:iam::aws:policy/AWSDenyAll", False),
        (f"arn:aws:iam::{CONSUMER}:policy/elsewhere", False),
    ],
)
def test_a_policy_that_no_template_shows_may_deny(arn: str, holds: bool) -> None:
    assert kept(data(), consumer(role(allow(), ManagedPolicyArns=[arn]))).holds is holds


@pytest.mark.parametrize(("condition", "holds"), [({}, True), ({"Condition": "Perhaps"}, False)])
def test_an_endpoint_that_may_not_be_made_lets_nobody_through_for_certain(condition: Json, holds: bool) -> None:
    endpoint = {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {"ServiceName": "com.amazonaws.eu-west-1.dynamodb", "VpcId": "vpc-1"},
        **condition,
    }

    assert kept(data(), consumer(E=endpoint), context=ENDPOINT).holds is holds


@pytest.mark.parametrize(("name", "holds"), [("Data", False), ("Consumer", False), ("Other", True)])
def test_a_macro_in_a_template_that_it_rests_on_makes_it_not_known(name: str, holds: bool) -> None:
    stacks = [data(), consumer(), stack("Other", VENDOR)]
    changed = [
        stack(each.name, each.account, template={**each.template, "Transform": "Ours"}) if each.name == name else each
        for each in stacks
    ]

    assert kept(*changed).holds is holds


def test_what_is_in_a_policy_counts_where_the_request_gets_to_it() -> None:
    other = {**deny("dynamodb:PutItem", Principal="*"), "Resource": {"Ref": "Stage"}}

    assert kept(data(to(READER), other), consumer()).holds
    assert not kept(data(to(READER), {**other, "Action": "dynamodb:GetItem"}), consumer()).holds
    assert TABLE in str(data(to(READER)).template)
