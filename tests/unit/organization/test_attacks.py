"""Every row of the table of attacks, decided over the synthesized templates."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.organization.attack_rows import ALLOWED, DENIED, PAGE, Attack, deciding, printed
from tests.unit.organization.attacks import ATTACKS
from tests.unit.organization.callers import CALLERS, PLACES, TRIES


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_ends_as_the_table_says_and_for_that_reason(attack: Attack) -> None:
    decision = attack.decided()
    assert (ALLOWED if decision.allowed else DENIED) == attack.outcome
    assert deciding(attack, decision) == attack.by


def test_every_caller_place_and_request_is_tried_and_none_twice() -> None:
    assert [name for name, count in Counter(attack.name for attack in ATTACKS).items() if count > 1] == []
    assert {attack.who for attack in ATTACKS} == set(CALLERS)
    assert {attack.where for attack in ATTACKS} == set(PLACES)
    assert {attack.tries for attack in ATTACKS} == set(TRIES)


def test_both_outcomes_stand_below_every_heading_but_theft_by_network() -> None:
    outcomes: dict[str, set[str]] = {}
    for attack in ATTACKS:
        outcomes.setdefault(attack.group, set()).add(attack.outcome)
    assert [group for group, found in outcomes.items() if len(found) == 1] == ["From another network"]


def test_the_page_of_the_docs_is_printed_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == printed(ATTACKS), "renew it: make attacks"
