"""What CloudFormation's functions come to, and what stays unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import has_unknown
from tableguard.review.intrinsics import Resolver
from tests.unit.review.support import CONSUMER, OWNER, REGION, TABLE, VENDOR, stack, table

UNKNOWN = {"Ref": "Nothing"}


def resolved(value: Any, *others: SynthesizedStack, template: Any = None, **resources: Any) -> Any:
    own = stack(template=template, **resources)
    return Resolver((own, *others)).resolve(own, value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "AWS::AccountId"}, OWNER),
        ({"Ref": "AWS::Region"}, REGION),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "AWS::StackName"}, "Data"),
        ({"Ref": "T"}, "orders"),
        ({"Fn::GetAtt": ["T", "Arn"]}, TABLE),
        ({"Fn::GetAtt": "T.Arn"}, TABLE),
        ({"Fn::GetAtt": ["T", "StreamArn"]}, f"{TABLE}/stream/{{Data.T}}"),
        ({"Ref": "R"}, "{Data.R}"),
        ({"Fn::GetAtt": ["R", "Arn"]}, f"arn:aws:iam::{OWNER}:role/team/{{Data.R}}"),
        ({"Fn::GetAtt": ["R", "RoleId"]}, "{Data.R@RoleId}"),
        ({"Ref": "M"}, f"arn:aws:iam::{OWNER}:policy/{{Data.M}}"),
        ({"Fn::GetAtt": ["B", "Arn"]}, "arn:aws:s3:::{Data.B}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "T"}, 1]]}, "a-orders-1"),
        ({"Fn::Join": ["/", {"Fn::Split": [".", "a.b"]}]}, "a/b"),
        ({"Fn::Select": ["1", ["a", {"Ref": "T"}]]}, "orders"),
        ({"Fn::Select": [0, {"Fn::Split": ["|", "a|b"]}]}, "a"),
        ({"Fn::Sub": "${AWS::Region}/${T}/${T.Arn}/${!Literal}"}, f"{REGION}/orders/{TABLE}/${{Literal}}"),
        ({"Fn::Sub": ["${x}-${T}", {"x": {"Ref": "AWS::Region"}}]}, f"{REGION}-orders"),
        ({"Fn::FindInMap": ["Names", {"Ref": "AWS::Region"}, "table"]}, "mapped"),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["No", "a", {"Ref": "T"}]}, "orders"),
        ({"Fn::If": ["All", "a", "b"]}, "b"),
        ({"Fn::If": ["Any", "a", "b"]}, "a"),
        ([{"Fn::If": ["No", "a", {"Ref": "AWS::NoValue"}]}, "b"], ["b"]),
        ({"k": {"Ref": "AWS::NoValue"}, "l": 1}, {"l": 1}),
    ],
)
def test_what_can_be_known_is_resolved(value: Any, expected: Any) -> None:
    template = {
        "Mappings": {"Names": {REGION: {"table": "mapped"}}},
        "Conditions": {
            "Yes": {"Fn::Equals": [{"Ref": "AWS::Region"}, REGION]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
            "All": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
            "Any": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
        },
    }
    resources = {
        "T": table(),
        "R": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/team/"}},
        "M": {"Type": "AWS::IAM::ManagedPolicy"},
        "B": {"Type": "AWS::S3::Bucket"},
    }
    assert resolved(value, template=template, **resources) == expected


@pytest.mark.parametrize(
    "value",
    [
        UNKNOWN,
        {"Ref": "P"},
        {"Ref": "AWS::StackId"},
        {"Ref": ["P"]},
        {"Fn::GetAtt": ["Custom", "Arn"]},
        {"Ref": "Custom"},
        {"Fn::GetAtt": ["Setting", "Value"]},
        {"Fn::GetAtt": ["Nothing", "Arn"]},
        {"Fn::GetAtt": "Nothing"},
        {"Fn::Join": ["-", ["a", UNKNOWN]]},
        {"Fn::Join": "-"},
        {"Fn::Select": [5, ["a"]]},
        {"Fn::Select": [-1, ["a"]]},
        {"Fn::Split": [",", UNKNOWN]},
        {"Fn::Sub": "${P}"},
        {"Fn::Sub": 7},
        {"Fn::If": ["Nothing", "a", "b"]},
        {"Fn::If": ["Depends", "a", "b"]},
        {"Fn::FindInMap": ["a", "b", "c"]},
        {"Fn::ImportValue": "nobody-exports-it"},
        {"Fn::GetStackOutput": {"StackName": "Nothing", "OutputName": "x"}},
        {"Fn::Cidr": ["10.0.0.0/8", 1, 1]},
        {"Fn::Transform": {"Name": "AWS::Include"}},
    ],
)
def test_what_cannot_be_known_stays_as_it_was(value: Any) -> None:
    template = {
        "Parameters": {"P": {"Type": "String", "Default": "a default may be overridden"}},
        "Conditions": {"Depends": {"Fn::Equals": [{"Ref": "P"}, "a"]}},
    }
    resources = {"Custom": {"Type": "Custom::Lookup"}, "Setting": {"Type": "AWS::SSM::Parameter"}}
    found = resolved(value, template=template, **resources)
    assert found == value
    assert has_unknown(found)


def test_a_dynamic_reference_is_unknown() -> None:
    own = stack(T=table(TableName="{{resolve:ssm:/table/name}}"))
    assert Resolver([own]).name(own, "T") == "{Data.T}"


def test_a_parameter_has_the_value_that_somebody_gives() -> None:
    own = stack(template={"Parameters": {"P": {"Type": "String"}, "L": {"Type": "CommaDelimitedList"}}})
    resolver = Resolver([own], {"Data.P": "x", "Data.L": "a, b"})
    assert resolver.resolve(own, [{"Ref": "P"}, {"Ref": "L"}]) == ["x", ["a", "b"]]


def test_values_that_refer_to_themselves_come_to_nothing() -> None:
    outputs = {
        "A": {"Value": {"Fn::ImportValue": "b"}, "Export": {"Name": "a"}},
        "B": {"Value": {"Fn::ImportValue": "a"}, "Export": {"Name": "b"}},
    }
    value = {"Fn::ImportValue": "a"}
    assert resolved(value, template={"Outputs": outputs}) == value


def test_values_that_double_each_other_do_not_fill_the_memory() -> None:
    outputs = {
        f"O{n}": {"Value": {"Fn::Join": ["", [{"Fn::ImportValue": f"e{n + 1}"}] * 2]}, "Export": {"Name": f"e{n}"}}
        for n in range(60)
    }
    outputs["O60"] = {"Value": "x" * 100, "Export": {"Name": "e60"}}
    value = {"Fn::ImportValue": "e0"}
    assert resolved(value, template={"Outputs": outputs}) == value
    assert len(resolved({"Fn::ImportValue": "e55"}, template={"Outputs": outputs})) == 3200


def test_exports_are_imported_within_an_account_and_region_only() -> None:
    outputs = {"O": {"Value": {"Ref": "T"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-table"}}}}
    value = {"Fn::ImportValue": "Other-table"}
    same = stack("Other", template={"Outputs": outputs}, T=table())
    foreign = stack("Other", CONSUMER, template={"Outputs": outputs}, T=table())
    elsewhere = stack("Other", OWNER, "us-east-1", template={"Outputs": outputs}, T=table())
    assert resolved(value, same) == "orders"
    assert resolved(value, foreign, elsewhere) == value


@pytest.mark.parametrize("name", ["Other", f"arn:aws:cloudformation:us-east-1:{CONSUMER}:stack/Other/0123"])
def test_outputs_of_other_stacks_are_read_across_accounts_and_regions(name: str) -> None:
    where = ("us-east-1", CONSUMER) if name.startswith("arn:") else (REGION, OWNER)
    other = stack("Other", where[1], where[0], template={"Outputs": {"O": {"Value": {"Ref": "T"}}}}, T=table())
    assert resolved({"Fn::GetStackOutput": {"StackName": name, "OutputName": "O"}}, other) == "orders"


@pytest.mark.parametrize(
    "role",
    [
        f"arn:aws:iam::{CONSUMER}:role/Publish",
        {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{CONSUMER}:role/Publish"]]},
        {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::{CONSUMER}:role/Publish"},
    ],
)
def test_an_output_that_is_read_with_a_role_is_one_of_the_roles_account(role: Any) -> None:
    outputs = {"Outputs": {"O": {"Value": {"Fn::GetAtt": ["T", "Arn"]}}}}
    theirs = stack("Other", CONSUMER, "us-east-1", template=outputs, T=table())
    # A stack of the same name in the account of the one that reads.
    decoy = stack("Other", OWNER, "us-east-1", template=outputs, T=table(TableName="decoy"))
    value = {"StackName": "Other", "Region": "us-east-1", "RoleArn": role, "OutputName": "O"}
    expected = f"arn:aws:dynamodb:us-east-1:{CONSUMER}:table/orders"
    assert resolved({"Fn::GetStackOutput": value}, decoy, theirs) == expected


@pytest.mark.parametrize("role", ["Publish", {"Fn::GetAtt": ["Nothing", "Arn"]}, 7, f"arn:aws:iam::{VENDOR}:role/P"])
def test_an_output_that_is_read_with_an_unknown_role_is_unknown(role: Any) -> None:
    decoy = stack("Other", template={"Outputs": {"O": {"Value": "x"}}})
    value = {"Fn::GetStackOutput": {"StackName": "Other", "RoleArn": role, "OutputName": "O"}}
    assert has_unknown(resolved(value, decoy))


def nested(parameters: Any = None, **declared: Any) -> tuple[SynthesizedStack, SynthesizedStack]:
    inner = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": parameters}}
    outer = stack(N=inner, T=table())
    template = {
        "Parameters": declared,
        "Outputs": {"O": {"Value": {"Fn::Sub": "inside-${P}"}}},
        "Resources": {"R": {"Type": "AWS::IAM::Role"}},
    }
    return outer, SynthesizedStack("Data/N", OWNER, REGION, template, parent=outer, nested_as="N")


def test_parameters_and_outputs_of_nested_stacks_are_followed() -> None:
    outer, inner = nested({"P": {"Ref": "T"}}, P={"Type": "String"})
    resolver = Resolver([outer, inner])
    assert resolver.resolve(inner, {"Ref": "P"}) == "orders"
    assert resolver.resolve(outer, {"Fn::GetAtt": ["N", "Outputs.O"]}) == "inside-orders"
    assert resolver.name(inner, "R") == "{Data.N.R}"


def test_a_nested_stack_takes_the_default_of_what_it_is_not_passed() -> None:
    outer, inner = nested({}, P={"Type": "String", "Default": "fixed"})
    assert Resolver([outer, inner]).resolve(inner, {"Ref": "P"}) == "fixed"


def test_the_value_of_a_parameter_of_systems_manager_is_unknown() -> None:
    outer, inner = nested({"P": "/name"}, P={"Type": "AWS::SSM::Parameter::Value<String>"})
    assert has_unknown(Resolver([outer, inner]).resolve(inner, {"Ref": "P"}))


@pytest.mark.parametrize(
    ("kind", "attribute"), [("EC2::VPCEndpoint", "Id"), ("EC2::VPC", "VpcId"), ("KMS::Key", "KeyId")]
)
def test_an_attribute_that_is_what_ref_returns_has_the_same_placeholder(kind: str, attribute: str) -> None:
    resource = {"Type": f"AWS::{kind}"}
    assert resolved({"Fn::GetAtt": ["X", attribute]}, X=resource) == resolved({"Ref": "X"}, X=resource)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Ref",
                    "Fn::Join",
                    "Fn::Sub",
                    "Fn::If",
                    "Fn::GetAtt",
                    "Fn::Select",
                    "Fn::Split",
                    "Fn::ImportValue",
                    "Fn::FindInMap",
                    "Fn::GetStackOutput",
                    "Condition",
                    "x",
                ]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.dictionaries(st.sampled_from(["Parameters", "Outputs", "Mappings", "Conditions"]), json_values))
def test_no_template_makes_resolving_fail(value: Any, template: Any) -> None:
    own = SynthesizedStack(
        "S", OWNER, REGION, {"Resources": {"x": {"Type": "AWS::IAM::Role", "Properties": value}}, **template}
    )
    resolver = Resolver([own])
    resolver.resolve(own, value)
    resolver.properties(own, "x")
    assert resolver.exists(own, "x") is True
