"""Tables with ten grants each, by the library and by hand: how long they take to construct and synthesize.

By hand is what a careful engineer writes with the CDK's own constructs: `TableV2` and `Key`, a statement with the
literal ARN and an `aws:PrincipalArn` condition for each grant, and the same for the key.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms

import tableguard as tg
from benchmarks.processes import Usage
from tableguard.evaluation import Outcome, Policies, Request, evaluate

GRANTS: Final = 10
_TABLES_OF_A_STACK: Final = 100  # with their keys, well below the 500 resources that a stack may have
_OWNER: Final = "444455556666"
_REGION: Final = "eu-west-1"
_READ: Final = ("BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query", "Scan")
_WRITE: Final = ("BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem")
_VIA: Final = f"dynamodb.{_REGION}.amazonaws.com"
_CONTEXT: Final = "kms:EncryptionContext:aws:dynamodb:"

Json = dict[str, Any]


def library(stack: cdk.Stack, table: int) -> None:
    """One table with its grants, by the library."""
    tg.CrossAccountTable(
        stack,
        f"Table{table}",
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        table_name=_name(table),
        table_grants=[
            tg.TableGrant(
                tg.Role(account=_consumer(grant), name=_role(table, grant)),
                tg.Access.READ if grant % 2 else tg.Access.READ_WRITE,
                reason=f"ADR-{grant}",
            )
            for grant in range(GRANTS)
        ],
    )


def by_hand(stack: cdk.Stack, table: int) -> None:
    """One table with its grants, by hand."""
    key, made = _key_and_table(stack, table)
    for grant in range(GRANTS):
        consumer = iam.AccountPrincipal(_consumer(grant))
        only = {"ArnEquals": {"aws:PrincipalArn": _role_arn(table, grant)}}
        made.add_to_resource_policy(
            iam.PolicyStatement(
                actions=[f"dynamodb:{name}" for name in (_READ if grant % 2 else (*_READ, *_WRITE))],
                principals=[consumer],
                resources=[_table_arn(table)],
                conditions=only,
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                principals=[consumer],
                resources=["*"],
                conditions={**only, "StringEquals": _of_table(table)},
            )
        )


def without_grants(stack: cdk.Stack, table: int) -> None:
    """One table and its key, to show what neither side can go below."""
    _key_and_table(stack, table)


SIDES: Final[Mapping[str, Callable[[cdk.Stack, int], None]]] = {
    "library": library,
    "by hand": by_hand,
    "without grants": without_grants,
}


def figures(side: str, tables: int, folder: str | None = None) -> dict[str, float]:
    """What one side takes from the app's first line to its assembly, imports left out.

    Args:
        side: A name of `SIDES`.
        tables: How many tables.
        folder: Where the assembly goes; a folder that is deleted when left out.
    """
    usage = Usage()
    with tempfile.TemporaryDirectory() as scratch:
        app = cdk.App(analytics_reporting=False, outdir=folder or scratch)
        env = cdk.Environment(account=_OWNER, region=_REGION)
        for first in range(0, tables, _TABLES_OF_A_STACK):
            stack = cdk.Stack(app, f"Data{first}", env=env)
            for table in range(first, min(first + _TABLES_OF_A_STACK, tables)):
                SIDES[side](stack, table)
        app.synth()
        return usage.read()


def difference(one: Path, other: Path, tables: int) -> str:
    """How the outcome of two sides differs, decision by decision; empty where it does not.

    Args:
        one: The assembly of one side.
        other: That of the other.
        tables: How many tables they have.
    """
    first, second = _outcome(one), _outcome(other)
    if len(first) != tables or first.keys() != second.keys():
        return f"{len(first)} and {len(second)} tables"
    for table in range(tables):
        (settings, policies), (others, other_policies) = first[_name(table)], second[_name(table)]
        if settings != others:
            return f"the settings of {_name(table)}"
        for request, kind in _requests(table):
            decided = [_decide(request, each[kind]) for each in (policies, other_policies)]
            if decided[0] != decided[1]:
                return f"{decided[0]} and {decided[1]} for {request}"
    return ""


def _decide(request: Request, resource_policy: Json) -> Outcome:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return evaluate(request, Policies(identity=[everything], resource=resource_policy)).outcome


def _requests(table: int) -> Iterator[tuple[Request, str]]:
    """Requests of consumers, and of others that must not get in, to a table and to its key."""
    callers = [_role_arn(table, grant) for grant in range(GRANTS)]
    callers += [_role_arn(table + 1, 0), f"arn:aws:iam::{_consumer(0)}:role/stranger", _role_arn(table, GRANTS)]
    for caller, action in itertools.product(callers, (*_READ, *_WRITE, "DeleteTable", "UpdateTable")):
        yield Request(principal=caller, action=f"dynamodb:{action}", resource=_table_arn(table)), "table"
    key = f"arn:aws:kms:{_REGION}:{_OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    right = {"kms:ViaService": _VIA, **_of_table(table)}
    wrong = ({**right, "kms:ViaService": "s3.amazonaws.com"}, {**right, f"{_CONTEXT}tableName": "other"})
    for caller, action, context in itertools.product(callers, ("Decrypt", "Encrypt"), (right, *wrong, {})):
        yield Request(principal=caller, action=f"kms:{action}", resource=key, context=context), "key"


def _outcome(folder: Path) -> dict[str, tuple[Json, dict[str, Json]]]:
    """For each table its settings and those of its key, policies apart."""
    found = {}
    for file in sorted(folder.glob("*.template.json")):
        resources = json.loads(file.read_text())["Resources"]
        for resource in resources.values():
            if resource["Type"] == "AWS::DynamoDB::GlobalTable":
                (replica,) = resource["Properties"]["Replicas"]
                key = resources[replica["SSESpecification"].pop("KMSMasterKeyId")["Fn::GetAtt"][0]]
                policies = {
                    "table": _resolved(replica.pop("ResourcePolicy")["PolicyDocument"]),
                    "key": _resolved(key["Properties"].pop("KeyPolicy")),
                }
                key["Properties"].pop("Description", None)
                resource.pop("Metadata", None)
                found[resource["Properties"]["TableName"]] = ({"table": resource, "key": key}, policies)
    return found


def _resolved(value: Any) -> Any:
    match value:
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(map(_resolved, parts))
        case dict():
            return {key: _resolved(inner) for key, inner in value.items()}
        case list():
            return list(map(_resolved, value))
    return value


def _key_and_table(stack: cdk.Stack, table: int) -> tuple[kms.Key, dynamodb.TableV2]:
    key = kms.Key(stack, f"Key{table}", enable_key_rotation=True, removal_policy=cdk.RemovalPolicy.RETAIN)
    made = dynamodb.TableV2(
        stack,
        f"Table{table}",
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        table_name=_name(table),
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
        deletion_protection=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
    )
    return key, made


def _name(table: int) -> str:
    return f"table-{table}"


def _table_arn(table: int) -> str:
    return f"arn:aws:dynamodb:{_REGION}:{_OWNER}:table/{_name(table)}"


def _consumer(grant: int) -> str:
    return f"1111222233{grant:02}"


def _role(table: int, grant: int) -> str:
    return f"consumer-{table}-{grant}"


def _role_arn(table: int, grant: int) -> str:
    return f"arn:aws:iam::{_consumer(grant)}:role/{_role(table, grant)}"


def _of_table(table: int) -> dict[str, str]:
    return {"kms:ViaService": _VIA, f"{_CONTEXT}subscriberId": _OWNER, f"{_CONTEXT}tableName": _name(table)}
