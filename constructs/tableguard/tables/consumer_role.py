"""The consumer's side of a grant: a role with its identity policy."""

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
    """Makes the role that uses a table of another account, with exactly the identity policy that the grant needs.

    The role gets its name and path from the grant, so the two accounts need to exchange no ARNs. The construct is an
    `iam.IGrantable`: grant other permissions (logs, queues) to it as to any role.
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
            scope: The parent construct, in a stack of the consumer's account.
            construct_id: The construct's id, unique below its parent.
            grant: The same grant that the table's account makes. A grant to a Role sets this role's name and path; for
                a grant to an Account or an organization CloudFormation chooses the name.
            table: The table, as `.reference` of its construct or as a `TableReference` written down.
            assumed_by: Who may assume the role: a service, a role, an account or an identity provider.
            permissions_boundary: A managed policy as the role's permissions boundary; none when left out.
            max_session_duration: How long a session may last, 1 to 12 hours; one hour when left out.
            external_ids: External ids; a caller must pass one of them to assume the role. None needed when left out.
            description: The role's description; the table and the grant's reason when left out.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: The grant is for another account than the stack's, or for a principal without a role, or
                it does not fit the table.
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
        # Below the role, so that resources that depend on the role (Lambda functions do) also wait for its policy.
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
