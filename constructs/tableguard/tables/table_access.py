"""Grants on a table that is already there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct, Node

from tableguard.policy import InvalidInputError, Limits, TableGrant, TableReference, document, minified
from tableguard.tables.clock import today
from tableguard.tables.facts import CfnAnyTable
from tableguard.tables.identities import Converted, add_identity_statements, converted
from tableguard.tables.keys import KeyPolicy
from tableguard.tables.policies import TablePolicies

AnyTable: TypeAlias = dynamodb.ITable | dynamodb.ITableV2 | CfnAnyTable


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
        resource = _resource(table, table_grants)
        self._policies = TablePolicies.of(resource)
        self._policies.configure(limits=limits, deployed_replicas=deployed_replicas)
        self._limits = limits or Limits()
        self._resource = resource
        self._key = encryption_key or getattr(table, "encryption_key", None)
        self._table_grants: tuple[TableGrant, ...] = ()
        if table_grants:
            self.grant(*table_grants)

    @property
    def table_grants(self) -> tuple[TableGrant, ...]:
        """The grants made here, as they were given."""
        return self._table_grants

    @property
    def reference(self) -> TableReference:
        """The table for its consumers, by literal values. It creates no name: a table without one has none here."""
        return self._policies.reference

    def grant(self, *table_grants: TableGrant) -> None:
        """Add grants: all of them or, if one of them is wrong, none.

        Args:
            table_grants: The grants.

        Raises:
            InvalidInputError: A grant that is there already, or that does not fit the table.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        for grant in table_grants:
            if not isinstance(grant, TableGrant):
                raise InvalidInputError("a grant", value=grant, allowed="a TableGrant")
        table = self._policies.reference
        stack = cdk.Stack.of(self._resource)
        resolved = [one for grant in table_grants for one in converted(grant, stack, table)]
        self._policies.add([one.grant for one in resolved])
        self._table_grants = (*self._table_grants, *table_grants)
        for one in resolved:
            if not one.grant.leaves(table.account):
                self._grant_inside(one, table)
        self._grant_key([one.grant for one in resolved], table)
        self._warn_of_past([one.grant for one in resolved])

    def _grant_inside(self, one: Converted, table: TableReference) -> None:
        if one.grantee is not None:
            statements = document(one.grant.identity_statements(table))["Statement"]
            add_identity_statements(one.grantee, statements)
        elif not one.grant.on_resource_side(table.account):
            cdk.Annotations.of(self).add_info(
                f"{one.grant.subject.label} is in the table's own account, where the identity policy decides: write "
                "it with ConsumerRole or ConsumerAccess, or grant to the CDK role itself."
            )

    def _grant_key(self, grants: Sequence[TableGrant], table: TableReference) -> None:
        statements = [s for grant in grants for s in grant.key_statements(table)]
        if not statements or not table.customer_managed_key:
            return
        policy = KeyPolicy.of(self._key) if self._key is not None else None
        if policy is not None:
            policy.add(statements, self._limits)
        if policy is None or table.replica_regions:
            which = "the key" if policy is None else f"the keys of the replicas in {', '.join(table.replica_regions)}"
            cdk.Annotations.of(self).add_warning_v2(
                "tableguard:key-policy",
                f"The policy of {which} of table {table.name} is written elsewhere. Consumers of other accounts can "
                f"read nothing until it holds: {minified(document(statements)['Statement'])}",
            )

    def _warn_of_past(self, grants: Sequence[TableGrant]) -> None:
        for grant in grants:
            if grant.is_over(today(self)):
                cdk.Annotations.of(self).add_warning_v2(
                    "tableguard:grant-is-over",
                    f"The grant to {grant.subject.label} ({grant.reason or grant.access.name}) is over since "
                    f"{grant.until}. It allows nothing any more: remove it, then the consumer's role.",
                )


def _resource(table: AnyTable, grants: Sequence[TableGrant]) -> CfnAnyTable:
    if isinstance(table, dynamodb.CfnTable | dynamodb.CfnGlobalTable):
        return table
    node = getattr(table, "node", None)
    if not isinstance(node, Node):
        raise InvalidInputError(
            "the table of a TableAccess", value=table, allowed="a TableV2, Table, CfnTable or CfnGlobalTable"
        )
    resource = node.default_child
    if not isinstance(resource, dynamodb.CfnTable | dynamodb.CfnGlobalTable):
        raise _cannot_attach(table, grants)
    for child in node.children:
        if isinstance(child, cdk.CustomResource):
            raise InvalidInputError(
                f"replication_regions of {node.path}",
                value="replicas that a custom resource makes",
                allowed="a table whose replicas are part of its resource, since only these can have policies",
                fix="Use TableV2 with replicas=[…].",
            )
    return resource


def _cannot_attach(table: Any, grants: Sequence[TableGrant]) -> InvalidInputError:
    what = "the table of a TableAccess"
    stack = cdk.Stack.of(table)
    arn = stack.resolve(table.table_arn)
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or not grants:
        return InvalidInputError(
            what,
            value=table.node.path,
            allowed="a table of this app: the policy of an imported one cannot be changed from here",
            fix="Make the TableAccess in the app that owns the table.",
        )
    reference = TableReference(account=parts[4], region=parts[3], name=parts[5].removeprefix("table/"))
    commands = []
    for resource_arn, rendering in (
        (arn, TableGrant.table_statements),
        (f"{arn}/stream/LATEST_STREAM_LABEL", TableGrant.stream_statements),
    ):
        statements = [
            statement
            for grant in grants
            for one in converted(grant, stack, reference)
            for statement in rendering(one.grant, reference)
        ]
        if statements:
            commands.append(
                f"aws dynamodb put-resource-policy --region {reference.region} --resource-arn {resource_arn} "
                f"--policy '{json.dumps(document(statements))}'"
            )
    return InvalidInputError(
        what,
        value=arn,
        allowed="a table of this app: the policy of an imported one cannot be changed from here",
        fix=(
            "Make the TableAccess in the app that owns the table, or let its owner add these statements to the policy "
            "that `aws dynamodb get-resource-policy` shows (put-resource-policy replaces it as a whole): "
            + " ; ".join(commands)
        ),
    )
