"""Exports as DynamoDB writes them, put into a bucket the way replication leaves them there."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.backup.aws import S3

SOURCE = {"account": "111122223333", "region": "eu-west-1", "table": "orders"}
PREFIX = "111122223333/eu-west-1/orders"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
T0 = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)

Item = dict[str, Any]


def item(key: str, **more: Any) -> Item:
    return {"pk": {"S": key}, **more}


def at(hours: float) -> str:
    return (T0 + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def full_line(one: Item) -> bytes:
    return json.dumps({"Item": one}).encode() + b"\n"


def change_line(old: Item | None, new: Item | None) -> bytes:
    keys = {"pk": (new or old or {})["pk"]}
    images = {name: image for name, image in (("NewImage", new), ("OldImage", old)) if image is not None}
    return json.dumps({"Metadata": {"WriteTimestampMicros": {"N": "1"}}, "Keys": keys, **images}).encode() + b"\n"


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


class Export:
    """One export; its parts may be altered before `arrive` puts them into the bucket."""

    def __init__(self, number: int, files: Sequence[Sequence[bytes]], hours: float | tuple[float, float]) -> None:
        self.id = f"0169535307600{number}-06e2188f"
        self.folder = f"{PREFIX}/AWSDynamoDB/{self.id}/"
        self.key = f"{self.folder}manifest-summary.json"
        full = not isinstance(hours, tuple)
        data = f"{self.folder}data/" if full else f"{PREFIX}/AWSDynamoDB/data/"
        self.data = {
            f"{data}e{number}f{n}.json.gz": gzip.compress(b"".join(one), mtime=0) for n, one in enumerate(files)
        }
        self.files = [
            {
                "itemCount": len(one),
                "md5Checksum": md5(body),
                "etag": hashlib.md5(body, usedforsecurity=False).hexdigest(),
                "dataFileS3Key": key,
            }
            for (key, body), one in zip(self.data.items(), files, strict=True)
        ]
        times: dict[str, Any] = (
            {"exportTime": at(hours), "exportType": "FULL_EXPORT"}
            if not isinstance(hours, tuple)
            else {
                "exportFromTime": at(hours[0]),
                "exportToTime": at(hours[1]),
                "exportType": "INCREMENTAL_EXPORT",
                "outputView": "NEW_AND_OLD_IMAGES",
            }
        )
        self.summary: dict[str, Any] = {
            "version": "2023-08-01",
            "exportArn": f"{TABLE}/export/{self.id}",
            "tableArn": TABLE,
            "tableId": "12345678-1234-1234-1234-123456789012",
            "s3Bucket": "landing",
            "s3Prefix": PREFIX,
            "manifestFilesS3Key": f"{self.folder}manifest-files.json",
            "itemCount": sum(map(len, files)),
            "outputFormat": "DYNAMODB_JSON",
            **times,
        }

    @property
    def event(self) -> dict[str, str]:
        return {"bucket": "intake", "key": self.key}

    def objects(self) -> dict[str, bytes]:
        summary = json.dumps(self.summary).encode()
        files = "".join(json.dumps(one) + "\n" for one in self.files).encode()
        return {
            **self.data,
            f"{self.folder}manifest-files.json": files,
            f"{self.folder}manifest-files.checksum": md5(files).encode(),
            f"{self.folder}manifest-summary.checksum": md5(summary).encode(),
            self.key: summary,
        }

    def arrive(self, s3: S3, *, without: str = "nothing") -> Export:
        for key, body in self.objects().items():
            if without not in key:
                s3.put("intake", key, body)
        return self
