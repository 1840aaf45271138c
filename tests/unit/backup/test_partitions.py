"""Backups in the partitions of GovCloud and China: every ARN and host name there is one of theirs."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3, aws_scheduler as scheduler, aws_sns as sns, aws_stepfunctions as sfn
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.backup.landing import Exported, exporter_statements
from tableguard.policy.backup.replication import through_s3
from tests.unit.backup import exported
from tests.unit.backup.aws_backup import plan_support
from tests.unit.backup.on_demand.test_on_demand_backups import on_demand
from tests.unit.backup.restore.support import VAULT, full_table, restore
from tests.unit.backup.test_all_machines import NAMES
from tests.unit.backup.vault import vaults
from tests.unit.tables.support import OWNER, app, stack

REGIONS: Final = {"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
DAILY: Final = cdk.Duration.days(1)


def restores(region: str) -> cdk.Stack:
    scope = stack(app(), account=VAULT, region=region)
    tg.RestoreDrill(
        scope,
        "Drill",
        restore=restore(
            scope,
            source=tg.TableReference(account=OWNER, region=region, name="orders"),
            sealed=tg.SealedReference(account=VAULT, region=region, bucket="sealed-exports"),
        ),
        schedule=scheduler.ScheduleExpression.rate(DAILY),
        alarm_after=cdk.Duration.days(2),
        canary=tg.Canary(key={"pk": {"S": "canary"}}),
        alarms_topic=sns.Topic(scope, "Topic"),
    )
    return scope


def living(region: str) -> cdk.Stack:
    scope = stack(app(), region=region)
    table = full_table(scope)
    source = tg.TableReference(account=OWNER, region=region, name="orders")
    restore(scope, blueprint=tg.TableBlueprint.like(table), source=None, sealed=None, point_in_time=source)
    return scope


def exports(region: str) -> cdk.Stack:
    scope = stack(app(), region=region)
    behind = tg.VaultReference(account=exported.VAULT_ACCOUNT, region=region, intake_bucket=exported.INTAKE)
    exported.export(scope, landing=exported.landing(scope, vault=behind))
    return scope


def sealing(region: str) -> cdk.Stack:
    scope = stack(app(), account=vaults.VAULT, region=region)
    vaults.vault(scope, readers=[vaults.READER])
    return scope


def replicated(region: str) -> cdk.Stack:
    scope = stack(app(), region=region)
    tg.BucketReplication(
        scope,
        "R",
        source=s3.Bucket(scope, "Source", versioned=True),
        destination=tg.SealedReference(account=vaults.VAULT, region=region, bucket=vaults.SEALED),
        role_name="replication",
    )
    return scope


def planned(region: str) -> cdk.Stack:
    scope = stack(app(), region=region)
    vault = plan_support.vault(scope, copies_to=[])
    plan_support.plan(scope, vault=vault, rules=[plan_support.ALONE], advanced=tg.AdvancedDynamoDbBackup(scope, "On"))
    return scope


def validated(region: str) -> cdk.Stack:
    scope = stack(app(), region=region)
    colons = cdk.ArnFormat.COLON_RESOURCE_NAME
    arn = scope.format_arn(service="states", resource="stateMachine", resource_name="validate", arn_format=colons)
    validation = sfn.StateMachine.from_state_machine_arn(scope, "Validation", arn)
    plan_support.plan(scope, restore_testing=plan_support.restore_testing(scope, validation=validation))
    return scope


def demanded(region: str) -> cdk.Stack:
    scope = stack(app(), region=region)
    on_demand(scope)
    return scope


MADE: Final[dict[str, Callable[[str], cdk.Stack]]] = {
    "restores": restores,
    "a living table": living,
    "exports": exports,
    "sealing": sealing,
    "replication": replicated,
    "plan": planned,
    "restore testing": validated,
    "on demand": demanded,
}


def said(value: object) -> Iterator[str]:
    """The texts of a template, those of definitions and policies in it with the rest."""
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield name
                yield from said(inner)
        case list():
            for inner in value:
                yield from said(inner)


@functools.cache
def template(kind: str, partition: str) -> Template:
    return Template.from_stack(MADE[kind](REGIONS[partition]))


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("kind", MADE)
def test_no_arn_of_another_partition_is_left(kind: str, partition: str) -> None:
    texts = list(said(template(kind, partition).to_json()))
    assert [text[max(0, text.index("arn:aws:") - 60) :][:160] for text in texts if "arn:aws:" in text] == []
    assert any(f"arn:{partition}:" in text or text == "AWS::Partition" for text in texts)


def integrations(definition: Any) -> Iterator[str]:
    if isinstance(definition, dict):
        if isinstance(definition.get("Resource"), str):
            yield definition["Resource"]
        for inner in definition.values():
            yield from integrations(inner)
    if isinstance(definition, list):
        for inner in definition:
            yield from integrations(inner)


@pytest.mark.parametrize("partition", REGIONS)
@pytest.mark.parametrize("kind", [kind for kind in MADE if kind != "replication"])
def test_every_integration_is_one_of_the_machines_partition(kind: str, partition: str) -> None:
    found = template(kind, partition).find_resources("AWS::StepFunctions::StateMachine")
    assert found
    for machine in found.values():
        text = machine["Properties"]["DefinitionString"]
        parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
        known = {"AWS::Partition": partition}
        whole = "".join(part if isinstance(part, str) else known.get(part.get("Ref"), "x") for part in parts)
        resources = list(integrations(json.loads(whole)))
        assert resources
        assert all(resource.startswith(f"arn:{partition}:states:::") for resource in resources), resources


def test_every_machine_of_the_library_is_among_them() -> None:
    made = {
        logical_id[:-8]
        for kind in MADE
        for logical_id in template(kind, "aws-cn").find_resources("AWS::StepFunctions::StateMachine")
    }
    assert made == {name.partition("/")[2] for name in NAMES}


def test_a_task_names_the_integration_of_its_partition_and_nothing_else() -> None:
    made = Tasks("aws-cn").task("lambda:invoke", {"Bucket": "arn:aws:s3:::b"}, retries=[], then=None)
    assert made["Resource"] == "arn:aws-cn:states:::lambda:invoke"
    assert made["Arguments"] == {"Bucket": "arn:aws:s3:::b"}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "s3.eu-west-1.amazonaws.com"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"),
    ],
)
def test_a_key_is_used_through_the_host_of_its_partition(region: str, host: str) -> None:
    via, _ = through_s3("arn:aws:s3:::b", region)
    assert (via.key, via.values) == ("kms:ViaService", (host,))
    table = Exported(arn="arn:aws:dynamodb:r:1:table/t", account="111122223333", region=region, name="t")
    *_, exporting = exporter_statements([table], bucket_arn="b", ledger_arn="l", namespace="n", key_arn="k")
    (through,) = exporting.clauses
    assert (through.operator, through.key) == ("StringLike", "kms:ViaService")
    assert [fnmatchcase(host, value) for value in through.values] == [True]
    assert not fnmatchcase(host.replace("s3.", "dynamodb."), through.values[0])
