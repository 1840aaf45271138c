"""Grants on one table: first all checks, then the policies of principals, table, stream and key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import aws_cdk as cdk
from constructs import Construct

from tableguard.policy import InvalidInputError, Limits, TableGrant, TableReference, document
from tableguard.policy.lists import is_list, no_list
from tableguard.tables.attachment.keys import KEY_POLICY, KeyPolicy, key_policy_warning
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.clock import warn_of_past
from tableguard.tables.identities import Converted, add_identity_statements, converted


class Granting:
    """Adds grants to the policies of one table, on behalf of one construct.

    Args:
        scope: The construct that warnings are attached to.
        policies: The policies of the table.
        key_policy: Returns the policy of the table's key, when a grant needs it; None if the key is not of this app.
        limits: The limits that the construct sets; unchanged when None.
        deployed_replicas: Regions of replicas that are already deployed.

    Raises:
        InvalidInputError: An argument of a wrong type.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        policies: TablePolicies,
        key_policy: Callable[[], KeyPolicy | None],
        limits: Limits | None,
        deployed_replicas: Sequence[str],
    ) -> None:
        check_list(scope, "deployed_replicas", deployed_replicas)
        check_limits(scope, limits)
        policies.configure(limits=limits, deployed_replicas=deployed_replicas)
        self._scope = scope
        self._policies = policies
        self._key_policy = key_policy
        self._limits = limits
        self._table_grants: tuple[TableGrant, ...] = ()

    @property
    def table_grants(self) -> tuple[TableGrant, ...]:
        """The grants, as they were given."""
        return self._table_grants

    @property
    def reference(self) -> TableReference:
        """The table's account, region and name, for its consumers. Without a `table_name`, the name stays unknown."""
        return self._policies.reference

    def grant(self, table_grants: Sequence[TableGrant]) -> None:
        """Add grants. If one of them is wrong, none is added.

        Args:
            table_grants: The grants.

        Raises:
            InvalidInputError: A grant exists already, or does not fit the table.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        for grant in table_grants:
            if not isinstance(grant, TableGrant):
                raise InvalidInputError("a grant", value=grant, allowed="a TableGrant")
        # Read once and used below: every read of the table is a call to the CDK's process.
        resource = self._policies.table_resource
        facts = resource.facts()
        table = resource.reference(facts)
        resolved = [converted(grant, resource.home.stack, table) for grant in table_grants]
        everything = [one.grant for parts in resolved for one in parts]
        now = resource.home.today
        past = [grant for grant in everything if grant.is_over(now)]
        self._policies.check(everything, table, facts)
        # Identity policies come first: after the checks, only they can still fail.
        for parts in resolved:
            inside = [one for one in parts if not one.grant.leaves(table.account)]
            if inside:
                self._grant_inside(inside[0], table)
        self._policies.add(everything, table)
        self._table_grants = (*self._table_grants, *table_grants)
        self._grant_key(everything, table)
        for grant in past:
            warn_of_past(self._scope, grant)

    def _grant_inside(self, one: Converted, table: TableReference) -> None:
        """Write the identity policy, once for a principal that was converted to several grants."""
        named = one.grant.on_resource_side(table.account)
        if one.grantee is not None:
            statements = document(one.grant.identity_statements(table))["Statement"]
            add_identity_statements(one.grantee, statements, required=not named)
        elif not named:
            cdk.Annotations.of(self._scope).add_info(
                f"{one.grant.subject.label} is in the table's own account, where the identity policy decides: write "
                "it with ConsumerRole or ConsumerAccess, or grant to the CDK role itself."
            )

    def _grant_key(self, grants: Sequence[TableGrant], table: TableReference) -> None:
        statements = [s for grant in grants for s in grant.key_statements(table)]
        if not statements or not table.customer_managed_key:
            return
        policy = self._key_policy()
        if policy is not None:
            policy.add(statements, self._limits)
        else:
            text = key_policy_warning("the key", table, statements)
            cdk.Annotations.of(self._scope).add_warning_v2(KEY_POLICY, text)


def check_list(construct: Construct, name: str, value: object) -> None:
    """Check that an argument is a list, and not, for example, a single element.

    Args:
        construct: The construct that was given the argument.
        name: The argument's name.
        value: What was given.

    Raises:
        InvalidInputError: The argument is not a list.
    """
    # No generator, since the argument is read more than once. The path is read only on error: it is a CDK call.
    if isinstance(value, Iterator) or not is_list(value):
        raise no_list(f"{name} of {construct.node.path}", value)


def check_limits(construct: Construct, limits: object) -> None:
    """Check that limits are Limits, or left out.

    Args:
        construct: The construct that was given them.
        limits: What was given.

    Raises:
        InvalidInputError: They are not `Limits`.
    """
    if limits is not None and not isinstance(limits, Limits):
        raise InvalidInputError(f"limits of {construct.node.path}", value=limits, allowed="Limits(…)")
