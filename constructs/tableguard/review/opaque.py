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

_LEFT_OUT: Final = (
    "the stack has no account or region, so its resources are left out: give it an env, or say --account and --region"
)
_MACRO: Final = "a macro changes the template when it is deployed"
_GENERATED: Final = "resources that are made when it is deployed"
# Stacks of which the template is somewhere else.
_STACKS_ELSEWHERE: Final[Mapping[str, str]] = {
    "AWS::CloudFormation::StackSet": "what the stacks of a stack set make",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct": "what a product of Service Catalog makes",
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
            reader.note_stack(stack, _LEFT_OUT, anything=False)
        for section in stack.template:
            if section == "Transform" or is_generator(section):
                reader.note_stack(stack, _MACRO, section, anything=True)
        for section in ("Conditions", "Mappings", "Parameters"):
            if any(_generators(stack.template.get(section))):
                reader.note_stack(stack, _MACRO, section, anything=True)
        resources = stack.template.get("Resources")
        for logical_id, resource in resources.items() if isinstance(resources, Mapping) else ():
            if logical_id.startswith("Fn::"):
                reader.note_stack(stack, _GENERATED, f"Resources/{logical_id}", anything=True)
                continue
            known = (id(stack), logical_id) in read
            for what in _opaque(resource, nested_is_read=known):
                reader.note(stack, logical_id, what, anything=True)


def _opaque(resource: Any, *, nested_is_read: bool) -> Iterator[str]:
    """Why a resource may be anything, in words."""
    if not isinstance(resource, Mapping):
        yield "a resource that is no object"
        return
    kind = resource.get("Type")
    if any(map(is_generator, resource)):
        yield "a macro makes a resource when it is deployed"
    elif not isinstance(kind, str):
        yield "a resource whose type is not known"
    elif kind.endswith(_MODULE):
        yield "what a module makes"
    elif kind in _STACKS_ELSEWHERE:
        yield _STACKS_ELSEWHERE[kind]
    elif kind == NESTED and not nested_is_read:
        yield "the template of a nested stack is not in the assembly"
    elif kind not in _TABLES and kind.lower() in map(str.lower, _TABLES):
        yield f"{kind} is no type that CloudFormation knows"
    elif kind == _REPLICA:
        yield "the policy of a replica that a custom resource makes"
    elif _is_of_a_provider(kind) and _ABOUT_POLICIES.search(json.dumps(resource.get("Properties"), default=str)):
        yield "what a custom resource does to policies"


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
