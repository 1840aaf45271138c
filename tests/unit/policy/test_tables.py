"""Where a table is: its ARNs in every partition, its indexes, its key and its replicas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tableguard.policy import TableReference
from tests.unit.policy.support import KEY, ORDERS, OWNER, REGION, TOKEN, Refusal, assert_refused

ARN = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"


def reference(
    *,
    account: str = OWNER,
    region: str = REGION,
    name: str = "orders",
    customer_managed_key: bool = True,
    key_arn: str | None = None,
    partition: str | None = None,
) -> TableReference:
    return TableReference(
        account=account,
        region=region,
        name=name,
        customer_managed_key=customer_managed_key,
        key_arn=key_arn,
        partition=partition,
    )


def test_a_reference_names_table_index_and_stream_by_arn() -> None:
    assert ORDERS.arn == ARN
    assert ORDERS.index_arn("by-date") == f"{ARN}/index/by-date"
    assert ORDERS.stream_arn == f"{ARN}/stream/*"


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("us-east-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
    ],
)
def test_the_partition_follows_from_the_region(region: str, partition: str, suffix: str) -> None:
    table = reference(region=region)
    assert table.arn == f"arn:{partition}:dynamodb:{region}:{OWNER}:table/orders"
    assert table.key_resource == f"arn:{partition}:kms:{region}:{OWNER}:key/*"
    assert table.kms_via_service == f"dynamodb.{region}.{suffix}"


def test_a_region_that_only_the_deployment_knows_may_come_with_its_partition() -> None:
    table = reference(region=TOKEN, partition="aws-cn")
    assert table.arn == f"arn:aws-cn:dynamodb:{TOKEN}:{OWNER}:table/orders"
    assert table.kms_via_service == f"dynamodb.{TOKEN}.amazonaws.com.cn"


def test_the_exact_key_is_used_when_it_is_known() -> None:
    assert ORDERS.key_resource == KEY
    assert replace(ORDERS, key_arn=None).key_resource == f"arn:aws:kms:{REGION}:{OWNER}:key/*"


def test_lists_become_tuples_so_that_references_are_equal_and_hashable() -> None:
    lists: dict[str, Any] = {"indexes": ["by-date"], "replica_regions": ["eu-west-1"]}
    listed = TableReference(account=OWNER, region=REGION, name="orders", **lists)
    exact = TableReference(
        account=OWNER, region=REGION, name="orders", indexes=("by-date",), replica_regions=("eu-west-1",)
    )
    assert listed == exact
    assert hash(listed) == hash(exact)


@pytest.mark.parametrize(
    "table",
    [
        reference(account=TOKEN),
        reference(region=TOKEN),
        reference(name=TOKEN),
        reference(key_arn=TOKEN),
        reference(key_arn=f"arn:aws:kms:{TOKEN}:{OWNER}:key/x"),
        reference(region=TOKEN, key_arn=KEY),
        reference(account=TOKEN, key_arn=KEY),
        reference(partition=TOKEN),
    ],
)
def test_values_that_only_the_deployment_knows_pass(table: TableReference) -> None:
    assert TOKEN in f"{table.arn} {table.key_resource}"


def test_a_replica_has_its_own_region_and_key() -> None:
    table = replace(ORDERS, replica_regions=("eu-west-1", "ap-south-1"))
    replica = table.in_region("eu-west-1")
    assert replica.arn == f"arn:aws:dynamodb:eu-west-1:{OWNER}:table/orders"
    assert replica.key_resource == f"arn:aws:kms:eu-west-1:{OWNER}:key/*"
    assert replica.indexes == table.indexes
    assert replica.replica_regions == (REGION, "ap-south-1")
    assert replica.in_region(REGION, key_arn=KEY).key_resource == KEY
    own = f"arn:aws:kms:eu-west-1:{OWNER}:key/own"
    assert table.in_region("eu-west-1", key_arn=own).key_resource == own


def test_a_table_in_its_own_region_is_itself_with_the_key_that_is_given() -> None:
    assert ORDERS.in_region(REGION) is ORDERS
    other = f"arn:aws:kms:{REGION}:{OWNER}:key/other"
    assert ORDERS.in_region(REGION, key_arn=other).key_resource == other


OWN_KEY = f"in the table's account and region: arn:aws:kms:{REGION}:{OWNER}:key/…"
BAD_INPUT = {
    "a malformed account": Refusal(
        lambda: reference(account="4444"), "the account of a TableReference", "4444", "the 12 digits"
    ),
    "a malformed region": Refusal(
        lambda: reference(region="us-east-1a"), "the region of a TableReference", "us-east-1a", "eu-west-1"
    ),
    "a pattern for a name": Refusal(
        lambda: reference(name="orders*"), "the name of a TableReference", "orders*", "3 to 255"
    ),
    "an ARN for a name": Refusal(
        lambda: reference(name=ARN), "the name of a TableReference", ARN, "3 to 255", "Pass the name alone, not an ARN."
    ),
    "a malformed partition": Refusal(
        lambda: reference(partition="*"), "the partition of a TableReference", "*", 'a partition such as "aws"'
    ),
    "a malformed index": Refusal(
        lambda: replace(ORDERS, indexes=("by-date", "*")), "an index of a TableReference", "*", "3 to 255"
    ),
    **{
        f"{value!r} for a list of {what}": Refusal(
            lambda field=field, value=value: replace(ORDERS, **{field: value}),  # type: ignore[misc]
            f"the {what} of a TableReference",
            value,
            "a list of strings",
            f"Put it into a list: [{value!r}]." if isinstance(value, str) else "",
        )
        for field, what in (("indexes", "indexes"), ("replica_regions", "replica regions"))
        for value in (None, 5, "by-date", "eu-west-1", "", b"by-date")
    },
    "a number for an index": Refusal(
        lambda: replace(ORDERS, indexes=[5]),  # type: ignore[arg-type]
        "an index of a TableReference",
        5,
        "3 to 255",
    ),
    "a number for a replica region": Refusal(
        lambda: replace(ORDERS, replica_regions=[None]),  # type: ignore[arg-type]
        "a replica region of a TableReference",
        None,
        "eu-west-1",
    ),
    "a malformed replica region": Refusal(
        lambda: replace(ORDERS, replica_regions=("europe",)),
        "a replica region of a TableReference",
        "europe",
        "eu-west-1",
    ),
    "a key where there is none": Refusal(
        lambda: reference(customer_managed_key=False, key_arn=KEY),
        "the key_arn of a TableReference",
        KEY,
        "None when customer_managed_key is False",
    ),
    "a malformed key": Refusal(
        lambda: reference(key_arn="1234abcd"), "the key_arn of a TableReference", "1234abcd", "one ARN"
    ),
    "an empty key": Refusal(lambda: reference(key_arn=""), "the key_arn of a TableReference", "", "one ARN"),
    "a pattern of keys": Refusal(
        lambda: reference(key_arn=f"arn:aws:kms:{REGION}:{OWNER}:key/*"),
        "the key_arn of a TableReference",
        f"arn:aws:kms:{REGION}:{OWNER}:key/*",
        "without wildcards",
    ),
    **{
        f"a key of {what}": Refusal(
            lambda key=key: reference(key_arn=key),  # type: ignore[misc]
            "the key_arn of a TableReference",
            key,
            OWN_KEY,
        )
        for what, key in {
            "another region": f"arn:aws:kms:eu-west-1:{OWNER}:key/x",
            "another account": f"arn:aws:kms:{REGION}:111122223333:key/x",
            "another partition": f"arn:aws-cn:kms:{REGION}:{OWNER}:key/x",
            "another service": f"arn:aws:dynamodb:{REGION}:{OWNER}:table/x",
            "an alias": f"arn:aws:kms:{REGION}:{OWNER}:alias/x",
        }.items()
    },
    "a key of another region for a replica": Refusal(
        lambda: replace(ORDERS, replica_regions=("eu-west-1",)).in_region("eu-west-1", key_arn=KEY),
        "the key_arn of a TableReference",
        KEY,
        f"arn:aws:kms:eu-west-1:{OWNER}:key/…",
    ),
    "a key of another region for the table itself": Refusal(
        lambda: ORDERS.in_region(REGION, key_arn=KEY.replace(REGION, "eu-west-1")),
        "the key_arn of a TableReference",
        KEY.replace(REGION, "eu-west-1"),
        OWN_KEY,
    ),
    "a region without a replica": Refusal(
        lambda: replace(ORDERS, replica_regions=("eu-west-1",)).in_region("eu-north-1"),
        "a replica region of table orders",
        "eu-north-1",
        f"{REGION}, eu-west-1",
    ),
    "a misspelt index": Refusal(
        lambda: ORDERS.index_arn("by-dat"), "an index of table orders", "by-dat", "by-city, by-date", '"by-date"?'
    ),
    "no name for an index": Refusal(
        lambda: ORDERS.index_arn(None),  # type: ignore[arg-type]
        "an index of table orders",
        None,
        "by-city, by-date",
        "Add the index to the table before the grant",
    ),
    "an index that the table does not have": Refusal(
        lambda: ORDERS.check_index("zzz"),
        "an index of table orders",
        "zzz",
        "by-city, by-date",
        "Add the index to the table before the grant",
    ),
    "an index of a table without a name": Refusal(
        lambda: replace(ORDERS, name=TOKEN).check_index("zzz"),
        "an index of table without a name",
        "zzz",
        "by-city, by-date",
        "Add the index to the table before the grant",
    ),
    "an index of a table without any": Refusal(
        lambda: reference().check_index("by-date"),
        "an index of table orders",
        "by-date",
        "none, no index of this table is known",
        "`indexes` of the TableReference",
    ),
}


@pytest.mark.parametrize("refusal", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_a_bad_reference_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)
