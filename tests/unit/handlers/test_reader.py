import pytest

from stacks.handlers.reader.index import handler
from tests.unit.handlers.conftest import Aws

ARN = "arn:aws:dynamodb:eu-west-1:444455556666:table/rbac-central-table"
KEY = {"category": "books", "item": "atlas"}
TYPED_KEY = {"category": {"S": "books"}, "item": {"S": "atlas"}}


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_ARN", ARN)
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # the function's own region, which is not the table's


def test_reads_the_item_by_the_full_arn_in_the_region_of_the_table(aws: Aws) -> None:
    item = {**TYPED_KEY, "ProductName": {"S": "World Atlas"}}
    aws.expect("dynamodb", "eu-west-1", "get_item", {"TableName": ARN, "Key": TYPED_KEY}, {"Item": item})
    assert handler(KEY, None) == {"item": item}


def test_answers_with_none_for_an_item_that_is_not_there(aws: Aws) -> None:
    aws.expect("dynamodb", "eu-west-1", "get_item", {"TableName": ARN, "Key": TYPED_KEY}, {})
    assert handler(KEY, None) == {"item": None}


def test_keeps_its_client_for_the_next_call(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        aws.expect("dynamodb", "eu-west-1", "get_item", {"TableName": ARN, "Key": TYPED_KEY}, {})
    handler(KEY, None)
    monkeypatch.setattr("boto3.client", None)
    handler(KEY, None)


@pytest.mark.parametrize(
    "event", [{}, {"category": "books"}, {"item": "atlas"}, {**KEY, "category": ""}, {**KEY, "item": 7}]
)
def test_refuses_an_event_that_is_no_key(aws: Aws, event: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r'needs "(category|item)", a string that is not empty'):
        handler(event, None)


@pytest.mark.parametrize("setting", [None, "", "rbac-central-table"])
def test_says_what_to_set_when_it_is_deployed_without_the_arn(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, setting: str | None
) -> None:
    monkeypatch.delenv("TABLE_ARN")
    if setting is not None:
        monkeypatch.setenv("TABLE_ARN", setting)
    with pytest.raises(ValueError, match="TABLE_ARN must be set to the full ARN of the table"):
        handler(KEY, None)
