"""Condition keys of a request to DynamoDB that come from what it says and from the tags of its table.

Known are `aws:RequestTag/…` and `aws:TagKeys`, `aws:ResourceTag/…`, and `dynamodb:LeadingKeys` where a request names
whole keys or items. Of conditions on attributes, and of the keys in the expressions of a Query, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import dynamodb

_Json = dict[str, Any]


def of_request(action: str, said: _Json, resource: str) -> _Json:
    """The keys.

    Args:
        action: The action, as IAM calls it.
        said: The request.
        resource: The ARN of the table, index or stream.
    """
    found: _Json = {}
    _, _, _, region, account, of = resource.split(":", 5)
    with request_scope(account, region):
        table = dynamodb._tables.get(of.split("/")[1])
        if table is not None:
            for tag in dynamodb._tags.get(table["TableArn"], ()):
                found[f"aws:ResourceTag/{tag['Key']}"] = tag["Value"]
            leading = _leading(table, said)
            if leading:
                found["dynamodb:LeadingKeys"] = leading
    if action in {"CreateTable", "TagResource"} and said.get("Tags"):
        found |= {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in said["Tags"]}
        found["aws:TagKeys"] = [tag["Key"] for tag in said["Tags"]]
    elif action == "UntagResource":
        found["aws:TagKeys"] = said["TagKeys"]
    return found


def _leading(table: _Json, said: _Json) -> list[str]:
    name = table["pk_name"]
    values = (item.get(name) for item in _items(table["TableName"], said))
    return sorted({str(next(iter(value.values()))) for value in values if isinstance(value, Mapping) and value})


def _items(table: str, said: _Json) -> Iterator[_Json]:
    """Keys and items that are named in a request, of one table."""
    yield from (said[member] for member in ("Item", "Key") if isinstance(said.get(member), dict))
    for name, asked in said.get("RequestItems", {}).items():
        if name.rpartition("/")[2] != table:
            continue
        if isinstance(asked, dict):
            yield from asked.get("Keys", ())
        else:
            yield from (part[member] for put in asked for part in put.values() for member in part)
    for item in said.get("TransactItems", ()):
        for part in item.values():
            if part["TableName"].rpartition("/")[2] == table:
                yield from (part[member] for member in ("Item", "Key") if member in part)
