"""Grants on a table that already exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from tableguard.policy import (
    AllowStatement,
    InvalidInputError,
    Limits,
    Principal,
    TableGrant,
    TableReference,
    document,
    minified,
)
from tableguard.policy.documents import Json
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.attachment.keys import KeyPolicy
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.granting import Granting, check_list
from tableguard.tables.identities import converted


class TableAccess(Construct):
    """Grants access to a table that exists in the app: `TableV2`, `Table`, `CfnTable` or `CfnGlobalTable`.

    It writes the policies of the table, stream and customer-managed key. `ConsumerRole` or `ConsumerAccess` writes the
    consumer's identity policy in the consumer's account. In the table's own account, a grant to an `iam.IGrantable`
    changes only the identity policy of that principal, unless the grant sets `name_principal`.

    Statements that you or the CDK's own grants add to the table's policies, before or after, stay unchanged. An
    imported table is an error whose message says what its owner can do instead.

    Several TableAccess constructs may grant on one table: their statements are merged and measured as one policy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: AnyTable,
        table_grants: Sequence[TableGrant] = (),
        encryption_key: kms.IKey | None = None,
        deployed_replicas: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """Grant access to a table.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            table: The table. It must be made in this app.
            table_grants: The grants; none when left out. Add more with `grant`.
            encryption_key: The table's customer-managed key, if an L1 table names it only by its ARN. When left out,
                the key that the L2 table has.
            deployed_replicas: Regions of replicas that are already deployed; none when left out. CloudFormation cannot
                create a replica outside the stack's region together with its policy, so such a replica gets its policy
                in a second deployment that lists it here. A warning names the replicas without a policy.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: The table cannot have a policy here, or a grant does not fit it.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        super().__init__(scope, construct_id)
        check_list(self, "table_grants", table_grants)
        table = unwrapped(table)
        # The indexes of an imported table are unknown. A placeholder keeps "all indexes" in the suggested statements.
        indexes = ("any-index", *(index for grant in table_grants for index in grant.access.indexes))
        instead = _instead(cdk.Stack.of(self), table_grants)
        resource = table_resource(table, "TableAccess", instead=instead, indexes=indexes)
        key = encryption_key or getattr(table, "encryption_key", None)
        self._granting = Granting(
            self,
            policies=TablePolicies.of(resource),
            key_policy=lambda: KeyPolicy.of(key) if key is not None else None,
            limits=limits,
            deployed_replicas=deployed_replicas,
        )
        if encryption_key is not None and not self.reference.customer_managed_key:
            raise InvalidInputError(
                f"the encryption_key of {self.node.path}",
                value=encryption_key.node.path,
                allowed=f"None, since {resource.node.path} is not encrypted with a customer-managed key",
            )
        if table_grants:
            self.grant(*table_grants)

    @property
    def table_grants(self) -> tuple[TableGrant, ...]:
        """The grants made here, as they were given."""
        return self._granting.table_grants

    @property
    def reference(self) -> TableReference:
        """The table's account, region and name, for its consumers. Without a `table_name`, the name stays unknown."""
        return self._granting.reference

    def grant(self, *table_grants: TableGrant) -> None:
        """Add grants. If one of them is wrong, none is added.

        Args:
            table_grants: The grants.

        Raises:
            InvalidInputError: A grant exists already, or does not fit the table.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        self._granting.grant(table_grants)


def _instead(stack: cdk.Stack, grants: Sequence[TableGrant]) -> Callable[[TableReference], Instead]:
    """What the owner of an imported table could do instead."""

    def instead(table: TableReference) -> Instead:
        ready = [one.grant for grant in grants for one in converted(grant, stack, table)]
        for grant in ready:
            grant.check(table)
        return Instead(
            table=_document([s for grant in ready for s in grant.table_statements(table)]),
            stream=_document([s for grant in ready for s in grant.stream_statements(table)]),
            besides=_on_key(table, grants),
        )

    return instead


def _document(statements: Sequence[AllowStatement]) -> Json | None:
    return document(statements) if statements else None


def _on_key(table: TableReference, grants: Sequence[TableGrant]) -> str:
    """The text about what the owner of an imported table also has to add to the policy of its key."""
    known = [grant for grant in grants if isinstance(grant.principal, Principal)]
    statements = [s for grant in known for s in grant.key_statements(table)]
    if not statements:
        return ""
    return (
        "\nThe policy of its customer-managed key, if it has one, needs these, too:\n"
        f"{minified(document(statements)['Statement'])}"
    )
