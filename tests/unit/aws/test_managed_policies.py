"""AWS's own policies, and what of it the library's refusals must leave alone and its roles may take over."""

from __future__ import annotations

import re
from typing import Any

import pytest

import tableguard as tg
from tableguard.aws.dynamodb import ACTIONS, Resource
from tableguard.aws.managed_policies import (
    AUTOSCALING,
    BACKUP,
    FOR_BACKUP,
    FOR_RESTORES,
    REPLICATION,
    RESTORE_TESTING,
    LinkedRole,
    ManagedPolicy,
)
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.backup.service_roles import backup_policy, restore_testing_policy
from tableguard.policy.deny_statements import DenyStatement

ACCOUNT, REGION = "111122223333", "eu-west-1"
TABLE = tg.TableReference(account=ACCOUNT, region=REGION, name="orders")
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
POLICIES = [REPLICATION.policy, AUTOSCALING.policy, BACKUP.policy, RESTORE_TESTING.policy, FOR_BACKUP, FOR_RESTORES]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_each_allows_actions_that_exist_and_says_of_when_it_is(policy: ManagedPolicy) -> None:
    assert policy.actions <= ACTIONS.keys()
    assert re.fullmatch(r"v\d+", policy.version)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", policy.edited)


def decided(denials: tuple[DenyStatement, ...], role: LinkedRole, action: str, resource: str) -> bool:
    """Whether a table's or a stream's policy leaves a service-linked role alone, which calls from no VPC."""
    document = {"Version": "2012-10-17", "Statement": [denial.to_json(principal="*") for denial in denials]}
    request = Request(
        principal=role.arn(ACCOUNT, "aws"), action=f"dynamodb:{action}", resource=resource,
        context={"aws:SourceIp": "203.0.113.9", "aws:RequestedRegion": REGION},
    )  # fmt: skip
    return evaluate(request, Policies(identity=[FULL], resource=document)).allowed


PERIMETER = tg.Perimeter(networks=[tg.FromVpc("vpc-0123456789abcdef0", region=REGION)])


@pytest.mark.parametrize("role", [REPLICATION, AUTOSCALING], ids=lambda role: role.name)
def test_a_perimeter_keeps_service_linked_roles_from_none_of_their_work(role: LinkedRole) -> None:
    """Cut off, replicas fall apart for good, and tables keep the capacity that they have."""
    tried = 0
    for name in role.policy.actions:
        for kind, resource, denials in (
            (Resource.TABLE, TABLE.arn, PERIMETER.table_statements(TABLE)),
            (Resource.STREAM, f"{TABLE.arn}/stream/2026-01-01T00:00:00.000", PERIMETER.stream_statements(TABLE)),
        ):
            if kind in ACTIONS[name].resources:
                tried += 1
                assert decided(denials, role, name, resource), name
    assert tried >= len(role.policy.actions) - 1  # DescribeLimits is about no table


def test_what_a_service_linked_role_does_not_need_is_refused_to_it() -> None:
    assert not decided(PERIMETER.table_statements(TABLE), AUTOSCALING, "GetItem", TABLE.arn)
    assert not decided(PERIMETER.table_statements(TABLE), REPLICATION, "ExportTableToPointInTime", TABLE.arn)


def actions_on_tables(policy: dict[str, Any]) -> set[str]:
    listed = policy["Statement"]
    actions = [each["Action"] for each in (listed if isinstance(listed, list) else [listed])]
    names = [name for each in actions for name in ([each] if isinstance(each, str) else each)]
    return {name.removeprefix("dynamodb:") for name in names if name.startswith("dynamodb:")}


def test_our_roles_for_aws_backup_hold_no_more_than_its_own() -> None:
    keys: dict[str, Any] = {"keys": [], "partition": "aws", "region": REGION, "account": ACCOUNT}
    backing_up = actions_on_tables(backup_policy(tables=[TABLE.arn], vault="*", copies=[], **keys))
    # Without CreateBackup, and with nothing of the backups that it makes.
    assert FOR_BACKUP.actions - backing_up == {"CreateBackup", "DeleteBackup", "DescribeBackup"}
    assert backing_up <= FOR_BACKUP.actions
    testing = actions_on_tables(restore_testing_policy(**keys))
    assert FOR_RESTORES.actions - testing == {"RestoreTableFromBackup"}
    assert testing <= FOR_RESTORES.actions
