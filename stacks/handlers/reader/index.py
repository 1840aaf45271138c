"""Reads one item of a table that may be in another account and region."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the item of a key.

    Args:
        event: The key: `{"category": "books", "item": "atlas"}`.

    Returns:
        `{"item": …}` as DynamoDB's JSON writes it; None if there is no such item.

    Raises:
        ValueError: The event is not a key, or the function was deployed without TABLE_ARN.
    """
    table_arn = _table_arn()
    key = {name: {"S": _text(event, name)} for name in ("category", "item")}
    found = client(table_arn.split(":")[3]).get_item(
        TableName=table_arn,  # in full: a bare name would mean a table of this account
        Key=key,
    )
    return {"item": found.get("Item")}


@cache
def client(region: str) -> DynamoDBClient:
    """The client for the table's region, which need not be the function's."""
    return boto3.client("dynamodb", region_name=region)


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f'The event needs "{name}", a string that is not empty.')
    return value


def _table_arn() -> str:
    arn = os.environ.get("TABLE_ARN", "")
    if not arn.startswith("arn:"):
        raise ValueError("TABLE_ARN must be set to the full ARN of the table.")
    return arn
