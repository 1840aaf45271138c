"""Protects the roles that are exempt from a perimeter: only the administrators may create, change or pass them.

Anybody who can change an exempt role's trust policy or permissions, or pass the role to a function, can use its
exemption. So an SCP denies that to everybody but the administrators, for the administrators' own roles as well. Roles
of Identity Center permission sets need no such statement: nobody can change them in IAM.

The statements do not cover, since they do not know the names: customer-managed policies attached to an exempt role (a
new version widens the role, but not its exemption), groups of an exempt user, the code of functions that run as an
exempt role, and the identity provider in a trust policy. They also do not cover who may assume a pass-role principal
(after `cdk bootstrap`, everybody in the account whose own policy allows it) or change a stack that is deployed as an
administrator: both can deploy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.iam import ACTIONS
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement, joined
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.perimeter.exemptions import Exempt, Forwarding, RoleOfEveryAccount, ServiceLinkedRole
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.principals import PRINCIPAL_ARN, PermissionSet, Role, User
from tableguard.policy.tokens import ordered

IamPrincipal: TypeAlias = Role | User | PermissionSet | RoleOfEveryAccount


_PASS: Final = ("iam:PassRole",)
# All IAM actions that create, change or delete a role. Nobody can change the roles of services.
_ROLE_ACTIONS: Final = tuple(
    action
    for action in qualified_names(ACTIONS, Effect.CHANGES_ACCESS, on="role", but=(Category.OTHER,))
    if action not in _PASS
)
# The name that `cdk bootstrap` gives to the role that CloudFormation deploys as.
_CLOUDFORMATION: Final = re.compile(r"cdk-[^-]+-cfn-exec-role-")
# The same for a user, with all actions that create credentials for DynamoDB. By the service authorization reference,
# joining and leaving a group is authorized on the group; the statement on users applies if the user is checked as well.
_USER_ACTIONS: Final = (
    *qualified_names(ACTIONS, Effect.CHANGES_ACCESS, on="user", but=(Category.OTHER,)),
    "iam:AddUserToGroup",
    "iam:RemoveUserFromGroup",
)


def iam_principals(what: str, values: object) -> tuple[IamPrincipal, ...]:
    """Check a list of principals that a deny statement can exempt.

    Args:
        what: What they are, for the message, such as "the administrators".
        values: The list; it may be empty.

    Raises:
        InvalidInputError: `values` is not a list, or has something in it that is not a role, user or permission set.
    """
    allowed = "a list of Role, User, PermissionSet and RoleOfEveryAccount"
    given = listed(what, values, allowed=allowed)
    for value in given:
        if not isinstance(value, IamPrincipal):
            raise InvalidInputError(what, value=value, allowed=allowed)
    return given


def guard_statements(
    exempt: Iterable[Exempt],
    administrators: Sequence[IamPrincipal],
    *,
    pass_role_principals: Sequence[IamPrincipal] = (),
    partition: str = "aws",
) -> tuple[DenyStatement, ...]:
    """Return an SCP's statements that deny everybody but the administrators to create, change or pass these roles.

    Args:
        exempt: The exempt principals. Services and service-linked roles are left out: nobody can change them.
        administrators: The administrators, whose own roles are protected as well.
        pass_role_principals: Principals that may pass these roles to a service, and nothing else: the role that
            `cdk deploy` works as passes the deployment role to CloudFormation. They are protected, too.
        partition: The organization's partition.

    Returns:
        The statements; none if no exempt principal can be changed.

    Raises:
        InvalidInputError: There is an exempt principal but no administrator, or the CDK's role for CloudFormation is an
            administrator and there is no pass-role principal.
    """
    changeable = [p for p in exempt if not isinstance(p, (Forwarding, ServiceLinkedRole, PermissionSet))]
    if not changeable:
        return ()
    if not administrators:
        raise InvalidInputError(
            "the administrators of a perimeter",
            value=(),
            allowed=f"at least one, since {changeable[0].label} is exempt and has to be guarded",
            fix="Name the role that deployments run as, and break-glass: "
            'administrators=[RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*"), …], and who passes it to '
            'CloudFormation: pass_role_principals=[RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")].',
        )
    if not pass_role_principals:
        _check_passed(administrators)
    guarded = [*changeable, *(p for p in (*administrators, *pass_role_principals) if not isinstance(p, PermissionSet))]
    arns = ordered(arn for principal in guarded for arn in arns_of(principal, partition, account="*"))
    roles = tuple(arn for arn in arns if ":user/" not in arn)
    users = tuple(arn for arn in arns if ":user/" in arn)
    but_administrators = _but(administrators, partition)
    denials = []
    if roles:
        but_pass_roles = _but((*administrators, *pass_role_principals), partition)
        denials.append(
            DenyStatement(sid="GuardExemptRoles", actions=_ROLE_ACTIONS, resources=roles, clauses=but_administrators)
        )
        denials.append(DenyStatement(sid="GuardPassingRoles", actions=_PASS, resources=roles, clauses=but_pass_roles))
    if users:
        denials.append(
            DenyStatement(sid="GuardExemptUsers", actions=_USER_ACTIONS, resources=users, clauses=but_administrators)
        )
    return joined(denials)


def _check_passed(administrators: Iterable[IamPrincipal]) -> None:
    for administrator in administrators:
        if isinstance(administrator, Role | RoleOfEveryAccount) and _CLOUDFORMATION.match(administrator.name):
            raise InvalidInputError(
                "the pass_role_principals of a perimeter",
                value=(),
                allowed=f"at least one, since {administrator.label} is what CloudFormation works as: whoever deploys "
                "has to pass it, and every deployment would be denied",
                fix='With `cdk deploy`: pass_role_principals=[RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")]. '
                "Where an administrator passes it, name that one.",
            )


def role_guard(
    sid: str, roles: Iterable[str], administrators: Sequence[IamPrincipal], *, partition: str = "aws"
) -> tuple[DenyStatement, ...]:
    """Return an SCP's statement that denies everybody but the administrators to create, change or pass some roles.

    Args:
        sid: The statement's name.
        roles: The ARNs of the roles, or patterns. Do not include administrators and pass-role principals.
        administrators: The administrators.
        partition: The organization's partition.

    Returns:
        The statement; none if there are no roles.
    """
    arns = ordered(roles)
    if not arns:
        return ()
    actions = (*_ROLE_ACTIONS, *_PASS)
    return (DenyStatement(sid=sid, actions=actions, resources=arns, clauses=_but(administrators, partition)),)


def _but(exempt_principals: Iterable[IamPrincipal], partition: str) -> tuple[Clause, ...]:
    arns = ordered(arn for principal in exempt_principals for arn in arns_of(principal, partition, account="*"))
    return (Clause("ArnNotLike", PRINCIPAL_ARN, arns),)
