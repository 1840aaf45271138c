"""A table whose data is for applications only."""

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
    """Denies people the data of a table that exists in the app, whatever their identity policies say.

    People are root users, IAM users, sessions of GetFederationToken, everybody who signs in with Identity Center, and
    the roles that `sign_in_roles` names, of any account. Applications' roles are not touched. Denied are items, the
    stream, and what moves data out or opens the table, its policies among them; settings stay open.

    So nobody deploys the table's policy as a person any more: deploy with CloudFormation's execution role, as `cdk
    bootstrap` sets it up, or make an exception for `RestrictedActions.POLICY`. The account's root user can always
    delete the policy.

    A person who may assume an application's role is that application to DynamoDB. The rule `NoWayAround` looks for such
    ways in the app and fails the synth for each that nobody acknowledged.

    Grants to people on the same table have no effect, and a warning says so: a Deny wins.
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
            table: The table, of this app.
            sign_in_roles: Roles that people sign in with other than by Identity Center, such as those that trust a
                SAML provider: no policy can tell these from an application's.
            exceptions: People who may do some of it all the same, with the reason, such as the one permission set that
                answers requests of customers about their data.
            deployed_replicas: Regions of replicas that have been deployed already: see `TableAccess`.
            limits: Limits on the size of policies, where AWS has raised yours.

        Raises:
            InvalidInputError: A table that cannot have a policy here, a wrong role or exception, or a role that people
                sign in with and that deploys the table.
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
    """A restriction of people, around one table.

    Args:
        construct: Where it was made, for warnings.
        people: What is denied.
    """

    construct: Construct
    people: NoPeople
    kind: str = "people"

    def statements(self, table: TableReference, *, stream: bool) -> list[Json]:
        """What the policy of a table, or of its stream, denies.

        Args:
            table: The table, in the region that the policy is for.
            stream: Whether it is the policy of the stream.
        """
        return denied(self.people, table, stream=stream)

    def described(self, table: TableReference, *, deployed: Collection[str]) -> Json:
        """What the template's metadata says of it.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies.
        """
        waiting = _waiting(table, deployed)
        return people_json(self.people, open_replicas=dict.fromkeys(waiting, _COMES_LATER))

    def problems(self, table: TableReference, *, deployed: Collection[str], grants: Sequence[TableGrant]) -> list[str]:
        """Warn of replicas that have no restriction yet, and of grants that it denies.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies.
            grants: Everything that is granted on the table.
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
                f"Phase 1 of 2: in {', '.join(waiting)} people are not kept out in this deployment: CloudFormation "
                "cannot create a replica in another region together with its policy. Once they are deployed, add "
                f"deployed_replicas={waiting!r} and deploy again.",
            )
        return []


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
