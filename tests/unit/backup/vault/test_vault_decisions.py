"""Who can do what with a vault's buckets, and which statement or layer decides."""

from __future__ import annotations

import pytest

from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.backup.vault.vaults import (
    ATTACKERS,
    CFN,
    FILE,
    FULL,
    REQUESTS,
    SEALED,
    VAULT,
    Asked,
    Json,
    decide,
    deciding,
    guardrail,
    locked,
    policy_of,
    resources,
    role,
)

SOURCE, READER, SEALER = "replication role", "restore reader", "sealing role"
ROOT, DEPLOYMENT, BREAK_GLASS = "root of the vault", "deployment", "break-glass"
SETTINGS = "OnlyDeploymentsChangeSettings"

# What decides for everybody, and for whom something else does.
EXPECTED: dict[str, tuple[str, dict[str, str]]] = {
    "replicate": ("OnlySourcesReplicate", {SOURCE: "allowed"}),
    "replicate tags": ("OnlySourcesReplicate", {SOURCE: "allowed"}),
    "replicate below another account": ("OnlySourcesReplicate", {SOURCE: "(resource)"}),
    "replicate another table": ("OnlySourcesReplicate", {SOURCE: "(resource)"}),
    "replicate into another table's folder": ("OnlySourcesReplicate", {SOURCE: "(resource)"}),
    "replicate a data file into another table's export": ("OnlySourcesReplicate", {SOURCE: "(resource)"}),
    "replicate an export in another table's": (
        "NoExportInAnother OnlySourcesReplicate",
        {SOURCE: "NoExportInAnother"},
    ),
    "replicate outside of the exports": ("OnlySourcesReplicate", {SOURCE: "(resource)"}),
    "replicate tags into another table's folder": (
        "NoExportInAnother OnlySourcesReplicate",
        {SOURCE: "NoExportInAnother"},
    ),
    "replicate with a customer's key": ("NoCustomerKeys OnlySourcesReplicate", {SOURCE: "NoCustomerKeys"}),
    "replicate under a KMS key": ("OnlyOwnEncryption OnlySourcesReplicate", {SOURCE: "OnlyOwnEncryption"}),
    "replicate a delete marker": ("NoPutsAndNoDeletes", {}),
    "put into the intake": ("NoPutsAndNoDeletes", {}),
    "delete what arrived": ("NoPutsAndNoDeletes", {}),
    "read what arrived": ("OnlyReadersRead", {SEALER: "allowed"}),
    "list the intake": ("OnlyReadersList", {SEALER: "allowed", DEPLOYMENT: "allowed"}),
    "replicate into the sealed": ("OnlySourcesReplicate", {}),
    "replicate a delete marker into the sealed": ("NoReplicatedDeletes", {}),
    "write once": ("OnlyWritersWrite", {SEALER: "allowed"}),
    "write under the default lock": ("OnlyWritersWrite", {SEALER: "allowed"}),
    "overwrite": ("OnlyWritersWrite WriteOnce", {SEALER: "WriteOnce"}),
    "a part of an upload": ("OnlyWritersWrite", {SEALER: "allowed"}),
    "write for a day": ("OnlyWritersWrite RetainNoShorterWritten", {SEALER: "RetainNoShorterWritten"}),
    "write for a hundred years": ("OnlyWritersWrite RetainNoLonger", {SEALER: "RetainNoLonger"}),
    "write in the other mode": ("OnlyOwnModeWritten OnlyWritersWrite", {SEALER: "OnlyOwnModeWritten"}),
    "write with a hold": ("NobodyHoldsWritten OnlyWritersWrite", {SEALER: "NobodyHoldsWritten"}),
    "write with an event hold": ("NobodyHoldsForAnEvent OnlyWritersWrite", {SEALER: "NobodyHoldsForAnEvent"}),
    "write with an event hold that is off": ("OnlyWritersWrite", {SEALER: "allowed"}),
    "annotate": ("OnlyWritersWrite", {SEALER: "allowed"}),
    "remove an annotation": ("NobodyDeletes", {}),
    "list annotations": ("OnlyReadersRead", {READER: "(resource)", SEALER: "allowed"}),
    "replicate annotations into the sealed": ("OnlySourcesReplicate", {}),
    "replicate an event hold into the sealed": ("NoReplicatedEventHolds OnlySourcesReplicate", {}),
    "replicate without an event hold into the sealed": ("OnlySourcesReplicate", {}),
    "retain with an event hold": ("NobodyHoldsForAnEvent OnlyWritersRetain", {SEALER: "NobodyHoldsForAnEvent"}),
    "pause replication": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "write with a customer's key": ("NoCustomerKeys OnlyWritersWrite", {SEALER: "NoCustomerKeys"}),
    "write under a KMS key": ("OnlyOwnEncryption OnlyWritersWrite", {SEALER: "OnlyOwnEncryption"}),
    "retain as long": ("OnlyWritersRetain", {SEALER: "allowed"}),
    "retain shorter": ("OnlyWritersRetain RetainNoShorter", {SEALER: "RetainNoShorter"}),
    "retain for a hundred years": ("OnlyWritersRetain RetainNoLonger", {SEALER: "RetainNoLonger"}),
    "retain in the other mode": ("OnlyOwnMode OnlyWritersRetain", {SEALER: "OnlyOwnMode"}),
    "take the retention away": (
        "NoRetentionWithoutEnd OnlyOwnMode OnlyWritersRetain",
        {SEALER: "NoRetentionWithoutEnd OnlyOwnMode"},
    ),
    "hold until let go": ("NoRetentionWithoutEnd OnlyWritersRetain", {SEALER: "NoRetentionWithoutEnd"}),
    "hold": ("NobodyHolds", {}),
    "bypass governance": ("NobodyBypasses", {}),
    "delete a version": ("NobodyDeletes", {}),
    "set a delete marker": ("NobodyDeletes", {}),
    "put under another key later": ("NoOtherKeyLater", {}),
    "tag": ("OnlyWritersRetain", {SEALER: "allowed"}),
    "read the catalogue": ("OnlyReadersRead", {READER: "allowed", SEALER: "allowed"}),
    "list the catalogue": ("OnlyReadersList", {READER: "allowed", SEALER: "allowed", DEPLOYMENT: "allowed"}),
    "read over plain HTTP": ("OnlyOverTls OnlyReadersRead", {READER: "OnlyOverTls", SEALER: "OnlyOverTls"}),
    "read over TLS 1.1": ("OnlyOverTls12 OnlyReadersRead", {READER: "OnlyOverTls12", SEALER: "OnlyOverTls12"}),
    # S3 lets the root user do these two whatever the policy says; the guardrail does not (below).
    "replace the policy": (SETTINGS, {ROOT: "allowed", DEPLOYMENT: "allowed"}),
    "delete the policy": (SETTINGS, {ROOT: "allowed", DEPLOYMENT: "allowed"}),
    "copy names into a table": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "export an analysis": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "measure": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "go by tags": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "suspend versioning": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "change the lock's default": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "change the lifecycle": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "replicate away": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "delete the bucket": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "let readers pay": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "silence the intake": (SETTINGS, {DEPLOYMENT: "allowed"}),
    "change the intake's lifecycle": (SETTINGS, {DEPLOYMENT: "allowed"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_of_every_attacker_is_decided_by_what_should_decide_it(name: str) -> None:
    asked = REQUESTS[name]
    policy = policy_of(resources(), asked.bucket)
    everybody, others = EXPECTED[name]
    found = {who: deciding(decide(asked, by, policy)) for who, by in ATTACKERS.items()}
    assert found == {who: others.get(who, everybody) for who in ATTACKERS}


def test_every_request_is_decided_both_ways_or_by_nobody_for_a_reason() -> None:
    nobody = {name for name, (everybody, others) in EXPECTED.items() if "allowed" not in others.values()}
    assert len(nobody) < len(EXPECTED) * 2 / 3
    assert EXPECTED.keys() == REQUESTS.keys()


# 35 days are the vault's own: a day less and a day more are let through, since S3 may round the rest of a day.
@pytest.mark.parametrize("days", [33, 34, 35, 36, 37])
def test_a_lock_may_differ_from_the_vaults_own_by_a_day_and_no_more(days: int) -> None:
    policy = policy_of(resources(), SEALED)
    once = {"s3:ObjectCreationOperation": "true", "s3:if-none-match": "*"}
    written = Asked(SEALED, "s3:PutObject", FILE, {**once, **locked("COMPLIANCE", days)})
    retained = Asked(SEALED, "s3:PutObjectRetention", FILE, locked("COMPLIANCE", days))
    expected = {33: ("RetainNoShorterWritten", "RetainNoShorter"), 37: ("RetainNoLonger", "RetainNoLonger")}
    found = tuple(deciding(decide(asked, ATTACKERS[SEALER], policy)) for asked in (written, retained))
    assert found == expected.get(days, ("allowed", "allowed"))


# With governance, the named break-glass role and nobody else; the hundred years are nobody's.
GOVERNED = {
    "bypass": (Asked(SEALED, "s3:BypassGovernanceRetention", FILE), "NobodyBypasses", "allowed"),
    "delete": (Asked(SEALED, "s3:DeleteObjectVersion", FILE), "NobodyDeletes", "allowed"),
    "mark": (Asked(SEALED, "s3:DeleteObject", FILE), "NobodyDeletes", "allowed"),
    "hold": (Asked(SEALED, "s3:PutObjectLegalHold", FILE), "NobodyHolds", "allowed"),
    "shorten": (
        Asked(SEALED, "s3:PutObjectRetention", FILE, locked("GOVERNANCE", 1)),
        "OnlyWritersRetain RetainNoShorter",
        "allowed",
    ),
    "free": (
        Asked(SEALED, "s3:PutObjectRetention", FILE),
        "NoRetentionWithoutEnd OnlyOwnMode OnlyWritersRetain",
        "allowed",
    ),
    "prolong": (
        Asked(SEALED, "s3:PutObjectRetention", FILE, locked("GOVERNANCE", 36_500)),
        "OnlyWritersRetain RetainNoLonger",
        "RetainNoLonger",
    ),
    "settings": (Asked(SEALED, "s3:PutBucketPolicy"), SETTINGS, SETTINGS),
    "delete the bucket": (Asked(SEALED, "s3:DeleteBucket"), SETTINGS, SETTINGS),
    # Whoever is to delete versions has to find them, and see how long they are locked; their content is none of his.
    "find versions": (Asked(SEALED, "s3:ListBucketVersions"), "OnlyReadersList", "allowed"),
    "find objects": (Asked(SEALED, "s3:ListBucket"), "OnlyReadersList", "allowed"),
    "see a retention": (Asked(SEALED, "s3:GetObjectRetention", FILE), "OnlyReadersRead", "allowed"),
    "see a hold": (Asked(SEALED, "s3:GetObjectLegalHold", FILE), "OnlyReadersRead", "allowed"),
    **{
        name: (Asked(SEALED, f"s3:{action}", FILE), "OnlyReadersRead", "FindersReadNothing")
        for name, action in {
            "read": "GetObject",
            "read a version": "GetObjectVersion",
            "read attributes": "GetObjectAttributes",
            "read tags": "GetObjectVersionTagging",
            "read torrents": "GetObjectTorrent",
            "replicate from it": "GetObjectVersionForReplication",
            "read an upload": "ListMultipartUploadParts",
        }.items()
    },
}


@pytest.mark.parametrize("name", GOVERNED)
@pytest.mark.parametrize("who", ["admin of the vault", "admin of the data account", BREAK_GLASS])
def test_a_governance_lock_is_lifted_by_break_glass_alone(name: str, who: str) -> None:
    asked, everybody, bypasser = GOVERNED[name]
    policy = policy_of(resources(governance=True), SEALED)
    assert deciding(decide(asked, ATTACKERS[who], policy)) == (bypasser if who == BREAK_GLASS else everybody)


# The root user of the vault has deleted the bucket's policy: what the guardrail still says, before and after that.
_ANYTHING: Json = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": VAULT}, "Action": "s3:*", "Resource": "*"}],
}
GUARDED = {
    "replace the policy": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "delete the policy": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "suspend versioning": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "change the lock's default": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "change the lifecycle": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "replicate away": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "let readers pay": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "put under another key later": ("VaultBuckets", {DEPLOYMENT: "allowed"}),
    "delete a version": ("VaultLocks", {BREAK_GLASS: "allowed"}),
    "bypass governance": ("VaultLocks", {BREAK_GLASS: "allowed"}),
    "hold": ("VaultLocks", {BREAK_GLASS: "allowed"}),
    "retain shorter": ("VaultRetentions", {BREAK_GLASS: "allowed", SEALER: "allowed"}),
}


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("who", [ROOT, "admin of the vault", SEALER, BREAK_GLASS, DEPLOYMENT])
def test_the_guardrail_holds_where_the_policy_is_gone(name: str, who: str) -> None:
    everybody, others = GUARDED[name]
    asked, by = REQUESTS[name], ATTACKERS[who]
    assert deciding(decide(asked, by, _ANYTHING)) == "allowed"
    assert deciding(decide(asked, by, _ANYTHING, scps=guardrail())) == others.get(who, everybody)


# Who may make, change or pass which role of the vault; `cdk deploy` hands CloudFormation's role over as it always does.
_DEPLOYER = role(f"cdk-hnb659fds-deploy-role-{VAULT}-eu-west-1", VAULT)
ROLES = [
    ("tableguard-sealing", "iam:PassRole", DEPLOYMENT, "allowed"),
    ("tableguard-sealing", "iam:PutRolePolicy", DEPLOYMENT, "allowed"),
    ("tableguard-sealing", "iam:PutRolePolicy", "admin of the vault", "VaultRoles"),
    ("tableguard-sealing", "iam:UpdateAssumeRolePolicy", ROOT, "VaultRoles"),
    ("tableguard-sealing", "iam:PassRole", SEALER, "VaultRoles"),
    ("tableguard-sealing", "iam:PassRole", "cdk deploy", "VaultRoles"),
    ("break-glass", "iam:UpdateAssumeRolePolicy", "admin of the vault", "VaultRoles"),
    (CFN, "iam:PassRole", "cdk deploy", "allowed"),
    (CFN, "iam:PassRole", "admin of the vault", "GuardPassingRoles"),
    ("restore", "iam:PassRole", "admin of the vault", "allowed"),
]


@pytest.mark.parametrize(("name", "action", "who", "expected"), ROLES)
def test_the_roles_that_seal_are_guarded_and_deployments_go_on(name: str, action: str, who: str, expected: str) -> None:
    by = {**ATTACKERS, "cdk deploy": _DEPLOYER}[who]
    request = Request(
        principal=by.principal, action=action, resource=f"arn:aws:iam::{VAULT}:role/{name}", context=by.context
    )
    decision = evaluate(request, Policies(identity=[FULL], service_control=[[FULL, *guardrail()]]))
    assert deciding(decision) == expected


@pytest.mark.parametrize("who", [ROOT, DEPLOYMENT, BREAK_GLASS])
@pytest.mark.parametrize("action", ["organizations:LeaveOrganization", "account:CloseAccount", "account:EnableRegion"])
def test_nobody_leaves_or_closes_the_vault_from_inside(who: str, action: str) -> None:
    by = ATTACKERS[who]
    request = Request(principal=by.principal, action=action, resource="*", context=by.context)
    decision = evaluate(request, Policies(identity=[FULL], service_control=[[FULL, *guardrail()]]))
    assert deciding(decision) == "VaultStays"


@pytest.mark.parametrize("name", ["replace the policy", "delete the policy"])
def test_with_the_guardrail_the_root_user_cannot_lift_the_policy_either(name: str) -> None:
    asked = REQUESTS[name]
    policy = policy_of(resources(), asked.bucket)
    assert deciding(decide(asked, ATTACKERS[ROOT], policy)) == "allowed"
    assert deciding(decide(asked, ATTACKERS[ROOT], policy, scps=guardrail())) == "VaultBuckets"
    assert deciding(decide(asked, ATTACKERS[DEPLOYMENT], policy, scps=guardrail())) == "allowed"
