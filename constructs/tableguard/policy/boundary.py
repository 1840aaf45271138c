"""A permissions boundary that enforces a perimeter, and the deny statements that force roles and users to have it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws.actions import Effect, qualified_names
from tableguard.aws.condition_keys import CONDITION_KEYS
from tableguard.aws.iam import ACTIONS
from tableguard.policy import names
from tableguard.policy.conditions import Clause, texts
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import VERSION, Json, scalar
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.perimeter.guard import IamPrincipal, iam_principals
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.perimeter import Perimeter
from tableguard.policy.principals import PRINCIPAL_ARN, Role
from tableguard.policy.tokens import is_unresolved, ordered

DEFAULT_NAME: Final = "data-access-boundary"
_CARRIED: Final = "iam:PermissionsBoundary"


_REMOVING: Final = ("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary")
# Requests for these have the boundary's key but widen no permissions: deleting a role, changing its trust or duration.
_NOT_WIDENING: Final = ("iam:DeleteRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription")
# What widens a role or user. All these requests have the key of the present or future boundary. A role that is created
# from a template gets the template's boundary; if that request does not have the key, nobody can create such a role.
_WIDENING: Final = (
    "iam:AcquireRole",
    *(
        action
        for action in qualified_names(ACTIONS, Effect.CHANGES_ACCESS)
        if action in CONDITION_KEYS[_CARRIED.lower()].actions and action not in (*_REMOVING, *_NOT_WIDENING)
    ),
)
_EDITING: Final = qualified_names(ACTIONS, Effect.CHANGES_ACCESS, on="policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A managed policy with the same name in every account, for use as a permissions boundary.

    Args:
        name: The policy's name.
        path: The policy's path; "/" when left out.

    Raises:
        InvalidInputError: An argument is malformed.
    """

    name: str
    path: str = "/"

    def __post_init__(self) -> None:
        names.iam_path("the path of a Boundary", self.path)
        names.role_name("the name of a Boundary", self.name)

    def arn(self, account: str, partition: str = "aws") -> str:
        """Return the policy's ARN, or its pattern for all accounts.

        Args:
            account: The account's id, or "*".
            partition: The partition.
        """
        return f"arn:{partition}:iam::{account}:policy{self.path}{self.name}"

    def policy(
        self,
        perimeter: Perimeter,
        *,
        account: str,
        partition: str = "aws",
        allowed_actions: Sequence[str] = ("*",),
        role: Role | None = None,
    ) -> Json:
        """Return the document of the managed policy.

        It allows at most `allowed_actions` and denies data outside the perimeter. A role with this boundary can create
        and widen only roles and users that have the boundary, too.

        Args:
            perimeter: The perimeter.
            account: The account of the policy.
            partition: The account's partition.
            allowed_actions: Actions, with their service prefix, to which the boundary limits its roles and users; `*`
                stands for any part of a name. When left out, all actions: then the boundary only denies.
            role: The only role with this boundary, so that its exemption counts. When left out, no exemption counts.

        Raises:
            InvalidInputError: An action is malformed.
        """
        allowed = texts("allowed_actions of a boundary", allowed_actions)
        for action in allowed:
            if not is_unresolved(action) and not re.fullmatch(r"\*|[a-z0-9-]+:[A-Za-z0-9*]+", action):
                raise InvalidInputError(
                    "an allowed action of a boundary", value=action, allowed='actions such as "dynamodb:*", or "*"'
                )
        own = (self.arn(account, partition),)
        denials = (
            *perimeter.identity_statements(role=role, partition=partition),
            DenyStatement(
                sid="BoundaryIsPassedOn", actions=_WIDENING, clauses=(Clause("StringNotEquals", _CARRIED, own),)
            ),
            DenyStatement(sid="BoundaryStays", actions=_REMOVING),
            DenyStatement(sid="BoundaryIsUnchanged", actions=_EDITING, resources=own),
        )
        allow = {"Sid": "AtMost", "Effect": "Allow", "Action": scalar(ordered(allowed)), "Resource": "*"}
        return {"Version": VERSION, "Statement": [allow, *(denial.to_json() for denial in denials)]}

    def service_control_statements(
        self, administrators: Sequence[IamPrincipal], *, partition: str = "aws"
    ) -> tuple[DenyStatement, ...]:
        """Return the deny statements of an SCP that force all roles and users to have the boundary.

        They deny everybody but the administrators to create or widen a role or user without the boundary, to remove the
        boundary, and to change the policy. An existing role without the boundary can still be used and deleted; to
        change it, give it the boundary first.

        Args:
            administrators: Who may do this: usually the deployment role and the break-glass role.
            partition: The organization's partition.

        Raises:
            InvalidInputError: No administrator, so nobody could create the policy.
        """
        listed = iam_principals("the administrators", administrators)
        if not listed:
            raise InvalidInputError(
                f"the administrators of the boundary {self.name}",
                value=(),
                allowed="at least one, since nobody else may make or change the policy",
            )
        exempt = ordered(arn for administrator in listed for arn in arns_of(administrator, partition, account="*"))
        unless = Clause("ArnNotLike", PRINCIPAL_ARN, exempt)
        # Only a policy of its own account can be the boundary of a role, so the pattern matches no other policy.
        pattern = (self.arn("*", partition),)
        carried = Clause("StringNotLike", _CARRIED, pattern)
        return (
            DenyStatement(sid="ForceBoundary", actions=_WIDENING, clauses=(carried, unless)),
            DenyStatement(sid="KeepBoundary", actions=_REMOVING, clauses=(unless,)),
            DenyStatement(sid="GuardBoundaryPolicy", actions=_EDITING, resources=pattern, clauses=(unless,)),
        )
