"""What could only fail on the day of a restore is said when the app is written, or its templates are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_kms as kms, aws_scheduler as scheduler

import tableguard as tg
from tableguard.backup.drill.canary import Canary, CanaryWriter
from tableguard.backup.drill.restore_drill import RestoreDrill
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tests.unit.backup.restore.support import SOURCE, VAULT, restore, vault_stack
from tests.unit.tables.support import OWNER, REGION, REPLICA, app, stack, table_v2

KEY_ID = "key/1234abcd-12ab-34cd-56ef-1234567890ab"
CANARY = Canary(key={"pk": {"S": "canary"}})


@pytest.mark.parametrize(
    ("account", "region", "wrong"),
    [(VAULT, REGION, None), (OWNER, REGION, f"account {OWNER}"), (VAULT, REPLICA, f"region {REPLICA}")],
)
def test_the_key_is_of_the_account_and_region_of_the_restore(account: str, region: str, wrong: str | None) -> None:
    vault = vault_stack()
    key = kms.Key.from_key_arn(vault, "Key", f"arn:aws:kms:{region}:{account}:{KEY_ID}")
    if wrong is None:
        assert restore(vault, encryption_key=key).encryption_key is key
        return
    with pytest.raises(tg.InvalidInputError, match=f"a key of {wrong}"):
        restore(vault, encryption_key=key)


def test_a_stack_without_an_account_believes_the_key() -> None:
    agnostic = cdk.Stack(app(), "Vault")
    key = kms.Key.from_key_arn(agnostic, "Key", f"arn:aws:kms:{REGION}:{VAULT}:{KEY_ID}")
    assert restore(agnostic, encryption_key=key).encryption_key is key


@pytest.mark.parametrize(("count", "fits"), [(46, True), (47, False)])
def test_the_restore_s_own_tags_have_room(count: int, fits: bool) -> None:
    table = table_v2(stack(), tags=[cdk.CfnTag(key=f"k{number}", value="v") for number in range(count)])
    if fits:
        assert len(TableBlueprint.like(table).blueprint().tags) == count
        return
    with pytest.raises(tg.InvalidInputError, match="46 at most"):
        TableBlueprint.like(table).blueprint()


def drill(**options: Any) -> RestoreDrill:
    vault = vault_stack()
    given = {
        "schedule": scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        "alarm_after": cdk.Duration.days(2),
        **options,
    }
    return RestoreDrill(vault, "Drill", restore=restore(vault), **given)


@pytest.mark.parametrize(
    "key",
    [
        {"id": {"S": "canary"}},
        {"pk": {"N": "1"}},
        {"pk": {"S": "canary"}, "sk": {"S": "canary"}},
    ],
)
def test_a_canary_has_the_key_of_restored_tables(key: dict[str, dict[str, str]]) -> None:
    with pytest.raises(tg.InvalidInputError, match="the key of restored tables"):
        drill(canary=Canary(key=key))


def test_a_canary_of_that_key_is_looked_for() -> None:
    assert drill(canary=CANARY).table_prefix == "restored-drill-"


@pytest.mark.parametrize(
    ("every", "alarm_after", "fits"),
    [
        (cdk.Duration.days(7), cdk.Duration.days(2), False),
        (cdk.Duration.days(7), cdk.Duration.days(7), False),
        (cdk.Duration.days(7), cdk.Duration.days(8), True),
        (cdk.Duration.hours(3), cdk.Duration.hours(2), False),
    ],
)
def test_the_alarm_of_a_drill_is_silent_between_two(every: cdk.Duration, alarm_after: cdk.Duration, fits: bool) -> None:
    options = {"schedule": scheduler.ScheduleExpression.rate(every), "alarm_after": alarm_after}
    if fits:
        assert drill(**options).alarms
        return
    with pytest.raises(tg.InvalidInputError, match="between two drills"):
        drill(**options)


def test_a_cron_expression_is_believed() -> None:
    assert drill(schedule=scheduler.ScheduleExpression.cron(hour="3", minute="0")).alarms


@pytest.mark.parametrize(
    ("where", "wrong"),
    [({"account": VAULT}, f"account {OWNER}"), ({"region": REPLICA}, f"region {REGION}")],
)
def test_a_canary_is_written_in_the_account_and_region_of_its_table(where: dict[str, str], wrong: str) -> None:
    whole = app()
    table = table_v2(stack(whole))
    with pytest.raises(tg.InvalidInputError, match=wrong):
        CanaryWriter(stack(whole, "Elsewhere", **where), "Canary", table=table, canary=CANARY)


def rewinding(data: cdk.Stack, table: Any, role_name: str | None) -> tg.Exemption | None:
    made = restore(
        data, blueprint=TableBlueprint.like(table), sealed=None, point_in_time=SOURCE, source=None, role_name=role_name
    )
    return made.exemption("a restore") if role_name is not None else None


def writing(data: cdk.Stack, table: Any, role_name: str | None) -> tg.Exemption | None:
    made = CanaryWriter(data, "Canary", table=table, canary=CANARY, role_name=role_name)
    return made.exemption("a canary") if role_name is not None else None


@pytest.mark.parametrize(
    ("work", "action"), [(rewinding, "ExportTableToPointInTime"), (writing, "PutItem")], ids=["restore", "canary"]
)
@pytest.mark.parametrize(
    ("role_name", "exempt"), [("works-here", True), ("works-here", False), (None, False)], ids=["let", "not", "unnamed"]
)
def test_a_perimeter_has_to_let_through_whoever_works_at_its_table(
    work: Callable[[cdk.Stack, Any, str | None], tg.Exemption | None], action: str, role_name: str | None, exempt: bool
) -> None:
    whole = app()
    data = stack(whole)
    table = table_v2(
        data,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
    )
    exemption = work(data, table, role_name)
    perimeter = tg.Perimeter(
        networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")],
        exemptions=[exemption] if exempt and exemption is not None else [],
    )
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=perimeter)
    if exempt:
        whole.synth()
        return
    with pytest.raises(RuntimeError, match=f"an exemption for .*{action}"):
        whole.synth()


def test_a_table_without_a_perimeter_needs_no_exemption() -> None:
    whole = app()
    data = stack(whole)
    table = table_v2(data)
    rewinding(data, table, None)
    writing(data, table, None)
    whole.synth()
