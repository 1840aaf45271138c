"""Who may make and change the roles that are exempt from a perimeter.

An exemption is as strong as the role behind it: whoever can change its trust policy or its permissions, or pass it to a
function of his own, has the exemption. So an SCP keeps everybody but the administrators from all of that, and guards
the administrators as well. Roles that an Identity Center permission set makes need no guard: nobody can change those in
IAM.

What it does not reach, since it does not know the names: customer-managed policies attached to an exempt role (whoever
writes a new version widens the role, though not its exemption), groups of an exempt user, the code of functions that
run as one, and the identity provider that a trust policy names. Nor who may assume a pass-role principal (as the CDK
bootstraps it, everybody in the account whose own policy allows it) or change a stack that is deployed as an
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
# Everything in IAM that makes, changes or removes a role. The roles of services are nobody's to change.
_ROLE_ACTIONS: Final = tuple(
    action
    for action in qualified_names(ACTIONS, Effect.CHANGES_ACCESS, on="role", but=(Category.OTHER,))
    if action not in _PASS
)
# The name that `cdk bootstrap` gives to the role that CloudFormation deploys as.
_CLOUDFORMATION: Final = re.compile(r"cdk-[^-]+-cfn-exec-role-")
# The same of a user, with every way to new credentials that DynamoDB takes: others are for other services. To join and
# leave a group is authorized on the group, by what the reference says; a statement on users reaches it if not so alone.
_USER_ACTIONS: Final = (
    *qualified_names(ACTIONS, Effect.CHANGES_ACCESS, on="user", but=(Category.OTHER,)),
    "iam:AddUserToGroup",
    "iam:RemoveUserFromGroup",
)


def iam_principals(what: str, values: object) -> tuple[IamPrincipal, ...]:
    """Check a list of those whom a Deny can exempt.

    Args:
        what: What they are, for the message: "the administrators".
        values: The list of them; it may be empty.

    Raises:
        InvalidInputError: It is no list, or something in it is no role, user or permission set.
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
    """What an SCP denies everybody but the administrators: to make, change or pass an exempt role or one of theirs.

    Args:
        exempt: Who is exempt. Services and service-linked roles are nobody's to change and left out.
        administrators: Who may do all of that.
        pass_role_principals: Who may pass them to a service, and nothing else: the role that `cdk deploy` works as
            hands the role that deployments run as to CloudFormation. Those are guarded, too.
        partition: The organization's partition.

    Returns:
        Nothing where nobody is exempt who could be changed.

    Raises:
        InvalidInputError: Somebody is exempt and nobody is an administrator, or an administrator is the CDK's role for
            CloudFormation and nobody passes it.
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
    """What an SCP denies everybody but the administrators: to make, change or pass roles that nobody deploys with.

    Args:
        sid: The statement's name.
        roles: The ARNs of the roles, or patterns of them; of administrators and pass-role principals it says nothing.
        administrators: Who may.
        partition: The organization's partition.

    Returns:
        Nothing where there is no role.
    """
    arns = ordered(roles)
    if not arns:
        return ()
    actions = (*_ROLE_ACTIONS, *_PASS)
    return (DenyStatement(sid=sid, actions=actions, resources=arns, clauses=_but(administrators, partition)),)


def _but(exempt_principals: Iterable[IamPrincipal], partition: str) -> tuple[Clause, ...]:
    arns = ordered(arn for principal in exempt_principals for arn in arns_of(principal, partition, account="*"))
    return (Clause("ArnNotLike", PRINCIPAL_ARN, arns),)
