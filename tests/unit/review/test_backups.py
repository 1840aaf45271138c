"""What a review says of the backups of tables, from assemblies of every shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tableguard.review.as_json import as_json
from tableguard.review.as_markdown import as_markdown
from tableguard.review.as_text import as_text
from tableguard.review.backups import TableBackups
from tableguard.review.report import Review, WarningKind
from tests.unit.review.backup_support import (
    INTAKE,
    LANDING,
    MACHINE,
    SEALED,
    VAULT,
    bucket,
    changed,
    copied,
    data,
    drill,
    locked,
    machine,
    plan,
    review_of,
    rule,
    safe,
    schedule,
    vault,
)
from tests.unit.review.support import OWNER, REGION, TABLE, claiming, reviewed, stack, table
from tests.unit.review.test_schema import REVIEW, problems

OFF = {"PointInTimeRecoveryEnabled": False}


def of(found: Review, name: str = "orders") -> TableBackups:
    (only,) = [each.backups for each in found.tables if each.table.name == name]
    return only


def roads(found: Review) -> list[tuple[str, str | None, bool]]:
    return [(road.kind.value, road.account, road.known) for road in of(found).roads]


def without_backup(found: Review) -> list[str]:
    return [each.message.split()[0] for each in found.warnings if each.kind is WarningKind.NO_BACKUP]


def said(found: Review) -> str:
    """The text, without its line breaks."""
    return " ".join(as_text(found, width=120).split())


def test_the_parts_of_two_accounts_are_taken_together() -> None:
    found = review_of()
    assert [each.message for each in found.findings] == []
    assert roads(found) == [("point-in-time recovery", OWNER, True), ("sealed exports", VAULT, True)]
    sealed = of(found).roads[1]
    assert (sealed.where, sealed.loses_minutes, sealed.alarm_minutes) == (SEALED, 65, 360)
    assert sealed.reaches_minutes == (35 - 3) * 1440
    assert without_backup(found) == []


def test_the_text_of_a_table_with_everything() -> None:
    lines = as_text(review_of(), width=80).splitlines()
    assert (
        lines[1:]
        == """\
  Nobody has access, as far as the templates tell.
   pitr     back to any second of the last 35 days, in its own account
   export   every 1 h, in full every 3 days, to acme-landing
   export   sealed exports in acme-sealed of 777788889999, locked for 35 days
            (compliance: nobody can lift that), one of today until 2026-12-26
   restore  from acme-sealed in 777788889999, into new-*
   drill    in 777788889999, every 7 days, with a canary, an alarm after 8 days
            without a good one
   loses    by point-in-time recovery: about 5 min, the latest moment that
            DynamoDB can restore is typically that far behind
   loses    by sealed exports: up to 1 h 5 min and the time to export, replicate
            and seal it, what was written since the end of the last window that
            has arrived there; an alarm after 6 h without one

1 table, 0 principals, 0 findings, 0 warnings, 0 not known, on 2026-11-21""".splitlines()
    )
    assert max(map(len, lines)) <= 80


def test_markdown_and_json_say_the_same() -> None:
    found = review_of()
    assert "- export: sealed exports in acme-sealed of 777788889999, locked for 35 days" in as_markdown(found)
    written = json.loads(json.dumps(as_json(found)))
    assert list(problems(written, REVIEW)) == []
    backups = written["tables"][0]["backups"]
    assert backups["roads"][1]["lock"] == {"mode": "COMPLIANCE", "days": 35, "grace_days": 0}
    assert backups["drills"] == [
        {"account": VAULT, "schedule": "rate(7 days)", "canary": True, "sealed_by": None, "alarm_after_minutes": 11520}
    ]
    assert backups["none"] is False


def test_a_vault_of_another_app_is_not_known_and_is_not_none() -> None:
    found = reviewed(stack(**data()))
    assert roads(found)[1] == ("replicated exports", VAULT, False)
    assert of(found).roads[1].lock is None
    assert "acme-intake of 777788889999, which is not in this assembly: whether and how long it locks" in said(found)
    assert "drill none in this assembly: nobody knows" in said(found)


def test_a_vault_that_waits_for_exports_which_nothing_here_sends() -> None:
    found = reviewed(stack(T=table(PointInTimeRecoverySpecification=OFF)), stack("Vault", VAULT, **vault()))
    assert roads(found) == []
    assert without_backup(found) == []
    assert f"the vault {SEALED} of {VAULT} takes it; what sends it is not in this assembly" in said(found)


def test_a_vault_that_takes_all_of_an_account_says_nothing_of_one_table() -> None:
    every = changed(vault()["Sealed"], "Metadata", "tableguard", "sealed", "sources", "0", "tables", to=None)
    stacks = (stack(T=table(PointInTimeRecoverySpecification=OFF)), stack("Vault", VAULT, **vault(Sealed=every)))
    assert without_backup(reviewed(*stacks)) == ["orders"]


class TestNone:
    @pytest.mark.parametrize("stated", [None, OFF, {}, {"PointInTimeRecoveryEnabled": "false"}])
    def test_a_table_without_any_is_named_and_that_is_no_finding(self, stated: Any) -> None:
        found = reviewed(stack(T=table(PointInTimeRecoverySpecification=stated)))
        assert without_backup(found) == ["orders"]
        assert found.findings == ()
        # An app without backups has no lines about them.
        assert "backup none" not in said(found)

    def test_beside_a_table_with_one_its_own_line_says_so(self) -> None:
        bare = table(TableName="bare", PointInTimeRecoverySpecification=OFF)
        found = review_of({**data(), "Bare": bare})
        assert without_backup(found) == ["bare"]
        assert "backup none in this assembly" in said(found)

    def test_recovery_that_is_known_at_deployment_only_is_not_none(self) -> None:
        unknown = {"PointInTimeRecoveryEnabled": {"Ref": "Wanted"}}
        made = stack(
            T=table(PointInTimeRecoverySpecification=unknown), template={"Parameters": {"Wanted": {"Type": "String"}}}
        )
        found = reviewed(made)
        assert without_backup(found) == []
        assert "perhaps its point-in-time recovery is known at deployment only" in said(found)
        assert any("point-in-time recovery" in each.what for each in found.unknowns)

    def test_the_recovery_of_a_replica_counts_and_is_said(self) -> None:
        here = {"Region": REGION}
        there = {"Region": "us-west-2", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
        properties = {"TableName": "orders", "Replicas": [here, there]}
        found = reviewed(stack(T={"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}))
        assert without_backup(found) == []
        assert [each.backups.replicas for each in found.tables] == [("us-west-2",), ()]
        assert "pitr of its replica in us-west-2" in said(found)

    def test_the_recovery_of_a_replica_in_another_account_counts_too(self) -> None:
        there = {"Region": "us-west-2", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
        properties = {"TableName": "orders", "GlobalTableSourceArn": TABLE, "Replicas": [there]}
        replica = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}
        mine = stack(T=table(PointInTimeRecoverySpecification=OFF))
        found = reviewed(mine, stack("B", VAULT, "us-west-2", R=replica))
        assert [each.backups.replicas for each in found.tables] == [(f"us-west-2 of {VAULT}",), ()]
        assert without_backup(found) == []


class TestExports:
    def test_exports_that_stay_in_the_landing_bucket_are_not_locked(self) -> None:
        landing = bucket(LANDING)
        found = review_of(data(Landing=landing), {})
        assert roads(found)[1] == ("exports", OWNER, True)
        assert f"exports in {LANDING} of {OWNER}, not locked" in said(found)

    def test_one_stage_of_replication_into_a_locked_bucket(self) -> None:
        found = review_of(None, vault(Intake=bucket(INTAKE, **locked("GOVERNANCE", Years=1)), Sealed=None))
        road = of(found).roads[1]
        assert (road.kind.value, road.lock.mode, road.lock.days) == ("replicated exports", "GOVERNANCE", 365)  # type: ignore[union-attr]

    def test_a_rule_without_the_lock_enabled_locks_nothing(self) -> None:
        loose = {**locked(), "ObjectLockEnabled": False}
        found = review_of(None, vault(Intake=bucket(INTAKE, **loose), Sealed=None))
        assert of(found).roads[1].lock is None

    def test_a_bucket_of_another_app(self) -> None:
        found = review_of(data(Landing=None), {})
        assert roads(found)[1] == ("exports", None, False)

    def test_a_disabled_rule_replicates_nothing(self) -> None:
        off = changed(
            data()["Landing"], "Properties", "ReplicationConfiguration", "Rules", "0", "Status", to="Disabled"
        )
        found = review_of(data(Landing=off))
        assert roads(found)[1] == ("exports", OWNER, True)

    def test_an_export_of_a_table_that_is_not_known_is_said_of_every_table_there(self) -> None:
        export = changed(
            data()["Machine"], "Metadata", "tableguard", "export", "tables", to=[{"Fn::ImportValue": "elsewhere"}]
        )
        made = data(Machine=export, T=table(PointInTimeRecoverySpecification=OFF))
        found = review_of(made, {})
        assert of(found).perhaps == ("Machine exports a table that is known at deployment only",)
        assert without_backup(found) == []

    @pytest.mark.parametrize("claims", ["x", 7, [], None, {}, {"tables": "x"}, {"tables": [1], "every_minutes": "x"}])
    def test_broken_metadata_ends_in_no_error(self, claims: Any) -> None:
        found = review_of(data(Machine=machine("exports", export=claims)), {})
        assert all(kind != "sealed exports" for kind, _, _ in roads(found))
        as_text(found)

    @pytest.mark.parametrize("metadata", [{"export": {"tables": [TABLE]}}, {"version": 2}, "x"])
    def test_no_table_is_without_backup_beside_a_machine_whose_metadata_cannot_be_read(self, metadata: Any) -> None:
        made = {"Type": "AWS::StepFunctions::StateMachine", "Metadata": {"tableguard": metadata}}
        tables = {"T": table(PointInTimeRecoverySpecification=OFF)}
        found = review_of({**tables, "Machine": made}, {})
        said = "Machine of Data may keep a backup of it: what its metadata says cannot be read"
        assert (of(found).perhaps, without_backup(found)) == ((said,), [])
        assert len(without_backup(review_of({**tables, "Machine": machine()}, {}))) == 1

    @pytest.mark.parametrize("claims", ["x", {"sealed": "x"}, {"sealed": {"intake": 1}}, {"landing": {"vault": "x"}}])
    def test_broken_metadata_of_buckets_ends_in_no_error(self, claims: Any) -> None:
        found = review_of(data(Landing=bucket(LANDING, claims)), vault(Sealed=bucket(SEALED, claims)))
        assert "sealed exports" not in {kind for kind, _, _ in roads(found)}


class TestDrills:
    def test_a_drill_that_a_rule_of_events_starts(self) -> None:
        weekly = {"Type": "AWS::Events::Rule", "Properties": {
            "ScheduleExpression": "rate(7 days)", "Targets": [{"Arn": {"Ref": "Drill"}}]}}  # fmt: skip
        found = review_of(None, {**vault(), **drill(), "Weekly": weekly})
        assert found.findings == ()
        assert "drill in 777788889999, every 7 days" in said(found)

    def test_without_a_canary(self) -> None:
        assert "without a canary" in said(review_of(None, {**vault(), **drill(canary=False)}))

    def test_a_drill_that_leaves_out_what_is_newer(self) -> None:
        found = review_of(None, {**vault(), **drill(sealed_by="2026-11-22T10:00:00Z")})
        assert "but only of what was sealed by 2026-11-22T10:00:00Z" in said(found)
        assert "only of what was sealed by" not in said(review_of(None, {**vault(), **drill()}))


class TestAwsBackup:
    def test_a_plan_with_a_copy_in_another_account(self) -> None:
        found = reviewed(stack(**plan(rule(copied()))), stack("Vault", VAULT, Safe=safe()))
        assert roads(found) == [("AWS Backup", OWNER, True), ("copies by AWS Backup", VAULT, True)]
        first, second = of(found).roads
        assert first.lock is not None
        assert (first.lock.mode, first.lock.grace_days, first.loses_minutes) == ("COMPLIANCE", 14, 1500)
        assert (second.air_gapped, second.approval, second.reaches_minutes) == (True, True, 100 * 1440)
        text = said(found)
        assert "not yet immutable until 14 days after the vault was locked" in text
        assert "logically air-gapped, with multi-party approval" in text
        assert without_backup(found) == []

    def test_a_copy_into_a_vault_of_another_app(self) -> None:
        found = reviewed(stack(**plan(rule(copied()))))
        assert roads(found)[1] == ("copies by AWS Backup", VAULT, False)
        assert "safe of 777788889999, which is not in this assembly" in said(found)

    @pytest.mark.parametrize(
        ("lock", "mode"),
        [({"MinRetentionDays": 7}, "GOVERNANCE"), (None, None), ({"ChangeableForDays": 3}, "COMPLIANCE")],
    )
    def test_locks_of_vaults(self, lock: Any, mode: str | None) -> None:
        made = plan(rule())
        made["Kept"]["Properties"]["LockConfiguration"] = lock
        found = of(reviewed(stack(**made))).roads[0].lock
        assert (found.mode if found else None) == mode

    @pytest.mark.parametrize(
        ("selection", "selected", "perhaps"),
        [
            ({"Resources": ["*"]}, True, False),
            ({"Resources": [f"arn:aws:dynamodb:{REGION}:{OWNER}:table/ord*"]}, True, False),
            ({"Resources": [f"arn:aws:dynamodb:{REGION}:{OWNER}:table/items"]}, False, False),
            ({"Resources": ["*"], "NotResources": [TABLE]}, False, False),
            ({"Resources": ["*"], "ListOfTags": [{"ConditionKey": "backup"}]}, False, True),
            ({"ListOfTags": [{"ConditionKey": "backup"}], "NotResources": [TABLE]}, False, False),
            ({"Resources": [{"Fn::ImportValue": "x"}]}, False, True),
            ("x", False, False),
        ],
    )
    def test_what_a_plan_selects(self, selection: Any, selected: bool, perhaps: bool) -> None:
        found = reviewed(stack(**plan(rule(), selection=selection)))
        assert bool(of(found).plans) is selected
        assert bool(of(found).perhaps) is perhaps
        assert (without_backup(found) == []) is (selected or perhaps)

    def test_a_plan_of_another_account_selects_nothing_here(self) -> None:
        made = plan(rule(), selection={"Resources": ["*"]})
        found = reviewed(stack(T=made.pop("T")), stack("Other", VAULT, **made))
        assert of(found).plans == ()

    def test_restore_tests_are_drills(self) -> None:
        tests: dict[str, Any] = {
            "Tests": {"Type": "AWS::Backup::RestoreTestingPlan", "Properties": {
                "RestoreTestingPlanName": "weekly", "ScheduleExpression": "rate(7 days)"}},
            "Test": {"Type": "AWS::Backup::RestoreTestingSelection", "Properties": {
                "RestoreTestingPlanName": "weekly", "ProtectedResourceType": "DynamoDB",
                "ProtectedResourceArns": [{"Fn::GetAtt": ["T", "Arn"]}]}},
        }  # fmt: skip
        assert "drill restore test of AWS Backup in 111122223333, every 7 days" in said(
            reviewed(stack(**plan(rule()), **tests))
        )


def test_on_demand_backups() -> None:
    claims = {"tables": [TABLE], "schedule": "rate(1 day)", "keep_days": 30}
    made: dict[str, Any] = {"M": machine(on_demand=claims), "S": schedule("rate(1 day)", {"Ref": "M"})}
    found = reviewed(stack(T=table(PointInTimeRecoverySpecification=OFF), **made))
    assert found.findings == ()
    assert "on-demand backups in orders of 111122223333, kept for 30 days, not locked" in said(found)
    assert of(found).roads[0].loses_minutes == 1440
    assert MACHINE not in said(found)


def test_a_drill_that_is_paused_is_no_drill_every_seven_days() -> None:
    made = drill()
    made["Weekly"] = changed(made["Weekly"], "Properties", "State", to="DISABLED")
    found = review_of(None, {**vault(), **made})
    assert "drill in 777788889999, at no time: no enabled schedule starts it, with a canary" in said(found)


def test_the_alarms_of_plans_and_on_demand_backups_are_shown() -> None:
    made = plan(rule(copied()))
    made["Plan"] = {**made["Plan"], **claiming(plan={"alarm_after_minutes": 2040})}
    found = reviewed(stack(**made))
    assert [road.alarm_minutes for road in of(found).roads] == [2040, 2040]
    assert said(found).count("; an alarm after 34 h without one") == 2
    assert "an alarm" not in said(reviewed(stack(**plan(rule(copied())))))
    claims = {"tables": [TABLE], "schedule": "rate(1 day)", "keep_days": 30, "alarm_after_minutes": 2040}
    kept: dict[str, Any] = {"M": machine(on_demand=claims), "S": schedule("rate(1 day)", {"Ref": "M"})}
    once = reviewed(stack(T=table(PointInTimeRecoverySpecification=OFF), **kept))
    assert "; an alarm after 34 h without one" in said(once)


def test_who_may_read_what_is_sealed_is_shown() -> None:
    reader = f"arn:aws:iam::{VAULT}:role/backup-reader"
    sealed = changed(vault()["Sealed"], "Metadata", "tableguard", "sealed", "readers", to=[reader])
    found = review_of(None, {**vault(Sealed=sealed), **drill()})
    assert f"readers role backup-reader of {VAULT} may read {SEALED}, says the vault" in said(found)
    assert "readers" not in said(review_of())
