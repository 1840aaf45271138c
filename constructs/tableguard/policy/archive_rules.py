"""Archive rules of IAM Access Analyzer for the access that grants declare.

A rule matches the principal and the conditions of a grant's statement. If somebody changes these in the policy, no rule
matches and the analyzer reports the statement. A rule cannot match actions: if a grant declares reading and the policy
also allows writing, the analyzer reports nothing, but `tableguard review` does. The rules expect one value of a
condition in a finding. How a finding shows several is not documented; if it shows them together, declared access is
reported as well.
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

# Conditions that a rule can match. A finding shows them as in the policy.
_KEYS: Final = ("aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceIp", "aws:SourceVpc")
_POSITIVE: Final = ("ArnEquals", "ArnLike", "ForAnyValue:StringLike", "IpAddress", "StringEquals", "StringLike")


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A table of another app and the grants on it, for an `ExternalAccessAnalyzer`.

    Args:
        table: The table.
        grants: The table's grants, to principals of this library.

    Raises:
        InvalidInputError: `table` is not a TableReference, or `grants` is not a list of such grants.
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
    """A rule that archives matching findings as they arise.

    Args:
        criteria: Properties of a finding, each with the values of which it must have one. All must match.
        streams: Prefixes of streams' ARNs, one of which the finding's resource must have; none for other resources.
    """

    criteria: tuple[tuple[str, tuple[str, ...]], ...]
    streams: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The rule's name, a hash of its content, so that it does not change when other rules do."""
        content = json.dumps([self.criteria, self.streams])
        return f"declared-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def archive_rules(shared: Iterable[SharedTable]) -> tuple[ArchiveRule, ...]:
    """Return the rules for the access that grants give to tables, streams, and keys whose ARN is known.

    There are no rules for AWS services, which the analyzer does not report, and none for values that are known only at
    deployment, so that access is reported.

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
    """The properties of a finding about a statement, without the resource; None if there is none, or if unknown."""
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
