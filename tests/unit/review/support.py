"""Templates made by hand, as small as the case needs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tableguard.policy import Access, Principal, TableGrant
from tableguard.policy.metadata import METADATA_KEY, VERSION
from tableguard.policy.metadata.grants import grant_json
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.collect import collect
from tableguard.review.picture import Picture
from tableguard.review.report import Review, Row
from tableguard.review.review import review

OWNER = "111122223333"
CONSUMER = "222233334444"
VENDOR = "999988887777"
REGION = "eu-west-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"
READER = f"arn:aws:iam::{CONSUMER}:role/reader"
LOCAL = f"arn:aws:iam::{OWNER}:role/local"
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/{{Data.Key}}"
TODAY = dt.date(2026, 11, 21)
RECOVERY = {"PointInTimeRecoveryEnabled": True}

Json = dict[str, Any]


def document(*statements: Mapping[str, Any]) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "dynamodb:GetItem", resource: Any = TABLE, **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "dynamodb:*", resource: Any = TABLE, **more: Any) -> Json:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def to(principal: str, action: Any = "dynamodb:GetItem", **more: Any) -> Json:
    return allow(action, Principal={"AWS": principal}, **more)


def claiming(**parts: Any) -> Json:
    """The metadata of a resource, as the library writes it."""
    written = json.loads(json.dumps({"version": VERSION, **parts}))
    return {"Metadata": {METADATA_KEY: written}}


def claim(principal: Principal, access: Access, **more: Any) -> Json:
    """What metadata says of a grant."""
    written: Json = json.loads(json.dumps(grant_json(TableGrant(principal, access, **more))))
    return written


def table(*policy: Mapping[str, Any], metadata: Any = None, stream: Sequence[Any] = (), **properties: Any) -> Json:
    made: Json = {"TableName": "orders", "PointInTimeRecoverySpecification": RECOVERY, **properties}
    if policy:
        made["ResourcePolicy"] = {"PolicyDocument": document(*policy)}
    if stream:
        made["StreamSpecification"] = {"ResourcePolicy": {"PolicyDocument": document(*stream)}}
    resource: Json = {"Type": "AWS::DynamoDB::Table", "Properties": made}
    return resource if metadata is None else {**resource, **claiming(grants=metadata)}


def role(*policy: Mapping[str, Any], name: str = "reader", **properties: Any) -> Json:
    inline = [{"PolicyName": "inline", "PolicyDocument": document(*policy)}] if policy else []
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "Policies": inline, **properties}}


def stack(
    name: str = "Data",
    account: str | None = OWNER,
    region: str | None = REGION,
    *,
    template: Any = None,
    **resources: Any,
) -> SynthesizedStack:
    return SynthesizedStack(name, account, region, {"Resources": resources, **(template or {})}, stack_name=name)


def consumer(**resources: Any) -> SynthesizedStack:
    return stack("Consumer", CONSUMER, **resources)


def picture(*stacks: SynthesizedStack, **parameters: str) -> Picture:
    return collect(stacks, parameters={name.replace("__", "."): value for name, value in parameters.items()})


def reviewed(*stacks: SynthesizedStack, today: dt.date = TODAY) -> Review:
    return review(collect(stacks), stacks, today=today)


def shared(grant: Mapping[str, Any], *policy: Mapping[str, Any], **more: Any) -> Review:
    """A review of one table with one statement, and one consumer."""
    return reviewed(stack(T=table(grant, **more)), consumer(R=role(*policy)))


def only_row(found: Review) -> Row:
    ((row,),) = [each.rows for each in found.tables]
    return row


def said(found: Review) -> dict[str, list[tuple[str, ...]]]:
    """Kinds of access of the only row, with the conditions of each."""
    kinds: dict[str, list[tuple[str, ...]]] = {}
    for access in only_row(found).accesses:
        kinds.setdefault(access.kind, []).append(access.conditions)
    return kinds


def findings(found: Review) -> list[str]:
    return [finding.kind.value for finding in found.findings]


def warnings(found: Review) -> list[str]:
    return [warning.kind.value for warning in found.warnings]
