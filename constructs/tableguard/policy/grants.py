"""A grant, and the statements that it renders for the policies of table, stream, key and consumer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from tableguard.aws.actions import Category
from tableguard.aws.dynamodb import Action, Resource, ResourcePolicySupport
from tableguard.policy.access import ALL_INDEXES, STREAM, TABLE, Access
from tableguard.policy.collectives import AwsService
from tableguard.policy.conditions import Clause, Condition, Until, combined
from tableguard.policy.documents import AllowStatement, Json, document
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.fine_grained import check_not_by_hand
from tableguard.policy.lists import listed
from tableguard.policy.networks import FromNetwork, FromVpc, FromVpcEndpoint
from tableguard.policy.principals import ArnIdentity, Principal, Role, Trust, User
from tableguard.policy.representation import as_call
from tableguard.policy.tables import TableReference
from tableguard.policy.tokens import is_unresolved

# DynamoDB refuses a policy that names any other service. Source: aws-cdk, isUnsupportedServicePrincipal.
_SERVICES: Final = frozenset({"glue.amazonaws.com", "redshift.amazonaws.com", "replication.dynamodb.amazonaws.com"})


class Grantable(Protocol):
    """The CDK's `iam.IGrantable`, described without importing the CDK."""

    @property
    def grant_principal(self) -> Any:
        """The principal to grant to."""


@dataclass(frozen=True, slots=True)
class TableGrant:
    """States who may do what with a table, under which conditions, and why.

    Args:
        principal: A principal of this library, such as `Role(…)`, or any `iam.IGrantable`, which the construct that
            takes the grant converts.
        access: The allowed actions, such as `Access.READ`.
        reason: Why, in words for a reviewer. Required if the principal is outside the table's account. It goes into the
            template's metadata, never into a policy.
        conditions: Conditions, all of which must hold (and); none when left out.
        until: The last day of access (in UTC), or a moment with a time zone at which it ends; no end when left out.
            Afterwards the statement stays in the policy, without effect, until the grant is removed.
        name_principal: True names the role or user itself in the policies of table, stream and key. Then the role must
            exist before the table is deployed, and a role that is deleted and created again loses the access. False,
            the default, names its account, narrowed by `aws:PrincipalArn`; in the table's own account, only the
            identity policy then grants the access.

    Raises:
        InvalidInputError: A wrong type, conditions that cannot hold together, a fine-grained condition on an action
            that it does not work for, or a `Clause` in place of such a condition.
    """

    principal: Principal | Grantable
    access: Access
    reason: str = field(default="", kw_only=True)
    conditions: Sequence[Condition] = field(default=(), kw_only=True)
    until: dt.date | None = field(default=None, kw_only=True)
    name_principal: bool = field(default=False, kw_only=True)

    __repr__ = as_call

    def __post_init__(self) -> None:
        if not isinstance(self.principal, Principal) and not hasattr(self.principal, "grant_principal"):
            raise InvalidInputError(
                "the principal of a TableGrant",
                value=self.principal,
                allowed="a principal such as Role(account=…, name=…), or an iam.IGrantable",
            )
        if not isinstance(self.access, Access):
            raise InvalidInputError(
                "the access of a TableGrant", value=self.access, allowed="an Access, such as Access.READ"
            )
        if not isinstance(self.reason, str):
            raise InvalidInputError("the reason of a TableGrant", value=self.reason, allowed="a string")
        conditions = listed("the conditions of a TableGrant", self.conditions, allowed="a list of conditions")
        object.__setattr__(self, "conditions", conditions)
        for condition in self.conditions:
            if not isinstance(condition, Condition):
                raise InvalidInputError(
                    "a condition of a TableGrant", value=condition, allowed="a condition such as FromNetwork(…)"
                )
            check_not_by_hand(condition)
        self._check_conditions()
        self._check_principal()

    def _check_conditions(self) -> None:
        kinds = {type(condition) for condition in self.conditions}
        if FromNetwork in kinds and kinds & {FromVpc, FromVpcEndpoint}:
            raise InvalidInputError(
                "the conditions of a TableGrant",
                value=[condition.label for condition in self.conditions],
                allowed="an IP range, or VPCs and VPC endpoints, not both in one grant",
                fix="Make two grants: a request through an endpoint has no public IP address.",
            )
        for target, actions in self.access.by_target.items():
            if target == STREAM and any(condition.fine_grained for condition in self.conditions):
                raise InvalidInputError(
                    "the conditions of a TableGrant",
                    value=[condition.label for condition in self.conditions if condition.fine_grained],
                    allowed="conditions on items for actions on items",
                    fix="Grant the stream separately: no condition can narrow its records.",
                )
            for action in actions:
                combined(self._every_condition, action)

    def _check_principal(self) -> None:
        if not isinstance(self.principal, Principal):
            return
        if self.name_principal and not isinstance(self.principal, Role | User | ArnIdentity):
            raise InvalidInputError(
                "name_principal of a TableGrant",
                value=self.principal.label,
                allowed="name_principal=True for a Role or a User only",
            )
        service = self.principal.service if isinstance(self.principal, AwsService) else ""
        if service and service not in _SERVICES and not is_unresolved(service):
            raise InvalidInputError(
                "the service of a TableGrant",
                value=service,
                allowed=f"the services that DynamoDB accepts in a policy: {', '.join(sorted(_SERVICES))}",
                fix="Let the service assume a role, and grant that role.",
            )

    @property
    def _every_condition(self) -> tuple[Condition, ...]:
        return (*self.conditions, *((Until(self.until),) if self.until is not None else ()))

    @property
    def subject(self) -> Principal:
        """The principal, as one of this library's principals.

        Raises:
            InvalidInputError: The principal is an iam.IGrantable that no construct has converted.
        """
        if isinstance(self.principal, Principal):
            return self.principal
        raise InvalidInputError(
            "the principal of a TableGrant",
            value=self.principal,
            allowed="a principal such as Role(account=…, name=…)",
            fix="Only CrossAccountTable and TableAccess can convert an iam.IGrantable.",
        )

    def leaves(self, owner: str) -> bool:
        """Whether the principal is outside the account that owns the table."""
        return self.subject.home != owner

    def on_resource_side(self, owner: str) -> bool:
        """Whether the policies of table, stream and key have statements for this grant."""
        return self.leaves(owner) or self.name_principal or self.subject.by_name

    def is_over(self, today: dt.date) -> bool:
        """Whether the grant's last day has passed."""
        return self.until is not None and Until(self.until).is_over(today)

    def same_access(self, other: TableGrant) -> bool:
        """Whether another grant allows the same principal the same actions under the same conditions.

        Two such grants on one table are a mistake: the grant that ends later, or never, makes the end of the other
        ineffective. The reason, the end, the name of the access and the order of conditions and values do not count;
        `name_principal` does. A grant with fewer conditions is wider, but not the same. Convert an iam.IGrantable
        first, since principals are compared as they are.

        Args:
            other: Another grant.
        """
        return (
            self.principal == other.principal
            and self.name_principal == other.name_principal
            and self.access.permissions == other.access.permissions
            and self._narrowing == other._narrowing
        )

    def check(self, table: TableReference) -> None:
        """Check that the grant fits a table.

        Raises:
            InvalidInputError: No reason, an action that does not work across accounts or in a resource policy, an index
                that the table does not have, a VPC of another region, or an account or region that is not known before
                deployment.
        """
        self._check_accounts(table.account)
        for index in self.access.indexes:
            table.check_index(index)
        self._check_regions(table)
        self._check_whole()
        if ALL_INDEXES in self.access.by_target and TABLE not in self.access.by_target and not table.indexes:
            raise InvalidInputError(
                f"the access of the grant to {self.subject.label}",
                value=self.access.name,
                allowed=f"access without indexes, since no index of table {table.label} is known",
                fix="Add the index to the table before the grant, or to `indexes` of the TableReference.",
            )
        if self.leaves(table.account):
            self._check_across_accounts()
        elif self.on_resource_side(table.account):
            self._check_resource_side()

    def _check_accounts(self, owner: str) -> None:
        home = self.subject.home
        if home == owner:
            # One and the same unresolved account is still one account.
            return
        for whose, account in (("the table", owner), (self.subject.label, home)):
            if account is not None and is_unresolved(account):
                raise InvalidInputError(
                    f"the account of {whose}",
                    value="a value that is known only at deployment",
                    allowed="12 digits, to tell whether the grant leaves the table's account",
                    fix="Set env=Environment(account=…, region=…) on the stack, or write the account down.",
                )

    def _check_regions(self, table: TableReference) -> None:
        for condition in self.conditions:
            if not isinstance(condition, FromVpc) or is_unresolved(f"{condition.region}{table.region}"):
                continue
            if condition.region not in (table.region, *table.replica_regions):
                raise InvalidInputError(
                    f"the region of FromVpc in a grant on table {table.label}",
                    value=condition.region,
                    allowed=f"a region of the table: {', '.join((table.region, *table.replica_regions))}",
                )
        if self.on_resource_side(table.account) and is_unresolved(table.region):
            raise InvalidInputError(
                f"the region of table {table.label}",
                value="a value that is known only at deployment",
                allowed="a region, since the table's policy names the table by its ARN",
                fix="Set env=Environment(account=…, region=…) on the stack.",
            )

    def _check_whole(self) -> None:
        for action in self.access.actions:
            granted_on = {target for target, actions in self.access.by_target.items() if action in actions}
            if action.on_all and (TABLE not in granted_on or granted_on == {TABLE}):
                raise InvalidInputError(
                    f"the access of the grant to {self.subject.label}",
                    value=self.access.name,
                    allowed=f"{action.name} on the table and on an index, since a request needs both",
                    fix=f'Access.on_table("{action.name}") | Access.on_index("{action.name}", index="…").',
                )

    def _check_across_accounts(self) -> None:
        if not self.reason.strip():
            raise InvalidInputError(
                f"the reason of the grant to {self.subject.label}",
                value=self.reason,
                allowed="why somebody outside the table's account has access",
                fix='Add reason="…": a ticket, a contract, a decision.',
            )
        local = [action.name for action in self.access.actions if not action.across_accounts]
        if local:
            raise InvalidInputError(
                f"actions granted to {self.subject.label}",
                value=local,
                allowed="actions that work on a table of another account",
                fix="For these actions, let the principal assume a role in the table's account.",
            )

    def _check_resource_side(self) -> None:
        refused = [
            action.name
            for action in self.access.actions
            if action.resource_policy is ResourcePolicySupport.IDENTITY_ONLY
        ]
        if refused:
            raise InvalidInputError(
                f"actions granted to {self.subject.label}",
                value=refused,
                allowed="actions that a table's or stream's policy may name",
                fix="Leave name_principal out: then only the identity policy grants these actions.",
            )

    def table_statements(self, table: TableReference) -> tuple[AllowStatement, ...]:
        """The statements of the table's policy, which also covers its indexes."""
        targets = set(self.access.by_target) - {STREAM}
        if not table.indexes:
            targets.discard(ALL_INDEXES)
        return self._resource_statements(table, targets, lambda target: self._own_resource(table, target))

    def stream_statements(self, table: TableReference) -> tuple[AllowStatement, ...]:
        """The statements of the stream's policy, on "*": the stream's ARN changes whenever it is enabled."""
        return self._resource_statements(table, {STREAM} & set(self.access.by_target), lambda _: "*")

    def key_statements(self, table: TableReference) -> tuple[AllowStatement, ...]:
        """The statements of the policy of the table's customer-managed key.

        A principal of another account needs both its identity policy and the key's policy. DynamoDB calls KMS as the
        caller, and needs only kms:Decrypt to read and write items and to read a stream.
        """
        if not self.on_resource_side(table.account) or not self._uses_key:
            return ()
        return (self._key_statement(table, ("*",), trust=self._trust(table)),)

    def identity_statements(self, table: TableReference) -> tuple[AllowStatement, ...]:
        """The statements of the consumer's identity policy, on exact ARNs."""
        statements = [
            AllowStatement(actions=_qualified(actions), resources=(f"{table.arn}{target}",), clauses=clauses)
            for target, actions, clauses in self._parts(self.access.by_target)
        ]
        if table.customer_managed_key and self._uses_key:
            statements.append(self._key_statement(table, (table.key_resource,)))
        return tuple(statements)

    def identity_policy(self, table: TableReference) -> Json:
        """The consumer's identity policy as a document, for roles that are made elsewhere.

        Args:
            table: The table.

        Raises:
            InvalidInputError: The grant does not fit the table; see `check`.
        """
        self.check(table)
        return document(self.identity_statements(table))

    def given_to(self, principal: Principal, conditions: Iterable[Condition] = ()) -> TableGrant:
        """Return the same grant for another principal, with further conditions.

        Raises:
            InvalidInputError: A grant cannot have these conditions.
        """
        return replace(self, principal=principal, conditions=(*self.conditions, *conditions))

    @property
    def _narrowing(self) -> frozenset[tuple[str, str, str, frozenset[str]]]:
        """The clauses that the conditions mean for each action, in a form that can be compared."""
        return frozenset(
            (action.name, clause.operator, clause.key.lower(), frozenset(clause.values))
            for action in self.access.actions
            for condition in self.conditions
            for clause in condition.clauses(action)
        )

    @property
    def _uses_key(self) -> bool:
        return any(action.decrypts or action.category is Category.STREAM for action in self.access.actions)

    def _trust(self, table: TableReference) -> Trust:
        return self.subject.trust(partition=table.partition_id, owner=table.account, named=self.name_principal)

    def _resource_statements(
        self, table: TableReference, targets: set[str], resource: Callable[[str], str]
    ) -> tuple[AllowStatement, ...]:
        if not self.on_resource_side(table.account):
            return ()
        trust = self._trust(table)
        return tuple(
            AllowStatement(
                actions=_qualified(actions),
                resources=(resource(target),),
                kind=trust.kind,
                principals=(trust.value,),
                clauses=clauses,
            )
            for target, actions, clauses in self._parts(targets, trust.clauses)
        )

    def _parts(
        self, targets: Iterable[str], trust: Sequence[Clause] = ()
    ) -> Iterable[tuple[str, list[Action], tuple[Clause, ...]]]:
        """The actions by target, split if their conditions differ."""
        for target in sorted(targets):
            split: dict[tuple[Clause, ...], list[Action]] = {}
            for action in self.access.by_target[target]:
                split.setdefault(combined((*trust, *self._every_condition), action), []).append(action)
            for clauses, actions in split.items():
                yield target, actions, clauses

    def _own_resource(self, table: TableReference, target: str) -> str:
        """The resource as the table's own policy names it."""
        if not is_unresolved(table.name):
            return f"{table.arn}{target}"
        # The table's own ARN would be a circular reference, and "*" covers table and indexes alike.
        targets = self.access.by_target
        both = {a for t in (TABLE, ALL_INDEXES) for a in targets.get(t, ()) if Resource.INDEX in a.resources}
        if target not in (TABLE, ALL_INDEXES) or any(
            action not in targets.get(t, ()) for action in both for t in (TABLE, ALL_INDEXES)
        ):
            raise InvalidInputError(
                f"the access of the grant to {self.subject.label}",
                value=self.access.name,
                allowed="access to the table together with all its indexes, since the table has no name yet",
                fix="Give the table a name (table_name=…), or grant Access.READ, Access.WRITE or Access.READ_WRITE.",
            )
        return "*"

    def _key_statement(
        self, table: TableReference, resources: tuple[str, ...], trust: Trust | None = None
    ) -> AllowStatement:
        context = "kms:EncryptionContext:aws:dynamodb:"
        narrowed = [
            Clause("StringEquals", "kms:ViaService", (table.kms_via_service,)),
            Clause("StringEquals", f"{context}subscriberId", (table.account,)),
        ]
        # Left out for an unnamed table: its name is a reference to the table, which refers to its key (a circle).
        if not is_unresolved(table.name):
            narrowed.append(Clause("StringEquals", f"{context}tableName", (table.name,)))
        lasting = [
            clause
            for condition in self._every_condition
            if condition.survives_forwarding
            for clause in condition.clauses(self.access.actions[0])
        ]
        return AllowStatement(
            actions=("kms:Decrypt",),
            resources=resources,
            kind=trust.kind if trust else None,
            principals=(trust.value,) if trust else (),
            clauses=combined((*(trust.clauses if trust else ()), *narrowed, *lasting), self.access.actions[0]),
        )


def _qualified(actions: Iterable[Action]) -> tuple[str, ...]:
    return tuple(action.qualified for action in actions)
