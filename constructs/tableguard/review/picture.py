"""The picture of an organization: what its templates say about tables, identities and the policies between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tableguard.policy.evaluation import Document, Place, Policies, Request


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the templates do not tell, and what follows from that.

    Args:
        place: Where it stands.
        what: What is not known, in words.
    """

    place: Place
    what: str


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
        key_arn: The key that it is encrypted with, where it names one that is known.
        stated_grants: The grants that the template's metadata claims; decisions never come from these.
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
    key_arn: str | None = None
    stated_grants: tuple[Mapping[str, Any], ...] = ()
    place: Place = field(default_factory=Place)

    @property
    def stream_arn(self) -> str:
        """The ARN of its stream, with a placeholder for the moment at which it was enabled."""
        return f"{self.arn}/stream/{{label}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A role or user that a template makes or attaches policies to.

    Args:
        arn: Its ARN. Where CloudFormation chooses the name, a placeholder stands for it.
        account: Its account.
        kind: "role" or "user".
        documents: Its identity policies, inline and managed, groups' included.
        boundary: Its permissions boundary: one document, or none.
        trust: Who may assume it; None for a user, or where the role is made elsewhere.
        unread: Policies that are attached but stand in no template of the assembly, such as those that AWS manages.
        in_assembly: Whether a template makes it; False where one only attaches a policy to it.
        place: The identity in its template.
    """

    arn: str
    account: str
    kind: str
    documents: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] = ()
    trust: Document | None = None
    unread: tuple[str, ...] = ()
    in_assembly: bool = True
    place: Place = field(default_factory=Place)

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
        place: The endpoint in its template.
    """

    endpoint_id: str
    vpc_id: str | None
    account: str
    region: str
    policy: Document | None = None
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationPolicy:
    """A service or resource control policy.

    Args:
        kind: "SERVICE_CONTROL_POLICY" or "RESOURCE_CONTROL_POLICY".
        document: Its content.
        targets: Ids of what it is attached to: accounts, organizational units, roots.
        place: The policy in its template.
    """

    kind: str
    document: Document
    targets: tuple[str, ...]
    place: Place = field(default_factory=Place)

    def binds(self, account: str) -> bool:
        """Whether it binds an account for certain: by its id, or from the organization's root.

        Which accounts a unit holds stands in no template, so a policy on a unit binds nobody for certain.
        """
        return any(target == account or target.startswith("r-") for target in self.targets)


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
    place: Place = field(default_factory=Place)


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
    """

    tables: tuple[Table, ...] = ()
    identities: tuple[Identity, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    organization_policies: tuple[OrganizationPolicy, ...] = ()
    keys: tuple[Key, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    accounts: tuple[str, ...] = ()

    def table_of(self, resource: str) -> Table | None:
        """The table that a resource's ARN belongs to: its own, an index's or a stream's.

        Args:
            resource: An ARN.
        """
        for table in self.tables:
            if resource == table.arn or resource.startswith((f"{table.arn}/index/", f"{table.arn}/stream/")):
                return table
        return None

    def identity_of(self, principal: str) -> Identity | None:
        """The role or user behind a principal's ARN; a session's is its role, if only one has that name.

        Args:
            principal: An ARN.
        """
        for identity in self.identities:
            if identity.arn == principal:
                return identity
        parts = principal.split(":", 5)
        if len(parts) == 6 and parts[5].startswith("assumed-role/"):  # noqa: PLR2004 - an ARN has six parts
            role = parts[5].split("/")[1]
            found = [
                identity
                for identity in self.identities
                if identity.kind == "role" and identity.account == parts[4] and identity.name.split("/")[-1] == role
            ]
            return found[0] if len(found) == 1 else None
        return None

    def policies_for(self, request: Request, *, identity: Iterable[Document] | None = None) -> Policies:
        """The policies of the picture that bear on a request.

        Args:
            request: The request.
            identity: Identity policies to assume for a principal that the picture does not hold; none when left out.
        """
        table = self.table_of(request.resource)
        behind = self.identity_of(request.principal)
        resource = None
        if table is not None:
            resource = table.stream_policy if f"{table.arn}/stream/" in request.resource else table.policy
        else:
            resource = next((key.policy for key in self.keys if key.arn == request.resource), None)
        return Policies(
            identity=list(behind.documents if behind is not None else identity or ()),
            resource=resource,
            boundary=list(behind.boundary) if behind is not None else [],
            service_control=self._levels("SERVICE_CONTROL_POLICY", _account_of(request.principal)),
            resource_control=self._levels("RESOURCE_CONTROL_POLICY", request.resource_account),
            endpoint=self._endpoint_policy(request),
        )

    def _levels(self, kind: str, account: str | None) -> list[list[Document]]:
        """One level with the policies that bind the account, next to the one that allows everything.

        The templates do not tell the levels of the organization. A Deny counts the same on each of them, and
        FullAWSAccess is taken to be still attached.
        """
        if account is None:
            return []
        found = [p.document for p in self.organization_policies if p.kind == kind and p.binds(account)]
        return [[_FULL_ACCESS, *found]] if found else []

    def _endpoint_policy(self, request: Request) -> Document | None:
        through = request.context.get("aws:SourceVpce")
        return next((e.policy for e in self.endpoints if e.endpoint_id == through), None)


_FULL_ACCESS = Document(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    Place(policy="FullAWSAccess"),
)


def _account_of(principal: str) -> str | None:
    parts = principal.split(":")
    return parts[4] if principal.startswith("arn:") and len(parts) > 5 else None  # noqa: PLR2004 - as above
