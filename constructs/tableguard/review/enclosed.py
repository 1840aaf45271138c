"""What encloses tables, and what binds their accounts, in a reviewer's words: what all formats share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tableguard.review.perimeters import Enclosure, Exempted, Reached
from tableguard.review.picture import RestrictionKind
from tableguard.review.report import ControlReport, Review

RESTRICTIONS: Final = {RestrictionKind.PERIMETER: "exempt", RestrictionKind.PEOPLE: "allowed"}
"""What stands before somebody whom a restriction exempts."""


def is_worth_saying(review: Review) -> bool:
    """Whether any table is restricted, or anything claims so: of an app without restrictions nothing is said.

    Args:
        review: The review.
    """
    return any(each.enclosure.is_restricted or each.table.stated_restrictions for each in review.tables)


def lines(enclosure: Enclosure) -> Iterator[tuple[str, str]]:
    """From where a table's data can be reached, and who is exempt.

    Args:
        enclosure: What encloses the table.
    """
    everything = max((each.reached for each in enclosure.networks), key=len)
    inside = [each for each in enclosure.networks if each.reached == everything and not each.unsure]
    if len(inside) == len(enclosure.networks) and everything:
        yield "inside", "any network: no policy asks where a request comes from"
    else:
        if inside and everything:
            yield "inside", ", ".join(each.network for each in inside)
        for each in enclosure.networks:
            if each not in inside and (each.reached or each.unsure):
                yield "partly", f"{each.network}: {', '.join(_partly(each))}"
        outside = [each.network for each in enclosure.networks if not (each.reached or each.unsure)]
        if outside:
            yield "outside", ", ".join(outside)
    if enclosure.open_because is not None:
        yield "open", f"until its next deployment: {enclosure.open_because}"
    if enclosure.people:
        yield "people", f"denied all data: {', '.join(enclosure.people)}"
    yield from _together(enclosure.exempted)


def of_control(control: ControlReport) -> str:
    """An SCP or RCP in one line.

    Args:
        control: The policy.
    """
    parts = [f"{control.kind} {control.name} on {', '.join(control.targets) or 'nothing'}"]
    if control.binds:
        parts.append(f"binds {', '.join(control.binds)}")
    if control.perhaps:
        parts.append(f"may bind {', '.join(control.perhaps)} (no template tells what a unit holds)")
    if not control.binds and not control.perhaps:
        parts.append("binds no account with tables")
    if control.lists_as_of is not None:
        parts.append(f"leaves open what AWS adds to DynamoDB after {control.lists_as_of}: an RCP takes no NotAction")
    parts += [f"excludes {each.account} ({each.reason or 'no reason stated'})" for each in control.excluded_accounts]
    return "; ".join(parts)


def of_exempted(control: ControlReport) -> Iterator[str]:
    """Whom an SCP or RCP exempts, one line each.

    Args:
        control: The policy.
    """
    for each in control.exempted:
        yield f"{each.label}: {', '.join(each.what)} ({each.reason or 'no reason stated'})"


def _partly(reached: Reached) -> list[str]:
    return [*reached.reached, *(f"{part}?" for part in reached.unsure)]


def _together(exempted: Iterable[Exempted]) -> Iterator[tuple[str, str]]:
    """One line for all of the same name, such as the two patterns of a permission set."""
    said = (
        (RESTRICTIONS[each.restriction], f"{each.label}: {', '.join(each.what)} ({each.reason or 'no reason stated'})")
        for each in exempted
    )
    yield from dict.fromkeys(said)
