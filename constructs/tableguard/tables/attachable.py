"""Which tables policies can be attached to, and what to do about the others."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Node

from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.documents import Json
from tableguard.tables.attachment.facts import CfnAnyTable
from tableguard.tables.identities import known_text

_TABLE_ARN: Final = re.compile(r"arn:[^:]+:dynamodb:([^:]+):(\d{12}):table/([^/]+)")

AnyTable: TypeAlias = dynamodb.ITable | dynamodb.ITableV2 | CfnAnyTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What the owner of an imported table could do instead.

    Args:
        table: The policy for the table, if it needs one.
        stream: The policy for its stream, if it needs one.
        besides: What else there is to do, to go on with: after the commands if there are any, else in the sentence.
    """

    table: Json | None
    stream: Json | None
    besides: str = ""


def unwrapped(table: AnyTable) -> AnyTable:
    """The table itself, where a construct around it was given, such as CrossAccountTable.

    Args:
        table: What was given.
    """
    if isinstance(table, dynamodb.Table | dynamodb.TableV2):
        return table
    node = getattr(table, "node", None)
    inner = node.default_child if isinstance(node, Node) else None
    return inner if isinstance(inner, dynamodb.Table | dynamodb.TableV2) else table


def table_resource(
    table: AnyTable, construct: str, *, instead: Callable[[TableReference], Instead], indexes: Iterable[str] = ()
) -> CfnAnyTable:
    """The L1 resource of a table, which policies can be attached to.

    Args:
        table: The table.
        construct: The kind of construct that attaches them, for messages.
        instead: What the owner of an imported table could do instead; asked only if it is one.
        indexes: Names of indexes that an imported table is taken to have.

    Raises:
        InvalidInputError: It is no table, or one whose policy cannot be written here, with the commands for its owner.
    """
    if isinstance(table, dynamodb.CfnTable | dynamodb.CfnGlobalTable):
        return table
    what = f"the table of a {construct}"
    node = getattr(table, "node", None)
    if not isinstance(node, Node):
        raise InvalidInputError(what, value=table, allowed="a TableV2, Table, CfnTable or CfnGlobalTable")
    resource = node.default_child
    if not isinstance(resource, dynamodb.CfnTable | dynamodb.CfnGlobalTable):
        if not hasattr(table, "table_arn"):
            raise InvalidInputError(what, value=node.path, allowed="a table")
        raise _cannot_attach(table, construct, imported(table, indexes), instead)
    # A TableV2 has no such replicas, and is not asked: every question crosses over to the CDK.
    for child in () if isinstance(table, dynamodb.TableV2) else node.children:
        if isinstance(child, cdk.CustomResource):
            raise InvalidInputError(
                f"replication_regions of {node.path}",
                value="replicas that a custom resource makes",
                allowed="a table whose replicas are part of its resource, since only these can have policies",
                fix="Use TableV2 with replicas=[…].",
            )
    return resource


def imported(table: Any, indexes: Iterable[str] = ()) -> TableReference | None:
    """An imported table, if its ARN is known before deployment. The region says which partition it is in.

    Args:
        table: The table.
        indexes: Names of indexes that it is taken to have.
    """
    match = _TABLE_ARN.fullmatch(known_text(cdk.Stack.of(table).resolve(table.table_arn), "aws") or "")
    if match is None:
        return None
    region, account, name = match.groups()
    return TableReference(account=account, region=region, name=name, indexes=tuple(dict.fromkeys(indexes)))


def _cannot_attach(
    table: Any, construct: str, found: TableReference | None, instead: Callable[[TableReference], Instead]
) -> InvalidInputError:
    fix = f"Make the {construct} in the app that owns the table"
    could = instead(found) if found is not None else None
    commands = _commands(found, could) if found is not None and could is not None else []
    if could is not None and commands:
        keep = "What `aws dynamodb get-resource-policy` shows has to stay in it: this replaces it as a whole."
        # Each command on a line of its own: they are to be copied.
        lines = "\n".join([f", or let its owner add these statements to the policy. {keep}", *commands])
        fix += f"{lines}{could.besides}"
    else:
        fix += f"{could.besides if could is not None else ''}."
    return InvalidInputError(
        f"the table of a {construct}",
        value=table.node.path if found is None else found.arn,
        allowed="a table of this app: the policy of an imported one cannot be changed from here",
        fix=fix,
    )


def _commands(table: TableReference, could: Instead) -> list[str]:
    """The commands that the owner of an imported table could run instead."""
    return [
        f"aws dynamodb put-resource-policy --region {table.region} --resource-arn {arn} "
        f"--policy {shlex.quote(json.dumps(policy))}"
        for arn, policy in ((table.arn, could.table), (f"{table.arn}/stream/LATEST_STREAM_LABEL", could.stream))
        if policy is not None
    ]
