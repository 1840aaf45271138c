"""Who may do what in the private workload's account, decided from the synthesized policies of all layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tableguard.review.picture import Picture
from tableguard.testing import assert_allowed, assert_denied
from tableguard.testing.whereabouts import whereabouts
from tests.unit.stacks.synthesized import Synthesized

ACCOUNT = "101011112222"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/private-table"
COPY = f"{TABLE}-restored"
LEDGER = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{{PrivateWorkload.BackupExportLedger2985A0CD}}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
FUNCTION = f"{ROLE}/private-reader"
BREAK_GLASS = f"{ROLE}/break-glass"
EXPORTER = f"{ROLE}/private-exporter"
ADMIN = f"{ROLE}/admin"
EXECUTION = f"{ROLE}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-us-east-1"
DEPLOYING = f"{ROLE}/cdk-hnb659fds-deploy-role-{ACCOUNT}-us-east-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
STRANGER = "arn:aws:iam::123456789012:role/admin"
SAME_NAME = "arn:aws:iam::123456789012:role/break-glass"

THROUGH_THE_ENDPOINT: Mapping[str, Any] = {
    "aws:SourceVpc": "{PrivateWorkload.Vpc8378EB38}",
    "aws:VpceAccount": ACCOUNT,
}
ANOTHER_VPC: Mapping[str, Any] = {"aws:SourceVpc": "vpc-0abc1234", "aws:VpceAccount": "123456789012"}
OUTSIDE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Row:
    """A request, and whether it goes through."""

    who: str
    action: str
    where: Mapping[str, Any]
    allowed: bool
    on: str = TABLE
    # What the caller's own account says: everything, for whoever stands in no template.
    identity: Any = None

    def __str__(self) -> str:
        place = {id(THROUGH_THE_ENDPOINT): "inside", id(ANOTHER_VPC): "another VPC"}.get(id(self.where), "outside")
        return f"{self.who.rpartition('/')[2]} {self.action} {place} {self.on.rpartition('/')[2]}"


def everything(who: str, action: str, where: Mapping[str, Any], *, allowed: bool, on: str = TABLE) -> Row:
    return Row(who, action, where, allowed, on, "any")


ROWS = [
    Row(FUNCTION, "GetItem", THROUGH_THE_ENDPOINT, True),
    Row(FUNCTION, "GetItem", OUTSIDE, False),
    Row(FUNCTION, "GetItem", ANOTHER_VPC, False),
    Row(FUNCTION, "PutItem", THROUGH_THE_ENDPOINT, False),
    Row(FUNCTION, "GetItem", THROUGH_THE_ENDPOINT, False, COPY),
    everything(ADMIN, "GetItem", THROUGH_THE_ENDPOINT, allowed=True),
    everything(ADMIN, "GetItem", OUTSIDE, allowed=False),
    everything(ADMIN, "GetItem", ANOTHER_VPC, allowed=False),
    everything(ADMIN, "Scan", OUTSIDE, allowed=False, on=COPY),
    everything(ADMIN, "ExportTableToPointInTime", OUTSIDE, allowed=False),
    everything(ADMIN, "RestoreTableToPointInTime", OUTSIDE, allowed=False),
    everything(ADMIN, "PutResourcePolicy", THROUGH_THE_ENDPOINT, allowed=False),
    everything(ADMIN, "DeleteResourcePolicy", THROUGH_THE_ENDPOINT, allowed=False),
    everything(ADMIN, "UpdateContinuousBackups", THROUGH_THE_ENDPOINT, allowed=False),
    everything(ADMIN, "DeleteTable", THROUGH_THE_ENDPOINT, allowed=False),
    everything(ADMIN, "DescribeTable", OUTSIDE, allowed=True),
    Row(BREAK_GLASS, "GetItem", OUTSIDE, True),
    Row(BREAK_GLASS, "PutItem", OUTSIDE, True),
    Row(BREAK_GLASS, "UpdateTable", OUTSIDE, True),
    Row(BREAK_GLASS, "PutResourcePolicy", OUTSIDE, True),
    Row(BREAK_GLASS, "GetItem", OUTSIDE, False, COPY),
    # Who exports, from the network of Step Functions: the table, and no item of it.
    Row(EXPORTER, "ExportTableToPointInTime", OUTSIDE, True),
    Row(EXPORTER, "DescribeTable", OUTSIDE, True),
    Row(EXPORTER, "GetItem", OUTSIDE, False),
    everything(EXPORTER, "GetItem", OUTSIDE, allowed=False),
    everything(EXPORTER, "UpdateItem", OUTSIDE, allowed=False),
    everything(EXPORTER, "Scan", OUTSIDE, allowed=False),
    everything(EXPORTER, "RestoreTableToPointInTime", OUTSIDE, allowed=False),
    everything(EXPORTER, "PutResourcePolicy", OUTSIDE, allowed=False),
    Row(EXPORTER, "UpdateItem", OUTSIDE, True, LEDGER),
    Row(EXPORTER, "GetItem", OUTSIDE, True, LEDGER),
    Row(EXPORTER, "DeleteItem", OUTSIDE, False, LEDGER),
    everything(ADMIN, "UpdateItem", OUTSIDE, allowed=False, on=LEDGER),
    everything(EXECUTION, "CreateTable", OUTSIDE, allowed=True),
    everything(EXECUTION, "UpdateTable", OUTSIDE, allowed=True),
    everything(EXECUTION, "PutResourcePolicy", OUTSIDE, allowed=True),
    everything(EXECUTION, "UpdateContinuousBackups", OUTSIDE, allowed=True),
    everything(EXECUTION, "GetItem", OUTSIDE, allowed=False),
    everything(EXECUTION, "ExportTableToPointInTime", OUTSIDE, allowed=False),
    everything(DEPLOYING, "GetItem", OUTSIDE, allowed=False),
    everything(DEPLOYING, "PutResourcePolicy", OUTSIDE, allowed=False),
    everything(ROOT, "GetItem", OUTSIDE, allowed=False),
    everything(ROOT, "PutResourcePolicy", OUTSIDE, allowed=False),
    everything(ROOT, "DeleteResourcePolicy", OUTSIDE, allowed=True),
    everything(STRANGER, "GetItem", OUTSIDE, allowed=False),
    everything(STRANGER, "GetItem", ANOTHER_VPC, allowed=False),
    everything(SAME_NAME, "GetItem", OUTSIDE, allowed=False),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_do_what_from_where(reference: Synthesized, row: Row) -> None:
    decided = assert_allowed if row.allowed else assert_denied
    decided(
        reference.folder,
        principal=row.who,
        action=f"dynamodb:{row.action}",
        resource=row.on,
        context=row.where,
        identity=row.identity,
        # The copy has the name that somebody gave it, and no policy at all.
        table_policy={"Version": "2012-10-17", "Statement": []} if row.on == COPY else None,
    )


@cache
def picture_of(folder: Path) -> Picture:
    return whereabouts(folder, principal=ADMIN, resource=TABLE).picture


def only(picture: Picture, *, kind: str = "", of_table: bool = False) -> Picture:
    """The same with the organization's policies of one kind, and with or without the table's own."""
    kept = tuple(each for each in picture.organization_policies if each.kind == kind)
    tables = picture.tables if of_table else tuple(replace(table, policy=None) for table in picture.tables)
    return replace(picture, organization_policies=kept, tables=tables)


LAYERS: Mapping[str, Mapping[str, Any]] = {
    "SCP": {"kind": "SERVICE_CONTROL_POLICY"},
    "RCP": {"kind": "RESOURCE_CONTROL_POLICY"},
    "table": {"of_table": True},
}


class TestEveryLayerAlone:
    """An outsider has to get past each; the function inside and the break-glass role get past all."""

    @pytest.mark.parametrize("layer", LAYERS)
    def test_denies_an_administrator_outside(self, reference: Synthesized, layer: str) -> None:
        picture = only(picture_of(reference.folder), **LAYERS[layer])
        asked: dict[str, Any] = {"principal": ADMIN, "action": "dynamodb:GetItem", "resource": TABLE, "identity": "any"}
        assert_denied(picture, **asked)
        assert_allowed(picture, **asked, context=THROUGH_THE_ENDPOINT)
        assert_allowed(only(picture), **asked)

    @pytest.mark.parametrize("layer", LAYERS)
    def test_lets_the_break_glass_role_through(self, reference: Synthesized, layer: str) -> None:
        picture = only(picture_of(reference.folder), **LAYERS[layer])
        assert_allowed(picture, principal=BREAK_GLASS, action="dynamodb:GetItem", resource=TABLE)


def test_the_workloads_policies_are_on_the_private_account_alone(reference: Synthesized) -> None:
    policies = [
        each
        for each in reference.resources("Management", "AWS::Organizations::Policy")
        if "BackupVault" not in each["Properties"]["Name"]
    ]
    assert {each["Properties"]["Type"] for each in policies} == {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}
    assert [each["Properties"]["TargetIds"] for each in policies] == [[ACCOUNT]] * len(policies)
    # Nobody of the accounts that share the central table meets them.
    assert_allowed(
        reference.folder,
        principal=reference.role_of("TenantAlfa"),
        action="dynamodb:GetItem",
        resource=reference.table_arn,
    )


def test_the_function_reaches_nothing_but_the_endpoint(reference: Synthesized) -> None:
    template = reference.templates["PrivateWorkload"]["Resources"].values()
    kinds = {each["Type"] for each in template}
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"}
    (endpoint,) = reference.resources("PrivateWorkload", "AWS::EC2::VPCEndpoint")
    assert "dynamodb" in json.dumps(endpoint["Properties"]["ServiceName"])
    (function,) = reference.resources("PrivateWorkload", "AWS::Lambda::Function")
    subnets = {each["Ref"] for each in function["Properties"]["VpcConfig"]["SubnetIds"]}
    routed = reference.resources("PrivateWorkload", "AWS::EC2::SubnetRouteTableAssociation")
    tables = {
        each["Properties"]["RouteTableId"]["Ref"] for each in routed if each["Properties"]["SubnetId"]["Ref"] in subnets
    }
    assert len(subnets) == 2
    assert tables == {each["Ref"] for each in endpoint["Properties"]["RouteTableIds"]}


def test_only_lambda_makes_the_functions_network_interfaces(reference: Synthesized) -> None:
    policies = reference.resources("PrivateWorkload", "AWS::IAM::Policy")
    statements = [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    (interfaces,) = (each for each in statements if "ec2:" in json.dumps(each))
    assert interfaces["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}}
