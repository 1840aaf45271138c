"""Whom SCPs and RCPs exempt, in what a review says of them: decided from the statements, explained by the metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tableguard.aws.dynamodb import AS_OF
from tableguard.policy import FromVpc, PermissionSet, Role, RoleOfEveryAccount
from tableguard.policy.deny_statements import denying
from tableguard.policy.guardrails import Control, OnlyRegions, ProtectBackups, ProtectTables
from tableguard.policy.metadata.restrictions import control_json
from tableguard.policy.perimeter import Exemption, Forwarding, LambdaPoller, Perimeter, RestrictedActions
from tableguard.review.as_json import as_json
from tableguard.review.as_markdown import as_markdown
from tableguard.review.as_text import as_text
from tableguard.review.report import FindingKind, Review
from tests.unit.review.support import CONSUMER, OWNER, REGION, claiming, deny, document, reviewed, stack, table
from tests.unit.review.test_schema import REVIEW, problems

Json = dict[str, Any]

DEPLOYMENT = RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
DEPLOYING = RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")
ON_CALL = PermissionSet(account=OWNER, name="OnCall")
CONTROL = Control(
    perimeter=Perimeter(
        networks=[FromVpc("vpc-0abc1234", region=REGION)],
        exemptions=[
            Exemption(principal=DEPLOYMENT, actions=RestrictedActions.DEPLOYMENT, reason="deployments"),
            Exemption(
                principal=Role(account=OWNER, name="exporter"), actions=RestrictedActions.EXPORT, reason="nightly"
            ),
            Exemption(
                principal=LambdaPoller(Role(account=OWNER, name="worker")),
                actions=RestrictedActions.STREAM,
                reason="search",
            ),
            Exemption(
                principal=Forwarding("athena.amazonaws.com"),
                actions=RestrictedActions.on_table("Scan"),
                reason="reports",
            ),
        ],
    ),
    guardrails=[
        ProtectTables(),
        ProtectBackups(exempt_principals=[Role(account=OWNER, name="backup-plan")]),
    ],
    administrators=[DEPLOYMENT, ON_CALL],
    pass_role_principals=[DEPLOYING],
    excluded_accounts={CONSUMER: "development"},
)


LATER = f"actions that AWS adds after {AS_OF}"


def policy(content: Json, *, kind: str = "SERVICE_CONTROL_POLICY", control: Json | None = None) -> Review:
    resource: Json = {
        "Type": "AWS::Organizations::Policy",
        "Properties": {"Type": kind, "Name": "wall", "TargetIds": ["r-ab12"], "Content": content},
    }
    if control is not None:
        resource |= claiming(control=control)
    return reviewed(stack(T=table()), stack("Org", "999988887777", P=resource))


def exempt(found: Review) -> dict[str, tuple[tuple[str, ...], str | None]]:
    (control,) = found.controls
    return {each.label: (each.what, each.reason) for each in control.exempted}


def exempting(*arns: str, action: Any = "dynamodb:DeleteTable", **more: Any) -> Json:
    return deny(action, "*", Condition={"ArnNotLike": {"aws:PrincipalArn": list(arns)}, **more})


def role(name: str, account: str = OWNER) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def test_who_is_exempt_for_what_and_why_in_an_scp() -> None:
    control = control_json(CONTROL)
    found = policy(denying(CONTROL.service_control()), control=control)
    # This one is a document for itself, too large for one policy, and nothing in it contradicts the metadata.
    assert {finding.kind for finding in found.findings} == {FindingKind.TOO_LARGE}
    said = exempt(found)
    assert said[f"role exporter of {OWNER}"] == (("export", LATER), "nightly")
    assert said[f"role worker of {OWNER}"] == (("stream", LATER), "search")
    assert said["calls forwarded by athena.amazonaws.com"] == (("Scan", LATER), "reports")
    passing = said["role cdk-hnb659fds-deploy-role-* of every account"]
    assert ({*passing[0]}, passing[1]) == ({"iam:PassRole", LATER}, "passes roles to services")
    assert said["root user of every account"] == (("DeleteResourcePolicy", LATER), "the way out of a lock-out")
    what, reason = said["role cdk-hnb659fds-cfn-exec-role-* of every account"]
    assert reason == "deployments; administrator"
    assert {"policy", "settings", "27 actions of backup"} <= {*what}
    assert not {"items", "export", "stream"} & {*what}
    what, reason = said[f"role backup-plan of {OWNER}"]
    mine = {"dynamodb:DeleteBackup", "27 actions of backup", LATER}
    assert ({*what}, reason) == (mine, "exempted by ProtectBackups")
    # An administrator is stopped by the perimeter like everybody, where it is not exempt.
    what, reason = said[f"permission set OnCall of {OWNER}"]
    assert reason == "administrator"
    assert "settings" in what
    assert not {"items", "policy", "replicate", "PutResourcePolicy", "DeleteResourcePolicy"} & {*what}


def test_a_statement_about_everything_but_some_actions_is_said_as_such() -> None:
    alarms = Role(account=OWNER, name="alarms")
    control = Control(
        guardrails=[OnlyRegions(REGION, exempt_principals=[alarms])],
        administrators=[DEPLOYMENT],
        pass_role_principals=[DEPLOYING],
    )
    said = exempt(policy(denying(control.service_control()), control=control_json(control)))
    what, reason = said[f"role alarms of {OWNER}"]
    # The way out of a lock-out has a statement of its own.
    assert [each for each in what if each.endswith(" actions (OnlyRegions)")] == list(what[:1])
    assert what[0].startswith("everything but ")
    assert reason == "exempted by OnlyRegions"


def test_a_statement_of_an_older_list_is_no_statement_about_later_actions() -> None:
    less = [denial for denial in CONTROL.service_control() if denial.but_actions]
    older = [replace(denial, but_actions=denial.but_actions[1:]) for denial in less]
    for denials, said in ((less, LATER), (older, f"everything but {len(older[0].but_actions)} actions")):
        found = exempt(policy(denying(denials)))
        assert found[f"role exporter of {OWNER}"][0][0].startswith(said)


def test_an_rcp_says_which_day_its_list_is_of() -> None:
    rcp = Control(perimeter=CONTROL.perimeter, administrators=CONTROL.administrators)
    scp_found = policy(denying(CONTROL.service_control()))
    rcp_found = policy(denying(rcp.resource_control(), principal="*"), kind="RESOURCE_CONTROL_POLICY")
    words = f"leaves open what AWS adds to DynamoDB after {AS_OF}"
    for found, says in ((scp_found, None), (rcp_found, AS_OF.isoformat())):
        assert as_json(found)["organization_policies"][0]["lists_as_of"] == says
        assert (words in as_markdown(found)) is (says is not None)


def test_the_same_of_an_rcp_whose_roles_count_in_the_resources_account() -> None:
    control = Control(perimeter=CONTROL.perimeter, guardrails=[ProtectTables()], administrators=CONTROL.administrators)
    found = policy(
        denying(control.resource_control(), principal="*"),
        kind="RESOURCE_CONTROL_POLICY",
        control=control_json(control),
    )
    said = exempt(found)
    assert said[f"role exporter of {OWNER}"] == (("export",), "nightly")
    assert said["root user of every account"] == (("DeleteResourcePolicy",), "the way out of a lock-out")
    what, reason = said["role cdk-hnb659fds-cfn-exec-role-* of every account"]
    assert reason == "deployments; administrator"
    assert {"policy", "settings", "replicate", "kinesis"} <= {*what}


def test_whom_another_statement_denies_is_not_exempt() -> None:
    one = exempting(role("ann"), role("bob"))
    said = exempt(policy(document(one, exempting(role("ann")))))
    assert said == {f"role ann of {OWNER}": (("DeleteTable",), None)}
    both = exempt(policy(document(one, exempting(role("ann"), action="dynamodb:UpdateTable"))))
    assert both[f"role bob of {OWNER}"] == (("DeleteTable",), None)


def test_another_statement_counts_where_its_conditions_can_hold_with_it() -> None:
    one = exempting(role("ann"), StringEquals={"aws:RequestedRegion": "eu-west-1"})
    there = deny("dynamodb:*", "*", Condition={"StringEquals": {"aws:RequestedRegion": "ap-south-1"}})
    here = deny("dynamodb:*", "*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    assert exempt(policy(document(one, there))) == {f"role ann of {OWNER}": (("DeleteTable",), None)}
    assert exempt(policy(document(one, here))) == {}


@pytest.mark.parametrize(
    ("condition", "label"),
    [
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops-*"}}, "role ops-* of every account"),
        ({"StringNotEquals": {"aws:PrincipalTag/team": "ops"}}, "callers with aws:principaltag/team ops"),
        ({"BoolIfExists": {"aws:ViaAWSService": "false"}}, "calls forwarded by any AWS service"),
        ({"StringNotEquals": {"ec2:InstanceType": "t3.micro"}}, None),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-0abc1234"}}, None),
        ({"StringNotEquals": {"aws:PrincipalAccount": CONSUMER}}, None),
        ({"ArnLike": {"aws:PrincipalArn": role("eve")}}, None),
    ],
)
def test_who_is_told_from_what_is_asked_for(condition: Json, label: str | None) -> None:
    said = exempt(policy(document(deny("ec2:RunInstances", "*", Condition=condition))))
    assert said == ({label: (("ec2:RunInstances",), None)} if label else {})


def test_an_account_that_some_statements_spare_is_exempt_from_those() -> None:
    condition = {"StringNotEquals": {"aws:PrincipalAccount": CONSUMER}}
    found = policy(document(deny("dynamodb:DeleteTable", "*", Condition=condition), deny("ec2:RunInstances", "*")))
    assert exempt(found) == {f"callers with aws:principalaccount {CONSUMER}": (("DeleteTable",), None)}


def test_every_format_shows_them_and_the_schema_holds() -> None:
    found = policy(denying(CONTROL.service_control()), control=control_json(CONTROL))
    for text in (as_text(found, width=120), as_markdown(found)):
        assert "calls forwarded by athena.amazonaws.com: Scan, actions that AWS" in text
    written = as_json(found)
    assert list(problems(written, REVIEW)) == []
    (control,) = written["organization_policies"]
    (exporter,) = [each for each in control["exempt"] if each["label"] == f"role exporter of {OWNER}"]
    assert exporter == {
        "principals": [role("exporter")],
        "label": f"role exporter of {OWNER}",
        "what": ["export", LATER],
        "actions": ["dynamodb:ExportTableToPointInTime", LATER],
        "reason": "nightly",
    }
    (on_call,) = [each for each in control["exempt"] if "OnCall" in each["label"]]
    assert len(on_call["principals"]) == 2
    assert "dynamodb:UpdateTable" in on_call["actions"]


def test_a_reason_is_never_made_up() -> None:
    assert "role ann of 111122223333: DeleteTable (no reason stated)" in as_text(
        policy(document(exempting(role("ann")))), width=120
    )
