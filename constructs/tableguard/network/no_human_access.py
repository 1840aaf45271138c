"""Denies people the data of a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from constructs import Construct

from tableguard.network.denying import denied
from tableguard.policy import FederatedUser, Limits, PermissionSet, Role, RoleSession, TableGrant, TableReference, User
from tableguard.policy.documents import VERSION, Json
from tableguard.policy.metadata import people_json
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import Exemption, RoleOfEveryAccount
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side, restricted_at
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.wildcards import Glob, tokens
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.deployment import check_people
from tableguard.tables.granting import check_limits, check_list
from tableguard.tables.identities import is_user_of_this_app

OPEN_REPLICA: Final = "tableguard:replica-open-to-people"
DENIED_GRANT: Final = "tableguard:grant-to-people-denied"
_COMES_LATER: Final = "CloudFormation cannot create a replica together with its policy"


class NoHumanAccess(Construct):
    """Denies people the data of a table of the app, even if their identity policies or a grant allow it.

    People are root users, IAM users, sessions of GetFederationToken, everybody who signs in with Identity Center, and
    the roles in `sign_in_roles`, of any account. It does not affect applications' roles. It denies actions on items and
    the stream, and actions that move data out or open the table, such as changes to its policies. It does not deny
    changes to settings. A warning names grants to people that have no effect.

    People cannot change the table's policy. Deploy it with CloudFormation's execution role, as `cdk bootstrap` sets it
    up, or make an exception for `RestrictedActions.POLICY`. The account's root user can always delete the policy.

    DynamoDB cannot tell a person who assumes an application's role from the application. The rule `NoWayAround` finds
    such ways in the app, and fails the synthesis for each that is not acknowledged.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: AnyTable,
        sign_in_roles: Sequence[Role | RoleOfEveryAccount] = (),
        exceptions: Sequence[Exemption] = (),
        deployed_replicas: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """Deny people the data of a table.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            table: The table. It must be made in this app.
            sign_in_roles: Roles that people sign in with outside Identity Center, such as roles that trust a SAML
                provider: no policy can tell these from applications' roles. None when left out.
            exceptions: People who may take some of the denied actions, each with the reason, such as the permission set
                that answers requests of customers about their data. None when left out.
            deployed_replicas: Regions of replicas that are already deployed; see `TableAccess`.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: The table cannot have a policy here, a role or exception is malformed, or one of the
                `sign_in_roles` deploys the table.
            PolicyTooLargeError: The policy is over the limit.
        """
        super().__init__(scope, construct_id)
        self._restriction = NoPeople(sign_in_roles=sign_in_roles, exceptions=exceptions)
        check_list(self, "deployed_replicas", deployed_replicas)
        check_limits(self, limits)
        resource = table_resource(unwrapped(table), "NoHumanAccess", instead=self._instead)
        check_people(self.node.path, self._restriction, cdk.Stack.of(resource))
        policies = TablePolicies.of(resource)
        policies.configure(limits=limits, deployed_replicas=deployed_replicas)
        policies.enclose(PeopleRestriction(self, self._restriction))

    @property
    def restriction(self) -> NoPeople:
        """What is denied."""
        return self._restriction

    def _instead(self, table: TableReference) -> Instead:
        """What the owner of an imported table could do instead."""
        return Instead(
            table={"Version": VERSION, "Statement": denied(self._restriction, table, stream=False)},
            stream={"Version": VERSION, "Statement": denied(self._restriction, table, stream=True)},
        )


def _waiting(table: TableReference, deployed: Collection[str]) -> list[str]:
    return [region for region in table.replica_regions if region not in deployed]


@dataclass(frozen=True, slots=True)
class PeopleRestriction:
    """The restriction of people, for one table.

    Args:
        construct: The construct that warnings are attached to.
        people: The restriction, which renders the deny statements.
    """

    construct: Construct
    people: NoPeople
    kind: str = "people"

    def statements(self, table: TableReference, *, stream: bool) -> list[Json]:
        """The deny statements for the policy of a table or its stream.

        Args:
            table: The table, in the region that the policy is for.
            stream: True for the policy of the stream, False for that of the table.
        """
        return denied(self.people, table, stream=stream)

    def described(self, table: TableReference, *, deployed: Collection[str]) -> Json:
        """The description for the template's metadata.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies now.
        """
        waiting = _waiting(table, deployed)
        return people_json(self.people, open_replicas=dict.fromkeys(waiting, _COMES_LATER))

    def problems(self, table: TableReference, *, deployed: Collection[str], grants: Sequence[TableGrant]) -> list[str]:
        """Warn of replicas that have no restriction yet, and of grants that the restriction denies.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies now.
            grants: All grants on the table.
        """
        annotations = cdk.Annotations.of(self.construct)
        for grant, actions in denied_people(self.people, table, grants, is_user=is_user_of_this_app):
            annotations.add_warning_v2(
                DENIED_GRANT,
                f"NoHumanAccess denies what the grant to {grant.subject.label} allows ({', '.join(actions)}): a Deny "
                "wins. Grant it to an application's role, make an exception, "
                "exceptions=[Exemption(principal=…, actions=…, reason=…)], or remove the grant.",
            )
        waiting = _waiting(table, deployed)
        if waiting:
            annotations.add_warning_v2(
                OPEN_REPLICA,
                f"Phase 1 of 2: this deployment does not deny people the replicas in {', '.join(waiting)}: "
                "CloudFormation cannot create a replica in another region together with its policy. Once they are "
                f"deployed, add deployed_replicas={waiting!r} and deploy again.",
            )
        return []


_SIDES = (Side.TABLE, Side.STREAM)


def denied_people(
    people: NoPeople, table: TableReference, grants: Iterable[TableGrant], *, is_user: Callable[[str], bool]
) -> Iterator[tuple[TableGrant, tuple[str, ...]]]:
    """Find the grants to people that a restriction denies, each with the denied actions.

    Grants to a whole account or organization are left out, since they also serve applications; so are grants to
    principals that are known only at deployment.

    Args:
        people: The restriction.
        table: The table.
        grants: The table's grants, to principals of this library.
        is_user: Tells whether an ARN that is not known before deployment is that of an IAM user.
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
    """The values of `aws:PrincipalArn` for the principal of a grant; empty if it stands for many principals."""
    partition = table.partition_id
    match grant.subject:
        case PermissionSet() as people:
            return people.role_patterns(partition)
        case RoleSession() as session:
            # The ARN of a session does not contain the role's path: the path is known only at deployment.
            return (f"arn:{partition}:iam::{session.account}:role/{session.role}",)
        case Role() | User() | ArnIdentity() | FederatedUser() as identity:
            return (identity.arn(partition),)
    return ()


def _is_one_of(patterns: Iterable[str], arn: str) -> bool:
    return any(Glob(tokens(pattern)).matches(arn) for pattern in patterns)
