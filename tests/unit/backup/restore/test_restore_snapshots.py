"""Each construct twice: with the least that it takes, and with everything."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler, aws_sns as sns
from syrupy.assertion import SnapshotAssertion

from tableguard.backup.drill.canary import Canary, CanaryWriter
from tableguard.backup.drill.restore_drill import RestoreDrill
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tableguard.testing import template_snapshot
from tests.unit.backup.restore.support import SOURCE, Json, data_app, full_table, restore, vault_stack
from tests.unit.tables.support import OWNER, READER, REGION, app, stack, table_v2

DAILY = scheduler.ScheduleExpression.rate(cdk.Duration.days(1))


def of_drill(scope: cdk.Stack) -> Json:
    """What a drill adds: the restore that it drills stands in snapshots of its own."""
    resources = template_snapshot(scope)["Resources"]
    return {"Resources": {name: each for name, each in resources.items() if name.startswith("Drill")}}


def test_table_restore_least(template_snapshots: SnapshotAssertion) -> None:
    vault = vault_stack(app())
    restore(vault)

    assert vault == template_snapshots


def test_table_restore_everything(template_snapshots: SnapshotAssertion) -> None:
    _, data, _ = data_app()
    table = full_table(data)
    table.grant(READER)
    restore(
        data,
        blueprint=TableBlueprint.like(table),
        sealed=None,
        point_in_time=SOURCE,
        table_names=["orders-again"],
        role_name="restore-orders",
        files_at_once=10,
        segments=4,
        timeout=cdk.Duration.days(1),
    )

    assert data == template_snapshots


def test_restore_drill_least(template_snapshots: SnapshotAssertion) -> None:
    vault = vault_stack(app())
    RestoreDrill(vault, "Drill", restore=restore(vault), schedule=DAILY, alarm_after=cdk.Duration.days(2))

    assert of_drill(vault) == template_snapshots


def test_restore_drill_everything(template_snapshots: SnapshotAssertion) -> None:
    vault = vault_stack(app())
    RestoreDrill(
        vault,
        "Drill",
        restore=restore(vault),
        schedule=scheduler.ScheduleExpression.cron(minute="0", hour="3", time_zone=cdk.TimeZone.EUROPE_BERLIN),
        alarm_after=cdk.Duration.days(9),
        canary=Canary(key={"pk": {"S": "canary"}}),
        largest_fall=0.1,
        keep_failed=True,
        alarms_topic=sns.Topic.from_topic_arn(vault, "Topic", f"arn:aws:sns:{REGION}:{OWNER}:alarms"),
        timeout=cdk.Duration.hours(12),
    )

    assert of_drill(vault) == template_snapshots


def test_canary_writer(template_snapshots: SnapshotAssertion) -> None:
    data = stack(app())
    canary = Canary(key={"pk": {"S": "canary"}}, every_minutes=1)
    CanaryWriter(data, "Canary", table=table_v2(data), canary=canary, role_name="canary")

    assert data == template_snapshots
