"""From the stacks of an assembly to the picture of the organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tableguard.policy.evaluation import Place
from tableguard.review.assembly import NESTED, SynthesizedStack
from tableguard.review.fences import endpoints, keys, organization_policies
from tableguard.review.identities import identities
from tableguard.review.intrinsics import Resolver
from tableguard.review.picture import Picture
from tableguard.review.reader import Reader
from tableguard.review.tables import tables


def collect(stacks: Sequence[SynthesizedStack], *, parameters: Mapping[str, str] | None = None) -> Picture:
    """Put the picture of an organization together.

    Args:
        stacks: The stacks of its assemblies.
        parameters: Values for template parameters, by "STACK.PARAMETER"; a parameter without one is unknown, whatever
            its default.
    """
    known = [stack for stack in stacks if stack.account is not None and stack.region is not None]
    reader = Reader(known, Resolver(stacks, parameters))
    _note_what_is_left_out(stacks, reader)
    found_keys = tuple(keys(reader))
    return Picture(
        tables=tuple(tables(reader)),
        identities=tuple(identities(reader)),
        endpoints=tuple(endpoints(reader)),
        organization_policies=tuple(organization_policies(reader)),
        keys=found_keys,
        unknowns=reader.unknowns,
        accounts=tuple(sorted({stack.account for stack in known if stack.account is not None})),
    )


def _note_what_is_left_out(stacks: Sequence[SynthesizedStack], reader: Reader) -> None:
    read = {(id(stack.parent), stack.nested_as) for stack in stacks}
    for stack in stacks:
        if stack.account is None or stack.region is None:
            problem = "the stack has no account or region, so its resources are left out: give it an env, or say"
            problem += " --account and --region"
            reader.note(Place(stack=stack.name), problem)
        if "Transform" in stack.template:
            reader.note(Place(stack=stack.name, path="Transform"), "a macro changes the template when it is deployed")
        resources = stack.template.get("Resources")
        for logical_id in resources if isinstance(resources, Mapping) else ():
            if logical_id.startswith("Fn::"):
                reader.note(
                    Place(stack=stack.name, path=f"Resources/{logical_id}"),
                    "resources that are made when it is deployed",
                )
        for logical_id, _ in stack.resources(NESTED):
            if (id(stack), logical_id) not in read:
                reader.note(
                    Place(stack=stack.name, logical_id=logical_id, path=f"Resources/{logical_id}"),
                    "the template of a nested stack is not in the assembly",
                )
