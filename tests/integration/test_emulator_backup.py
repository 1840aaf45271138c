"""What our extension of the emulator adds for backups: exports as documented, the clock and the log of changes."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator
from tests.integration.sessions import client_of, new_account

HOUR = dt.timedelta(hours=1)


class Cloud:
    """Clients of two new accounts' root users, the table that is exported, and the bucket for it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.controls = Controls(emulator)
        self.owner, self.vault = new_account(), new_account()
        self.dynamodb = self.client("dynamodb", self.owner)
        self.table = f"arn:aws:dynamodb:us-east-1:{self.owner}:table/orders"
        self.s3 = self.client("s3", self.owner)
        self.landing = f"landing-{self.owner}"
        self.s3.create_bucket(Bucket=self.landing)

    def client(self, service: str, account: str) -> Any:
        return client_of(service, self.emulator.endpoint, account)

    def make_table(self, *, recovery: bool = True) -> None:
        self.dynamodb.create_table(
            TableName="orders",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        if recovery:
            self.recover(on=True)

    def recover(self, *, on: bool) -> None:
        self.dynamodb.update_continuous_backups(
            TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )

    def put(self, key: str, value: int) -> None:
        self.dynamodb.put_item(TableName="orders", Item={"pk": {"S": key}, "n": {"N": str(value)}})

    def export(self, **said: Any) -> dict[str, Any]:
        """Export, wait for the end, and say how it is described then."""
        arn = self.begin(**said)["ExportArn"]
        return self.ended(arn)

    def begin(self, **said: Any) -> dict[str, Any]:
        said = {"TableArn": self.table, "S3Bucket": self.landing, "S3Prefix": "here", **said}
        told: dict[str, Any] = self.dynamodb.export_table_to_point_in_time(**said)["ExportDescription"]
        return told

    def ended(self, arn: str) -> dict[str, Any]:
        def end() -> dict[str, Any] | None:
            told: dict[str, Any] = self.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
            return None if told["ExportStatus"] == "IN_PROGRESS" else told

        told = self.controls.until(end, lambda: f"the end of {arn}")
        assert told is not None
        return told

    def read(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.landing, Key=key)["Body"].read()
        return body

    def lines(self, description: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the manifests of an export lead to, all checksums checked."""
        summary = json.loads(self._checked(description["ExportManifest"]))
        rows = [json.loads(row) for row in self._checked(summary["manifestFilesS3Key"]).splitlines()]
        found: list[dict[str, Any]] = []
        for row in rows:
            body = self.read(row["dataFileS3Key"])
            digest = hashlib.md5(body, usedforsecurity=False)
            assert row["etag"] == digest.hexdigest()
            assert row["md5Checksum"] == base64.b64encode(digest.digest()).decode()
            lines = gzip.decompress(body).splitlines()
            assert len(lines) == row["itemCount"]
            found += map(json.loads, lines)
        assert len(rows) >= 2
        assert rows[-1]["itemCount"] == 0
        assert summary["itemCount"] == len(found) == description["ItemCount"]
        return found

    def _checked(self, key: str) -> bytes:
        body = self.read(key)
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        assert self.read(f"{key.removesuffix('.json')}.checksum") == base64.b64encode(digest)
        return body

    def increment(self, start: dt.datetime, end: dt.datetime, **said: Any) -> dict[str, Any]:
        window = {"ExportFromTime": start, "ExportToTime": end}
        return self.export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window, **said)


@pytest.fixture
def cloud(emulator: Emulator) -> Cloud:
    return Cloud(emulator)


@pytest.fixture
def alone() -> Iterator[Cloud]:
    """In an emulator that ends with the test, for what would burden others."""
    with Emulator() as emulator:
        yield Cloud(emulator)


def numbers(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {line["Item"]["pk"]["S"]: int(line["Item"]["n"]["N"]) for line in lines}


def test_a_full_export_holds_what_was_there_at_its_time(cloud: Cloud) -> None:
    cloud.make_table(recovery=False)
    cloud.put("before", 1)
    cloud.recover(on=True)
    for number in range(30):
        cloud.put(f"k{number}", number)
    then = cloud.controls.now()
    cloud.controls.shift(HOUR)
    cloud.put("k1", 100)
    cloud.dynamodb.delete_item(TableName="orders", Key={"pk": {"S": "k2"}})
    cloud.put("later", 1)

    past = cloud.export(ExportTime=then)
    assert past["ExportStatus"] == "COMPLETED"
    assert numbers(cloud.lines(past)) == {"before": 1, **{f"k{number}": number for number in range(30)}}
    now = numbers(cloud.lines(cloud.export()))
    assert (now["k1"], now["later"], "k2" in now, len(now)) == (100, 1, False, 31)
    summary = json.loads(cloud.read(past["ExportManifest"]))
    assert summary["exportType"] == "FULL_EXPORT"
    assert summary["tableId"] == cloud.dynamodb.describe_table(TableName="orders")["Table"]["TableId"]
    assert dt.datetime.fromisoformat(summary["exportTime"]) == pytest.approx(then, abs=dt.timedelta(seconds=0.01))


def test_increments_hold_each_key_once_with_its_images_at_both_ends(cloud: Cloud) -> None:
    cloud.make_table()
    for key in ("kept", "changed", "gone"):
        cloud.put(key, 1)
    cloud.controls.shift(HOUR)
    start = cloud.controls.now()
    cloud.put("changed", 2)
    cloud.put("changed", 3)
    cloud.put("new", 1)
    cloud.put("came and went", 1)
    for key in ("gone", "came and went"):
        cloud.dynamodb.delete_item(TableName="orders", Key={"pk": {"S": key}})
    cloud.controls.shift(2 * HOUR)
    end = cloud.controls.now()
    cloud.put("changed", 9)

    described = cloud.increment(start, end)
    lines = {line["Keys"]["pk"]["S"]: line for line in cloud.lines(described)}
    found = {
        key: tuple(line.get(image, {}).get("n", {}).get("N") for image in ("OldImage", "NewImage"))
        for key, line in lines.items()
    }
    assert found == {"changed": ("1", "3"), "new": (None, "1"), "gone": ("1", None)}
    written = int(lines["changed"]["Metadata"]["WriteTimestampMicros"]["N"]) / 1_000_000
    assert start.timestamp() <= written < end.timestamp()
    summary = json.loads(cloud.read(described["ExportManifest"]))
    assert (summary["exportType"], summary["outputView"]) == ("INCREMENTAL_EXPORT", "NEW_AND_OLD_IMAGES")
    keys = [each["Key"] for each in cloud.s3.list_objects_v2(Bucket=cloud.landing, Prefix="here/")["Contents"]]
    assert any(key.startswith("here/AWSDynamoDB/data/") for key in keys)


def test_a_chain_of_increments_leads_from_one_full_export_to_the_next(cloud: Cloud) -> None:
    cloud.make_table()
    for number in range(50):
        cloud.put(f"k{number}", number)
    times = [cloud.controls.now()]
    items = numbers(cloud.lines(cloud.export(ExportTime=times[0])))
    for step in range(1, 4):
        cloud.controls.shift((step - 0.5) * HOUR)
        for number in range(step, 50, 7):
            cloud.put(f"k{number}", number * 100 + step)
        cloud.dynamodb.delete_item(TableName="orders", Key={"pk": {"S": f"k{step}"}})
        cloud.controls.shift(step * HOUR)
        times.append(cloud.controls.now())
        for line in cloud.lines(cloud.increment(times[-2], times[-1])):
            key = line["Keys"]["pk"]["S"]
            if "NewImage" in line:
                items[key] = int(line["NewImage"]["n"]["N"])
            else:
                del items[key]
    assert items == numbers(cloud.lines(cloud.export(ExportTime=times[-1])))


def refused(cloud: Cloud, **said: Any) -> str:
    with pytest.raises(ClientError) as caught:
        cloud.begin(**said)
    return str(caught.value.response["Error"]["Code"])


def test_refuses_what_aws_refuses(cloud: Cloud) -> None:
    cloud.make_table(recovery=False)
    assert refused(cloud) == "PointInTimeRecoveryUnavailableException"
    assert refused(cloud, TableArn=cloud.table.replace("orders", "others")) == "TableNotFoundException"
    cloud.recover(on=True)
    now = cloud.controls.now()
    assert refused(cloud, ExportTime=now - HOUR) == "InvalidExportTimeException"
    assert refused(cloud, ExportTime=now + HOUR) == "InvalidExportTimeException"
    cloud.controls.shift(dt.timedelta(days=3))
    for length in (dt.timedelta(minutes=14), 25 * HOUR):
        window = {"ExportFromTime": now + HOUR, "ExportToTime": now + HOUR + length}
        code = refused(cloud, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window)
        assert code == "ValidationException"


def test_what_can_be_restored_begins_anew_when_recovery_was_off(cloud: Cloud) -> None:
    def reach() -> dict[str, Any]:
        told = cloud.dynamodb.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
        recovery: dict[str, Any] = told["PointInTimeRecoveryDescription"]
        return recovery

    cloud.make_table()
    began = cloud.controls.now()
    cloud.controls.shift(dt.timedelta(days=10))
    assert reach()["EarliestRestorableDateTime"].timestamp() == pytest.approx(began.timestamp(), abs=2)
    cloud.recover(on=False)
    assert "EarliestRestorableDateTime" not in reach()
    cloud.recover(on=True)
    now = cloud.controls.now().timestamp()
    assert reach()["EarliestRestorableDateTime"].timestamp() == pytest.approx(now, abs=2)
    assert refused(cloud, ExportTime=began) == "InvalidExportTimeException"
    cloud.controls.shift(dt.timedelta(days=60))
    kept = reach()["LatestRestorableDateTime"] - reach()["EarliestRestorableDateTime"]
    assert kept.total_seconds() == pytest.approx(35 * 86_400, abs=2)


def test_a_client_token_stands_for_one_export(cloud: Cloud) -> None:
    cloud.make_table()
    first = cloud.begin(ClientToken="once")
    assert first["ExportStatus"] == "IN_PROGRESS"
    assert cloud.begin(ClientToken="once")["ExportArn"] == first["ExportArn"]
    assert refused(cloud, ClientToken="once", S3Prefix="elsewhere") == "ExportConflictException"
    cloud.controls.shift(9 * HOUR)
    assert cloud.begin(ClientToken="once")["ExportArn"] != first["ExportArn"]
    assert len(cloud.dynamodb.list_exports(TableArn=cloud.table)["ExportSummaries"]) == 2


def test_at_most_300_run_at_once(alone: Cloud) -> None:
    alone.make_table()
    alone.controls.inject("dynamodb:Export", "hold", times=300, seconds=30)
    for _ in range(300):
        alone.begin()
    assert refused(alone) == "LimitExceededException"


def test_another_accounts_bucket_has_to_be_expected(cloud: Cloud) -> None:
    cloud.make_table()
    bucket = f"theirs-{cloud.vault}"
    theirs = cloud.client("s3", cloud.vault)
    theirs.create_bucket(Bucket=bucket)
    failed = cloud.export(S3Bucket=bucket)
    assert (failed["ExportStatus"], failed["FailureCode"]) == ("FAILED", "S3AccessDenied")
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": cloud.owner},
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    theirs.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert cloud.export(S3Bucket=bucket)["ExportStatus"] == "FAILED"
    assert cloud.export(S3Bucket=bucket, S3BucketOwner=cloud.vault)["ExportStatus"] == "COMPLETED"
    assert cloud.export(S3Bucket="nowhere")["FailureCode"] == "S3NoSuchBucket"


def test_exports_many_items_fast(alone: Cloud) -> None:
    alone.make_table()
    items = [{"pk": {"S": f"k{number}"}, "text": {"S": "x" * 200}} for number in range(100_000)]
    assert alone.controls.fill(alone.table, items) == len(items)
    began = alone.emulator.processor_seconds()
    described = alone.export()
    assert described["ItemCount"] == len(items)
    assert 0 < alone.emulator.processor_seconds() - began < 20
    assert len(alone.lines(described)) == len(items)


def test_the_files_are_written_as_whoever_asked_for_the_export(cloud: Cloud) -> None:
    def may(*actions: str) -> None:
        said = [
            {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["s3:ListBucket", *actions], "Resource": "*"},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": said})
        iam.put_role_policy(RoleName="exporter", PolicyName="all", PolicyDocument=document)

    cloud.make_table()
    iam = cloud.client("iam", cloud.owner)
    trust = {"Effect": "Allow", "Principal": {"AWS": cloud.owner}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="exporter", AssumeRolePolicyDocument=policy)
    may("s3:PutObject")
    exporter = client_of("dynamodb", cloud.emulator.endpoint, cloud.owner, role="exporter")
    begun = exporter.export_table_to_point_in_time(TableArn=cloud.table, S3Bucket=cloud.landing)["ExportDescription"]
    failed = cloud.ended(begun["ExportArn"])
    assert failed["FailureCode"] == "S3AccessDenied"
    assert "not authorized to perform s3:PutObjectAcl" in failed["FailureMessage"]
    may("s3:PutObject", "s3:PutObjectAcl")
    begun = exporter.export_table_to_point_in_time(TableArn=cloud.table, S3Bucket=cloud.landing)["ExportDescription"]
    assert cloud.ended(begun["ExportArn"])["ExportStatus"] == "COMPLETED"
    iam.put_role_policy(
        RoleName="exporter",
        PolicyName="all",
        PolicyDocument=policy.replace(f'"Principal": {{"AWS": "{cloud.owner}"}}', '"Resource": "*"'),
    )
    with pytest.raises(ClientError, match="not authorized to perform dynamodb:ExportTableToPointInTime"):
        exporter.export_table_to_point_in_time(TableArn=cloud.table, S3Bucket=cloud.landing)


def test_a_file_of_an_export_can_be_lost(cloud: Cloud) -> None:
    cloud.make_table()
    for number in range(30):
        cloud.put(f"k{number}", number)
    cloud.controls.inject("s3:PutObject", "lose", "/data/")
    described = cloud.export()
    assert described["ExportStatus"] == "COMPLETED"
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.lines(described)


def test_an_api_fails_as_often_as_it_is_to(cloud: Cloud) -> None:
    cloud.make_table()
    cloud.controls.inject("dynamodb:ExportTableToPointInTime", "throttle", cloud.landing, times=2)
    assert [refused(cloud) for _ in range(2)] == ["ThrottlingException"] * 2
    assert cloud.begin()["ExportStatus"] == "IN_PROGRESS"
    cloud.controls.inject("dynamodb:DescribeExport", "fail", code="InternalServerError")
    with pytest.raises(ClientError, match=r"InternalServerError.*injected by the test"):
        cloud.dynamodb.describe_export(ExportArn=cloud.table)
