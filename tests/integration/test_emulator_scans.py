"""Pages of a Scan in the emulator hold what they should, however little of the table is looked at for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.emulator.server import Emulator
from tests.integration.machines import TABLE, Cloud

PARTITIONS, EACH, LENGTH = 60, 5, 20_000  # 6 MB
WANTED = sorted((f"p{partition}", f"s{row}") for partition in range(PARTITIONS) for row in range(EACH))


@pytest.fixture(scope="module")
def dynamodb(empty_emulator: Emulator) -> Iterator[Any]:
    cloud = Cloud(empty_emulator)
    client = cloud.client("dynamodb")
    client.create_table(
        **{
            **TABLE,
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        }
    )
    items = [{"pk": {"S": pk}, "sk": {"S": sk}, "text": {"S": "x" * LENGTH}} for pk, sk in WANTED]
    cloud.controls.fill(f"arn:aws:dynamodb:us-east-1:{cloud.account}:table/new", items)
    yield client
    client.delete_table(TableName="new")


def pages(dynamodb: Any, **said: Any) -> list[list[tuple[str, str]]]:
    found = dynamodb.get_paginator("scan").paginate(TableName="new", **said)
    return [[(item["pk"]["S"], item["sk"]["S"]) for item in page["Items"]] for page in found]


@pytest.mark.parametrize("limit", [{}, {"Limit": 7}])
@pytest.mark.parametrize("total", [None, 1, 3])
def test_each_item_is_on_one_page_of_one_segment(dynamodb: Any, total: int | None, limit: dict[str, int]) -> None:
    said = [{}] if total is None else [{"Segment": each, "TotalSegments": total} for each in range(total)]
    found = [pages(dynamodb, **each, **limit) for each in said]
    assert sorted(key for segment in found for page in segment for key in page) == WANTED
    for segment in found:
        assert [key for page in segment for key in page] == sorted(key for page in segment for key in page)
        # All but the last hold as much as they may: a megabyte, or what the limit says.
        most = limit.get("Limit") or 2**20 // (LENGTH + 16)
        assert {len(page) for page in segment[:-1]} == {most}
        assert len(segment[-1]) <= most
    partitions = [{pk for page in segment for pk, _ in page} for segment in found]
    assert sum(map(len, partitions)) == PARTITIONS


def test_a_page_begins_within_a_partition(dynamodb: Any) -> None:
    start = {"pk": {"S": "p11"}, "sk": {"S": "s2"}}
    found = pages(dynamodb, ExclusiveStartKey=start)
    assert [key for page in found for key in page] == [key for key in WANTED if key > ("p11", "s2")]


def test_half_of_what_names_a_segment_is_refused(dynamodb: Any) -> None:
    for said in ({"Segment": 0}, {"TotalSegments": 2}, {"Segment": 2, "TotalSegments": 2}):
        with pytest.raises(dynamodb.exceptions.ClientError, match="Segment"):
            dynamodb.scan(TableName="new", **said)
