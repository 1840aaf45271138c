"""A restriction of people: it denies people the data of a table, even if other policies allow it.

The statements recognize people by `aws:PrincipalArn`: a root user, an IAM user, a session of GetFederationToken, a role
of Identity Center, or a role that is named as one that people sign in with. The key is the same in every session,
console included, and on calls that an AWS service makes for the person. A call of an AWS service in its own name has
no such key, and is not denied. `aws:PrincipalType` would not work: it is "AssumedRole" for people and applications.
Source: IAM user guide, "AWS global condition context keys", aws:PrincipalArn and aws:PrincipalType.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws import permission_sets
from tableguard.aws.dynamodb import SERVICE
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.perimeter import Exemption, RoleOfEveryAccount
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side, parts_of, restricted_at
from tableguard.policy.principals import PRINCIPAL_ARN, ArnIdentity, PermissionSet, Role, User
from tableguard.policy.representation import as_call
from tableguard.policy.tables import TableReference
from tableguard.policy.tokens import ordered

EVERY_PERSON: Final = (
    "arn:{partition}:iam::*:root",
    "arn:{partition}:iam::*:user/*",
    "arn:{partition}:sts::*:federated-user/*",
    f"arn:{{partition}}:iam::*:role/{permission_sets.PATH}*",
)
"""Patterns of the ARNs of people, in any account."""

_EXCEPTIONS: Final = (Role, User, ArnIdentity, PermissionSet, RoleOfEveryAccount)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPeople:
    """Denies people the data of a table.

    It denies actions on items and the stream, and actions that move data out or open the table: exports, backups,
    restores, replicas, Kinesis destinations and changes to the table's policies. It does not deny changes to settings.
    No table's policy can deny restoring a backup into a table without a policy; an SCP can.

    Args:
        sign_in_roles: Roles that people sign in with outside Identity Center, such as roles that trust a SAML provider.
            A RoleOfEveryAccount stands for the role of that name in the table's own account.
        exceptions: People who may take some of the denied actions, with reasons.

    Raises:
        InvalidInputError: `sign_in_roles` or `exceptions` has something else in it, an exemption of a principal that is
            not a person, or two exemptions of one principal.
    """

    sign_in_roles: Sequence[Role | RoleOfEveryAccount] = ()
    exceptions: Sequence[Exemption] = ()

    __repr__ = as_call

    def __post_init__(self) -> None:
        roles = listed("the sign_in_roles of NoHumanAccess", self.sign_in_roles)
        for role in roles:
            if not isinstance(role, Role | RoleOfEveryAccount):
                raise InvalidInputError(
                    "a sign_in_role of NoHumanAccess",
                    value=role,
                    allowed="a Role or a RoleOfEveryAccount",
                    fix="Users and roles of Identity Center are denied without being named.",
                )
        exceptions = listed("the exceptions of NoHumanAccess", self.exceptions)
        for exception in exceptions:
            if not isinstance(exception, Exemption) or not isinstance(exception.principal, _EXCEPTIONS):
                raise InvalidInputError(
                    "an exception of NoHumanAccess",
                    value=exception,
                    allowed="an Exemption of a Role, User, PermissionSet or RoleOfEveryAccount",
                    fix="AWS services and applications' roles are not denied anything.",
                )
        object.__setattr__(self, "sign_in_roles", roles)
        object.__setattr__(self, "exceptions", exceptions)
        for position, exception in enumerate(self.exceptions):
            if any(exception.principal == other.principal for other in self.exceptions[:position]):
                raise InvalidInputError(
                    "the exceptions of NoHumanAccess",
                    value=exception.principal.label,
                    allowed="each principal once",
                    fix="Join the actions of the two with |.",
                )

    def table_statements(self, table: TableReference) -> tuple[DenyStatement, ...]:
        """The deny statements for the policy of a table, which also covers its indexes.

        Args:
            table: The table, in the region that the policy is for.
        """
        return self._at(table, Side.TABLE, (table.arn, f"{table.arn}/index/*"))

    def stream_statements(self, table: TableReference) -> tuple[DenyStatement, ...]:
        """The deny statements for the policy of a table's stream.

        Args:
            table: The table, in the region that the policy is for.
        """
        return self._at(table, Side.STREAM, (table.stream_arn,))

    def people(self, table: TableReference) -> tuple[str, ...]:
        """Patterns of the ARNs of people, for a policy of the table.

        Args:
            table: The table.
        """
        partition = table.partition_id
        named = (arn for role in self.sign_in_roles for arn in arns_of(role, partition, account=table.account))
        return ordered((*(pattern.format(partition=partition) for pattern in EVERY_PERSON), *named))

    def _at(self, table: TableReference, side: Side, resources: tuple[str, ...]) -> tuple[DenyStatement, ...]:
        people = Clause("ArnLike", PRINCIPAL_ARN, self.people(table))
        groups: dict[tuple[str, ...], list[str]] = {}
        for action in restricted_at(side, settings=False):
            groups.setdefault(self._excepted(action, side, table), []).append(action)
        return tuple(
            DenyStatement(
                # Numbered, since exceptions can split the actions of one part.
                sid=f"NoPeople{number}{parts_of(actions, side)}",
                actions=tuple(f"{SERVICE}:{action}" for action in actions),
                resources=resources,
                clauses=(people, *((Clause("ArnNotLike", PRINCIPAL_ARN, excepted),) if excepted else ())),
            )
            for number, (excepted, actions) in enumerate(groups.items(), start=1)
        )

    def _excepted(self, action: str, side: Side, table: TableReference) -> tuple[str, ...]:
        return ordered(
            arn
            for exception in self.exceptions
            if exception.covers(action, side)
            for arn in arns_of(exception.principal, table.partition_id, account=table.account)
        )
