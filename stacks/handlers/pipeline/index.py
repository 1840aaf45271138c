"""Reads an index and the stream of a table that may be in another account and region."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Count what a warehouse would load: the items of a category since a moment, and the changes in the stream.

    Args:
        event: The category and the moment: `{"category": "books", "since": "2026-11-01T00:00:00+00:00"}`.

    Returns:
        How many items there are, and how many changes of the last 24 hours the stream still holds.

    Raises:
        ValueError: The event lacks one of them, or the function was deployed without TABLE_ARN or INDEX_NAME.
    """
    table_arn, index = _setting("TABLE_ARN"), _setting("INDEX_NAME")
    category, since = _text(event, "category"), _text(event, "since")
    region = table_arn.split(":")[3]
    return {
        "items": _count_items(client(region), table_arn, index, category, since),
        "changes": sum(1 for _ in _changes(client(region), streams_client(region), table_arn)),
    }


@cache
def client(region: str) -> DynamoDBClient:
    """The client for the table's region, which need not be the function's."""
    return boto3.client("dynamodb", region_name=region)


@cache
def streams_client(region: str) -> Any:
    """The client for the streams of that region."""
    return boto3.client("dynamodbstreams", region_name=region)


def _count_items(dynamodb: DynamoDBClient, table_arn: str, index: str, category: str, since: str) -> int:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table_arn,  # in full: a bare name would mean a table of this account
        IndexName=index,
        KeyConditionExpression="#category = :category AND #time >= :since",
        ExpressionAttributeNames={"#category": "category", "#time": "time"},
        ExpressionAttributeValues={":category": {"S": category}, ":since": {"S": since}},
    )
    return sum(page["Count"] for page in pages)


def _changes(dynamodb: DynamoDBClient, streams: Any, table_arn: str) -> Iterator[dict[str, Any]]:
    stream_arn = dynamodb.describe_table(TableName=table_arn)["Table"]["LatestStreamArn"]
    for shard in _shards(streams, stream_arn):
        iterator = streams.get_shard_iterator(
            StreamArn=stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            answer = streams.get_records(ShardIterator=iterator)
            yield from answer["Records"]
            # A closed shard ends, an open one never does: there, an empty answer is taken for the end.
            further = answer["Records"] or "EndingSequenceNumber" in shard["SequenceNumberRange"]
            iterator = answer.get("NextShardIterator") if further else None


def _shards(streams: Any, stream_arn: str) -> Iterator[dict[str, Any]]:
    further: dict[str, str] = {}
    while True:
        description = streams.describe_stream(StreamArn=stream_arn, **further)["StreamDescription"]
        yield from description["Shards"]
        if "LastEvaluatedShardId" not in description:
            return
        further = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f'The event needs "{name}", a string that is not empty.')
    return value


def _setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ValueError(f"{name} must be set in the environment of the function.")
    return value
