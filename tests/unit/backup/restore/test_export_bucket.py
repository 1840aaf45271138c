"""The bucket that a restore exports a living table into: a whole table in clear, for the restore's own roles alone."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.backup.exported import allowed
from tests.unit.backup.restore.support import SOURCE, Json, all_states, definition, restore
from tests.unit.tables.support import OWNER, REGION, app, resolved, role, stack

BUCKET = "arn:aws:s3:::exports"
OBJECT = f"{BUCKET}/{OWNER}/{REGION}/orders/AWSDynamoDB/01-ab/data/f.json.gz"
ADMIN = "admin"
DEPLOYER = f"cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}"
WRITER = "RestoreMachineRole"
READERS = {f"Restore{part}Role" for part in ("Open", "Measure", "Close", "Load")}
EVERYBODY = [ADMIN, DEPLOYER, WRITER, *sorted(READERS), "RestoreClearRole", "RestoreDigestRole"]


def template(**options: Any) -> Json:
    data = stack(app())
    restore(data, sealed=None, point_in_time=SOURCE, **options)
    return dict(Template.from_stack(data).to_json())


@pytest.fixture(scope="module")
def made() -> Json:
    return template()


@pytest.fixture(scope="module")
def policy(made: Json) -> Json:
    (found,) = [
        each["Properties"]["PolicyDocument"]
        for each in made["Resources"].values()
        if each["Type"] == "AWS::S3::BucketPolicy" and "Exports" in each["Properties"]["Bucket"]["Ref"]
    ]
    text = re.sub(r"<RestoreExports\w{8}\.Arn>", BUCKET, json.dumps(resolved(found)))
    # Roles are told by the paths of their logical ids.
    document: Json = json.loads(re.sub(r"<(\w+)\w{8}\.Arn>", rf"arn:aws:iam::{OWNER}:role/\1", text))
    return document


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(
    ("action", "those"),
    [
        ("s3:PutObject", {WRITER}),
        ("s3:PutObjectAcl", {WRITER}),
        ("s3:GetObject", READERS),
        ("s3:GetObjectVersion", READERS),
        ("s3:DeleteObject", {"RestoreClearRole"}),
        ("s3:DeleteObjectVersion", {"RestoreClearRole"}),
        ("s3:PutObjectTagging", set()),
        ("s3:UpdateObjectEncryption", set()),
    ],
)
def test_nobody_but_the_restore_reads_writes_or_removes(policy: Json, who: str, action: str, those: set[str]) -> None:
    assert allowed(action, OBJECT, principal=role(who, OWNER), bucket=policy) is (who in those)


@pytest.mark.parametrize("who", EVERYBODY)
def test_whoever_deploys_may_change_its_settings_and_look_whether_it_is_there(policy: Json, who: str) -> None:
    principal = role(who, OWNER)
    for action in ("s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "s3:DeleteBucket"):
        assert allowed(action, BUCKET, principal=principal, bucket=policy) is (who == DEPLOYER)
    listed = {*READERS, "RestoreClearRole", DEPLOYER}
    assert allowed("s3:ListBucket", BUCKET, principal=principal, bucket=policy) is (who in listed)


def test_without_tls_nobody_reads(policy: Json) -> None:
    reader = role("RestoreLoadRole", OWNER)
    assert not allowed(
        "s3:GetObject", OBJECT, principal=reader, bucket=policy, context={"aws:SecureTransport": "false"}
    )


@pytest.mark.parametrize(("timeout", "days"), [(None, 7), (cdk.Duration.hours(5), 1), (cdk.Duration.hours(25), 2)])
def test_what_is_left_behind_expires_when_no_execution_can_use_it(timeout: cdk.Duration | None, days: int) -> None:
    (rules,) = [
        each["Properties"]["LifecycleConfiguration"]["Rules"]
        for name, each in template(timeout=timeout)["Resources"].items()
        if each["Type"] == "AWS::S3::Bucket" and "Exports" in name
    ]
    (expiry,) = [rule for rule in rules if "ExpirationInDays" in rule]
    assert (expiry["ExpirationInDays"], expiry["NoncurrentVersionExpiration"]) == (days, {"NoncurrentDays": 1})


def test_a_restore_that_came_to_its_end_removes_its_export_and_no_other_does() -> None:
    data = stack(app())
    restore(data, sealed=None, point_in_time=SOURCE)
    states = all_states(definition(data))
    assert (states["Restored"]["Next"], states["Clear"]["End"]) == ("Clear", True)
    # What cannot be removed expires: the restore has succeeded all the same, and says what it always says.
    assert states["Clear"]["Output"] == states["Clear"]["Catch"][0]["Output"] == "{% $states.input %}"
    assert states["NotCleared"] == {"Type": "Pass", "QueryLanguage": "JSONata", "End": True}
    sealed = stack(app(), "Sealed")
    restore(sealed)
    assert not {"Clear", "NotCleared"} & set(all_states(definition(sealed)))


def test_a_bucket_whose_policy_nobody_could_change_is_refused() -> None:
    silent = cdk.Stack(
        app(),
        "Data",
        env=cdk.Environment(account=OWNER, region=REGION),
        synthesizer=cdk.LegacyStackSynthesizer(),
    )
    with pytest.raises(tg.InvalidInputError, match="deployed_by"):
        restore(silent, sealed=None, point_in_time=SOURCE)
