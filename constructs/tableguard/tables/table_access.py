"""Grants on a table that is already there."""

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

    It writes the table's account: the policies of table, stream and customer-managed key. The consumer's identity
    policy is written in the consumer's account, by `ConsumerRole` or `ConsumerAccess`. Inside the table's own account
    a grant to an `iam.IGrantable` adds to the identity policy of that principal, and to nothing else unless the grant
    sets `name_principal`.

    Statements that the caller or the CDK's own grants add to the table's policies, before or after, stay as they were.
    What cannot be attached, such as a policy of an imported table, is an error that says what to do instead.

    Several TableAccess constructs may grant on one table: its policy is one document, measured and merged as a whole.
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
            table: The table, of this app.
            table_grants: The grants; more can follow with `grant`.
            encryption_key: The table's customer-managed key, where an L1 table names it by its ARN alone. An L2 table
                knows its key.
            deployed_replicas: Regions of replicas that have been deployed already. A replica outside the stack's
                region cannot be created together with its policy, so it gets one in the deployment after: the second
                of two phases. A warning says which replicas wait.
            limits: Limits on the size of policies, where AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: A table that cannot have a policy here, or a grant that does not fit it.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        super().__init__(scope, construct_id)
        check_list(self, "table_grants", table_grants)
        table = unwrapped(table)
        # Which indexes an imported table has is not known; with a name among them "all indexes" is not left out.
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
        """The table for its consumers, by literal values. It creates no name: a table without one has none here."""
        return self._granting.reference

    def grant(self, *table_grants: TableGrant) -> None:
        """Add grants: all of them or, if one of them is wrong, none.

        Args:
            table_grants: The grants.

        Raises:
            InvalidInputError: A grant that is there already, or that does not fit the table.
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
    """What the owner of an imported table has to add to its key's policy, too."""
    known = [grant for grant in grants if isinstance(grant.principal, Principal)]
    statements = [s for grant in known for s in grant.key_statements(table)]
    if not statements:
        return ""
    return (
        "\nThe policy of its customer-managed key, if it has one, needs these, too:\n"
        f"{minified(document(statements)['Statement'])}"
    )
