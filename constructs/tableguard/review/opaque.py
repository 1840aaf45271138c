"""What templates do not show: stacks left out, macros, modules, stack sets, and what custom resources do to policies.

CloudFormation has no resource that sets the policy of a table made elsewhere, so most of what a template holds can
only bear on the tables that it makes itself. What stands here is different: anything may come of it, also a call of
PutResourcePolicy for any table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tableguard.review.assembly import NESTED, SynthesizedStack
from tableguard.review.functions import is_generator
from tableguard.review.reader import Reader
from tableguard.review.unknown import UnknownKind

# Stacks of which the template is somewhere else.
_STACKS_ELSEWHERE: Final[Mapping[str, UnknownKind]] = {
    "AWS::CloudFormation::StackSet": UnknownKind.STACK_SET,
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct": UnknownKind.PRODUCT,
}
_TABLES: Final = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
_MODULE: Final = "::MODULE"
# The CDK's older Table makes its replicas so: tables of which no template tells the policy.
_REPLICA: Final = "Custom::DynamoDBReplica"
_PROVIDERS: Final = ("Custom::", "AWS::CloudFormation::CustomResource")
# The CDK's own way of handing values, the ARN of a key policy's table perhaps, from one region to another.
_CARRIERS: Final = frozenset({"Custom::CrossRegionExportReader", "Custom::CrossRegionExportWriter"})
_ABOUT_POLICIES: Final = re.compile(
    r"resource-?policy|key-?policy|create-?grant|create-?(global-?)?table", re.IGNORECASE
)


def note_what_is_opaque(stacks: Sequence[SynthesizedStack], reader: Reader) -> None:
    """List what no template shows.

    Args:
        stacks: All stacks, those of unknown account and region included.
        reader: What keeps the list.
    """
    read = {(id(stack.parent), stack.nested_as) for stack in stacks}
    for stack in stacks:
        if stack.account is None or stack.region is None:
            reader.note_stack(stack, UnknownKind.STACK_LEFT_OUT, anything=False)
        for section in stack.template:
            if section == "Transform" or is_generator(section):
                reader.note_stack(stack, UnknownKind.MACRO, section, anything=True)
        for section in ("Conditions", "Mappings", "Parameters"):
            if any(_generators(stack.template.get(section))):
                reader.note_stack(stack, UnknownKind.MACRO, section, anything=True)
        resources = stack.template.get("Resources")
        for logical_id, resource in resources.items() if isinstance(resources, Mapping) else ():
            if logical_id.startswith("Fn::"):
                reader.note_stack(stack, UnknownKind.RESOURCES_GENERATED, f"Resources/{logical_id}", anything=True)
                continue
            known = (id(stack), logical_id) in read
            kind = _opaque(resource, nested_is_read=known)
            if kind is not None:
                about = [resource["Type"]] if kind is UnknownKind.TYPE_MISSPELT else []
                reader.note(stack, logical_id, kind, about=about, anything=True)


def _opaque(resource: Any, *, nested_is_read: bool) -> UnknownKind | None:
    """Why a resource may be anything; None where it may not."""
    if not isinstance(resource, Mapping):
        return UnknownKind.RESOURCE_NO_OBJECT
    kind = resource.get("Type")
    if any(map(is_generator, resource)):
        return UnknownKind.RESOURCE_GENERATED
    if not isinstance(kind, str):
        return UnknownKind.RESOURCE_TYPE
    if kind.endswith(_MODULE):
        return UnknownKind.MODULE
    if kind == NESTED:
        return None if nested_is_read else UnknownKind.NESTED_STACK
    if kind not in _TABLES and kind.lower() in map(str.lower, _TABLES):
        return UnknownKind.TYPE_MISSPELT
    if kind == _REPLICA:
        return UnknownKind.REPLICA_POLICY
    if _is_of_a_provider(kind) and _ABOUT_POLICIES.search(json.dumps(resource.get("Properties"), default=str)):
        return UnknownKind.CUSTOM_RESOURCE
    return _STACKS_ELSEWHERE.get(kind)


def _is_of_a_provider(kind: str) -> bool:
    """Whether somebody else's code makes resources of a type: one's own, or a third party's."""
    return kind not in _CARRIERS and (kind.startswith(_PROVIDERS) or not kind.startswith(("AWS::", "Alexa::")))


def _generators(value: object) -> Iterator[bool]:
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        if is_generator(key):
            yield True
        yield from _generators(inner)
    for inner in value if isinstance(value, list) else ():
        yield from _generators(inner)
