"""What the buckets and the vault refuse, and what they make of what they take."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms, aws_s3 as s3, aws_sns as sns
from aws_cdk.assertions import Match, Template

import tableguard as tg
from tests.unit.backup.vault.vaults import (
    ATTACKERS,
    BREAK_GLASS,
    COMPLIANCE,
    DATA,
    FULL,
    GOVERNANCE,
    INTAKE,
    QUOTA,
    SEALED,
    SOURCE,
    STRANGER,
    VAULT,
    Asked,
    decide,
    deciding,
    policy_of,
    resources,
    stack,
    vault,
)

DESTINATION = tg.SealedReference(account=VAULT, region="eu-west-1", bucket=SEALED)


KEY_OF_DATA = f"arn:aws:kms:eu-west-1:{DATA}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def key_of(scope: cdk.Stack, account: str) -> kms.IKey:
    return kms.Key.from_key_arn(scope, f"K{account}", KEY_OF_DATA.replace(DATA, account))


def locked(scope: cdk.Stack, **options: Any) -> tg.ImmutableBackupBucket:
    return tg.ImmutableBackupBucket(scope, "B", **{"retention": GOVERNANCE, "bucket_name": SEALED, **options})


def replication(scope: cdk.Stack, *, source: object = None, **options: Any) -> tg.BucketReplication:
    if source is None:
        source = s3.Bucket(scope, "Landing", versioned=True)
    least: dict[str, Any] = {"destination": DESTINATION, "role_name": "backup-replication"}
    return tg.BucketReplication(scope, "R", source=source, **{**least, **options})  # type: ignore[arg-type]


REFUSALS: dict[str, tuple[Callable[[cdk.Stack], object], str]] = {
    "days as a retention": (lambda s: locked(s, retention=35), "the retention of Backups/B"),
    "bounds that leave it out": (
        lambda s: locked(s, bounds=tg.RetentionBounds(at_least=1, at_most=34)),
        r"the bounds of Backups/B: got \(1, 34\)\. Allowed: bounds that hold the bucket's own 35",
    ),
    "bypass_governance_roles in compliance mode": (
        lambda s: locked(s, retention=COMPLIANCE, bypass_governance_roles=[BREAK_GLASS]),
        "none in compliance mode",
    ),
    "a bypasser of another account": (
        lambda s: locked(s, bypass_governance_roles=[tg.Role(account=DATA, name="admin")]),
        f"roles of {VAULT}, the bucket's account",
    ),
    "an account as a bypasser": (
        lambda s: locked(s, bypass_governance_roles=[tg.Account(VAULT)]),
        "bypass_governance_roles of Backups/B",
    ),
    "nobody deploys": (lambda s: locked(s, deployed_by=[]), "at least one role that may change the bucket's policy"),
    "expiry before the lock ends": (lambda s: locked(s, expire_after_days=35), "36 to 36,600 days"),
    "expiry before it is cold": (
        lambda s: locked(s, expire_after_days=90, cold_storage=tg.ColdStorage.deep_archive(after_days=100)),
        "101 to 36,600 days",
    ),
    "a class's name": (lambda s: locked(s, cold_storage="GLACIER"), "the cold storage of Backups/B"),
    "infrequent access too soon": (
        lambda s: locked(s, cold_storage=tg.ColdStorage.infrequent_access(after_days=29)),
        "30 to 36,500 days",
    ),
    "a class that is none": (
        lambda s: locked(s, cold_storage=tg.ColdStorage(storage_class="COLD", after_days=1)),
        "DEEP_ARCHIVE, GLACIER, GLACIER_IR, STANDARD_IA",
    ),
    "one source twice": (lambda s: locked(s, sources=[SOURCE, SOURCE]), "each role once, with all its tables"),
    "a source of one stage with tables": (
        lambda s: locked(s, sources=[SOURCE]),
        r"a source of Backups/B: got \['orders'\]\. Allowed: no tables: .* SealedVault holds a source to its tables",
    ),
    "a key of the source's account": (
        lambda s: locked(s, encryption_key=key_of(s, DATA)),
        f"the encryption_key of Backups/B: got 'a key of {DATA}'\\. Allowed: a key of {VAULT}, the bucket's account",
    ),
    "a key of the source's account, made in this app": (
        lambda s: locked(s, encryption_key=kms.Key(cdk.Stack(s, "Theirs", env=cdk.Environment(account=DATA)), "K")),
        f"Allowed: a key of {VAULT}, the bucket's account",
    ),
    "a role as a source": (lambda s: locked(s, sources=[BREAK_GLASS]), "a source of Backups/B"),
    "a reference without a name": (lambda s: locked(s, bucket_name=None).reference, "a name of its own"),
    "a malformed name": (lambda s: locked(s, bucket_name="Acme"), "the bucket name of Backups/B"),
    "no source": (lambda s: vault(s, sources=[]), "the sources of Backups/Vault/Intake"),
    "a source of the vault's own": (
        lambda s: vault(s, sources=[tg.ReplicationSource(account=VAULT, role_name="r")]),
        "a vault in the account of the data is lost with it",
    ),
    "one bucket for both": (lambda s: vault(s, sealed_bucket_name=INTAKE), "two names"),
    "a quota of bytes": (lambda s: vault(s, quota=10**9), "the quota of Backups/Vault"),
    "a class to be fetched": (
        lambda s: vault(s, cold_storage=tg.ColdStorage.deep_archive(after_days=10)),
        "a restore reads at once",
    ),
    "a sweep every minute": (lambda s: vault(s, sweep_every=cdk.Duration.minutes(1)), "sweep_every of Backups/Vault"),
    "an alarm after eight days": (lambda s: vault(s, alarm_after=cdk.Duration.days(8)), "1 to 168 hours"),
    "an alarm after half an hour": (lambda s: vault(s, alarm_after=cdk.Duration.minutes(90)), "as a whole number"),
    "an intake for a day": (lambda s: vault(s, intake_days=1), "2 to 365 days"),
    "a stack of anywhere": (
        lambda s: vault(cdk.Stack(cdk.App(), "Anywhere")),
        "a stack with a literal account and region",
    ),
    "a destination next door": (
        lambda s: replication(s, destination=tg.SealedReference(account=VAULT, region="eu-west-1", bucket="other")),
        "a bucket of another account",
    ),
}
FROM_DATA: dict[str, tuple[Callable[[cdk.Stack], object], str]] = {
    "an imported source": (
        lambda s: replication(s, source=s3.Bucket.from_bucket_name(s, "L", "landing")),
        "a bucket that is made in this app",
    ),
    "a source without versions": (lambda s: replication(s, source=s3.Bucket(s, "L")), "Pass versioned=True"),
    "a bucket's name as the destination": (lambda s: replication(s, destination=SEALED), "SealedReference"),
    "a prefix of another account": (lambda s: replication(s, prefix=f"{VAULT}/"), f"{DATA}/ or a prefix below it"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    make, said = REFUSALS[case]
    with pytest.raises(tg.InvalidInputError, match=said):
        make(stack())


@pytest.mark.parametrize("case", FROM_DATA)
def test_what_a_replication_cannot_send_is_refused(case: str) -> None:
    make, said = FROM_DATA[case]
    with pytest.raises(tg.InvalidInputError, match=said):
        make(stack(DATA))


def test_a_second_replication_of_a_bucket_is_refused() -> None:
    scope = stack(DATA)
    source = s3.Bucket(scope, "L", versioned=True)
    replication(scope, source=source)
    with pytest.raises(tg.InvalidInputError, match="does not replicate already"):
        tg.BucketReplication(scope, "Again", source=source, destination=DESTINATION, role_name="again")


def test_bucket_and_policy_outlive_their_stack() -> None:
    kept = [each for each in resources().values() if each["Type"] in {"AWS::S3::Bucket", "AWS::S3::BucketPolicy"}]
    policies = {each["DeletionPolicy"] for each in kept if each["Properties"].get("BucketName") in {INTAKE, SEALED}}
    assert policies == {"Retain"}
    of_policies = [each.get("DeletionPolicy") for each in kept if each["Type"] == "AWS::S3::BucketPolicy"]
    assert of_policies.count("Retain") == 2


def test_a_bucket_for_tests_goes_with_its_stack_and_lets_everything_be_undone() -> None:
    scope = stack()
    tg.ImmutableBackupBucket.for_testing(scope, "T", bucket_name="acme-test")
    found = Template.from_stack(scope).to_json()["Resources"]
    assert {each["DeletionPolicy"] for each in found.values()} == {"Delete"}
    policy = policy_of(found, "acme-test")
    root = ATTACKERS["root of the vault"]
    for action in ("s3:BypassGovernanceRetention", "s3:DeleteObjectVersion", "s3:PutObjectRetention"):
        assert deciding(decide(Asked("acme-test", action, "x"), root, policy)) == "allowed"
    plain = Asked("acme-test", "s3:GetObject", "x", {"aws:SecureTransport": "false"})
    assert deciding(decide(plain, root, policy)) == "OnlyOverTls"


@pytest.mark.parametrize("days", [36, 400])
def test_a_version_that_was_written_over_lives_as_long_as_one_that_was_not(days: int) -> None:
    scope = stack()
    locked(scope, expire_after_days=days)
    (bucket,) = Template.from_stack(scope).find_resources("AWS::S3::Bucket").values()
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    (expiring,) = (rule for rule in rules if "ExpirationInDays" in rule)
    assert expiring["ExpirationInDays"] == expiring["NoncurrentVersionExpiration"]["NoncurrentDays"] == days


def test_nothing_expires_by_itself() -> None:
    scope = stack()
    locked(scope, cold_storage=tg.ColdStorage.instant_retrieval(after_days=7))
    (bucket,) = Template.from_stack(scope).find_resources("AWS::S3::Bucket").values()
    said = json.dumps(bucket["Properties"]["LifecycleConfiguration"])
    assert "Expiration" not in said
    assert '"StorageClass": "GLACIER_IR"' in said


@pytest.mark.parametrize(
    ("retention", "default"),
    [
        (GOVERNANCE, {"Mode": "GOVERNANCE", "Days": 35}),
        (tg.Retention.compliance(years=7, acknowledge="the law"), {"Mode": "COMPLIANCE", "Years": 7}),
    ],
)
def test_the_default_lock_is_the_retention(retention: tg.Retention, default: dict[str, object]) -> None:
    scope = stack()
    locked(scope, retention=retention)
    Template.from_stack(scope).has_resource_properties(
        "AWS::S3::Bucket",
        {"ObjectLockEnabled": True, "ObjectLockConfiguration": {"Rule": {"DefaultRetention": default}}},
    )


def test_a_bucket_with_a_key_takes_no_other_key() -> None:
    scope = stack()
    key = key_of(scope, VAULT)
    bucket = locked(scope, encryption_key=key)
    policy = policy_of(Template.from_stack(scope).to_json()["Resources"], SEALED)
    admin = ATTACKERS["admin of the vault"]
    header = "s3:x-amz-server-side-encryption"
    for context, expected in (
        ({header: "aws:kms", f"{header}-aws-kms-key-id": key.key_arn}, "allowed"),
        ({}, "allowed"),
        ({header: "aws:kms", f"{header}-aws-kms-key-id": key.key_arn.replace("1234", "9999")}, "OnlyOwnKey"),
        ({header: "AES256"}, "OnlyOwnEncryption"),
        # S3 takes aws/s3, which is another key.
        ({header: "aws:kms"}, "NoKeyOfS3"),
        ({header: "aws:kms:dsse"}, "OnlyOwnEncryption"),
    ):
        assert deciding(decide(Asked(SEALED, "s3:PutObject", "x", context), admin, policy)) == expected
    assert bucket.reference.key_arn == key.key_arn


def test_a_key_of_an_account_that_nobody_knows_yet_is_taken() -> None:
    scope = stack()
    unknown = kms.Key.from_key_arn(scope, "K", cdk.Fn.import_value("key"))
    locked(scope, encryption_key=unknown)
    anywhere = cdk.Stack(cdk.App(), "Anywhere")
    locked(anywhere, encryption_key=key_of(anywhere, DATA), deployed_by=[tg.Role(account=DATA, name="deploy")])
    for made in (scope, anywhere):
        (bucket,) = Template.from_stack(made).find_resources("AWS::S3::Bucket").values()
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] in ({"Fn::ImportValue": "key"}, KEY_OF_DATA)


def test_both_halves_of_one_stage_fit() -> None:
    data, theirs = stack(DATA), stack()
    sending = replication(data)
    bucket = locked(theirs, retention=COMPLIANCE, sources=[sending.source])
    policy = policy_of(Template.from_stack(theirs).to_json()["Resources"], SEALED)
    sender = ATTACKERS["replication role"]
    assert deciding(decide(Asked(SEALED, "s3:ReplicateObject", f"{DATA}/x"), sender, policy)) == "allowed"
    assert deciding(decide(Asked(SEALED, "s3:ReplicateObject", f"{STRANGER}/x"), sender, policy)) == "(resource)"
    assert deciding(decide(Asked(SEALED, "s3:ReplicateDelete", f"{DATA}/x"), sender, policy)) == "NoReplicatedDeletes"
    assert bucket.reference == DESTINATION
    Template.from_stack(data).has_resource_properties(
        "AWS::S3::Bucket",
        {
            "ReplicationConfiguration": {
                "Rules": [
                    Match.object_like(
                        {
                            "Filter": {"Prefix": f"{DATA}/"},
                            "DeleteMarkerReplication": {"Status": "Disabled"},
                            "Destination": {"Bucket": bucket.reference.bucket_arn, "Metrics": {"Status": "Enabled"}},
                        }
                    )
                ]
            }
        },
    )


def test_the_vault_tells_both_sides_its_names() -> None:
    made = vault(stack())
    assert made.reference == tg.VaultReference(account=VAULT, region="eu-west-1", intake_bucket=INTAKE)
    assert made.sealed_reference == DESTINATION
    assert made.sealing_role == tg.Role(account=VAULT, name="tableguard-sealing")


def test_every_source_and_table_has_an_alarm_of_its_own_and_the_topic_hears_all() -> None:
    scope = stack()
    sources = [SOURCE, tg.ReplicationSource(account=STRANGER, role_name="r")]
    made = vault(scope, sources=sources, alarms_topic=sns.Topic(scope, "Topic"), alarm_after=cdk.Duration.hours(30))
    template = Template.from_stack(scope)
    alarms = [each["Properties"] for each in template.find_resources("AWS::CloudWatch::Alarm").values()]
    # One of the machines, four of each source (absent, missing, over its quota, rejected), two of the intake's growth.
    assert len(alarms) == len(made.alarms) == 1 + 2 * 4 + 2
    assert all(alarm["AlarmActions"] for alarm in alarms)
    absent = [alarm for alarm in alarms if alarm["TreatMissingData"] == "breaching"]
    assert [alarm["EvaluationPeriods"] for alarm in absent] == [30, 30]
    watched = [{d["Name"]: d["Value"] for d in alarm["Dimensions"]} for alarm in absent]
    assert {"Vault": SEALED, "Account": DATA, "Table": "orders"} in watched
    assert {"Vault": SEALED, "Account": STRANGER} in watched
    flood, _ = sorted((each["Threshold"] for each in alarms if each["Threshold"] > 1), reverse=True)
    assert flood == 2 * QUOTA.bytes_per_day


def test_the_metadata_says_what_the_vault_is() -> None:
    (sealed,) = (each for each in resources().values() if each["Properties"].get("BucketName") == SEALED)
    said = sealed["Metadata"]["tableguard"]
    assert said["immutable"]["mode"] == said["sealed"]["mode"] == "COMPLIANCE"
    assert said["sealed"]["sources"] == [{"account": DATA, "role": "backup-replication", "tables": ["orders"]}]
    assert said["sealed"]["readers"] == [f"arn:aws:iam::{DATA}:role/restore"]
    assert said["sealed"]["alarm_after_minutes"] == 26 * 60


def test_the_sealing_role_can_do_no_more_than_sealing() -> None:
    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in resources().items()
        if each["Type"] == "AWS::IAM::Policy" and name.startswith("VaultSealingRole")
    )
    s3_actions = {action for statement in policy for action in _listed(statement["Action"]) if "s3:" in action}
    assert s3_actions == {
        "s3:DeleteObject",  # of its own quota's notes alone: see test_hostile_sources
        "s3:GetObject",
        "s3:GetObjectRetention",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutObject",
        "s3:PutObjectRetention",
    }
    assert FULL["Statement"][0] not in policy


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
