"""What the template of a bucket says and the emulator's CloudFormation drops, kept through the emulator's own S3 API.

Object Lock, versioning, encryption, lifecycle, ownership, logging, tags and replication. What S3 refuses fails the
stack, as on AWS. What the emulator keeps itself (policy, notifications, public access block, CORS) is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.serialize
import botocore.session
from ministack.services import s3
from ministack.services.cloudformation import provisioners

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Wrap what CloudFormation does with a bucket."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def create_and_keep(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        name, attributes = create(logical_id, props, stack_name)
        try:
            _keep(name, {}, props)
        except ValueError:
            s3._delete_bucket(name)
            raise
        return name, attributes

    def update_and_keep(physical_id: str, old: _Json, new: _Json, *more: Any) -> tuple[str, _Json]:
        name, attributes = update(physical_id, old, new, *more)
        _keep(name, old if name == physical_id else {}, new)
        return name, attributes

    def delete_if_empty(physical_id: str, props: _Json) -> None:
        """As S3 does it: not a bucket that holds something, be it old versions."""
        if physical_id in s3._buckets and (s3._buckets[physical_id]["objects"] or s3._bucket_has_versions(physical_id)):
            raise ValueError(f"BucketNotEmpty: {physical_id} holds objects or versions")
        delete(physical_id, props)

    handler.update(create=create_and_keep, update=update_and_keep, delete=delete_if_empty)


def _keep(name: str, old: _Json, new: _Json) -> None:
    locked = str(new.get("ObjectLockEnabled", False)).lower() == "true"
    if locked or "VersioningConfiguration" in new:
        status = "Enabled" if locked else new["VersioningConfiguration"]["Status"]
        _checked(s3._put_bucket_versioning(name, _xml("PutBucketVersioning", {"Status": status})))
    elif "VersioningConfiguration" in old:
        _checked(s3._put_bucket_versioning(name, _xml("PutBucketVersioning", {"Status": "Suspended"})))
    if locked:
        lock = {"ObjectLockEnabled": "Enabled", **_lock(new.get("ObjectLockConfiguration", {}))}
        _checked(s3._put_object_lock_configuration(name, _xml("PutObjectLockConfiguration", lock)))
    for member, (operation, said, put, delete) in _SETTINGS.items():
        if member in new:
            _checked(put(name, _xml(operation, said(new[member]))))
        elif member in old:
            _checked(delete(name))


def _lock(said: _Json) -> _Json:
    retention = said.get("Rule", {}).get("DefaultRetention")
    return {"Rule": {"DefaultRetention": _numbers(retention)}} if retention else {}


def _encryption(said: _Json) -> _Json:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault", {}),
            **({"BlockedEncryptionTypes": rule["BlockedEncryptionTypes"]} if "BlockedEncryptionTypes" in rule else {}),
            **({"BucketKeyEnabled": _is_true(rule["BucketKeyEnabled"])} if "BucketKeyEnabled" in rule else {}),
        }
        for rule in said["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _lifecycle(said: _Json) -> _Json:
    return {"Rules": [_lifecycle_rule(rule) for rule in said["Rules"]]}


def _lifecycle_rule(rule: _Json) -> _Json:
    told: _Json = {"Status": rule["Status"], "Filter": _lifecycle_filter(rule)}
    if "Id" in rule:
        told["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        told["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif _is_true(rule.get("ExpiredObjectDeleteMarker", False)):
        told["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    for member in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if member in rule:
            told[member] = _numbers(rule[member])
    if "Transitions" in rule:
        told["Transitions"] = [_transition(each, "Days") for each in rule["Transitions"]]
    if "NoncurrentVersionTransitions" in rule:
        transitions = rule["NoncurrentVersionTransitions"]
        told["NoncurrentVersionTransitions"] = [_transition(each, "NoncurrentDays") for each in transitions]
    return told


def _transition(said: _Json, days: str) -> _Json:
    return {"StorageClass": said["StorageClass"], days: int(said["TransitionInDays"])}


def _lifecycle_filter(rule: _Json) -> _Json:
    said: _Json = {
        name: rule[name] for name in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in rule
    }
    tags = rule.get("TagFilters", [])
    if len(said) + len(tags) > 1:
        return {"And": _numbers({**said, **({"Tags": tags} if tags else {})})}
    if tags:
        return {"Tag": tags[0]}
    return _numbers(said) or {"Prefix": ""}


def _replication(said: _Json) -> _Json:
    return {"Role": said["Role"], "Rules": [_replication_rule(rule) for rule in said["Rules"]]}


def _replication_rule(rule: _Json) -> _Json:
    told = {name: value for name, value in rule.items() if name not in {"Id", "Filter"}}
    if "Id" in rule:
        told["ID"] = rule["Id"]
    if "Priority" in rule:
        told["Priority"] = int(rule["Priority"])
    destination = dict(rule["Destination"])
    for member, inner in {"Metrics": "EventThreshold", "ReplicationTime": "Time"}.items():
        if inner in destination.get(member, {}):
            destination[member] = {**destination[member], inner: _numbers(destination[member][inner])}
    told["Destination"] = destination
    if "Filter" in rule:
        told["Filter"] = _replication_filter(rule["Filter"])
    return told


def _replication_filter(said: _Json) -> _Json:
    if "And" in said:
        both = {"Prefix": said["And"].get("Prefix", ""), "Tags": said["And"].get("TagFilters", [])}
        return {"And": both}
    return {"Tag": said["TagFilter"]} if "TagFilter" in said else {"Prefix": said.get("Prefix", "")}


def _logging(said: _Json) -> _Json:
    target = said.get("DestinationBucketName")
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": said.get("LogFilePrefix", "")}} if target else {}


def _put_replication_if_there(name: str, body: bytes) -> _Answer:
    """As S3 does it, and the emulator does not: the destination has to be there."""
    for rule in s3.fromstring(body).iter():
        if rule.tag.rpartition("}")[2] == "Bucket" and s3._bucket_owner_account(rule.text.split(":::")[-1]) is None:
            refusal: _Answer = s3._error("InvalidRequest", "Destination bucket must exist.", 400)
            return refusal
    answer: _Answer = _put_replication(name, body)
    return answer


_put_replication = s3._put_bucket_replication
s3._put_bucket_replication = _put_replication_if_there


def _nothing(_name: str) -> _Answer:
    return 200, {}, b""


_Setting = tuple[str, Callable[[Any], _Json], Callable[..., _Answer], Callable[[str], _Answer]]
_SETTINGS: dict[str, _Setting] = {
    "BucketEncryption": (
        "PutBucketEncryption",
        _encryption,
        s3._put_bucket_encryption,
        s3._delete_bucket_encryption,
    ),
    "OwnershipControls": (
        "PutBucketOwnershipControls",
        dict,
        s3._put_bucket_ownership_controls,
        s3._delete_bucket_ownership_controls,
    ),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration",
        _lifecycle,
        s3._put_bucket_lifecycle,
        s3._delete_bucket_lifecycle,
    ),
    "LoggingConfiguration": ("PutBucketLogging", _logging, s3._put_bucket_logging, _nothing),
    "Tags": ("PutBucketTagging", lambda tags: {"TagSet": tags}, s3._put_bucket_tagging, s3._delete_bucket_tagging),
    "ReplicationConfiguration": (
        "PutBucketReplication",
        _replication,
        _put_replication_if_there,
        s3._delete_bucket_replication,
    ),
}


def _numbers(said: _Json) -> _Json:
    """CloudFormation hands numbers over as text, too."""
    return {name: int(value) if str(value).isdigit() else value for name, value in said.items()}


def _is_true(said: Any) -> bool:
    return str(said).lower() == "true"


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("s3")


def _xml(operation: str, said: _Json) -> bytes:
    """The body of a request to S3, as the SDK writes it."""
    model = _model().operation_model(operation)
    payload = model.input_shape.serialization["payload"]
    serializer = botocore.serialize.create_serializer("rest-xml")
    request = serializer.serialize_to_request({"Bucket": "any-bucket", payload: said}, model)
    body: bytes = request["body"]
    return body


def _checked(answer: _Answer) -> None:
    status, _, body = answer
    if status >= 400:
        raise ValueError(body.decode() if isinstance(body, bytes) else body)
