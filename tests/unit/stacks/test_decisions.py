"""Who may do what in the reference organization, decided from the synthesized policies of both sides."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tableguard.policy import ACTIONS
from tableguard.review.picture import Picture
from tableguard.testing import assert_allowed, assert_denied
from tests.unit.stacks.synthesized import Synthesized

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
# The stream's policy names the stream as "*", and each resource has a policy of its own.
OF_THE_TABLE = ("table", "by-date", "another index", "stream")
NOTHING: frozenset[tuple[str, str]] = frozenset()
# CloudFormation chooses its id; a template alone has no name.
KEY, KEY_OF_TEMPLATE = (
    f"arn:aws:kms:us-east-1:444455556666:key/{{{stack}.TableKey25666F95}}" for stack in ("CentralData", "Template")
)
VENDORS_ROLE = "arn:aws:iam::777788889999:role/sync"

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
    """Somebody with a grant: a stack, or the vendor, whose own policy is an output of the central one."""

    stack: str | None
    may: frozenset[tuple[str, str]]

    def principal(self, reference: Synthesized) -> str:
        return reference.role_of(self.stack) if self.stack else VENDORS_ROLE

    def request(self, reference: Synthesized, side: str = "both") -> dict[str, Any]:
        """What an assertion is told: who asks, and of which templates. The other side of one side allows everything."""
        principal = self.principal(reference)
        own = {} if self.stack else {"identity": [reference.vendor_policy]}
        if side == "both":
            return {"where": reference.folder, "principal": principal, **own}
        if side == "table":
            return {"where": reference.template("CentralData"), "principal": principal, "identity": "any"}
        where = reference.template(self.stack) if self.stack else Picture()
        return {"where": where, "principal": principal, "table_policy": "any", **own}


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


def may_only(may: frozenset[tuple[str, str]], among: Iterable[str] = RESOURCES, **request: Any) -> None:
    """Somebody may do so much and nothing else, in circumstances that suit every condition there is."""
    for action in ACTIONS:
        for name in among:
            decided = assert_allowed if (action, name) in may else assert_denied
            request |= {"action": f"dynamodb:{action}", "resource": RESOURCES[name]}
            decided(context=VENDORS_REQUEST, today=NOW, **request)


@pytest.mark.parametrize("name", CONSUMERS)
class TestEveryConsumer:
    def test_may_do_what_its_grant_says_and_nothing_else(self, reference: Synthesized, name: str) -> None:
        consumer = CONSUMERS[name]
        may_only(consumer.may, **consumer.request(reference))

    def test_may_do_no_more_when_its_own_account_allows_everything(self, reference: Synthesized, name: str) -> None:
        consumer = CONSUMERS[name]
        may_only(consumer.may, OF_THE_TABLE, **consumer.request(reference, "table"))

    def test_may_do_no_more_when_the_tables_account_allows_everything(self, reference: Synthesized, name: str) -> None:
        consumer = CONSUMERS[name]
        may_only(consumer.may, **consumer.request(reference, "identity"))


@pytest.mark.parametrize("name", [name for name, consumer in CONSUMERS.items() if consumer.stack])
@pytest.mark.parametrize("other", ["role/admin", "role/team/{}", "role/{}-2", "user/{}", "root"])
def test_nobody_else_in_the_account_of_a_consumer_may_do_anything(
    reference: Synthesized, name: str, other: str
) -> None:
    account, _, role = CONSUMERS[name].principal(reference).partition(":role/")
    may_only(NOTHING, OF_THE_TABLE, where=reference.folder, principal=f"{account}:{other.format(role)}")


@pytest.mark.parametrize("name", CONSUMERS)
def test_nobody_in_another_account_may_do_anything(reference: Synthesized, name: str) -> None:
    _, _, role = CONSUMERS[name].principal(reference).partition(":role/")
    may_only(NOTHING, OF_THE_TABLE, where=reference.folder, principal=f"arn:aws:iam::123456789012:role/{role}")


class TestVendor:
    def query(self, reference: Synthesized, time: dt.datetime = NOW, side: str = "both", **changed: Any) -> Any:
        """Its query, changed in something."""
        prefixes = {"SourceIp": "aws"}
        changes = {f"{prefixes.get(key, 'dynamodb')}:{key}": value for key, value in changed.items()}
        asked = {"action": "dynamodb:Query", "resource": BY_DATE, "context": {**VENDORS_REQUEST, **changes}}
        return {**asked, "today": time, **CONSUMERS["vendor"].request(reference, side)}

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
        assert_allowed(**self.query(reference, **changed))

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
        assert_denied(**self.query(reference, side=side, **changed))


class TestKey:
    """DynamoDB asks KMS as the caller, with a context that names the table."""

    CONTEXT: Mapping[str, Any] = {
        "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": "444455556666",
        "kms:EncryptionContext:aws:dynamodb:tableName": "rbac-central-table",
    }

    def use(
        self,
        reference: Synthesized,
        name: str,
        action: str = "kms:Decrypt",
        *,
        time: dt.datetime = NOW,
        side: str = "both",
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A use of the table's key by a consumer, as DynamoDB makes it."""
        key = KEY_OF_TEMPLATE if side == "table" else KEY
        asked = {"action": action, "resource": key, "context": {**self.CONTEXT, **(context or {})}, "today": time}
        return {**asked, **CONSUMERS[name].request(reference, side)}

    @pytest.mark.parametrize("side", ["both", "table", "identity"])
    @pytest.mark.parametrize("name", CONSUMERS)
    def test_every_consumer_may_decrypt_the_table_through_dynamodb(
        self, reference: Synthesized, name: str, side: str
    ) -> None:
        assert_allowed(**self.use(reference, name, side=side))

    @pytest.mark.parametrize("side", ["both", "table", "identity"])
    @pytest.mark.parametrize("name", CONSUMERS)
    @pytest.mark.parametrize("key", CONTEXT)
    @pytest.mark.parametrize("value", [None, "something else"])
    def test_no_consumer_may_use_it_for_anything_else(
        self, reference: Synthesized, name: str, side: str, key: str, value: str | None
    ) -> None:
        assert_denied(**self.use(reference, name, side=side, context={key: value}))

    @pytest.mark.parametrize("action", ["kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy"])
    @pytest.mark.parametrize("name", CONSUMERS)
    def test_no_consumer_may_do_more_with_it_than_decrypt(self, reference: Synthesized, name: str, action: str) -> None:
        assert_denied(**self.use(reference, name, action, side="table"))

    @pytest.mark.parametrize("side", ["both", "table", "identity"])
    def test_the_vendor_may_not_decrypt_after_its_last_day(self, reference: Synthesized, side: str) -> None:
        assert_denied(**self.use(reference, "vendor", side=side, time=dt.datetime(2037, 1, 1, tzinfo=dt.UTC)))

    @pytest.mark.parametrize("name", [name for name, consumer in CONSUMERS.items() if consumer.stack])
    def test_nobody_else_in_the_account_of_a_consumer_may_decrypt(self, reference: Synthesized, name: str) -> None:
        account, _, _ = CONSUMERS[name].principal(reference).partition(":role/")
        assert_denied(**{**self.use(reference, name), "principal": f"{account}:role/admin"})
