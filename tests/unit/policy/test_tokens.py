"""Values that only a deployment knows."""

from __future__ import annotations

import pytest

from tableguard.policy.tokens import is_unresolved, literal_part, ordered


@pytest.mark.parametrize(
    "value",
    [
        "${Token[TOKEN.42]}",
        "${Token[AWS.Region.4]}",
        "#{Token[TOKEN.7]}",
        "arn:aws:iam::${Token[AWS.AccountId.1]}:role/x",
    ],
)
def test_a_value_with_a_cdk_token_is_unresolved(value: str) -> None:
    assert is_unresolved(value)


@pytest.mark.parametrize("value", ["", "orders", "${aws:username}", "Token[TOKEN.42]", "${Token[", "{Token[TOKEN.42]}"])
def test_anything_else_is_a_literal(value: str) -> None:
    assert not is_unresolved(value)
    assert literal_part(value) == value


def test_the_literal_part_is_what_stands_beside_the_tokens() -> None:
    assert literal_part("a-${Token[TOKEN.1]}-b-#{Token[TOKEN.2]}") == "a--b-"


def test_literals_are_sorted_and_come_once_before_tokens_in_the_order_of_their_declaration() -> None:
    hundred, ninety_nine = "${Token[TOKEN.100]}", "${Token[TOKEN.99]}"
    assert ordered(["b", hundred, "a", ninety_nine, "b", hundred]) == ("a", "b", hundred, ninety_nine)
    assert ordered([ninety_nine, hundred]) == (ninety_nine, hundred)
