"""A permissions boundary that keeps whoever carries it inside, and the denials that make everybody carry it."""

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
# These tell the boundary and give nobody more than he has: to delete a role, and to change who assumes it for how long.
_NOT_WIDENING: Final = ("iam:DeleteRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription")
# What gives a role or user more than it has, all of which tell the boundary that it carries, or is to carry. A role
# that is made from a template gets the template's. Whether the request tells it is open: where not, nobody makes one.
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
    """A managed policy, of the same name in every account, that roles carry as their permissions boundary.

    Args:
        name: The policy's name.
        path: The policy's path; "/" when left out.

    Raises:
        InvalidInputError: One of them is malformed.
    """

    name: str
    path: str = "/"

    def __post_init__(self) -> None:
        names.iam_path("the path of a Boundary", self.path)
        names.role_name("the name of a Boundary", self.name)

    def arn(self, account: str, partition: str = "aws") -> str:
        """The policy's ARN, or the pattern of it.

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
        """The managed policy.

        It allows no more than `allowed_actions`, denies data to whoever is outside the perimeter, and passes itself on:
        a role that carries it can make and widen only roles and users that carry it, too.

        Args:
            perimeter: The perimeter.
            account: The account of the policy.
            partition: The account's partition.
            allowed_actions: Actions that its carriers may have at most, with their service prefix; `*` stands for any
                part of a name. Everything when left out: the boundary then only takes away.
            role: The one role that carries it, so that its own exemption counts; no role's does when left out.

        Raises:
            InvalidInputError: A malformed action.
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
        """What an SCP denies everybody but the administrators, so that all roles and users carry the boundary.

        Making or widening a role or user that does not carry it, taking it off, and changing the policy itself. A role
        that carries none already can still be used and deleted; to be changed it has to get the boundary first.

        Args:
            administrators: Who may: the role that deployments run as and the break-glass role, as a rule.
            partition: The organization's partition.

        Raises:
            InvalidInputError: No administrator: nobody could ever make the policy.
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
        # Only a policy of the carrier's own account can be its boundary, so the pattern lets no other policy pass.
        pattern = (self.arn("*", partition),)
        carried = Clause("StringNotLike", _CARRIED, pattern)
        return (
            DenyStatement(sid="ForceBoundary", actions=_WIDENING, clauses=(carried, unless)),
            DenyStatement(sid="KeepBoundary", actions=_REMOVING, clauses=(unless,)),
            DenyStatement(sid="GuardBoundaryPolicy", actions=_EDITING, resources=pattern, clauses=(unless,)),
        )
