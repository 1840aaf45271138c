"""Pictures made by hand, and rules tried on them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Final

from tableguard.evaluation import Document, DocumentLocation
from tableguard.review.picture import Endpoint, Identity, OrganizationPolicy, Picture, Table
from tableguard.review.rules import Results, Rule, check

OWNER: Final = "444455556666"
READER: Final = "222233334444"
VENDOR: Final = "333344445555"
TABLE: Final = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
TODAY: Final = dt.date(2026, 11, 21)
AT_TABLE: Final = DocumentLocation(stack="Data", logical_id="Orders", path="Resources/Orders/Properties/ResourcePolicy")
AT_ROLE: Final = DocumentLocation(
    stack="Reader", logical_id="Policy", path="Resources/Policy/Properties/PolicyDocument"
)

Statement = dict[str, Any]


def allow(principal: Any, action: str = "dynamodb:GetItem", **more: Any) -> Statement:
    named = {"AWS": principal} if isinstance(principal, str) and principal != "*" else principal
    return {"Sid": "Granted", "Effect": "Allow", "Principal": named, "Action": action, "Resource": "*", **more}


def deny(action: str, **condition: Any) -> Statement:
    statement = {"Sid": "Restriction", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement


def document(*statements: Statement, place: DocumentLocation = AT_TABLE) -> Document:
    return Document({"Version": "2012-10-17", "Statement": list(statements)}, place)


def role(account: str, name: str, *statements: Statement, unread: tuple[str, ...] = ()) -> Identity:
    return Identity(
        arn=f"arn:aws:iam::{account}:role/{name}",
        account=account,
        kind="role",
        documents=(document(*statements, place=AT_ROLE),) if statements else (),
        unread=unread,
        place=DocumentLocation(stack="Reader", logical_id="Role", path="Resources/Role"),
    )


def own(action: str = "dynamodb:GetItem", **more: Any) -> Statement:
    return {"Sid": "Own", "Effect": "Allow", "Action": action, "Resource": "*", **more}


def picture(*statements: Statement, identities: tuple[Identity, ...] = (), **more: Any) -> Picture:
    table = Table(
        arn=TABLE,
        account=OWNER,
        region="us-east-1",
        name="orders",
        indexes=("by-date",),
        policy=document(*statements) if statements else None,
        has_stream=True,
        place=DocumentLocation(stack="Data", logical_id="Orders", path="Resources/Orders"),
    )
    return Picture(tables=(table,), identities=identities, accounts=(OWNER, READER), **more)


def tried(rule: Rule, on: Picture, today: dt.date = TODAY) -> Results:
    return check(on, [rule], today)


LIMITS: Final = ("boundary", "endpoint", "service_control", "resource_control")
"""Layers beside the two sides that have to agree."""


def shared_with_reader(layer: str, effect: str, condition: object = None) -> Picture:
    """A table that another account's role may read, through an endpoint, but for one more statement in one layer.

    Args:
        layer: "identity", "resource" or one of `LIMITS`. An Allow there stands alone: nothing else allows it.
        effect: Its effect.
        condition: Its Condition element; none when left out.
    """
    more: Statement = {} if condition is None else {"Condition": condition}
    asked: Statement = {"Sid": "Asked", "Effect": effect, "Action": "dynamodb:GetItem", "Resource": "*", **more}
    named = {**asked, "Principal": "*"}
    alone = effect == "Allow"
    granted, held = allow(READER), own()
    policy = [named] if alone and layer == "resource" else [granted, *([named] if layer == "resource" else [])]
    documents = [asked] if alone and layer == "identity" else [held, *([asked] if layer == "identity" else [])]
    reader = role(READER, "reader", *documents)
    if layer == "boundary":
        reader = replace(reader, boundary=(document(asked, *([] if alone else [held]), place=AT_ROLE),))
    through = document(named, *([] if alone else [allow("*")])) if layer == "endpoint" else None
    endpoint = Endpoint(endpoint_id="vpce-1", vpc_id="vpc-1", account=READER, region="us-east-1", policy=through)
    controls = {
        "service_control": OrganizationPolicy(
            kind="SERVICE_CONTROL_POLICY", document=document(asked), targets=(READER,)
        ),
        "resource_control": OrganizationPolicy(
            kind="RESOURCE_CONTROL_POLICY", document=document(named), targets=(OWNER,)
        ),
    }
    control = (controls[layer],) if layer in controls else ()
    return picture(*policy, identities=(reader,), endpoints=(endpoint,), organization_policies=control)
