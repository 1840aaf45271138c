"""What IAM Access Analyzer need not report, because a grant declares it.

A rule holds for one way in: the principal and the conditions that a grant's statement has. Where somebody edits the
policy (another principal, or a condition less of those below), no rule fits any more and the analyzer reports it. It
cannot tell actions apart, though: who is declared for reading is not reported when he may write. `tableguard review`
tells. How a finding shows a statement with several values of one condition is not documented: one value each is what
the rules expect, and otherwise what is declared is reported as well.
Sources: IAM user guide, "IAM Access Analyzer filter keys" and "IAM Access Analyzer quotas".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws.limits import ARCHIVE_RULE_VALUES
from tableguard.policy.conditions import Clause
from tableguard.policy.documents import AllowStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.grants import TableGrant
from tableguard.policy.lists import listed
from tableguard.policy.principals import Principal
from tableguard.policy.tables import TableReference
from tableguard.policy.tokens import is_unresolved, ordered

# Conditions that a rule can ask for; a finding shows them as they stand in the policy.
_KEYS: Final = ("aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceIp", "aws:SourceVpc")
_POSITIVE: Final = ("ArnEquals", "ArnLike", "ForAnyValue:StringLike", "IpAddress", "StringEquals", "StringLike")


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A table and the grants on it, for an analyzer of an app that does not make the table.

    Args:
        table: The table.
        grants: Its grants, to principals of this library.

    Raises:
        InvalidInputError: Something else.
    """

    table: TableReference
    grants: Sequence[TableGrant]

    def __post_init__(self) -> None:
        if not isinstance(self.table, TableReference):
            raise InvalidInputError("the table of a SharedTable", value=self.table, allowed="a TableReference")
        what = f"the grants of the table {self.table.label}"
        allowed = "a list of TableGrant, to principals such as Role(account=…, name=…)"
        grants = listed(what, self.grants, allowed=allowed, fix="")
        if not all(isinstance(g, TableGrant) and isinstance(g.principal, Principal) for g in grants):
            raise InvalidInputError(what, value=self.grants, allowed=allowed)
        object.__setattr__(self, "grants", grants)


@dataclass(frozen=True, slots=True)
class ArchiveRule:
    """Findings that are archived as they arise.

    Args:
        criteria: What all has to hold: the values that a property of the finding equals, one of them.
        streams: Beginnings of streams' ARNs, one of which the finding's resource has; none for other resources.
    """

    criteria: tuple[tuple[str, tuple[str, ...]], ...]
    streams: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name: of its content, so that other rules can come and go."""
        content = json.dumps([self.criteria, self.streams])
        return f"declared-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def archive_rules(shared: Iterable[SharedTable]) -> tuple[ArchiveRule, ...]:
    """The rules for everything that grants let into tables and streams, and keys whose ARN is known.

    AWS services that are granted access are no external principals: the analyzer does not report them. What is known
    at deployment only gets no rule, so it is reported.

    Args:
        shared: The tables and their grants.
    """
    ways: dict[tuple[tuple[str, tuple[str, ...]], ...], tuple[list[str], list[str]]] = {}
    for each in shared:
        for grant in each.grants:
            if not grant.leaves(each.table.account):
                continue
            for resource, statement in _statements(grant, each.table):
                way = _way(statement)
                if way is None or is_unresolved(resource):
                    continue
                stream = resource.endswith("/stream/*")
                ways.setdefault(way, ([], []))[stream].append(resource.removesuffix("*"))
    return tuple(
        rule
        for way, (resources, streams) in ways.items()
        for rule in (
            *(ArchiveRule((*way, ("resource", part))) for part in _parts(resources)),
            *(ArchiveRule(way, part) for part in _parts(streams)),
        )
    )


def _statements(grant: TableGrant, table: TableReference) -> Iterator[tuple[str, AllowStatement]]:
    yield from ((table.arn, statement) for statement in grant.table_statements(table))
    yield from ((table.stream_arn, statement) for statement in grant.stream_statements(table))
    if table.key_arn is not None:
        yield from ((table.key_arn, statement) for statement in grant.key_statements(table))


def _way(statement: AllowStatement) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """How a finding about a statement looks, but for the resource; None where it is none, or not known."""
    if statement.kind != "AWS":
        return None
    asked = {"isPublic": ("false",), "principal.AWS": ordered(statement.principals), **_conditions(statement.clauses)}
    if any(
        is_unresolved(value) or len(values) > ARCHIVE_RULE_VALUES.most for values in asked.values() for value in values
    ):
        return None
    return tuple(sorted(asked.items()))


def _conditions(clauses: Iterable[Clause]) -> Mapping[str, tuple[str, ...]]:
    return {
        f"condition.{key}": ordered(clause.values)
        for clause in clauses
        for key in _KEYS
        if clause.key.lower() == key.lower() and clause.operator in _POSITIVE
    }


def _parts(values: Iterable[str]) -> Iterator[tuple[str, ...]]:
    found = ordered(values)
    for start in range(0, len(found), ARCHIVE_RULE_VALUES.most):
        yield found[start : start + ARCHIVE_RULE_VALUES.most]
