"""The interface of restrictions: deny statements in a table's policies, next to the statements of the grants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from tableguard.policy import TableGrant, TableReference
from tableguard.policy.documents import Json


class Restriction(Protocol):
    """A restriction of one table: a perimeter or `NoHumanAccess`."""

    @property
    def kind(self) -> str:
        """The kind of restriction, also its name in the template's metadata. A table has at most one of each kind."""

    def statements(self, table: TableReference, *, stream: bool) -> Sequence[Json]:
        """The deny statements for the policy of a table or its stream. It is called during synthesis and never raises.

        Args:
            table: The table, in the region that the policy is for.
            stream: True for the policy of the stream, False for that of the table.
        """

    def described(self, table: TableReference, *, deployed: Collection[str]) -> Json:
        """The description for the template's metadata.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies now.
        """

    def problems(
        self, table: TableReference, *, deployed: Collection[str], grants: Sequence[TableGrant]
    ) -> Sequence[str]:
        """The problems of the restriction, checked when the app is validated, just before templates are rendered.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies now.
            grants: All grants on the table.
        """
