"""What the tests of the language share: a table, the parties, and questions to the evaluator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tableguard.policy import AllowStatement, InvalidInputError, TableGrant, TableReference, document

OWNER: Final = "444455556666"
PARTNER: Final = "222233334444"
STRANGER: Final = "999988887777"
REGION: Final = "us-east-1"
KEY: Final = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STREAM: Final = "/stream/2026-11-21T10:00:00.000"
NOON: Final = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
ORDERS: Final = TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date", "by-city"), key_arn=KEY)
TOKEN: Final = "${Token[TOKEN.42]}"

EVERYTHING: Final[Mapping[str, object]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
EVERYTHING_FOR_EVERYBODY: Final[Mapping[str, object]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An input that must be refused, and what the message has to say. Without a fix, the error must offer none."""

    make: Callable[[], object]
    what: str
    value: object
    allowed: str
    fix: str = ""


def assert_refused(refusal: Refusal) -> None:
    with pytest.raises(InvalidInputError) as caught:
        refusal.make()
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.what == refusal.what
    assert error.value == refusal.value
    assert refusal.allowed in error.allowed
    assert refusal.fix in error.fix
    assert bool(refusal.fix) == bool(error.fix)
    fix = f" {error.fix}" if error.fix else ""
    # Of a long value it shows the beginning.
    assert str(error).startswith(f"{error.what}: got {repr(error.value)[:200]}")
    assert str(error).endswith(f". Allowed: {error.allowed}.{fix}")


def role(name: str = "reader", account: str = PARTNER, path: str = "/") -> str:
    return f"arn:aws:iam::{account}:role{path}{name}"


def user(name: str = "foo", account: str = PARTNER, path: str = "/") -> str:
    return f"arn:aws:iam::{account}:user{path}{name}"


def decides(
    principal: str,
    action: str,
    resource: str,
    *,
    policy: Mapping[str, object] | None,
    identity: Mapping[str, object] | None = EVERYTHING,
    context: Mapping[str, ContextValue] | None = None,
    time: dt.datetime = NOON,
) -> bool:
    """Whether a request goes through, given the resource's policy and the caller's, every statement understood."""
    request = Request(
        principal=principal,
        action=action if ":" in action else f"dynamodb:{action}",
        resource=resource,
        resource_account=OWNER,
        context=context or {},
        time=time,
    )
    # A federated user can do nothing without session policies; these hold nobody back.
    own = [identity] if identity is not None else []
    decision = evaluate(request, Policies(resource=policy, identity=own, session=[EVERYTHING]))
    assert decision.understood, decision
    return decision.allowed


def rendered(statements: Iterable[AllowStatement]) -> dict[str, Any] | None:
    listed = tuple(statements)
    return document(listed) if listed else None


def by_resource_side(
    grant: TableGrant,
    principal: str,
    action: str,
    target: str = "",
    *,
    table: TableReference = ORDERS,
    identity: Mapping[str, object] | None = EVERYTHING,
    time: dt.datetime = NOON,
    context: Mapping[str, ContextValue] | None = None,
) -> bool:
    """What the policy of the table, or of its stream, decides for a caller whose own policies allow everything."""
    statements = grant.stream_statements(table) if target.startswith("/stream/") else grant.table_statements(table)
    return decides(
        principal,
        action,
        f"{table.arn}{target}",
        policy=rendered(statements),
        identity=identity,
        context=context,
        time=time,
    )


def by_identity_side(
    grant: TableGrant,
    action: str,
    target: str = "",
    *,
    resource: str | None = None,
    table: TableReference = ORDERS,
    principal: str = role(),
    time: dt.datetime = NOON,
    context: Mapping[str, ContextValue] | None = None,
) -> bool:
    """What the consumer's identity policy decides where the resource's policy allows everything."""
    return decides(
        principal,
        action,
        resource or f"{table.arn}{target}",
        policy=EVERYTHING_FOR_EVERYBODY,
        identity=rendered(grant.identity_statements(table)),
        context=context,
        time=time,
    )


def by_key_policy(
    grant: TableGrant,
    principal: str,
    *,
    table: TableReference = ORDERS,
    action: str = "kms:Decrypt",
    time: dt.datetime = NOON,
    context: Mapping[str, ContextValue] | None = None,
) -> bool:
    """What the key's policy decides for a caller whose own policies allow everything."""
    return decides(
        principal,
        action,
        KEY,
        policy=rendered(grant.key_statements(table)),
        context=encryption_context() if context is None else context,
        time=time,
    )


def encryption_context(*, table: str = "orders", account: str = OWNER, region: str = REGION) -> dict[str, ContextValue]:
    """What KMS sees when DynamoDB decrypts a table's key for a caller."""
    return {
        "kms:ViaService": f"dynamodb.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": account,
        "kms:EncryptionContext:aws:dynamodb:tableName": table,
    }
