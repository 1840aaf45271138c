"""Everything of the kinds that a deployment may leave behind, in every account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from scripts.deployment.accounts import Accounts
from scripts.deployment.plan import Place

Thing: TypeAlias = tuple[str, str, str, str]
"""Account, region, kind and name."""

_GONE = {"DELETE_COMPLETE"}
_DELETED_KEYS = {"PendingDeletion", "PendingReplicaDeletion"}


def inventory(accounts: Accounts, places: Sequence[Place]) -> frozenset[Thing]:
    """List what is there.

    Args:
        accounts: The accounts.
        places: Where to look.
    """
    return frozenset(
        (account, "" if service == "iam" else region, kind, name)
        for account, region in places
        for kind, (service, listed) in _LISTED.items()
        for name in listed(accounts.client(service, (account, region)))
    )


def stack_names(accounts: Accounts, place: Place) -> frozenset[str]:
    """The stacks of an account and region."""
    return frozenset(_stacks(accounts.client("cloudformation", place)))


def _pages(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]


def _stacks(client: Any) -> Iterator[str]:
    for stack in _pages(client, "list_stacks", "StackSummaries"):
        if stack["StackStatus"] not in _GONE:
            yield stack["StackName"]


def _keys(client: Any) -> Iterator[str]:
    for key in _pages(client, "list_keys", "Keys"):
        described = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if described["KeyManager"] == "CUSTOMER" and described["KeyState"] not in _DELETED_KEYS:
            yield key["KeyId"]


_LISTED: Mapping[str, tuple[str, Callable[[Any], Iterator[str]]]] = {
    "stack": ("cloudformation", _stacks),
    "table": ("dynamodb", lambda client: _pages(client, "list_tables", "TableNames")),
    "key": ("kms", _keys),
    "role": ("iam", lambda client: (each["RoleName"] for each in _pages(client, "list_roles", "Roles"))),
    "policy": (
        "iam",
        lambda client: (each["PolicyName"] for each in _pages(client, "list_policies", "Policies", Scope="Local")),
    ),
    "function": (
        "lambda",
        lambda client: (each["FunctionName"] for each in _pages(client, "list_functions", "Functions")),
    ),
    "log group": (
        "logs",
        lambda client: (each["logGroupName"] for each in _pages(client, "describe_log_groups", "logGroups")),
    ),
    "bucket": ("s3", lambda client: (each["Name"] for each in client.list_buckets()["Buckets"])),
}
