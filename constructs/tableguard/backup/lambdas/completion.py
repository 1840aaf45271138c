"""Ends the sealing of an export: its manifests, and the entry of the catalogue that makes it a backup."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from . import catalogue, item_digest, storage, verification
from .copying import ObjectLock, existing, row_key
from .errors import NotYetComplete, Rejected
from .verification import VerifiedExport

_MOST_VERSIONS: Final = 10


def complete_export(s3: Any, bucket: str, key: object, *, sealed: str, work: str, lock: ObjectLock) -> dict[str, Any]:
    """Seal the manifests and write the catalogue entry, once every data file is sealed.

    Args:
        s3: The client.
        bucket: The intake bucket.
        key: The key of manifest-summary.json.
        sealed: The sealed bucket.
        work: The work bucket.
        lock: How the entry is locked.

    Returns:
        The entry's key and version, and the sums. A repetition gives the entry that is there.

    Raises:
        NotYetComplete: A data file is not sealed yet; the message names it.
        Rejected: The entry that is there is of something else.
    """
    verified = verification.read(s3, bucket, key)
    entry_key = catalogue.key_of(verified.place, verified.summary)
    known = storage.versions_of(s3, sealed, entry_key, most=_MOST_VERSIONS)
    if not known:
        entry = _entry(s3, verified, sealed, work, lock)
        body = json.dumps(entry, indent=1, sort_keys=True).encode()
        catalogue.write_once(s3, sealed, entry_key, body, mode=lock.mode, retain_until=lock.until())
        # Whoever was first wrote the entry, perhaps another run at the same moment: that one counts.
        known = storage.versions_of(s3, sealed, entry_key, most=_MOST_VERSIONS)
        if not known:
            raise NotYetComplete(f"{entry_key} was written, and is not to be seen yet.")
    entry = catalogue.read(s3, sealed, known[0])
    if entry["export"]["arn"] != verified.summary.export_arn:
        raise Rejected(f"{entry_key} is the entry of another export.")
    return {
        "catalogue_key": entry_key,
        "version_id": known[0].id,
        "records": entry["records"],
        "bytes": entry["bytes"],
        "count": entry["count"],
    }


def _entry(s3: Any, verified: VerifiedExport, sealed: str, work: str, lock: ObjectLock) -> dict[str, Any]:
    place = verified.place

    def row(number: int) -> Any:
        return storage.get_json(s3, work, row_key(place.work, number))

    rows = storage.in_parallel(row, range(len(verified.files)))
    missing = [file.key for file, row in zip(verified.files, rows, strict=True) if row is None]
    if missing:
        raise NotYetComplete(f"{len(missing)} of {len(rows)} data files are not sealed; one is {missing[0]}.")
    for file, found in zip(verified.files, rows, strict=True):
        said = (found["key"], found.get("md5"), found["records"])
        if said != (f"{place.sealed}{file.key.rpartition('/')[2]}", file.md5, file.records):
            raise Rejected(f"The result for {file.key} is of another file.")
    effect = item_digest.of_rows(rows, what=place.folder)
    manifests = [
        _seal_manifest(s3, sealed, f"{place.sealed}{version.key.rpartition('/')[2]}", body, lock)
        for version, body in verified.manifests.items()
    ]
    return catalogue.entry_of(
        place,
        verified.summary,
        files=rows,
        manifests=manifests,
        effect={"count": effect.count, "digest": effect.hex},
        mode=lock.mode,
    )


def _seal_manifest(s3: Any, sealed: str, key: str, body: bytes, lock: ObjectLock) -> dict[str, Any]:
    sha256 = hashlib.sha256(body).hexdigest()
    catalogue.write_once(s3, sealed, key, body, mode=lock.mode, retain_until=lock.until())
    return {"key": key, "sha256": sha256, "bytes": len(body), **existing(s3, sealed, key, sha256)}
