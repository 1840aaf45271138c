"""Roles and users with everything that is attached to them, wherever in the assembly that is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tableguard.aws.partitions import partition_of
from tableguard.evaluation import Document, DocumentLocation
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import has_unknown
from tableguard.review.picture import Identity, Stated
from tableguard.review.reader import Properties, Reader, get, place, uncertain
from tableguard.review.unknown import UnknownKind

_KINDS: Final = ("role", "user", "group")
_ADMINISTRATOR: Final = ":iam::aws:policy/AdministratorAccess"
# What AWS manages and is about neither tables nor keys: nobody needs to read it for this review.
_HARMLESS: Final = (
    "policy/service-role/AWSLambdaBasicExecutionRole",
    "policy/service-role/AWSLambdaVPCAccessExecutionRole",
    "policy/service-role/AmazonECSTaskExecutionRolePolicy",
    "policy/AWSXRayDaemonWriteAccess",
    "policy/AmazonSSMManagedInstanceCore",
)
# The other policies, and the boundary, of a role or user that no template makes.
_ELSEWHERE: Final = "a policy attached elsewhere"
_EVERYTHING: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def identities(reader: Reader) -> Iterator[Identity]:
    """The roles and users that the stacks make or attach policies to, groups' policies included.

    Args:
        reader: What reads the stacks.
    """
    return _Identities(reader).finished()


def may_matter(unread: str) -> bool:
    """Whether a policy that was not read may be about tables or keys.

    Args:
        unread: One of `Identity.unread`.
    """
    return not unread.endswith(_HARMLESS)


@dataclass(slots=True)
class _Parts:
    """A role, user or group while it is being put together."""

    arn: str
    account: str
    kind: str
    place: DocumentLocation = field(default_factory=DocumentLocation)
    documents: list[Document] = field(default_factory=list)
    boundary: list[Document] = field(default_factory=list)
    trust: Document | None = None
    unread: list[str] = field(default_factory=list)
    groups: list[tuple[str, object]] = field(default_factory=list)
    """Their names, each with the condition of being in it where that is not known, or None."""
    stated: list[Stated] = field(default_factory=list)
    in_assembly: bool = False
    tags: dict[str, str] = field(default_factory=dict)


class _Identities:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: dict[tuple[str, str, str], _Parts] = {}
        self._managed: dict[str, Document] = {}

    def finished(self) -> Iterator[Identity]:
        """Everything, read and put together."""
        for stack, logical_id, properties in self._reader.resources("AWS::IAM::ManagedPolicy"):
            arn = self._reader.resolver.arn(stack, logical_id)
            if arn is not None:
                self._managed[arn] = self._reader.document(stack, logical_id, properties, "PolicyDocument")
        for kind in _KINDS:
            for stack, logical_id, properties in self._reader.resources(f"AWS::IAM::{kind.title()}"):
                self._read(kind, stack, logical_id, properties)
        for stack, logical_id, properties in self._reader.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            self._attach_to_all(stack, logical_id, properties)
        for kind in _KINDS:
            for stack, logical_id, properties in self._reader.resources(f"AWS::IAM::{kind.title()}Policy"):
                document = self._reader.document(stack, logical_id, properties, "PolicyDocument")
                self._attach(stack, logical_id, kind, properties.get(f"{kind.title()}Name"), document)
        self._read_groups()
        yield from (self._identity(parts) for parts in self._found.values() if parts.kind != "group")

    def _read(self, kind: str, stack: SynthesizedStack, logical_id: str, properties: Properties) -> None:
        arn = self._reader.resolver.arn(stack, logical_id)
        if arn is None:
            self._reader.note(stack, logical_id, UnknownKind.IDENTITY_PATH, "Path", about=[kind])
            return
        parts = self._parts(str(stack.account), kind, self._reader.resolver.name(stack, logical_id))
        parts.arn, parts.place, parts.in_assembly = arn, place(stack, logical_id), True
        parts.stated += self._reader.stated(stack, logical_id)
        parts.tags |= self._tags(stack, logical_id, properties)
        inline = self._reader.texts(stack, logical_id, properties, "Policies", entry=UnknownKind.POLICY_ENTRY)
        parts.documents += (
            self._reader.document(stack, logical_id, properties, "Policies", str(number), "PolicyDocument")
            for number in range(len(inline))
        )
        managed = self._reader.texts(stack, logical_id, properties, "ManagedPolicyArns", entry=UnknownKind.POLICY_ENTRY)
        for value in managed:
            self._attach_managed(value, parts)
        self._read_boundary(stack, logical_id, properties, parts)
        parts.trust = self._reader.optional(stack, logical_id, properties, "AssumeRolePolicyDocument")
        groups = self._reader.texts(stack, logical_id, properties, "Groups")
        parts.groups += [(group, None) for group in groups if isinstance(group, str)]

    def _tags(self, stack: SynthesizedStack, logical_id: str, properties: Properties) -> Iterator[tuple[str, str]]:
        for number, tag in enumerate(self._reader.texts(stack, logical_id, properties, "Tags")):
            key, value = get(tag, "Key"), get(tag, "Value")
            if isinstance(key, str) and isinstance(value, str) and not has_unknown(tag):
                yield key, value
            else:
                self._reader.note(stack, logical_id, UnknownKind.TAG, "Tags", str(number))

    def _read_boundary(self, stack: SynthesizedStack, logical_id: str, properties: Properties, parts: _Parts) -> None:
        stated = properties.get("PermissionsBoundary")
        if stated is None:
            return
        arn = stated if isinstance(stated, str) else None
        known = self._managed_document(arn)
        if known is None:
            # A boundary that cannot be read may forbid anything: a document that is not understood says just that.
            path = f"Resources/{logical_id}/Properties/PermissionsBoundary"
            known = Document(None, DocumentLocation(policy=arn, stack=stack.name, logical_id=logical_id, path=path))
            kind = UnknownKind.BOUNDARY_ELSEWHERE if arn else UnknownKind.BOUNDARY
            self._reader.note(stack, logical_id, kind, "PermissionsBoundary", about=[arn] if arn else [])
        parts.boundary.append(known)

    def _attach_to_all(self, stack: SynthesizedStack, logical_id: str, properties: Properties) -> None:
        document = self._reader.document(stack, logical_id, properties, "PolicyDocument")
        for kind in _KINDS:
            for name in self._reader.texts(stack, logical_id, properties, f"{kind.title()}s"):
                self._attach(stack, logical_id, kind, name, document)

    def _attach(self, stack: SynthesizedStack, logical_id: str, kind: str, name: Any, document: Document) -> None:
        if isinstance(name, str) and not has_unknown(name):
            parts = self._parts(str(stack.account), kind, name)
            parts.documents.append(document)
            parts.place = parts.place if parts.place.stack is not None else place(stack, logical_id)
            parts.stated += self._reader.stated(stack, logical_id)
        else:
            self._reader.note(stack, logical_id, UnknownKind.POLICY_HOLDER, about=[kind])

    def _attach_managed(self, value: Any, parts: _Parts) -> None:
        arn = value if isinstance(value, str) and not has_unknown(value) else None
        document = self._managed_document(arn)
        if document is not None:
            parts.documents.append(document)
        else:
            parts.unread.append(arn or json.dumps(value))

    def _managed_document(self, arn: str | None) -> Document | None:
        if arn is None:
            return None
        return (
            Document(_EVERYTHING, DocumentLocation(policy=arn))
            if arn.endswith(_ADMINISTRATOR)
            else self._managed.get(arn)
        )

    def _read_groups(self) -> None:
        for stack, logical_id, properties in self._reader.resources("AWS::IAM::UserToGroupAddition"):
            group = self._reader.text(stack, logical_id, properties, "GroupName")
            perhaps = self._reader.resolver.exists(stack, logical_id) is None
            condition = stack.template["Resources"][logical_id].get("Condition") if perhaps else None
            for name in self._reader.texts(stack, logical_id, properties, "Users"):
                if group is not None and isinstance(name, str):
                    self._parts(str(stack.account), "user", name).groups.append((group, condition))

    def _parts(self, account: str, kind: str, name: str) -> _Parts:
        key = (account, kind, name)
        if key not in self._found:
            # One that no template makes: its path is not known, and "/" by far the most common.
            regions = (stack.region for stack in self._reader.stacks if stack.account == account)
            partition = next((partition_of(region) for region in regions if region), "aws")
            self._found[key] = _Parts(f"arn:{partition}:iam::{account}:{kind}/{name}", account, kind)
        return self._found[key]

    def _identity(self, parts: _Parts) -> Identity:
        groups = [
            (name, self._found.get((parts.account, "group", name)), condition) for name, condition in parts.groups
        ]
        members = [(group, condition) for _, group, condition in groups if group is not None]
        missing = [f"group {name}" for name, group, _ in groups if group is None]
        if not parts.in_assembly:
            missing.append(_ELSEWHERE)
        return Identity(
            arn=parts.arn,
            account=parts.account,
            kind=parts.kind,
            documents=(*parts.documents, *(each for member in members for each in _of_group(*member))),
            boundary=tuple(parts.boundary),
            trust=parts.trust,
            unread=(*parts.unread, *missing, *(unread for group, _ in members for unread in group.unread)),
            in_assembly=parts.in_assembly,
            tags=parts.tags,
            stated_grants=tuple(parts.stated),
            place=parts.place,
        )


def _of_group(group: _Parts, condition: object) -> Iterator[Document]:
    """The policies of a group for a member; under a condition that is not known, none of them is there for certain."""
    for document in group.documents:
        yield document if condition is None else Document(uncertain(document.source, condition), document.place)
