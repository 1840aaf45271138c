"""How a restored table is made: CreateTable's arguments, and its policies, from tables of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms

import tableguard as tg
from tableguard.backup.restore.blueprint_policy import BlueprintPolicy, exempting
from tableguard.backup.restore.create_table import create_table
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tableguard.backup.restore.table_parts import Capacity, Index
from tests.unit.backup.restore.support import (
    LEAST,
    NEW,
    VAULT,
    Json,
    data_app,
    definition,
    full_table,
    rendered,
    restore,
)
from tests.unit.tables.support import (
    ANY_KIND,
    LISTENER,
    OWNER,
    READER,
    REGION,
    REPLICA,
    REPLICA_KEY,
    SK,
    VENDOR,
    allowed,
    cfn_global_table,
    denied,
    role,
    stack,
    statements,
    table_v1,
    table_v2,
)

ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST", "TableClass": "STANDARD"}
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
INSIDE = {"aws:SourceVpce": "vpce-1a2b3c4d", "aws:SourceIp": None, "aws:SourceVpc": "vpc-0abc1234def567890"}


def arguments(table: Any, **changes: Any) -> Json:
    return create_table(TableBlueprint.like(table, **changes).blueprint(), key_arn=None)


def provisioned_v1(scope: cdk.Stack) -> dynamodb.Table:
    table = table_v1(scope, read_capacity=3, write_capacity=4)
    table.add_global_secondary_index(
        index_name="by-date",
        partition_key=SK,
        read_capacity=5,
        write_capacity=6,
        projection_type=dynamodb.ProjectionType.INCLUDE,
        non_key_attributes=["city"],
    )
    table.auto_scale_read_capacity(min_capacity=3, max_capacity=30)
    return table


def provisioned_v2(scope: cdk.Stack) -> dynamodb.TableV2:
    return table_v2(
        scope,
        billing=dynamodb.Billing.provisioned(
            read_capacity=dynamodb.Capacity.fixed(7),
            write_capacity=dynamodb.Capacity.autoscaled(min_capacity=8, max_capacity=80, seed_capacity=9),
        ),
    )


MATRIX: dict[str, tuple[Callable[[cdk.Stack], Any], Json]] = {
    "TableV2": (table_v2, {**KEYS, **ON_DEMAND}),
    "CfnTable": (ANY_KIND["CfnTable"], {**KEYS, **ON_DEMAND}),
    "CfnGlobalTable": (cfn_global_table, {**KEYS, **ON_DEMAND}),
    "Table, provisioned and scaled, with an index": (
        provisioned_v1,
        {
            **KEYS,
            "AttributeDefinitions": [*KEYS["AttributeDefinitions"], {"AttributeName": "sk", "AttributeType": "S"}],
            "BillingMode": "PROVISIONED",
            "TableClass": "STANDARD",
            "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-date",
                    "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["city"]},
                    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
                }
            ],
        },
    ),
    "TableV2, provisioned": (
        provisioned_v2,
        {
            **KEYS,
            "BillingMode": "PROVISIONED",
            "TableClass": "STANDARD",
            "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 9},
        },
    ),
    "TableV2, limited on demand, infrequent": (
        lambda scope: table_v2(
            scope,
            billing=dynamodb.Billing.on_demand(max_read_request_units=10),
            table_class=dynamodb.TableClass.STANDARD_INFREQUENT_ACCESS,
        ),
        {
            **KEYS,
            "BillingMode": "PAY_PER_REQUEST",
            "TableClass": "STANDARD_INFREQUENT_ACCESS",
            "OnDemandThroughput": {"MaxReadRequestUnits": 10},
        },
    ),
    "TableV2 with replicas": (
        lambda scope: table_v2(scope, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)]),
        {**KEYS, **ON_DEMAND, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}},
    ),
    "everything": (
        full_table,
        {
            **ON_DEMAND,
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "city")],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "LocalSecondaryIndexes": [
                {
                    "IndexName": "by-city",
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "city", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-date",
                    "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            "WarmThroughput": {"ReadUnitsPerSecond": 13_000},
        },
    ),
}


@pytest.mark.parametrize("kind", MATRIX)
def test_a_table_like_another_has_everything_that_the_other_has(kind: str) -> None:
    make, expected = MATRIX[kind]
    assert arguments(make(stack())) == expected


def test_what_follows_the_creation_is_read_as_well() -> None:
    read = TableBlueprint.like(full_table(stack())).blueprint()
    assert (read.time_to_live, read.recovery_days, read.tags) == ("expires", 35, {"team": "orders"})
    assert read.contributor_insights == "ACCESSED_AND_THROTTLED_KEYS"
    assert (read.deletion_protection, read.customer_managed_key) == (True, True)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (table_v2, False),
        (lambda s: table_v2(s, encryption=dynamodb.TableEncryptionV2.aws_managed_key()), True),
        (lambda s: table_v1(s, encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED), True),
        (
            lambda s: table_v2(
                s,
                encryption=dynamodb.TableEncryptionV2.customer_managed_key(kms.Key(s, "K"), {REPLICA: REPLICA_KEY}),
                replicas=[dynamodb.ReplicaTableProps(region=REPLICA)],
            ),
            True,
        ),
    ],
)
def test_a_customer_managed_key_takes_the_place_of_every_key(make: Callable[[cdk.Stack], Any], key: bool) -> None:
    assert TableBlueprint.like(make(stack())).blueprint().customer_managed_key is key


def test_what_is_added_to_the_table_afterwards_counts() -> None:
    _, data, vault = data_app()
    table = table_v1(data)
    restore(vault, blueprint=TableBlueprint.like(table), source=None)
    cdk.Tags.of(table).add("team", "late")
    table.add_global_secondary_index(index_name="late", partition_key=SK)
    create = definition(vault)["States"]["Create"]["Arguments"]
    assert [index["IndexName"] for index in create["GlobalSecondaryIndexes"]] == ["late"]
    assert {"Key": "team", "Value": "late"} in create["Tags"]


def restricted() -> Json:
    """The machine of a restore of a table with grants, restrictions and a statement of somebody else."""
    _, data, vault = data_app()
    table = full_table(data)
    made = restore(vault, blueprint=TableBlueprint.like(table), source=None, role_name="restore")
    assert made.role is not None
    table.grant(READER, LISTENER)
    tg.TablePerimeter(
        data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])
    )
    tg.NoHumanAccess(data, "People", table=table)
    table.table.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Mine",
            actions=["dynamodb:GetItem"],
            principals=[iam.ArnPrincipal(f"arn:aws:iam::{VENDOR}:role/theirs")],
            resources=[f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"],
        )
    )
    return definition(vault)


@pytest.fixture(scope="module")
def machine() -> Json:
    return restricted()


def asks(policy: Json | None, **more: Any) -> dict[str, Any]:
    return {"where": None, "resource": NEW, "table_policy": policy, **more}


@pytest.mark.parametrize("name", ["policy", "final"])
def test_a_grant_holds_on_the_new_table_and_a_stranger_is_denied(machine: Json, name: str) -> None:
    policy = rendered(machine, name)
    allowed(action="GetItem", context=INSIDE, **asks(policy))
    denied(action="PutItem", context=INSIDE, **asks(policy))
    denied(action="GetItem", context=INSIDE, principal=role("stranger", VENDOR), **asks(policy))
    allowed(action="GetItem", context=INSIDE, principal=role("theirs", VENDOR), **asks(policy))


@pytest.mark.parametrize("name", ["policy", "final"])
def test_the_restriction_holds_on_the_new_table(machine: Json, name: str) -> None:
    policy = rendered(machine, name)
    denied(action="GetItem", **asks(policy))  # from the internet
    admin = f"arn:aws:iam::{VAULT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    denied(action="Scan", principal=admin, context=INSIDE, **asks(policy))
    denied(action="Scan", principal=role("anybody", VAULT), identity="any", **asks(policy))


def test_no_statement_names_the_old_table(machine: Json) -> None:
    for name in ("policy", "final", "stream"):
        assert f"{OWNER}:table/orders" not in json.dumps(rendered(machine, name))


def test_the_listener_reads_the_new_stream(machine: Json) -> None:
    stream = f"{NEW}/stream/2026-11-22T10:00:00.000"
    listener = role("listener", VENDOR)
    policy = rendered(machine, "stream")
    allowed(None, "GetRecords", principal=listener, resource=stream, table_policy=policy, context=INSIDE)
    denied(None, "GetRecords", principal=role("stranger", VENDOR), resource=stream, table_policy=policy, context=INSIDE)
    denied(None, "GetRecords", principal=listener, resource=stream, table_policy=policy)


def test_only_while_it_is_restored_the_restore_is_let_through_the_restriction(machine: Json) -> None:
    policy = rendered(machine, "policy")
    loader = next(arn for each in statements(policy) for arn in _exempted(each) if "RestoreLoadRole" in arn)
    allowed(action="BatchWriteItem", principal=loader, identity="any", **asks(policy))
    denied(action="BatchWriteItem", principal=loader, identity="any", **asks(rendered(machine, "final")))


def _exempted(statement: Json) -> list[str]:
    found = statement.get("Condition", {}).get("ArnNotEquals", {}).get("aws:PrincipalArn", [])
    return found if isinstance(found, list) else [found]


def test_the_role_that_deploys_there_may_change_the_policy_and_read_nothing(machine: Json) -> None:
    deploys = role(f"cdk-hnb659fds-cfn-exec-role-{VAULT}-{REGION}", VAULT)
    policy = rendered(machine, "final")
    allowed(action="PutResourcePolicy", principal=deploys, identity="any", **asks(policy))
    denied(action="GetItem", principal=deploys, identity="any", **asks(policy))


def test_variables_in_a_policy_survive_cloudformation() -> None:
    _, data, vault = data_app()
    table = table_v2(data)
    mine = tg.TableGrant(
        tg.Account(VENDOR),
        tg.Access.READ_ITEMS,
        reason="own items",
        conditions=[tg.LeadingKeys("${aws:PrincipalTag/tenant}")],
    )
    tg.TableAccess(data, "Access", table=table, table_grants=[mine])
    restore(vault, blueprint=TableBlueprint.like(table), source=None)
    text = json.dumps(definition(vault))
    assert "${" not in text
    assert "${aws:PrincipalTag/tenant}" in json.dumps(rendered(json.loads(text), "policy"))


def test_exempting_changes_denials_alone() -> None:
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnNotEquals": {"aws:principalarn": "a"}}}
    done = exempting({"Version": "x", "Statement": [allow, deny]}, ["b"])["Statement"]
    assert done[0] == allow
    assert done[1]["Condition"] == {"ArnNotEquals": {"aws:principalarn": ["a", "b"]}}


def test_a_written_blueprint_renders_grants_and_restrictions() -> None:
    perimeter = tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])
    policy = BlueprintPolicy(table_grants=[READER], restrictions=[perimeter])
    _, _, vault = data_app()
    restore(vault, blueprint=TableBlueprint(partition_key={"pk": "S"}, policy=policy))
    found = rendered(definition(vault), "final")
    allowed(action="GetItem", context=INSIDE, **asks(found))
    denied(action="GetItem", **asks(found))


def test_a_written_blueprint_renders_grants_and_restrictions_of_the_stream() -> None:
    perimeter = tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])
    written = BlueprintPolicy(table_grants=[READER, LISTENER], restrictions=[perimeter])
    new = tg.TableReference(account=VAULT, region=REGION, name="restored-orders")
    policy = {"Version": "2012-10-17", "Statement": written.statements(new, stream=True)}
    of_table = {"Version": "2012-10-17", "Statement": written.statements(new, stream=False)}
    stream, listener = f"{NEW}/stream/2026-11-22T10:00:00.000", role("listener", VENDOR)
    allowed(None, "GetRecords", principal=listener, resource=stream, table_policy=policy, context=INSIDE)
    denied(None, "GetRecords", principal=listener, resource=stream, table_policy=policy)
    denied(None, "GetRecords", principal=role(), resource=stream, table_policy=policy, context=INSIDE)
    allowed(None, "GetItem", resource=NEW, table_policy=of_table, context=INSIDE)
    denied(None, "GetItem", principal=listener, resource=NEW, table_policy=of_table, context=INSIDE)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TableBlueprint(partition_key={}), "one attribute"),
        (lambda: TableBlueprint(partition_key={"pk": "X"}), "S, N, B"),
        (lambda: TableBlueprint(partition_key={"pk": "S"}, recovery_days=0), "1 to 35"),
        (lambda: TableBlueprint(partition_key={"pk": "S"}, recovery_days=36), "1 to 35"),
        (lambda: TableBlueprint(partition_key={"pk": "S"}, stream="ALL"), "NEW_IMAGE"),
        (lambda: TableBlueprint(partition_key={"pk": "S"}, table_class="COLD"), "STANDARD"),
        (lambda: TableBlueprint(partition_key={"pk": "S"}, tags={"tableguard:x": "y"}), "tableguard:"),
        (lambda: TableBlueprint(partition_key={"pk": "S"}, sort_key={"pk": "N"}), "one type"),
        (lambda: Index(name="by-date", partition_key={str(n): "S" for n in range(5)}), "1 to 4"),
        (lambda: Index(name="by-date", partition_key={"pk": "S"}, projection="INCLUDE"), "INCLUDE"),
        (lambda: Index(name="by-date"), "one attribute"),
        (lambda: Capacity(provisioned=True, read=1), "read and write"),
        (lambda: Capacity(read=0), "1 or more"),
        (
            lambda: TableBlueprint(partition_key={"pk": "S"}, local_indexes=(Index(name="abc", sort_key={"s": "S"}),)),
            "sort key",
        ),
        (
            lambda: TableBlueprint(
                partition_key={"pk": "S"},
                capacity=Capacity(provisioned=True, read=1, write=1),
                global_indexes=(Index(name="abc", partition_key={"s": "S"}),),
            ),
            "as the table's is",
        ),
        (lambda: TableBlueprint.like(table_v2(stack()), colour="red"), "partition_key"),
        (lambda: TableBlueprint.like(dynamodb.Table.from_table_name(stack(), "T", "orders")), "of this app"),
        (lambda: BlueprintPolicy(table_grants=["reader"]), "TableGrant"),  # type: ignore[list-item]
        (lambda: BlueprintPolicy(restrictions=["wall"]), "Perimeter"),  # type: ignore[list-item]
    ],
)
def test_what_dynamodb_would_refuse_is_refused_now(make: Callable[[], object], said: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=said):
        make()


def test_a_statement_of_others_that_only_the_deployment_knows_is_refused() -> None:
    _, data, vault = data_app()
    table = table_v2(data)
    table.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["dynamodb:GetItem"],
            principals=[iam.ArnPrincipal(iam.Role(data, "R", assumed_by=iam.AccountRootPrincipal()).role_arn)],
            resources=["*"],
        )
    )
    made = restore(vault, blueprint=TableBlueprint.like(table), source=None)
    with pytest.raises(tg.InvalidInputError, match="literal values"):
        made.definition()
    with pytest.raises(RuntimeError, match="literal values"):
        definition(vault)


def test_least_blueprint() -> None:
    assert create_table(LEAST, key_arn="arn:aws:kms:us-east-1:111122223333:key/k") == {
        **KEYS,
        **ON_DEMAND,
        "SseSpecification": {
            "Enabled": True,
            "SseType": "KMS",
            "KmsMasterKeyId": "arn:aws:kms:us-east-1:111122223333:key/k",
        },
    }


def test_the_key_of_the_target_account_encrypts_it() -> None:
    _, data, vault = data_app()
    restore(vault, blueprint=TableBlueprint.like(full_table(data)), source=None)
    sse = definition(vault)["States"]["Create"]["Arguments"]["SseSpecification"]
    assert sse["KmsMasterKeyId"].startswith("<RestoreKey")
