from typing import Any

import pytest

from scripts.deployment.documents import normal

STATEMENT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": ["111122223333", "222233334444"]},
    "Action": ["dynamodb:GetItem", "dynamodb:Query"],
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:PrincipalArn": ["arn:one", "arn:two"]}},
}


def document(**changed: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{**STATEMENT, **changed}]}


@pytest.mark.parametrize(
    "same",
    [
        {"Action": ["dynamodb:Query", "dynamodb:GetItem"]},
        {"Resource": ["*"]},
        {"Principal": {"AWS": ["arn:aws:iam::222233334444:root", "arn:aws:iam::111122223333:root"]}},
        {"Condition": {"ArnEquals": {"aws:PrincipalArn": ["arn:two", "arn:one"]}}},
    ],
)
def test_other_words_for_the_same_are_the_same(same: dict[str, Any]) -> None:
    assert normal(document(**same)) == normal(document())


@pytest.mark.parametrize(
    "other",
    [
        {"Effect": "Deny"},
        {"Action": "dynamodb:GetItem"},
        {"Resource": "arn:aws:dynamodb:us-east-1:444455556666:table/orders"},
        {"Principal": {"AWS": "111122223333"}},
        {"Principal": "*"},
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:role/root", "222233334444"]}},
        {"Condition": {"ArnLike": {"aws:PrincipalArn": ["arn:one", "arn:two"]}}},
        {"Condition": {"ArnEquals": {"aws:PrincipalArn": ["arn:one"]}}},
    ],
)
def test_whatever_says_something_else_is_another(other: dict[str, Any]) -> None:
    assert normal(document(**other)) != normal(document())


def test_the_order_of_statements_says_nothing() -> None:
    one, other = STATEMENT, {**STATEMENT, "Effect": "Deny"}
    assert normal({"Statement": [one, other]}) == normal({"Statement": [other, one]})


def test_a_document_may_be_text_one_statement_or_none() -> None:
    assert normal('{"Statement": {"Effect": "Deny", "Action": "*"}}') == {
        "Statement": [{"Effect": "Deny", "Action": ["*"]}]
    }
    assert normal(None) is None
