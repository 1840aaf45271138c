"""Who may make and change the roles that are exempt from a perimeter.

An exemption is as strong as the role behind it: whoever can change its trust policy or its permissions, or pass it to a
function of his own, has the exemption. So an SCP keeps everybody but the guardians from all of that, and guards the
guardians as well. Roles that an Identity Center permission set makes need no guard: nobody can change those in IAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from tableguard.policy.conditions import Clause
from tableguard.policy.denials import Denial
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.perimeter.exemptions import Exempt, Forwarding, RoleOfEveryAccount, ServiceLinkedRole
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.lists import objects
from tableguard.policy.principals import PRINCIPAL_ARN, PermissionSet, Role, User
from tableguard.policy.tokens import ordered

Guardian: TypeAlias = Role | User | PermissionSet | RoleOfEveryAccount


def _iam(names: str) -> tuple[str, ...]:
    return tuple(f"iam:{name}" for name in names.split())


# Everything in IAM that makes, changes, hands over or removes a role. PassRole hands it to a service.
_ROLE_ACTIONS: Final = _iam(
    "AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy PassRole"
    " PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole"
    " UpdateRoleDescription"
)
# The same of a user, with every way to new credentials.
_USER_ACTIONS: Final = _iam(
    "AddUserToGroup AttachUserPolicy CreateAccessKey CreateLoginProfile CreateUser DeactivateMFADevice DeleteUser"
    " DeleteUserPermissionsBoundary DeleteUserPolicy DetachUserPolicy EnableMFADevice PutUserPermissionsBoundary"
    " PutUserPolicy RemoveUserFromGroup ResyncMFADevice TagUser UntagUser UpdateAccessKey UpdateLoginProfile UpdateUser"
)


def guardians_of(values: object) -> tuple[Guardian, ...]:
    """Check guardians.

    Args:
        values: The list of them; it may be empty.

    Raises:
        InvalidInputError: It is no list, or something in it cannot be a guardian.
    """
    listed = objects("the guardians of a perimeter", values)
    guardians = tuple(value for value in listed if isinstance(value, Guardian))
    for value in listed:
        if not isinstance(value, Guardian):
            raise InvalidInputError(
                "a guardian of a perimeter", value=value, allowed="a Role, User, PermissionSet or RoleOfEveryAccount"
            )
    return guardians


def guard_statements(
    exempt: Iterable[Exempt], guardians: Sequence[Guardian], *, partition: str = "aws"
) -> tuple[Denial, ...]:
    """What an SCP denies everybody but the guardians: making, changing or passing an exempt role, or a guardian.

    Args:
        exempt: Who is exempt. Services and service-linked roles are nobody's to change and left out.
        guardians: Who may.
        partition: The organization's partition.

    Returns:
        Nothing where nobody is exempt who could be changed.

    Raises:
        InvalidInputError: Somebody is exempt and nobody is a guardian.
    """
    changeable = [p for p in exempt if not isinstance(p, (Forwarding, ServiceLinkedRole, PermissionSet))]
    if not changeable:
        return ()
    if not guardians:
        raise InvalidInputError(
            "the guardians of a perimeter",
            value=(),
            allowed=f"at least one, since {changeable[0].label} is exempt and has to be guarded",
            fix="Name the role that deployments run as and the break-glass role: "
            'guardians=[RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*"), …].',
        )
    guarded = [*changeable, *(g for g in guardians if not isinstance(g, PermissionSet))]
    arns = ordered(arn for principal in guarded for arn in arns_of(principal, partition, account="*"))
    spared = ordered(arn for guardian in guardians for arn in arns_of(guardian, partition, account="*"))
    unless = (Clause("ArnNotLike", PRINCIPAL_ARN, spared),)
    roles = tuple(arn for arn in arns if ":user/" not in arn)
    users = tuple(arn for arn in arns if ":user/" in arn)
    denials = []
    if roles:
        denials.append(Denial(sid="GuardExemptRoles", actions=_ROLE_ACTIONS, resources=roles, clauses=unless))
    if users:
        denials.append(Denial(sid="GuardExemptUsers", actions=_USER_ACTIONS, resources=users, clauses=unless))
    return tuple(denials)
