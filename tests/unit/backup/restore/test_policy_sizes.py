"""The policy of a restored table has room for the longest name that an execution may give it."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

import tableguard as tg
from tableguard.backup.restore.blueprint_policy import BlueprintPolicy
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tableguard.backup.restore.templates import PLACEHOLDER
from tableguard.policy.documents import minified
from tests.unit.backup.restore.support import VAULT, definition, restore, vault_stack

POLICY = BlueprintPolicy(restrictions=[tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])])
BLUEPRINT = TableBlueprint(partition_key={"pk": "S"}, policy=POLICY)


def size(name: str) -> int:
    """What the policy is long when an execution gives this name, and roles have the longest names of CloudFormation."""
    vault = vault_stack()
    restore(vault, blueprint=BLUEPRINT)
    template = minified(definition(vault)["States"]["Start"]["Assign"]["template"]["policy"])
    text = re.sub(r"<\w+\.Arn>", f"arn:aws:iam::{VAULT}:role/{'r' * 64}", template.replace(PLACEHOLDER, name))
    assert json.loads(text)["Statement"]
    return len(text)


def made(most: int, **options: Any) -> Any:
    limits = tg.Limits()
    limits = dataclasses.replace(limits, table=dataclasses.replace(limits.table, size=most))
    return restore(vault_stack(), blueprint=BLUEPRINT, limits=limits, **options)


@pytest.mark.parametrize(
    ("options", "longest"),
    [
        ({}, "restored-".ljust(255, "x")),
        ({"table_prefix": None, "table_names": ["again", "orders-once-more"]}, "orders-once-more"),
    ],
)
def test_it_is_measured_with_the_longest_name(options: dict[str, Any], longest: str) -> None:
    needed = size(longest)
    assert made(needed, **options).definition()
    with pytest.raises(tg.PolicyTooLargeError, match=f"{needed:,} bytes"):
        made(needed - 1, **options).definition()
