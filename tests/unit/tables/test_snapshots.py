"""Each construct twice: with the least that it takes, and with everything."""

import datetime as dt
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms
from constructs import Construct
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tests.unit.tables.support import (
    ANY_KIND,
    KEY,
    LAMBDA,
    LISTENER,
    OWNER,
    PARTNER,
    PER_REPLICA,
    PK,
    READER,
    REPLICA,
    REPLICA_KEY,
    SK,
    TODAY,
    VENDOR,
    WRITER,
    app,
    consumer_stack,
    stack,
)

BY_DATE = tg.TableGrant(
    tg.Account(VENDOR),
    tg.Access.query(index="by-date"),
    reason="contract 12",
    until=dt.date(2027, 1, 31),
    conditions=[tg.FromNetwork("192.0.2.0/24"), tg.LeadingKeys("ProductCatalog-*")],
)
TABLE = tg.TableReference(account=OWNER, region="us-east-1", name="orders", indexes=("by-date",), key_arn=KEY)


def test_cross_account_table_least(template_snapshots: SnapshotAssertion) -> None:
    data = stack()
    tg.CrossAccountTable(data, "Orders", partition_key=PK)

    assert data == template_snapshots


def test_cross_account_table_everything(template_snapshots: SnapshotAssertion) -> None:
    data = stack(app(**{PER_REPLICA: True, TODAY: "2026-11-21"}))
    key = kms.Key.from_key_arn(data, "Key", KEY)
    tg.CrossAccountTable(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        sort_key=SK,
        table_grants=[READER, WRITER, LISTENER, BY_DATE],
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key, {REPLICA: REPLICA_KEY}),
        replicas=[dynamodb.ReplicaTableProps(region=REPLICA)],
        deployed_replicas=[REPLICA],
        deletion_protection=False,
        removal_policy=cdk.RemovalPolicy.DESTROY,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True, recovery_period_in_days=7
        ),
        billing=dynamodb.Billing.on_demand(max_read_request_units=100),
        contributor_insights_specification=dynamodb.ContributorInsightsSpecification(enabled=True),
        dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        global_secondary_indexes=[dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=SK)],
        local_secondary_indexes=[
            dynamodb.LocalSecondaryIndexProps(
                index_name="by-city", sort_key=dynamodb.Attribute(name="city", type=dynamodb.AttributeType.STRING)
            )
        ],
        resource_policy=iam.PolicyDocument(statements=[deny("dynamodb:DeleteTable")]),
        stream_resource_policy=iam.PolicyDocument(statements=[deny("dynamodb:DescribeStream")]),
        table_class=dynamodb.TableClass.STANDARD_INFREQUENT_ACCESS,
        tags=[cdk.CfnTag(key="team", value="orders")],
        time_to_live_attribute="expires",
        warm_throughput=dynamodb.WarmThroughput(read_units_per_second=12_000),
    )

    assert data == template_snapshots


def deny(action: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="Mine",
        effect=iam.Effect.DENY,
        actions=[action],
        principals=[iam.AnyPrincipal()],
        resources=["*"],
        conditions={"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/deploy"}},
    )


@pytest.mark.parametrize("kind", ANY_KIND)
def test_table_access_least(kind: str, template_snapshots: SnapshotAssertion) -> None:
    data = stack()
    tg.TableAccess(data, "Access", table=ANY_KIND[kind](data), table_grants=[READER])

    assert data == template_snapshots


def full_v2(data: Construct, key: kms.Key) -> dynamodb.TableV2:
    return dynamodb.TableV2(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
        dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
        global_secondary_indexes=[dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=SK)],
    )


def full_v1(data: Construct, key: kms.Key) -> dynamodb.Table:
    table = dynamodb.Table(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        stream=dynamodb.StreamViewType.NEW_IMAGE,
    )
    table.add_global_secondary_index(index_name="by-date", partition_key=SK)
    return table


def full_cfn(data: Construct, key: kms.Key) -> dynamodb.CfnTable:
    keys = dynamodb.CfnTable.KeySchemaProperty
    return dynamodb.CfnTable(
        data,
        "Orders",
        table_name="orders",
        key_schema=[keys(attribute_name="pk", key_type="HASH")],
        attribute_definitions=[
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S")
            for name in ("pk", "sk")
        ],
        global_secondary_indexes=[
            dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                index_name="by-date",
                key_schema=[keys(attribute_name="sk", key_type="HASH")],
                projection=dynamodb.CfnTable.ProjectionProperty(projection_type="ALL"),
            )
        ],
        sse_specification=dynamodb.CfnTable.SSESpecificationProperty(
            sse_enabled=True, sse_type="KMS", kms_master_key_id=key.key_arn
        ),
        stream_specification=dynamodb.CfnTable.StreamSpecificationProperty(stream_view_type="NEW_IMAGE"),
    )


def full_cfn_global(data: Construct, key: kms.Key) -> dynamodb.CfnGlobalTable:
    keys = dynamodb.CfnGlobalTable.KeySchemaProperty
    return dynamodb.CfnGlobalTable(
        data,
        "Orders",
        table_name="orders",
        key_schema=[keys(attribute_name="pk", key_type="HASH")],
        attribute_definitions=[
            dynamodb.CfnGlobalTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S")
            for name in ("pk", "sk")
        ],
        global_secondary_indexes=[
            dynamodb.CfnGlobalTable.GlobalSecondaryIndexProperty(
                index_name="by-date",
                key_schema=[keys(attribute_name="sk", key_type="HASH")],
                projection=dynamodb.CfnGlobalTable.ProjectionProperty(projection_type="ALL"),
            )
        ],
        sse_specification=dynamodb.CfnGlobalTable.SSESpecificationProperty(sse_enabled=True, sse_type="KMS"),
        stream_specification=dynamodb.CfnGlobalTable.StreamSpecificationProperty(stream_view_type="NEW_IMAGE"),
        replicas=[
            dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(
                region="us-east-1",
                sse_specification=dynamodb.CfnGlobalTable.ReplicaSSESpecificationProperty(
                    kms_master_key_id=key.key_arn
                ),
            )
        ],
    )


Make = Callable[[Construct, kms.Key], object]


@pytest.mark.parametrize(
    ("make", "knows_its_key"),
    [(full_v2, True), (full_v1, True), (full_cfn, False), (full_cfn_global, False)],
    ids=ANY_KIND,
)
def test_table_access_everything(make: Make, knows_its_key: bool, template_snapshots: SnapshotAssertion) -> None:
    data = stack(app(**{TODAY: "2026-11-21"}))
    key = kms.Key(data, "Key")
    tg.TableAccess(
        data,
        "Access",
        table=make(data, key),  # type: ignore[arg-type]
        table_grants=[READER, WRITER, LISTENER, BY_DATE],
        encryption_key=None if knows_its_key else key,
    )

    assert data == template_snapshots


def test_consumer_role_least(template_snapshots: SnapshotAssertion) -> None:
    consumer = consumer_stack(app())
    tg.ConsumerRole(consumer, "Reader", grant=READER, table=TABLE, assumed_by=LAMBDA)

    assert consumer == template_snapshots


def test_consumer_role_everything(template_snapshots: SnapshotAssertion) -> None:
    consumer = consumer_stack(app())
    tg.ConsumerRole(
        consumer,
        "Reader",
        grant=tg.TableGrant(
            tg.Role(account=PARTNER, name="reader", path="/etl/"),
            tg.Access.query(index="by-date") | tg.Access.STREAM,
            reason="ADR-7",
            until=dt.date(2027, 1, 31),
        ),
        table=TABLE,
        assumed_by=iam.AccountPrincipal(VENDOR),
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(consumer, "Boundary", "boundary"),
        max_session_duration=cdk.Duration.hours(2),
        external_ids=["alfa"],
        description="Reads the orders of a day.",
    )

    assert consumer == template_snapshots


def test_consumer_access_least(template_snapshots: SnapshotAssertion) -> None:
    consumer = consumer_stack(app())
    role = iam.Role.from_role_arn(consumer, "Role", f"arn:aws:iam::{PARTNER}:role/reader")
    tg.ConsumerAccess(consumer, "Access", role=role, grant=READER, table=TABLE)

    assert consumer == template_snapshots


def test_consumer_access_everything(template_snapshots: SnapshotAssertion) -> None:
    consumer = consumer_stack(app(), account=VENDOR)
    role = iam.Role(consumer, "Role", assumed_by=LAMBDA)
    tg.ConsumerAccess(consumer, "Access", role=role, grant=BY_DATE, table=TABLE)

    assert consumer == template_snapshots
