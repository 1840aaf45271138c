"""What a table's policies need to know of a restriction: statements that deny, next to those of the grants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from tableguard.policy import TableGrant, TableReference
from tableguard.policy.documents import Json


class Restriction(Protocol):
    """A restriction around one table."""

    @property
    def kind(self) -> str:
        """What kind of restriction it is: a table has one of each, and the template's metadata names it so."""

    def statements(self, table: TableReference, *, stream: bool) -> Sequence[Json]:
        """What the policy of a table, or of its stream, denies. It raises nothing: it is asked amid a synthesis.

        Args:
            table: The table, in the region that the policy is for.
            stream: Whether it is the policy of the stream.
        """

    def described(self, table: TableReference, *, deployed: Collection[str]) -> Json:
        """What the template's metadata says of it.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies.
        """

    def problems(
        self, table: TableReference, *, deployed: Collection[str], grants: Sequence[TableGrant]
    ) -> Sequence[str]:
        """What is wrong with it, at the last moment before templates are rendered.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies.
            grants: Everything that is granted on the table.
        """
