"""Counts what a source account has been let in with, over the last 24 hours.

An admission is an empty object of the vault's own work bucket; its key says everything:
`quota/{account}/{moment}_{bytes}_{export}`. It is written before the count is taken: of exports that arrive at the
same moment rather too many are refused, and tried again later, than too many let in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from . import moments, storage
from .errors import QuotaExceeded
from .manifests import ExportLocation


@dataclass(frozen=True, slots=True)
class DailyQuota:
    """How much one source account may have sealed in 24 hours.

    Args:
        exports: The most exports; at least 1.
        size: The most bytes of data files.
    """

    exports: int
    size: int


@dataclass(frozen=True, slots=True)
class _Admission:
    size: int
    export: str


def admit(s3: Any, bucket: str, place: ExportLocation, *, size: int, quota: DailyQuota, now: datetime) -> None:
    """Count an export in, once however often it is asked for.

    Args:
        s3: The client.
        bucket: The work bucket.
        place: The export.
        size: The bytes of its data files.
        quota: What the account may have.
        now: The moment.

    Raises:
        QuotaExceeded: The account has had its share. The export is not counted then.
    """
    folder = f"quota/{place.account}/"
    export = hashlib.sha256(place.folder.encode()).hexdigest()[:32]
    since = f"{folder}{moments.compact((now - timedelta(hours=24)).replace(microsecond=0))}"
    if any(admission.export == export for admission in _admissions(s3, bucket, folder, since)):
        return
    own = f"{folder}{moments.compact(now.replace(microsecond=0))}_{size}_{export}"
    s3.put_object(Bucket=bucket, Key=own, Body=b"")
    counted = {found.export: found.size for found in _admissions(s3, bucket, folder, since)}
    if len(counted) > quota.exports or sum(counted.values()) > quota.size:
        s3.delete_object(Bucket=bucket, Key=own)
        raise QuotaExceeded(
            f"Account {place.account} has {len(counted)} exports with {sum(counted.values())} bytes in the last 24 "
            f"hours, this one included ({place.folder}); it may have {quota.exports} with {quota.size}."
        )


def _admissions(s3: Any, bucket: str, folder: str, since: str) -> list[_Admission]:
    found = []
    for key in storage.keys(s3, bucket, folder, after=since):
        _, size, export = key.removeprefix(folder).split("_")
        found.append(_Admission(int(size), export))
    return found
