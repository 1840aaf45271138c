"""What a restriction denies at one table, as its policies say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from tableguard.policy import TableReference
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import Json
from tableguard.policy.tokens import is_unresolved


class Denying(Protocol):
    """What denies something at a table: a perimeter, or a restriction of people."""

    def table_statements(self, table: TableReference) -> Sequence[DenyStatement]:
        """What the table's policy denies."""

    def stream_statements(self, table: TableReference) -> Sequence[DenyStatement]:
        """What the stream's policy denies."""


def denied(denying: Denying, table: TableReference, *, stream: bool) -> list[Json]:
    """The statements for the policy of a table, or of its stream.

    Args:
        denying: What denies.
        table: The table, in the region that the policy is for.
        stream: Whether it is the policy of the stream.
    """
    denials = denying.stream_statements(table) if stream else denying.table_statements(table)
    # As for grants: a stream's ARN changes whenever it is enabled, and a table's own would be a circular reference.
    if stream or is_unresolved(table.name):
        denials = tuple(replace(denial, resources=("*",)) for denial in denials)
    return [denial.to_json(principal="*") for denial in denials]
