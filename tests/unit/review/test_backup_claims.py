"""Backups that do not fit together, or that are less than their metadata claims, are findings; what fits is none."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.review.report import Review
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
    schedule,
    vault,
)
from tests.unit.review.support import OWNER, TABLE, Json, claiming, document, reviewed, stack, table


def findings(found: Review) -> list[tuple[str, str]]:
    return [(each.kind.value, each.message) for each in found.findings]


def of_sealed(**lock: Any) -> Json:
    made: Json = vault()["Sealed"]
    return {**made, "Properties": {"BucketName": SEALED, **lock}}


@pytest.mark.parametrize(
    ("lock", "real"),
    [
        (locked("GOVERNANCE"), "locked for 35 days (governance"),
        (locked("COMPLIANCE", Days=7), "locked for 7 days (compliance"),
        ({**locked(), "ObjectLockEnabled": False}, "not locked"),
        ({}, "not locked"),
    ],
)
def test_a_sealed_bucket_that_is_weaker_than_its_metadata(lock: Json, real: str) -> None:
    found = findings(review_of(None, vault(Sealed=of_sealed(**lock))))
    (message,) = [message for kind, message in found if kind == "metadata" and SEALED in message]
    assert f"the metadata says that bucket {SEALED} is locked for 35 days (compliance" in message
    assert f"and it is {real}" in message


@pytest.mark.parametrize("lock", [locked(), locked("COMPLIANCE", Years=1)])
def test_a_sealed_bucket_that_is_as_strong_or_stronger(lock: Json) -> None:
    assert findings(review_of(None, vault(Sealed=of_sealed(**lock)))) == []


def test_an_immutable_bucket_that_is_weaker_than_its_metadata() -> None:
    made = bucket("kept", {"immutable": {"mode": "COMPLIANCE", "days": 30}}, **locked("GOVERNANCE", Days=30))
    assert [kind for kind, _ in findings(reviewed(stack(B=made)))] == ["metadata"]


@pytest.mark.parametrize("grace", [None, 30])
def test_a_vault_of_aws_backup_that_is_weaker_than_its_metadata(grace: int | None) -> None:
    lock = {"MinRetentionDays": 7, "ChangeableForDays": grace}
    claim = {"vault": {"lock": "COMPLIANCE", "min_days": 7, "changeable_for_days": 14}}
    made = {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "kept", "LockConfiguration": lock}}
    found = findings(reviewed(stack(V={**made, **claiming(**claim)})))
    assert [kind for kind, _ in found] == ["metadata"]
    assert "vault kept is locked for 7 days (compliance" in found[0][1]


class TestExports:
    def test_a_table_without_recovery_cannot_be_exported(self) -> None:
        off = table(PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})
        assert findings(review_of(data(T=off))) == [
            ("backup", "orders is exported, and its point-in-time recovery is off: every export fails")
        ]

    @pytest.mark.parametrize(
        "every",
        [
            None,
            schedule("rate(60 minutes)", MACHINE, f'{{"table": "{TABLE}"}}', State="DISABLED"),
            schedule("rate(60 minutes)", MACHINE, f'{{"table": "{TABLE}2"}}'),
            schedule("rate(60 minutes)", MACHINE, "no JSON"),
            schedule("rate(60 minutes)", f"{MACHINE}2", f'{{"table": "{TABLE}"}}'),
        ],
    )
    def test_nothing_starts_it(self, every: Json | None) -> None:
        said = "the metadata says that orders is exported, and no schedule starts that"
        assert findings(review_of(data(Every=every))) == [("backup", said)]

    @pytest.mark.parametrize("target", [{"Ref": "Machine"}, {"Fn::GetAtt": ["Machine", "Arn"]}, MACHINE])
    def test_however_its_schedule_names_it(self, target: Any) -> None:
        every = schedule("rate(60 minutes)", target, f'{{"table": "{TABLE}"}}')
        assert findings(review_of(data(Every=every))) == []

    def test_less_often_than_the_metadata_says(self) -> None:
        every = schedule("rate(1 day)", MACHINE, f'{{"table": "{TABLE}"}}')
        said = "the metadata says that orders is exported every 1 h, and its schedule starts that every 1 day"
        assert findings(review_of(data(Every=every))) == [("metadata", said)]

    @pytest.mark.parametrize("rules", [[], [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::other"}}]])
    def test_a_landing_bucket_that_is_not_replicated_as_it_says(self, rules: list[Json]) -> None:
        off = changed(data()["Landing"], "Properties", "ReplicationConfiguration", "Rules", to=rules)
        (found,) = findings(review_of(data(Landing=off)))
        assert found[0] == "metadata"
        assert f"bucket {LANDING} is replicated to {INTAKE} of {VAULT}, and no enabled rule" in found[1]

    def test_keys_that_the_rule_leaves_out(self) -> None:
        path = ("Properties", "ReplicationConfiguration", "Rules", "0", "Filter", "Prefix")
        said = "exports of orders are not replicated: the rule is about keys below other/"
        assert ("backup", said) in findings(review_of(data(Landing=changed(data()["Landing"], *path, to="other/"))))
        fits = changed(data()["Landing"], *path, to=f"{OWNER}/")
        assert findings(review_of(data(Landing=fits))) == []

    def test_locks_that_end_before_the_next_full_export(self) -> None:
        sealed = of_sealed(**locked("COMPLIANCE", Days=3))
        claims = changed(sealed, "Metadata", "tableguard", "sealed", "days", to=3)
        (found,) = findings(review_of(None, vault(Sealed=claims)))
        assert found[0] == "backup"
        assert "lock them for longer, or export in full more often" in found[1]


class TestVaults:
    def test_a_vault_that_names_and_takes_another_role(self) -> None:
        other = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OWNER}:role/other"},
            "Action": "s3:ReplicateObject",
            "Resource": f"arn:aws:s3:::{INTAKE}/*",
        }
        path = ("Metadata", "tableguard", "sealed", "sources", "0", "role")
        made = vault(
            Sealed=changed(vault()["Sealed"], *path, to="other"),
            IntakePolicy=changed(vault()["IntakePolicy"], "Properties", "PolicyDocument", to=document(other)),
        )
        said = (
            f"bucket {INTAKE} of {VAULT} takes no exports of orders from role replicator of {OWNER}; the vault names"
            " role other"
        )
        assert findings(review_of(None, made)) == [("backup", said)]

    def test_only_the_metadata_names_another_role(self) -> None:
        path = ("Metadata", "tableguard", "sealed", "sources", "0", "role")
        found = findings(review_of(None, vault(Sealed=changed(vault()["Sealed"], *path, to="other"))))
        said = f"the metadata of the vault names role other, and exports of orders come from role replicator of {OWNER}"
        assert found == [("metadata", said)]

    @pytest.mark.parametrize(
        "policy",
        [
            None,
            changed(
                vault()["IntakePolicy"], "Properties", "PolicyDocument", "Statement", "0", "Resource",
                to=f"arn:aws:s3:::{INTAKE}/{OWNER}/*/items/*",
            ),
            changed(vault()["IntakePolicy"], "Properties", "PolicyDocument", "Statement", "0", "Effect", to="Deny"),
        ],
    )  # fmt: skip
    def test_an_intake_that_refuses_the_table(self, policy: Json | None) -> None:
        said = f"bucket {INTAKE} of {VAULT} takes no exports of orders from role replicator of {OWNER}"
        assert findings(review_of(None, vault(IntakePolicy=policy))) == [("backup", said)]

    def test_a_role_that_is_none(self) -> None:
        off = changed(data()["Landing"], "Properties", "ReplicationConfiguration", "Role", to="no role")
        assert [kind for kind, _ in findings(review_of(data(Landing=off)))] == ["backup"]

    def test_what_cannot_be_decided_before_deployment_is_no_finding(self) -> None:
        path = ("Properties", "PolicyDocument", "Statement", "0", "Condition")
        unknown = {"ArnEquals": {"aws:PrincipalArn": {"Fn::ImportValue": "role"}}}
        made = vault(IntakePolicy=changed(vault()["IntakePolicy"], *path, to=unknown))
        assert findings(review_of(None, made)) == []


class TestDrills:
    def test_a_drill_that_nothing_starts(self) -> None:
        parts = drill()
        del parts["Weekly"]
        (found,) = findings(review_of(None, {**vault(), **parts}))
        assert found == (
            "metadata",
            "the metadata says that a drill of orders is made by rate(7 days), and no schedule starts it",
        )

    def test_a_drill_that_is_started_otherwise(self) -> None:
        (found,) = findings(review_of(None, {**vault(), **drill(schedule="rate(1 day)")}))
        assert found == (
            "metadata",
            "the metadata says that a drill of orders is made by rate(1 day), and what starts it says rate(7 days)",
        )

    def test_on_demand_backups_that_nothing_starts(self) -> None:
        made = machine(on_demand={"tables": [TABLE], "schedule": "rate(1 day)", "keep_days": 30})
        assert [kind for kind, _ in findings(reviewed(stack(T=table(), M=made)))] == ["metadata"]


@pytest.mark.parametrize(("days", "fits"), [(7, True), (6, False)])
def test_backups_that_their_vault_does_not_take(days: int, fits: bool) -> None:
    made = stack(**plan(rule(copied(), Lifecycle={"DeleteAfterDays": days})))
    said = "backups are kept for 6 days, and vault kept takes none under 7 days: they all fail"
    assert findings(reviewed(made)) == ([] if fits else [("backup", said)])
