"""Pictures made by hand, and rules tried on them."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from tableguard.policy.evaluation import Document, Place
from tableguard.review.picture import Identity, Picture, Table
from tableguard.review.rules import Results, Rule, check

OWNER: Final = "444455556666"
READER: Final = "222233334444"
VENDOR: Final = "333344445555"
TABLE: Final = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
TODAY: Final = dt.date(2026, 11, 21)
AT_TABLE: Final = Place(stack="Data", logical_id="Orders", path="Resources/Orders/Properties/ResourcePolicy")
AT_ROLE: Final = Place(stack="Reader", logical_id="Policy", path="Resources/Policy/Properties/PolicyDocument")

Statement = dict[str, Any]


def allow(principal: Any, action: str = "dynamodb:GetItem", **more: Any) -> Statement:
    named = {"AWS": principal} if isinstance(principal, str) and principal != "*" else principal
    return {"Sid": "Granted", "Effect": "Allow", "Principal": named, "Action": action, "Resource": "*", **more}


def deny(action: str, **condition: Any) -> Statement:
    statement = {"Sid": "Fence", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement


def document(*statements: Statement, place: Place = AT_TABLE) -> Document:
    return Document({"Version": "2012-10-17", "Statement": list(statements)}, place)


def role(account: str, name: str, *statements: Statement, unread: tuple[str, ...] = ()) -> Identity:
    return Identity(
        arn=f"arn:aws:iam::{account}:role/{name}",
        account=account,
        kind="role",
        documents=(document(*statements, place=AT_ROLE),) if statements else (),
        unread=unread,
        place=Place(stack="Reader", logical_id="Role", path="Resources/Role"),
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
        place=Place(stack="Data", logical_id="Orders", path="Resources/Orders"),
    )
    return Picture(tables=(table,), identities=identities, accounts=(OWNER, READER), **more)


def tried(rule: Rule, on: Picture, today: dt.date = TODAY) -> Results:
    return check(on, [rule], today)
