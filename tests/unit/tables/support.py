"""What the tests of the constructs share: the parties, tables of every kind, and what synthesized policies decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam
from aws_cdk.assertions import Annotations, Match, Template
from constructs import Construct

import tableguard as tg
from tableguard.evaluation import ContextValue
from tableguard.review.picture import Picture
from tableguard.testing import assert_allowed, assert_denied

Json: TypeAlias = dict[str, Any]

OWNER: Final = "444455556666"
PARTNER: Final = "222233334444"
VENDOR: Final = "333344445555"
REGION: Final = "us-east-1"
REPLICA: Final = "eu-west-1"
ORDERS: Final = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"
STREAM: Final = f"{ORDERS}/stream/2026-11-21T10:00:00.000"
KEY: Final = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
REPLICA_KEY: Final = f"arn:aws:kms:{REPLICA}:{OWNER}:key/9999abcd-12ab-34cd-56ef-1234567890ab"
NOON: Final = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
PK: Final = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
SK: Final = dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING)
LAMBDA: Final = iam.ServicePrincipal("lambda.amazonaws.com")
PER_REPLICA: Final = "@aws-cdk/aws-dynamodb:resourcePolicyPerReplica"
TODAY: Final = "tableguard:today"

READER: Final = tg.TableGrant(tg.Role(account=PARTNER, name="reader"), tg.Access.READ, reason="ADR-7")
WRITER: Final = tg.TableGrant(tg.Role(account=PARTNER, name="writer"), tg.Access.WRITE, reason="ADR-8")
LISTENER: Final = tg.TableGrant(tg.Role(account=VENDOR, name="listener"), tg.Access.STREAM, reason="contract 12")

NOTHING: Final[Json] = {"Version": "2012-10-17", "Statement": []}


def role(name: str = "reader", account: str = PARTNER) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def app(**context: object) -> cdk.App:
    # The assets stay where they are: their hashes are in the templates, and copies of them nobody looks at.
    return cdk.App(analytics_reporting=False, context={"aws:cdk:disable-asset-staging": True, **context})


def stack(
    scope: Construct | None = None, construct_id: str = "Data", *, account: str = OWNER, region: str = REGION
) -> cdk.Stack:
    return cdk.Stack(scope or app(), construct_id, env=cdk.Environment(account=account, region=region))


def consumer_stack(scope: Construct, construct_id: str = "Consumer", *, account: str = PARTNER) -> cdk.Stack:
    return stack(scope, construct_id, account=account)


def table_v2(scope: Construct, *, name: str | None = "orders", **properties: Any) -> dynamodb.TableV2:
    return dynamodb.TableV2(scope, "Orders", partition_key=PK, table_name=name, **properties)


def table_v1(scope: Construct, *, name: str | None = "orders", **properties: Any) -> dynamodb.Table:
    return dynamodb.Table(scope, "Orders", partition_key=PK, table_name=name, **properties)


def cfn_table(scope: Construct, **properties: Any) -> dynamodb.CfnTable:
    return dynamodb.CfnTable(
        scope,
        "Orders",
        table_name="orders",
        billing_mode="PAY_PER_REQUEST",
        key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="pk", key_type="HASH")],
        attribute_definitions=[
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="pk", attribute_type="S"),
        ],
        **properties,
    )


def cfn_global_table(
    scope: Construct,
    replicas: Sequence[dynamodb.CfnGlobalTable.ReplicaSpecificationProperty] | None = None,
    **properties: Any,
) -> dynamodb.CfnGlobalTable:
    return dynamodb.CfnGlobalTable(
        scope,
        "Orders",
        table_name="orders",
        billing_mode="PAY_PER_REQUEST",
        key_schema=[dynamodb.CfnGlobalTable.KeySchemaProperty(attribute_name="pk", key_type="HASH")],
        attribute_definitions=[
            dynamodb.CfnGlobalTable.AttributeDefinitionProperty(attribute_name="pk", attribute_type="S"),
        ],
        replicas=replicas or [dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(region=REGION)],
        **properties,
    )


ANY_KIND: Final[Mapping[str, Callable[..., Any]]] = {
    "TableV2": table_v2,
    "Table": table_v1,
    "CfnTable": cfn_table,
    "CfnGlobalTable": cfn_global_table,
}
"""Every kind of table that grants can be attached to."""


def resolved(value: Any, *, account: str = OWNER, region: str = REGION) -> Any:
    """A part of a template with CloudFormation's functions worked out, as far as the tests need them."""
    match value:
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": "AWS::Region"}:
            return region
        case {"Ref": "AWS::AccountId"}:
            return account
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::ImportValue": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(resolved(part, account=account, region=region) for part in parts)
        case dict():
            return {key: resolved(inner, account=account, region=region) for key, inner in value.items()}
        case list():
            return [resolved(inner, account=account, region=region) for inner in value]
    return value


@dataclass(frozen=True)
class Documents:
    """The policy documents of one synthesized stack.

    Args:
        template: The template.
        account: The account of the stack.
    """

    template: Json
    account: str = OWNER

    @staticmethod
    def of(scope: cdk.Stack) -> Documents:
        return Documents(dict(Template.from_stack(scope).to_json()), scope.account)

    def resources(self, kind: str) -> list[Json]:
        return [resource for resource in self.template["Resources"].values() if resource["Type"] == kind]

    @property
    def table(self) -> Json:
        """The only table of the stack."""
        (found,) = [*self.resources("AWS::DynamoDB::GlobalTable"), *self.resources("AWS::DynamoDB::Table")]
        return found

    def replica(self, region: str = REGION) -> Json:
        (found,) = [
            replica for replica in self.table["Properties"]["Replicas"] if resolved(replica["Region"]) == region
        ]
        return dict(found)

    def table_policy(self, region: str = REGION) -> Json | None:
        holder = self.replica(region) if "Replicas" in self.table["Properties"] else self.table["Properties"]
        return _document(holder.get("ResourcePolicy"))

    def stream_policy(self, region: str = REGION) -> Json | None:
        properties = self.table["Properties"]
        stream = (
            self.replica(region).get("ReplicaStreamSpecification")
            if "Replicas" in properties
            else properties.get("StreamSpecification")
        )
        return _document((stream or {}).get("ResourcePolicy"))

    @property
    def key_policy(self) -> Json:
        """The policy of the only key of the stack."""
        (key,) = self.resources("AWS::KMS::Key")
        return dict(resolved(key["Properties"]["KeyPolicy"]))

    @property
    def identity_policies(self) -> list[Json]:
        return [
            resolved(policy["Properties"]["PolicyDocument"], account=self.account)
            for policy in self.resources("AWS::IAM::Policy")
        ]


def _document(policy: Json | None) -> Json | None:
    return resolved(policy["PolicyDocument"]) if policy else None


Where: TypeAlias = cdk.Stack | cdk.Stage | Template | Mapping[str, object] | None
"""What a decision is asked of: what was synthesized, or the policy of a table, stream or key on its own."""


def allowed(where: Where, action: str, *, identity: Any = "any", **more: Any) -> None:
    """A request goes through; the reader's, for the table, by its side alone unless something else is said."""
    assert_allowed(**_asked(where, action, **more), identity=identity)


def denied(where: Where, action: str, *, identity: Any = None, **more: Any) -> None:
    """A request is refused, whatever the caller's own policies say unless they are said."""
    assert_denied(**_asked(where, action, **more), identity=identity)


def decides(expected: bool, where: Where, action: str, **more: Any) -> None:
    """A request goes through, or is refused."""
    (allowed if expected else denied)(where, action, **more)


def _asked(where: Where, action: str, *, principal: Any = None, resource: Any = ORDERS, **more: Any) -> dict[str, Any]:
    alone = where is None or isinstance(where, Mapping)
    policy = {"table_policy": where or NOTHING} if alone else {}
    return {
        "where": Picture() if alone else where,
        "principal": principal or role(),
        "action": action if ":" in action else f"dynamodb:{action}",
        "resource": resource,
        "today": NOON,
        **policy,
        **more,
    }


def encryption_context(*, table: str = "orders", region: str = REGION) -> dict[str, ContextValue]:
    """What KMS sees when DynamoDB decrypts a table's key for a caller."""
    return {
        "kms:ViaService": f"dynamodb.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": OWNER,
        "kms:EncryptionContext:aws:dynamodb:tableName": table,
    }


def warnings(scope: cdk.Stack) -> list[str]:
    """The texts of the warnings of a stack, which this synthesizes."""
    found = Annotations.from_stack(scope).find_warning("*", Match.any_value())
    return [str(warning.entry.data) for warning in found]


def statements(document: Json | None) -> list[Json]:
    found: list[Json] = (document or {}).get("Statement", [])
    return found


def strings(value: object) -> Iterator[str]:
    """Every string of a template, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
