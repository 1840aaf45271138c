"""The tables of a plan: all of them in the plan's own account and region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_kms as kms
from constructs import Construct

from tableguard.policy import InvalidInputError
from tableguard.tables.attachable import imported, unwrapped

AnyTable: TypeAlias = dynamodb.ITable | dynamodb.ITableV2


def tables_here(scope: Construct, tables: Sequence[AnyTable], *, most: int) -> tuple[AnyTable, ...]:
    """Check the tables of a plan.

    Args:
        scope: The plan.
        tables: The tables, or constructs around them such as CrossAccountTable.
        most: How many there may be.

    Raises:
        InvalidInputError: None, too many, the same one twice, no table, or one of another account or region.
    """
    stack = cdk.Stack.of(scope)
    known: list[AnyTable] = [unwrapped(table) for table in tables]  # type: ignore[misc]
    for table in known:
        if not hasattr(table, "table_arn") or not hasattr(table, "env"):
            raise InvalidInputError(f"a table of {scope.node.path}", value=table, allowed="a Table or TableV2")
        # An imported table says that it is in the stack's own account, whatever its ARN says.
        where = imported(table) or table.env
        for what, theirs, ours in (
            ("account", where.account, stack.account),
            ("region", where.region, stack.region),
        ):
            if theirs != ours and not cdk.Token.is_unresolved(theirs) and not cdk.Token.is_unresolved(ours):
                raise InvalidInputError(
                    f"a table of {scope.node.path}",
                    value=f"{table.node.path} of {theirs}",
                    allowed=f"tables of {what} {ours}, where it is",
                    fix="Make one in a stack of the table's account and region.",
                )
    arns = [table.table_arn for table in known]
    if not 1 <= len(arns) <= most or len(arns) != len(set(arns)):
        raise InvalidInputError(
            f"the tables of {scope.node.path}", value=arns, allowed=f"1 to {most} tables, each of them once"
        )
    return tuple(known)


def keys_of(tables: Sequence[AnyTable]) -> tuple[kms.IKey, ...]:
    """The customer-managed keys of tables.

    Args:
        tables: The tables.
    """
    found = [table.encryption_key for table in tables if table.encryption_key is not None]
    return tuple({key.key_arn: key for key in found}.values())
