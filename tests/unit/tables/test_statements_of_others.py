"""Statements of the caller and of the CDK's own grants live next to ours, whoever comes first."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam
from constructs import IConstruct

import tableguard as tg
from tableguard.policy.metadata import METADATA_KEY, read
from tests.unit.tables.support import (
    ANY_KIND,
    LISTENER,
    ORDERS,
    PARTNER,
    PK,
    READER,
    REGION,
    VENDOR,
    WRITER,
    Documents,
    Json,
    allowed,
    app,
    cfn_global_table,
    cfn_table,
    decides,
    denied,
    role,
    stack,
    statements,
    table_v1,
    table_v2,
)

MINE: Json = {
    "Sid": "Mine",
    "Effect": "Deny",
    "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"},
    "Action": "dynamodb:DeleteTable",
    "Resource": "*",
}


def mine() -> iam.PolicyStatement:
    return iam.PolicyStatement.from_json(MINE)


def add_to_resource_policy(table: Any) -> None:
    table.add_to_resource_policy(mine())


def l2_grant(table: Any) -> None:
    table.grants.read_data(iam.ArnPrincipal(role("auditor", VENDOR)))


ADDITIONS = {"add_to_resource_policy": add_to_resource_policy, "grants.read_data": l2_grant}
Add = Callable[[Any], None]


def policy_of(make: Callable[[cdk.Stack], Any], *steps: Add) -> Json:
    data = stack()
    table = make(data)
    for step in steps:
        step(table)
    policy = Documents.of(data).table_policy()
    assert policy is not None
    return policy


def access(*grants: tg.TableGrant) -> Add:
    def add(table: Any) -> None:
        tg.TableAccess(cdk.Stack.of(table), f"Access{len(grants)}", table=table, table_grants=list(grants))

    return add


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
@pytest.mark.parametrize("addition", ADDITIONS)
@pytest.mark.parametrize("order", ["before", "after"])
def test_statements_of_others_stay_as_they_were_and_ours_stand_next_to_them(
    kind: str, addition: str, order: str
) -> None:
    make, theirs, ours = ANY_KIND[kind], ADDITIONS[addition], access(READER)

    alone, our_own = policy_of(make, theirs), policy_of(make, ours)
    together = policy_of(make, *((theirs, ours) if order == "before" else (ours, theirs)))

    assert together["Statement"] == [*alone["Statement"], *our_own["Statement"]]


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_a_policy_given_to_the_table_stays_as_it_was(kind: str) -> None:
    policy = policy_of(
        lambda data: ANY_KIND[kind](data, resource_policy=iam.PolicyDocument(statements=[mine()])), access(READER)
    )

    assert policy["Statement"][0] == MINE
    allowed(policy, "GetItem")


def l1_with_policy(data: cdk.Stack) -> dynamodb.CfnTable:
    document = {"Version": "2012-10-17", "Statement": [MINE]}
    return cfn_table(data, resource_policy=dynamodb.CfnTable.ResourcePolicyProperty(policy_document=document))


def l1_with_one_statement(data: cdk.Stack) -> dynamodb.CfnTable:
    document = {"Statement": MINE}
    return cfn_table(data, resource_policy=dynamodb.CfnTable.ResourcePolicyProperty(policy_document=document))


def l1_global_with_policy(data: cdk.Stack) -> dynamodb.CfnGlobalTable:
    document = {"Version": "2012-10-17", "Statement": [MINE]}
    return cfn_global_table(
        data,
        [
            dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(
                region=cdk.Aws.REGION,
                resource_policy=dynamodb.CfnGlobalTable.ResourcePolicyProperty(policy_document=document),
            )
        ],
    )


@pytest.mark.parametrize("make", [l1_with_policy, l1_with_one_statement, l1_global_with_policy])
def test_a_policy_written_into_an_l1_stays_as_it_was(make: Callable[[cdk.Stack], Any]) -> None:
    policy = policy_of(make, access(READER))

    assert policy["Statement"][0] == MINE
    assert policy["Version"] == "2012-10-17"
    allowed(policy, "GetItem")


def reassign(table: dynamodb.CfnTable) -> None:
    table.resource_policy = dynamodb.CfnTable.ResourcePolicyProperty(
        policy_document={"Version": "2012-10-17", "Statement": [MINE]}
    )


def test_our_statements_survive_a_property_that_is_assigned_anew() -> None:
    policy = policy_of(cfn_table, access(READER), reassign)

    assert policy["Statement"][0] == MINE
    allowed(policy, "GetItem")


def test_our_statements_survive_replicas_that_are_assigned_anew() -> None:
    data = stack()
    table = cfn_global_table(data)
    access(READER)(table)
    table.replicas = [
        dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(region=REGION, deletion_protection_enabled=True)
    ]

    documents = Documents.of(data)
    assert documents.replica()["DeletionProtectionEnabled"] is True
    allowed(data, "GetItem")


@jsii.implements(cdk.IAspect)
class _LateGrant:
    def visit(self, node: IConstruct) -> None:
        if isinstance(node, dynamodb.Table | dynamodb.TableV2):
            node.add_to_resource_policy(mine())


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
@pytest.mark.parametrize("priority", [cdk.AspectPriority.MUTATING, cdk.AspectPriority.DEFAULT, 950])
def test_a_statement_that_an_aspect_adds_stays_and_ours_too(kind: str, priority: int) -> None:
    data = stack()
    access(READER)(ANY_KIND[kind](data))
    cdk.Aspects.of(data).add(_LateGrant(), priority=priority)

    policy = Documents.of(data).table_policy()
    assert statements(policy)[0] == MINE
    allowed(data, "GetItem")


@jsii.implements(cdk.IAspect)
class _FromElsewhere:
    """Changes the table while it visits something that comes after it."""

    def __init__(self, change: Add) -> None:
        self._change = change

    def visit(self, node: IConstruct) -> None:
        if node.node.id == "Zebra":
            self._change(cdk.Stack.of(node).node.find_child("Orders"))


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
@pytest.mark.parametrize("change", ["a statement", "a tag", "an index"])
def test_an_aspect_that_visits_something_else_may_still_change_the_table(kind: str, change: str) -> None:
    changes: dict[str, Add] = {
        "a statement": add_to_resource_policy,
        "a tag": lambda table: cdk.Tags.of(table).add("team", "orders"),
        "an index": lambda table: table.add_global_secondary_index(index_name="by-date", partition_key=PK),
    }
    data = stack()
    access(READER)(ANY_KIND[kind](data))
    cdk.CfnWaitConditionHandle(data, "Zebra")
    cdk.Aspects.of(data).add(_FromElsewhere(changes[change]))

    documents = Documents.of(data)
    policy = documents.table_policy()
    allowed(policy, "GetItem")
    decides(change == "an index", policy, "Query", resource=f"{ORDERS}/index/by-date")
    assert (MINE in statements(policy)) is (change == "a statement")
    assert ("team" in str(documents.table)) is (change == "a tag")


def test_a_role_of_another_stack_that_is_named_survives_a_grant_of_the_old_table_that_comes_later() -> None:
    root = app()
    data, other = stack(root), stack(root, "Other")
    inside = iam.Role(other, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    table = table_v1(data)
    access(tg.TableGrant(inside, tg.Access.on_table("GetItem"), name_principal=True))(table)
    add_to_resource_policy(table)

    theirs, ours = statements(Documents.of(data).table_policy())
    assert theirs == MINE
    assert ours["Principal"]["AWS"].startswith("<Other:ExportsOutput")


@pytest.mark.parametrize("kind", ["CfnTable", "CfnGlobalTable"])
def test_a_property_override_has_the_last_word(kind: str) -> None:
    path = "ResourcePolicy" if kind == "CfnTable" else "Replicas.0.ResourcePolicy"

    policy = policy_of(
        ANY_KIND[kind],
        access(READER),
        lambda table: table.add_property_override(f"{path}.PolicyDocument.Statement.0.Action", "dynamodb:GetItem"),
    )

    allowed(policy, "GetItem")
    denied(policy, "Query")


@pytest.mark.parametrize("kind", ANY_KIND)
def test_two_accesses_on_one_table_are_one_document_merged_as_a_whole(kind: str) -> None:
    def two(table: Any) -> None:
        other = tg.TableGrant(tg.Role(account=VENDOR, name="reader"), tg.Access.READ, reason="contract 12")
        for number, grant in enumerate((READER, other)):
            tg.TableAccess(cdk.Stack.of(table), f"Access{number}", table=table, table_grants=[grant])

    policy = policy_of(ANY_KIND[kind], two)

    assert len(policy["Statement"]) == 1
    allowed(policy, "GetItem", principal=role("reader", PARTNER))
    allowed(policy, "GetItem", principal=role("reader", VENDOR))


def test_accesses_in_another_stack_write_into_the_stack_of_the_table() -> None:
    root = app()
    data, other = stack(root), stack(root, "Other")
    table = table_v2(data)
    tg.TableAccess(other, "Access", table=table, table_grants=[READER])

    allowed(data, "GetItem")
    assert Documents.of(other).template.get("Resources") is None


@pytest.mark.parametrize("kind", ANY_KIND)
def test_grants_of_one_call_or_of_many_give_the_same_policy(kind: str) -> None:
    def one_by_one(table: Any) -> None:
        late = tg.TableAccess(cdk.Stack.of(table), "Access", table=table)
        late.grant(READER)
        late.grant(WRITER)

    assert policy_of(ANY_KIND[kind], one_by_one) == policy_of(ANY_KIND[kind], access(READER, WRITER))


def test_a_stream_policy_of_the_caller_and_ours_stand_in_one_document() -> None:
    theirs = {**MINE, "Action": "dynamodb:DescribeStream"}
    data = stack()
    table = table_v2(data, dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE)
    access(LISTENER)(table)
    table.add_to_stream_resource_policy(iam.PolicyStatement.from_json(theirs))

    documents = Documents.of(data)
    policy = documents.stream_policy()
    assert statements(policy)[0] == theirs
    allowed(policy, "GetRecords", principal=role("listener", VENDOR), resource=f"{ORDERS}/stream/x")
    assert documents.table_policy() is None


def test_the_old_table_takes_a_stream_policy() -> None:
    data = stack()
    table = table_v1(data, stream=dynamodb.StreamViewType.NEW_IMAGE)
    access(LISTENER)(table)

    documents = Documents.of(data)
    listener, stream = role("listener", VENDOR), f"{ORDERS}/stream/x"
    allowed(data, "GetRecords", principal=listener, resource=stream)
    assert documents.table_policy() is None


@pytest.mark.parametrize("kind", ["CfnTable", "CfnGlobalTable"])
def test_an_l1_takes_a_stream_policy(kind: str) -> None:
    data = stack()
    of_l1 = dynamodb.CfnTable if kind == "CfnTable" else dynamodb.CfnGlobalTable
    table = ANY_KIND[kind](data, stream_specification=of_l1.StreamSpecificationProperty(stream_view_type="NEW_IMAGE"))
    access(LISTENER, READER)(table)

    documents = Documents.of(data)
    allowed(data, "GetRecords", principal=role("listener", VENDOR), resource=f"{ORDERS}/stream/x")
    assert documents.table["Properties"]["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    allowed(data, "GetItem")
    denied(data, "GetItem", principal=role("listener", VENDOR))


def test_a_table_without_grants_keeps_whatever_it_had() -> None:
    def none(table: dynamodb.Table) -> None:
        tg.TableAccess(cdk.Stack.of(table), "Access", table=table)

    assert policy_of(table_v1, l2_grant, none) == policy_of(table_v1, l2_grant)


def test_an_empty_policy_of_the_caller_is_no_obstacle() -> None:
    policy = policy_of(lambda data: table_v2(data, resource_policy=iam.PolicyDocument()), access(READER))

    allowed(policy, "GetItem")


def test_grants_are_listed_with_their_reasons_in_the_metadata_of_the_table() -> None:
    data = stack()
    table = table_v2(data)
    access(READER)(table)
    access(WRITER, LISTENER_ON_TABLE)(table)

    reading = read(Documents.of(data).table["Metadata"][METADATA_KEY])
    assert reading.problems == ()
    assert [(each.principal.label, each.access, each.reason) for each in reading.claims.grants] == [
        ("role reader of 222233334444", tg.Access.READ, "ADR-7"),
        ("role writer of 222233334444", tg.Access.WRITE, "ADR-8"),
        ("account 333344445555", tg.Access.query(), "contract 12"),
    ]


LISTENER_ON_TABLE = tg.TableGrant(tg.Account(VENDOR), tg.Access.query(), reason="contract 12")


def test_a_wrong_grant_in_a_list_leaves_nothing_of_the_list_behind() -> None:
    data = stack()
    access_ = tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[READER])
    before = access_.table_grants
    role_of_this_account = iam.Role(data, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    inside = tg.TableGrant(role_of_this_account, tg.Access.WRITE)

    for wrong in (
        tg.TableGrant(tg.Account(VENDOR), tg.Access.READ),
        tg.TableGrant(iam.ArnPrincipal(f"arn:aws:iam::{data.account}:role/x"), tg.Access.READ),
        tg.TableGrant(tg.Account(VENDOR), tg.Access.STREAM, reason="x"),
    ):
        with pytest.raises(tg.InvalidInputError):
            access_.grant(WRITER, wrong, inside)

    documents = Documents.of(data)
    assert access_.table_grants == before
    denied(data, "PutItem", principal=role("writer"))
    assert documents.identity_policies == []
    assert "ADR-8" not in str(documents.table["Metadata"])


def test_a_grant_that_was_refused_can_be_made_right_and_made_again() -> None:
    data = stack()
    table = table_v2(data)
    access_ = tg.TableAccess(data, "Access", table=table)
    late = tg.TableGrant(tg.Account(PARTNER), tg.Access.query(index="by-date"), reason="ADR-7")
    with pytest.raises(tg.InvalidInputError):
        access_.grant(late)

    table.add_global_secondary_index(index_name="by-date", partition_key=PK)
    access_.grant(late)

    allowed(data, "Query", resource=f"{ORDERS}/index/by-date")
