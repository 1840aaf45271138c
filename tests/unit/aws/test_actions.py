"""What a classified action has to say, whichever service it is of."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.aws.actions import Category, Effect, ServiceAction

MADE_UP = {
    "service": "dynamodb",
    "name": "TeleportItems",
    "category": Category.READ,
    "effects": frozenset({Effect.REVEALS_ITEMS}),
    "resources": frozenset({"table"}),
}


def test_a_classified_action_is_taken() -> None:
    action = ServiceAction(**MADE_UP)  # type: ignore[arg-type]
    assert action.qualified == "dynamodb:TeleportItems"
    assert action.can(Effect.REVEALS_ITEMS, Effect.MAKES_COPY)
    assert not action.can(Effect.MAKES_COPY)
    assert not action.is_harmless


@pytest.mark.parametrize(
    "missing",
    [
        {"category": None},
        {"category": "read"},
        {"effects": frozenset()},
        {"effects": frozenset({"reveals items"})},
        {"effects": frozenset({Effect.HARMLESS, Effect.CHANGES_ITEMS})},
    ],
    ids=["no category", "a text for a category", "no effect", "a text for an effect", "harmless and not"],
)
def test_an_action_that_nobody_classified_says_where_to_decide(missing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="dynamodb:TeleportItems is not classified") as error:
        ServiceAction(**{**MADE_UP, **missing})
    assert "Decide in constructs/tableguard/aws/dynamodb.py" in str(error.value)


@pytest.mark.parametrize("field", ["category", "effects"])
def test_an_action_cannot_be_written_down_without_a_category_and_effects(field: str) -> None:
    with pytest.raises(TypeError, match=field):
        ServiceAction(**{name: value for name, value in MADE_UP.items() if name != field})  # type: ignore[arg-type]
