"""The picture of an organization: what its templates say about tables, identities and the policies between them."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tableguard.evaluation import Document, DocumentLocation, Policies, Request
from tableguard.evaluation.callers import CallerKind
from tableguard.policy.metadata import ControlClaim, GrantClaim, RestrictionClaim
from tableguard.review.backup_facts import BackupFacts
from tableguard.review.unknown import Unknown


class RestrictionKind(enum.Enum):
    """A kind of restriction around a table: there is one of each at most."""

    PERIMETER = "perimeter"
    """Against requests from outside some networks."""
    PEOPLE = "people"
    """Against people."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A grant as a template's metadata claims it. Decisions never come from it.

    Args:
        table: The ARN of its table, where the metadata stands on a consumer's policy.
        grant: What it says.
        place: Where it stands.
    """

    table: str | None
    grant: GrantClaim
    place: DocumentLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table in one region: for a global table each replica is one.

    Args:
        arn: Its ARN. Where CloudFormation chooses the name, a placeholder stands for it.
        account: The account that owns it.
        region: Its region.
        name: Its name, or the placeholder.
        indexes: The names of its secondary indexes.
        policy: Its resource policy, which covers its indexes.
        stream_policy: The policy of its stream.
        has_stream: Whether it has a stream.
        stream_label: What stands for the moment at which its stream was enabled, which ends the stream's ARN.
        key_arn: The customer-managed key that it is encrypted with, where that is known.
        aws_managed_key: Whether it is encrypted with the key that AWS manages, which no other account can use.
        stated_grants: The grants that the template's metadata claims; decisions never come from these.
        stated_restrictions: What the metadata claims of its restrictions; likewise.
        recovery_days: How many days its point-in-time recovery goes back, 0 where it is off; None where that is known
            at deployment only.
        deletion_protection: Whether it refuses to be deleted; None where that is known at deployment only.
        replica_of: What its replicas have in common: the place or the ARN of the table that they are replicas of.
        place: The table in its template.
    """

    arn: str
    account: str
    region: str
    name: str
    indexes: tuple[str, ...] = ()
    policy: Document | None = None
    stream_policy: Document | None = None
    has_stream: bool = False
    stream_label: str = "{label}"
    key_arn: str | None = None
    aws_managed_key: bool = False
    stated_grants: tuple[Stated, ...] = ()
    stated_restrictions: Mapping[RestrictionKind, RestrictionClaim] = field(default_factory=dict, hash=False)
    recovery_days: int | None = 0
    deletion_protection: bool | None = False
    replica_of: str | None = None
    place: DocumentLocation = field(default_factory=DocumentLocation)

    @property
    def stream_arn(self) -> str:
        """The ARN of its stream, with a placeholder for the moment at which it was enabled."""
        return f"{self.arn}/stream/{self.stream_label}"

    @property
    def resources(self) -> tuple[str, ...]:
        """The ARNs that requests about it may go to: the table's, its indexes' and its stream's."""
        indexes = (f"{self.arn}/index/{index}" for index in self.indexes)
        return (self.arn, *indexes, *((self.stream_arn,) if self.has_stream else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A role or user that a template makes or attaches policies to.

    Args:
        arn: Its ARN. Where CloudFormation chooses the name, a placeholder stands for it.
        account: Its account.
        kind: "role" or "user".
        stated_grants: The grants that the metadata of its policies claims.
        documents: Its identity policies, inline and managed, groups' included.
        boundary: Its permissions boundary: one document, or none.
        trust: Who may assume it; None for a user, or where the role is made elsewhere.
        unread: Policies that are attached but stand in no template of the assembly, such as those that AWS manages.
        in_assembly: Whether a template makes it; False where one only attaches a policy to it.
        tags: Its tags, which its requests carry as aws:PrincipalTag/…, as far as they are known.
        place: The identity in its template; where none makes it, the first policy attached to it.
    """

    arn: str
    account: str
    kind: str
    documents: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] = ()
    trust: Document | None = None
    unread: tuple[str, ...] = ()
    in_assembly: bool = True
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    stated_grants: tuple[Stated, ...] = ()
    place: DocumentLocation = field(default_factory=DocumentLocation)

    @property
    def tag_keys(self) -> Mapping[str, str]:
        """The condition keys that its tags give to its requests, with their values."""
        return {f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}

    @property
    def name(self) -> str:
        """Its name, with its path."""
        return self.arn.split(":", 5)[5].partition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A VPC endpoint for DynamoDB.

    Args:
        endpoint_id: Its id, or the placeholder for it.
        vpc_id: Its VPC's id, or the placeholder; None where it is not known.
        account: The account that it is in.
        region: The region that it is in.
        policy: Its policy; None means full access.
        in_doubt: Whether it stands under a condition that is not known, so that it may not be there.
        place: The endpoint in its template.
    """

    endpoint_id: str
    vpc_id: str | None
    account: str
    region: str
    policy: Document | None = None
    in_doubt: bool = False
    place: DocumentLocation = field(default_factory=DocumentLocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationPolicy:
    """A service or resource control policy.

    Args:
        kind: "SERVICE_CONTROL_POLICY" or "RESOURCE_CONTROL_POLICY".
        managed_from: The account that deploys it: the organization's management account, or one that it delegated to.
        name: Its name.
        stated: What the template's metadata claims of it; decisions never come from this. None where it says nothing.
        document: Its content.
        targets: Ids of what it is attached to: accounts, organizational units, roots.
        place: The policy in its template.
    """

    kind: str
    document: Document
    targets: tuple[str, ...]
    managed_from: str = ""
    name: str = ""
    stated: ControlClaim | None = None
    place: DocumentLocation = field(default_factory=DocumentLocation)

    @property
    def on_root(self) -> bool:
        """Whether it is attached to the organization's root."""
        return any(target.startswith("r-") or target.endswith("@RootId}") for target in self.targets)

    def binds(self, account: str, accounts: Collection[str]) -> bool:
        """Whether it binds an account for certain.

        Args:
            account: The account.
            accounts: The accounts of the assembly, which a policy on the root binds.
        """
        return account != self.managed_from and (account in self.targets or (self.on_root and account in accounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A KMS key.

    Args:
        arn: Its ARN, with a placeholder for its id.
        account: Its account.
        policy: Its policy.
        place: The key in its template.
    """

    arn: str
    account: str
    policy: Document | None
    place: DocumentLocation = field(default_factory=DocumentLocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that bears on who may do what with the tables.

    Args:
        tables: The tables, replicas one by one.
        identities: The roles and users.
        endpoints: The VPC endpoints for DynamoDB.
        organization_policies: Service and resource control policies.
        keys: The KMS keys.
        unknowns: What the templates do not tell.
        accounts: The accounts of all stacks.
        backups: What the templates say of backups.
    """

    tables: tuple[Table, ...] = ()
    identities: tuple[Identity, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    organization_policies: tuple[OrganizationPolicy, ...] = ()
    keys: tuple[Key, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    accounts: tuple[str, ...] = ()
    backups: BackupFacts = field(default_factory=BackupFacts)
    _tables: Mapping[str, Table] = field(init=False, repr=False, compare=False)
    _identities: Mapping[str, Identity] = field(init=False, repr=False, compare=False)
    _roles: Mapping[tuple[str, str, str], tuple[Identity, ...]] = field(init=False, repr=False, compare=False)
    _keys: Mapping[str, Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[tuple[str, str, str], tuple[Identity, ...]] = {}
        for identity in self.identities:
            key = (identity.account, identity.kind, identity.name.rpartition("/")[2])
            by_name[key] = (*by_name.get(key, ()), identity)
        object.__setattr__(self, "_tables", {table.arn: table for table in reversed(self.tables)})
        object.__setattr__(self, "_identities", {each.arn: each for each in reversed(self.identities)})
        object.__setattr__(self, "_roles", by_name)
        object.__setattr__(self, "_keys", {key.arn: key for key in reversed(self.keys)})

    def table_of(self, resource: str) -> Table | None:
        """The table that a resource's ARN belongs to: its own, an index's or a stream's.

        Args:
            resource: An ARN.
        """
        head, slash, rest = resource.partition("/")
        name, _, _ = rest.partition("/")
        found = self._tables.get(f"{head}{slash}{name}")
        below = resource[len(found.arn) :] if found is not None else ""
        return found if below == "" or below.startswith(("/index/", "/stream/")) else None

    def identity_of(self, principal: str) -> Identity | None:
        """The role or user behind a principal's ARN; a session's is its role, if only one has that name.

        A role that the templates only attach policies to is known by its name alone, which is unique in its account
        whatever the path.

        Args:
            principal: An ARN.
        """
        known = self._identities.get(principal)
        parts = principal.split(":", 5)
        if known is not None or len(parts) != 6:  # noqa: PLR2004 - an ARN has six parts
            return known
        kind, _, name = parts[5].partition("/")
        if kind == "assumed-role":
            found = self._roles.get((parts[4], "role", name.split("/")[0]), ())
            return found[0] if len(found) == 1 else None
        found = self._roles.get((parts[4], kind, name.rpartition("/")[2]), ())
        return found[0] if len(found) == 1 and not found[0].in_assembly else None

    def key(self, arn: str | None) -> Key | None:
        """The key of an ARN.

        Args:
            arn: Its ARN; None for no key.
        """
        return self._keys.get(arn) if arn is not None else None

    def policies_for(self, request: Request, *, identity: Iterable[Document] | None = None) -> Policies:
        """The policies of the picture that bear on a request.

        Args:
            request: The request.
            identity: Policies to assume for a principal that the picture does not hold, as identity policies and as the
                session policies without which a federated user can do nothing; none when left out.
        """
        table = self.table_of(request.resource)
        behind = self.identity_of(request.principal)
        if table is not None:
            resource = table.stream_policy if f"{table.arn}/stream/" in request.resource else table.policy
        else:
            key = self.key(request.resource)
            resource = key.policy if key is not None else None
        assumed = list(identity or ()) if behind is None else []
        return Policies(
            identity=list(behind.documents) if behind is not None else assumed,
            session=assumed if request.situation.caller.kind is CallerKind.FEDERATED_USER else [],
            resource=resource,
            boundary=list(behind.boundary) if behind is not None else [],
            service_control=[[_FULL_ACCESS, *each] for each in self._levels(request.principal, _SERVICE_CONTROL)],
            resource_control=self._levels(request.resource, _RESOURCE_CONTROL),
            endpoint=self._endpoint_policy(request),
        )

    def _levels(self, arn: str, kind: str) -> list[list[Document]]:
        """One level with the policies that bind an ARN's account for certain; none where there are none.

        The templates do not tell the levels of the organization. A Deny counts the same on each of them, and
        FullAWSAccess is taken to be still attached. A policy on a unit binds nobody for certain, because no template
        tells which accounts the unit holds. One on the root binds the accounts of the assembly, except for the one
        that deploys it: that may be the management account, which no policy binds.
        """
        account = account_of(arn)
        if account is None:
            return []
        found = [
            policy.document
            for policy in self.organization_policies
            if policy.kind == kind and policy.binds(account, self.accounts)
        ]
        return [found] if found else []

    def _endpoint_policy(self, request: Request) -> Document | None:
        through = request.situation.context.get("aws:sourcevpce", ())
        return next((e.policy for e in self.endpoints if e.endpoint_id in through), None)


_SERVICE_CONTROL: Final = "SERVICE_CONTROL_POLICY"
_RESOURCE_CONTROL: Final = "RESOURCE_CONTROL_POLICY"
_FULL_ACCESS: Final = Document(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    DocumentLocation(policy="FullAWSAccess"),
)


def account_of(arn: str) -> str | None:
    """The account in an ARN; None for anything else.

    Args:
        arn: An ARN, a service, or "anonymous".
    """
    parts = arn.split(":", 5)
    return parts[4] or None if arn.startswith("arn:") and len(parts) > 5 else None  # noqa: PLR2004 - as above
