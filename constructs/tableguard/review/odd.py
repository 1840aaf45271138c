"""Properties that cannot be read as they stand: CloudFormation would refuse them, or they are written at deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import is_function, is_generator
from tableguard.review.intrinsics import Resolver
from tableguard.review.unknown import UnknownKind

# What the picture is made of. CloudFormation tells upper and lower case apart, and refuses a property that it does not
# know.
_READ: Final = {
    name.lower(): name
    for name in (
        "AssumeRolePolicyDocument",
        "Content",
        "Groups",
        "KeyPolicy",
        "ManagedPolicyArns",
        "PermissionsBoundary",
        "Policies",
        "PolicyDocument",
        "Replicas",
        "ReplicaStreamSpecification",
        "ResourcePolicy",
        "Roles",
        "SSESpecification",
        "StreamSpecification",
        "TableName",
        "TargetIds",
        "Users",
    )
}
_Odd: TypeAlias = tuple[UnknownKind, tuple[str, ...], tuple[str, ...]]
_POLICIES: Final = frozenset({"AssumeRolePolicyDocument", "Content", "KeyPolicy", "PolicyDocument"})


def odd_properties(stack: SynthesizedStack, logical_id: str, resolver: Resolver) -> Iterator[_Odd]:
    """What is odd about a resource's properties: its kind, what it is about, and where in them it stands.

    Args:
        stack: The stack.
        logical_id: The resource.
        resolver: What resolves CloudFormation's functions.
    """
    stated = stack.template["Resources"][logical_id].get("Properties")
    if is_function(stated):
        resolved = resolver.resolve(stack, stated)
        if is_function(resolved):
            yield UnknownKind.PROPERTIES, (), ()
            return
        stated = resolved
    if stated is not None and not isinstance(stated, Mapping):
        yield UnknownKind.PROPERTIES_NO_OBJECT, (), ()
    else:
        yield from _odd_keys(stated, ())


def _odd_keys(value: object, path: tuple[str, ...]) -> Iterator[_Odd]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            known = _READ.get(str(key).lower())
            if is_generator(key):
                yield UnknownKind.PROPERTY_GENERATED, (), (*path, str(key))
            elif known is not None and known != key and _POLICIES.isdisjoint(path):
                yield UnknownKind.PROPERTY_MISSPELT, (str(key), known), (*path, str(key))
            else:
                yield from _odd_keys(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _odd_keys(inner, (*path, str(number)))
