"""CrossAccountTable: what it makes, and that a plain TableV2 can be swapped for it and back."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_kms as kms
from aws_cdk.assertions import Match, Template
from constructs import Construct

import tableguard as tg
from tests.unit.tables.support import (
    ORDERS,
    OWNER,
    PK,
    READER,
    REGION,
    SK,
    Documents,
    Json,
    allowed,
    app,
    denied,
    role,
    stack,
)

# Changing one of these replaces the table. Source: CloudFormation reference, AWS::DynamoDB::GlobalTable.
CREATE_ONLY = ("TableName", "KeySchema", "LocalSecondaryIndexes", "AttributeDefinitions", "BillingMode")

SHAPES: dict[str, dict[str, Any]] = {
    "named": {"table_name": "orders"},
    "unnamed": {},
    "with a sort key": {"table_name": "orders", "sort_key": SK},
    "with indexes": {
        "sort_key": SK,
        "local_secondary_indexes": [dynamodb.LocalSecondaryIndexProps(index_name="by-city", sort_key=SK)],
        "global_secondary_indexes": [dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=SK)],
    },
    "provisioned": {
        "billing": dynamodb.Billing.provisioned(
            read_capacity=dynamodb.Capacity.fixed(1), write_capacity=dynamodb.Capacity.autoscaled(max_capacity=2)
        )
    },
}


def table_in(make: Callable[[cdk.Stack], object]) -> tuple[str, Json]:
    data = stack()
    make(data)
    template = Documents.of(data).template
    ((logical_id, resource),) = (
        (key, value) for key, value in template["Resources"].items() if value["Type"] == "AWS::DynamoDB::GlobalTable"
    )
    return logical_id, resource["Properties"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scope", ["stack", "construct"])
def test_swapping_a_table_v2_for_it_or_it_for_a_table_v2_replaces_nothing(shape: str, scope: str) -> None:
    def inside(data: cdk.Stack) -> Construct:
        return data if scope == "stack" else Construct(data, "Service")

    plain_id, plain = table_in(lambda data: dynamodb.TableV2(inside(data), "Orders", partition_key=PK, **SHAPES[shape]))
    ours_id, ours = table_in(
        lambda data: tg.CrossAccountTable(inside(data), "Orders", partition_key=PK, **SHAPES[shape])
    )

    assert ours_id == plain_id
    assert {name: ours.get(name) for name in CREATE_ONLY} == {name: plain.get(name) for name in CREATE_ONLY}


def test_a_grant_changes_nothing_that_replaces_the_table_or_changes_its_encryption() -> None:
    without, with_ = (
        table_in(
            lambda data, grants=grants: tg.CrossAccountTable(  # type: ignore[misc]
                data, "Orders", partition_key=PK, table_name="orders", table_grants=grants
            )
        )
        for grants in ([], [READER])
    )

    (replica,) = with_[1]["Replicas"]
    policy = replica.pop("ResourcePolicy")
    assert policy["PolicyDocument"]["Statement"]
    assert with_ == without


@pytest.fixture(scope="module")
def default() -> Documents:
    data = stack()
    tg.CrossAccountTable(data, "Orders", partition_key=PK, table_name="orders", table_grants=[READER])
    return Documents.of(data)


def test_point_in_time_recovery_and_deletion_protection_are_on(default: Documents) -> None:
    assert default.replica()["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert default.replica()["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::GlobalTable", "AWS::KMS::Key"])
def test_table_and_key_outlive_the_stack(default: Documents, kind: str) -> None:
    (resource,) = default.resources(kind)

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_table_is_encrypted_with_a_key_of_its_own_that_rotates(default: Documents) -> None:
    ((key_id, key),) = (
        (name, value) for name, value in default.template["Resources"].items() if value["Type"] == "AWS::KMS::Key"
    )

    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["Properties"]["Description"] == "Encrypts the DynamoDB table orders"
    assert default.replica()["SSESpecification"] == {"KMSMasterKeyId": {"Fn::GetAtt": [key_id, "Arn"]}}


def test_the_key_of_an_unnamed_table_is_described_by_the_path_of_the_construct() -> None:
    data = stack()
    tg.CrossAccountTable(data, "Orders", partition_key=PK)

    (key,) = Documents.of(data).resources("AWS::KMS::Key")
    assert key["Properties"]["Description"] == "Encrypts the DynamoDB table Data/Orders"


def test_the_removal_policy_is_that_of_table_and_key() -> None:
    data = stack()
    tg.CrossAccountTable(data, "Orders", partition_key=PK, removal_policy=cdk.RemovalPolicy.DESTROY)

    resources = Documents.of(data).template["Resources"].values()
    assert {resource["DeletionPolicy"] for resource in resources} == {"Delete"}


def test_a_key_of_the_caller_is_used_and_none_is_made() -> None:
    data = stack()
    key = kms.Key(data, "Mine")
    tg.CrossAccountTable(
        data,
        "Orders",
        partition_key=PK,
        table_name="orders",
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
        table_grants=[READER],
    )

    documents = Documents.of(data)
    assert len(documents.resources("AWS::KMS::Key")) == 1
    assert "kms:Decrypt" in [statement["Action"] for statement in documents.key_policy["Statement"]]


def test_the_aws_owned_key_takes_a_grant_and_its_reader_needs_no_key() -> None:
    data = stack()
    table = tg.CrossAccountTable(
        data,
        "Orders",
        partition_key=PK,
        table_name="orders",
        encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
        table_grants=[READER],
    )

    allowed(data, "GetItem")
    denied(data, "PutItem")
    assert table.reference.customer_managed_key is False
    assert "kms:" not in str(READER.identity_policy(table.reference))


def test_the_table_its_grants_and_its_reference_are_there_to_build_on() -> None:
    table = tg.CrossAccountTable(stack(), "Orders", partition_key=PK, table_name="orders", table_grants=[READER])

    assert isinstance(table.table, dynamodb.TableV2)
    assert table.table_grants == (READER,)
    assert table.reference == tg.TableReference(account=OWNER, region=REGION, name="orders")


def test_the_reference_knows_an_index_that_is_added_later() -> None:
    table = tg.CrossAccountTable(stack(), "Orders", partition_key=PK, table_name="orders")
    table.table.add_global_secondary_index(index_name="by-date", partition_key=SK)

    assert table.reference.indexes == ("by-date",)


def test_a_grant_made_before_an_index_covers_the_index_as_well() -> None:
    data = stack()
    table = tg.CrossAccountTable(data, "Orders", partition_key=PK, table_name="orders", table_grants=[READER])
    table.table.add_global_secondary_index(index_name="by-date", partition_key=SK)

    allowed(data, "Query", resource=f"{ORDERS}/index/by-date")
    allowed(data, "GetItem")
    denied(data, "PutItem")
    denied(data, "Query", resource=f"{ORDERS}/index/by-date", principal=role("other"))


def test_properties_can_be_given_as_plain_dicts() -> None:
    data = stack()
    tg.CrossAccountTable(
        data,
        "Orders",
        partition_key={"name": "pk", "type": dynamodb.AttributeType.STRING},  # type: ignore[arg-type]
        point_in_time_recovery_specification={"point_in_time_recovery_enabled": False},  # type: ignore[arg-type]
    )

    assert Documents.of(data).replica()["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": False}


def test_it_works_in_a_nested_stack() -> None:
    data = stack(app())
    nested = cdk.NestedStack(data, "Nested")
    tg.CrossAccountTable(nested, "Orders", partition_key=PK, table_name="orders", table_grants=[READER])

    allowed(data, "GetItem")
    denied(data, "PutItem")


def test_without_a_name_it_grants_inside_its_account_and_its_key_is_not_tied_to_a_name() -> None:
    data = stack()
    table = tg.CrossAccountTable(data, "Orders", partition_key=PK)
    table.grant(tg.TableGrant(tg.Role(account=OWNER, name="batch"), tg.Access.READ, name_principal=True))

    batch = {"principal": role("batch", OWNER), "resource": table.table, "identity": []}
    allowed(data, "GetItem", **batch)
    denied(data, "PutItem", **batch)
    denied(data, "GetItem", **{**batch, "principal": role("other", OWNER)})
    assert "tableName" not in str(Documents.of(data).key_policy)


def test_deprecated_arguments_of_tablev2_pass_through() -> None:
    data = stack()
    tg.CrossAccountTable(data, "Orders", partition_key=PK, point_in_time_recovery=False, contributor_insights=True)

    Template.from_stack(data).has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "Replicas": [
                Match.object_like(
                    {
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
                        "ContributorInsightsSpecification": {"Enabled": True},
                    }
                )
            ]
        },
    )
