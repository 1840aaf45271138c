"""The policies of one table resource: whatever is granted on it, from however many places, in one document each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias

import aws_cdk as cdk
import jsii
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct, IConstruct, IValidation

from tableguard.policy import (
    Attributes,
    InvalidInputError,
    Limit,
    Limits,
    Statement,
    TableGrant,
    TableguardError,
    TableReference,
    check_not_public,
    check_size,
    document,
)
from tableguard.policy.denials import Denial
from tableguard.policy.documents import VERSION, Json
from tableguard.tables.facts import (
    CfnAnyTable,
    PolicyInPlace,
    TableFacts,
    TableResource,
    is_own_region,
)
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
    "every principal once more), or split the table."
)

Rendering: TypeAlias = Callable[[TableGrant, TableReference], tuple[Statement, ...]]


class Fence(Protocol):
    """What denies something at a table, next to the grants: `Perimeter` and `NoPeople` do."""

    def table_statements(self, table: TableReference) -> Sequence[Denial]:
        """What the table's policy denies."""

    def stream_statements(self, table: TableReference) -> Sequence[Denial]:
        """What the stream's policy denies."""

    def described(self) -> dict[str, object]:
        """What the template's metadata says of it."""


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
        self._fences: tuple[Fence, ...] = ()
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
        for limit, rendering in self._renderings:
            denied = _denied(self._fences, table, rendering)
            statements = [*_rendered((*self._grants, *grants), table, rendering), *denied]
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

    def fence(self, fence: Fence) -> None:
        """Deny something, next to what is granted.

        Args:
            fence: What is denied.

        Raises:
            InvalidInputError: It is there already.
            PolicyTooLargeError: Our own statements alone are over a limit.
        """
        if fence in self._fences:
            raise InvalidInputError(
                f"a fence of {self.resource.path}", value=fence.described(), allowed="each once", fix="Remove one."
            )
        facts = self.resource.facts()
        table = self.resource.reference(facts)
        for limit, rendering in self._renderings:
            statements = [*self._ours(table, rendering), *_denied([fence], table, rendering)]
            check_size({"Version": VERSION, "Statement": statements}, limit, owner=self.resource.path, fix=_TOO_LARGE)
        self._fences = (*self._fences, fence)
        self._table, self._has_stream = table, facts.has_stream
        self._attach()
        self._describe()

    @property
    def _renderings(self) -> tuple[tuple[Limit, Rendering], ...]:
        return (
            (self._limits.table, TableGrant.table_statements),
            (self._limits.stream, TableGrant.stream_statements),
        )

    def _ours(self, table: TableReference, rendering: Rendering) -> list[Json]:
        """Our statements: what is granted, then what is denied."""
        fences = self._fences if rendering is TableGrant.table_statements or self._has_stream else ()
        return [*_rendered(self._grants, table, rendering), *_denied(fences, table, rendering)]

    def _describe(self) -> None:
        grants = [grant.described() for grant in self._grants]
        fences = [fence.described() for fence in self._fences]
        self.resource.resource.add_metadata(METADATA_KEY, {"grants": grants, **({"fences": fences} if fences else {})})

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
        if self.resource.overlays or not self._on_resource_side:
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
        return bool(self._fences) or any(grant.on_resource_side(self.resource.account) for grant in self._grants)

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
        ours = self._ours(table, rendering)
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
                f"Phase 1 of 2: the replicas in {', '.join(waiting)} get none of the grants and fences in this "
                "deployment: CloudFormation cannot create a replica in another region together with its policy. Once "
                f"they are deployed, add deployed_replicas={waiting!r} and deploy again.",
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
        if table != self._table or facts.has_stream != self._has_stream:
            # Our statements follow the table: with an index or a replica more, they are others than those just read.
            self._table, self._has_stream = table, facts.has_stream
            facts = self.resource.facts()
        self._warn_of_replicas(facts)
        problems = []
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
        if policy.document.get("Version") != VERSION and table and self._ours(table, rendering):
            raise InvalidInputError(
                f"the version of the {limit.kind} of {owner}",
                value=policy.document.get("Version"),
                allowed=f'"{VERSION}", without which IAM takes the policy variables of a grant literally',
            )
        check_not_public(policy.document, owner=owner)
        check_size(policy.document, limit, owner=owner, fix=_TOO_LARGE)


def _rendered(grants: Iterable[TableGrant], table: TableReference, rendering: Rendering) -> list[Json]:
    statements = [statement for grant in grants for statement in rendering(grant, table)]
    return document(statements)["Statement"] if statements else []


def _denied(fences: Iterable[Fence], table: TableReference, rendering: Rendering) -> list[Json]:
    of_table = rendering is TableGrant.table_statements
    return [
        denial.to_json(principal="*")
        for fence in fences
        for denial in (fence.table_statements(table) if of_table else fence.stream_statements(table))
    ]


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
