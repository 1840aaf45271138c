"""What templates' metadata claims about grants, and whether the policies agree. A claim decides nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tableguard.aws.dynamodb import ACTIONS
from tableguard.policy.access import Access as Named
from tableguard.review.access import Access, Status
from tableguard.review.picture import Stated
from tableguard.review.sentences import Test
from tableguard.review.wording import last_day

_SETS: Final[Mapping[str, Named]] = {
    "READ": Named.READ,
    "READ_ITEMS": Named.READ_ITEMS,
    "WRITE": Named.WRITE,
    "READ_WRITE": Named.READ_WRITE,
    "STREAM": Named.STREAM,
    "SETTINGS": Named.SETTINGS,
}
# What a condition's words begin with, and the key that they are about.
_CONDITIONS: Final = (
    (re.compile(r"from (vpc-.+?) in ([a-z0-9-]+)$"), "aws:sourcevpc"),
    (re.compile(r"from (.+)$"), "aws:sourceip"),
    (re.compile(r"through (.+)$"), "aws:sourcevpce"),
    (re.compile(r"in (o-\S+)$"), "aws:principalorgid"),
    (re.compile(r"partition keys (?!\(attribute)(.+)$"), "dynamodb:leadingkeys"),
    (re.compile(r"attributes (.+)$"), "dynamodb:attributes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One stated grant, read.

    Args:
        principal: Who, in the words of the metadata.
        actions: The actions that it comes to; None where its access cannot be read.
        access: The access as it is stated.
        reason: Why.
        conditions: Its conditions, in words.
        until: The last day, or moment, as it is stated.
        source: The metadata.
    """

    principal: str
    actions: frozenset[str] | None
    access: str
    reason: str
    conditions: tuple[str, ...]
    until: str | None
    source: Stated


def read(stated: Stated) -> Claim:
    """Read a stated grant.

    Args:
        stated: The metadata.
    """
    grant = stated.grant
    access = str(grant.get("access", ""))
    conditions = grant.get("conditions")
    until = grant.get("until")
    return Claim(
        principal=str(grant.get("principal", "")),
        actions=_actions(access),
        access=access,
        reason=str(grant.get("reason", "")),
        conditions=tuple(map(str, conditions)) if isinstance(conditions, list) else (),
        until=None if until is None else str(until),
        source=stated,
    )


def disagreements(claim: Claim, found: tuple[Access, ...]) -> Iterator[str]:
    """In what a claim and the policies differ, in words.

    Args:
        claim: The claim.
        found: Everything that its principal gets by the table's policies, its own side left open.
    """
    if claim.actions is None:
        yield f"states an access {claim.access!r} that nobody can read"
        return
    # Where only the key's consent is not known, the policies of the table say what the claim is about.
    usable = [each for each in found if each.status is not Status.UNKNOWN or each.verdict.allowed]
    given = {action for each in usable for action in each.actions}
    missing = sorted(claim.actions - given)
    if missing:
        yield f"states {claim.access}, but the policies do not allow {_short(missing)}"
    relevant = [each for each in usable if claim.actions & set(each.actions)]
    if relevant and not any(_ends_as_stated(claim.until, each) for each in relevant):
        ends = sorted({last_day(each.until).isoformat() if each.until else "never" for each in relevant})
        yield f"states that it ends {claim.until or 'never'}, but by the policies it ends {', '.join(ends)}"
    for condition in claim.conditions:
        if relevant and not any(_holds(condition, each.named) for each in relevant):
            yield f"states the condition {condition!r}, which the policies do not have"


def _short(actions: list[str]) -> str:
    names = [action.removeprefix("dynamodb:") for action in actions]
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"  # noqa: PLR2004


def _actions(access: str) -> frozenset[str] | None:
    found: set[str] = set()
    for part in access.split(" + "):
        named = _SETS.get(part)
        if named is not None:
            found |= {action.qualified for action in named.actions}
        elif part == "query" or part.startswith("query "):
            found.add("dynamodb:Query")
        elif all(name in ACTIONS for name in part.split(", ")):
            found |= {ACTIONS[name].qualified for name in part.split(", ")}
        else:
            return None
    return frozenset(found)


def _ends_as_stated(until: str | None, access: Access) -> bool:
    if until is None or access.until is None:
        return until is None and access.until is None
    try:
        if len(until) == len("2027-01-31"):
            return dt.date.fromisoformat(until) == last_day(access.until)
        moment = dt.datetime.fromisoformat(until)
    except ValueError:
        return False
    return moment.tzinfo is not None and moment.replace(microsecond=0) == access.until


def _holds(condition: str, tests: tuple[Test, ...]) -> bool:
    """Whether a condition in the metadata's words stands in the policies. One in other words is left unjudged."""
    for pattern, key in _CONDITIONS:
        match = pattern.match(condition)
        if match:
            return any(test.low_key == key and set(test.values) == set(match[1].split(", ")) for test in tests)
    words = condition.split(" ", 2)
    if len(words) == 3 and ":" in words[1]:  # noqa: PLR2004 - operator, key and values
        return any(_same(test, words) for test in tests)
    return True


def _same(test: Test, words: list[Any]) -> bool:
    return (test.operator, test.low_key) == (words[0], words[1].lower()) and set(test.values) == set(
        words[2].split(", ")
    )
