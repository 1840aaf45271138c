"""The consumer's side of a grant, with a role for it."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct

from tableguard.policy import InvalidInputError, Limits, TableGrant, TableReference
from tableguard.policy.principals import Role
from tableguard.tables.consumer_access import ConsumerAccess, check_consumer


@jsii.implements(iam.IGrantable)
class ConsumerRole(Construct):
    """A role that a grant on somebody else's table is for, with exactly the identity policy that the grant needs.

    The role gets the name and path that the grant says, so nothing has to travel between the accounts. It is an
    `iam.IGrantable`: what else it needs (logs, queues) is granted to it as to any role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        grant: TableGrant,
        table: TableReference,
        assumed_by: iam.IPrincipal,
        permissions_boundary: iam.IManagedPolicy | None = None,
        max_session_duration: cdk.Duration | None = None,
        external_ids: list[str] | None = None,
        description: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make the role of a grant.

        Args:
            scope: The parent construct, in a stack of the grant's account.
            construct_id: The construct's id, unique below its parent.
            grant: The grant that the table's account makes: to a Role, whose name and path the role gets, or to an
                Account or an organization, for which CloudFormation chooses a name.
            table: The table.
            assumed_by: Who assumes the role: a service, a role, an identity provider.
            permissions_boundary: A managed policy that bounds the role; none when left out.
            max_session_duration: How long a session may last, 1 to 12 hours; one hour when left out.
            external_ids: External ids, one of which whoever assumes the role must show; none when left out.
            description: The role's description; names the table and the reason of the grant when left out.
            limits: Limits on the size of policies, where AWS has raised yours.

        Raises:
            InvalidInputError: The stack's account is not the grant's, the grant is not for a role, or it does not fit
                the table.
            PolicyTooLargeError: The policy is over the limit.
        """
        super().__init__(scope, construct_id)
        check_consumer(cdk.Stack.of(self), grant, table)
        if isinstance(assumed_by, iam.AnyPrincipal | iam.StarPrincipal):
            raise InvalidInputError(
                f"assumed_by of {self.node.path}",
                value="everybody",
                allowed="a service, a role, an account or an identity provider",
            )
        subject = grant.subject
        self._role = iam.Role(
            self,
            "Role",
            role_name=subject.role_name or None,
            path=subject.path if isinstance(subject, Role) and subject.path != "/" else None,
            assumed_by=assumed_by,
            permissions_boundary=permissions_boundary,
            max_session_duration=max_session_duration,
            external_ids=external_ids,
            description=description or _description(grant, table),
        )
        # Below the role, so that whoever depends on the role (a Lambda function does) waits for its policy, too.
        self._access = ConsumerAccess(self._role, "Access", role=self._role, grant=grant, table=table, limits=limits)

    @property
    def role(self) -> iam.Role:
        """The role."""
        return self._role

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The principal to grant other permissions to."""
        return self._role.grant_principal

    @property
    def access(self) -> ConsumerAccess:
        """The identity policy."""
        return self._access


def _description(grant: TableGrant, table: TableReference) -> str:
    # IAM takes 1,000 characters of Latin-1.
    text = f"{grant.access.name} on {table.name} of {table.account}" + (f": {grant.reason}" if grant.reason else "")
    return text.encode("latin-1", "replace").decode("latin-1")[:1000]
