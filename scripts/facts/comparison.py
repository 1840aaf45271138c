"""What differs between the tables of this library and what AWS publishes."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scripts.facts import known
from scripts.facts.operations import OF_OTHER_SERVICES, OPERATIONS, WITHOUT_OPERATION
from scripts.facts.published import Published, PublishedAction
from tableguard.aws.actions import ServiceAction
from tableguard.aws.condition_keys import ConditionKey

_TABLES: Final = "constructs/tableguard/aws"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that is published and not in the tables, or the other way round.

    Args:
        service: The service prefix.
        subject: What it is about: an action, an operation or a condition key, by its full name.
        what: What is the matter, and where to decide.
    """

    service: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.subject} {self.what}"


def differences(
    published: Published,
    tables: Mapping[str, Mapping[str, ServiceAction]],
    keys: Mapping[str, ConditionKey],
    regions: Mapping[str, str],
) -> tuple[Difference, ...]:
    """Compare everything, both ways.

    Args:
        published: What AWS publishes.
        tables: The tables of actions by service.
        keys: The condition keys by their names in lower case.
        regions: The regions with their partitions.
    """
    of_services = (
        found
        for service, table in tables.items()
        for found in (
            *_of_actions(service, table, published.actions[service]),
            *_of_operations(service, table, published.operations[service]),
            *_new_keys(service, keys, published.keys[service]),
        )
    )
    return tuple(sorted((*of_services, *_of_keys(keys, published), *_of_regions(regions, published.regions))))


def _of_actions(
    service: str, table: Mapping[str, ServiceAction], reference: Mapping[str, PublishedAction]
) -> Iterator[Difference]:
    for name in reference.keys() - table.keys():
        yield Difference(service, f"{service}:{name}", _undecided(service))
    for name, action in table.items():
        listed = reference.get(name)
        if listed is None:
            if action.qualified not in known.BEYOND_THE_REFERENCE:
                yield Difference(
                    service, action.qualified, "is not, or no longer, in the service authorization reference"
                )
            continue
        if action.qualified in known.BEYOND_THE_REFERENCE:
            yield Difference(service, action.qualified, "is in the reference by now: scripts/facts/known.py says not")
        yield from _of_resources(action, listed)


def _undecided(service: str) -> str:
    return (
        f"is not classified: decide in {_TABLES}/{service}.py what it is for (one Category) and what it can do "
        "(one Effect or more; HARMLESS alone). Every refusal follows from that."
    )


def _of_resources(action: ServiceAction, listed: PublishedAction) -> Iterator[Difference]:
    service, subject = action.service, action.qualified
    if frozenset(map(str, action.resources)) != listed.resources and subject not in known.OTHER_RESOURCES:
        yield Difference(
            service,
            subject,
            f"has the resources {_words(listed.resources)} in the reference, and {_words(action.resources)} in "
            f"{_TABLES}/{service}.py",
        )
    several = len(listed.required) > 1 and subject not in known.ONE_OF_SEVERAL
    if several is not action.on_all:
        said = "several kinds of resource" if several else "one kind of resource"
        yield Difference(
            service, subject, f"requires {said} in the reference: say so with on_all in {_TABLES}/{service}.py"
        )


def _words(values: frozenset[str]) -> str:
    return ", ".join(sorted(map(str, values))) or "none"


def _of_operations(
    service: str, table: Mapping[str, ServiceAction], operations: frozenset[str]
) -> Iterator[Difference]:
    mapped, others = OPERATIONS[service], OF_OTHER_SERVICES.get(service, {})
    asked: set[str] = set()
    for name in operations:
        actions = mapped.get(name, () if name in others else (name,))
        asked.update(actions)
        for missing in actions:
            if missing not in table:
                yield Difference(service, f"{service}:{missing}", f"is asked for by {name}, and {_undecided(service)}")
    for name in (mapped.keys() | others.keys()) - operations:
        yield Difference(service, f"{service}:{name}", "is no operation any more: scripts/facts/operations.py has it")
    for action in table.values():
        excused = action.qualified in WITHOUT_OPERATION
        if action.name in asked and excused:
            yield Difference(service, action.qualified, "has an operation by now: scripts/facts/operations.py says not")
        if action.name not in asked and not excused and action.qualified not in known.BEYOND_THE_REFERENCE:
            yield Difference(
                service,
                action.qualified,
                "is asked for by no operation: say what asks for it in scripts/facts/operations.py",
            )


def _new_keys(service: str, keys: Mapping[str, ConditionKey], listed: Mapping[str, str]) -> Iterator[Difference]:
    ours = {_spelled(key.name) for key in keys.values()}
    for name in listed:
        unused = any(fnmatch.fnmatchcase(name, pattern) for pattern in known.UNUSED_KEYS[service])
        if _spelled(name) not in ours and not unused:
            yield Difference(
                service,
                name,
                f"is a new condition key: write it down in {_TABLES}/condition_keys.py, or in scripts/facts/known.py "
                "where nothing here uses it",
            )


def _of_keys(keys: Mapping[str, ConditionKey], published: Published) -> Iterator[Difference]:
    for key in keys.values():
        service = key.name.split(":")[0]
        if service not in published.keys:
            continue
        types = {_spelled(name): type_ for name, type_ in published.keys[service].items()}
        if key.name not in types:
            yield Difference(service, key.name, "is not, or no longer, a condition key of the reference")
            continue
        type_ = f"ArrayOf{key.type.value}" if key.multivalued else key.type.value
        if types[key.name] != type_:
            yield Difference(service, key.name, f"is {types[key.name]} in the reference, and {type_} in the table")
        if key.name not in known.OTHER_KEYS and key.actions:
            yield from _of_carriers(service, key, published.actions[service])


def _of_carriers(service: str, key: ConditionKey, reference: Mapping[str, PublishedAction]) -> Iterator[Difference]:
    carrying = {
        f"{service}:{name}" for name, action in reference.items() if key.name in set(map(_spelled, action.keys))
    }
    for action in carrying - key.actions:
        yield Difference(service, key.name, f"goes with {action} in the reference, not in {_TABLES}/condition_keys.py")
    for action in key.actions - carrying:
        if action not in known.BEYOND_THE_REFERENCE:
            yield Difference(service, key.name, f"goes with {action} in {_TABLES}/condition_keys.py alone")


def _spelled(name: str) -> str:
    """A key without what stands for a name in it: "aws:TagKeys", "aws:RequestTag/"."""
    return name.split("${", maxsplit=1)[0].split("<", maxsplit=1)[0]


def _of_regions(regions: Mapping[str, str], listed: Mapping[str, str]) -> Iterator[Difference]:
    for region, partition in listed.items() - regions.items():
        yield Difference("regions", region, f"is a region of {partition}: write it down in {_TABLES}/regions.py")
    for region in regions.keys() - listed.keys():
        yield Difference("regions", region, "is not, or no longer, a region that the SDK knows")
