"""A drill of a table with a perimeter: its roles are let through to the drill's table, and nobody else is."""

from __future__ import annotations

import json
import re

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler

import tableguard as tg
from tableguard.backup.drill.restore_drill import RestoreDrill
from tableguard.backup.restore.blueprint_policy import BlueprintPolicy
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tests.unit.backup.restore.support import VAULT, Json, definition, rendered, restore, vault_stack
from tests.unit.tables.support import REGION, allowed, denied, role

DRILLED = f"arn:aws:dynamodb:{REGION}:{VAULT}:table/restored-drill-1"
DEPLOYS = tg.Exemption(
    principal=tg.Role(account=VAULT, name="deployer"),
    actions=tg.RestrictedActions.DEPLOYMENT | tg.RestrictedActions.SETTINGS,
    reason="deploys",
)
PERIMETER = tg.Perimeter(
    networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")], exemptions=[DEPLOYS], settings_too="nobody outside may look"
)


@pytest.fixture(scope="module")
def machine() -> Json:
    vault = vault_stack()
    made = restore(
        vault, blueprint=TableBlueprint(partition_key={"pk": "S"}, policy=BlueprintPolicy(restrictions=[PERIMETER]))
    )
    RestoreDrill(
        vault,
        "Drill",
        restore=made,
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
    )
    return definition(vault)


CLEANING = ("ListTagsOfResource", "DescribeTable", "DeleteTable")
WORK = [
    ("DrillDigestRole", "Scan"),
    ("DrillLookRole", "GetItem"),
    *(("DrillMachineRole", action) for action in CLEANING),
    *(("DrillWatchRole", action) for action in CLEANING),
    ("RestoreLoadRole", "BatchWriteItem"),
    ("RestoreDigestRole", "Scan"),
    ("RestoreMachineRole", "ListTagsOfResource"),
]


@pytest.mark.parametrize(("who", "action"), WORK)
def test_a_drill_is_let_through_to_its_own_table(machine: Json, who: str, action: str) -> None:
    policy = rendered(machine, "policy", "restored-drill-1")
    (arn,) = set(re.findall(rf"arn:aws:iam::{VAULT}:role/{who}\w{{8}}", json.dumps(policy)))
    allowed(None, action, principal=arn, identity="any", resource=DRILLED, table_policy=policy)
    # Once a table that was not restored for a drill is verified, they are kept out as well.
    final = rendered(machine, "final", "restored-drill-1")
    denied(None, action, principal=arn, identity="any", resource=DRILLED, table_policy=final)


@pytest.mark.parametrize("action", sorted({action for _, action in WORK}))
def test_nobody_else_is(machine: Json, action: str) -> None:
    policy = rendered(machine, "policy", "restored-drill-1")
    anybody = role("anybody", VAULT)
    denied(None, action, principal=anybody, identity="any", resource=DRILLED, table_policy=policy)
