"""Guardrails refuse what would lock somebody out, or do nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import tableguard as tg
from tableguard.policy.guardrails import GLOBAL_SERVICES, Control
from tableguard.policy.guardrails.guardrail import Protection
from tableguard.policy.metadata import control_metadata, read
from tests.unit.policy.support import ORDERS, TOKEN, Refusal, assert_refused

BREAK_GLASS = tg.Role(account="444455556666", name="break-glass")
DEPLOYMENT = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
ACCOUNT = tg.Account("111122223333")
PERIMETER = tg.Perimeter(networks=[tg.FromVpc("vpc-0abc1234", region="eu-west-1")], administrators=[DEPLOYMENT])
DEPLOYS = tg.Exemption(principal=DEPLOYMENT, actions=tg.RestrictedActions.DEPLOYMENT, reason="deployments")

REFUSALS = {
    "a protection of everything but a list": Refusal(
        lambda: Protection(sid="ProtectAll", but_actions=("s3:*",)),
        "a Protection",
        "ProtectAll",
        "the actions that it denies",
        "is a DenyStatement",
    ),
    "a protection by another name": Refusal(
        lambda: Protection(sid="Tables", actions=("dynamodb:DeleteTable",)),
        "a Protection",
        "Tables",
        '"ProtectTables"',
        "is a DenyStatement",
    ),
    "a protection of nothing": Refusal(
        lambda: Protection(sid="Protect", actions=("dynamodb:DeleteTable",)),
        "a Protection",
        "Protect",
        '"ProtectTables"',
        "is a DenyStatement",
    ),
    "no region": Refusal(tg.OnlyRegions, "the regions of OnlyRegions", (), "at least one region"),
    "a malformed region": Refusal(
        lambda: tg.OnlyRegions("Ireland"), "a region of OnlyRegions", "Ireland", 'a region such as "eu-west-1"'
    ),
    "a bare star exempt": Refusal(
        lambda: tg.OnlyRegions("eu-west-1", exempt_actions=["*"]), "an exempt action of OnlyRegions", "*", '"wafv2:*"'
    ),
    "one text exempt": Refusal(
        lambda: tg.OnlyRegions("eu-west-1", exempt_actions="wafv2:*"),
        "exempt_actions of OnlyRegions",
        "wafv2:*",
        "a list of strings",
        "Put it into a list",
    ),
    "one more exempt, without what recovery takes": Refusal(
        lambda: tg.OnlyRegions("eu-west-1", exempt_actions=["wafv2:*"]),
        "exempt_actions of OnlyRegions",
        ("wafv2:*",),
        "iam:*, signin:*, sts:*",
        "exempt_actions=(*GLOBAL_SERVICES, …)",
    ),
    "a part of IAM exempt": Refusal(
        lambda: tg.OnlyRegions("eu-west-1", exempt_actions=["iam:Get*", "signin:*", "sts:*"]),
        "exempt_actions of OnlyRegions",
        ("iam:Get*", "signin:*", "sts:*"),
        "iam:*, signin:*, sts:*",
        "exempt_actions=(*GLOBAL_SERVICES, …)",
    ),
    "a whole account exempt": Refusal(
        lambda: tg.ProtectTrails(exempt_principals=[ACCOUNT]),  # type: ignore[list-item]
        "exempt_principals of ProtectTrails",
        ACCOUNT,
        "a list of Role, User, PermissionSet and RoleOfEveryAccount",
    ),
    "one role instead of a list exempt": Refusal(
        lambda: tg.ProtectBackups(exempt_principals=BREAK_GLASS),  # type: ignore[arg-type]
        "exempt_principals of ProtectBackups",
        BREAK_GLASS,
        "a list of Role",
        "Put it into a list",
    ),
    "no reason": Refusal(lambda: tg.NoEc2(reason=" "), "the reason of NoEc2", " ", "why, in a reviewer's words"),
    "no part": Refusal(lambda: tg.ProtectTables(parts=[]), "the parts of ProtectTables", (), "a list of TablePart"),
    "a part that is none": Refusal(
        lambda: tg.ProtectTables(parts=["TTL"]),  # type: ignore[list-item]
        "the parts of ProtectTables",
        ("TTL",),
        "a list of TablePart.POLICY",
    ),
    "a table's name": Refusal(
        lambda: tg.ProtectTables(tables=["orders"]),  # type: ignore[list-item]
        "the tables of ProtectTables",
        ("orders",),
        "a list of TableReference",
    ),
    "tags without their part": Refusal(
        lambda: tg.ProtectTables(parts=[tg.TablePart.TTL], tags=["team"]),
        "the tags of ProtectTables",
        ("team",),
        "none without TablePart.TAGS",
    ),
    "a tag that is a pattern": Refusal(
        lambda: tg.ProtectTables(tags=["*team"]), "a tag of ProtectTables", "*team", "the key of a tag"
    ),
    "an alias": Refusal(
        lambda: tg.ProtectKeys(keys=["arn:aws:kms:eu-west-1:444455556666:alias/orders"]),
        "a key of ProtectKeys",
        "arn:aws:kms:eu-west-1:444455556666:alias/orders",
        "not of an alias",
    ),
    "no schedule": Refusal(
        lambda: tg.ProtectSchedules(names=[]), "the names of ProtectSchedules", (), "at least one name"
    ),
    "every schedule": Refusal(
        lambda: tg.ProtectSchedules(names=["*"]), "a name of ProtectSchedules", "*", "at least four characters"
    ),
    "nothing to enforce": Refusal(Control, "what is enforced", (), "a perimeter, guardrails or both"),
    "something else than a guardrail": Refusal(
        lambda: Control(guardrails=[tg.ProtectTables]),  # type: ignore[list-item]
        "a guardrail",
        tg.ProtectTables,
        "a guardrail such as ProtectTables()",
    ),
    "one guardrail instead of a list": Refusal(
        lambda: Control(guardrails=tg.StayInOrganization()),  # type: ignore[arg-type]
        "the guardrails",
        tg.StayInOrganization(),
        "a list",
        "Put it into a list",
    ),
    "the same guardrail twice": Refusal(
        lambda: Control(guardrails=[tg.ProtectKeys(), tg.ProtectKeys()], administrators=[BREAK_GLASS]),
        "the guardrails",
        ["ProtectKeys"],
        "each guardrail once",
    ),
    "no administrator": Refusal(
        lambda: Control(guardrails=[tg.StayInOrganization(), tg.ProtectTables()]),
        "the administrators",
        (),
        "at least one, since ProtectTables would lock deployments out",
        "cdk-hnb659fds-cfn-exec-role-*",
    ),
    "other administrators than the perimeter's": Refusal(
        lambda: Control(perimeter=PERIMETER, administrators=[BREAK_GLASS]),
        "the administrators",
        ["role break-glass of 444455556666"],
        "the same as the perimeter's",
        "say it once",
    ),
    "other pass_role_principals than the perimeter's": Refusal(
        lambda: Control(
            perimeter=tg.Perimeter(
                networks=PERIMETER.networks, administrators=[DEPLOYMENT], pass_role_principals=[DEPLOYMENT]
            ),
            pass_role_principals=[BREAK_GLASS],
        ),
        "the pass_role_principals",
        ["role break-glass of 444455556666"],
        "the same as the perimeter's",
        "say it once",
    ),
    "an excluded account without a reason": Refusal(
        lambda: Control(guardrails=[tg.StayInOrganization()], excluded_accounts={"111122223333": ""}),
        "the reason why 111122223333 is excluded",
        "",
        "why, in a reviewer's words",
    ),
    "excluded accounts as a list": Refusal(
        lambda: Control(guardrails=[tg.StayInOrganization()], excluded_accounts=["111122223333"]),  # type: ignore[arg-type]
        "excluded_accounts",
        ["111122223333"],
        "{account: reason, …}",
    ),
    "a guardrail that no RCP can hold": Refusal(
        lambda: Control(guardrails=[tg.OnlyRegions("eu-west-1")]).resource_control(),
        "a guardrail of an RCP",
        "OnlyRegions",
        "ProtectTables and ProtectKeys",
        "Put it into an SCP",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    assert_refused(REFUSALS[case])


GUARDRAILS: dict[str, Callable[[], tg.ProtectTables | tg.OnlyRegions | tg.NoEc2]] = {
    "ProtectTables": lambda: tg.ProtectTables(
        parts=[tg.TablePart.TAGS, tg.TablePart.POLICY], tables=[ORDERS], tags=["team"], exempt_principals=[BREAK_GLASS]
    ),
    "OnlyRegions": lambda: tg.OnlyRegions("eu-west-1", exempt_actions=(*GLOBAL_SERVICES, "wafv2:*")),
    "NoEc2": lambda: tg.NoEc2(reason="serverless"),
}
DESCRIBED: dict[str, tuple[list[tg.Role], dict[str, tuple[str, ...]]]] = {
    "ProtectTables": ([BREAK_GLASS], {"parts": ("POLICY", "TAGS"), "tables": (ORDERS.arn,), "tags": ("team",)}),
    "OnlyRegions": ([], {"regions": ("eu-west-1",), "exempt_actions": ("wafv2:*",)}),
    "NoEc2": ([], {"reason": ("serverless",)}),
}


@pytest.mark.parametrize("name", GUARDRAILS)
def test_the_metadata_says_what_it_protects_and_whom_it_exempts(name: str) -> None:
    exempt, details = DESCRIBED[name]
    control = Control(guardrails=[GUARDRAILS[name]()], administrators=[BREAK_GLASS])
    said = read(json.loads(json.dumps(control_metadata(control)))).claims.control
    assert said is not None
    (guardrail,) = said.guardrails
    assert guardrail.name == name
    assert [each.principal for each in guardrail.exempt_principals] == exempt
    assert guardrail.details == details


def test_a_region_that_only_the_deployment_knows_is_taken() -> None:
    assert tg.OnlyRegions(TOKEN).regions == (TOKEN,)


@pytest.mark.parametrize(
    "more",
    [
        {"administrators": [BREAK_GLASS, DEPLOYMENT], "guardrails": [tg.ProtectTables()]},
        {"administrators": [BREAK_GLASS], "guardrails": [tg.ProtectTables(exempt_principals=[DEPLOYMENT])]},
        {"administrators": [BREAK_GLASS, tg.RoleOfEveryAccount(name="cdk-*")], "guardrails": [tg.ProtectTables()]},
        {"administrators": [BREAK_GLASS], "guardrails": [tg.ProtectTables(parts=[tg.TablePart.TTL])]},
        {"administrators": [BREAK_GLASS], "guardrails": [tg.ProtectKeys()]},
    ],
)
def test_a_role_that_is_exempt_to_deploy_may_be_let_through_in_any_way(more: Any) -> None:
    perimeter = tg.Perimeter(networks=PERIMETER.networks, exemptions=[DEPLOYS])
    pass_role_principals = [tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")]
    assert Control(perimeter=perimeter, pass_role_principals=pass_role_principals, **more).service_control()


def test_a_role_that_is_exempt_to_deploy_and_denied_it_all_the_same_is_refused() -> None:
    perimeter = tg.Perimeter(networks=PERIMETER.networks, exemptions=[DEPLOYS])
    control = Control(
        perimeter=perimeter, guardrails=[tg.ProtectTrails(), tg.ProtectTables()], administrators=[BREAK_GLASS]
    )
    with pytest.raises(tg.InvalidInputError, match="it denies all others AssociateTableReplica") as caught:
        control.service_control()
    assert "ProtectTables(exempt_principals=" in str(caught.value)
