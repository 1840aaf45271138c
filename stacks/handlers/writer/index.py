"""Puts one item into a table that may be in another account and region."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Put an item, with the time at which it was put.

    Args:
        event: The item's key: `{"category": "books", "item": "atlas"}`.

    Returns:
        The key and the time of the item that was written.

    Raises:
        ValueError: The event is not a key, or the function was deployed without TABLE_ARN.
    """
    table_arn = _table_arn()
    written = {
        "category": _text(event, "category"),
        "item": _text(event, "item"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    client(table_arn.split(":")[3]).put_item(
        TableName=table_arn,  # in full: a bare name would mean a table of this account
        Item={name: {"S": value} for name, value in written.items()},
    )
    return written


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
