"""Who may do what in the reference organization, decided from the synthesized policies of both sides."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tableguard.policy import ACTIONS
from tests.unit.stacks.synthesized import IDENTITY_ALLOWS_ALL, Json, Synthesized, resource_allows_all

TABLE = "arn:aws:dynamodb:us-east-1:444455556666:table/rbac-central-table"
BY_DATE = f"{TABLE}/index/by-date"
STREAM = f"{TABLE}/stream/2026-11-21T08:30:15.000"
RESOURCES = {
    "table": TABLE,
    "by-date": BY_DATE,
    "another index": f"{TABLE}/index/by-price",
    "stream": STREAM,
    "another table": f"{TABLE}-2",
    "its replica": TABLE.replace("us-east-1", "eu-west-1"),
}
KEY = "arn:aws:kms:us-east-1:444455556666:key/11111111-2222-3333-4444-555555555555"

# A request of the vendor that its grant allows, whatever is changed in it.
VENDORS_REQUEST: Mapping[str, Any] = {
    "aws:SourceIp": "192.0.2.77",
    "dynamodb:LeadingKeys": ["ProductCatalog-books"],
    "dynamodb:Attributes": ["category", "item", "time", "ProductName", "Inventory", "DueDate"],
    "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
}
NOW = dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Consumer:
    stack: str | None
    may: frozenset[tuple[str, str]]

    def principal(self, reference: Synthesized) -> str:
        return reference.role_of(self.stack) if self.stack else "arn:aws:iam::777788889999:role/sync"

    def identity(self, reference: Synthesized) -> list[Json]:
        return reference.identity_of(self.stack) if self.stack else [reference.vendor_policy]


READS_AN_ITEM = frozenset({("GetItem", "table")})
CONSUMERS = {
    "Alfa": Consumer("TenantAlfa", READS_AN_ITEM),
    "Bravo": Consumer("TenantBravo", READS_AN_ITEM),
    "Charlie": Consumer("TenantCharlie", READS_AN_ITEM),
    "writer": Consumer("Writer", frozenset({("PutItem", "table")})),
    "ETL": Consumer(
        "Etl",
        frozenset(
            {
                ("Query", "by-date"),
                ("DescribeStream", "stream"),
                ("GetShardIterator", "stream"),
                ("GetRecords", "stream"),
                ("DescribeTable", "table"),  # reads no item
            }
        ),
    ),
    "vendor": Consumer(None, frozenset({("Query", "by-date")})),
}


def allowed(
    reference: Synthesized, principal: str, identity: Sequence[Json], resource_policy: Json | None = None
) -> frozenset[tuple[str, str]]:
    """Everything that a principal may do with anything, in circumstances that suit every condition there is."""
    return frozenset(
        (action, name)
        for action in ACTIONS
        for name, resource in RESOURCES.items()
        if reference.allows(
            principal,
            identity,
            f"dynamodb:{action}",
            resource,
            resource_policy=resource_policy,
            context=VENDORS_REQUEST,
            time=NOW,
        )
    )


@pytest.mark.parametrize("name", CONSUMERS)
class TestEveryConsumer:
    def test_may_do_what_its_grant_says_and_nothing_else(self, reference: Synthesized, name: str) -> None:
        consumer = CONSUMERS[name]
        assert allowed(reference, consumer.principal(reference), consumer.identity(reference)) == consumer.may

    def test_may_do_no_more_when_its_own_account_allows_everything(self, reference: Synthesized, name: str) -> None:
        consumer = CONSUMERS[name]
        by_the_table = allowed(reference, consumer.principal(reference), [IDENTITY_ALLOWS_ALL])
        # The stream's policy names the stream as "*", and each resource has a policy of its own.
        assert {pair for pair in by_the_table if pair[1] in ("table", "by-date", "stream")} == consumer.may

    def test_may_do_no_more_when_the_tables_account_allows_everything(self, reference: Synthesized, name: str) -> None:
        consumer = CONSUMERS[name]
        principal = consumer.principal(reference)
        account = principal.split(":")[4]
        by_its_own = allowed(reference, principal, consumer.identity(reference), resource_allows_all(account))
        assert by_its_own == consumer.may


@pytest.mark.parametrize("name", [name for name, consumer in CONSUMERS.items() if consumer.stack])
@pytest.mark.parametrize("other", ["role/admin", "role/team/{}", "role/{}-2", "user/{}", "root"])
def test_nobody_else_in_the_account_of_a_consumer_may_do_anything(
    reference: Synthesized, name: str, other: str
) -> None:
    account, _, role = CONSUMERS[name].principal(reference).partition(":role/")
    principal = f"{account}:{other.format(role)}"
    assert allowed(reference, principal, [IDENTITY_ALLOWS_ALL]) == frozenset()


@pytest.mark.parametrize("name", CONSUMERS)
def test_nobody_in_another_account_may_do_anything(reference: Synthesized, name: str) -> None:
    consumer = CONSUMERS[name]
    _, _, role = consumer.principal(reference).partition(":role/")
    principal = f"arn:aws:iam::123456789012:role/{role}"
    assert allowed(reference, principal, [IDENTITY_ALLOWS_ALL]) == frozenset()


class TestVendor:
    PRINCIPAL = "arn:aws:iam::777788889999:role/sync"

    def may_query(self, reference: Synthesized, time: dt.datetime = NOW, side: str = "both", **changed: Any) -> bool:
        context = {
            **VENDORS_REQUEST,
            **{f"{'aws' if key == 'SourceIp' else 'dynamodb'}:{key}": value for key, value in changed.items()},
        }
        return reference.allows(
            self.PRINCIPAL,
            [IDENTITY_ALLOWS_ALL] if side == "table" else [reference.vendor_policy],
            "dynamodb:Query",
            BY_DATE,
            resource_policy=resource_allows_all("777788889999") if side == "identity" else None,
            context=context,
            time=time,
        )

    @pytest.mark.parametrize(
        "changed",
        [
            {},
            {"SourceIp": "192.0.2.255"},
            {"SourceIp": "2001:db8:1234:5678::1"},
            {"LeadingKeys": ["ProductCatalog-"]},
            {"Attributes": ["category", "item", "time"]},
            {"time": dt.datetime(2036, 12, 31, 23, 59, 59, tzinfo=dt.UTC)},
        ],
    )
    def test_may_query_its_keys_and_attributes_from_its_network_to_its_last_day(
        self, reference: Synthesized, changed: dict[str, Any]
    ) -> None:
        assert self.may_query(reference, **changed)

    @pytest.mark.parametrize("side", ["both", "table", "identity"])
    @pytest.mark.parametrize(
        "changed",
        [
            {"SourceIp": "192.0.3.1"},
            {"SourceIp": "2001:db8:1235::1"},
            {"SourceIp": None},
            {"LeadingKeys": ["Customer-1"]},
            {"LeadingKeys": ["productcatalog-books"]},
            {"LeadingKeys": ["ProductCatalog-books", "Customer-1"]},
            {"LeadingKeys": None},
            {"Attributes": ["category", "item", "time", "Price"]},
            {"Attributes": None},
            {"Select": "ALL_ATTRIBUTES"},
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            {"Select": None},
            {"time": dt.datetime(2037, 1, 1, tzinfo=dt.UTC)},
        ],
    )
    def test_may_query_nothing_else_by_either_side(
        self, reference: Synthesized, side: str, changed: dict[str, Any]
    ) -> None:
        assert not self.may_query(reference, side=side, **changed)


class TestKey:
    """DynamoDB asks KMS as the caller, with a context that names the table."""

    CONTEXT: Mapping[str, Any] = {
        "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": "444455556666",
        "kms:EncryptionContext:aws:dynamodb:tableName": "rbac-central-table",
    }

    def may(
        self,
        reference: Synthesized,
        name: str,
        action: str = "kms:Decrypt",
        *,
        time: dt.datetime = NOW,
        side: str = "both",
        context: Mapping[str, Any] | None = None,
    ) -> bool:
        consumer = CONSUMERS[name]
        principal = consumer.principal(reference)
        return reference.allows(
            principal,
            [IDENTITY_ALLOWS_ALL] if side == "key" else consumer.identity(reference),
            action,
            KEY,
            resource_policy=resource_allows_all(principal.split(":")[4]) if side == "identity" else None,
            context={**self.CONTEXT, **(context or {})},
            time=time,
        )

    @pytest.mark.parametrize("name", CONSUMERS)
    def test_every_consumer_may_decrypt_the_table_through_dynamodb(self, reference: Synthesized, name: str) -> None:
        assert self.may(reference, name)

    @pytest.mark.parametrize("side", ["both", "key", "identity"])
    @pytest.mark.parametrize("name", CONSUMERS)
    @pytest.mark.parametrize("key", CONTEXT)
    @pytest.mark.parametrize("value", [None, "something else"])
    def test_no_consumer_may_use_it_for_anything_else(
        self, reference: Synthesized, name: str, side: str, key: str, value: str | None
    ) -> None:
        assert not self.may(reference, name, side=side, context={key: value})

    @pytest.mark.parametrize("action", ["kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy"])
    @pytest.mark.parametrize("name", CONSUMERS)
    def test_no_consumer_may_do_more_with_it_than_decrypt(self, reference: Synthesized, name: str, action: str) -> None:
        assert not self.may(reference, name, action, side="key")

    @pytest.mark.parametrize("side", ["both", "key", "identity"])
    def test_the_vendor_may_not_decrypt_after_its_last_day(self, reference: Synthesized, side: str) -> None:
        assert not self.may(reference, "vendor", side=side, time=dt.datetime(2037, 1, 1, tzinfo=dt.UTC))

    @pytest.mark.parametrize("name", [name for name, consumer in CONSUMERS.items() if consumer.stack])
    def test_nobody_else_in_the_account_of_a_consumer_may_decrypt(self, reference: Synthesized, name: str) -> None:
        account, _, _ = CONSUMERS[name].principal(reference).partition(":role/")
        assert not reference.allows(
            f"{account}:role/admin", [IDENTITY_ALLOWS_ALL], "kms:Decrypt", KEY, context=self.CONTEXT, time=NOW
        )
