"""SCPs and RCPs as constructs: targets, accounts, attachments, sizes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_organizations as organizations

import tableguard as tg
from tableguard.policy.documents import minified
from tableguard.policy.metadata import METADATA_KEY, read
from tests.unit.organization.guarded import (
    ADMINISTRATORS,
    CDK_DEPLOY,
    DATA,
    DEPLOYMENT,
    DEVELOPMENT,
    INSIDE,
    MANAGEMENT,
    OUTSIDE,
    PARTNER,
    PERIMETER,
    REGION,
    TABLE,
    UNIT,
    VPC,
    contents,
    decide,
    role,
    stack,
    synthesized,
)

ROOT: Final = "r-ab12"
STAY: Final = [tg.StayInOrganization()]


def scp(scope: cdk.Stack | None = None, construct_id: str = "Scp", **properties: Any) -> tg.BreakGlassSCP:
    pass_role_principals = {"pass_role_principals": [CDK_DEPLOY]} if "administrators" in properties else {}
    given = {"targets": [UNIT], "guardrails": STAY, **pass_role_principals, **properties}
    return tg.BreakGlassSCP(scope or stack(), construct_id, **given)


def rcp(scope: cdk.Stack | None = None, construct_id: str = "Rcp", **properties: Any) -> tg.BreakGlassRCP:
    given = {"targets": [UNIT], "guardrails": [tg.ProtectKeys()], "administrators": ADMINISTRATORS, **properties}
    return tg.BreakGlassRCP(scope or stack(), construct_id, **given)


def test_what_cloudformation_gets() -> None:
    org = stack()
    made = scp(
        org,
        targets=[UNIT, DATA],
        perimeter=PERIMETER,
        accounts=[DATA, DEVELOPMENT],
        excluded_accounts={DEVELOPMENT: "development"},
        policy_name="tables",
    )
    (properties,) = synthesized(org)
    assert properties["Type"] == "SERVICE_CONTROL_POLICY"
    assert properties["Name"] == "tables"
    assert properties["TargetIds"] == [UNIT, DATA]
    assert properties["Content"] == made.documents[0]
    assert len(made.policies) == 1
    assert made.targets == (UNIT, DATA)
    template = org.node.root.synth().get_stack_by_name("Org").template  # type: ignore[attr-defined]
    (resource,) = template["Resources"].values()
    control = read(resource["Metadata"][METADATA_KEY]).claims.control
    assert control is not None
    assert [each.name for each in control.guardrails] == ["StayInOrganization"]
    assert control.perimeter is not None
    assert [each.principal.principal for each in control.perimeter.exemptions] == [
        each.principal for each in PERIMETER.exemptions
    ]
    assert [each.principal for each in control.administrators] == list(ADMINISTRATORS)
    assert [each.label for each in control.pass_role_principals] == [
        "role cdk-hnb659fds-deploy-role-* of every account"
    ]
    assert control.excluded_accounts == {DEVELOPMENT: "development"}


def test_every_account_has_its_own_vpcs() -> None:
    org = stack()
    vpcs = {DATA: VPC, PARTNER: "vpc-0def5678"}
    for account, vpc in vpcs.items():
        restriction = tg.Perimeter(
            networks=[tg.FromVpc(vpc, region=REGION)],
            exemptions=PERIMETER.exemptions,
            administrators=ADMINISTRATORS,
            pass_role_principals=[CDK_DEPLOY],
        )
        scp(org, f"Restriction{account}", targets=[account], perimeter=restriction, guardrails=[])
    attached = {policy["TargetIds"][0]: policy["Content"] for policy in synthesized(org)}
    assert set(attached) == set(vpcs)
    for account, vpc in vpcs.items():
        for other in vpcs.values():
            context = {**INSIDE, "aws:SourceVpc": other}
            decision = decide(
                role("app", account=account),
                "dynamodb:GetItem",
                TABLE.replace(DATA, account),
                scps=[attached[account]],
                context=context,
            )
            assert decision.allowed is (other == vpc)


def test_what_does_not_fit_into_one_policy_becomes_several_that_say_the_same() -> None:
    org = stack()
    many = [tg.Role(account=DATA, name=f"break-glass-of-a-team-with-a-long-name-{n:02}") for n in range(60)]
    made = scp(org, guardrails=[tg.ProtectTables(), tg.ProtectTrails(), *STAY], administrators=[*ADMINISTRATORS, *many])
    policies = contents(synthesized(org), "SERVICE_CONTROL_POLICY")
    assert policies == list(made.documents)
    assert len(policies) > 1
    assert all(len(minified(policy)) <= 10_240 for policy in policies)
    assert {policy["Name"][-2:] for policy in synthesized(org)} == {f"-{n + 1}" for n in range(len(policies))}
    for arn, expected in ((many[59].arn("aws"), True), (role("admin"), False)):
        for action in ("dynamodb:UpdateTable", "dynamodb:DeleteResourcePolicy", "cloudtrail:StopLogging"):
            assert decide(arn, action, scps=policies).allowed is expected
    assert not decide(many[59].arn("aws"), "organizations:LeaveOrganization", "*", scps=policies).allowed


def test_the_documents_do_not_depend_on_what_else_is_in_the_app() -> None:
    alone, crowded = stack(), stack()
    scp(crowded, "Another", targets=[ROOT])
    given: dict[str, Any] = {"perimeter": PERIMETER, "guardrails": [tg.ProtectTables(), tg.ProtectKeys()]}
    assert scp(alone, **given).documents == scp(crowded, **given).documents


def test_a_stack_without_an_environment_will_do() -> None:
    org = cdk.Stack(cdk.App(analytics_reporting=False), "Org")
    unit = organizations.CfnOrganizationalUnit(org, "Unit", name="data", parent_id=ROOT)
    made = scp(
        org,
        targets=[unit.attr_id, DATA],
        accounts=[DATA],
        administrators=ADMINISTRATORS,
        guardrails=[tg.ProtectTables()],
    )
    (properties,) = synthesized(org)
    assert properties["TargetIds"] == [{"Fn::GetAtt": ["Unit", "Id"]}, DATA]
    assert made.documents == (properties["Content"],)


def test_arns_are_of_the_partition_of_the_stack() -> None:
    env = cdk.Environment(account=MANAGEMENT, region="cn-north-1")
    org = cdk.Stack(cdk.App(analytics_reporting=False), "Org", env=env)
    text = minified(scp(org, guardrails=[tg.ProtectTables()], administrators=ADMINISTRATORS).documents)
    assert "arn:aws-cn:iam::*:role/cdk-hnb659fds-cfn-exec-role-*" in text
    assert "arn:aws:" not in text


class TestAttachments:
    def test_nine_fit_and_ten_do_not(self) -> None:
        org = stack()
        for number in range(9):
            scp(org, f"Scp{number}")
        assert len(synthesized(org)) == 9
        org = stack()
        for number in range(10):
            scp(org, f"Scp{number}")
        with pytest.raises(RuntimeError, match=f"{UNIT} gets 10 policies of type SERVICE_CONTROL_POLICY.*Allowed: 9"):
            synthesized(org)

    def test_every_type_and_every_target_has_slots_of_its_own(self) -> None:
        org = stack()
        for number in range(9):
            scp(org, f"Scp{number}")
            scp(org, f"Root{number}", targets=[ROOT])
        for number in range(4):
            rcp(org, f"Rcp{number}")
        assert len(synthesized(org)) == 22
        rcp(stack(), "Rcp")

    def test_plain_policies_take_slots_too_and_stages_count_together(self) -> None:
        app = cdk.App(analytics_reporting=False)
        org = stack(app=app)
        organizations.CfnPolicy(
            org, "Plain", name="plain", type="RESOURCE_CONTROL_POLICY", content={}, target_ids=[UNIT]
        )
        stage = cdk.Stage(app, "Stage", env=cdk.Environment(account=MANAGEMENT, region="us-east-1"))
        for number in range(4):
            rcp(cdk.Stack(stage, f"Org{number}"))
        with pytest.raises(RuntimeError, match=f"{UNIT} gets 5 policies of type RESOURCE_CONTROL_POLICY.*Allowed: 4"):
            app.synth()

    def test_what_is_attached_elsewhere_counts_as_soon_as_one_construct_says_so(self) -> None:
        org = stack()
        scp(org, "One")
        scp(org, "Two", attachments=tg.Attachments(most=5, elsewhere=4))
        with pytest.raises(RuntimeError, match=r"gets 2 policies.*Allowed: 1, that is 5 less 4"):
            synthesized(org)

    def test_a_raised_quota_is_taken(self) -> None:
        org = stack()
        for number in range(10):
            scp(org, f"Scp{number}", attachments=tg.Attachments(most=11))
        assert len(synthesized(org)) == 10

    @pytest.mark.parametrize("numbers", [(5, 5), (0, 0), (5, -1), (True, 0)])
    def test_numbers_that_leave_no_room_are_refused(self, numbers: tuple[int, int]) -> None:
        with pytest.raises(tg.InvalidInputError, match="attachments of a target"):
            tg.Attachments(most=numbers[0], elsewhere=numbers[1])


class TestSizes:
    def test_a_raised_limit_is_taken_and_a_lowered_one_is_kept(self) -> None:
        small = tg.Limits(service_control=tg.Limit("SCP", 700, "characters", "our own rule"))
        given: dict[str, Any] = {"guardrails": [tg.NoEc2(reason="x"), *STAY]}
        with pytest.raises(tg.PolicyTooLargeError, match=r"statement NoEc2.*Allowed: 700 \(our own rule\)"):
            scp(limits=small, **given)
        assert len(scp(**given).documents) == 1

    def test_more_policies_than_a_target_takes_are_refused_at_once(self) -> None:
        many = [tg.Role(account=DATA, name=f"break-glass-of-a-team-with-a-long-name-{n:02}") for n in range(60)]
        with pytest.raises(tg.PolicyTooLargeError, match=r"SCP Org/Scp takes 4 policies\. Allowed: 1"):
            scp(
                guardrails=[tg.ProtectTables()],
                administrators=[*ADMINISTRATORS, *many],
                attachments=tg.Attachments(most=2),
            )


_ROLE_OF_PARTNER: Final = tg.Role(account=PARTNER, name="break-glass")
_NO_DEPLOYMENT: Final = tg.Perimeter(
    networks=PERIMETER.networks, administrators=ADMINISTRATORS, pass_role_principals=[CDK_DEPLOY]
)

REFUSALS: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "an RCP that is to keep others from passing roles": (
        lambda: rcp(stack(), pass_role_principals=[CDK_DEPLOY]),
        "an SCP keeps others from passing roles",
    ),
    "the same, without a list": (
        lambda: rcp(stack(), pass_role_principals=CDK_DEPLOY),
        "an SCP keeps others from passing roles",
    ),
    "no target": (lambda: scp(targets=[]), "the targets of SCP Org/Scp.*at least one.*tableguard policies"),
    "one text as targets": (lambda: scp(targets=UNIT), "the targets of SCP Org/Scp.*a list of strings"),
    "a path": (lambda: scp(targets=["o-a1b2c3d4e5/r-ab12/"]), "a target of SCP Org/Scp.*without the path above it"),
    "a number": (lambda: scp(targets=[111122223333]), "a target of SCP Org/Scp"),
    "a target twice": (lambda: scp(targets=[UNIT, UNIT]), "each target once"),
    "the management account": (
        lambda: scp(targets=[MANAGEMENT]),
        f"a target of SCP Org/Scp: got '{MANAGEMENT}'.*to which no SCP applies.*management_account",
    ),
    "the management account from a delegated administrator's": (
        lambda: rcp(stack(PARTNER), targets=[MANAGEMENT], management_account=MANAGEMENT),
        "to which no RCP applies",
    ),
    "a target that is excluded": (
        lambda: scp(targets=[UNIT, DATA], excluded_accounts={DATA: "no data"}),
        "excluded_accounts of SCP Org/Scp.*not targets themselves",
    ),
    "an excluded account that nothing binds": (
        lambda: scp(targets=[DATA], excluded_accounts={DEVELOPMENT: "development"}),
        "excluded_accounts of SCP Org/Scp.*below a unit or root among the targets",
    ),
    "everything excluded": (
        lambda: scp(accounts=[DEVELOPMENT], excluded_accounts={DEVELOPMENT: "development"}),
        "some of the accounts, not all",
    ),
    "a target outside the accounts": (
        lambda: scp(targets=[DATA], accounts=[DEVELOPMENT]),
        f"the accounts of SCP Org/Scp.*Add {DATA}",
    ),
    "an account without an administrator": (
        lambda: scp(targets=[DATA], guardrails=[tg.ProtectTables()], administrators=[_ROLE_OF_PARTNER]),
        f"the administrators of SCP Org/Scp.*at least one of account {DATA}",
    ),
    "a perimeter that no deployment can cross": (
        lambda: scp(perimeter=_NO_DEPLOYMENT),
        "the exemptions of the perimeter of SCP Org/Scp.*RestrictedActions.DEPLOYMENT.*nobody_deploys",
    ),
    "an RCP that no deployment can cross": (
        lambda: rcp(perimeter=_NO_DEPLOYMENT, administrators=()),
        "the exemptions of the perimeter of RCP Org/Rcp",
    ),
    "nobody deploys, for no reason": (
        lambda: scp(perimeter=_NO_DEPLOYMENT, nobody_deploys=""),
        "nobody_deploys of SCP Org/Scp.*why",
    ),
    "limits that are none": (lambda: scp(limits=10_240), "limits of SCP Org/Scp"),
    "attachments that are none": (lambda: scp(attachments=10), "attachments of SCP Org/Scp"),
    "an SCP's guardrail in an RCP": (lambda: rcp(guardrails=STAY), "a guardrail of an RCP: got 'StayInOrganization'"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    make, message = REFUSALS[case]
    with pytest.raises(tg.InvalidInputError, match=message):
        make()


@pytest.mark.parametrize("access", [tg.BreakGlassAccess.SETTINGS, tg.BreakGlassAccess.FULL], ids=["settings", "full"])
@pytest.mark.parametrize("make", [scp, rcp], ids=["SCP", "RCP"])
def test_a_break_glass_role_that_is_exempt_has_to_be_an_administrator_beside_protected_tables(
    make: Callable[..., tg.BreakGlassSCP | tg.BreakGlassRCP], access: tg.BreakGlassAccess
) -> None:
    app = cdk.App(analytics_reporting=False)
    trusted = tg.PermissionSet(account=PARTNER, name="Emergency")
    emergency = tg.BreakGlassRole(
        cdk.Stack(app, "Data", env=cdk.Environment(account=DATA, region=REGION)),
        "Emergency",
        role_name="emergency",
        assumed_by=[trusted],
        reason="runbook 7",
        access=access,
    )
    org = stack(app=app)
    given: dict[str, Any] = {
        "perimeter": tg.Perimeter(networks=PERIMETER.networks, exemptions=[*PERIMETER.exemptions, emergency.exemption]),
        "guardrails": [tg.ProtectTables()],
    }
    with pytest.raises(tg.InvalidInputError, match=f"role emergency of {DATA}.*its .principal"):
        make(org, "Forgotten", administrators=[DEPLOYMENT], **given)
    made = make(org, "Named", administrators=[DEPLOYMENT, emergency.principal], **given)
    scps, rcps = (made.documents, ()) if isinstance(made, tg.BreakGlassSCP) else ((), made.documents)
    for name, expected in (("emergency", True), ("admin", False)):
        decision = decide(role(name), "dynamodb:UpdateTable", scps=scps, rcps=rcps, context=OUTSIDE)
        assert decision.allowed is expected


def test_the_opposite_of_each_refusal_is_taken() -> None:
    scp(stack(PARTNER), targets=[PARTNER], management_account=MANAGEMENT)
    scp(perimeter=_NO_DEPLOYMENT, nobody_deploys="tables are made by hand, inside the VPC")
    scp(targets=[DATA], guardrails=[tg.ProtectTables()], administrators=[_ROLE_OF_PARTNER, DEPLOYMENT])
    scp(targets=[UNIT, DATA], accounts=[DATA, DEVELOPMENT], excluded_accounts={DEVELOPMENT: "development"})
