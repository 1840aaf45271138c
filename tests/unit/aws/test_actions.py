"""What a classified action has to say, whichever service it is of."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified, qualified_names
from tableguard.aws.services import ACTIONS_BY_SERVICE
from tests.project.test_layout import LIBRARY

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


def test_an_action_stands_once() -> None:
    row = classified("s3", "PutObject GetObject", Category.READ, Effect.REVEALS_ITEMS, on="object")
    assert list(by_name(row)) == ["PutObject", "GetObject"]
    with pytest.raises(ValueError, match="s3:PutObject stands twice in constructs/tableguard/aws/s3"):
        by_name([*classified("s3", "PutObject GetObject PutObject", Category.READ, Effect.REVEALS_ITEMS)])


def test_actions_are_found_by_what_they_can_do_and_where() -> None:
    table = by_name(
        [
            *classified("s3", "ReplaceAll", Category.TAGS, Effect.CHANGES_ACCESS, on="bucket object"),
            *classified(
                "s3", "Relax", Category.SETTINGS, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, on="bucket"
            ),
            *classified("s3", "Block", Category.POLICY, Effect.CHANGES_ACCESS),
            *classified("s3", "Look", Category.SETTINGS, Effect.HARMLESS, on="bucket"),
        ]
    )
    assert qualified_names(table, Effect.CHANGES_ACCESS) == ("s3:Block", "s3:Relax", "s3:ReplaceAll")
    assert qualified_names(table, Effect.CHANGES_PROTECTION, Effect.MAKES_COPY) == ("s3:Relax",)
    assert qualified_names(table, Effect.CHANGES_ACCESS, on="object") == ("s3:ReplaceAll",)
    assert qualified_names(table, Effect.CHANGES_ACCESS, on="") == ("s3:Block",)
    assert qualified_names(table, Effect.CHANGES_ACCESS, on="bucket", but=(Category.TAGS,)) == ("s3:Relax",)


@pytest.mark.parametrize("service", ACTIONS_BY_SERVICE)
def test_the_rows_of_a_table_are_in_alphabetical_order(service: str) -> None:
    tree = ast.parse((LIBRARY / "aws" / f"{service}.py").read_text())
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_actions"
    ]
    rows = [str(node.args[0].value).split() for node in calls if isinstance(node.args[0], ast.Constant)]
    assert len(rows) > 5
    assert [row for row in rows if row != sorted(row)] == []
