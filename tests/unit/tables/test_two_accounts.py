"""Two accounts, one grant: in one app, in two, in stages and in nested stacks, decided from both sides' documents."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms
from aws_cdk.assertions import Template
from constructs import Construct

import tableguard as tg
from tests.unit.tables.support import (
    KEY,
    LAMBDA,
    LISTENER,
    NOTHING,
    ORDERS,
    OWNER,
    PARTNER,
    PK,
    READER,
    REGION,
    REPLICA,
    SK,
    STREAM,
    VENDOR,
    Documents,
    allowed,
    app,
    consumer_stack,
    decides,
    denied,
    encryption_context,
    role,
    stack,
    strings,
)


def orders(data: Construct) -> tg.CrossAccountTable:
    return tg.CrossAccountTable(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        global_secondary_indexes=[dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=SK)],
        dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
        table_grants=[READER, LISTENER],
    )


@pytest.fixture(scope="module")
def one_app() -> cdk.App:
    root = app()
    table = orders(stack(root))
    consumer = consumer_stack(root)
    tg.ConsumerRole(consumer, "Reader", grant=READER, table=table.reference, assumed_by=LAMBDA)
    listener = consumer_stack(root, "Listener", account=VENDOR)
    existing = iam.Role(listener, "Role", role_name="listener", assumed_by=LAMBDA)
    tg.ConsumerAccess(listener, "Access", role=existing, grant=LISTENER, table=table.reference)
    return root


def documents(root: cdk.App, name: str) -> Documents:
    found = root.node.find_child(name)
    assert isinstance(found, cdk.Stack)
    return Documents.of(found)


def template(root: cdk.App, name: str) -> Template:
    """The side of one account."""
    found = root.node.find_child(name)
    assert isinstance(found, cdk.Stack)
    return Template.from_stack(found)


@pytest.fixture(scope="module")
def key(one_app: cdk.App) -> kms.Key:
    (found,) = [each for each in one_app.node.find_all() if isinstance(each, kms.Key)]
    return found


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("GetItem", ORDERS, True),
        ("Query", ORDERS, True),
        ("Query", f"{ORDERS}/index/by-date", True),
        ("Scan", f"{ORDERS}/index/by-date", True),
        ("PutItem", ORDERS, False),
        ("UpdateTable", ORDERS, False),
        ("GetItem", f"{ORDERS}2", False),
    ],
)
def test_the_reader_reads_and_does_nothing_else(one_app: cdk.App, action: str, resource: str, expected: bool) -> None:
    decides(expected, one_app, action, resource=resource)


@pytest.mark.parametrize("action", ["GetItem", "Query"])
def test_both_sides_are_needed(one_app: cdk.App, action: str) -> None:
    allowed(one_app, action)
    allowed(template(one_app, "Data"), action, identity="any")
    denied(template(one_app, "Data"), action, identity=[])
    allowed(template(one_app, "Consumer"), action, table_policy="any")
    denied(template(one_app, "Consumer"), action, table_policy=NOTHING)


def test_another_role_of_the_readers_account_stays_out_whatever_its_own_policies_say(one_app: cdk.App) -> None:
    allowed(one_app, "GetItem", principal=role("reader"))
    denied(one_app, "GetItem", principal=role("reader2"))


@pytest.mark.parametrize(("action", "expected"), [("GetRecords", True), ("DescribeStream", True), ("GetItem", False)])
def test_the_listener_reads_the_stream_alone(one_app: cdk.App, action: str, expected: bool) -> None:
    resource = STREAM if expected else ORDERS

    decides(expected, one_app, action, principal=role("listener", VENDOR), resource=resource)


def test_the_reader_stays_out_of_the_stream(one_app: cdk.App) -> None:
    denied(one_app, "GetRecords", resource=STREAM)
    denied(template(one_app, "Data"), "GetRecords", resource=STREAM)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (encryption_context(), True),
        (encryption_context(table="others"), False),
        (encryption_context(region="eu-west-1"), False),
        ({}, False),
    ],
    ids=["for the table", "for another table", "in another region", "without DynamoDB"],
)
def test_the_key_decrypts_this_table_for_the_reader_and_nothing_else(
    one_app: cdk.App, key: kms.Key, context: dict[str, str], expected: bool
) -> None:
    decides(expected, one_app, "kms:Decrypt", resource=key, context=context)
    denied(one_app, "kms:Encrypt", resource=key, context=context)
    denied(one_app, "kms:Decrypt", principal=role("reader2"), resource=key, context=context)


@pytest.mark.parametrize("name", ["Data", "Consumer", "Listener"])
def test_nothing_travels_between_the_accounts_as_a_token(one_app: cdk.App, name: str) -> None:
    template = documents(one_app, name).template

    assert not {"Fn::GetStackOutput", "Fn::ImportValue"} & set(strings(template))
    assert "Outputs" not in template


def test_no_stack_waits_for_another(one_app: cdk.App) -> None:
    assert [child for child in one_app.node.children if isinstance(child, cdk.Stack) and child.dependencies] == []


def test_the_account_of_the_consumer_is_not_named_in_any_other_consumers_template(one_app: cdk.App) -> None:
    assert PARTNER not in json.dumps(documents(one_app, "Listener").template)


def test_a_consumer_in_an_app_of_its_own_gets_the_same_bytes(one_app: cdk.App) -> None:
    by_hand = tg.TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date",))
    consumer = consumer_stack(app())
    tg.ConsumerRole(consumer, "Reader", grant=READER, table=by_hand, assumed_by=LAMBDA)

    assert json.dumps(Documents.of(consumer).template) == json.dumps(documents(one_app, "Consumer").template)


def test_stages_of_the_same_names_do_not_meet(tmp_path: Path) -> None:
    root = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    for name, account in (("Test", OWNER), ("Live", "555566667777")):
        stage = cdk.Stage(root, name)
        table = orders(stack(stage, account=account))
        tg.ConsumerRole(consumer_stack(stage), "Reader", grant=READER, table=table.reference, assumed_by=LAMBDA)

    assembly = root.synth()

    for name, account in (("Test", OWNER), ("Live", "555566667777")):
        templates = {
            artifact.display_name.split("/")[1].split(" ")[0]: json.dumps(artifact.template)
            for artifact in assembly.get_nested_assembly(f"assembly-{name}").stacks
        }
        for template in templates.values():
            assert f"arn:aws:dynamodb:{REGION}:{account}:table/orders" in template
            assert "Fn::GetStackOutput" not in template


def test_the_table_in_a_nested_stack_and_the_role_in_another() -> None:
    root = app()
    table = orders(cdk.NestedStack(stack(root), "Nested"))
    nested = cdk.NestedStack(consumer_stack(root), "Nested")
    tg.ConsumerRole(nested, "Reader", grant=READER, table=table.reference, assumed_by=LAMBDA)

    allowed(root, "Query", resource=f"{ORDERS}/index/by-date")
    denied(root, "PutItem")


def test_a_consumer_of_a_replica_gets_that_regions_arn_and_key() -> None:
    table = tg.TableReference(account=OWNER, region=REGION, name="orders", replica_regions=("eu-west-1",))
    consumer = consumer_stack(app())
    tg.ConsumerRole(consumer, "Reader", grant=READER, table=table.in_region("eu-west-1"), assumed_by=LAMBDA)

    for region, decided in ((REPLICA, allowed), (REGION, denied)):
        context = encryption_context(region=region)
        by_its_own: dict[str, Any] = {"table_policy": "any"}
        decided(consumer, "GetItem", resource=ORDERS.replace(REGION, region), **by_its_own)
        decided(consumer, "kms:Decrypt", resource=KEY.replace(REGION, region), context=context, **by_its_own)
