"""Policies of one table: the grants and restrictions of all constructs, in one document for table and stream each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb

from tableguard.policy import (
    AllowStatement,
    Attributes,
    InvalidInputError,
    Limits,
    TableGrant,
    TableguardError,
    TableReference,
    check_not_public,
    check_size,
    document,
    minified,
)
from tableguard.policy.documents import VERSION, Json
from tableguard.policy.metadata import METADATA_KEY, table_metadata
from tableguard.tables.attachment.facts import (
    CfnAnyTable,
    PolicyInPlace,
    TableFacts,
    TableResource,
    is_own_region,
)
from tableguard.tables.attachment.keys import KEY_POLICY, key_policy_warning
from tableguard.tables.attachment.overlay import PropertyOverlay, laid_on
from tableguard.tables.attachment.restriction import Restriction
from tableguard.tables.attachment.stack_policies import StackPolicies

_TOO_LARGE: Final = (
    "To make it fit: grant to an Account or an Organization instead of many roles, shorten role names and paths, give "
    "consumers of one kind the same Access and conditions, grant the table or one index instead of both (each names "
    "every principal once more), exempt fewer principals from its restrictions, or split the table."
)

Rendering: TypeAlias = Callable[[TableGrant, TableReference], tuple[AllowStatement, ...]]
_RENDERINGS: Final[tuple[Rendering, ...]] = (TableGrant.table_statements, TableGrant.stream_statements)


class TablePolicies:
    """Merges all grants and restrictions on one table, from all constructs, into its policies.

    Args:
        resource: The L1 resource of the table.
        home: The policies of the table's stack.
    """

    @staticmethod
    def of(resource: CfnAnyTable, home: StackPolicies | None = None) -> TablePolicies:
        """Return the policies of a table; the first call creates them.

        Args:
            resource: The L1 resource of the table.
            home: The policies of the table's stack; looked up when left out.
        """
        stack = home or StackPolicies.of(cdk.Stack.of(resource))
        return stack.holder(resource, lambda: TablePolicies(resource, stack))

    _table: TableReference  # as last read; it is read before the first grant is rendered

    def __init__(self, resource: CfnAnyTable, home: StackPolicies) -> None:
        self.table_resource = TableResource(resource, home)
        self._grants: tuple[TableGrant, ...] = ()
        self._restrictions: tuple[Restriction, ...] = ()
        self._has_stream = False
        self._deployed_replicas: set[str] = set()
        self._limits = Limits()
        self._merged: dict[tuple[Rendering, TableReference, int], list[Json]] = {}

    def __str__(self) -> str:
        return self.table_resource.path

    @property
    def resource(self) -> CfnAnyTable:
        """The L1 resource of the table."""
        return self.table_resource.resource

    @property
    def overlays(self) -> tuple[PropertyOverlay, ...]:
        """The overlays that add our statements to the resource."""
        return self.table_resource.overlays

    @property
    def reference(self) -> TableReference:
        """The table as it is at present."""
        return self.table_resource.reference(self.table_resource.facts())

    @property
    def restrictions(self) -> tuple[Restriction, ...]:
        """The restrictions of the table."""
        return self._restrictions

    @property
    def deployed_replicas(self) -> tuple[str, ...]:
        """Regions of replicas that can have policies now."""
        return tuple(sorted(self._deployed_replicas))

    def configure(self, *, limits: Limits | None, deployed_replicas: Iterable[str]) -> None:
        """Set the limits and the deployed replicas of the table.

        Args:
            limits: The limits on the size of its policies; unchanged when None.
            deployed_replicas: Regions of further replicas that can have policies now.
        """
        self._limits = limits or self._limits
        self._deployed_replicas.update(deployed_replicas)
        if self._restrictions:
            self._describe()

    def check(self, grants: Sequence[TableGrant], table: TableReference, facts: TableFacts) -> None:
        """Check that grants can be added.

        Args:
            grants: Grants to principals of this library.
            table: The table as it is at present.
            facts: The facts about the table.

        Raises:
            InvalidInputError: A grant exists already, or does not fit the table.
            PolicyTooLargeError: Our own statements alone are over a limit.
        """
        for position, grant in enumerate(grants):
            if any(map(grant.same_access, (*self._grants, *grants[:position]))):
                raise InvalidInputError(
                    f"a grant on {self.table_resource.path}",
                    value=grant,
                    allowed="each access of a principal once, with one reason and one end",
                    fix="Remove one of the two.",
                )
            self._check(grant, table, facts)
        self._has_stream = facts.has_stream
        self._check_sizes((*self._grants, *grants), self._restrictions, table)

    def _check_sizes(
        self, grants: Sequence[TableGrant], restrictions: Sequence[Restriction], table: TableReference
    ) -> None:
        for limit, rendering in (
            (self._limits.table, TableGrant.table_statements),
            (self._limits.stream, TableGrant.stream_statements),
        ):
            statements = self._ours(grants, restrictions, table, rendering)
            if statements:
                whole = {"Version": VERSION, "Statement": statements}
                check_size(whole, limit, owner=self.table_resource, fix=_TOO_LARGE)

    def add(self, grants: Sequence[TableGrant], table: TableReference) -> None:
        """Add grants that have been checked.

        Args:
            grants: Grants to principals of this library.
            table: The table as it is at present.
        """
        self._grants = (*self._grants, *grants)
        self._table = table
        self._added()

    def enclose(self, restriction: Restriction) -> None:
        """Add a restriction: its deny statements go into the same policies as the statements of the grants.

        Args:
            restriction: The restriction.

        Raises:
            InvalidInputError: The table has a restriction of this kind already.
            PolicyTooLargeError: Our own statements alone are over a limit.
        """
        if any(restriction.kind == other.kind for other in self._restrictions):
            raise InvalidInputError(
                f"the restriction ({restriction.kind}) of {self.table_resource.path}",
                value="a second one",
                allowed="one of each kind for a table: of two, each would deny what only the other lets through",
                fix="Put everything into one.",
            )
        facts = self.table_resource.facts()
        self._table, self._has_stream = self.table_resource.reference(facts), facts.has_stream
        self._check_sizes(self._grants, (*self._restrictions, restriction), self._table)
        self._restrictions = (*self._restrictions, restriction)
        self._added()

    def _added(self) -> None:
        self._attach()
        ours = [self._ours_here(self._table, rendering) for rendering in _RENDERINGS]
        self.table_resource.home.added(self, minified(ours))
        self._describe()

    def _describe(self) -> None:
        """Write the grants and restrictions into the template's metadata."""
        restrictions = {
            restriction.kind: restriction.described(self._table, deployed=self._deployed_replicas)
            for restriction in self._restrictions
        }
        self.resource.add_metadata(
            METADATA_KEY, table_metadata(self._grants, owner=self._table.account, restrictions=restrictions)
        )

    def _check(self, grant: TableGrant, table: TableReference, facts: TableFacts) -> None:
        grant.check(table)
        if grant.access.reads_stream and not facts.has_stream:
            raise InvalidInputError(
                f"the access of the grant to {grant.subject.label}",
                value=grant.access.name,
                allowed=f"access to what {self.table_resource.path} has, and it has no stream",
                fix="Turn the stream on first (dynamo_stream=… of TableV2, stream=… of Table).",
            )
        if grant.leaves(table.account) and facts.aws_managed_key:
            raise InvalidInputError(
                f"the encryption of {self.table_resource.path}",
                value="the AWS-managed key aws/dynamodb",
                allowed="a customer-managed key, or the AWS-owned key, once a grant leaves the table's account",
                fix="Pass encryption=TableEncryptionV2.customer_managed_key(key).",
            )
        for condition in grant.conditions:
            if isinstance(condition, Attributes):
                _check_key_attributes(condition, grant, facts)

    def _attach(self) -> None:
        if self.table_resource.overlays or not (self._restrictions or self._on_resource_side):
            return
        if isinstance(self.resource, dynamodb.CfnGlobalTable):
            self.table_resource.overlays = (PropertyOverlay(self.resource, "replicas", self._edit_replicas),)
        else:
            self.table_resource.overlays = (
                PropertyOverlay(self.resource, "resource_policy", self._edit_policy),
                PropertyOverlay(self.resource, "stream_specification", self._edit_stream),
            )

    @property
    def _on_resource_side(self) -> bool:
        return any(grant.on_resource_side(self.table_resource.home.account) for grant in self._grants)

    def _edit_policy(self, policy: Any) -> Any:
        return self._with_statements(policy, self._table, TableGrant.table_statements)

    def _edit_stream(self, stream: Any) -> Any:
        if stream is None:
            return None
        policy = self._with_statements(stream.get("resourcePolicy"), self._table, TableGrant.stream_statements)
        return stream if policy is None else {**stream, "resourcePolicy": policy}

    def _edit_replicas(self, replicas: Any) -> Any:
        return [self._edit_replica(replica) for replica in replicas]

    def _edit_replica(self, replica: Any) -> Any:
        table = self._in_region(replica.get("region"))
        if table is None:
            return replica
        policy = self._with_statements(replica.get("resourcePolicy"), table, TableGrant.table_statements)
        stream = replica.get("replicaStreamSpecification") or {}
        of_stream = self._with_statements(stream.get("resourcePolicy"), table, TableGrant.stream_statements)
        return {
            **replica,
            **({} if policy is None else {"resourcePolicy": policy}),
            **({} if of_stream is None else {"replicaStreamSpecification": {**stream, "resourcePolicy": of_stream}}),
        }

    def _in_region(self, region: object) -> TableReference | None:
        """The table in the region of one of its replicas; None while we can write no policy for that replica."""
        if is_own_region(region, self._table.region):
            return self._table
        if not isinstance(region, str) or region not in self._deployed_replicas:
            return None
        return self._table.in_region(region) if region in self._table.replica_regions else None

    def _with_statements(self, policy: Any, table: TableReference, rendering: Rendering) -> Any:
        ours = self._ours_here(table, rendering)
        if not ours:
            return policy
        theirs = (policy or {}).get("policyDocument") or {}
        statements = theirs.get("Statement") or []
        return {
            **(policy or {}),
            "policyDocument": {
                "Version": VERSION,
                **theirs,
                "Statement": [*(statements if isinstance(statements, list) else [statements]), *ours],
            },
        }

    def _warn_of_replicas(self, policies: Sequence[PolicyInPlace]) -> None:
        """Warn of policies that have to wait for another deployment, or that this stack cannot write."""
        waiting = [region for region in self._table.replica_regions if region not in self._deployed_replicas]
        if waiting and self._on_resource_side:
            cdk.Annotations.of(self.resource).add_warning_v2(
                "tableguard:replica-without-policy",
                f"Phase 1 of 2: the replicas in {', '.join(waiting)} get none of the grants in this deployment: "
                "CloudFormation cannot create a replica in another region together with its policy. Once they are "
                f"deployed, add deployed_replicas={waiting!r} and deploy again.",
            )
        copied = sorted({p.region for p in policies if p.kind == "table" and p.region in waiting})
        if copied and self._on_resource_side:
            cdk.Annotations.of(self.resource).add_warning_v2(
                "tableguard:new-replica-with-policy",
                f"The replicas in {', '.join(copied)} have statements that were added elsewhere. CloudFormation cannot "
                "create a new replica with a policy. Set the context flag "
                "@aws-cdk/aws-dynamodb:resourcePolicyPerReplica, which stops the CDK from copying the policy of the "
                "primary, or add the statements after the deployment.",
            )
        # Keys of replicas are in other regions, so they are never resources of this stack.
        for region in self._table.replica_regions:
            table = self._table.in_region(region)
            statements = [statement for grant in self._grants for statement in grant.key_statements(table)]
            if statements and table.customer_managed_key:
                cdk.Annotations.of(self.resource).add_warning_v2(
                    KEY_POLICY, key_policy_warning(f"the key in {region}", table, statements)
                )

    @property
    def guarded(self) -> bool:
        """Whether the table has a grant or a restriction."""
        return bool(self._grants or self._restrictions)

    def statements_for(self, table: TableReference, *, stream: bool) -> list[Json]:
        """Our statements for the policy of another table that gets the same grants, such as a restored table.

        Args:
            table: The other table.
            stream: True for the policy of the stream, False for that of the table.

        Raises:
            InvalidInputError: A grant does not fit the other table.
        """
        for grant in self._grants:
            grant.check(table)
        rendering = TableGrant.stream_statements if stream else TableGrant.table_statements
        granted = [statement for grant in self._grants for statement in rendering(grant, table)]
        return [
            *(document(granted)["Statement"] if granted else []),
            *(denied for restriction in self._restrictions for denied in restriction.statements(table, stream=stream)),
        ]

    def refresh(self) -> None:
        """Read the table again: it may have changed since the last grant."""
        facts = self.table_resource.facts()
        self._table, self._has_stream = self.table_resource.reference(facts), facts.has_stream

    def whole(self, below: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """The table's properties with our statements, and the problems of the whole policies.

        Args:
            below: The resolved properties without our statements.
        """
        # Our statements depend on the table: an index or a replica that was added after the last grant changes them.
        facts = self.table_resource.stated(below)
        described = self._table.replica_regions if self._restrictions else ()
        self._table, self._has_stream = self.table_resource.reference(facts), facts.has_stream
        if self._restrictions and self._table.replica_regions != described:
            self._describe()
        whole = laid_on(below, self.overlays)
        policies = self.table_resource.policies_in(whole)
        self._warn_of_replicas(policies)
        problems = [
            problem
            for restriction in self._restrictions
            for problem in restriction.problems(self._table, deployed=self._deployed_replicas, grants=self._grants)
        ]
        for region in sorted(self._deployed_replicas - set(facts.replica_regions)):
            known = ", ".join(facts.replica_regions) or "none"
            problems.append(
                f"deployed_replicas of {self.table_resource.path}: got {region!r}. Allowed: its replicas, {known}."
            )
        for policy in policies:
            try:
                self._check_document(policy)
            except TableguardError as error:
                problems.append(str(error))
        return whole, problems

    def _check_document(self, policy: PolicyInPlace) -> None:
        elsewhere = policy.region != self._table.region
        owner = f"{self.table_resource} in {policy.region}" if elsewhere else self.table_resource
        limit, rendering = (
            (self._limits.table, TableGrant.table_statements)
            if policy.kind == "table"
            else (self._limits.stream, TableGrant.stream_statements)
        )
        table = self._in_region(policy.region)
        if policy.document.get("Version") != VERSION and table and self._ours_here(table, rendering):
            raise InvalidInputError(
                f"the version of the {limit.kind} of {owner}",
                value=policy.document.get("Version"),
                allowed=f'"{VERSION}": in another version, IAM reads the policy variables of a grant as plain text',
            )
        check_not_public(policy.document, owner=owner)
        check_size(policy.document, limit, owner=owner, fix=_TOO_LARGE)

    def _ours_here(self, table: TableReference, rendering: Rendering) -> list[Json]:
        return self._ours(self._grants, self._restrictions, table, rendering)

    def _ours(
        self,
        grants: Sequence[TableGrant],
        restrictions: Sequence[Restriction],
        table: TableReference,
        rendering: Rendering,
    ) -> list[Json]:
        """Our statements: first those of the grants, then those of the restrictions."""
        granted = self._rendered(grants, table, rendering)
        stream = rendering is TableGrant.stream_statements
        if not restrictions or (stream and not self._has_stream):
            return granted
        return [
            *granted,
            *(denied for restriction in restrictions for denied in restriction.statements(table, stream=stream)),
        ]

    def _rendered(self, grants: Sequence[TableGrant], table: TableReference, rendering: Rendering) -> list[Json]:
        """The statements of the grants, merged. They are cached by the number of grants: no grant is ever removed."""
        key = (rendering, table, len(grants))
        if key not in self._merged:
            statements = [statement for grant in grants for statement in rendering(grant, table)]
            self._merged[key] = document(statements)["Statement"] if statements else []
        return self._merged[key]


def _check_key_attributes(condition: Attributes, grant: TableGrant, facts: TableFacts) -> None:
    needed = dict.fromkeys(
        attribute for target in ("", *grant.access.indexes) for attribute in facts.key_attributes.get(target, ())
    )
    missing = [attribute for attribute in needed if attribute not in condition.attributes]
    if missing:
        raise InvalidInputError(
            f"the attributes of the grant to {grant.subject.label}",
            value=list(condition.attributes),
            allowed=f"lists with all key attributes; missing: {', '.join(missing)}",
            fix="DynamoDB refuses every request that cannot name the keys.",
        )
