"""Assemblies as the CDK writes them, from the kinds of app that people have."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam, aws_kms as kms
from constructs import Construct

import tableguard as tg
from tableguard.review.assembly import read_assembly
from tableguard.review.collect import collect
from tableguard.review.report import Review
from tableguard.review.review import review

OWNER, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
TODAY = dt.date(2026, 11, 21)
KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)


class Data(cdk.Stack):
    """One table of each kind, of the CDK's making."""

    def __init__(self, scope: Construct, name: str, env: cdk.Environment) -> None:
        super().__init__(scope, name, env=env)
        index = dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=KEY)
        self.new = dynamodb.TableV2(
            self,
            "New",
            partition_key=KEY,
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
            global_secondary_indexes=[index],
        )
        self.old = dynamodb.Table(
            self,
            "Old",
            partition_key=KEY,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=kms.Key(self, "Key"),
        )
        self.plain = dynamodb.CfnTable(
            self,
            "Plain",
            table_name="plain",
            billing_mode="PAY_PER_REQUEST",
            key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="id", key_type="HASH")],
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="id", attribute_type="S")
            ],
        )


class Use(cdk.Stack):
    """Roles that use the tables of another stack, one of them in a nested stack."""

    def __init__(self, scope: Construct, name: str, data: Data, env: cdk.Environment) -> None:
        super().__init__(scope, name, env=env)
        worker = iam.Role(self, "Worker", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        data.new.grant_read_data(worker)
        data.new.grant_stream_read(worker)
        data.old.grant_read_write_data(worker)
        inner = iam.Role(cdk.NestedStack(self, "Inner"), "Reader", assumed_by=iam.AccountRootPrincipal())
        data.new.grant_read_data(inner)
        vpc = ec2.Vpc(self, "Vpc", max_azs=1, nat_gateways=0)
        vpc.add_gateway_endpoint("Endpoint", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stages, and what one account shares with another."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("assembly")))
    for name, account in (("Test", OWNER), ("Prod", OTHER)):
        stage = cdk.Stage(app, name, env=cdk.Environment(account=account, region=REGION))
        env = cdk.Environment(account=account, region=REGION)
        Use(stage, "Use", Data(stage, "Data", env), env)
    shared = cdk.Stack(app, "Shared", env=cdk.Environment(account=OWNER, region=REGION))
    grant = tg.TableGrant(
        tg.Role(account=OTHER, name="reader"),
        tg.Access.READ,
        reason="ADR-7",
        until=dt.date(2027, 1, 31),
        conditions=[tg.FromVpcEndpoint("vpce-1a2b3c4d")],
    )
    orders = tg.CrossAccountTable(shared, "Orders", table_name="orders", partition_key=KEY, table_grants=[grant])
    consumer = cdk.Stack(app, "Consumer", env=cdk.Environment(account=OTHER, region=REGION))
    tg.ConsumerRole(
        consumer, "Reader", grant=grant, table=orders.reference, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
    )
    return Path(app.synth().directory)


@pytest.fixture(scope="session")
def found(synthesized: Path) -> Review:
    stacks = read_assembly(synthesized)
    return review(collect(stacks), stacks, today=TODAY)


def access(found: Review, table: str) -> dict[str, set[str]]:
    """Who has which kinds of access to a table, roles by the end of their name."""
    (matching,) = [each for each in found.tables if each.table.name.startswith(table)]
    return {
        row.subject.label.split(" ")[1].rpartition(".")[2][:6]: {each.kind for each in row.accesses}
        for row in matching.rows
    }


@pytest.mark.parametrize("stage", ["Test", "Prod"])
def test_grants_of_the_cdk_are_followed_across_stacks_stages_and_nested_stacks(found: Review, stage: str) -> None:
    assert access(found, f"{{{stage}.Data.New") == {
        "Worker": {"read", "stream", "settings"},
        "Reader": {"read", "settings"},
    }
    assert access(found, f"{{{stage}.Data.Old") == {"Worker": {"read", "write", "settings"}}


def test_a_table_that_nobody_is_granted_has_no_rows(found: Review) -> None:
    plain = [each for each in found.tables if each.table.name == "plain"]
    assert [each.rows for each in plain] == [(), ()]


def test_what_this_library_shares_is_reviewed_without_a_finding(found: Review) -> None:
    (orders,) = [each for each in found.tables if each.table.name == "orders"]
    (row,) = orders.rows
    assert row.subject.label == f"role reader of {OTHER}"
    assert row.reasons == ("ADR-7",)
    assert {each.conditions for each in row.accesses} == {("only through vpce-1a2b3c4d",)}
    assert {each.until for each in row.accesses} == {dt.datetime(2027, 2, 1, tzinfo=dt.UTC)}
    assert found.findings == ()
    assert found.unknowns == ()


def test_nothing_of_the_cdks_own_templates_is_unknown(synthesized: Path) -> None:
    picture = collect(read_assembly(synthesized))
    assert picture.unknowns == ()
    assert {endpoint.vpc_id is not None for endpoint in picture.endpoints} == {True}
    assert [table.key_arn is not None for table in picture.tables].count(True) == 3
