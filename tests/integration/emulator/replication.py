"""Replication as S3 does it: decided by the policies of the role and of the destination, with retention and events.

The emulated S3 copies before the object's retention is known, fires no event at the destination, and asks nobody but
the destination's policy. Here the replica is written when the write is done. What is asked of tableguard: the reading
of the source and the writing of the replica, by a session of the replication role, which S3 has to be trusted by. While
tableguard does not decide, the emulated S3 does. Whatever is refused is told to tests in `refusals`, since nobody is
answered. A replica of a replica is never made; deleting a version never replicates.
"""

from __future__ import annotations

import contextvars
import copy
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

# Its neighbours: run as a script, they have no package.
import binding  # type: ignore[import-not-found]
import faults  # type: ignore[import-not-found]
import s3_binding  # type: ignore[import-not-found]
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import iam, s3

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]
_Write = tuple[str, str, _Json, bytes, "_Json | None"]

_written: contextvars.ContextVar[list[_Write] | None] = contextvars.ContextVar("written", default=None)
_refusals: list[str] = []


def install() -> None:
    """Take the place of the emulator's replication."""
    s3._maybe_replicate = _remember
    s3._maybe_replicate_delete_marker = _replicate_delete_marker
    for name in ("_put_object", "_copy_object", "_complete_multipart_upload", "_post_object"):
        setattr(s3, name, _then_replicate(getattr(s3, name)))


def refusals(_said: _Json) -> _Json:
    """What was refused so far."""
    return {"refusals": _refusals}


def _remember(bucket: str, key: str, made: _Json, data: bytes, tags: _Json | None = None) -> None:
    written = _written.get()
    if written is not None:
        written.append((bucket, key, made, data, tags))


def _then_replicate(write: Callable[..., _Answer]) -> Callable[..., _Answer]:
    def write_then_replicate(*request: Any, **more: Any) -> _Answer:
        token = _written.set([])
        try:
            answer = write(*request, **more)
            written = _written.get() or []
        finally:
            _written.reset(token)
        for each in written:
            _replicate(*each)
        return answer

    return write_then_replicate


def _replicate(bucket: str, key: str, made: _Json, data: bytes, tags: _Json | None) -> None:
    rule, role = s3._replication_rule_for(bucket, key, tags)
    if rule is None:
        return
    target = _target(rule)
    needed = ["ReplicateObject", *(["ReplicateTags"] if tags else [])]
    # Under which key the replica is to be is asked of the destination.
    keys = {f"s3:{name}": value for name, value in s3._stored_sse_headers(made).items()}
    if target is None or not _allowed(bucket, key, rule, role, target, *needed, keys=keys):
        _stamp(bucket, key, made, "FAILED")
        return
    fault = faults.due("s3:ReplicateObject", f"{bucket}/{key}", "lose", "alter", "truncate", "duplicate", "hold")
    retention = {
        name: store.get((bucket, key, made.get("version_id")))
        for name, store in {"retention": s3._object_retention, "hold": s3._object_legal_hold}.items()
    }

    def write() -> None:
        arrives = faults.spoil(fault, data) if fault else data
        _write(key, made, arrives, spoilt=arrives != data, tags=tags, rule=rule, target=target, retention=retention)

    _stamp(bucket, key, made, "PENDING" if fault and fault.do == "hold" else "COMPLETED")
    if fault and fault.do == "hold":
        context = contextvars.copy_context()
        timer = threading.Timer(fault.seconds, context.run, (write,))
        timer.daemon = True
        timer.start()
    elif fault is None or fault.do != "lose":
        write()
        if fault and fault.do == "duplicate":
            write()


def _write(
    key: str,
    made: _Json,
    data: bytes,
    *,
    spoilt: bool,
    tags: _Json | None,
    rule: _Json,
    target: tuple[str, str],
    retention: _Json,
) -> None:
    name, account = target
    replica = copy.deepcopy({each: value for each, value in made.items() if each not in {"version_id", "body"}})
    replica.update(replication_status="REPLICA", body=data, size=len(data))
    if spoilt:
        replica.update(etag=f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"', checksums={})
    if rule["Destination"].get("StorageClass"):
        replica["storage_class"] = rule["Destination"]["StorageClass"]
    with request_scope(account, s3._buckets.get_scoped(account, None, name).get("region") or get_region()):
        bucket = s3._buckets[name]
        prior = bucket["objects"].get(key)
        bucket["objects"][key] = replica
        version = s3._record_object_version(name, key, prior, replica, data)
        if s3._bucket_object_lock.get(name):
            if retention["retention"]:
                s3._object_retention[name, key, version] = dict(retention["retention"])
            else:
                s3._apply_object_lock_from_headers(name, key, {}, version)
            if retention["hold"]:
                s3._object_legal_hold[name, key, version] = retention["hold"]
        if tags:
            s3._object_tags[name, key, version] = dict(tags)
        s3._persist_object(name, key, replica)
        s3._fire_s3_event_async(
            name, key, "s3:ObjectCreated:Put", size=replica["size"], etag=replica["etag"], version_id=version
        )


def _stamp(bucket: str, key: str, made: _Json, status: str) -> None:
    made["replication_status"] = status
    for version in s3._object_versions.get((bucket, key), []):
        if version["version_id"] == made.get("version_id"):
            version["replication_status"] = status


def _target(rule: _Json) -> tuple[str, str] | None:
    """The destination and its account; None if it is not there, or not versioned."""
    name = rule["Destination"]["Bucket"].split(":::")[-1]
    account = s3._bucket_owner_account(name)
    if account is None or s3._bucket_versioning.get_scoped(account, None, name) != "Enabled":
        _refusals.append(f"{name} is not there, or not versioned; S3 would not replicate to it")
        return None
    return name, account


def _allowed(
    bucket: str, key: str, rule: _Json, role: str, target: tuple[str, str], *needed: str, keys: _Json | None = None
) -> bool:
    name, account = target
    destination = rule["Destination"]
    if not s3_binding.is_on():
        there = s3._buckets.get_scoped(account, None, name)
        own = account == get_account_id()
        allowed = own or s3._replication_destination_allows(account, name, key, role, destination, there)
        if not allowed:
            _refusals.append(f"{name}: refused by the emulated S3")
        return bool(allowed)
    source, replica = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{name}"
    asked = [("GetReplicationConfiguration", source), ("ListBucket", source)]
    reading = [] if needed == ("ReplicateDelete",) else ["GetObjectVersionForReplication", "GetObjectVersionAcl"]
    if "ReplicateTags" in needed:
        reading.append("GetObjectVersionTagging")
    if s3._bucket_object_lock.get(bucket):
        reading += ["GetObjectRetention", "GetObjectLegalHold"]
    asked += [(action, f"{source}/{key}") for action in reading]
    there = s3._buckets.get_scoped(account, None, name)
    if destination.get("AccessControlTranslation") and not s3._bucket_owner_enforced(there):
        needed = (*needed, "ObjectOwnerOverrideToBucketOwner")
    asked += [(action, f"{replica}/{key}") for action in needed]
    try:
        _check_trust(role)
        for action, resource in asked:
            said = keys or {} if resource.startswith(replica) else {}
            s3_binding.decide(binding.session_of(role, "s3-replication"), f"s3:{action}", resource, said)
    except binding.DeniedError as denied:
        _refusals.append(f"{denied} (tableguard's evaluation, not S3's)")
        return False
    return True


def _check_trust(role: str) -> None:
    with request_scope(role.split(":")[4], get_region()):
        found = iam._roles.get(role.rpartition("/")[2])
    if found is None:
        raise binding.DeniedError(f"there is no role {role}")
    trust = found["AssumeRolePolicyDocument"]
    for statement in (json.loads(trust) if isinstance(trust, str) else trust)["Statement"]:
        services = statement.get("Principal", {}).get("Service", ())
        if statement["Effect"] == "Allow" and "s3.amazonaws.com" in (
            [services] if isinstance(services, str) else services
        ):
            return
    raise binding.DeniedError(f"{role} does not trust s3.amazonaws.com")


def _replicate_delete_marker(bucket: str, key: str) -> None:
    """A marker follows if the rule says so; a version's deletion never does."""
    config = s3._bucket_replication.get(bucket)
    rule, role = s3._replication_rule_for(bucket, key, None) if config else (None, "")
    if rule is None:
        return
    wanted = "Filter" not in rule or rule.get("DeleteMarkerReplication", {}).get("Status") == "Enabled"
    target = _target(rule) if wanted else None
    if target is None or not _allowed(bucket, key, rule, role, target, "ReplicateDelete"):
        return
    name, account = target
    with request_scope(account, get_region()):
        there = s3._buckets[name]
        s3._record_delete_marker(name, key, there["objects"].get(key))
        there["objects"].pop(key, None)
