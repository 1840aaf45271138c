"""The policies of one table resource: whatever is granted on it, from however many places, in one document each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
import jsii
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct, IConstruct, IValidation

from tableguard.policy import (
    Attributes,
    InvalidInputError,
    Limits,
    Statement,
    TableGrant,
    TableguardError,
    TableReference,
    check_not_public,
    check_size,
    document,
)
from tableguard.policy.documents import VERSION, Json
from tableguard.tables.facts import (
    CfnAnyTable,
    PolicyInPlace,
    TableFacts,
    TableResource,
    is_own_region,
)
from tableguard.tables.fence import Fence
from tableguard.tables.keys import KEY_POLICY, key_policy_warning
from tableguard.tables.overlay import PropertyOverlay, properties_below

METADATA_KEY: Final = "tableguard"
_CHILD_ID: Final = "TableguardPolicies"
# Before every other aspect: once one of a later priority has run, the CDK refuses all aspects of earlier ones that
# somebody adds during the synthesis, tags among them.
_EARLY: Final = 0

_TOO_LARGE: Final = (
    "To make it fit: grant to an Account or an Organization instead of many roles, shorten role names and paths, give "
    "consumers of one kind the same Access and conditions, grant the table or one index instead of both (each names "
    "every principal once more), exempt fewer principals from its perimeter, or split the table."
)

Rendering: TypeAlias = Callable[[TableGrant, TableReference], tuple[Statement, ...]]


@jsii.implements(cdk.IAspect)
class _PutOnTop:
    """Puts our overlays on top before the CDK looks for references between stacks."""

    def __init__(self, policies: TablePolicies) -> None:
        self._policies = policies

    def visit(self, node: IConstruct) -> None:
        properties_below(self._policies.resource.resource, self._policies.resource.overlays)


@jsii.implements(IValidation)
class _Validate:
    def __init__(self, policies: TablePolicies) -> None:
        self._policies = policies

    def validate(self) -> list[str]:
        return self._policies.problems()


class TablePolicies(Construct):
    """What is granted on one table resource. It hangs below the resource, so that everybody finds the same one."""

    @staticmethod
    def of(resource: CfnAnyTable) -> TablePolicies:
        """The policies of a table resource, made when first asked for.

        Args:
            resource: The L1 resource of the table.
        """
        found = resource.node.try_find_child(_CHILD_ID)
        return found if isinstance(found, TablePolicies) else TablePolicies(resource)

    def __init__(self, resource: CfnAnyTable) -> None:
        super().__init__(resource, _CHILD_ID)
        self.resource = TableResource(resource)
        self._grants: tuple[TableGrant, ...] = ()
        self._fence: Fence | None = None
        self._has_stream = False
        self._table = self.reference
        self._deployed_replicas: set[str] = set()
        self._limits = Limits()
        cdk.Aspects.of(self).add(_PutOnTop(self), priority=_EARLY)
        self.node.add_validation(_Validate(self))

    @property
    def reference(self) -> TableReference:
        """The table as it stands at the moment."""
        return self.resource.reference(self.resource.facts())

    @property
    def deployed_replicas(self) -> tuple[str, ...]:
        """Regions of replicas that can have policies now."""
        return tuple(sorted(self._deployed_replicas))

    def configure(self, *, limits: Limits | None, deployed_replicas: Iterable[str]) -> None:
        """Set what holds for the whole table.

        Args:
            limits: The limits to hold its documents against; unchanged when None.
            deployed_replicas: Regions of further replicas that can have policies now.
        """
        self._limits = limits or self._limits
        self._deployed_replicas.update(deployed_replicas)

    def check(self, grants: Sequence[TableGrant], table: TableReference, facts: TableFacts) -> None:
        """Check that grants can be added.

        Args:
            grants: Grants to principals of this library.
            table: The table as it stands at the moment.
            facts: What it says of itself.

        Raises:
            InvalidInputError: A grant that is there already, or that does not fit the table.
            PolicyTooLargeError: Our own statements alone are over a limit.
        """
        for position, grant in enumerate(grants):
            if any(map(grant.same_access, (*self._grants, *grants[:position]))):
                raise InvalidInputError(
                    f"a grant on {self.resource.path}",
                    value=grant.described(),
                    allowed="each access of a principal once, with one reason and one end",
                    fix="Remove one of the two.",
                )
            self._check(grant, table, facts)
        self._check_sizes((*self._grants, *grants), table)

    def _check_sizes(self, grants: Sequence[TableGrant], table: TableReference) -> None:
        for limit, rendering in (
            (self._limits.table, TableGrant.table_statements),
            (self._limits.stream, TableGrant.stream_statements),
        ):
            statements = self._ours(grants, table, rendering)
            if statements:
                check_size(
                    {"Version": VERSION, "Statement": statements}, limit, owner=self.resource.path, fix=_TOO_LARGE
                )

    def add(self, grants: Sequence[TableGrant], table: TableReference) -> None:
        """Add grants that have been checked.

        Args:
            grants: Grants to principals of this library.
            table: The table as it stands at the moment.
        """
        self._grants = (*self._grants, *grants)
        self._table = table
        self._attach()
        self._describe()

    def enclose(self, fence: Fence) -> None:
        """Put a fence around the table: its statements stand next to those of the grants.

        Args:
            fence: The fence.

        Raises:
            InvalidInputError: There is one already.
            PolicyTooLargeError: Our own statements alone are over a limit.
        """
        if self._fence is not None:
            raise InvalidInputError(
                f"the perimeter of {self.resource.path}",
                value="a second one",
                allowed="one perimeter for a table: of two, each would deny what only the other lets through",
                fix="Put all networks and exemptions into one Perimeter.",
            )
        self._fence = fence
        facts = self.resource.facts()
        self._table, self._has_stream = self.resource.reference(facts), facts.has_stream
        try:
            self._check_sizes(self._grants, self._table)
        except TableguardError:
            self._fence = None
            raise
        self._attach()
        self._describe()

    def _describe(self) -> None:
        perimeter = {} if self._fence is None else {"perimeter": self._fence.described()}
        self.resource.resource.add_metadata(
            METADATA_KEY, {"grants": [grant.described() for grant in self._grants], **perimeter}
        )

    def _check(self, grant: TableGrant, table: TableReference, facts: TableFacts) -> None:
        grant.check(table)
        if grant.access.reads_stream and not facts.has_stream:
            raise InvalidInputError(
                f"the access of the grant to {grant.subject.label}",
                value=grant.access.name,
                allowed=f"access to what {self.resource.path} has, and it has no stream",
                fix="Turn the stream on first (dynamo_stream=… of TableV2, stream=… of Table).",
            )
        if grant.leaves(table.account) and facts.aws_managed_key:
            raise InvalidInputError(
                f"the encryption of {self.resource.path}",
                value="the AWS-managed key aws/dynamodb",
                allowed="a customer-managed key, or the AWS-owned key, once a grant leaves the table's account",
                fix="Pass encryption=TableEncryptionV2.customer_managed_key(key).",
            )
        for condition in grant.conditions:
            if isinstance(condition, Attributes):
                _check_key_attributes(condition, grant, facts)

    def _attach(self) -> None:
        if self.resource.overlays or not (self._fence or self._on_resource_side):
            return
        if isinstance(self.resource.resource, dynamodb.CfnGlobalTable):
            self.resource.overlays = (PropertyOverlay(self.resource.resource, "replicas", self._edit_replicas),)
        else:
            self.resource.overlays = (
                PropertyOverlay(self.resource.resource, "resource_policy", self._edit_policy),
                PropertyOverlay(self.resource.resource, "stream_specification", self._edit_stream),
            )

    @property
    def _on_resource_side(self) -> bool:
        return any(grant.on_resource_side(self.resource.account) for grant in self._grants)

    def _edit_policy(self, policy: Any) -> Any:
        return self._with_statements(policy, self._table, TableGrant.table_statements)

    def _edit_stream(self, stream: Any) -> Any:
        if stream is None:
            return None
        policy = self._with_statements(stream.get("resourcePolicy"), self._table, TableGrant.stream_statements)
        return stream if policy is None else {**stream, "resourcePolicy": policy}

    def _edit_replicas(self, replicas: Any) -> Any:
        for replica in replicas:
            table = self._in_region(replica.get("region"))
            if table is None:
                continue
            policy = self._with_statements(replica.get("resourcePolicy"), table, TableGrant.table_statements)
            replica["resourcePolicy"] = policy
            stream = replica.get("replicaStreamSpecification") or {}
            policy = self._with_statements(stream.get("resourcePolicy"), table, TableGrant.stream_statements)
            if policy is not None:
                replica["replicaStreamSpecification"] = {**stream, "resourcePolicy": policy}
        return replicas

    def _in_region(self, region: object) -> TableReference | None:
        """The table in the region of one of its replicas; None while that replica can have no policy of ours."""
        if is_own_region(region, self._table.region):
            return self._table
        if not isinstance(region, str) or region not in self._deployed_replicas:
            return None
        return self._table.in_region(region) if region in self._table.replica_regions else None

    def _with_statements(self, policy: Any, table: TableReference, rendering: Rendering) -> Any:
        ours = self._ours(self._grants, table, rendering)
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

    def _warn_of_replicas(self, facts: TableFacts) -> None:
        """Warn of what has to wait for another deployment, or is somebody else's to change."""
        waiting = [region for region in self._table.replica_regions if region not in self._deployed_replicas]
        if waiting and self._on_resource_side:
            cdk.Annotations.of(self.resource.resource).add_warning_v2(
                "tableguard:replica-without-policy",
                f"Phase 1 of 2: the replicas in {', '.join(waiting)} get none of the grants in this deployment: "
                "CloudFormation cannot create a replica in another region together with its policy. Once they are "
                f"deployed, add deployed_replicas={waiting!r} and deploy again.",
            )
        copied = sorted({p.region for p in facts.policies if p.kind == "table" and p.region in waiting})
        if copied and self._on_resource_side:
            cdk.Annotations.of(self.resource.resource).add_warning_v2(
                "tableguard:new-replica-with-policy",
                f"The replicas in {', '.join(copied)} carry statements that were added elsewhere. Where they are new, "
                "CloudFormation refuses them: set the context flag @aws-cdk/aws-dynamodb:resourcePolicyPerReplica, "
                "which keeps the CDK from copying the policy of the primary, or add the statements afterwards.",
            )
        # Keys of replicas are in other regions, and so never of this stack.
        for region in self._table.replica_regions:
            table = self._table.in_region(region)
            statements = [statement for grant in self._grants for statement in grant.key_statements(table)]
            if statements and table.customer_managed_key:
                cdk.Annotations.of(self.resource.resource).add_warning_v2(
                    KEY_POLICY, key_policy_warning(f"the key in {region}", table, statements)
                )

    def problems(self) -> list[str]:
        """Take in what was added since the last grant, and say what is wrong with the whole documents."""
        # At the last moment, since somebody may have assigned a policy anew after the aspects.
        facts = self.resource.facts()
        table = self.resource.reference(facts)
        if (table, facts.has_stream) != (self._table, self._has_stream):
            # Our statements follow the table: with an index or a replica more, they are others than those just read.
            self._table, self._has_stream = table, facts.has_stream
            facts = self.resource.facts()
        self._warn_of_replicas(facts)
        problems: list[str] = []
        if self._fence is not None:
            problems += self._fence.problems(table, deployed=self._deployed_replicas, grants=self._grants)
        for region in sorted(self._deployed_replicas - set(facts.replica_regions)):
            known = ", ".join(facts.replica_regions) or "none"
            problems.append(
                f"deployed_replicas of {self.resource.path}: got {region!r}. Allowed: its replicas, {known}."
            )
        for policy in facts.policies:
            try:
                self._check_document(policy)
            except TableguardError as error:
                problems.append(str(error))
        return problems

    def _check_document(self, policy: PolicyInPlace) -> None:
        owner = (
            f"{self.resource.path} in {policy.region}" if policy.region != self._table.region else self.resource.path
        )
        limit, rendering = (
            (self._limits.table, TableGrant.table_statements)
            if policy.kind == "table"
            else (self._limits.stream, TableGrant.stream_statements)
        )
        table = self._in_region(policy.region)
        if policy.document.get("Version") != VERSION and table and self._ours(self._grants, table, rendering):
            raise InvalidInputError(
                f"the version of the {limit.kind} of {owner}",
                value=policy.document.get("Version"),
                allowed=f'"{VERSION}", without which IAM takes the policy variables of a grant literally',
            )
        check_not_public(policy.document, owner=owner)
        check_size(policy.document, limit, owner=owner, fix=_TOO_LARGE)

    def _ours(self, grants: Iterable[TableGrant], table: TableReference, rendering: Rendering) -> list[Json]:
        ours = _rendered(grants, table, rendering)
        stream = rendering is TableGrant.stream_statements
        if self._fence is not None and (self._has_stream or not stream):
            ours.extend(self._fence.statements(table, stream=stream))
        return ours


def _rendered(grants: Iterable[TableGrant], table: TableReference, rendering: Rendering) -> list[Json]:
    statements = [statement for grant in grants for statement in rendering(grant, table)]
    return document(statements)["Statement"] if statements else []


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
