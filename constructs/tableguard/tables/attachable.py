"""Which tables this app can attach policies to, and what the owner of another table can do instead."""

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
        besides: Text that the message continues with: after the commands, or in the sentence if there are none.
    """

    table: Json | None
    stream: Json | None
    besides: str = ""


def unwrapped(table: AnyTable) -> AnyTable:
    """Return the CDK's table if a construct around it was given, such as CrossAccountTable; else what was given.

    Args:
        table: A table, or a construct whose default child is one.
    """
    if isinstance(table, dynamodb.Table | dynamodb.TableV2):
        return table
    node = getattr(table, "node", None)
    inner = node.default_child if isinstance(node, Node) else None
    return inner if isinstance(inner, dynamodb.Table | dynamodb.TableV2) else table


def table_resource(
    table: AnyTable, construct: str, *, instead: Callable[[TableReference], Instead], indexes: Iterable[str] = ()
) -> CfnAnyTable:
    """Find the L1 resource of a table, to which policies can be attached.

    Args:
        table: The table.
        construct: The kind of construct that attaches the policies, for messages.
        instead: Returns what the owner of an imported table could do instead; called only for an imported table.
        indexes: Names of indexes that an imported table is assumed to have.

    Raises:
        InvalidInputError: Not a table, or a table whose policy this app cannot write; with commands for its owner.
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
    # A TableV2 never has such replicas. It is skipped, since reading its children is a call to the CDK's process.
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
    """Describe an imported table; None if its ARN is not known before deployment. The partition follows the region.

    Args:
        table: The table.
        indexes: Names of indexes that the table is assumed to have.
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
        # One command a line, so that they can be copied.
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
