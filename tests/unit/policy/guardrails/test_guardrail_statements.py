"""What single guardrails narrow, and how several become few policies."""

from __future__ import annotations

import functools
import itertools
from typing import Any, Final

import botocore.session
import pytest
from hypothesis import given, strategies as st

import tableguard as tg
from tableguard.aws.services import ACTIONS_BY_SERVICE
from tableguard.evaluation import Document, Policies, Request, evaluate
from tableguard.policy.deny_statements import DenyStatement, packed
from tableguard.policy.documents import minified
from tableguard.policy.guardrails import Control, Guardrail, Rendering
from tableguard.policy.limits import DEFAULT_LIMITS

ACCOUNT: Final = "444455556666"
TABLE: Final = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"
OTHER: Final = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/other"
KEY: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GUARDIAN: Final = tg.Role(account=ACCOUNT, name="break-glass")
ADMIN: Final = f"arn:aws:iam::{ACCOUNT}:role/admin"
ORDERS: Final = tg.TableReference(account=ACCOUNT, region="eu-west-1", name="orders")
FULL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# A key is of no use to anybody whom its own policy does not let in.
OF_RESOURCE: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


def documents(*denials: DenyStatement, size: int | None = None) -> tuple[dict[str, Any], ...]:
    limit = DEFAULT_LIMITS.service_control
    if size is not None:
        limit = tg.Limit(limit.kind, size, limit.unit, limit.source)
    return packed(denials, limit, owner="the SCP")


def allowed(scps: tuple[dict[str, Any], ...], principal: str, action: str, resource: str, **context: Any) -> bool:
    request = Request(
        principal=principal, action=action, resource=resource, resource_account=ACCOUNT,
        context={"aws:RequestedRegion": "eu-west-1", **context},
    )  # fmt: skip
    policies = Policies(identity=[FULL], resource=OF_RESOURCE, service_control=[[FULL, *scps]])
    decision = evaluate(request, policies)
    assert decision.understood
    return decision.allowed


def scps(*guardrails: Guardrail) -> tuple[dict[str, Any], ...]:
    return documents(*Control(guardrails=guardrails, administrators=[GUARDIAN]).service_control())


@pytest.mark.parametrize(
    ("part", "actions"),
    [
        (tg.TablePart.POLICY, ["PutResourcePolicy", "DeleteResourcePolicy"]),
        (tg.TablePart.RECOVERY, ["UpdateContinuousBackups"]),
        (tg.TablePart.SETTINGS, ["UpdateTable", "DeleteTable"]),
        (tg.TablePart.TTL, ["UpdateTimeToLive"]),
        (tg.TablePart.REPLICAS, ["CreateTableReplica", "DeleteTableReplica", "UpdateGlobalTableSettings"]),
        (tg.TablePart.KINESIS, ["EnableKinesisStreamingDestination"]),
        (tg.TablePart.TAGS, ["TagResource", "UntagResource"]),
        (tg.TablePart.ABAC, ["UpdateAbacStatus"]),
    ],
)
def test_a_part_protects_itself_and_no_other(part: tg.TablePart, actions: list[str]) -> None:
    mine = scps(tg.ProtectTables(parts=[part]))
    others = scps(tg.ProtectTables(parts=[other for other in tg.TablePart if other is not part]))
    for action in actions:
        assert not allowed(mine, ADMIN, f"dynamodb:{action}", TABLE)
        assert allowed(others, ADMIN, f"dynamodb:{action}", TABLE)


@pytest.mark.parametrize("suffix", ["", "/stream/2026-11-21T10:00:00.000", "/index/by-date"])
@pytest.mark.parametrize("action", ["PutResourcePolicy", "DeleteResourcePolicy", "UpdateTable"])
def test_named_tables_are_protected_and_no_others(action: str, suffix: str) -> None:
    named = scps(tg.ProtectTables(tables=[ORDERS]))
    assert not allowed(named, ADMIN, f"dynamodb:{action}", f"{TABLE}{suffix}")
    assert allowed(named, ADMIN, f"dynamodb:{action}", f"{OTHER}{suffix}")
    assert allowed(named, ADMIN, f"dynamodb:{action}", f"{TABLE}s{suffix}")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["team"], False),
        (["team", "note"], False),
        (["access-level"], False),
        # aws:ResourceTag/team holds for a tag "Team" as well: IAM reads the key in a condition in any case.
        (["Team"], False),
        (["note", "TEAM"], False),
        (["teams"], True),
        (["note"], True),
        ([], True),
    ],
)
def test_named_tags_are_protected_and_no_others(keys: list[str], expected: bool) -> None:
    protected = scps(tg.ProtectTables(tags=["team", "access-*"]))
    for action in ("dynamodb:TagResource", "dynamodb:UntagResource"):
        assert allowed(protected, ADMIN, action, TABLE, **{"aws:TagKeys": keys}) is expected
        assert allowed(protected, GUARDIAN.arn("aws"), action, TABLE, **{"aws:TagKeys": keys})


def test_named_keys_are_protected_and_no_others() -> None:
    protected = scps(tg.ProtectKeys(keys=[KEY]))
    assert not allowed(protected, ADMIN, "kms:ScheduleKeyDeletion", KEY)
    assert allowed(protected, ADMIN, "kms:ScheduleKeyDeletion", KEY.replace("1234abcd", "99999999"))


def test_whoever_is_exempt_is_guarded() -> None:
    developer = tg.Role(account=ACCOUNT, name="lab")
    with_lab = scps(tg.NoEc2(reason="serverless", exempt_principals=[developer]))
    lab = developer.arn("aws")
    assert allowed(with_lab, lab, "ec2:RunInstances", "*")
    assert not allowed(with_lab, ADMIN, "ec2:RunInstances", "*")
    assert not allowed(with_lab, ADMIN, "iam:UpdateAssumeRolePolicy", lab)
    assert not allowed(with_lab, lab, "iam:UpdateAssumeRolePolicy", lab)
    assert allowed(with_lab, GUARDIAN.arn("aws"), "iam:UpdateAssumeRolePolicy", lab)


def test_what_is_protected_alike_is_one_statement_named_after_all_of_it() -> None:
    denials = Control(
        guardrails=[tg.ProtectTables(), tg.ProtectBackups(), tg.ProtectTrails(), tg.ProtectKeys(),
                    tg.StayInOrganization(), tg.NoEc2(reason="serverless")],
        administrators=[GUARDIAN],
    ).service_control()  # fmt: skip
    assert [denial.sid for denial in denials] == [
        "GuardExemptRoles",
        "ProtectTablesBackupsTrailsKeys",
        "ProtectTablePolicies",
        "StayInOrganization",
        "NoEc2",
    ]


ANY: Final = (
    tg.OnlyRegions("eu-west-1"),
    tg.OnlyRegions("eu-west-1", "us-east-1", exempt_principals=[GUARDIAN]),
    tg.NoEc2(reason="serverless"),
    tg.ProtectTables(),
    tg.ProtectTables(parts=[tg.TablePart.TAGS], tags=["team"]),
    tg.ProtectTables(tables=[ORDERS]),
    tg.ProtectBackups(exempt_principals=[tg.Role(account=ACCOUNT, name="backup")]),
    tg.ProtectTrails(),
    tg.ProtectKeys(keys=[KEY]),
    tg.ProtectKeys(),
    tg.ProtectSchedules(names=["nightly-*", "weekly"]),
    tg.StayInOrganization(),
    tg.VaultGuardrail(deployers=[], sealing_roles=[tg.Role(account=ACCOUNT, name="sealing")], buckets=["acme-sealed"]),
)
REQUESTS: Final = tuple(
    Request(
        principal=principal,
        action=action,
        resource=resource,
        resource_account=ACCOUNT,
        context={"aws:RequestedRegion": region, "aws:TagKeys": ["team"]},
    )
    for principal, (action, resource), region in itertools.product(
        (ADMIN, GUARDIAN.arn("aws"), f"arn:aws:iam::{ACCOUNT}:role/backup", f"arn:aws:iam::{ACCOUNT}:root"),
        (
            ("dynamodb:UpdateTable", TABLE),
            ("dynamodb:DeleteResourcePolicy", OTHER),
            ("dynamodb:TagResource", OTHER),
            ("dynamodb:DeleteBackup", f"{TABLE}/backup/1"),
            ("cloudtrail:StopLogging", "*"),
            ("kms:DisableKey", KEY),
            ("ec2:RunInstances", "*"),
            ("iam:CreateRole", GUARDIAN.arn("aws")),
            ("s3:GetObject", "*"),
            ("s3:PutBucketPolicy", "arn:aws:s3:::acme-sealed"),
            ("s3:DeleteObjectVersion", "arn:aws:s3:::acme-sealed/x"),
            ("organizations:LeaveOrganization", "*"),
            ("events:PutRule", f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/nightly-export"),
        ),
        ("eu-west-1", "us-east-1", "us-west-2"),
    )
)


@functools.cache
def _apart(guardrail: Guardrail) -> tuple[Document, ...]:
    """Each statement of a guardrail in a policy of its own."""
    denials = Control(guardrails=[guardrail], administrators=[GUARDIAN]).service_control()
    return tuple(Document(documents(denial)[0]) for denial in denials)


@given(
    st.lists(st.sampled_from(ANY), min_size=1, max_size=len(ANY), unique=True),
    st.integers(min_value=4_200, max_value=12_000),
)
def test_merging_and_packing_keep_every_decision(guardrails: list[Guardrail], size: int) -> None:
    control = Control(guardrails=guardrails, administrators=[GUARDIAN])
    together = documents(*control.service_control(), size=size)
    apart = tuple(document for guardrail in guardrails for document in _apart(guardrail))
    assert all(len(minified(document)) <= size for document in together)
    assert together == documents(*control.service_control(), size=size)
    one, other = (
        Policies(identity=[FULL], resource=OF_RESOURCE, service_control=[[FULL, *policies]])
        for policies in (together, apart)
    )
    for request in REQUESTS:
        assert evaluate(request, one).allowed is evaluate(request, other).allowed, request


@pytest.mark.parametrize(("size", "most"), [(10_240, 1), (3_000, 2), (2_550, 3)])
def test_everything_takes_few_policies(size: int, most: int) -> None:
    control = Control(
        guardrails=[tg.OnlyRegions("eu-west-1"), tg.NoEc2(reason="serverless"), tg.ProtectTables(), tg.ProtectBackups(),
                    tg.ProtectTrails(), tg.ProtectKeys(), tg.ProtectSchedules(names=["nightly-*"]),
                    tg.StayInOrganization()],
        administrators=[GUARDIAN],
    )  # fmt: skip
    found = documents(*control.service_control(), size=size)
    total = sum(len(minified(denial.to_json())) for denial in control.service_control())
    assert len(found) == most
    # No fewer would do: what is to be said is longer than one policy less can hold.
    assert total > (most - 1) * size


# What the service authorization reference calls an action and the API does not have, of services without a table.
_PERMISSIONS_ONLY: Final = {"account": {"CloseAccount"}, "lambda": {"InvokeFunction", "InvokeFunctionUrl"}}
_CALLED: Final = {"states": "stepfunctions"}


@pytest.mark.parametrize("guardrail", ANY, ids=lambda guardrail: guardrail.name)
def test_every_action_exists(guardrail: Guardrail) -> None:
    session = botocore.session.get_session()
    for denial in guardrail.denials(Rendering(administrators=(GUARDIAN,))):
        for action in denial.actions:
            service, name = action.split(":")
            if service in ACTIONS_BY_SERVICE:
                assert name in ACTIONS_BY_SERVICE[service], action
                continue
            known = set(session.get_service_model(_CALLED.get(service, service)).operation_names)
            assert name in known | _PERMISSIONS_ONLY.get(service, set()), action
