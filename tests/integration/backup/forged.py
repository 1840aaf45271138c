"""Exports that nobody but an attacker has made: the documented files, with whatever he likes in them."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.backup import organization as org


class Forged:
    """A full export. Its parts may be altered before it is sent.

    Args:
        number: Tells it from others.
        moment: What moment it is of.
        lines: The lines of its data file; one item when left out.
        source: Account, region and table, with slashes: where it stands.
    """

    def __init__(
        self, number: int, moment: dt.datetime, lines: Sequence[bytes] | None = None, source: str = org.SOURCE
    ) -> None:
        self.source = source
        self.id = f"0170000000{number:04}-f0f0f0f0"
        self.folder = f"{source}/AWSDynamoDB/{self.id}/"
        self.key = f"{self.folder}manifest-summary.json"
        self.data_key = f"{self.folder}data/forged{number}.json.gz"
        lines = [self.line(number)] if lines is None else lines
        self.data = gzip.compress(b"".join(lines), mtime=0)
        account, region, table = source.split("/")
        arn = f"arn:aws:dynamodb:{region}:{account}:table/{table}"
        self.files = [
            {"itemCount": len(lines), "md5Checksum": md5(self.data), "etag": "", "dataFileS3Key": self.data_key}
        ]
        self.summary: dict[str, Any] = {
            "exportArn": f"{arn}/export/{self.id}",
            "tableArn": arn,
            "tableId": "0f0f0f0f-0000-0000-0000-000000000000",
            "exportTime": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "exportType": "FULL_EXPORT",
            "manifestFilesS3Key": f"{self.folder}manifest-files.json",
            "itemCount": len(lines),
            "outputFormat": "DYNAMODB_JSON",
        }

    @staticmethod
    def line(number: int) -> bytes:
        """An item, as a full export has it."""
        item = {"pk": {"S": "forged"}, "sk": {"N": str(number)}}
        return json.dumps({"Item": item}).encode() + b"\n"

    def objects(self) -> dict[str, bytes]:
        """All files by their keys, in the order in which an export writes them: the summary is the last."""
        summary = json.dumps(self.summary).encode()
        files = "".join(f"{json.dumps(each)}\n" for each in self.files).encode()
        return {
            self.data_key: self.data,
            f"{self.folder}manifest-files.json": files,
            f"{self.folder}manifest-files.checksum": md5(files).encode(),
            f"{self.folder}manifest-summary.checksum": md5(summary).encode(),
            self.key: summary,
        }

    def send(self, s3: Any, bucket: str = org.LANDING, said: Mapping[str, Any] | None = None) -> None:
        """Put it into a bucket, the landing bucket when left out.

        Args:
            s3: A client of whoever may.
            bucket: The bucket.
            said: What else each request says.
        """
        for key, body in self.objects().items():
            s3.put_object(Bucket=bucket, Key=key, Body=body, **(said or {}))


def md5(body: bytes) -> str:
    """A checksum as manifests have it."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
