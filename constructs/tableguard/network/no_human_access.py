"""A table whose data is for applications only."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from tableguard.policy import Limits, Role
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import Exemption, RoleOfEveryAccount
from tableguard.tables.table_access import AnyTable, TableAccess


class NoHumanAccess(Construct):
    """Denies people the data of a table that exists in the app, whatever their identity policies say.

    People are root users, IAM users, sessions of GetFederationToken, everybody who signs in with Identity Center, and
    the roles that `sign_in_roles` names, of any account. Applications' roles are not touched. Denied are items, the
    stream, and what moves data out or opens the table, its policies among them; settings stay open.

    So nobody deploys the table's policy as a person any more: deploy with CloudFormation's execution role, as
    `cdk bootstrap` sets it up, or make an exception for `Fenced.POLICY`. The account's root user can always delete the
    policy.

    A person who may assume an application's role is that application to DynamoDB. The rule `NoWayAround` looks for such
    ways in the app and fails the synth for each that nobody acknowledged.

    Grants to people on the same table have no effect: a Deny wins.
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
            InvalidInputError: A table that cannot have a policy here, or a wrong role or exception.
            PolicyTooLargeError: The policy is over the limit.
        """
        super().__init__(scope, construct_id)
        self._fence = NoPeople(sign_in_roles=sign_in_roles, exceptions=exceptions)
        access = TableAccess(self, "Access", table=table, deployed_replicas=deployed_replicas, limits=limits)
        access.fence(self._fence)

    @property
    def fence(self) -> NoPeople:
        """What is denied."""
        return self._fence
