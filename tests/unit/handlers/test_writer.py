from datetime import UTC, datetime, tzinfo

import pytest

from stacks.handlers.writer import index
from tests.unit.handlers.conftest import Aws

ARN = "arn:aws:dynamodb:eu-west-1:444455556666:table/rbac-central-table"
KEY = {"category": "books", "item": "atlas"}


class Clock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        assert tz is UTC
        return cls(2026, 11, 21, 8, 30, 15, 999_999, tz)


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_ARN", ARN)
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # the function's own region, which is not the table's
    monkeypatch.setattr(index, "datetime", Clock)


def test_puts_the_item_by_the_full_arn_in_the_region_of_the_table_and_answers_with_what_it_wrote(aws: Aws) -> None:
    item = {"category": {"S": "books"}, "item": {"S": "atlas"}, "time": {"S": "2026-11-21T08:30:15+00:00"}}
    aws.expect("dynamodb", "eu-west-1", "put_item", {"TableName": ARN, "Item": item}, {})
    assert index.handler({**KEY, "more": "is left out"}, None) == {**KEY, "time": "2026-11-21T08:30:15+00:00"}


@pytest.mark.parametrize(
    "event", [{}, {"category": "books"}, {"item": "atlas"}, {**KEY, "category": ""}, {**KEY, "item": 7}]
)
def test_refuses_an_event_that_is_no_key(aws: Aws, event: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r'needs "(category|item)", a string that is not empty'):
        index.handler(event, None)


@pytest.mark.parametrize("setting", [None, "", "rbac-central-table"])
def test_says_what_to_set_when_it_is_deployed_without_the_arn(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, setting: str | None
) -> None:
    monkeypatch.delenv("TABLE_ARN")
    if setting is not None:
        monkeypatch.setenv("TABLE_ARN", setting)
    with pytest.raises(ValueError, match="TABLE_ARN must be set to the full ARN of the table"):
        index.handler(KEY, None)
