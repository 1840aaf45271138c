"""Who may make and change the roles that are exempt from a perimeter.

An exemption is as strong as the role behind it: whoever can change its trust policy or its permissions, or pass it to a
function of his own, has the exemption. So an SCP keeps everybody but the guardians from all of that, and guards the
guardians as well. Roles that an Identity Center permission set makes need no guard: nobody can change those in IAM.

What it does not reach, since it does not know the names: customer-managed policies attached to an exempt role (whoever
writes a new version widens the role, though not its exemption), groups of an exempt user, the code of functions that
run as one, and the identity provider that a trust policy names. Nor who may assume a passer (as the CDK bootstraps it,
everybody in the account whose own policy allows it) or change a stack that is deployed as a guardian: both can deploy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.iam import ACTIONS
from tableguard.policy.conditions import Clause
from tableguard.policy.denials import Denial, joined
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.perimeter.exemptions import Exempt, Forwarding, RoleOfEveryAccount, ServiceLinkedRole
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.principals import PRINCIPAL_ARN, PermissionSet, Role, User
from tableguard.policy.tokens import ordered

Guardian: TypeAlias = Role | User | PermissionSet | RoleOfEveryAccount


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


def guardians_of(what: str, values: object) -> tuple[Guardian, ...]:
    """Check guardians, or who passes what they guard.

    Args:
        what: What they are, for the message: "the guardians".
        values: The list of them; it may be empty.

    Raises:
        InvalidInputError: It is no list, or something in it cannot be a guardian.
    """
    given = listed(f"{what} of a perimeter", values)
    guardians = tuple(value for value in given if isinstance(value, Guardian))
    for value in given:
        if not isinstance(value, Guardian):
            raise InvalidInputError(
                f"one of {what} of a perimeter",
                value=value,
                allowed="a Role, User, PermissionSet or RoleOfEveryAccount",
            )
    return guardians


def guard_statements(
    exempt: Iterable[Exempt], guardians: Sequence[Guardian], *, passers: Sequence[Guardian] = (), partition: str = "aws"
) -> tuple[Denial, ...]:
    """What an SCP denies everybody but the guardians: making, changing or passing an exempt role, or a guardian.

    Args:
        exempt: Who is exempt. Services and service-linked roles are nobody's to change and left out.
        guardians: Who may do all of that.
        passers: Who may pass them to a service, and nothing else: the role that `cdk deploy` works as hands the role
            that deployments run as to CloudFormation. Passers are guarded, too.
        partition: The organization's partition.

    Returns:
        Nothing where nobody is exempt who could be changed.

    Raises:
        InvalidInputError: Somebody is exempt and nobody is a guardian, or a guardian is the CDK's role for
            CloudFormation and nobody passes it.
    """
    changeable = [p for p in exempt if not isinstance(p, (Forwarding, ServiceLinkedRole, PermissionSet))]
    if not changeable:
        return ()
    if not guardians:
        raise InvalidInputError(
            "the guardians of a perimeter",
            value=(),
            allowed=f"at least one, since {changeable[0].label} is exempt and has to be guarded",
            fix="Name the role that deployments run as, and break-glass: "
            'guardians=[RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*"), …], and who passes it to '
            'CloudFormation: passers=[RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")].',
        )
    if not passers:
        _check_passed(guardians)
    guarded = [*changeable, *(p for p in (*guardians, *passers) if not isinstance(p, PermissionSet))]
    arns = ordered(arn for principal in guarded for arn in arns_of(principal, partition, account="*"))
    roles = tuple(arn for arn in arns if ":user/" not in arn)
    users = tuple(arn for arn in arns if ":user/" in arn)
    but_guardians = _but(guardians, partition)
    denials = []
    if roles:
        but_passers = _but((*guardians, *passers), partition)
        denials.append(Denial(sid="GuardExemptRoles", actions=_ROLE_ACTIONS, resources=roles, clauses=but_guardians))
        denials.append(Denial(sid="GuardPassingRoles", actions=_PASS, resources=roles, clauses=but_passers))
    if users:
        denials.append(Denial(sid="GuardExemptUsers", actions=_USER_ACTIONS, resources=users, clauses=but_guardians))
    return joined(denials)


def _check_passed(guardians: Iterable[Guardian]) -> None:
    for guardian in guardians:
        if isinstance(guardian, Role | RoleOfEveryAccount) and _CLOUDFORMATION.match(guardian.name):
            raise InvalidInputError(
                "the passers of a perimeter",
                value=(),
                allowed=f"at least one, since {guardian.label} is what CloudFormation works as: whoever deploys has to "
                "pass it, and every deployment would be denied",
                fix='With `cdk deploy`: passers=[RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")]. Where a '
                "guardian passes it, name that guardian.",
            )


def role_guard(
    sid: str, roles: Iterable[str], guardians: Sequence[Guardian], *, partition: str = "aws"
) -> tuple[Denial, ...]:
    """What an SCP denies everybody but the guardians about roles that nobody deploys with: to make, change or pass one.

    Args:
        sid: The statement's name.
        roles: The ARNs of the roles, or patterns of them; of guardians and their passers it says nothing.
        guardians: Who may.
        partition: The organization's partition.

    Returns:
        Nothing where there is no role.
    """
    arns = ordered(roles)
    if not arns:
        return ()
    actions = (*_ROLE_ACTIONS, *_PASS)
    return (Denial(sid=sid, actions=actions, resources=arns, clauses=_but(guardians, partition)),)


def _but(spared: Iterable[Guardian], partition: str) -> tuple[Clause, ...]:
    arns = ordered(arn for principal in spared for arn in arns_of(principal, partition, account="*"))
    return (Clause("ArnNotLike", PRINCIPAL_ARN, arns),)
