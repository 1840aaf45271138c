"""From the stacks of an assembly to the picture of the organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tableguard.review.assembly import SynthesizedStack
from tableguard.review.backup_reader import backup_facts
from tableguard.review.identities import identities
from tableguard.review.intrinsics import Resolver
from tableguard.review.opaque import note_what_is_opaque
from tableguard.review.picture import Picture, Table
from tableguard.review.reader import Reader
from tableguard.review.restrictions import endpoints, keys, organization_policies
from tableguard.review.tables import tables
from tableguard.review.unknown import UnknownKind


def collect(stacks: Sequence[SynthesizedStack], *, parameters: Mapping[str, str] | None = None) -> Picture:
    """Put the picture of an organization together.

    Args:
        stacks: The stacks of its assemblies.
        parameters: Values for template parameters, by "STACK.PARAMETER"; a parameter without one is unknown, whatever
            its default.
    """
    known = [stack for stack in stacks if stack.account is not None and stack.region is not None]
    reader = Reader(known, Resolver(stacks, parameters))
    note_what_is_opaque(stacks, reader)
    found_keys = tuple(keys(reader))
    found_tables = tuple(tables(reader))
    _note_namesakes(found_tables, reader)
    return Picture(
        tables=found_tables,
        identities=tuple(identities(reader)),
        endpoints=tuple(endpoints(reader)),
        organization_policies=tuple(organization_policies(reader)),
        keys=found_keys,
        backups=backup_facts(reader),
        unknowns=reader.unknowns,
        accounts=tuple(sorted({stack.account for stack in known if stack.account is not None})),
    )


def _note_namesakes(made: Sequence[Table], reader: Reader) -> None:
    """List tables of one ARN, as under opposite conditions: only the first of them is found by its ARN."""
    first: dict[str, Table] = {}
    stacks = {stack.name: stack for stack in reader.stacks}
    for table in made:
        other = first.setdefault(table.arn, table)
        stack = stacks.get(str(table.place.stack))
        if other is not table and stack is not None and table.place.logical_id is not None:
            about = (str(other.place.stack), str(other.place.path))
            reader.note(stack, table.place.logical_id, UnknownKind.NAMESAKE, about=about)
