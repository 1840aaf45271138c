"""What AWS documents no answer for counts against every rule: it neither refuses nor keeps anything for certain."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.policy import Access, Account, Role
from tableguard.review.rules import KeepsAccess, NobodyCan
from tests.unit.review.rules.support import LIMITS, OWNER, READER, shared_with_reader, tried

READING = Access.on_table("GetItem")
NOBODY = NobodyCan(access=READING, except_=[Account(OWNER)])
KEPT = KeepsAccess(
    principals=[Role(account=READER, name="reader")], access=READING, context={"aws:SourceVpce": "vpce-1"}
)
IF_EXISTS = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
# Open whatever the request carries: nothing but the open answer decides.
BOTH = {"Null": {"aws:TagKeys": ["true", "false"]}}
OPEN = [
    (IF_EXISTS, "ForAnyValue:StringEqualsIfExists aws:TagKeys: the request lacks the key"),
    (BOTH, "Null aws:TagKeys"),
]
SIDES = ("identity", "resource")


@pytest.mark.parametrize("layer", [*SIDES, *LIMITS])
@pytest.mark.parametrize(("condition", "words"), OPEN)
def test_a_deny_that_rests_on_it_refuses_nobody(layer: str, condition: dict[str, Any], words: str) -> None:
    if layer in ("resource", "resource_control"):
        # The other layers are the reader's own: whoever writes policies there can take the Deny away.
        assert tried(NOBODY, shared_with_reader(layer, "Deny")).holds
    found = [failure.what for failure in tried(NOBODY, shared_with_reader(layer, "Deny", condition)).failures]
    assert found
    if layer in ("resource", "resource_control"):
        assert any("might be able to" in what and words in what for what in found)


@pytest.mark.parametrize("layer", [*SIDES, *LIMITS])
@pytest.mark.parametrize(("condition", "words"), OPEN)
def test_a_deny_that_rests_on_it_may_take_access_away(layer: str, condition: dict[str, Any], words: str) -> None:
    never = {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}
    assert tried(KEPT, shared_with_reader(layer, "Deny", never)).holds
    (failure,) = tried(KEPT, shared_with_reader(layer, "Deny", condition)).failures
    assert words in failure.what


@pytest.mark.parametrize("layer", [*SIDES, "boundary", "endpoint"])
@pytest.mark.parametrize(("condition", "words"), OPEN)
def test_an_allow_that_rests_on_it_keeps_no_access(layer: str, condition: dict[str, Any], words: str) -> None:
    assert tried(KEPT, shared_with_reader(layer, "Allow")).holds
    (failure,) = tried(KEPT, shared_with_reader(layer, "Allow", condition)).failures
    assert words in failure.what


@pytest.mark.parametrize(("condition", "words"), OPEN)
def test_an_allow_that_rests_on_it_may_give_access(condition: dict[str, Any], words: str) -> None:
    others = {"StringEquals": {"aws:PrincipalAccount": OWNER}}
    assert tried(NOBODY, shared_with_reader("resource", "Allow", others)).holds
    found = [failure.what for failure in tried(NOBODY, shared_with_reader("resource", "Allow", condition)).failures]
    assert any("might be able to" in what and words in what for what in found)
