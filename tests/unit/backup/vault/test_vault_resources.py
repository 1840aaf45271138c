"""What of a vault is no statement of a bucket's policy, and keeps it all the same."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.backup.vault.vaults import (
    ATTACKERS,
    GOVERNANCE,
    INTAKE,
    REGION,
    SEALED,
    VAULT,
    Asked,
    Json,
    decide,
    deciding,
    resources,
    role,
    stack,
    vault,
)

WORK: Final = "acme-work"
BUCKETS: Final = ("intake", "sealed", "work")


def buckets(found: Json) -> dict[str, Json]:
    """The properties of the vault's buckets."""
    called = {INTAKE: "intake", SEALED: "sealed", None: "work"}
    return {
        called[each["Properties"].get("BucketName")]: each["Properties"]
        for name, each in found.items()
        if each["Type"] == "AWS::S3::Bucket" and not name.startswith("Logs")
    }


def _work_policy() -> Json:
    """The policy of the work bucket, as it is once the bucket and the machine's role have their names."""
    (policy,) = (
        each["Properties"]["PolicyDocument"]
        for name, each in resources().items()
        if each["Type"] == "AWS::S3::BucketPolicy" and "Work" in name
    )
    named: Json = _named(policy)
    return named


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        return "".join(_named(part) for part in value["Fn::Join"][1])
    if "Fn::GetAtt" in value:
        resource = resources()[value["Fn::GetAtt"][0]]
        match resource["Type"]:
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{WORK}"
            case "AWS::IAM::Role":
                return f"arn:aws:iam::{VAULT}:role/{resource['Properties']['RoleName']}"
        return f"arn:aws:lambda:{REGION}:{VAULT}:function:{resource['Properties']['FunctionName']}"
    return {key: _named(each) for key, each in value.items()}


_PLAIN = {"s3:ObjectCreationOperation": "true"}
_LIST = "01/files.json"
WORKING = [
    ("s3:PutObject", _LIST, {"sealing role", "sealing machine"}),
    ("s3:DeleteObject", _LIST, {"sealing role", "sealing machine"}),
    ("s3:DeleteObjectVersion", _LIST, {"sealing role", "sealing machine"}),
]


@pytest.mark.parametrize(("action", "key", "may"), WORKING)
def test_nobody_but_the_sealing_writes_the_lists_of_what_is_copied(action: str, key: str, may: set[str]) -> None:
    callers = {
        who: by
        for who, by in {**ATTACKERS, "sealing machine": role("tableguard-sealing-machine", VAULT)}.items()
        if by.account == VAULT
    }
    policy = _work_policy()
    found = {who: deciding(decide(Asked(WORK, action, key, _PLAIN), by, policy)) for who, by in callers.items()}
    assert found == {who: "allowed" if who in may else "OnlySealingWrites" for who in callers}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_no_bucket_takes_keys_that_the_requester_brings(bucket: str) -> None:
    """By its own setting, too: no policy binds the service's own writes."""
    (rule,) = buckets(resources())[bucket]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_requests_are_logged_where_it_is_asked_for(bucket: str) -> None:
    scope = stack()
    vault(scope, access_logs=s3.Bucket(scope, "Logs"))
    logging = buckets(Template.from_stack(scope).to_json()["Resources"])[bucket]["LoggingConfiguration"]
    assert logging["DestinationBucketName"]["Ref"].startswith("Logs")
    assert "LoggingConfiguration" not in buckets(resources())[bucket]


def test_requests_for_a_bucket_on_its_own_are_logged_as_well() -> None:
    scope = stack()
    tg.ImmutableBackupBucket(scope, "Own", retention=GOVERNANCE, access_logs=s3.Bucket(scope, "Logs"))
    tg.ImmutableBackupBucket.for_testing(scope, "Trial", access_logs=s3.Bucket(scope, "LogsOfTrial"))
    logged = {
        name[:3]: each["Properties"].get("LoggingConfiguration", {}).get("DestinationBucketName", {}).get("Ref", "")[:8]
        for name, each in Template.from_stack(scope).find_resources("AWS::S3::Bucket").items()
        if not name.startswith("Logs")
    }
    assert logged["Own"].startswith("Logs")
    assert logged["Tri"] == "LogsOfTr"


TRUSTED: Final = {
    "tableguard-sealing-machine": "states.amazonaws.com",
    "tableguard-sealing-sweeper": "states.amazonaws.com",
    "tableguard-sealing-event": "events.amazonaws.com",
    "tableguard-sealing-clock": "scheduler.amazonaws.com",
}


@pytest.mark.parametrize("name", TRUSTED)
def test_a_service_takes_a_role_for_its_own_account_alone(name: str) -> None:
    (document,) = (
        each["Properties"]["AssumeRolePolicyDocument"]
        for each in resources().values()
        if each["Type"] == "AWS::IAM::Role" and each["Properties"].get("RoleName") == name
    )
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Service": TRUSTED[name]}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": VAULT}


def test_an_arrival_starts_the_sealing() -> None:
    """S3 tells EventBridge, and the rule hears what S3 says."""
    found = resources()
    told = buckets(found)["intake"]["NotificationConfiguration"]
    assert told == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (rule,) = (each["Properties"] for each in found.values() if each["Type"] == "AWS::Events::Rule")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        # Source: S3 user guide, "EventBridge event message structure".
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [INTAKE]}, "object": {"key": [{"suffix": "/manifest-summary.json"}]}},
    }
    assert rule.get("State", "ENABLED") == "ENABLED"
    (target,) = rule["Targets"]
    machine = found[target["Arn"]["Ref"]]["Properties"]
    assert machine["StateMachineName"] == f"{SEALED}-seal"
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"}
    assert transformer["InputTemplate"] == '{"bucket": "<bucket>", "key": "<key>"}'


def test_the_machine_writes_and_gives_up_results_of_any_size() -> None:
    """Source: Step Functions developer guide, "ResultWriter (Map)", which lists what its role needs."""
    (policy,) = (
        each["Properties"]["PolicyDocument"]
        for name, each in resources().items()
        if each["Type"] == "AWS::IAM::Policy" and name.startswith("VaultSealingMachinePolicy")
    )
    named = _named(policy)
    machine = role("tableguard-sealing-machine", VAULT)
    for action in ("GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"):
        for bucket, expected in ((WORK, "allowed"), (SEALED, "(identity) (resource)")):
            asked = Asked(bucket, f"s3:{action}", "01/copies/x/manifest.json", _PLAIN)
            assert deciding(decide(asked, machine, _work_policy(), identity=named)) == expected


@pytest.mark.parametrize(("length", "taken"), [(56, True), (57, False)])
def test_the_name_of_the_role_leaves_room_for_what_is_named_after_it(length: int, taken: bool) -> None:
    scope = stack()
    if not taken:
        with pytest.raises(tg.InvalidInputError, match="up to 56 characters"):
            vault(scope, sealing_role_name="s" * length)
        return
    vault(scope, sealing_role_name="s" * length)
    assert _longest(scope) == 64


def _longest(scope: cdk.Stack) -> int:
    found = Template.from_stack(scope).to_json()["Resources"].values()
    said = [each["Properties"].get(key, "") for each in found for key in ("RoleName", "FunctionName")]
    return max(map(len, said))
