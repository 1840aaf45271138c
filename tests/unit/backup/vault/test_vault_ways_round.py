"""What an administrator of the vault's account might let a deployment, or a machine of the vault, do for him."""

from __future__ import annotations

import json

import pytest

import tableguard as tg
from tableguard.backup.vault.sealing import STEPS
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.deny_statements import denying, packed
from tableguard.policy.documents import minified
from tableguard.policy.guardrails import Control
from tests.unit.backup.vault.vaults import (
    ATTACKERS,
    FULL,
    REGION,
    SEALED,
    VAULT,
    Attacker,
    Context,
    deciding,
    guardrail,
    guardrail_control,
    resources,
    role,
)

ROOT, ADMIN, SEALER = "root of the vault", "admin of the vault", "sealing role"
DEPLOYMENT, BREAK_GLASS = "deployment", "break-glass"

_REGIONAL = f"{REGION}:{VAULT}"
_STACK = f"arn:aws:cloudformation:{_REGIONAL}:stack/Backups/1"
_OPEN = f"arn:aws:lambda:{_REGIONAL}:function:tableguard-sealing-open"
_EXECUTION = f"arn:aws:states:{_REGIONAL}:execution:acme-sealed-seal:run"
_PASSER = f"arn:aws:iam::{VAULT}:role/cdk-hnb659fds-deploy-role-{VAULT}-{REGION}"
_ROLE = f"arn:aws:iam::{VAULT}:role/"
_MACHINES = [DEPLOYMENT, "sealing machine", "sweeper"]
_SEALED_METRIC = {"cloudwatch:namespace": "tableguard/sealing"}
_OTHERS = {
    "cdk deploy": role(f"cdk-hnb659fds-deploy-role-{VAULT}-{REGION}", VAULT),
    "sealing machine": role("tableguard-sealing-machine", VAULT),
    "sweeper": role("tableguard-sealing-sweeper", VAULT),
    "operator": role("operator", VAULT),
}
# What an administrator could do so that a deployment, or a machine, does it for him; and who has to do it.
WAYS_ROUND: dict[str, tuple[str, str, dict[str, str], str, list[str]]] = {
    **{
        name: (f"cloudformation:{action}", _STACK, {}, "VaultStacks", [DEPLOYMENT, "cdk deploy"])
        for name, action in {
            "update a stack": "UpdateStack",
            "delete a stack": "DeleteStack",
            "make a change set": "CreateChangeSet",
            "execute a change set": "ExecuteChangeSet",
            "roll a stack back": "RollbackStack",
            "go on rolling back": "ContinueUpdateRollback",
            "stop an update": "CancelUpdateStack",
            "move resources between stacks": "ExecuteStackRefactor",
            "protect a stack from updates": "SetStackPolicy",
            "let a stack be deleted": "UpdateTerminationProtection",
        }.items()
    },
    "become cdk deploy": ("sts:AssumeRole", _PASSER, {}, "VaultDeployers", [DEPLOYMENT, "operator"]),
    "run a function": ("lambda:InvokeFunction", _OPEN, {}, "VaultFunctions", _MACHINES),
    "run a version": ("lambda:InvokeFunction", f"{_OPEN}:1", {}, "VaultFunctions", _MACHINES),
    "run a function by its URL": ("lambda:InvokeFunctionUrl", _OPEN, {}, "VaultFunctions", _MACHINES),
    "stop what is being sealed": ("states:StopExecution", _EXECUTION, {}, "VaultRuns", _MACHINES),
    "say that something was sealed": ("cloudwatch:PutMetricData", "*", _SEALED_METRIC, "VaultMetrics", _MACHINES),
    **{
        f"{what} the role of {part}": (f"iam:{action}", f"{_ROLE}{part}", {}, "VaultRoles", [DEPLOYMENT])
        for part in ("tableguard-sealing-machine", "tableguard-sealing-clock", "tableguard-sealing-mine", "operator")
        for what, action in {"pass": "PassRole", "make": "CreateRole", "widen": "PutRolePolicy"}.items()
    },
}


def _guarded(action: str, resource: str, by: Attacker, context: Context | None = None) -> str:
    request = Request(
        principal=by.principal, action=action, resource=resource, context={**by.context, **(context or {})}
    )
    return deciding(evaluate(request, Policies(identity=[FULL], service_control=[[FULL, *guardrail()]])))


@pytest.mark.parametrize(
    ("who", "expected"), [(DEPLOYMENT, "allowed"), ("admin of the vault", "ProtectVaultBackupsKeys")]
)
@pytest.mark.parametrize(
    "action",
    [
        "sns:SetSubscriptionAttributes",
        "sns:Unsubscribe",
        "sns:RemovePermission",
        "sns:PutDataProtectionPolicy",
        "cloudwatch:DeleteAlarms",
        "cloudwatch:PutAlarmMuteRule",
        "lambda:UpdateFunctionEventInvokeConfig",
    ],
)
def test_nobody_but_deployments_keeps_alarms_from_being_heard(action: str, who: str, expected: str) -> None:
    assert _guarded(action, "*", ATTACKERS[who]) == expected


@pytest.mark.parametrize("name", WAYS_ROUND)
def test_there_is_no_way_round_by_a_deployment_or_a_machine(name: str) -> None:
    action, resource, context, sid, let = WAYS_ROUND[name]
    callers = {who: by for who, by in {**ATTACKERS, **_OTHERS}.items() if by.account == VAULT}
    found = {who: _guarded(action, resource, by, context) for who, by in callers.items()}
    assert found == {who: "allowed" if who in let else sid for who in callers}
    assert {ROOT, ADMIN, SEALER, BREAK_GLASS} <= set(callers) - set(let)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("cloudformation:DescribeStacks", _STACK, {}),
        ("cloudformation:CreateStack", _STACK, {}),
        ("sts:AssumeRole", f"arn:aws:iam::{VAULT}:role/another", {}),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{_REGIONAL}:function:another", {}),
        # A drill in the vault's own account reports, too.
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "tableguard/backup"}),
        ("iam:CreateRole", f"arn:aws:iam::{VAULT}:role/another", {}),
        ("states:StartExecution", f"arn:aws:states:{_REGIONAL}:stateMachine:{SEALED}-seal", {}),
    ],
)
def test_what_is_not_about_the_vault_stays_as_it_was(action: str, resource: str, context: dict[str, str]) -> None:
    assert _guarded(action, resource, ATTACKERS[ADMIN], context) == "allowed"


def test_without_deployers_nobody_of_the_account_becomes_cdk_deploy() -> None:
    control = Control(
        guardrails=[tg.VaultGuardrail(deployers=[])],
        administrators=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")],
        pass_role_principals=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")],
    )
    request = Request(
        principal=_OTHERS["operator"].principal,
        action="sts:AssumeRole",
        resource=_PASSER,
        context=_OTHERS["operator"].context,
    )
    scps = [[FULL, denying(control.service_control())]]
    assert deciding(evaluate(request, Policies(identity=[FULL], service_control=scps))) == "VaultDeployers"


def test_everything_of_the_sealing_has_a_name_that_the_guardrail_knows() -> None:
    """Or the machines would be locked out, and their roles and functions unguarded."""
    named = "tableguard-sealing"
    found = resources()
    functions = {
        each["Properties"].get("FunctionName") for each in found.values() if each["Type"] == "AWS::Lambda::Function"
    }
    roles = {each["Properties"].get("RoleName") for each in found.values() if each["Type"] == "AWS::IAM::Role"}
    assert functions == {f"{named}-{step}" for step in STEPS}
    assert roles == {named, *(f"{named}-{part}" for part in ("machine", "sweeper", "event", "clock"))}
    reported = json.dumps([each for each in found.values() if each["Type"] == "AWS::StepFunctions::StateMachine"])
    assert "tableguard/sealing" in reported
    assert "tableguard/backup" not in reported


def test_the_guardrail_is_one_policy_or_two_short_ones() -> None:
    """Ten of 10,240 characters are what a target takes; older quotas, and tools that know them, say 5 of 5,120."""
    (whole,) = guardrail()
    assert len(minified(whole)) < 7_500
    limit = tg.Limit("SCP", 5_120, "characters", "an older quota")
    denials = guardrail_control().service_control()
    assert len(packed(denials, limit, owner="the SCP")) == 2
