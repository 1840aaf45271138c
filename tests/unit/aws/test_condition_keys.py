"""Condition keys: what the tables say of each, and that the library's conditions are written accordingly."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tableguard.aws import dynamodb
from tableguard.aws.condition_keys import CONDITION_KEYS, About, ConditionKey, KeyType, keys_about
from tableguard.evaluation import Request
from tests.project.test_layout import LIBRARY

_OPERATORS = {
    "Arn": {KeyType.ARN},
    "Bool": {KeyType.BOOL},
    "Date": {KeyType.DATE},
    "IpAddress": {KeyType.IP_ADDRESS},
    "NotIpAddress": {KeyType.IP_ADDRESS},
    "Null": set(KeyType),
    "Numeric": {KeyType.NUMERIC},
    # The text of an ARN, compared as it stands.
    "String": {KeyType.STRING, KeyType.ARN},
}


def written() -> Iterator[tuple[str, str, ConditionKey]]:
    """The operators and keys of conditions that the code writes out: Clause("StringEquals", "aws:SourceVpc", …)."""
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Clause":
                operator, key = (each.value if isinstance(each, ast.Constant) else None for each in node.args[:2])
                if isinstance(operator, str) and isinstance(key, str) and key.lower() in CONDITION_KEYS:
                    yield path.name, operator, CONDITION_KEYS[key.lower()]


def test_conditions_compare_lists_as_lists_and_single_values_as_such() -> None:
    """ForAllValues on a single value holds where the key is absent; none at all on a list never holds as meant."""
    found = list(written())
    assert len(found) > 30
    assert any(key.multivalued for _, _, key in found)
    wrong = [
        (path, operator, key.name)
        for path, operator, key in found
        if operator != "Null" and operator.startswith("For") is not key.multivalued
    ]
    assert wrong == []


def test_conditions_compare_values_of_a_kind() -> None:
    wrong = []
    for path, operator, key in written():
        bare = operator.rsplit(":", 1)[-1]
        kinds = next(kinds for name, kinds in _OPERATORS.items() if bare.startswith(name))
        wrong += [(path, operator, key.name)] if key.type not in kinds else []
    assert wrong == []


def test_a_request_tells_its_network_by_these_keys_alone() -> None:
    assert keys_about(About.NETWORK) == {
        "aws:sourceip", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid",
        "aws:vpceorgpaths", "aws:vpcsourceip",
    }  # fmt: skip


def test_what_follows_from_who_asks_is_about_the_caller() -> None:
    """The evaluation fills these in by itself, whatever the request says."""
    for principal in ("arn:aws:iam::111122223333:user/ada", "replication.dynamodb.amazonaws.com"):
        request = Request(principal=principal, action="dynamodb:GetItem", resource="*", resource_account="111122223333")
        filled = set(request.situation.context)
        assert filled <= keys_about(About.CALLER, About.RESOURCE)


@pytest.mark.parametrize("low", CONDITION_KEYS)
def test_each_key_is_found_by_its_name_in_lower_case(low: str) -> None:
    key = CONDITION_KEYS[low]
    assert key.low == low == key.name.lower()
    service = low.split(":", maxsplit=1)[0]
    assert all(action.split(":")[0] == service for action in key.actions)
    assert key.actions or service in ("aws", "lambda")


def test_fine_grained_keys_go_with_what_can_be_narrowed_by_them() -> None:
    by_key = {action.qualified for action in dynamodb.ACTIONS.values() if action.by_key}
    by_attribute = {action.qualified for action in dynamodb.ACTIONS.values() if action.by_attribute}
    assert CONDITION_KEYS["dynamodb:leadingkeys"].actions == by_key
    assert CONDITION_KEYS["dynamodb:attributes"].actions == by_attribute
    assert CONDITION_KEYS["dynamodb:select"].actions < by_attribute
    assert CONDITION_KEYS["dynamodb:returnvalues"].actions < by_attribute
