"""From the stacks of an assembly to the picture of the organization."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tableguard.policy.evaluation import Document, Place
from tableguard.policy.partitions import partition_of
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.intrinsics import Resolver, has_unknown
from tableguard.review.picture import (
    Endpoint,
    Identity,
    Key,
    OrganizationPolicy,
    Picture,
    Table,
    Unknown,
)

METADATA_KEY: Final = "tableguard"
_ADMINISTRATOR: Final = "policy/AdministratorAccess"
_EVERYTHING: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def collect(stacks: Sequence[SynthesizedStack], *, parameters: Mapping[str, str] | None = None) -> Picture:
    """Put the picture of an organization together.

    Args:
        stacks: The stacks of its assemblies.
        parameters: Values for template parameters, by "STACK.PARAMETER"; a parameter without one is unknown, whatever
            its default.
    """
    return _Collector(stacks, Resolver(stacks, parameters)).picture()


@dataclass(slots=True)
class _IdentityParts:
    """A role, user or group while it is being put together."""

    arn: str
    account: str
    kind: str
    place: Place
    documents: list[Document] = field(default_factory=list)
    boundary: list[Document] = field(default_factory=list)
    trust: Document | None = None
    unread: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    in_assembly: bool = False


class _Collector:
    def __init__(self, stacks: Sequence[SynthesizedStack], resolver: Resolver) -> None:
        self._stacks = stacks
        self._resolver = resolver
        self._identities: dict[tuple[str, str, str], _IdentityParts] = {}
        self._managed: dict[str, Document] = {}
        self._unknowns: list[Unknown] = []

    def picture(self) -> Picture:
        """The picture of all stacks."""
        known = []
        for stack in self._stacks:
            if stack.account is None or stack.region is None:
                self._unknowns.append(
                    Unknown(
                        Place(stack=stack.name),
                        "the stack has no account or region, so its resources are left out: give it an env",
                    )
                )
            else:
                known.append(stack)
        for stack in known:
            for logical_id, resource in stack.resources("AWS::IAM::ManagedPolicy"):
                arn = self._resolver.arn(stack, logical_id)
                if arn is not None:
                    self._managed[arn] = self._document(stack, logical_id, resource, "PolicyDocument")
        for stack in known:
            self._collect_identities(stack)
        for stack in known:
            self._attach_policies(stack)
        return Picture(
            tables=tuple(table for stack in known for table in self._tables(stack)),
            identities=tuple(self._finished()),
            endpoints=tuple(endpoint for stack in known for endpoint in self._endpoints(stack)),
            organization_policies=tuple(policy for stack in known for policy in self._organization_policies(stack)),
            keys=tuple(key for stack in known for key in self._keys(stack)),
            unknowns=tuple(self._unknowns),
            accounts=tuple(sorted({stack.account for stack in known if stack.account is not None})),
        )

    # Tables

    def _tables(self, stack: SynthesizedStack) -> Iterator[Table]:
        for logical_id, resource in stack.resources("AWS::DynamoDB::Table"):
            stream = _get(resource, "StreamSpecification")
            yield self._table(
                stack,
                logical_id,
                resource,
                region=str(stack.region),
                policy=self._optional(stack, logical_id, resource, "ResourcePolicy", "PolicyDocument"),
                stream_policy=self._optional(
                    stack, logical_id, resource, "StreamSpecification", "ResourcePolicy", "PolicyDocument"
                ),
                has_stream=bool(stream),
                key=_get(resource, "SSESpecification", "KMSMasterKeyId"),
            )
        for logical_id, resource in stack.resources("AWS::DynamoDB::GlobalTable"):
            replicas = _get(resource, "Replicas")
            for number, replica in enumerate(replicas if isinstance(replicas, list) else []):
                region = self._resolver.text(stack, _value(replica, "Region"))
                place = ("Replicas", str(number))
                if region is None:
                    self._unknown(stack, logical_id, "the region of a replica", *place)
                    continue
                yield self._table(
                    stack,
                    logical_id,
                    resource,
                    region=region,
                    policy=self._optional(stack, logical_id, resource, *place, "ResourcePolicy", "PolicyDocument"),
                    stream_policy=self._optional(
                        stack,
                        logical_id,
                        resource,
                        *place,
                        "ReplicaStreamSpecification",
                        "ResourcePolicy",
                        "PolicyDocument",
                    ),
                    has_stream=bool(_get(resource, "StreamSpecification")) or len(replicas) > 1,
                    key=_get(resource, *place, "SSESpecification", "KMSMasterKeyId"),
                )

    def _table(
        self,
        stack: SynthesizedStack,
        logical_id: str,
        resource: Mapping[str, Any],
        *,
        region: str,
        policy: Document | None,
        stream_policy: Document | None,
        has_stream: bool,
        key: Any,
    ) -> Table:
        name = self._resolver.name(stack, logical_id)
        return Table(
            arn=f"arn:{partition_of(region)}:dynamodb:{region}:{stack.account}:table/{name}",
            account=str(stack.account),
            region=region,
            name=name,
            indexes=tuple(self._indexes(stack, resource)),
            policy=policy,
            stream_policy=stream_policy,
            has_stream=has_stream,
            key_arn=self._resolver.text(stack, key) if key is not None else None,
            stated_grants=tuple(self._stated_grants(stack, resource)),
            place=_place(stack, logical_id),
        )

    def _indexes(self, stack: SynthesizedStack, resource: Mapping[str, Any]) -> Iterator[str]:
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            indexes = self._resolver.resolve(stack, _get(resource, kind))
            for index in indexes if isinstance(indexes, list) else []:
                name = _value(index, "IndexName")
                if isinstance(name, str):
                    yield name

    def _stated_grants(self, stack: SynthesizedStack, resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        grants = self._resolver.resolve(stack, _value(_value(resource.get("Metadata"), METADATA_KEY), "grants"))
        for grant in grants if isinstance(grants, list) else []:
            if isinstance(grant, Mapping):
                yield grant

    # Identities

    def _collect_identities(self, stack: SynthesizedStack) -> None:
        for kind, cfn_type in (("role", "Role"), ("user", "User"), ("group", "Group")):
            for logical_id, resource in stack.resources(f"AWS::IAM::{cfn_type}"):
                arn = self._resolver.arn(stack, logical_id)
                if arn is None:
                    self._unknown(stack, logical_id, f"the path of a {kind}", "Path")
                    continue
                parts = self._parts(str(stack.account), kind, self._resolver.name(stack, logical_id))
                parts.arn, parts.place, parts.in_assembly = arn, _place(stack, logical_id), True
                self._read_identity(stack, logical_id, resource, parts)

    def _read_identity(
        self, stack: SynthesizedStack, logical_id: str, resource: Mapping[str, Any], parts: _IdentityParts
    ) -> None:
        inline = _get(resource, "Policies")
        for number in range(len(inline) if isinstance(inline, list) else 0):
            parts.documents.append(
                self._document(stack, logical_id, resource, "Policies", str(number), "PolicyDocument")
            )
        for value in self._list(stack, logical_id, resource, "ManagedPolicyArns"):
            self._attach_managed(value, parts)
        boundary = _get(resource, "PermissionsBoundary")
        if boundary is not None:
            arn = self._resolver.text(stack, boundary)
            known = self._managed_document(arn)
            # A boundary that cannot be read may forbid anything: a document that is not understood says just that.
            parts.boundary.append(known or Document(None, _place(stack, logical_id, "PermissionsBoundary", policy=arn)))
            if known is None:
                self._unknown(stack, logical_id, f"the permissions boundary {arn or ''}", "PermissionsBoundary")
        if _get(resource, "AssumeRolePolicyDocument") is not None:
            parts.trust = self._document(stack, logical_id, resource, "AssumeRolePolicyDocument")
        parts.groups += [g for g in self._list(stack, logical_id, resource, "Groups") if isinstance(g, str)]

    def _attach_policies(self, stack: SynthesizedStack) -> None:
        for cfn_type in ("Policy", "ManagedPolicy"):
            for logical_id, resource in stack.resources(f"AWS::IAM::{cfn_type}"):
                document = self._document(stack, logical_id, resource, "PolicyDocument")
                for kind in ("role", "user", "group"):
                    for name in self._list(stack, logical_id, resource, f"{kind.title()}s"):
                        self._attach(stack, logical_id, kind, name, document)
        for kind in ("role", "user", "group"):
            for logical_id, resource in stack.resources(f"AWS::IAM::{kind.title()}Policy"):
                document = self._document(stack, logical_id, resource, "PolicyDocument")
                name = self._resolver.resolve(stack, _get(resource, f"{kind.title()}Name"))
                self._attach(stack, logical_id, kind, name, document)
        for logical_id, resource in stack.resources("AWS::IAM::UserToGroupAddition"):
            group = self._resolver.text(stack, _get(resource, "GroupName"))
            for name in self._list(stack, logical_id, resource, "Users"):
                if group is not None and isinstance(name, str):
                    self._parts(str(stack.account), "user", name).groups.append(group)

    def _attach(self, stack: SynthesizedStack, logical_id: str, kind: str, name: Any, document: Document) -> None:
        if isinstance(name, str):
            self._parts(str(stack.account), kind, name).documents.append(document)
        else:
            self._unknown(stack, logical_id, f"the {kind} that a policy is attached to")

    def _parts(self, account: str, kind: str, name: str) -> _IdentityParts:
        key = (account, kind, name)
        if key not in self._identities:
            # One that no template makes: its path is not known, and "/" by far the most common.
            partition = next((partition_of(s.region) for s in self._stacks if s.account == account and s.region), "aws")
            self._identities[key] = _IdentityParts(
                arn=f"arn:{partition}:iam::{account}:{kind}/{name}", account=account, kind=kind, place=Place()
            )
        return self._identities[key]

    def _attach_managed(self, value: Any, parts: _IdentityParts) -> None:
        arn = value if isinstance(value, str) else None
        document = self._managed_document(arn)
        if document is not None:
            parts.documents.append(document)
        else:
            parts.unread.append(arn or json.dumps(value))

    def _managed_document(self, arn: str | None) -> Document | None:
        if arn is None:
            return None
        if arn.endswith(f":iam::aws:{_ADMINISTRATOR}"):
            return Document(_EVERYTHING, Place(policy=arn))
        return self._managed.get(arn)

    def _finished(self) -> Iterator[Identity]:
        for (account, kind, _), parts in self._identities.items():
            if kind == "group":
                continue
            groups = [self._identities.get((account, "group", name)) for name in dict.fromkeys(parts.groups)]
            for name, group in zip(dict.fromkeys(parts.groups), groups, strict=True):
                if group is None:
                    parts.unread.append(f"group {name}")
            members = [group for group in groups if group is not None]
            yield Identity(
                arn=parts.arn,
                account=account,
                kind=kind,
                documents=(*parts.documents, *(d for group in members for d in group.documents)),
                boundary=tuple(parts.boundary),
                trust=parts.trust,
                unread=(*parts.unread, *(u for group in members for u in group.unread)),
                in_assembly=parts.in_assembly,
                place=parts.place,
            )

    # The rest

    def _endpoints(self, stack: SynthesizedStack) -> Iterator[Endpoint]:
        for logical_id, resource in stack.resources("AWS::EC2::VPCEndpoint"):
            service = self._resolver.text(stack, _get(resource, "ServiceName"))
            if service is None:
                self._unknown(stack, logical_id, "the service of a VPC endpoint", "ServiceName")
            elif service.endswith((".dynamodb", ".dynamodb-streams")):
                yield Endpoint(
                    endpoint_id=self._resolver.name(stack, logical_id),
                    vpc_id=self._resolver.text(stack, _get(resource, "VpcId")),
                    account=str(stack.account),
                    region=str(stack.region),
                    policy=self._optional(stack, logical_id, resource, "PolicyDocument"),
                    place=_place(stack, logical_id),
                )

    def _organization_policies(self, stack: SynthesizedStack) -> Iterator[OrganizationPolicy]:
        for logical_id, resource in stack.resources("AWS::Organizations::Policy"):
            targets = [t for t in self._list(stack, logical_id, resource, "TargetIds") if isinstance(t, str)]
            for target in targets:
                if target.startswith("ou-"):
                    self._unknown(stack, logical_id, f"which accounts are in {target}", "TargetIds")
            yield OrganizationPolicy(
                kind=str(_get(resource, "Type")),
                document=self._document(stack, logical_id, resource, "Content"),
                targets=tuple(targets),
                place=_place(stack, logical_id),
            )

    def _keys(self, stack: SynthesizedStack) -> Iterator[Key]:
        for logical_id, resource in stack.resources("AWS::KMS::Key"):
            arn = self._resolver.arn(stack, logical_id)
            if arn is not None:
                yield Key(
                    arn=arn,
                    account=str(stack.account),
                    policy=self._optional(stack, logical_id, resource, "KeyPolicy"),
                    place=_place(stack, logical_id),
                )

    # Documents

    def _optional(
        self, stack: SynthesizedStack, logical_id: str, resource: Mapping[str, Any], *path: str
    ) -> Document | None:
        return None if _get(resource, *path) is None else self._document(stack, logical_id, resource, *path)

    def _document(self, stack: SynthesizedStack, logical_id: str, resource: Mapping[str, Any], *path: str) -> Document:
        source = self._resolver.resolve(stack, _get(resource, *path))
        if isinstance(source, str):
            source = _parsed(source)
        if has_unknown(source):
            self._unknown(stack, logical_id, "a value in a policy", *path)
        name = self._resolver.text(stack, _get(resource, "PolicyName") or _get(resource, "ManagedPolicyName"))
        return Document(source, _place(stack, logical_id, *path, policy=name))

    def _list(self, stack: SynthesizedStack, logical_id: str, resource: Mapping[str, Any], key: str) -> list[Any]:
        stated = _get(resource, key)
        if stated is None:
            return []
        resolved = self._resolver.resolve(stack, stated)
        if isinstance(resolved, list):
            for value in resolved:
                if has_unknown(value):
                    self._unknown(stack, logical_id, f"an entry of {key}", key)
            return resolved
        self._unknown(stack, logical_id, key, key)
        return []

    def _unknown(self, stack: SynthesizedStack, logical_id: str, what: str, *path: str) -> None:
        self._unknowns.append(Unknown(_place(stack, logical_id, *path), f"{what} is known at deployment only"))


def _place(stack: SynthesizedStack, logical_id: str, *path: str, policy: str | None = None) -> Place:
    where = "/".join(("Resources", logical_id, *(("Properties", *path) if path else ())))
    return Place(policy=policy, stack=stack.name, logical_id=logical_id, path=where)


def _get(resource: Mapping[str, Any], *path: str) -> Any:
    value: Any = resource.get("Properties")
    for step in path:
        value = value[int(step)] if isinstance(value, list) and step.isdigit() else _value(value, step)
    return value


def _value(holder: Any, key: str) -> Any:
    return holder.get(key) if isinstance(holder, Mapping) else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
