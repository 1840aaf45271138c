"""An end is shown only where access really ends, for everybody whom it is shown for."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.review.as_text import as_text
from tableguard.review.report import Review
from tests.unit.review.support import (
    CONSUMER,
    LOCAL,
    READER,
    allow,
    deny,
    only_row,
    reviewed,
    role,
    shared,
    stack,
    table,
    to,
)

END = "2027-02-01T00:00:00Z"
LATER = "2027-06-01T00:00:00Z"
BEFORE = {"DateLessThan": {"aws:CurrentTime": END}}
FROM = {"DateGreaterThanEquals": {"aws:CurrentTime": END}}
NOT_INSIDE = {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}
INSIDE = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}


def ways(found: Review) -> list[tuple[tuple[str, ...], str | None]]:
    """The conditions and the end of each access of the only row."""
    return [
        (access.conditions, access.until.date().isoformat() if access.until else None)
        for access in only_row(found).accesses
    ]


def denied(**condition: Any) -> dict[str, Any]:
    return deny("dynamodb:GetItem", Principal="*", Condition=condition)


def on_table(*statements: dict[str, Any]) -> Review:
    local = role(allow(), name="reader")
    return reviewed(stack(T=table(*statements)), stack("Consumer", CONSUMER, R=local))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        # A Deny that comes with the date ends it all.
        ([to(READER), denied(**FROM)], [((), "2027-02-01")]),
        # One that exempts a network from then on does not.
        (
            [to(READER), denied(**FROM, **NOT_INSIDE)],
            [((), "2027-02-01"), (("only through vpce-1",), None)],
        ),
        # Nor does the end of one of two grants.
        ([to(READER, Condition=BEFORE), to(READER)], [((), None)]),
        ([to(READER), to(READER, Condition=BEFORE)], [((), None)]),
        (
            [to(READER, Condition=BEFORE), to(READER, Condition=INSIDE)],
            [((), "2027-02-01"), (("only through vpce-1",), None)],
        ),
        (
            [to(READER, Condition=BEFORE), to(READER, Condition={"DateLessThan": {"aws:CurrentTime": LATER}})],
            [((), "2027-06-01")],
        ),
        ([to(READER, Condition={**BEFORE, **INSIDE})], [(("only through vpce-1",), "2027-02-01")]),
    ],
)
def test_it_is_shown_only_for_what_ends(
    statements: list[dict[str, Any]], expected: list[tuple[tuple[str, ...], str | None]]
) -> None:
    assert ways(on_table(*statements)) == expected


def test_what_begins_again_after_an_end_is_shown() -> None:
    gap = {**FROM, "DateLessThan": {"aws:CurrentTime": LATER}}

    found = on_table(to(READER), denied(**gap))

    assert ways(found) == [((), "2027-02-01"), ((), None)]
    assert [access.status.value for access in only_row(found).accesses] == ["allowed", "later"]
    assert "from 2027-06-01 on" in as_text(found)


@pytest.mark.parametrize("exempted", [True, False])
def test_the_end_of_an_account_is_one_for_all_in_it(exempted: bool) -> None:
    admin = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:role/admin"}} if exempted else {}
    grant = to(f"arn:aws:iam::{CONSUMER}:root")

    found = reviewed(stack(T=table(grant, denied(**FROM, **admin))))

    unless = f"until 2027-01-31 unless only for arn:aws:iam::{CONSUMER}:role/admin"
    assert ways(found) == ([((unless,), None)] if exempted else [((), "2027-02-01")])


def test_the_end_of_a_role_of_the_account_is_that_of_all_its_policies() -> None:
    found = reviewed(stack(T=table(to(LOCAL, Condition=BEFORE)), R=role(allow(), name="local")))

    assert ways(found) == [((), None)]


def test_a_warning_says_that_a_part_remains() -> None:
    soon = {"DateGreaterThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}

    part = on_table(to(READER), denied(**soon, **NOT_INSIDE))
    whole = on_table(to(READER), denied(**soon))

    assert ["part of the access" in warning.message for warning in part.warnings] == [True]
    assert ["part of the access" in warning.message for warning in whole.warnings] == [False]


def test_both_sides_have_to_last() -> None:
    found = shared(to(READER), allow(Condition=BEFORE))

    assert ways(found) == [((), "2027-02-01")]
