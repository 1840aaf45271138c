"""Who may do what with the backups of the reference organization, decided from the templates of all accounts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tableguard.evaluation import Decision, Outcome, Policies, Request, evaluate
from tableguard.review.assembly import SynthesizedStack, read_assembly
from tableguard.review.intrinsics import Resolver
from tests.unit.stacks.synthesized import Synthesized

Json = dict[str, Any]

DATA, PRIVATE, VAULT, RECOVERY = "444455556666", "101011112222", "181819192020", "212122222323"
HOME = {"CentralData": DATA, "PrivateWorkload": PRIVATE, "BackupVault": VAULT, "Recovery": RECOVERY}
SEALED, INTAKE = f"tableguard-sealed-{VAULT}", f"tableguard-intake-{VAULT}"
LANDING = f"tableguard-landing-{DATA}"
OF_TABLE = f"{DATA}/us-east-1/rbac-central-table"
OF_PRIVATE = f"{PRIVATE}/us-east-1/private-table"
FILE, ENTRY = (
    f"{SEALED}/exports/{OF_TABLE}/01/x.json.gz",
    f"{SEALED}/catalogue/{OF_TABLE}/20261122T000000Z-full-01.json",
)
OTHER_FILE = f"{SEALED}/exports/{OF_PRIVATE}/01/x.json.gz"
ARRIVED, OTHER_ARRIVED = f"{INTAKE}/{OF_TABLE}/AWSDynamoDB/01/m.json", f"{INTAKE}/{OF_PRIVATE}/AWSDynamoDB/01/m.json"
EVERYTHING: Json = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "aws:RequestedRegion": "us-west-2"}
ONCE = {
    "s3:ObjectCreationOperation": "true",
    "s3:if-none-match": "*",
    "s3:object-lock-mode": "GOVERNANCE",
    "s3:object-lock-remaining-retention-days": 14,
}


@dataclass(frozen=True)
class Who:
    """Somebody; with every right that his own account can give, or with the policies of the templates."""

    principal: str
    stack: str = ""
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.principal.split(":")[4]


def role(account: str, name: str, stack: str = "") -> Who:
    arn = f"arn:aws:iam::{account}:role/{name}"
    return Who(f"arn:aws:sts::{account}:assumed-role/{name}/s", stack, {"aws:PrincipalArn": arn})


WHO = {
    "root of the data account": Who(f"arn:aws:iam::{DATA}:root"),
    "admin of the data account": role(DATA, "admin"),
    "replication": role(DATA, "export-replication"),
    "replication as deployed": role(DATA, "export-replication", "CentralData"),
    "private exporter as deployed": role(PRIVATE, "private-exporter", "PrivateWorkload"),
    "restore planning as deployed": role(RECOVERY, "restore-catalogue-plan", "Recovery"),
    "restore loading as deployed": role(RECOVERY, "restore-catalogue-load", "Recovery"),
    "people who read as deployed": role(RECOVERY, "backup-reader", "Recovery"),
    "restore loading": role(RECOVERY, "restore-catalogue-load"),
    "restore machine": role(RECOVERY, "restore-catalogue"),
    "admin of the recovery account": role(RECOVERY, "admin"),
    "root of the vault": Who(f"arn:aws:iam::{VAULT}:root"),
    "admin of the vault": role(VAULT, "admin"),
    "sealing as deployed": role(VAULT, "tableguard-sealing", "BackupVault"),
    "sealing": role(VAULT, "tableguard-sealing"),
    "deployment": role(VAULT, f"cdk-hnb659fds-cfn-exec-role-{VAULT}-us-west-2"),
}

SEALING = {"sealing as deployed", "sealing"}

# What may be done by whom. Everything else of the table, by everybody of the list, is denied.
REQUESTS: dict[str, tuple[str, str, Mapping[str, Any], set[str]]] = {
    "read a sealed file": (
        "s3:GetObjectVersion",
        FILE,
        {},
        {
            "restore planning as deployed",
            "restore loading as deployed",
            "people who read as deployed",
            "restore loading",
            "sealing as deployed",
            "sealing",
        },
    ),
    # The vault lets a reader read; which table, its own account narrows down.
    "read another table's file": (
        "s3:GetObjectVersion",
        OTHER_FILE,
        {},
        {"restore loading", *SEALING},
    ),
    "read the catalogue": (
        "s3:GetObject",
        ENTRY,
        {},
        {"restore planning as deployed", "people who read as deployed", "restore loading", *SEALING},
    ),
    "seal": ("s3:PutObject", FILE, ONCE, SEALING),
    "seal again": ("s3:PutObject", FILE, {**ONCE, "s3:if-none-match": None}, set()),
    "seal for a day": ("s3:PutObject", FILE, {**ONCE, "s3:object-lock-remaining-retention-days": 1}, set()),
    "seal for good": ("s3:PutObject", FILE, {**ONCE, "s3:object-lock-mode": "COMPLIANCE"}, set()),
    "alter the catalogue": ("s3:PutObject", ENTRY, {**ONCE, "s3:if-none-match": None}, set()),
    "replicate past the intake": ("s3:ReplicateObject", FILE, {}, set()),
    "delete a sealed file": ("s3:DeleteObjectVersion", FILE, {}, set()),
    "delete an entry": ("s3:DeleteObjectVersion", ENTRY, {}, set()),
    "hide a sealed file": ("s3:DeleteObject", FILE, {}, set()),
    "lift a lock": ("s3:BypassGovernanceRetention", FILE, {}, set()),
    "hold": ("s3:PutObjectLegalHold", FILE, {}, set()),
    "send an export": ("s3:ReplicateObject", ARRIVED, {}, {"replication", "replication as deployed"}),
    "send in another's name": ("s3:ReplicateObject", OTHER_ARRIVED, {}, set()),
    "send a deletion": ("s3:ReplicateDelete", ARRIVED, {}, set()),
    "put into the intake": ("s3:PutObject", ARRIVED, {}, set()),
    "delete what arrived": ("s3:DeleteObjectVersion", ARRIVED, {}, set()),
    "replace the policy": ("s3:PutBucketPolicy", SEALED, {}, {"deployment"}),
    "delete the policy": ("s3:DeleteBucketPolicy", SEALED, {}, {"deployment"}),
    "suspend versioning": ("s3:PutBucketVersioning", SEALED, {}, {"deployment"}),
    "expire by lifecycle": ("s3:PutLifecycleConfiguration", SEALED, {}, {"deployment"}),
    "silence the intake": ("s3:PutBucketNotification", INTAKE, {}, {"deployment"}),
    "delete the bucket": ("s3:DeleteBucket", SEALED, {}, {"deployment"}),
}


@dataclass(frozen=True)
class Deployed:
    """The templates as they would be deployed."""

    stacks: Mapping[str, SynthesizedStack]
    resolver: Resolver

    def resolved(self, stack: str, kind: str) -> Iterator[Json]:
        found = self.stacks[stack]
        for _, resource in found.resources(kind):
            yield self.resolver.resolve(found, resource["Properties"])

    def bucket_policy(self, bucket: str) -> Json:
        (policy,) = (
            each["PolicyDocument"]
            for stack in HOME
            for each in self.resolved(stack, "AWS::S3::BucketPolicy")
            if each["Bucket"] == bucket
        )
        return dict(policy)

    def identity(self, who: Who) -> list[Json]:
        """Every policy that a template attaches to the role."""
        name = who.context["aws:PrincipalArn"].rpartition("/")[2]
        found = [
            each["PolicyDocument"] for each in self.resolved(who.stack, "AWS::IAM::Policy") if name in each["Roles"]
        ]
        assert found, name
        return found

    @property
    def guardrails(self) -> list[Json]:
        return [
            json.loads(each["Content"]) if isinstance(each["Content"], str) else each["Content"]
            for each in self.resolved("Management", "AWS::Organizations::Policy")
            if VAULT in each["TargetIds"]
        ]


@cache
def deployed(folder: Path) -> Deployed:
    stacks = read_assembly(folder)
    return Deployed({stack.name: stack for stack in stacks}, Resolver(stacks))


def decide(
    at: Deployed, who: Who, action: str, on: str, context: Mapping[str, Any], *, bound: bool = True, policy: bool = True
) -> Decision:
    """Decide, with the bucket's policy and the organization's, or without."""
    request = Request(
        principal=who.principal,
        action=action,
        resource=f"arn:aws:s3:::{on}",
        resource_account=VAULT,
        context={name: value for name, value in {**TLS, **who.context, **context}.items() if value is not None},
    )
    scps = [[EVERYTHING, *at.guardrails]] if bound and who.account == VAULT else []
    decision = evaluate(
        request,
        Policies(
            identity=at.identity(who) if who.stack else [EVERYTHING],
            resource=at.bucket_policy(on.partition("/")[0]) if policy else None,
            service_control=scps,
        ),
    )
    assert decision.understood
    return decision


@pytest.mark.parametrize("name", REQUESTS)
def test_who_may_do_what_with_sealed_backups(reference: Synthesized, name: str) -> None:
    action, on, context, may = REQUESTS[name]
    at = deployed(reference.folder)
    decided = {who: decide(at, by, action, on, context).outcome for who, by in WHO.items()}
    assert {who for who, outcome in decided.items() if outcome is Outcome.ALLOWED} == may


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_the_policies_that_keep_the_vaults_own_administrator_from_it(reference: Synthesized, name: str) -> None:
    action, on, context, _ = REQUESTS[name]
    by, at = WHO["admin of the vault"], deployed(reference.folder)
    assert decide(at, by, action, on, context, bound=False, policy=False).outcome is Outcome.ALLOWED
    assert decide(at, by, action, on, context, bound=False).outcome is not Outcome.ALLOWED


def test_nobody_of_the_accounts_with_the_tables_reaches_what_is_sealed(reference: Synthesized) -> None:
    """The data account taken over: whoever it is there, whatever he gives himself."""
    at = deployed(reference.folder)
    for who, by in WHO.items():
        if by.account in (DATA, PRIVATE):
            allowed = {
                name
                for name, (action, on, context, _) in REQUESTS.items()
                if on.startswith(SEALED) and decide(at, by, action, on, context).outcome is Outcome.ALLOWED
            }
            assert allowed == set(), who


class TestGuardrailOfTheVault:
    """S3 lets the root user of the account replace every bucket's policy: the organization does not."""

    ROOT = WHO["root of the vault"]
    SETTINGS = (
        ("s3:PutBucketPolicy", f"arn:aws:s3:::{SEALED}"),
        ("s3:DeleteBucketPolicy", f"arn:aws:s3:::{INTAKE}"),
        ("organizations:LeaveOrganization", "*"),
        ("account:CloseAccount", "*"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:us-west-2:{VAULT}:function:any"),
        ("states:UpdateStateMachine", f"arn:aws:states:us-west-2:{VAULT}:stateMachine:{SEALED}-seal"),
        ("events:DisableRule", f"arn:aws:events:us-west-2:{VAULT}:rule/any"),
        ("scheduler:DeleteSchedule", f"arn:aws:scheduler:us-west-2:{VAULT}:schedule/default/any"),
        ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:us-west-2:{VAULT}:alarm:any"),
        ("sns:Unsubscribe", f"arn:aws:sns:us-west-2:{VAULT}:any"),
        ("iam:UpdateAssumeRolePolicy", f"arn:aws:iam::{VAULT}:role/tableguard-sealing"),
        ("iam:PassRole", f"arn:aws:iam::{VAULT}:role/tableguard-sealing"),
        ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:us-west-2:{VAULT}:trail/any"),
    )
    NOBODY = ("organizations:LeaveOrganization", "account:CloseAccount")

    def outcome(self, reference: Synthesized, who: Who, action: str, on: str, *, bound: bool = True) -> Outcome:
        scps = [[EVERYTHING, *deployed(reference.folder).guardrails]] if bound else []
        request = Request(
            principal=who.principal, action=action, resource=on, resource_account=VAULT, context={**TLS, **who.context}
        )
        decision = evaluate(request, Policies(identity=[EVERYTHING], service_control=scps))
        assert decision.understood
        return decision.outcome

    @pytest.mark.parametrize(("action", "on"), SETTINGS)
    @pytest.mark.parametrize("who", ["root of the vault", "admin of the vault", "sealing"])
    def test_binds_everybody(self, reference: Synthesized, who: str, action: str, on: str) -> None:
        assert self.outcome(reference, WHO[who], action, on) is Outcome.EXPLICITLY_DENIED
        assert self.outcome(reference, WHO[who], action, on, bound=False) is Outcome.ALLOWED

    @pytest.mark.parametrize(("action", "on"), SETTINGS)
    def test_lets_deployments_through_but_not_out(self, reference: Synthesized, action: str, on: str) -> None:
        allowed = self.outcome(reference, WHO["deployment"], action, on) is Outcome.ALLOWED
        assert allowed is (action not in self.NOBODY)

    def test_fits(self, reference: Synthesized) -> None:
        guardrails = deployed(reference.folder).guardrails
        # One more is FullAWSAccess, and five is what a target took before May 2026.
        assert 1 <= len(guardrails) <= 4
        assert [size for each in guardrails if (size := len(json.dumps(each, separators=(",", ":")))) > 10_240] == []


def test_the_restore_reads_one_table_and_writes_to_tables_of_its_own_alone(reference: Synthesized) -> None:
    at = deployed(reference.folder)
    text = json.dumps([at.identity(WHO[f"restore {part} as deployed"]) for part in ("planning", "loading")])
    assert "private-table" not in text
    tables = {each for each in text.replace('"', " ").split() if ":dynamodb:" in each and ":table/" in each}
    assert {each.rstrip(",]") for each in tables} == {f"arn:aws:dynamodb:us-west-2:{RECOVERY}:table/restored-*"}


def test_try_out_is_not_for_good(reference: Synthesized) -> None:
    """Somebody who tries it out has to get rid of it again: a compliance lock would outlast him."""
    locks = [
        each["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        for each in reference.resources("BackupVault", "AWS::S3::Bucket")
        for each in [each["Properties"]]
        if "ObjectLockConfiguration" in each
    ]
    assert locks == [{"Mode": "GOVERNANCE", "Days": 14}]
