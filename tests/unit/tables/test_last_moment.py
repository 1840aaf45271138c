"""Policies are written at the last moment, once for a whole stack, and whatever comes before that moment is in them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms
from jsii._kernel.providers import process

import tableguard as tg
from tests.unit.tables.support import (
    ANY_KIND,
    KEY,
    LAMBDA,
    ORDERS,
    PARTNER,
    PK,
    READER,
    REPLICA,
    REPLICA_KEY,
    VENDOR,
    WRITER,
    Documents,
    Json,
    allowed,
    app,
    denied,
    encryption_context,
    role,
    stack,
    statements,
    table_v1,
    table_v2,
)

DENY: Json = {
    "Sid": "Mine",
    "Effect": "Deny",
    "Principal": {"AWS": f"arn:aws:iam::{VENDOR}:root"},
    "Action": "dynamodb:DeleteTable",
    "Resource": "*",
}


def access(table: Any, *grants: tg.TableGrant) -> tg.TableAccess:
    return tg.TableAccess(cdk.Stack.of(table), "Access", table=table, table_grants=grants)


def app_of(scope: cdk.Stack) -> cdk.App:
    root = scope.node.root
    assert isinstance(root, cdk.App)
    return root


def synthesized_again(scope: cdk.Stack) -> Documents:
    return Documents(app_of(scope).synth(force=True).get_stack_by_name(scope.stack_name).template)


def table_in(documents: Documents) -> Json:
    properties: Json = documents.table["Properties"]
    holder: Json = properties["Replicas"][0] if "Replicas" in properties else properties
    policy: Json = holder["ResourcePolicy"]["PolicyDocument"]
    return policy


@pytest.mark.parametrize("kind", ANY_KIND)
def test_a_second_synthesis_renders_the_same(kind: str) -> None:
    data = stack()
    access(ANY_KIND[kind](data), READER)

    assert synthesized_again(data).template == synthesized_again(data).template


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_what_is_added_between_two_syntheses_is_in_the_second(kind: str) -> None:
    data = stack()
    table = ANY_KIND[kind](data)
    granting = access(table, READER)
    first = table_in(synthesized_again(data))
    table.add_to_resource_policy(iam.PolicyStatement.from_json(DENY))
    granting.grant(WRITER)

    second = table_in(synthesized_again(data))
    assert DENY not in statements(first)
    denied(first, "PutItem", principal=role("writer"))
    assert statements(second)[0] == DENY
    assert len(statements(second)) == 1 + 2
    allowed(second, "GetItem")
    allowed(second, "PutItem", principal=role("writer"))


def test_a_key_policy_takes_in_what_is_added_between_two_syntheses() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    access(table_v2(data, encryption=dynamodb.TableEncryptionV2.customer_managed_key(key)), READER)
    before = len(synthesized_again(data).key_policy["Statement"])
    key.grant_decrypt(iam.AccountPrincipal("111122223333"))

    policy = synthesized_again(data).key_policy
    assert len(policy["Statement"]) == before + 1
    allowed(policy, "kms:Decrypt", principal=role("other", "111122223333"), resource=KEY)
    allowed(policy, "kms:Decrypt", resource=KEY, context=encryption_context())


def test_a_property_that_is_assigned_between_two_syntheses_is_in_the_second() -> None:
    data = stack()
    table = ANY_KIND["CfnTable"](data)
    access(table, READER)
    synthesized_again(data)
    document = {"Version": "2012-10-17", "Statement": [DENY]}
    table.resource_policy = dynamodb.CfnTable.ResourcePolicyProperty(policy_document=document)

    policy = table_in(synthesized_again(data))
    assert statements(policy)[0] == DENY
    assert len(statements(policy)) == 1 + 1
    allowed(policy, "GetItem")


def named_of_another_stack(data: cdk.Stack) -> tg.TableGrant:
    other = stack(app_of(data), "Other")
    return tg.TableGrant(iam.Role(other, "Role", assumed_by=LAMBDA), tg.Access.on_table("GetItem"), name_principal=True)


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_a_reference_to_another_stack_survives_a_second_synthesis(kind: str) -> None:
    data = stack()
    access(ANY_KIND[kind](data), named_of_another_stack(data))

    (first,) = statements(table_in(synthesized_again(data)))
    (second,) = statements(table_in(synthesized_again(data)))
    assert "Fn::ImportValue" in first["Principal"]["AWS"]
    assert first == second


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_a_reference_that_others_add_between_two_syntheses_is_found(kind: str, lazily: bool) -> None:
    data = stack()
    table = ANY_KIND[kind](data)
    access(table, named_of_another_stack(data) if lazily else READER)
    synthesized_again(data)
    foreign = iam.User(stack(app_of(data), "Third"), "User")
    table.add_to_resource_policy(
        iam.PolicyStatement(actions=["dynamodb:GetItem"], principals=[foreign], resources=["*"])
    )

    theirs, _ = statements(table_in(synthesized_again(data)))
    assert "Fn::ImportValue" in theirs["Principal"]["AWS"]


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_a_reference_that_a_grant_adds_between_two_syntheses_is_found(kind: str) -> None:
    data = stack()
    granting = access(ANY_KIND[kind](data), named_of_another_stack(data))
    synthesized_again(data)
    foreign = iam.User(stack(app_of(data), "Third"), "User")
    granting.grant(tg.TableGrant(foreign, tg.Access.on_table("PutItem"), name_principal=True))

    for statement in statements(table_in(synthesized_again(data))):
        assert "Fn::ImportValue" in statement["Principal"]["AWS"]


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_a_reference_of_others_to_another_stack_stays_next_to_our_literal_statements(kind: str) -> None:
    data = stack()
    table = ANY_KIND[kind](data)
    access(table, READER)
    foreign = iam.Role(stack(app_of(data), "Other"), "Role", assumed_by=LAMBDA)
    table.add_to_resource_policy(
        iam.PolicyStatement(actions=["dynamodb:GetItem"], principals=[foreign], resources=["*"])
    )

    theirs, ours = statements(Documents.of(data).table_policy())
    assert theirs["Principal"]["AWS"].startswith("<Other:ExportsOutput")
    assert ours["Principal"] == {"AWS": PARTNER}


def test_a_synthesis_that_skips_the_validation_is_refused() -> None:
    data = stack()
    access(table_v2(data), READER)

    with pytest.raises(RuntimeError, match=r"policies of stack Data are checked and written when the app is validated"):
        app_of(data).synth(skip_validation=True)


def test_a_stack_without_statements_of_ours_may_skip_the_validation() -> None:
    data = stack()
    access(table_v2(data))

    assert app_of(data).synth(skip_validation=True).get_stack_by_name("Data").template["Resources"]


def test_a_nested_stack_knows_what_came_after_the_grant() -> None:
    nested = cdk.NestedStack(stack(), "Nested")
    key = kms.Key(nested, "Key")
    table = table_v2(nested, encryption=dynamodb.TableEncryptionV2.customer_managed_key(key))
    access(table, READER)
    table.add_global_secondary_index(index_name="by-date", partition_key=PK)
    table.add_to_resource_policy(iam.PolicyStatement.from_json(DENY))

    documents = Documents.of(nested)
    assert statements(documents.table_policy())[0] == DENY
    allowed(documents.table_policy(), "GetItem")
    allowed(documents.table_policy(), "Query", resource=f"{ORDERS}/index/by-date")
    allowed(documents.key_policy, "kms:Decrypt", resource=KEY, context=encryption_context())


def test_a_nested_stack_is_named_by_the_hash_of_the_template_that_is_written() -> None:
    data = stack()
    table = table_v2(cdk.NestedStack(data, "Nested"))
    access(table, READER)
    table.add_global_secondary_index(index_name="by-date", partition_key=PK)

    folder = Path(app_of(data).synth().directory)
    (nested,) = folder.glob("*.nested.template.json")
    text = json.dumps(json.loads(nested.read_text()), separators=(",", ":"))
    assets = json.loads((folder / "Data.assets.json").read_text())["files"]
    assert hashlib.sha256(text.encode()).hexdigest() in assets


def test_a_stage_writes_its_own_stacks() -> None:
    root = app()
    stages = [stack(cdk.Stage(root, name), "Data") for name in ("Alfa", "Bravo")]
    for data in stages:
        access(table_v2(data), READER)

    for data in stages:
        allowed(Documents.of(data).table_policy(), "GetItem")


def test_a_table_that_the_cdk_cannot_render_fails_the_synthesis() -> None:
    data = stack()
    encryption = dynamodb.TableEncryptionV2.customer_managed_key(kms.Key(data, "Key"), {REPLICA: REPLICA_KEY})
    table = table_v2(data, encryption=encryption, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    access(table, READER)
    table.add_replica(region="ap-south-1")

    with pytest.raises(RuntimeError, match="ap-south-1"):
        Documents.of(data)


class Crossings:
    """Counts what crosses the border between Python and Node."""

    def __init__(self) -> None:
        self.calls = 0
        self.callbacks = 0


@pytest.fixture
def crossings(monkeypatch: pytest.MonkeyPatch) -> Crossings:
    count, send = Crossings(), process._NodeProcess.send

    def counted(self: Any, request: Any, response_type: Any) -> Any:
        response = send(self, request, response_type)
        count.calls += 1
        count.callbacks += type(response).__name__ == "Callback"
        return response

    monkeypatch.setattr(process._NodeProcess, "send", counted)
    return count


def test_one_more_table_costs_no_callback_and_few_calls(crossings: Crossings) -> None:
    def cost(tables: int) -> tuple[int, int]:
        before = (crossings.calls, crossings.callbacks)
        data = stack()
        for number in range(tables):
            tg.CrossAccountTable(
                data, f"Table{number}", partition_key=PK, table_name=f"table-{number}", table_grants=[READER, WRITER]
            )
        app_of(data).synth()
        return crossings.calls - before[0], crossings.callbacks - before[1]

    cost(1)  # loads what the CDK loads once
    few, many = cost(1), cost(11)

    assert many[1] == few[1]
    assert (many[0] - few[0]) / 10 <= 20  # with a plain TableV2 and its key it takes 3


def test_one_more_grant_costs_nothing_of_the_cdk(crossings: Crossings) -> None:
    def cost(grants: int) -> int:
        before = crossings.calls
        data = stack()
        readers = [
            tg.TableGrant(tg.Role(account=PARTNER, name=f"r{n}"), tg.Access.READ, reason="x") for n in range(grants)
        ]
        access(table_v1(data), *readers)
        app_of(data).synth()
        return crossings.calls - before

    cost(1)
    assert cost(50) == cost(1)


@jsii.implements(cdk.IAspect)
class _Grants:
    """Grants while the aspects run, on whatever table is visited."""

    def visit(self, node: Any) -> None:
        if isinstance(node, dynamodb.TableV2):
            tg.TableAccess(cdk.Stack.of(node), "Late", table=node, table_grants=[READER])


def test_a_grant_that_an_aspect_makes_is_written() -> None:
    data = stack()
    table_v2(data)
    cdk.Aspects.of(data).add(_Grants())

    allowed(Documents.of(data).table_policy(), "GetItem")
