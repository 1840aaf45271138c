"""Exemptions of a perimeter: who is exempt, for which actions, and why.

An exemption is limited to one account and to some actions: a role that is exempt for replication may not read items,
and a role with which Lambda polls a stream is exempt for the stream only. Each policy has only the exemptions that it
needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from tableguard.aws.managed_policies import REPLICATION
from tableguard.policy import names
from tableguard.policy.conditions import texts
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.perimeter.restricted_actions import RestrictedActions, Side
from tableguard.policy.principals import ArnIdentity, PermissionSet, Role, User
from tableguard.policy.representation import as_call

_RESERVED_PATHS: Final = ("/aws-service-role/", "/aws-reserved/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLinkedRole:
    """A role that only an AWS service can assume and change. Resource-based policies apply to it, SCPs and RCPs do not.

    Args:
        account: The 12-digit id of the role's account.
        service: The host name of the service, such as "replication.dynamodb.amazonaws.com".
        name: The role's name, such as "AWSServiceRoleForDynamoDBReplication".

    Raises:
        InvalidInputError: An argument is malformed.
    """

    account: str
    service: str
    name: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a ServiceLinkedRole", self.account)
        names.service_host("the service of a ServiceLinkedRole", self.service)
        names.role_name("the name of a ServiceLinkedRole", self.name)

    @property
    def home(self) -> str:
        """The account that it belongs to."""
        return self.account

    @property
    def label(self) -> str:
        """The role in a reader's words."""
        return f"service-linked role {self.name} of {self.account}"

    def arn(self, partition: str) -> str:
        """Its ARN."""
        return f"arn:{partition}:iam::{self.account}:role/aws-service-role/{self.service}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleOfEveryAccount:
    """A role with the same name in every account of an organization, such as the deployment role.

    Policies of a table and its stream exempt only the role of the table's own account. An SCP exempts the role of every
    account by a pattern. So that nobody can create a role of that name and be exempt, the SCP also denies everybody but
    the administrators to create or change such a role.

    Args:
        name: The role's name. A `*` at the end stands for what differs between accounts, as in
            "cdk-hnb659fds-cfn-exec-role-*".
        path: The role's path; "/" when left out.

    Raises:
        InvalidInputError: An argument is malformed, or the name has fewer than four fixed characters before a `*`.
    """

    name: str
    path: str = "/"

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.iam_path("the path of a RoleOfEveryAccount", self.path)
        fixed, *wild = str(self.name).split("*")
        if wild and (len(fixed) < 4 or wild != [""]):  # noqa: PLR2004 (shorter prefixes are no name)
            raise InvalidInputError(
                "the name of a RoleOfEveryAccount",
                value=self.name,
                allowed="a name, or at least four characters of one with a single * at the end",
            )
        names.role_name("the name of a RoleOfEveryAccount", fixed)

    @property
    def home(self) -> None:
        """The account that it belongs to: none alone."""
        return

    @property
    def label(self) -> str:
        """The role in a reader's words."""
        return f"role {self.path.lstrip('/')}{self.name} of every account"

    def arn_in(self, account: str, partition: str) -> str:
        """The ARN of the role, or the pattern of it, in one account ("*": in every one)."""
        return f"arn:{partition}:iam::{account}:role{self.path}{self.name}"


@dataclass(frozen=True, slots=True)
class LambdaPoller:
    """The role of a function for which Lambda polls a stream, from outside the function's VPC.

    Lambda and the function's own code use the same role. A policy of the stream cannot tell their calls apart. An SCP
    and an identity policy can: only calls of the code have the key `lambda:SourceFunctionArn`.
    Source: Lambda developer guide, "Using source function ARN to control function access behavior". That Lambda's
    polling of DynamoDB does not have the key is inferred; if that is wrong, polling is denied.

    Args:
        role: The function's execution role.

    Raises:
        InvalidInputError: `role` is not a Role.
    """

    role: Role

    __repr__ = as_call

    def __post_init__(self) -> None:
        if not isinstance(self.role, Role):
            raise InvalidInputError("the role of a LambdaPoller", value=self.role, allowed="a Role")

    @property
    def home(self) -> str:
        """The account that it belongs to."""
        return self.role.account

    @property
    def label(self) -> str:
        """The role in a reader's words."""
        return f"Lambda polling as {self.role.label}"

    def arn(self, partition: str) -> str:
        """The role's ARN."""
        return self.role.arn(partition)


@dataclass(frozen=True, slots=True, init=False)
class Forwarding:
    """AWS services that act on a caller's behalf with the caller's permissions, such as CloudFormation without a role.

    Such a request comes from the service's network. The exemption applies to everybody who can use that service. If a
    service works with a role of its own, such as Athena's connector, exempt the role instead.

    Args:
        services: Host names of the services that make the last call (aws:CalledViaLast), such as
            "cloudformation.amazonaws.com". When left out, every service (aws:ViaAWSService).

    Raises:
        InvalidInputError: A name is malformed.
    """

    services: tuple[str, ...]

    __repr__ = as_call

    def __init__(self, *services: str) -> None:
        listed = texts("Forwarding", services) if services else ()
        checked = (names.service_host("a service of Forwarding", value) for value in listed)
        object.__setattr__(self, "services", tuple(checked))

    @property
    def home(self) -> None:
        """The account that it belongs to: none alone."""
        return

    @property
    def label(self) -> str:
        """The services in a reader's words."""
        return f"calls forwarded by {', '.join(self.services) or 'any AWS service'}"


Exempt: TypeAlias = (
    Role | User | ArnIdentity | PermissionSet | ServiceLinkedRole | RoleOfEveryAccount | LambdaPoller | Forwarding
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Exempts a principal from a perimeter, or from `NoHumanAccess`, for some restricted actions.

    Args:
        principal: The exempt principal. A role, user or permission set is that of its account only.
        actions: The restricted actions, such as `RestrictedActions.ITEMS`. Each policy uses those that it denies.
        reason: Why, in words for a reviewer. It goes into the template's metadata, never into a policy.

    Raises:
        InvalidInputError: The principal is not allowed here (a whole account, for example), there is no reason, or a
            `LambdaPoller` is exempt for more than the stream.
    """

    principal: Exempt
    actions: RestrictedActions
    reason: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        if not isinstance(self.principal, Exempt):
            raise InvalidInputError(
                "the principal of an Exemption",
                value=self.principal,
                allowed="a Role, User, PermissionSet, ServiceLinkedRole, RoleOfEveryAccount, LambdaPoller, Forwarding",
                fix="A whole account or organization would leave no perimeter: name who needs to cross it.",
            )
        if isinstance(self.principal, Role) and self.principal.path.startswith(_RESERVED_PATHS):
            raise InvalidInputError(
                "the principal of an Exemption",
                value=self.principal.label,
                allowed="a role of your own here",
                fix="Use ServiceLinkedRole, or PermissionSet, for roles under a path that AWS reserves.",
            )
        if not isinstance(self.actions, RestrictedActions):
            raise InvalidInputError(
                "the actions of an Exemption", value=self.actions, allowed="RestrictedActions.ITEMS and its likes"
            )
        if not isinstance(self.reason, str) or not re.search(r"\w", self.reason):
            raise InvalidInputError(
                f"the reason of the exemption of {self.principal.label}",
                value=self.reason,
                allowed="why it may cross the perimeter",
            )
        if (
            isinstance(self.principal, LambdaPoller)
            and not self.actions.permissions <= RestrictedActions.STREAM.permissions
        ):
            raise InvalidInputError(
                f"the actions of the exemption of {self.principal.label}",
                value=self.actions.name,
                allowed="RestrictedActions.STREAM: Lambda polls nothing else, and the function's code is no poller",
            )

    def covers(self, action: str, *sides: Side) -> bool:
        """Whether the exemption covers an action at one of these sides."""
        return self.actions.covers(action, *sides)


def replication_of(account: str) -> Exemption:
    """Return the exemption of the service-linked role that replicates the tables of an account.

    If replication is denied for 20 hours, a replica becomes a separate table, permanently. Source: DynamoDB developer
    guide, "Using IAM with DynamoDB global tables".

    Args:
        account: The 12-digit id of the tables' account.
    """
    role = ServiceLinkedRole(account=account, service=REPLICATION.service, name=REPLICATION.name)
    return Exemption(
        principal=role, actions=RestrictedActions.ITEMS | RestrictedActions.STREAM, reason="replicas stay in step"
    )
