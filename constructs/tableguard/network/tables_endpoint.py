"""The base class of both kinds of endpoint: the tables that callers reach through it."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from tableguard.network.endpoint_tables import EndpointTables, ReachedTable
from tableguard.policy import Limits, TableReference


class TablesEndpoint(Construct):
    """An endpoint for named tables. Use `DynamoDbGatewayEndpoint` or `DynamoDbInterfaceEndpoint`."""

    _tables: EndpointTables

    def _reach(
        self,
        endpoint: ec2.GatewayVpcEndpoint | ec2.InterfaceVpcEndpoint,
        tables: Sequence[ReachedTable],
        *,
        organization: str | None,
        accounts: Sequence[str],
        limits: Limits | None,
    ) -> None:
        self._tables = EndpointTables(
            self,
            "Tables",
            endpoint=endpoint,
            tables=tables,
            organization=organization,
            accounts=accounts,
            narrow=True,
            limits=limits,
        )

    @property
    def endpoint_tables(self) -> EndpointTables:
        """The endpoint's policy."""
        return self._tables

    @property
    def tables(self) -> tuple[TableReference, ...]:
        """The tables that callers reach through the endpoint."""
        return self._tables.tables

    def add_tables(self, *tables: ReachedTable) -> None:
        """Let callers reach more tables.

        Args:
            tables: References, or tables of this library or the CDK.

        Raises:
            InvalidInputError: An argument is not a table, or its name is not known in the endpoint's stack.
        """
        self._tables.add_tables(*tables)
