"""ConsumerRole and ConsumerAccess: the consumer's side of a grant."""

import datetime as dt
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam, aws_s3 as s3

import tableguard as tg
from tableguard.policy.metadata import METADATA_KEY, consumer_metadata
from tests.unit.tables.support import (
    KEY,
    LAMBDA,
    OWNER,
    PARTNER,
    PK,
    READER,
    REGION,
    VENDOR,
    Documents,
    allowed,
    app,
    consumer_stack,
    denied,
    encryption_context,
    stack,
    strings,
)

TABLE = tg.TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date",))
NESTED = tg.TableGrant(tg.Role(account=PARTNER, name="reader", path="/etl/"), tg.Access.READ, reason="ADR-7")


def only_role(documents: Documents) -> dict[str, object]:
    (found,) = documents.resources("AWS::IAM::Role")
    properties: dict[str, object] = found["Properties"]
    return properties


def test_the_role_has_the_name_and_path_that_the_grant_says() -> None:
    consumer = consumer_stack(app())
    made = tg.ConsumerRole(consumer, "Reader", grant=NESTED, table=TABLE, assumed_by=LAMBDA)

    properties = only_role(Documents.of(consumer))
    assert (properties["RoleName"], properties["Path"]) == ("reader", "/etl/")
    assert made.access.role is made.role


@pytest.mark.parametrize(
    "principal",
    [
        tg.Account(PARTNER),
        tg.Organization("o-a1b2c3d4e5"),
        tg.OrganizationalUnit("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"),
    ],
    ids=lambda principal: type(principal).__name__,
)
def test_the_role_of_a_grant_to_many_gets_its_name_at_deployment(principal: tg.Principal) -> None:
    consumer = consumer_stack(app())
    grant = tg.TableGrant(principal, tg.Access.READ, reason="ADR-7")
    tg.ConsumerRole(consumer, "Reader", grant=grant, table=TABLE, assumed_by=LAMBDA)

    assert "RoleName" not in only_role(Documents.of(consumer))


def test_the_role_of_a_grant_to_a_session_has_the_name_of_the_sessions_role() -> None:
    consumer = consumer_stack(app())
    session = tg.RoleSession(account=PARTNER, role="admin", session="alice")
    grant = tg.TableGrant(session, tg.Access.READ, reason="ADR-7")
    tg.ConsumerRole(consumer, "Reader", grant=grant, table=TABLE, assumed_by=LAMBDA)

    assert only_role(Documents.of(consumer))["RoleName"] == "admin"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ADR-7", f"READ on orders of {OWNER}: ADR-7"),
        ("Vertrag №12", f"READ on orders of {OWNER}: Vertrag ?12"),
        ("x" * 2000, f"READ on orders of {OWNER}: {'x' * 968}"),
    ],
    ids=["a reason", "beyond Latin-1", "longer than IAM takes"],
)
def test_the_description_says_what_the_role_is_for(reason: str, expected: str) -> None:
    consumer = consumer_stack(app())
    grant = tg.TableGrant(tg.Role(account=PARTNER, name="reader"), tg.Access.READ, reason=reason)
    tg.ConsumerRole(consumer, "Reader", grant=grant, table=TABLE, assumed_by=LAMBDA)

    assert only_role(Documents.of(consumer))["Description"] == expected


def test_other_permissions_are_granted_to_the_role_as_to_any_role() -> None:
    consumer = consumer_stack(app())
    made = tg.ConsumerRole(consumer, "Reader", grant=READER, table=TABLE, assumed_by=LAMBDA)
    s3.Bucket(consumer, "Bucket").grant_read(made)

    assert "s3:GetObject*" in set(strings(Documents.of(consumer).identity_policies))


def test_whoever_depends_on_the_role_waits_for_its_policy() -> None:
    consumer = consumer_stack(app())
    made = tg.ConsumerRole(consumer, "Reader", grant=READER, table=TABLE, assumed_by=LAMBDA)
    function = cdk.CfnResource(consumer, "Function", type="AWS::Lambda::Function")
    function.node.add_dependency(made.role)

    (found,) = Documents.of(consumer).resources("AWS::Lambda::Function")
    assert consumer.resolve(made.access.policy.logical_id) in found["DependsOn"]


def test_an_existing_role_of_the_stack_gets_a_policy_of_its_own() -> None:
    consumer = consumer_stack(app())
    existing = iam.Role(consumer, "Role", role_name="reader", assumed_by=LAMBDA)
    access = tg.ConsumerAccess(consumer, "Access", role=existing, grant=READER, table=TABLE)

    documents = Documents.of(consumer)
    (policy,) = documents.resources("AWS::IAM::Policy")
    assert policy["Properties"]["Roles"] == [{"Ref": consumer.get_logical_id(existing.node.default_child)}]  # type: ignore[arg-type]
    assert access.policy.node.path == "Consumer/Access/Policy"


def test_a_role_of_another_stack_of_the_account_gets_its_policy_here() -> None:
    root = app()
    roles, consumer = consumer_stack(root, "Roles"), consumer_stack(root)
    existing = iam.Role(roles, "Role", role_name="reader", assumed_by=LAMBDA)
    tg.ConsumerAccess(consumer, "Access", role=existing, grant=READER, table=TABLE)

    assert Documents.of(roles).identity_policies == []
    assert len(Documents.of(consumer).identity_policies) == 1


@pytest.mark.parametrize(
    ("imported", "grant"),
    [
        (f"arn:aws:iam::{PARTNER}:role/reader", READER),
        (f"arn:aws:iam::{PARTNER}:role/etl/reader", NESTED),
        ("by name", READER),
    ],
)
def test_an_imported_role_gets_its_policy_here(imported: str, grant: tg.TableGrant) -> None:
    consumer = consumer_stack(app())
    existing = (
        iam.Role.from_role_name(consumer, "Role", "reader")
        if imported == "by name"
        else iam.Role.from_role_arn(consumer, "Role", imported)
    )
    tg.ConsumerAccess(consumer, "Access", role=existing, grant=grant, table=TABLE)

    (policy,) = Documents.of(consumer).resources("AWS::IAM::Policy")
    assert policy["Properties"]["Roles"] == ["reader"]


def test_a_role_that_only_the_deployment_knows_is_taken_at_its_word() -> None:
    consumer = consumer_stack(app())
    parameter = cdk.CfnParameter(consumer, "RoleArn")
    imported = iam.Role.from_role_arn(consumer, "Imported", parameter.value_as_string)
    named = iam.Role(consumer, "Named", role_name=cdk.CfnParameter(consumer, "Name").value_as_string, assumed_by=LAMBDA)
    tg.ConsumerAccess(consumer, "Access", role=imported, grant=READER, table=TABLE)
    tg.ConsumerAccess(consumer, "Access2", role=named, grant=READER, table=TABLE)

    assert len(Documents.of(consumer).resources("AWS::IAM::Policy")) == 2


def test_any_role_of_the_account_serves_a_grant_to_the_account() -> None:
    consumer = consumer_stack(app())
    unnamed = iam.Role(consumer, "Role", assumed_by=LAMBDA)
    grant = tg.TableGrant(tg.Account(PARTNER), tg.Access.READ, reason="ADR-7")
    tg.ConsumerAccess(consumer, "Access", role=unnamed, grant=grant, table=TABLE)

    assert len(Documents.of(consumer).identity_policies) == 1


def test_two_grants_for_one_role_are_two_policies() -> None:
    consumer = consumer_stack(app())
    made = tg.ConsumerRole(consumer, "Reader", grant=READER, table=TABLE, assumed_by=LAMBDA)
    stream = tg.TableGrant(tg.Role(account=PARTNER, name="reader"), tg.Access.STREAM, reason="ADR-7")
    tg.ConsumerAccess(consumer, "Stream", role=made.role, grant=stream, table=TABLE)

    names = [p["Properties"]["PolicyName"] for p in Documents.of(consumer).resources("AWS::IAM::Policy")]
    assert len(set(names)) == 2


def test_a_consumer_of_the_tables_own_account_needs_neither_reason_nor_name() -> None:
    data = stack()
    table = tg.CrossAccountTable(data, "Orders", partition_key=PK)
    batch = tg.TableGrant(tg.Role(account=OWNER, name="batch"), tg.Access.READ)
    tg.ConsumerRole(data, "Batch", grant=batch, table=table.reference, assumed_by=LAMBDA)

    assert only_role(Documents.of(data))["Description"] is not None


def test_the_exact_key_is_named_where_the_reference_knows_it() -> None:
    consumer = consumer_stack(app())
    table = tg.TableReference(account=OWNER, region=REGION, name="orders", key_arn=KEY)
    tg.ConsumerRole(consumer, "Reader", grant=READER, table=table, assumed_by=LAMBDA)

    by_its_own: dict[str, Any] = {"context": encryption_context(), "table_policy": "any"}
    allowed(consumer, "kms:Decrypt", resource=KEY, **by_its_own)
    denied(consumer, "kms:Decrypt", resource=f"{KEY[:-1]}0", **by_its_own)


def test_table_and_grant_stand_in_the_metadata_of_the_policy() -> None:
    consumer = consumer_stack(app(), account=VENDOR)
    role = iam.Role(consumer, "Role", role_name="reader", assumed_by=LAMBDA)
    until = dt.date(2027, 1, 31)
    grant = tg.TableGrant(tg.Account(VENDOR), tg.Access.READ, reason="contract 12", until=until)
    tg.ConsumerAccess(consumer, "Access", role=role, grant=grant, table=TABLE)

    (policy,) = Documents.of(consumer).resources("AWS::IAM::Policy")
    assert policy["Metadata"][METADATA_KEY] == consumer_metadata(grant, TABLE)
