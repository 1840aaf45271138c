"""The policy of a VPC endpoint: which callers reach which tables through it."""

from __future__ import annotations

from collections.abc import Sequence

from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.documents import AllowStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.tables import TableReference

# Requests that name no table. Clients send them before they work with one.
_OF_NO_TABLE = ("dynamodb:DescribeEndpoints", "dynamodb:DescribeLimits", "dynamodb:ListTables")


def endpoint_statements(
    tables: Sequence[TableReference],
    *,
    organization: str | None = None,
    accounts: Sequence[str] = (),
    streams: bool = False,
) -> tuple[AllowStatement, ...]:
    """Return the statements that allow your callers these tables and their indexes, and nothing else.

    The default policy of an endpoint allows everybody every table in the world. So code in the VPC could copy items to
    a table of another account, with credentials of that account. A gateway endpoint serves all tables of its VPC: name
    every table that is used through it.
    Source: VPC user guide, "Control access to VPC endpoints using endpoint policies".

    Args:
        tables: All tables that may be reached through the endpoint.
        organization: The id of the organization whose identities may call.
        accounts: The 12-digit ids of the accounts whose identities may call, instead of a whole organization.
        streams: True for an endpoint of DynamoDB Streams: the statements then name the tables' streams.

    Raises:
        InvalidInputError: No table, not exactly one of `organization` and `accounts`, or a malformed id.
    """
    listed = tuple(tables)
    if not listed or not all(isinstance(table, TableReference) for table in listed):
        raise InvalidInputError(
            "the tables of an endpoint policy", value=listed, allowed="at least one TableReference: a list of them"
        )
    callers = _callers(organization, tuple(accounts))
    if streams:
        resources = tuple(table.stream_arn for table in listed)
        return (_allow(("dynamodb:*",), resources, callers), _allow(("dynamodb:ListStreams",), ("*",), callers))
    resources = tuple(arn for table in listed for arn in (table.arn, f"{table.arn}/index/*"))
    return (_allow(("dynamodb:*",), resources, callers), _allow(_OF_NO_TABLE, ("*",), callers))


def _callers(organization: str | None, accounts: tuple[str, ...]) -> Clause:
    if (organization is None) is (not accounts):
        raise InvalidInputError(
            "the callers of an endpoint policy",
            value={"organization": organization, "accounts": accounts},
            allowed="either an organization or accounts",
        )
    if organization is not None:
        names.organization_id("the organization of an endpoint policy", organization)
        return Clause("StringEquals", "aws:PrincipalOrgID", (organization,))
    for account in accounts:
        names.account_id("an account of an endpoint policy", account)
    return Clause("StringEquals", "aws:PrincipalAccount", accounts)


def _allow(actions: tuple[str, ...], resources: tuple[str, ...], callers: Clause) -> AllowStatement:
    return AllowStatement(actions=actions, resources=resources, kind="AWS", principals=("*",), clauses=(callers,))
