"""Whoever a perimeter exempts has to be let through by the guardrails beside it, or it is an error at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

import tableguard as tg
from tableguard.policy.guardrails import Control, Guardrail
from tableguard.policy.perimeter import RestrictedActions
from tests.unit.policy.support import ORDERS, TOKEN

OWNER, PARTNER = "444455556666", "111122223333"
DEPLOYMENT: Final = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
DEPLOYING: Final = tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")
BREAK_GLASS: Final = tg.Role(account=OWNER, name="break-glass")
ON_CALL: Final = tg.PermissionSet(account=OWNER, name="OnCall")
TABLES: Final = (tg.ProtectTables(),)
SETTINGS: Final = RestrictedActions.SETTINGS


def rendered(
    actions: RestrictedActions,
    *,
    principal: Any = BREAK_GLASS,
    guardrails: Sequence[Guardrail] = TABLES,
    administrators: Sequence[Any] = (DEPLOYMENT,),
    excluded_accounts: Sequence[str] = (),
    accounts: Sequence[str] | None = None,
    at_resource: bool = False,
) -> None:
    """Render a policy whose perimeter exempts somebody."""
    perimeter = tg.Perimeter(
        networks=[tg.FromVpc("vpc-0abc1234", region="eu-west-1")],
        exemptions=[tg.Exemption(principal=principal, actions=actions, reason="runbook 7")],
    )
    control = Control(
        perimeter=perimeter,
        guardrails=guardrails,
        administrators=administrators,
        pass_role_principals=[DEPLOYING],
        excluded_accounts=dict.fromkeys(excluded_accounts, "no customers' data"),
    )
    if at_resource:
        control.resource_control()
    else:
        control.service_control(accounts=accounts)


@pytest.mark.parametrize("at_resource", [False, True], ids=["SCP", "RCP"])
@pytest.mark.parametrize(
    ("actions", "principal", "guardrails", "denied"),
    [
        (SETTINGS, BREAK_GLASS, TABLES, "DeleteGlobalTableWitness, DeleteTable, DeleteTableReplica and "),
        (RestrictedActions.ALL, BREAK_GLASS, TABLES,
         "AssociateTableReplica, CreateGlobalTable, CreateGlobalTableWitness and"),
        (RestrictedActions.on_table("UpdateTable"), ON_CALL, TABLES,
         "denies all others UpdateTable, from wherever they call"),
        (SETTINGS, BREAK_GLASS, (tg.ProtectTables(tables=[ORDERS]),), "DeleteTable, "),
        (RestrictedActions.POLICY, BREAK_GLASS, (tg.ProtectTables(parts=[tg.TablePart.POLICY]),),
         "DeleteResourcePolicy, PutR"),
        (SETTINGS, tg.RoleOfEveryAccount(name="break-glass"), TABLES, "DeleteTable, "),
        (SETTINGS, tg.Role(account=OWNER, name="cdk-hnb659fds-cfn-exec-role-x", path="/mine/"), TABLES,
         "DeleteTable, "),
    ],
)  # fmt: skip
def test_an_exemption_that_a_guardrail_takes_back_is_refused(
    actions: RestrictedActions, principal: Any, guardrails: Sequence[Guardrail], denied: str, *, at_resource: bool
) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        rendered(actions, principal=principal, guardrails=guardrails, at_resource=at_resource)
    assert caught.value.what == f"the exemption of {principal.label} from the perimeter"
    assert denied in str(caught.value)
    assert "Add it to the administrators (of a BreakGlassRole: its .principal)" in str(caught.value)


@pytest.mark.parametrize("at_resource", [False, True], ids=["SCP", "RCP"])
@pytest.mark.parametrize(
    ("actions", "given"),
    [
        (SETTINGS, {"administrators": [DEPLOYMENT, BREAK_GLASS]}),
        (SETTINGS, {"guardrails": [tg.ProtectTables(exempt_principals=[BREAK_GLASS])]}),
        (SETTINGS, {"administrators": [tg.RoleOfEveryAccount(name="break-*")]}),
        (RestrictedActions.DEPLOYMENT, {"principal": DEPLOYMENT}),
        (SETTINGS, {"principal": ON_CALL, "administrators": [ON_CALL]}),
        (RestrictedActions.ITEMS | RestrictedActions.EXPORT, {}),
        (SETTINGS, {"guardrails": [tg.ProtectTables(parts=[tg.TablePart.POLICY])]}),
        # Other tags than these may still be changed.
        (SETTINGS, {"guardrails": [tg.ProtectTables(parts=[tg.TablePart.TAGS], tags=["team"])]}),
        (SETTINGS, {"guardrails": [tg.ProtectKeys()]}),
        (
            RestrictedActions.on_table("PutResourcePolicy"),
            {"principal": tg.Forwarding("cloudformation.amazonaws.com")},
        ),
        (SETTINGS, {"principal": tg.Role(account=TOKEN, name="break-glass")}),
        (SETTINGS, {"excluded_accounts": [OWNER]}),
    ],
)
def test_one_that_it_does_not_take_back_is_not(
    actions: RestrictedActions, given: dict[str, Any], *, at_resource: bool
) -> None:
    rendered(actions, at_resource=at_resource, **given)


def test_an_scp_says_nothing_of_roles_that_it_does_not_bind() -> None:
    rendered(SETTINGS, accounts=[PARTNER])
    with pytest.raises(tg.InvalidInputError, match="the exemption of role break-glass"):
        rendered(SETTINGS, accounts=[PARTNER, OWNER])
