"""What the tests of plans share: a vault, a copy, a plan with everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_sns as sns, aws_stepfunctions as sfn
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.tables.support import OWNER, PARTNER, REGION, Json, resolved, table_v2

SAFE: Final = tg.BackupVaultReference(account=PARTNER, region=REGION, name="safe", at_least_days=7, at_most_days=400)
LOCK: Final = tg.VaultLock.governance(at_least_days=7, at_most_days=90)
COMPLIANCE: Final = tg.VaultLock.compliance(
    at_least_days=7, at_most_days=90, changeable_for_days=14, acknowledge="ADR-1"
)
DAILY: Final = "cron(0 5 ? * * *)"
RULE: Final = tg.BackupRule(name="daily", schedule=DAILY, keep_days=35, copies=[tg.VaultCopy(to=SAFE, keep_days=100)])
ALONE: Final = tg.BackupRule(name="daily", schedule=DAILY, keep_days=35)
CHECK: Final = f"arn:aws:states:{REGION}:{OWNER}:stateMachine:check"


def vault(scope: cdk.Stack, **more: Any) -> tg.LockedBackupVault:
    given: dict[str, Any] = {"vault_name": "data", "lock": LOCK, "copies_to": [SAFE], **more}
    return tg.LockedBackupVault(scope, "Vault", **given)


def restore_testing(scope: cdk.Stack, **more: Any) -> tg.RestoreTesting:
    given: dict[str, Any] = {
        "name": "orders",
        "schedule": DAILY,
        "role_name": "test-restores",
        "validation": sfn.StateMachine.from_state_machine_arn(scope, "Check", CHECK),
        "alarm_after": cdk.Duration.hours(50),
        **more,
    }
    return tg.RestoreTesting(**given)


def plan(scope: cdk.Stack, **more: Any) -> tg.TableBackupPlan:
    given: dict[str, Any] = {
        "rules": [RULE],
        "plan_name": "orders",
        "role_name": "backups",
        "advanced": "turned on by the platform team, ticket 7",
        "alarm_after": cdk.Duration.hours(34),
        **more,
    }
    given["tables"] = given["tables"] if "tables" in given else [table_v2(scope)]
    given["vault"] = given["vault"] if "vault" in given else vault(scope)
    return tg.TableBackupPlan(scope, "Plan", **given)


def everything(scope: cdk.Stack) -> tg.TableBackupPlan:
    return plan(
        scope,
        vault=vault(scope, lock=COMPLIANCE),
        advanced=tg.AdvancedDynamoDbBackup(scope, "Advanced"),
        restore_testing=restore_testing(scope),
        alarms_topic=sns.Topic(scope, "Alarms"),
    )


def template(scope: cdk.Stack) -> Json:
    return dict(resolved(Template.from_stack(scope).to_json()))


def of_kind(found: Mapping[str, Any], kind: str, word: str = "") -> list[Json]:
    """The properties of the resources of a kind, those whose ids hold a word."""
    return [
        each.get("Properties", {}) for name, each in found["Resources"].items() if each["Type"] == kind and word in name
    ]


def only(found: Mapping[str, Any], kind: str, word: str = "") -> Json:
    (properties,) = of_kind(found, kind, word)
    return properties


def metadata(found: Mapping[str, Any], kind: str, word: str = "") -> Json:
    (said,) = [
        each["Metadata"]["tableguard"]
        for name, each in found["Resources"].items()
        if each["Type"] == kind and word in name and "tableguard" in each.get("Metadata", {})
    ]
    return dict(said)
