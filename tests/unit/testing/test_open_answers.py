"""Assertions about what AWS documents no answer for: neither an access nor a refusal can be asserted of it."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.testing import assert_allowed, assert_denied
from tests.unit.review.rules.support import LIMITS, READER, TABLE, TODAY, shared_with_reader

ASKED: dict[str, Any] = {
    "principal": f"arn:aws:iam::{READER}:role/reader",
    "action": "dynamodb:GetItem",
    "resource": TABLE,
    "today": TODAY,
}
THROUGH = {"aws:SourceVpce": "vpce-1"}
IF_EXISTS = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
WORDS = "ForAnyValue:StringEqualsIfExists aws:TagKeys: the request lacks the key"
SIDES = ("identity", "resource")


def refused(assertion: Any, layer: str, effect: str) -> str:
    with pytest.raises(AssertionError) as raised:
        assertion(shared_with_reader(layer, effect, IF_EXISTS), context=THROUGH, **ASKED)
    # The explanation is wrapped to the width of a terminal.
    return " ".join(str(raised.value).split())


@pytest.mark.parametrize("layer", [*SIDES, "boundary", "endpoint"])
def test_an_allow_that_rests_on_it(layer: str) -> None:
    assert_allowed(shared_with_reader(layer, "Allow"), context=THROUGH, **ASKED)
    carried = {**THROUGH, "aws:TagKeys": ["team"]}
    assert_allowed(shared_with_reader(layer, "Allow", IF_EXISTS), context=carried, **ASKED)

    for assertion in (assert_allowed, assert_denied):
        said = refused(assertion, layer, "Allow")
        assert "not understood" in said
        assert WORDS in said


@pytest.mark.parametrize("layer", [*SIDES, *LIMITS])
def test_a_deny_that_rests_on_it(layer: str) -> None:
    assert_denied(shared_with_reader(layer, "Deny"), context=THROUGH, **ASKED)
    carried = {**THROUGH, "aws:TagKeys": ["team"]}
    assert_denied(shared_with_reader(layer, "Deny", IF_EXISTS), context=carried, **ASKED)
    without = {**THROUGH, "aws:TagKeys": ["other"]}
    assert_allowed(shared_with_reader(layer, "Deny", IF_EXISTS), context=without, **ASKED)

    for assertion in (assert_allowed, assert_denied):
        said = refused(assertion, layer, "Deny")
        assert "may deny it" in said
        assert WORDS in said
