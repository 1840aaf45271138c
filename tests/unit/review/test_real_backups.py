"""The design of docs/backups.md, synthesized by the CDK as one app: what the review and the disasters say of it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

import tableguard as tg
from tableguard.review.assembly import read_assembly
from tableguard.review.collect import collect
from tableguard.review.disaster import Disaster, disasters
from tableguard.review.disaster_output import disasters_as_text
from tableguard.review.picture import Picture
from tableguard.review.report import Review, TableReview, WarningKind
from tableguard.review.review import review
from tests.project.machine import ROOT

DATA, VAULT, RECOVERY, REGION = "444455556666", "777788889999", "555566667777", "us-east-1"
TODAY = dt.date(2026, 11, 21)


def synthesized(*kept: str) -> tuple[Review, Picture]:
    """The guide's stacks in one app, or those of them that are kept."""
    guide = (ROOT / "docs" / "backups.md").read_text(encoding="utf-8")
    namespace: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE):
        one = re.sub(r"^(?:vault|recovery)_app = cdk\.App\(\)$", "", block, flags=re.MULTILINE)
        one = one.replace("vault_app", "app").replace("recovery_app", "app")
        exec(compile(one, "backups.md", "exec"), namespace)  # noqa: S102 - running the guide is the point
    app = namespace["app"]
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    dynamodb.TableV2(namespace["data"], "Bare", table_name="bare", partition_key=key)
    read = [each for each in read_assembly(Path(app.synth().directory)) if not kept or each.name in kept]
    picture = collect(read)
    return review(picture, read, today=TODAY), picture


@pytest.fixture(scope="module")
def whole() -> tuple[Review, Picture]:
    return synthesized()


def orders(found: Review) -> TableReview:
    (only,) = [each for each in found.tables if each.table.name == "orders"]
    return only


def test_the_guides_design_fits_together(whole: tuple[Review, Picture]) -> None:
    found, _ = whole
    assert [(each.kind.value, each.message) for each in found.findings] == []
    roads = orders(found).backups.roads
    assert [(road.kind.value, road.account) for road in roads] == [
        ("point-in-time recovery", DATA),
        ("sealed exports", VAULT),
    ]
    assert (roads[1].loses_minutes, roads[1].alarm_minutes) == (65, 240)
    assert roads[1].lock is not None
    assert (roads[1].lock.mode, roads[1].lock.days) == ("GOVERNANCE", 7)
    assert [each.account for each in orders(found).backups.restores] == [RECOVERY]
    assert [(each.account, each.canary) for each in orders(found).backups.drills] == [(RECOVERY, True)]


def test_tables_without_backup_are_named_and_the_ledger_is_none_of_them(whole: tuple[Review, Picture]) -> None:
    named = [each.message.split()[0] for each in whole[0].warnings if each.kind is WarningKind.NO_BACKUP]
    assert named == ["bare"]


def test_what_is_left_after_the_worst(whole: tuple[Review, Picture]) -> None:
    (outcomes,) = [each.outcomes for each in disasters(whole[1]) if each.table.name == "orders"]
    by = {each.disaster: each for each in outcomes}
    assert by[Disaster.TAKEN].left[0].startswith("sealed exports in acme-sealed-777788889999")
    assert by[Disaster.TAKEN].do[-1].startswith(f"start the restore machine of {RECOVERY}")
    # Governance mode stands against the data account, and not against whoever has all of them.
    assert by[Disaster.MANAGEMENT].loses == "everything"
    assert max(map(len, disasters_as_text(disasters(whole[1])).splitlines())) <= 80


def test_the_data_account_alone_knows_that_there_is_a_vault_and_not_what_it_does() -> None:
    found, picture = synthesized("Data")
    assert found.findings == ()
    (_, road) = orders(found).backups.roads
    assert (road.account, road.known, road.lock) == (VAULT, False, None)
    (outcomes,) = [each.outcomes for each in disasters(picture) if each.table.name == "orders"]
    taken = next(each for each in outcomes if each.disaster is Disaster.TAKEN)
    assert taken.left[0].startswith("perhaps replicated exports in acme-intake-777788889999")


def test_a_plan_of_aws_backup_and_on_demand_backups(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "out"))
    data = cdk.Stack(app, "Data", env=cdk.Environment(account=DATA, region=REGION))
    other = cdk.Stack(app, "Vault", env=cdk.Environment(account=VAULT, region=REGION))
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    tables = [dynamodb.TableV2(data, name, table_name=name, partition_key=key) for name in ("planned", "plain")]
    lock = tg.VaultLock.compliance(at_least_days=7, at_most_days=400, changeable_for_days=14, acknowledge="ticket 42")
    kept = tg.LockedBackupVault(other, "Vault", vault_name="safe", lock=lock)
    own = tg.LockedBackupVault(data, "Vault", vault_name="own", lock=lock, copies_to=[kept.reference])
    tg.TableBackupPlan(
        data,
        "Plan",
        tables=[tables[0]],
        vault=own,
        rules=[
            tg.BackupRule(
                name="daily",
                schedule="cron(0 5 ? * * *)",
                keep_days=35,
                copies=[tg.VaultCopy(to=kept.reference, keep_days=100)],
            )
        ],
        plan_name="daily",
        role_name="backups",
        advanced="turned on by the platform team",
        alarm_after=cdk.Duration.hours(34),
    )
    tg.OnDemandBackups(
        data,
        "Simple",
        tables=[tables[1]],
        name_prefix="plain",
        role_name="simple",
        schedule="cron(0 5 * * ? *)",
        keep_days=30,
        alarm_after=cdk.Duration.hours(30),
    )
    read = read_assembly(Path(app.synth().directory))
    found = review(collect(read), read, today=TODAY)
    assert [each.message for each in found.findings] == []
    said = {
        each.table.name: [
            (road.kind.value, road.account, road.known, road.lock.grace_days if road.lock else None)
            for road in each.backups.roads
        ]
        for each in found.tables
    }
    assert said == {
        "planned": [("AWS Backup", DATA, True, 14), ("copies by AWS Backup", VAULT, True, 14)],
        "plain": [("on-demand backups", DATA, True, None)],
    }
