"""Grants on a table that is already there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct, Node

from tableguard.policy import (
    InvalidInputError,
    Limits,
    Principal,
    TableGrant,
    TableReference,
    document,
    minified,
)
from tableguard.tables.clock import today, warn_of_past
from tableguard.tables.facts import CfnAnyTable
from tableguard.tables.identities import Converted, add_identity_statements, converted, known_text
from tableguard.tables.keys import KEY_POLICY, KeyPolicy, key_policy_warning
from tableguard.tables.policies import Fence, TablePolicies

_TABLE_ARN: Final = re.compile(r"arn:[^:]+:dynamodb:([^:]+):(\d{12}):table/([^/]+)")

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
        check_list(self, "table_grants", table_grants)
        check_list(self, "deployed_replicas", deployed_replicas)
        check_limits(self, limits)
        table = _unwrapped(table)
        resource = _resource(table, table_grants)
        self._policies = TablePolicies.of(resource)
        self._policies.configure(limits=limits, deployed_replicas=deployed_replicas)
        self._limits = limits
        self._key = encryption_key or getattr(table, "encryption_key", None)
        if encryption_key is not None and not self._policies.reference.customer_managed_key:
            raise InvalidInputError(
                f"the encryption_key of {self.node.path}",
                value=encryption_key.node.path,
                allowed=f"None, since {resource.node.path} is not encrypted with a customer-managed key",
            )
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
        # Read once for all that follows: every look at the table crosses over to the CDK.
        resource = self._policies.resource
        facts = resource.facts()
        table = resource.reference(facts)
        resolved = [converted(grant, resource.stack, table) for grant in table_grants]
        everything = [one.grant for parts in resolved for one in parts]
        now = today(self)
        past = [grant for grant in everything if grant.is_over(now)]
        self._policies.check(everything, table, facts)
        # Identity policies come first: they are the one thing left that can fail.
        for parts in resolved:
            inside = [one for one in parts if not one.grant.leaves(table.account)]
            if inside:
                self._grant_inside(inside[0], table)
        self._policies.add(everything, table)
        self._table_grants = (*self._table_grants, *table_grants)
        self._grant_key(everything, table)
        for grant in past:
            warn_of_past(self, grant)

    def fence(self, fence: Fence) -> None:
        """Deny something at the table and its stream, next to what is granted: see `NoHumanAccess`.

        Args:
            fence: What is denied.

        Raises:
            InvalidInputError: It is there already.
            PolicyTooLargeError: The statements are over a limit.
        """
        self._policies.fence(fence)

    def _grant_inside(self, one: Converted, table: TableReference) -> None:
        """Write the identity side, once for a principal that became several grants."""
        named = one.grant.on_resource_side(table.account)
        if one.grantee is not None:
            statements = document(one.grant.identity_statements(table))["Statement"]
            add_identity_statements(one.grantee, statements, required=not named)
        elif not named:
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
        else:
            cdk.Annotations.of(self).add_warning_v2(KEY_POLICY, key_policy_warning("the key", table, statements))


def check_list(construct: Construct, name: str, value: object) -> None:
    """Check that an argument is a list and not, say, one of the things that belong into it.

    Args:
        construct: The construct that was given the argument.
        name: The argument's name.
        value: What was given.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(value, list | tuple):
        raise InvalidInputError(f"{name} of {construct.node.path}", value=value, allowed="a list")


def check_limits(construct: Construct, limits: object) -> None:
    """Check that limits are Limits, or left out.

    Args:
        construct: The construct that was given them.
        limits: What was given.

    Raises:
        InvalidInputError: They are something else.
    """
    if limits is not None and not isinstance(limits, Limits):
        raise InvalidInputError(f"limits of {construct.node.path}", value=limits, allowed="Limits(…)")


def _unwrapped(table: AnyTable) -> AnyTable:
    """The table itself, where a construct around it was given, such as CrossAccountTable."""
    node = getattr(table, "node", None)
    inner = node.default_child if isinstance(node, Node) else None
    return inner if isinstance(inner, dynamodb.Table | dynamodb.TableV2) else table


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
        if not hasattr(table, "table_arn"):
            raise InvalidInputError("the table of a TableAccess", value=node.path, allowed="a table")
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
    imported = _imported(table, grants)
    commands = _commands(imported, cdk.Stack.of(table), grants) if imported is not None else []
    owner = "Make the TableAccess in the app that owns the table"
    return InvalidInputError(
        "the table of a TableAccess",
        value=table.node.path if imported is None else imported.arn,
        allowed="a table of this app: the policy of an imported one cannot be changed from here",
        fix=f"{owner}."
        if not commands
        else (
            f"{owner}, or let its owner add these statements to the policy that `aws dynamodb get-resource-policy` "
            f"shows (put-resource-policy replaces it as a whole){_on_key(imported, grants)}: {' ; '.join(commands)}"
        ),
    )


def _on_key(table: TableReference | None, grants: Sequence[TableGrant]) -> str:
    """What the owner of an imported table has to add to its key's policy, too."""
    known = [grant for grant in grants if isinstance(grant.principal, Principal)]
    statements = [s for grant in known for s in grant.key_statements(table)] if table is not None else []
    if not statements:
        return ""
    return (
        f", and to the policy of its customer-managed key, if it has one, {minified(document(statements)['Statement'])}"
    )


def _imported(table: Any, grants: Sequence[TableGrant]) -> TableReference | None:
    """An imported table, if its ARN is known before deployment. The region says which partition it is in."""
    stack = cdk.Stack.of(table)
    match = _TABLE_ARN.fullmatch(known_text(stack.resolve(table.table_arn), "aws") or "")
    if match is None:
        return None
    region, account, name = match.groups()
    # Which indexes an imported table has is not known; with a name among them "all indexes" is not left out.
    indexes = dict.fromkeys(("any-index", *(index for grant in grants for index in grant.access.indexes)))
    return TableReference(account=account, region=region, name=name, indexes=tuple(indexes))


def _commands(table: TableReference, stack: cdk.Stack, grants: Sequence[TableGrant]) -> list[str]:
    """The commands that the owner of an imported table could run instead."""
    ready = [one.grant for grant in grants for one in converted(grant, stack, table)]
    for grant in ready:
        grant.check(table)
    commands = []
    for arn, rendering in (
        (table.arn, TableGrant.table_statements),
        (f"{table.arn}/stream/LATEST_STREAM_LABEL", TableGrant.stream_statements),
    ):
        statements = [statement for grant in ready for statement in rendering(grant, table)]
        if statements:
            commands.append(
                f"aws dynamodb put-resource-policy --region {table.region} --resource-arn {arn} "
                f"--policy {shlex.quote(json.dumps(document(statements)))}"
            )
    return commands
