"""Renders a restriction for the policies of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from tableguard.policy import TableReference
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import Json
from tableguard.policy.tokens import is_unresolved


class Denying(Protocol):
    """Something that denies actions on a table: a perimeter, or a restriction of people."""

    def table_statements(self, table: TableReference) -> Sequence[DenyStatement]:
        """The deny statements for the table's policy."""

    def stream_statements(self, table: TableReference) -> Sequence[DenyStatement]:
        """The deny statements for the stream's policy."""


def denied(denying: Denying, table: TableReference, *, stream: bool) -> list[Json]:
    """Render the deny statements for the policy of a table or its stream.

    Args:
        denying: The perimeter or the restriction of people.
        table: The table, in the region that the policy is for.
        stream: True for the policy of the stream, False for that of the table.
    """
    denials = denying.stream_statements(table) if stream else denying.table_statements(table)
    # As for grants: a stream's ARN changes whenever it is enabled, and a table's own would be a circular reference.
    if stream or is_unresolved(table.name):
        denials = tuple(replace(denial, resources=("*",)) for denial in denials)
    return [denial.to_json(principal="*") for denial in denials]
