"""Grants to people that a restriction of people denies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tableguard.policy import FederatedUser, PermissionSet, Role, RoleSession, TableGrant, TableReference, User
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side, restricted_at
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.wildcards import Glob, tokens

_SIDES = (Side.TABLE, Side.STREAM)


def denied_people(
    people: NoPeople, table: TableReference, grants: Iterable[TableGrant], *, is_user: Callable[[str], bool]
) -> Iterator[tuple[TableGrant, tuple[str, ...]]]:
    """The grants to people that a restriction denies them, each with the actions.

    A grant to a whole account or organization is for its applications, too, and not among them. Where the deployment
    alone knows who somebody is, nothing is said.

    Args:
        people: The restriction.
        table: The table.
        grants: Its grants, to principals of this library.
        is_user: Whether an ARN that is not known yet is that of an IAM user.
    """
    restricted = {action for side in _SIDES for action in restricted_at(side, settings=False)}
    persons = tuple(people.people(table))
    for grant in grants:
        arns = _arns(grant, table)
        if not arns or not all(_is_one_of(persons, arn) or is_user(arn) for arn in arns):
            continue
        excepted = [
            exception
            for exception in people.exceptions
            for patterns in (arns_of(exception.principal, table.partition_id, account=table.account),)
            if all(_is_one_of(patterns, arn) for arn in arns)
        ]
        denied = tuple(
            action.name
            for action in grant.access.actions
            if action.name in restricted and not any(exception.covers(action.name, *_SIDES) for exception in excepted)
        )
        if denied:
            yield grant, denied


def _arns(grant: TableGrant, table: TableReference) -> tuple[str, ...]:
    """What `aws:PrincipalArn` holds for whom a grant is made; nothing for many."""
    partition = table.partition_id
    match grant.subject:
        case PermissionSet() as people:
            return people.role_patterns(partition)
        case RoleSession() as session:
            # A path that no session tells is left to the deployment.
            return (f"arn:{partition}:iam::{session.account}:role/{session.role}",)
        case Role() | User() | ArnIdentity() | FederatedUser() as identity:
            return (identity.arn(partition),)
    return ()


def _is_one_of(patterns: Iterable[str], arn: str) -> bool:
    return any(Glob(tokens(pattern)).matches(arn) for pattern in patterns)
