from typing import Any

import pytest

from stacks.handlers.pipeline.index import handler
from tests.unit.handlers.conftest import Aws

ARN = "arn:aws:dynamodb:eu-west-1:444455556666:table/rbac-central-table"
STREAM = f"{ARN}/stream/2026-11-21T08:30:15.000"
EVENT = {"category": "books", "since": "2026-11-01"}
QUERY = {
    "TableName": ARN,
    "IndexName": "by-date",
    "KeyConditionExpression": "#category = :category AND #time >= :since",
    "ExpressionAttributeNames": {"#category": "category", "#time": "time"},
    "ExpressionAttributeValues": {":category": {"S": "books"}, ":since": {"S": "2026-11-01"}},
}
OPEN = {"StartingSequenceNumber": "100000000000000000001"}
CLOSED = {**OPEN, "EndingSequenceNumber": "100000000000000000009"}
RECORDS = [{"eventID": "1"}, {"eventID": "2"}]


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_ARN", ARN)
    monkeypatch.setenv("INDEX_NAME", "by-date")
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # the function's own region, which is not the table's


def shard(number: int, sequence: dict[str, str]) -> dict[str, Any]:
    return {"ShardId": shard_id(number), "SequenceNumberRange": sequence}


def shard_id(number: int) -> str:
    return f"shardId-{number:020}"


def expect_items(aws: Aws, *counts: int) -> None:
    """One page for each count, each but the last with a key to go on from."""
    keys = [{"category": {"S": "books"}, "item": {"S": f"atlas-{page}"}} for page in range(len(counts))]
    for page, count in enumerate(counts):
        parameters = QUERY if page == 0 else {**QUERY, "ExclusiveStartKey": keys[page - 1]}
        further = {"LastEvaluatedKey": keys[page]} if page < len(counts) - 1 else {}
        aws.expect("dynamodb", "eu-west-1", "query", parameters, {"Count": count, **further})


def expect_shards(aws: Aws, *shards: dict[str, Any]) -> None:
    """One page for each shard."""
    aws.expect("dynamodb", "eu-west-1", "describe_table", {"TableName": ARN}, {"Table": {"LatestStreamArn": STREAM}})
    for page, one in enumerate(shards):
        parameters = {"StreamArn": STREAM}
        if page > 0:
            parameters["ExclusiveStartShardId"] = shards[page - 1]["ShardId"]
        further = {"LastEvaluatedShardId": one["ShardId"]} if page < len(shards) - 1 else {}
        description = {"StreamDescription": {"Shards": [one], **further}}
        aws.expect("dynamodbstreams", "eu-west-1", "describe_stream", parameters, description)
        expect_records(aws, one["ShardId"])


def expect_records(aws: Aws, shard: str) -> None:
    start = {"StreamArn": STREAM, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    aws.expect("dynamodbstreams", "eu-west-1", "get_shard_iterator", start, {"ShardIterator": "0"})
    for number, (records, further) in enumerate(READS[shard]):
        answer = {"Records": records} | ({"NextShardIterator": str(number + 1)} if further else {})
        aws.expect("dynamodbstreams", "eu-west-1", "get_records", {"ShardIterator": str(number)}, answer)


# What the calls of GetRecords give on each shard: records, and whether an iterator to go on with.
READS: dict[str, list[tuple[list[dict[str, Any]], bool]]] = {
    # An open shard always gives an iterator, so an empty answer is taken for the end.
    shard_id(1): [(RECORDS, True), (RECORDS, True), ([], True)],
    # A closed one says when it ends, perhaps after answers without records.
    shard_id(2): [([], True), (RECORDS, True), ([], False)],
    shard_id(3): [(RECORDS, False)],
}


def test_counts_the_items_of_every_page_of_the_index(aws: Aws) -> None:
    expect_items(aws, 3, 0, 2)
    expect_shards(aws, shard(3, CLOSED))
    assert handler(EVENT, None) == {"items": 5, "changes": 2}


def test_counts_the_changes_of_every_shard_to_its_end(aws: Aws) -> None:
    expect_items(aws, 0)
    expect_shards(aws, shard(1, OPEN), shard(2, CLOSED), shard(3, CLOSED))
    assert handler(EVENT, None) == {"items": 0, "changes": 8}


@pytest.mark.parametrize("event", [{}, {"category": "books"}, {"since": "2026-11-01"}, {**EVENT, "since": 7}])
def test_refuses_an_event_without_category_or_moment(aws: Aws, event: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r'needs "(category|since)", a string that is not empty'):
        handler(event, None)


@pytest.mark.parametrize("setting", ["TABLE_ARN", "INDEX_NAME"])
def test_says_what_to_set_when_it_is_deployed_without_it(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv(setting)
    with pytest.raises(ValueError, match=f"{setting} must be set"):
        handler(EVENT, None)
