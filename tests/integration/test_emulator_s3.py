"""What our extension of the emulator adds to S3: what a template says, Object Lock, replication, and who decides."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator
from tests.integration.sessions import client_of, new_account

DAY = dt.timedelta(days=1)
VERSIONED = {"VersioningConfiguration": {"Status": "Enabled"}}
LOCKED = {
    "ObjectLockEnabled": True,
    "ObjectLockConfiguration": {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
    },
}


class Cloud:
    """Clients in two new accounts, and the shortest ways to make what they work on."""

    def __init__(self, emulator: Emulator) -> None:
        self.endpoint = emulator.endpoint
        self.controls = Controls(emulator)
        self.owner, self.vault = new_account(), new_account()
        self.replicator = f"arn:aws:iam::{self.owner}:role/replicator"
        self._refused_before = len(self.controls.refusals())

    def client(self, service: str, account: str | None = None, role: str | None = None) -> Any:
        return client_of(service, self.endpoint, account or self.owner, role=role)

    def named(self, bucket: str) -> str:
        """The bucket's name in this test; S3 has each name once for all accounts."""
        return f"{bucket}-{self.owner}"

    def refusals(self) -> list[str]:
        """What was refused in the background since the test began."""
        return self.controls.refusals()[self._refused_before :]

    def bucket(self, name: str, props: dict[str, Any], account: str | None = None) -> None:
        """Deploy a bucket, or change it."""
        cloudformation = self.client("cloudformation", account)
        resource = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **props}}
        there = [each for each in cloudformation.list_stacks()["StackSummaries"] if each["StackName"] == name]
        do, done = ("update_stack", "stack_update_complete") if there else ("create_stack", "stack_create_complete")
        getattr(cloudformation, do)(StackName=name, TemplateBody=json.dumps({"Resources": {"Bucket": resource}}))
        cloudformation.get_waiter(done).wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})

    def role(self, name: str, *statements: tuple[str | list[str], str], trusts: dict[str, Any] | None = None) -> None:
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": trusts or {"AWS": self.owner}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        said = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(*said))

    def replicate(self) -> None:
        """A source and a versioned destination in another account, which trusts the role."""
        landing, intake = self.named("landing"), self.named("intake")
        self.bucket(intake, VERSIONED, self.vault)
        said = {"Effect": "Allow", "Principal": {"AWS": self.replicator}, "Action": "s3:ReplicateObject"}
        policy = document({**said, "Resource": f"arn:aws:s3:::{intake}/*"})
        self.client("s3", self.vault).put_bucket_policy(Bucket=intake, Policy=policy)
        reading = ["s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersion*"]
        self.role(
            "replicator",
            (reading, f"arn:aws:s3:::{landing}*"),
            ("s3:ReplicateObject", f"arn:aws:s3:::{intake}/*"),
            trusts={"Service": "s3.amazonaws.com"},
        )
        destination = {"Bucket": f"arn:aws:s3:::{intake}", "Account": self.vault}
        rule = {
            "Id": "all",
            "Status": "Enabled",
            "Priority": 1,
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": destination,
        }
        self.bucket(landing, {**VERSIONED, "ReplicationConfiguration": {"Role": self.replicator, "Rules": [rule]}})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def error(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def cloud(emulator: Emulator) -> Cloud:
    return Cloud(emulator)


def test_keeps_what_the_template_of_a_bucket_says_and_forgets_what_it_says_no_longer(cloud: Cloud) -> None:
    full = cloud.named("full")
    s3 = cloud.client("s3")
    cloud.bucket(
        full,
        {
            **LOCKED,
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "old",
                        "Status": "Enabled",
                        "Prefix": "a/",
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                        "Transitions": [{"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 3}],
                    }
                ]
            },
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            "Tags": [{"Key": "kind", "Value": "backup"}],
        },
    )
    assert s3.get_bucket_versioning(Bucket=full)["Status"] == "Enabled"
    lock = s3.get_object_lock_configuration(Bucket=full)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 30}
    (encryption,) = s3.get_bucket_encryption(Bucket=full)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_bucket_ownership_controls(Bucket=full)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=full)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert rule["Filter"] == {"Prefix": "a/"}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rule["Transitions"] == [{"Days": 3, "StorageClass": "DEEP_ARCHIVE"}]
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=full)
    assert s3.get_bucket_tagging(Bucket=full)["TagSet"] == [{"Key": "kind", "Value": "backup"}]

    cloud.bucket(full, {"ObjectLockEnabled": True})
    assert "Rule" not in s3.get_object_lock_configuration(Bucket=full)["ObjectLockConfiguration"]
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=full)
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=full, VersioningConfiguration={"Status": "Suspended"})


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_locked_version_can_neither_be_deleted_nor_released_early(cloud: Cloud, mode: str) -> None:
    sealed = cloud.named("sealed")
    s3 = cloud.client("s3")
    cloud.bucket(sealed, LOCKED)
    until = cloud.controls.now() + 10 * DAY
    made = s3.put_object(Bucket=sealed, Key="k", Body=b"x", ObjectLockMode=mode, ObjectLockRetainUntilDate=until)
    which = {"Bucket": sealed, "Key": "k", "VersionId": made["VersionId"]}

    def retain(days: int, **more: Any) -> None:
        retention = {"Mode": mode, "RetainUntilDate": cloud.controls.now() + days * DAY}
        s3.put_object_retention(**which, Retention=retention, **more)

    with pytest.raises(ClientError, match="protected by object lock"):
        s3.delete_object(**which)
    with pytest.raises(ClientError, match="protected by object lock"):
        retain(1)
    retain(20)
    marker = s3.delete_object(Bucket=sealed, Key="k")  # hides it, and that is all
    s3.delete_object(Bucket=sealed, Key="k", VersionId=marker["VersionId"])
    if mode == "COMPLIANCE":
        with pytest.raises(ClientError, match="protected by object lock"):
            s3.delete_object(**which, BypassGovernanceRetention=True)
        cloud.controls.shift(21 * DAY)
        s3.delete_object(**which)
    else:
        retain(2, BypassGovernanceRetention=True)
        s3.delete_object(**which, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match=r"404|NoSuch"):
        s3.head_object(**which)


def test_refuses_a_retention_that_is_no_retention(cloud: Cloud) -> None:
    sealed = cloud.named("sealed")
    s3 = cloud.client("s3")
    cloud.bucket(sealed, LOCKED)
    past = cloud.controls.now() - DAY
    for said in ({"ObjectLockMode": "COMPLIANCE"}, {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": past}):
        with pytest.raises(ClientError, match="InvalidArgument"):
            s3.put_object(Bucket=sealed, Key="k", Body=b"x", **said)
    s3.put_object(Bucket=sealed, Key="k", Body=b"x")
    held = s3.head_object(Bucket=sealed, Key="k")
    assert held["ObjectLockMode"] == "GOVERNANCE"
    assert held["ObjectLockRetainUntilDate"] - cloud.controls.now() > 29 * DAY


def test_copies_exactly_one_version_once_with_its_own_checksum_and_retention(cloud: Cloud) -> None:
    intake, sealed = cloud.named("intake"), cloud.named("sealed")
    s3 = cloud.client("s3")
    cloud.bucket(intake, VERSIONED)
    cloud.bucket(sealed, LOCKED)
    first = s3.put_object(Bucket=intake, Key="k", Body=b"first")
    s3.put_object(Bucket=intake, Key="k", Body=b"second")
    until = (cloud.controls.now() + 60 * DAY).replace(microsecond=0)
    said = {
        "Bucket": sealed,
        "Key": "c",
        "CopySource": {"Bucket": intake, "Key": "k", "VersionId": first["VersionId"]},
        "CopySourceIfMatch": first["ETag"],
        "IfNoneMatch": "*",
        "ChecksumAlgorithm": "SHA256",
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": until,
        "TaggingDirective": "REPLACE",
    }
    digest = base64.b64encode(hashlib.sha256(b"first").digest()).decode()
    made = s3.copy_object(**said)
    assert made["CopyObjectResult"]["ChecksumSHA256"] == digest
    held = s3.head_object(Bucket=sealed, Key="c", VersionId=made["VersionId"], ChecksumMode="ENABLED")
    assert (held["ChecksumSHA256"], held["ObjectLockMode"]) == (digest, "COMPLIANCE")
    assert held["ObjectLockRetainUntilDate"] == until
    assert "ChecksumCRC32" not in held
    for other in ({}, {"Key": "d", "CopySourceIfMatch": '"0123"'}):
        with pytest.raises(ClientError) as caught:
            s3.copy_object(**{**said, **other})
        assert error(caught) == "PreconditionFailed"
    assert len(s3.list_object_versions(Bucket=sealed)["Versions"]) == 1


def test_a_copy_takes_no_retention_from_its_source(cloud: Cloud) -> None:
    sealed = cloud.named("sealed")
    s3 = cloud.client("s3")
    cloud.bucket(sealed, {"ObjectLockEnabled": True})
    until = cloud.controls.now() + 900 * DAY
    s3.put_object(Bucket=sealed, Key="k", Body=b"x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    s3.copy_object(Bucket=sealed, Key="c", CopySource={"Bucket": sealed, "Key": "k"})
    assert s3.head_object(Bucket=sealed, Key="k")["ObjectLockMode"] == "COMPLIANCE"
    assert "ObjectLockMode" not in s3.head_object(Bucket=sealed, Key="c")


def test_a_replica_arrives_in_the_other_account_and_deletions_do_not(cloud: Cloud) -> None:
    landing, intake = cloud.named("landing"), cloud.named("intake")
    cloud.replicate()
    s3, theirs = cloud.client("s3"), cloud.client("s3", cloud.vault)
    made = s3.put_object(Bucket=landing, Key="a/k", Body=b"x")
    assert s3.head_object(Bucket=landing, Key="a/k")["ReplicationStatus"] == "COMPLETED", cloud.refusals()
    replica = theirs.get_object(Bucket=intake, Key="a/k")
    assert (replica["Body"].read(), replica["ReplicationStatus"]) == (b"x", "REPLICA")
    s3.delete_object(Bucket=landing, Key="a/k")
    s3.delete_object(Bucket=landing, Key="a/k", VersionId=made["VersionId"])
    assert theirs.head_object(Bucket=intake, Key="a/k")["ContentLength"] == 1
    assert cloud.refusals() == []


@pytest.mark.parametrize("spoil", ["destination", "role", "trust"])
def test_nothing_is_replicated_against_a_policy(cloud: Cloud, spoil: str) -> None:
    landing, intake = cloud.named("landing"), cloud.named("intake")
    cloud.replicate()
    iam = cloud.client("iam")
    if spoil == "destination":
        cloud.client("s3", cloud.vault).delete_bucket_policy(Bucket=intake)
    elif spoil == "role":
        iam.delete_role_policy(RoleName="replicator", PolicyName="all")
    else:
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.update_assume_role_policy(RoleName="replicator", PolicyDocument=document(trust))
    s3 = cloud.client("s3")
    s3.put_object(Bucket=landing, Key="k", Body=b"x")
    assert s3.head_object(Bucket=landing, Key="k")["ReplicationStatus"] == "FAILED"
    assert "Contents" not in cloud.client("s3", cloud.vault).list_objects_v2(Bucket=intake)
    assert cloud.refusals()
    # While tableguard does not decide, the emulated S3 asks the destination's policy, and nobody else.
    cloud.controls.bind_s3(on=False)
    s3.put_object(Bucket=landing, Key="k", Body=b"x")
    status = s3.head_object(Bucket=landing, Key="k")["ReplicationStatus"]
    assert status == ("FAILED" if spoil == "destination" else "COMPLETED")


def test_replicates_only_to_a_bucket_that_is_there(cloud: Cloud) -> None:
    landing, nowhere = cloud.named("landing"), cloud.named("nowhere")
    rule = {"Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{nowhere}"}}
    cloud.bucket(landing, VERSIONED)
    with pytest.raises(ClientError, match="Destination bucket must exist"):
        cloud.client("s3").put_bucket_replication(
            Bucket=landing, ReplicationConfiguration={"Role": cloud.replicator, "Rules": [{**rule, "Prefix": ""}]}
        )


def test_a_role_may_do_what_its_policies_allow_and_the_refusal_says_who_decided(cloud: Cloud) -> None:
    shared = cloud.named("shared")
    cloud.bucket(shared, VERSIONED, cloud.vault)
    cloud.role("reader", (["s3:GetObject", "s3:ListBucket"], f"arn:aws:s3:::{shared}*"))
    theirs = cloud.client("s3", cloud.vault)
    theirs.put_object(Bucket=shared, Key="k", Body=b"x")
    reader = cloud.client("s3", role="reader")
    ours = "tableguard's evaluation, not S3's"
    with pytest.raises(ClientError, match=ours):
        reader.get_object(Bucket=shared, Key="k")
    said = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{cloud.owner}:role/reader"}}
    both = [f"arn:aws:s3:::{shared}", f"arn:aws:s3:::{shared}/*"]
    theirs.put_bucket_policy(Bucket=shared, Policy=document({**said, "Action": "s3:*", "Resource": both}))
    assert reader.get_object(Bucket=shared, Key="k")["Body"].read() == b"x"
    with pytest.raises(ClientError, match=ours):
        reader.put_object(Bucket=shared, Key="k", Body=b"y")
    told = reader.delete_objects(Bucket=shared, Delete={"Objects": [{"Key": "k"}]})
    assert [each["Code"] for each in told["Errors"]] == ["AccessDenied"]
    # The emulated S3 knows account roots, and takes the policy's role for somebody else.
    cloud.controls.bind_s3(on=False)
    with pytest.raises(ClientError) as caught:
        reader.get_object(Bucket=shared, Key="k")
    assert error(caught) == "AccessDenied"
    assert ours not in str(caught.value)


def test_conditions_see_retention_and_what_is_to_be_written(cloud: Cloud) -> None:
    sealed = cloud.named("sealed")
    s3 = cloud.client("s3")
    cloud.bucket(sealed, LOCKED)
    long = {"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "40"}}
    said = {"Effect": "Deny", "Principal": "*", "Resource": f"arn:aws:s3:::{sealed}/*"}
    once = {"Null": {"s3:if-none-match": "true"}}
    policy = document(
        {**said, "Action": ["s3:PutObject", "s3:PutObjectRetention"], "Condition": long},
        {**said, "Action": "s3:PutObject", "Condition": once},
        {**said, "Action": "s3:BypassGovernanceRetention"},
    )
    s3.put_bucket_policy(Bucket=sealed, Policy=policy)

    def put(key: str, days: int, **more: Any) -> Any:
        until = cloud.controls.now() + days * DAY
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
        return s3.put_object(Bucket=sealed, Key=key, Body=b"x", **lock, **more)

    made = put("k", 40, IfNoneMatch="*")
    with pytest.raises(ClientError, match="tableguard"):
        put("l", 41, IfNoneMatch="*")
    with pytest.raises(ClientError, match="tableguard"):
        put("l", 40)
    which = {"Bucket": sealed, "Key": "k", "VersionId": made["VersionId"]}
    with pytest.raises(ClientError, match="s3:BypassGovernanceRetention"):
        s3.delete_object(**which, BypassGovernanceRetention=True)
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": cloud.controls.now() + 50 * DAY}
    with pytest.raises(ClientError, match="s3:PutObjectRetention"):
        s3.put_object_retention(**which, Retention=retention)


@pytest.mark.parametrize("do", ["lose", "alter", "truncate", "duplicate"])
def test_what_is_written_can_be_spoilt_on_its_way(cloud: Cloud, do: str) -> None:
    landing, intake = cloud.named("landing"), cloud.named("intake")
    cloud.replicate()
    s3, theirs = cloud.client("s3"), cloud.client("s3", cloud.vault)
    for api, read, bucket in (("s3:PutObject", s3, landing), ("s3:ReplicateObject", theirs, intake)):
        number = cloud.controls.inject(api, do, f"{landing}/", "spoilt")
        s3.put_object(Bucket=landing, Key=f"whole-{api}", Body=b"0123456789")
        s3.put_object(Bucket=landing, Key=f"spoilt-{api}", Body=b"0123456789")
        assert cloud.controls.hits()[number] == 1
        versions = read.list_object_versions(Bucket=bucket, Prefix=f"spoilt-{api}").get("Versions", [])
        bodies = [
            read.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
            for each in versions
        ]
        assert (
            bodies
            == {
                "lose": [],
                "alter": [b"0123446789"],
                "truncate": [b"01234"],
                "duplicate": [b"0123456789"] * 2,
            }[do]
        )
        assert read.get_object(Bucket=bucket, Key=f"whole-{api}")["Body"].read() == b"0123456789"


def test_requests_fail_as_often_as_they_are_to(cloud: Cloud) -> None:
    landing = cloud.named("landing")
    s3 = cloud.client("s3")
    cloud.bucket(landing, VERSIONED)
    cloud.controls.inject("s3:PutObject", "throttle", f"{landing}/k", times=2)
    cloud.controls.inject("s3:GetObject", "deny", after=1)
    s3.put_object(Bucket=landing, Key="other", Body=b"x")
    for _ in range(2):
        with pytest.raises(ClientError, match=r"SlowDown.*injected by the test"):
            s3.put_object(Bucket=landing, Key="k", Body=b"x")
    s3.put_object(Bucket=landing, Key="k", Body=b"x")
    s3.get_object(Bucket=landing, Key="k")
    with pytest.raises(ClientError, match=r"AccessDenied.*injected by the test"):
        s3.get_object(Bucket=landing, Key="k")
