"""Templates that hide a grant from a rule that wants requests refused: the rule must not hold over any of them."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.policy import Access, Account
from tableguard.review.collect import collect
from tableguard.review.picture import Picture
from tableguard.review.rules import NobodyCan, OnlyAccounts, Rule, check
from tests.unit.review.support import (
    KEY,
    OWNER,
    REGION,
    TABLE,
    TODAY,
    VENDOR,
    deny,
    document,
    role,
    stack,
    to,
)

NOBODY_ELSE = OnlyAccounts(accounts=[])
ORDERS_ONLY = OnlyAccounts(accounts=[], tables=["orders"])
GRANT = {"PolicyDocument": document(to(VENDOR))}
STRICT = {"PolicyDocument": document(deny("dynamodb:*", Principal="*"))}
UNKNOWN = {"Ref": "Stage"}
PARAMETER = {"Parameters": {"Stage": {"Type": "String", "Default": "strict"}}}
PERHAPS = {**PARAMETER, "Conditions": {"Strict": {"Fn::Equals": [UNKNOWN, "strict"]}}}
INCLUDE = {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/policy.json"}}

Json = Any


def holds(rule: Rule, found: Picture) -> bool:
    return check(found, [rule], TODAY).holds


def made(*resources: Json, template: Json = None, **more: Json) -> Picture:
    return collect([stack(template=template, **({"T": resources[0]} if resources else {}), **more)])


def of_table(**properties: Json) -> Json:
    return {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders", **properties}}


def of_replica(**properties: Json) -> Json:
    replicas = [{"Region": REGION, **properties}]
    return {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {"TableName": "orders", "Replicas": replicas}}


@pytest.mark.parametrize("rule", [NOBODY_ELSE, ORDERS_ONLY])
def test_a_table_that_nothing_is_hidden_about_passes(rule: Rule) -> None:
    assert holds(rule, made(of_table()))
    assert holds(rule, made(of_table(ResourcePolicy=STRICT), template=PERHAPS))
    assert not holds(rule, made(of_table(ResourcePolicy=GRANT)))


TABLES: dict[str, Json] = {
    "properties are a number": {"Type": "AWS::DynamoDB::Table", "Properties": 5},
    "properties are a list": {"Type": "AWS::DynamoDB::Table", "Properties": [GRANT]},
    "properties come from a macro": {"Type": "AWS::DynamoDB::Table", "Properties": {"Fn::Transform": INCLUDE}},
    "properties come from an If": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {"Fn::If": ["Strict", {"TableName": "orders"}, {"ResourcePolicy": GRANT}]},
    },
    "the type is in another case": {"Type": "AWS::DynamoDB::table", "Properties": {"ResourcePolicy": GRANT}},
    "there is no type": {"Properties": {"ResourcePolicy": GRANT}},
}


@pytest.mark.parametrize("resource", TABLES.values(), ids=TABLES)
def test_a_table_that_cannot_be_read_as_one_fails(resource: Json) -> None:
    assert not holds(NOBODY_ELSE, made(of_table(), Other=resource, template=PERHAPS))


PROPERTIES: dict[str, Json] = {
    "policy is a text": {"ResourcePolicy": "x"},
    "policy is a number": {"ResourcePolicy": 5},
    "policy is a list": {"ResourcePolicy": [GRANT]},
    "policy is empty": {"ResourcePolicy": {}},
    "policy has no document": {"ResourcePolicy": {"Policy": GRANT["PolicyDocument"]}},
    "document is a list": {"ResourcePolicy": {"PolicyDocument": [to(VENDOR)]}},
    "document is a text that is no JSON": {"ResourcePolicy": {"PolicyDocument": "{"}},
    "document names a key twice": {
        "ResourcePolicy": {
            "PolicyDocument": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],'
            ' "Statement": []}'
        }
    },
    "policy in another case": {"resourcePolicy": GRANT},
    "policy from a parameter": {"ResourcePolicy": UNKNOWN},
    "policy under a condition": {"ResourcePolicy": {"Fn::If": ["Strict", STRICT, GRANT]}},
    "policy in no branch but one": {"ResourcePolicy": {"Fn::If": ["Strict", {"Ref": "AWS::NoValue"}, GRANT]}},
    "document under a condition": {
        "ResourcePolicy": {"PolicyDocument": {"Fn::If": ["Strict", document(), document(to(VENDOR))]}}
    },
    "statement under a condition": {
        "ResourcePolicy": {"PolicyDocument": document({"Fn::If": ["Strict", {"Ref": "AWS::NoValue"}, to(VENDOR)]})}
    },
    "document of a secret": {"ResourcePolicy": {"PolicyDocument": "{{resolve:secretsmanager:policy}}"}},
    "principal of a secret": {"ResourcePolicy": {"PolicyDocument": document(to("{{resolve:ssm:/partner}}"))}},
    "principal from a parameter": {"ResourcePolicy": {"PolicyDocument": document(to(UNKNOWN))}},  # type: ignore[arg-type]
    "principal from a text with a map": {
        "ResourcePolicy": {
            "PolicyDocument": document(
                to({"Fn::Sub": ["arn:aws:iam::${Who}:root", {"Who": UNKNOWN}]})  # type: ignore[arg-type]
            )
        }
    },
    "principal in a text with a map": {
        "ResourcePolicy": {
            "PolicyDocument": document(
                to({"Fn::Sub": ["arn:aws:iam::${AWS::AccountId}:root", {"AWS::AccountId": VENDOR}]})  # type: ignore[arg-type]
            )
        }
    },
    "principal is a number": {"ResourcePolicy": {"PolicyDocument": document(to(int(VENDOR)))}},  # type: ignore[arg-type]
    "effect under a condition": {
        "ResourcePolicy": {
            "PolicyDocument": document({**to(VENDOR), "Effect": {"Fn::If": ["Strict", "Deny", "Allow"]}})
        }
    },
    "effect in another case": {"ResourcePolicy": {"PolicyDocument": document({**to(VENDOR), "Effect": "allow"})}},
    "element in another case": {
        "ResourcePolicy": {"PolicyDocument": document({**to(VENDOR), "condition": {"Bool": {"aws:x": "true"}}})}
    },
    "a macro beside the policy": {"ResourcePolicy": STRICT, "Fn::Transform": INCLUDE},
    "a macro in the policy": {"ResourcePolicy": {**STRICT, "Fn::Transform": INCLUDE}},
    "a macro in the document": {
        "ResourcePolicy": {"PolicyDocument": {**document(), "Fn::Transform": INCLUDE}},
    },
    "a macro among the statements": {
        "ResourcePolicy": {"PolicyDocument": document({"Fn::Transform": INCLUDE})},
    },
    "a loop makes statements": {
        "ResourcePolicy": {"PolicyDocument": {"Fn::ForEach::S": ["A", [VENDOR], {"Statement": [to(VENDOR)]}]}},
    },
    "the deny is narrowed by a parameter": {
        "ResourcePolicy": {
            "PolicyDocument": document(
                to(VENDOR), deny(Principal="*", Condition={"StringNotEquals": {"aws:SourceVpce": UNKNOWN}})
            )
        }
    },
    "the deny may not be there": {
        "ResourcePolicy": {
            "PolicyDocument": document(to(VENDOR), {"Fn::If": ["Strict", deny(Principal="*"), {"Ref": "AWS::NoValue"}]})
        }
    },
}


@pytest.mark.parametrize("rule", [NOBODY_ELSE, ORDERS_ONLY], ids=["any table", "this table"])
@pytest.mark.parametrize("make", [of_table, of_replica], ids=["table", "replica"])
@pytest.mark.parametrize("properties", PROPERTIES.values(), ids=PROPERTIES)
def test_a_table_whose_policy_cannot_be_read_fails(properties: Json, make: Any, rule: Rule) -> None:
    assert not holds(rule, made(make(**properties), template=PERHAPS))


@pytest.mark.parametrize("properties", PROPERTIES.values(), ids=PROPERTIES)
def test_but_not_for_another_table(properties: Json) -> None:
    other = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "others", **properties}}

    assert holds(ORDERS_ONLY, made(of_table(), Other=other, template=PERHAPS))


STREAMS: dict[str, Json] = {
    "a text": "x",
    "a list": [{"ResourcePolicy": GRANT}],
    "a policy without a document": {"ResourcePolicy": {}},
    "a policy in another case": {"resourcepolicy": GRANT},
    "from a parameter": UNKNOWN,
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_whose_policy_cannot_be_read_fails(stream: Json) -> None:
    assert not holds(ORDERS_ONLY, made(of_table(StreamSpecification=stream), template=PARAMETER))


# What bears on every table, wherever it stands: rules about one table fail as well.
OPAQUE: dict[str, Json] = {
    "a stack set": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": "{}"}},
    "a module": {"Type": "Ours::Data::Partner::MODULE", "Properties": {}},
    "a nested stack of which there is no template": {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "elsewhere"},
    },
    "a product": {"Type": "AWS::ServiceCatalog::CloudFormationProvisionedProduct", "Properties": {}},
    "a custom resource about a policy": {
        "Type": "Custom::AWS",
        "Properties": {"Create": {"Fn::Join": ["", ['{"action":"putResourcePolicy","resource":"', TABLE, '"}']]}},
    },
    "a custom resource about a key's policy": {
        "Type": "AWS::CloudFormation::CustomResource",
        "Properties": {"Api": "PutKeyPolicy", "Key": KEY},
    },
    "somebody's own type about a policy": {"Type": "Acme::Data::Share", "Properties": {"ResourcePolicy": GRANT}},
    "a replica made by a custom resource": {"Type": "Custom::DynamoDBReplica", "Properties": {"TableName": "orders"}},
    "a resource from a macro": {"Fn::Transform": INCLUDE},
}


@pytest.mark.parametrize("resource", OPAQUE.values(), ids=OPAQUE)
def test_what_may_make_anything_fails_every_rule(resource: Json) -> None:
    found = collect([stack(T=of_table()), stack("Other", VENDOR, X=resource)])

    assert not holds(NOBODY_ELSE, found)
    assert not holds(ORDERS_ONLY, found)
    assert [each.place.stack for each in found.unknowns if each.anything] == ["Other"]


@pytest.mark.parametrize(
    "template",
    [
        {"Transform": "AWS::Serverless-2016-10-31"},
        {"Transform": ["AWS::LanguageExtensions"]},
        {"Fn::Transform": INCLUDE},
        {"Mappings": {"Fn::Transform": INCLUDE}},
        {"Resources": {"Fn::ForEach::Tables": ["Name", ["a"], {"T${Name}": of_table(ResourcePolicy=GRANT)}]}},
    ],
    ids=["sam", "language extensions", "at the top", "mappings", "loop"],
)
def test_a_template_that_changes_when_it_is_deployed_fails_every_rule(template: Json) -> None:
    found = collect([stack(T=of_table()), stack("Other", VENDOR, template=template)])

    assert not holds(ORDERS_ONLY, found)


HARMLESS: dict[str, Json] = {
    "a custom resource about items": {"Type": "Custom::AWS", "Properties": {"Create": '{"action":"putItem"}'}},
    "a value from another region": {
        "Type": "Custom::CrossRegionExportWriter",
        "Properties": {"WriterProps": {"exports": {"KeyPolicy": "x"}}},
    },
    "a function with odd properties": {"Type": "AWS::Lambda::Function", "Properties": 5},
    "a handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
    "a table that stays": {**of_table(TableName="kept"), "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"},
}


@pytest.mark.parametrize("resource", HARMLESS.values(), ids=HARMLESS)
def test_what_bears_on_no_policy_does_no_harm(resource: Json) -> None:
    found = collect([stack(T=of_table(), X=resource)])

    assert holds(NOBODY_ELSE, found)
    assert found.unknowns == ()


def test_of_two_tables_with_one_name_only_one_is_deployed_and_nobody_knows_which() -> None:
    found = collect([stack(T=of_table()), stack("Other", T=of_table(ResourcePolicy=GRANT))])

    assert not holds(ORDERS_ONLY, found)
    assert "which table has the name" in found.unknowns[0].what


def test_a_condition_that_is_false_takes_a_table_away_and_one_that_is_not_known_does_not() -> None:
    other = {**of_table(TableName="others", ResourcePolicy=GRANT), "Condition": "Strict"}

    assert holds(NOBODY_ELSE, made(of_table(), O=other, template={"Conditions": {"Strict": {"Fn::Equals": [1, 2]}}}))
    assert not holds(NOBODY_ELSE, made(of_table(), O=other, template=PERHAPS))
    assert not holds(NOBODY_ELSE, made(of_table(), O={**other, "Condition": 5}))


@pytest.mark.parametrize(
    "policies",
    [
        {"Fn::If": ["Strict", [], [{"PolicyName": "p", "PolicyDocument": document()}]]},
        [{"PolicyName": "p", "PolicyDocument": 5}],
        [UNKNOWN],
        "x",
        [{"PolicyName": "p", "Fn::Transform": INCLUDE}],
    ],
)
def test_the_policies_of_a_role_of_the_tables_account_must_be_read_wherever_it_is_made(policies: Json) -> None:
    rule = NobodyCan(access=Access.on_table("GetItem"), tables=["orders"])
    restriction = deny(
        Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/app"}}
    )
    restricted = stack(T=of_table(ResourcePolicy={"PolicyDocument": document(restriction)}))

    def with_role(**properties: Json) -> Picture:
        return collect([restricted, stack("App", template=PERHAPS, R=role(name="app", **properties))])

    assert holds(rule, with_role())
    assert not holds(rule, with_role(Policies=policies))
    assert holds(OnlyAccounts(accounts=[], tables=["orders"]), with_role(Policies=policies))


def test_a_parameter_that_a_nested_stack_gets_in_an_unknown_way_is_not_taken_for_its_default() -> None:
    def nested(properties: Json) -> Picture:
        parent = stack("Outer", template=PERHAPS, N={"Type": "AWS::CloudFormation::Stack", "Properties": properties})
        granted = of_table(ResourcePolicy={"PolicyDocument": document({**to(VENDOR), "Effect": {"Ref": "Effect"}})})
        template = {
            "Parameters": {"Effect": {"Type": "String", "Default": "Deny"}},
            "Resources": {"T": granted},
        }
        inner = type(parent)("Outer/N", OWNER, REGION, template, parent=parent, nested_as="N")
        return collect([parent, inner])

    def passing(value: Json) -> Json:
        return {"Parameters": {"Effect": value}}

    assert holds(ORDERS_ONLY, nested({}))
    assert holds(ORDERS_ONLY, nested(passing({"Ref": "AWS::NoValue"})))
    assert not holds(ORDERS_ONLY, nested(passing("Allow")))
    assert not holds(ORDERS_ONLY, nested({"Fn::If": ["Strict", {}, passing("Allow")]}))
    assert not holds(ORDERS_ONLY, nested({"Parameters": {"Fn::If": ["Strict", {}, {"Effect": "Allow"}]}}))
    assert not holds(ORDERS_ONLY, nested(passing({"Fn::If": ["Strict", "Deny", "Allow"]})))


def test_two_stacks_of_one_name_do_not_share_values() -> None:
    template = {"Mappings": {"M": {"a": {"b": "Deny"}}}}
    other = {"Mappings": {"M": {"a": {"b": "Allow"}}}}
    effect = {"Fn::FindInMap": ["M", "a", "b"]}
    policy = {"PolicyDocument": document({**to(VENDOR), "Resource": "*", "Effect": effect})}
    one, two = (of_table(TableName=name, ResourcePolicy=policy) for name in ("one", "two"))
    found = collect([stack(template=template, T=one), stack(template=other, T=two)])

    assert not holds(OnlyAccounts(accounts=[], tables=["two"]), found)


def test_the_vendor_may_be_excepted_but_not_what_is_unknown() -> None:
    rule = OnlyAccounts(accounts=[], except_=[Account(VENDOR)])

    assert holds(rule, made(of_table(ResourcePolicy=GRANT)))
    assert not holds(rule, made(of_table(ResourcePolicy="x")))
