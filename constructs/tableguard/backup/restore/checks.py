"""What the arguments of a restore have to be, and what can be said of them before it fails on the day."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_kms as kms
from constructs import Construct

from tableguard.backup.perimeter_checks import PerimeterCheck
from tableguard.backup.restore.table_blueprint import Blueprint, LikeTable
from tableguard.policy import InvalidInputError, Role, TableReference
from tableguard.policy.perimeter import RestrictedActions
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.deployment import execution_role


def within(construct: Construct, name: str, value: object, most: int) -> int:
    """Check a number.

    Args:
        construct: The restore.
        name: The name of the argument.
        value: Its value.
        most: The largest that it may be; the least is 1.

    Raises:
        InvalidInputError: It is no such number.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidInputError(f"{name} of {construct.node.path}", value=value, allowed=f"1 to {most}")
    return value


def deploying(construct: Construct, deployed_by: Role | None) -> Role | None:
    """The role that deploys the stack of a restore; None where nobody says it.

    Args:
        construct: The restore.
        deployed_by: The argument of that name; the execution role of the stack's synthesizer when None.

    Raises:
        InvalidInputError: It is no role of the account.
    """
    if deployed_by is None:
        return execution_role(cdk.Stack.of(construct))
    account = cdk.Stack.of(construct).account
    if not isinstance(deployed_by, Role) or (deployed_by.account != account and not is_unresolved(account)):
        raise InvalidInputError(
            f"deployed_by of {construct.node.path}",
            value=deployed_by,
            allowed=f"a Role of {account}, the account of the stack: nobody else may change policies there",
            fix="With the CDK, that is the role that CloudFormation gets, not the pipeline's.",
        )
    return deployed_by


def key_of_here(construct: Construct, key: kms.IKey | None) -> kms.IKey | None:
    """Check the key of restored tables.

    Args:
        construct: The restore.
        key: The key; None for none.

    Raises:
        InvalidInputError: It is of another account or region, where no table here can use it.
    """
    stack = cdk.Stack.of(construct)
    if key is None:
        return None
    for part, theirs, ours in (
        ("account", key.env.account, stack.account),
        ("region", key.env.region, stack.region),
    ):
        if theirs != ours and not is_unresolved(f"{theirs}{ours}"):
            raise InvalidInputError(
                f"encryption_key of {construct.node.path}",
                value=f"a key of {part} {theirs}",
                allowed=f"a key of {part} {ours}, where tables are restored",
            )
    return key


def check_perimeter(
    construct: Construct,
    blueprint: Blueprint,
    *,
    source: TableReference,
    role: iam.IRole,
    role_name: str | None,
    partition: str,
) -> None:
    """Check, when everything has been said, that the perimeter of a living table lets it be exported.

    Args:
        construct: The restore.
        blueprint: Its blueprint. The living table can be looked at where it is the one that the blueprint is like.
        source: The living table.
        role: The role that exports it.
        role_name: The name of that role; None for CloudFormation's choice.
        partition: Its partition.
    """
    if not isinstance(blueprint, LikeTable) or blueprint.source.arn != source.arn:
        return
    account = cdk.Stack.of(construct).account
    check = PerimeterCheck(
        construct.node.path,
        resource=blueprint.policies.table_resource.resource,
        needed=RestrictedActions.EXPORT,
        identity=ArnIdentity(account=account, principal_arn=role.role_arn, described_as=role.node.path)
        if role_name is None
        else Role(account=account, name=role_name),
        partition=partition,
        caller="Step Functions",
        fix="Pass role_name=… to the restore, and add restore.exemption(reason=…) to the perimeter's exemptions.",
    )
    construct.node.add_validation(check)
