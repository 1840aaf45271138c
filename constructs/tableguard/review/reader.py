"""Reads resources of templates: their properties, the policies in them, and what stays unknown."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tableguard.evaluation import Document, DocumentLocation
from tableguard.policy import metadata as metadata_schema
from tableguard.policy.metadata import METADATA_KEY, Readable, Reading, ResourceClaims
from tableguard.review.assembly import SynthesizedStack, strict_json
from tableguard.review.functions import has_unknown, is_function
from tableguard.review.intrinsics import Resolver
from tableguard.review.odd import odd_properties
from tableguard.review.picture import Stated
from tableguard.review.unknown import Unknown, UnknownKind

_FEW: Final = 2
_SHOWN: Final = 80
_OF_INTEREST: Final = re.compile(r"(dynamodb|kms|\*)[:*?]|\*|[^:]*[*?]", re.IGNORECASE)

# What adds policies to something that is there without it.
_BESIDE: Final = frozenset(
    {
        "AWS::IAM::Group",
        "AWS::IAM::GroupPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::UserPolicy",
        "AWS::Organizations::Policy",
    }
)

Properties = Mapping[str, Any]


class Reader:
    """Resolves what stands in the templates, and keeps a list of what it could not.

    Args:
        stacks: The stacks of known account and region.
        resolver: What resolves CloudFormation's functions in them.
    """

    def __init__(self, stacks: Sequence[SynthesizedStack], resolver: Resolver) -> None:
        self.stacks = stacks
        self.resolver = resolver
        self._unknowns: dict[Unknown, None] = {}

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What the templates do not tell, each once."""
        return tuple(self._unknowns)

    def resources(self, *types: str) -> Iterator[tuple[SynthesizedStack, str, Properties]]:
        """The stack, the logical id and the resolved properties of each resource of the given types.

        A resource whose condition is false is left out; where that is not known, it is taken to exist.
        """
        for stack in self.stacks:
            for logical_id, _ in stack.resources(*types):
                exists = self.resolver.exists(stack, logical_id)
                if exists is None:
                    self.note(stack, logical_id, UnknownKind.CONDITION)
                if exists is not False:
                    for kind, about, path in odd_properties(stack, logical_id, self.resolver):
                        self.note(stack, logical_id, kind, *path, about=about)
                    yield stack, logical_id, self.resolver.properties(stack, logical_id)

    def note(
        self,
        stack: SynthesizedStack,
        logical_id: str,
        kind: UnknownKind,
        *path: str,
        about: Sequence[str] = (),
        anything: bool = False,
    ) -> None:
        """Put something about a resource on the list of what is not known.

        Args:
            stack: The stack.
            logical_id: The resource.
            kind: What kind of thing is not known.
            path: Where in its properties.
            about: What it is about: one text for each gap in the words of its kind.
            anything: Whether policies of any table may come of it.
        """
        at, source = _place(stack, logical_id, *path), digest(stack.template["Resources"][logical_id])
        self._unknowns[Unknown(at, kind, tuple(about), stack.account, anything=anything, source=source)] = None

    def note_stack(
        self, stack: SynthesizedStack, kind: UnknownKind, path: str | None = None, *, anything: bool
    ) -> None:
        """Put something about a whole stack on the list of what is not known.

        Args:
            stack: The stack.
            kind: What kind of thing is not known.
            path: Where in its template; None for all of it.
            anything: Whether policies of any table may come of it.
        """
        at = DocumentLocation(stack=stack.name, path=path)
        self._unknowns[Unknown(at, kind, account=stack.account, anything=anything)] = None

    def text(self, stack: SynthesizedStack, logical_id: str, properties: Properties, *path: str) -> str | None:
        """A text; None where there is none. One that is not known is listed, and None as well."""
        value = get(properties, *path)
        if isinstance(value, str) and not has_unknown(value):
            return value
        if value is not None:
            self.note(stack, logical_id, UnknownKind.VALUE, *path, about=path[-1:])
        return None

    def texts(
        self,
        stack: SynthesizedStack,
        logical_id: str,
        properties: Properties,
        key: str,
        *,
        whole: UnknownKind = UnknownKind.VALUE,
        entry: UnknownKind = UnknownKind.LIST_ENTRY,
    ) -> list[Any]:
        """The entries of a list, those that are not known as they stand in the template.

        Args:
            stack: The stack.
            logical_id: The resource.
            properties: Its properties.
            key: The name of the list.
            whole: What kind of thing is not known where the list is not.
            entry: What kind of thing is not known where an entry is not.
        """
        value = properties.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.note(stack, logical_id, whole, key, about=[key])
            return []
        if any(is_function(entry) or (isinstance(entry, str) and has_unknown(entry)) for entry in value):
            self.note(stack, logical_id, entry, key, about=[key])
        return value

    def optional(self, stack: SynthesizedStack, logical_id: str, properties: Properties, *path: str) -> Document | None:
        """The policy at a path; None where there is none."""
        for length in range(1, len(path)):
            holder = get(properties, *path[:length])
            if is_function(holder):
                # Perhaps there is a policy: one that cannot be understood stands for it.
                self.note(stack, logical_id, UnknownKind.VALUE, *path[:length], about=[path[length - 1]])
                return Document(None, _place(stack, logical_id, *path))
            wanted = list if path[length].isdecimal() else Mapping
            if holder is not None and not isinstance(holder, wanted):
                self.note(stack, logical_id, UnknownKind.POLICY_NO_OBJECT, *path[:length], about=[path[length - 1]])
                return Document(None, _place(stack, logical_id, *path))
        if len(path) > 1 and get(properties, *path) is None and get(properties, *path[:-1]) is not None:
            self.note(stack, logical_id, UnknownKind.POLICY_MISSING, *path[:-1], about=path[-2:])
            return Document(None, _place(stack, logical_id, *path))
        return None if get(properties, *path) is None else self.document(stack, logical_id, properties, *path)

    def document(self, stack: SynthesizedStack, logical_id: str, properties: Properties, *path: str) -> Document:
        """The policy at a path, which a policy document must be."""
        source = get(properties, *path)
        if isinstance(source, str):
            source = _parsed(source)
        if self._is_uncertain(stack, logical_id):
            source = uncertain(source, stack.template["Resources"][logical_id].get("Condition"))
        elif _unknown_of_interest(source):
            self.note(stack, logical_id, UnknownKind.POLICY_VALUE, *path, about=[_named(source)])
        holder = get(properties, *path[:-1])
        name = next((get(h, k) for h in (holder, properties) for k in ("PolicyName", "ManagedPolicyName")
                     if isinstance(get(h, k), str)), None)  # fmt: skip
        return Document(source, _place(stack, logical_id, *path, policy=name))

    def _is_uncertain(self, stack: SynthesizedStack, logical_id: str) -> bool:
        """Whether a resource that stands beside what it is about, and so may be missing, has an unknown condition."""
        kind = stack.template["Resources"][logical_id].get("Type")
        return kind in _BESIDE and self.resolver.exists(stack, logical_id) is None

    def reading(self, stack: SynthesizedStack, logical_id: str) -> Reading:
        """What a resource's metadata claims about it; what of it cannot be read is put on the list."""
        metadata = self.resolver.resolve(stack, stack.template["Resources"][logical_id].get("Metadata"))
        reading = metadata_schema.read(get(metadata, METADATA_KEY))
        if reading.readable is Readable.OLDER:
            self.note(stack, logical_id, UnknownKind.METADATA_OLDER)
        elif reading.readable is Readable.NEWER:
            about = (reading.version, str(metadata_schema.VERSION))
            self.note(stack, logical_id, UnknownKind.METADATA_NEWER, about=about)
        for problem in reading.problems:
            self.note(stack, logical_id, UnknownKind.METADATA, about=[problem])
        return reading

    def claims(self, stack: SynthesizedStack, logical_id: str) -> ResourceClaims:
        """What a resource's metadata claims about it; nothing where it has none of ours that can be read."""
        return self.reading(stack, logical_id).claims

    def stated(self, stack: SynthesizedStack, logical_id: str) -> Iterator[Stated]:
        """The grants that a resource's metadata claims."""
        claims = self.claims(stack, logical_id)
        yield from (Stated(claims.table, grant, place(stack, logical_id)) for grant in claims.grants)


def digest(source: object) -> str:
    """A digest of JSON, the same whatever the order of keys.

    Args:
        source: The JSON.
    """
    return hashlib.sha256(json.dumps(source, sort_keys=True, default=str).encode()).hexdigest()[:16]


def place(stack: SynthesizedStack, logical_id: str) -> DocumentLocation:
    """A resource in its template."""
    return _place(stack, logical_id)


def get(holder: Any, *path: str) -> Any:
    """What stands at a path of keys and numbers; None where there is nothing."""
    value = holder
    for step in path:
        if isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _place(stack: SynthesizedStack, logical_id: str, *path: str, policy: str | None = None) -> DocumentLocation:
    where = "/".join(("Resources", logical_id, *(("Properties", *path) if path else ())))
    return DocumentLocation(policy=policy, stack=stack.name, logical_id=logical_id, path=where)


def _unknown_of_interest(source: object) -> bool:
    """Whether something unknown stands in a statement that may be about tables, streams or keys."""
    if not isinstance(source, Mapping) or is_function(source):
        return has_unknown(source)
    statements = source.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = get(statement, "Action")
        listed = actions if isinstance(actions, list) else [actions]
        known = all(isinstance(action, str) for action in listed)
        if has_unknown(statement) and not (known and not any(map(_OF_INTEREST.match, listed))):
            return True
    return has_unknown({key: value for key, value in source.items() if key != "Statement"})


def _named(source: object) -> str:
    """The first values that are not known: each function with its argument, shortened."""
    found = list(dict.fromkeys(_functions(source)))
    shown = [each if len(each) <= _SHOWN else f"{each[:_SHOWN]}…" for each in found[:_FEW]]
    return ", ".join([*shown, *([f"{len(found) - _FEW} more"] if len(found) > _FEW else [])])


def _functions(value: object) -> Iterator[str]:
    if is_function(value) and isinstance(value, Mapping):
        ((name, argument),) = value.items()
        yield f"{name} {argument if isinstance(argument, str) else json.dumps(argument)}"
    elif isinstance(value, (Mapping, list)):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _functions(inner)
    elif isinstance(value, str) and has_unknown(value):
        yield value


def uncertain(source: object, condition: object) -> object:
    """A policy that may not be there: none of its statements can be understood, so none grants or protects.

    Args:
        source: The policy.
        condition: The condition that is not known.
    """
    if not isinstance(source, Mapping) or is_function(source):
        return source
    stated = source.get("Statement")
    statements = [
        {**each, "Condition": {"Fn::If": [condition, each.get("Condition", {}), {"Ref": "AWS::NoValue"}]}}
        if isinstance(each, Mapping) and not is_function(each)
        else each
        for each in (stated if isinstance(stated, list) else [stated])
    ]
    return {**source, "Statement": statements}


def _parsed(text: str) -> Any:
    try:
        return strict_json(text)
    except (ValueError, RecursionError):
        return None
