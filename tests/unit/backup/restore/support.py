"""What the tests of restores and drills share: tables of all kinds, and definitions worked out state by state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.backup.restore.table_blueprint import Blueprint, TableBlueprint
from tableguard.backup.restore.table_restore import TableRestore
from tableguard.backup.restore.templates import PLACEHOLDER
from tableguard.policy.backup import SealedReference
from tests.unit.tables.support import OWNER, PK, REGION, SK, app, resolved, stack

Json: TypeAlias = dict[str, Any]

VAULT: Final = "999900001111"
SEALED: Final = SealedReference(account=VAULT, region=REGION, bucket="sealed-exports")
SOURCE: Final = tg.TableReference(account=OWNER, region=REGION, name="orders")
LEAST: Final = TableBlueprint(partition_key={"pk": "S"}, customer_managed_key=False)
NEW: Final = f"arn:aws:dynamodb:{REGION}:{VAULT}:table/restored-orders"


def vault_stack(scope: cdk.App | None = None, construct_id: str = "Vault") -> cdk.Stack:
    return stack(scope, construct_id, account=VAULT)


def restore(scope: cdk.Stack, *, blueprint: Blueprint = LEAST, **options: Any) -> TableRestore:
    options = {"source": SOURCE, "sealed": SEALED, "table_prefix": "restored-", **options}
    return TableRestore(scope, "Restore", blueprint=blueprint, **options)


def data_app() -> tuple[cdk.App, cdk.Stack, cdk.Stack]:
    """An app with a stack of the data account and one of the vault account."""
    whole = app()
    return whole, stack(whole), vault_stack(whole)


def full_table(scope: cdk.Stack) -> Any:
    return tg.CrossAccountTable(
        scope,
        "Orders",
        table_name="orders",
        partition_key=PK,
        sort_key=SK,
        global_secondary_indexes=[dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=SK)],
        local_secondary_indexes=[
            dynamodb.LocalSecondaryIndexProps(
                index_name="by-city", sort_key=dynamodb.Attribute(name="city", type=dynamodb.AttributeType.STRING)
            )
        ],
        dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        time_to_live_attribute="expires",
        tags=[cdk.CfnTag(key="team", value="orders")],
        warm_throughput=dynamodb.WarmThroughput(read_units_per_second=13_000),
        contributor_insights_specification=dynamodb.ContributorInsightsSpecification(enabled=True),
    )


def definitions(scope: cdk.Stack, *, account: str = VAULT) -> dict[str, Json]:
    """The definitions of the machines of a synthesized stack, by their comments."""
    template = Template.from_stack(scope).to_json()
    found = [
        json.loads(resolved(resource["Properties"]["DefinitionString"], account=account))
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    return {definition["Comment"].partition(".")[0]: definition for definition in found}


def definition(scope: cdk.Stack) -> Json:
    """The definition of the one restore of a stack."""
    return next(one for comment, one in definitions(scope).items() if comment.startswith("Rebuilds"))


def machines(states: Json) -> Iterator[Json]:
    """A machine and those inside its maps."""
    yield states
    for state in states["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def all_states(machine: Json) -> dict[str, Json]:
    return {name: state for part in machines(machine) for name, state in part["States"].items()}


def followers(state: Json) -> set[str]:
    """What a state names as coming after it."""
    found = {state[key] for key in ("Next", "Default") if key in state}
    for branches in ("Choices", "Catch"):
        found |= {branch["Next"] for branch in state.get(branches, ())}
    return found


def rendered(machine: Json, name: str, table: str = "restored-orders") -> Json | None:
    """A policy as an execution renders it: what its expression does to the template."""
    template = machine["States"]["Start"]["Assign"]["template"].get(name)
    if template is None:
        return None
    text = json.dumps(template).replace(PLACEHOLDER, table).replace("tableguard-dollar-brace", "${")
    # A role whose ARN the deployment gives is known by its logical id here.
    text = re.sub(r"<(\w+)\.Arn>", rf"arn:aws:iam::{VAULT}:role/\1", text)
    found: Json = json.loads(text)
    return found
