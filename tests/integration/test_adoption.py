"""Tables that are deployed and in use get grants, and stay what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

import tableguard as tg
from scripts.deployment.accounts import Accounts
from scripts.deployment.cdk import Cdk
from scripts.deployment.found import Found, table_policy
from scripts.deployment.plan import context
from tableguard.review.assembly import read_assembly
from tests.integration import deploy_local
from tests.integration.conftest import Stage, silent
from tests.integration.deciding import may
from tests.integration.emulator.server import Emulator

OWNER = ("444455556666", "us-east-1")
READER = "arn:aws:iam::111122223333:role/alfa-reader"
STRANGER = "arn:aws:iam::123456789012:role/alfa-reader"
ALLOWED_AT_HOME = [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]
GRANT = tg.TableGrant(
    tg.Role(account="111122223333", name="alfa-reader"), tg.Access.READ_ITEMS, reason="ADR-7: tenant Alfa"
)
THROUGH_DYNAMODB = {
    "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
    "kms:EncryptionContext:aws:dynamodb:subscriberId": OWNER[0],
    "kms:EncryptionContext:aws:dynamodb:tableName": "orders",
}
PK = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
ITEM = {"pk": {"S": "there before"}}
TABLES = {"Legacy": "AWS::DynamoDB::Table", "Modern": "AWS::DynamoDB::GlobalTable", "Plain": "AWS::DynamoDB::Table"}


def plain(stack: cdk.Stack) -> dynamodb.CfnTable:
    return dynamodb.CfnTable(
        stack,
        "Orders",
        key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="pk", key_type="HASH")],
        attribute_definitions=[dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="pk", attribute_type="S")],
        billing_mode="PAY_PER_REQUEST",
    )


def before(legacy: cdk.Stack, modern: cdk.Stack, other: cdk.Stack) -> None:
    """The app as it was before anybody knew of us. Two of its tables have no name, as most tables."""
    dynamodb.Table(legacy, "Orders", partition_key=PK)
    dynamodb.TableV2(modern, "Orders", table_name="orders", partition_key=PK)
    plain(other)


def adopted(legacy: cdk.Stack, modern: cdk.Stack, other: cdk.Stack, **more: Any) -> None:
    """With a grant on each of its tables."""
    table = dynamodb.Table(legacy, "Orders", partition_key=PK, **more)
    tg.TableAccess(legacy, "Access", table=table, table_grants=[GRANT])
    tg.CrossAccountTable(modern, "Orders", table_name="orders", partition_key=PK, table_grants=[GRANT])
    tg.TableAccess(other, "Access", table=plain(other), table_grants=[GRANT])


def with_a_name(*stacks: cdk.Stack) -> None:
    """Where one of them gets a name, too: what is not to be done."""
    adopted(*stacks, table_name="legacy-orders")


def synthesized(app_of: Callable[..., None], folder: Path) -> Path:
    """The assembly of an app with three stacks, the way `cdk synth` makes it."""
    app = cdk.App(outdir=str(folder / app_of.__name__), context=context())
    account, region = OWNER
    app_of(*(cdk.Stack(app, name, env=cdk.Environment(account=account, region=region)) for name in TABLES))
    return Path(app.synth().directory)


@dataclass(frozen=True)
class Shop:
    """The deployed app."""

    accounts: Accounts
    cdk: Cdk

    @property
    def dynamodb(self) -> Any:
        return self.accounts.client("dynamodb", OWNER)

    def names(self, assembly: Path) -> dict[str, str]:
        """The names of the tables, by stack."""
        found = Found(self.accounts)
        stacks = {stack.name: (stack, found.physical_ids(stack)) for stack in read_assembly(assembly)}
        return {
            name: there[logical_id]
            for name, (stack, there) in stacks.items()
            for logical_id, _ in stack.resources(TABLES[name])
        }

    def identity(self, name: str) -> tuple[Any, ...]:
        """What a table that is made anew has not in common with the one before."""
        said = self.dynamodb.describe_table(TableName=name)["Table"]
        return said["TableId"], said["CreationDateTime"], self.dynamodb.get_item(TableName=name, Key=ITEM)["Item"]

    def policy(self, name: str) -> Any:
        return table_policy(self.accounts, OWNER, self.arn(name))

    def key(self, name: str) -> tuple[str, Any]:
        """The ARN and the policy of a table's key."""
        arn = self.dynamodb.describe_table(TableName=name)["Table"]["SSEDescription"]["KMSMasterKeyArn"]
        policy = self.accounts.client("kms", OWNER).get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
        return arn, json.loads(policy)

    def arn(self, name: str) -> str:
        return f"arn:aws:dynamodb:us-east-1:444455556666:table/{name}"


@pytest.fixture
def shop(bootstrapped: Stage) -> Iterator[Shop]:
    profiles = {OWNER[0]: OWNER[0]}
    with Emulator(bootstrapped.emulator) as emulator:
        accounts = Accounts(profiles, deploy_local.environment(emulator, profiles))
        yield Shop(accounts, Cdk(accounts, OWNER[0], emulator.folder, silent()))


def replaced(difference: str) -> set[str]:
    """The resources that `cdk diff` says will be replaced, or destroyed, for certain."""
    found = re.findall(r"^\[[-~]\] (.*) (?:replace|destroy|orphan)$", difference, re.MULTILINE)
    assert ("requires replacement" in difference) == bool(found)
    return set(found)


def replacing(kind: str) -> set[str]:
    """The properties whose change may replace a resource, as CloudFormation's schema of its type says."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    said = [*schema["createOnlyProperties"], *schema.get("conditionalCreateOnlyProperties", ())]
    return {each.removeprefix("/properties/") for each in said}


def perhaps_replaced(difference: str) -> set[str]:
    """The properties whose change may, to the knowledge of `cdk diff`, replace a table."""
    return set(re.findall(r"\[[-+~]\] (\w+) \(may cause replacement\)", difference))


def test_tables_of_every_kind_get_grants_without_being_replaced(shop: Shop, tmp_path: Path) -> None:
    today, tomorrow = synthesized(before, tmp_path), synthesized(adopted, tmp_path)
    shop.cdk.deploy(today)
    names = shop.names(today)
    assert set(names) == set(TABLES)
    for name in names.values():
        shop.dynamodb.put_item(TableName=name, Item=ITEM)
        assert not may(READER, "dynamodb:GetItem", shop.arn(name), policy=shop.policy(name), identity=ALLOWED_AT_HOME)
    identities = {name: shop.identity(name) for name in names.values()}

    difference = shop.cdk.differs(tomorrow)
    assert replaced(difference) == set()
    # It says so of most properties of a GlobalTable; CloudFormation replaces the table for neither of these.
    assert perhaps_replaced(difference) == {"Replicas", "SSESpecification"}
    assert perhaps_replaced(difference) & replacing("AWS::DynamoDB::GlobalTable") == set()
    named = shop.cdk.differs(synthesized(with_a_name, tmp_path))
    assert replaced(named) == {"AWS::DynamoDB::Table Orders OrdersA9B65338"}
    assert "TableName" in replacing("AWS::DynamoDB::Table")

    shop.cdk.deploy(tomorrow)
    assert shop.names(tomorrow) == names
    assert {name: shop.identity(name) for name in names.values()} == identities
    for name in names.values():
        arn, policy = shop.arn(name), shop.policy(name)
        assert may(READER, "dynamodb:GetItem", arn, policy=policy, identity=ALLOWED_AT_HOME)
        assert not may(READER, "dynamodb:PutItem", arn, policy=policy, identity=ALLOWED_AT_HOME)
        assert not may(READER, "dynamodb:GetItem", arn, policy=policy, identity=[])
        assert not may(STRANGER, "dynamodb:GetItem", arn, policy=policy, identity=ALLOWED_AT_HOME)
    assert may(READER, "kms:Decrypt", *shop.key("orders"), identity=ALLOWED_AT_HOME, context=THROUGH_DYNAMODB)
    assert not may(READER, "kms:Decrypt", *shop.key("orders"), identity=ALLOWED_AT_HOME)
