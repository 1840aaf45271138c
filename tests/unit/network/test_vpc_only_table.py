"""A private table: a table, its perimeter and its way in, together."""

from __future__ import annotations

import inspect

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.network.vpc_only_table import TableProperties
from tableguard.testing import assert_allowed, assert_denied
from tests.unit.network.support import APP, CONSUMER, HERE, INSIDE, OUTSIDE, REPLICA_VPC, THERE, allows, vpc_of
from tests.unit.tables.support import (
    ORDERS,
    OWNER,
    PER_REPLICA,
    PK,
    READER,
    REGION,
    REPLICA,
    REPLICA_KEY,
    SK,
    Documents,
    app,
    resolved,
    stack,
)

TABLE = "AWS::DynamoDB::GlobalTable"


def test_three_lines_make_a_private_table_and_the_way_to_it() -> None:
    data = stack()
    vpc = ec2.Vpc(data, "Vpc", max_azs=1)
    way = tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc)
    tg.VpcOnlyTable(data, "Orders", table_name="orders", partition_key=PK, endpoints=[way])
    policy = Documents.of(data).table_policy()
    assert allows(policy, "GetItem", principal=APP, context={"aws:SourceVpc": "<Vpc8378EB38>"})
    assert not allows(policy, "GetItem", principal=APP, context=OUTSIDE["no endpoint"])
    (endpoint,) = Documents.of(data).resources("AWS::EC2::VPCEndpoint")
    reached = resolved(endpoint["Properties"]["PolicyDocument"])["Statement"][0]["Resource"]
    assert reached == [ORDERS, f"{ORDERS}/index/*"]


def test_the_resource_stays_the_same() -> None:
    def made(kind: str) -> set[str]:
        data = stack()
        if kind == "ours":
            tg.VpcOnlyTable(data, "Orders", partition_key=PK, vpcs=[vpc_of(data)])
        elif kind == "shared":
            tg.CrossAccountTable(data, "Orders", partition_key=PK)
        else:
            dynamodb.TableV2(data, "Orders", partition_key=PK)
        return set(Template.from_stack(data).find_resources(TABLE))

    assert made("ours") == made("shared") == made("plain")


def test_it_takes_what_a_cross_account_table_takes() -> None:
    named = set(inspect.signature(tg.VpcOnlyTable.__init__).parameters)
    shared = set(inspect.signature(tg.CrossAccountTable.__init__).parameters)
    assert shared - named == set(TableProperties.__annotations__)
    data = stack()
    tg.VpcOnlyTable(data, "Orders", partition_key=PK, sort_key=SK, time_to_live_attribute="ends", vpcs=[vpc_of(data)])
    properties = Documents.of(data).table["Properties"]
    assert len(properties["KeySchema"]) == 2
    assert properties["TimeToLiveSpecification"]["AttributeName"] == "ends"


def test_what_it_does_not_take_is_an_error() -> None:
    data = stack()
    with pytest.raises(TypeError, match="table_nmae"):
        tg.VpcOnlyTable(data, "Orders", partition_key=PK, vpcs=[vpc_of(data)], table_nmae="orders")  # type: ignore[call-arg]


def test_grants_and_perimeter_combine_over_the_whole_app() -> None:
    scope = app()
    data, consumer = stack(scope), stack(scope, "Consumer", account="222233334444")
    orders = tg.VpcOnlyTable(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        perimeter=tg.Perimeter(networks=[HERE]),
        table_grants=[READER],
    )
    tg.ConsumerRole(
        consumer,
        "Reader",
        grant=READER,
        table=orders.reference,
        assumed_by=cdk.aws_iam.ServicePrincipal("lambda.amazonaws.com"),
    )
    assert orders.table_grants == (READER,)
    assert orders.perimeter.networks == (HERE,)
    assert_allowed(scope, principal=CONSUMER, action="dynamodb:GetItem", resource=orders.reference, context=INSIDE)
    assert_denied(scope, principal=CONSUMER, action="dynamodb:PutItem", resource=orders.reference, context=INSIDE)
    for place in OUTSIDE.values():
        assert_denied(scope, principal=CONSUMER, action="dynamodb:GetItem", resource=orders.reference, context=place)


def test_a_grant_can_follow() -> None:
    data = stack()
    orders = tg.VpcOnlyTable(data, "Orders", table_name="orders", partition_key=PK, vpcs=[vpc_of(data)])
    orders.grant(READER)
    policy = Documents.of(data).table_policy()
    assert allows(policy, "GetItem", principal=CONSUMER, context=INSIDE)
    assert not allows(policy, "GetItem", principal=CONSUMER, context=OUTSIDE["another VPC"])


def test_several_vpcs_and_regions() -> None:
    data = stack(app(**{PER_REPLICA: True}))
    key = cdk.aws_kms.Key(data, "Key")
    tg.VpcOnlyTable(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key, {REPLICA: REPLICA_KEY}),
        replicas=[dynamodb.ReplicaTableProps(region=REPLICA)],
        deployed_replicas=[REPLICA],
        vpcs=[vpc_of(data)],
        perimeter=tg.Perimeter(networks=[THERE, tg.FromVpc("vpc-0fed9876", region=REGION)]),
    )
    documents = Documents.of(data)
    for vpc in ("vpc-0abc1234", "vpc-0fed9876"):
        assert allows(documents.table_policy(), "GetItem", principal=APP, context={"aws:SourceVpc": vpc})
    assert not allows(documents.table_policy(), "GetItem", principal=APP, context={"aws:SourceVpc": REPLICA_VPC})
    there = documents.table_policy(REPLICA)
    in_replica = ORDERS.replace(REGION, REPLICA)
    assert allows(there, "GetItem", principal=APP, resource=in_replica, context={"aws:SourceVpc": REPLICA_VPC})
    assert not allows(there, "GetItem", principal=APP, resource=in_replica, context=INSIDE)


def test_two_perimeters_are_refused() -> None:
    data = stack()
    orders = tg.VpcOnlyTable(data, "Orders", partition_key=PK, vpcs=[vpc_of(data)])
    with pytest.raises(tg.InvalidInputError, match="one of each kind for a table"):
        tg.TablePerimeter(data, "Second", table=orders.table, perimeter=tg.Perimeter(networks=[HERE]))
    assert Documents.of(data).account == OWNER
