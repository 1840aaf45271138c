"""The consumer's side of a grant, for a role that already exists."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from tableguard.policy import InvalidInputError, Limits, TableGrant, TableReference, check_size
from tableguard.policy.metadata import METADATA_KEY, consumer_metadata
from tableguard.policy.principals import Role
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.clock import today, warn_of_past
from tableguard.tables.granting import check_limits
from tableguard.tables.identities import is_immutable, known_text

_TOO_LARGE = "To make it fit: name fewer indexes, or give the role several grants in managed policies of its own."


class ConsumerAccess(Construct):
    """Gives a role the identity policy that a grant needs on the consumer's side.

    Across accounts, both the table's policy (`CrossAccountTable`, `TableAccess`) and the role's identity policy must
    allow a request. This construct renders the identity policy from the same grant: it names the exact ARNs of table,
    indexes and stream, and allows kms:Decrypt for the table's key. The two sides can be in two apps: write the
    `TableReference` down as plain values.

    To end access, remove the grant first, then the role. Otherwise anybody who can create a role of that name in the
    consumer's account has the access in the meantime.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role: iam.IRole,
        grant: TableGrant,
        table: TableReference,
        limits: Limits | None = None,
    ) -> None:
        """Attach the identity policy of a grant to a role.

        Args:
            scope: The parent construct, in a stack of the role's account.
            construct_id: The construct's id, unique below its parent.
            role: The role, of this app or imported.
            grant: The same grant that the table's account makes.
            table: The table, as `.reference` of its construct or as a `TableReference` written down.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out. AWS also
                counts the role's other inline policies, which this check does not know.

        Raises:
            InvalidInputError: The grant is for another account or role, or for a principal without a role, or it does
                not fit the table.
            PolicyTooLargeError: The policy is over the limit.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        check_consumer(stack, grant, table)
        check_limits(self, limits)
        if not hasattr(role, "role_name"):
            raise InvalidInputError(f"the role of {self.node.path}", value=role, allowed="an iam.IRole")
        _check_role(role, stack, grant)
        policy = grant.identity_policy(table)
        check_size(policy, (limits or Limits()).inline, owner=self.node.path, fix=_TOO_LARGE)
        # An L1 policy can be attached to an imported role too, and takes a single call to the CDK's process.
        self._policy = iam.CfnPolicy(
            self,
            "Policy",
            policy_name=cdk.Names.unique_resource_name(self, max_length=128),
            policy_document=policy,
            roles=[role.role_name],
        )
        self._policy.add_metadata(METADATA_KEY, consumer_metadata(grant, table))
        self._role = role
        if grant.is_over(today(self)):
            warn_of_past(self, grant)

    @property
    def role(self) -> iam.IRole:
        """The role."""
        return self._role

    @property
    def policy(self) -> iam.CfnPolicy:
        """The policy resource, for dependencies and overrides."""
        return self._policy


def check_consumer(stack: cdk.Stack, grant: TableGrant, table: TableReference) -> None:
    """Check that a role in this stack can be the consumer of a grant.

    Args:
        stack: The stack of the consumer.
        grant: The grant.
        table: The table.

    Raises:
        InvalidInputError: The grant is for another account or has no role, or the table's name is not known here.
    """
    if not isinstance(grant, TableGrant):
        raise InvalidInputError("the grant of a consumer", value=grant, allowed="a TableGrant")
    if not isinstance(table, TableReference):
        raise InvalidInputError(
            "the table of a consumer",
            value=table,
            allowed="a TableReference",
            fix="Pass .reference of the CrossAccountTable or TableAccess, or write a TableReference down.",
        )
    subject = grant.subject
    if subject.by_name and not grant.leaves(table.account):
        raise InvalidInputError(
            "the grant of a consumer",
            value=subject.label,
            allowed="a grant to a principal outside the table's account",
            fix="Inside, the table's policy alone can grant to one session; an identity policy grants to all sessions.",
        )
    role = subject.role_name
    if role is None:
        raise InvalidInputError(
            "the grant of a consumer",
            value=subject.label,
            allowed="a grant to a Role, a RoleSession, an Account or an organization",
            fix="For other principals attach what grant.identity_policy(table) returns.",
        )
    account = stack.account
    if is_unresolved(account):
        raise InvalidInputError(
            f"the account of stack {stack.stack_name}",
            value="a value that is known only at deployment",
            allowed="12 digits",
            fix="Set env=Environment(account=…, region=…) on the stack.",
        )
    if subject.home is not None and account != subject.home:
        raise InvalidInputError(
            f"the account of stack {stack.stack_name}",
            value=account,
            allowed=f"{subject.home}, the account of the grant to {subject.label}",
        )
    if is_unresolved(table.arn) and (account != table.account or stack.region != table.region):
        raise InvalidInputError(
            "the table of a consumer",
            value="a name that only the table's own stack knows",
            allowed="a table with a name, if the consumer is in another account or region",
            fix="Pass table_name=… to a new table. For a deployed table, where table_name=… would replace it, pass "
            "TableReference(account=…, region=…, name=…) with its present name.",
        )


def _check_role(role: iam.IRole, stack: cdk.Stack, grant: TableGrant) -> None:
    account = role.principal_account
    if account is not None and not is_unresolved(account) and account != stack.account:
        raise InvalidInputError(
            f"the role of {grant.subject.label}",
            value=role.node.path,
            allowed=f"a role of the stack's account {stack.account}: a policy cannot be attached to one of {account}",
        )
    if is_immutable(role):
        raise InvalidInputError(
            f"the role of {grant.subject.label}",
            value=role.node.path,
            allowed="a role that a policy may be attached to, not an immutable one",
            fix="Import it without mutable=False.",
        )
    expected = grant.subject.role_name
    if not expected or is_unresolved(expected):
        return
    name, path = _name_and_path(role, stack)
    # CloudFormation chooses the name of a role of this app without one: it cannot be the name in the grant.
    if name is not None and name != expected:
        raise InvalidInputError(
            f"the role of {grant.subject.label}",
            value=name or f"{role.node.path}, which has no name",
            allowed=f'the role that the grant names, "{expected}"',
            fix="Use ConsumerRole, or give the role this role_name.",
        )
    if isinstance(grant.subject, Role) and path not in (None, grant.subject.path):
        raise InvalidInputError(
            f"the path of {grant.subject.label}",
            value=path,
            allowed=f'a role with the path "{grant.subject.path}"',
            fix="Give the grant the path of the role, or import the role by its whole ARN (from_role_arn).",
        )


def _name_and_path(role: iam.IRole, stack: cdk.Stack) -> tuple[str | None, str | None]:
    """The role's name ("" if CloudFormation chooses it) and path; each is None if only known at deployment."""
    resource = role.node.default_child
    if isinstance(resource, iam.CfnRole):
        # Resolved one by one: a resolved list leaves out values that resolve to nothing.
        return _known(stack.resolve(resource.role_name) or ""), _known(stack.resolve(resource.path) or "/")
    arn = known_text(stack.resolve(role.role_arn), stack.partition)
    if arn is None:
        return _known(stack.resolve(role.role_name)), None
    # The CDK assumes the path "/" for a role that is imported by its name.
    path, _, name = arn.partition(":role")[2].rpartition("/")
    return name, f"{path}/"


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None
