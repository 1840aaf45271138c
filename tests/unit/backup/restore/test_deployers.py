"""Who may change the policy of a restored table: whoever deploys there, however the stack is deployed."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

import tableguard as tg
from tableguard.backup.restore.blueprint_policy import BlueprintPolicy
from tableguard.backup.restore.table_blueprint import TableBlueprint
from tableguard.policy.people import NoPeople
from tests.unit.backup.restore.support import NEW, SOURCE, VAULT, Json, definition, rendered, restore
from tests.unit.tables.support import OWNER, REGION, allowed, app, denied, role

DEPLOYER = tg.Role(account=VAULT, name="deployer")
STREAM = f"{NEW}/stream/2026-11-22T10:00:00.000"


def perimeter(*exempt: tg.Role) -> tg.Perimeter:
    exemptions = [
        tg.Exemption(principal=each, actions=tg.RestrictedActions.DEPLOYMENT, reason="deploys") for each in exempt
    ]
    return tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")], exemptions=exemptions)


def restricted(*restrictions: Any) -> TableBlueprint:
    return TableBlueprint(
        partition_key={"pk": "S"}, stream="NEW_IMAGE", policy=BlueprintPolicy(restrictions=restrictions)
    )


def legacy() -> cdk.Stack:
    return cdk.Stack(app(), "Vault", env=ENV, synthesizer=cdk.LegacyStackSynthesizer())


def passed() -> cdk.Stack:
    return cdk.Stack(app(), "Vault", env=ENV, synthesizer=cdk.DefaultStackSynthesizer())


def of_the_app() -> cdk.Stack:
    whole = cdk.App(analytics_reporting=False, default_stack_synthesizer=cdk.CliCredentialsStackSynthesizer())
    return cdk.Stack(whole, "Vault", env=ENV)


ENV = cdk.Environment(account=VAULT, region=REGION)
SILENT = [legacy, passed, of_the_app]


def may_change(machine: Json, who: str) -> list[bool]:
    """Whether somebody may put the policies of the restored table and of its stream."""
    found = []
    for name, resource in (("final", NEW), ("stream", STREAM)):
        asked = {"principal": who, "identity": "any", "resource": resource, "table_policy": rendered(machine, name)}
        try:
            allowed(None, "PutResourcePolicy", **asked)
        except AssertionError:
            denied(None, "PutResourcePolicy", **asked)
            found.append(False)
        else:
            found.append(True)
    return found


@pytest.mark.parametrize("make", SILENT)
def test_a_restore_whose_deployer_nobody_knows_is_refused_where_the_policy_would_lock_out(make: Any) -> None:
    made = restore(make(), blueprint=restricted(perimeter()))
    with pytest.raises(tg.InvalidInputError, match="let nobody change it"):
        made.definition()


@pytest.mark.parametrize("make", SILENT)
def test_the_role_that_is_named_may_change_the_policies_and_read_nothing(make: Any) -> None:
    scope = make()
    restore(scope, blueprint=restricted(perimeter()), deployed_by=DEPLOYER)
    machine = definition(scope)
    deployer = role("deployer", VAULT)
    assert may_change(machine, deployer) == [True, True]
    assert may_change(machine, role("anybody", VAULT)) == [False, False]
    denied(None, "GetItem", principal=deployer, identity="any", resource=NEW, table_policy=rendered(machine, "final"))


def test_a_role_of_the_account_that_the_perimeter_exempts_is_enough() -> None:
    scope = legacy()
    restore(scope, blueprint=restricted(perimeter(DEPLOYER)))
    machine = definition(scope)
    assert may_change(machine, role("deployer", VAULT)) == [True, True]
    assert may_change(machine, role("anybody", VAULT)) == [False, False]


def test_a_role_of_another_account_is_not_enough() -> None:
    made = restore(legacy(), blueprint=restricted(perimeter(tg.Role(account=OWNER, name="deployer"))))
    with pytest.raises(tg.InvalidInputError, match="let nobody change it"):
        made.definition()


def test_a_restriction_of_people_locks_no_role_out() -> None:
    scope = legacy()
    restore(scope, blueprint=restricted(NoPeople()))
    assert may_change(definition(scope), role("anybody", VAULT)) == [True, True]


def test_the_lock_out_is_said_when_the_template_is_written() -> None:
    whole = cdk.App(analytics_reporting=False)
    scope = cdk.Stack(whole, "Vault", env=ENV, synthesizer=cdk.LegacyStackSynthesizer())
    restore(scope, blueprint=restricted(perimeter()))
    with pytest.raises(RuntimeError, match="let nobody change it"):
        whole.synth()


@pytest.mark.parametrize("given", [tg.Role(account=OWNER, name="deployer"), "deployer"])
def test_who_cannot_deploy_there_is_refused(given: Any) -> None:
    with pytest.raises(tg.InvalidInputError, match="deployed_by"):
        restore(legacy(), source=SOURCE, deployed_by=given)
