"""Conditions of a grant: what they let through, what they keep out, and which of them are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import pytest

from tableguard.evaluation import ContextValue
from tableguard.policy import (
    ACTIONS,
    Access,
    Account,
    Attributes,
    Clause,
    Condition,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    InOrganization,
    LeadingKeys,
    TableGrant,
)
from tableguard.policy.conditions import Until, combined
from tests.unit.policy.support import (
    PARTNER,
    TOKEN,
    Refusal,
    assert_refused,
    by_identity_side,
    by_resource_side,
    role,
)

Context = Mapping[str, ContextValue]
CALLER = role()
SPECIFIC = {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}


def on_both_sides(
    access: Access, conditions: Iterable[Condition], action: str, context: Context, target: str = ""
) -> bool:
    """The decision of the table's policy, which must be that of the consumer's as well."""
    grant = TableGrant(Account(PARTNER), access, reason="a test", conditions=tuple(conditions))
    by_resource = by_resource_side(grant, CALLER, action, target, context=context)
    assert by_identity_side(grant, action, target, context=context) is by_resource
    return by_resource


NETWORK = FromNetwork("54.240.143.0/24", "2001:DB8:1234:5678::/64")
VPC = FromVpc("vpc-1a2b3c4d", region="us-east-1")
PLACES: list[tuple[Condition, Context, bool]] = [
    (NETWORK, {"aws:SourceIp": "54.240.143.7"}, True),
    (NETWORK, {"aws:SourceIp": "2001:db8:1234:5678::1"}, True),
    (NETWORK, {"aws:SourceIp": "54.240.144.7"}, False),
    (NETWORK, {"aws:SourceIp": "2001:db8:1234:5679::1"}, False),
    (NETWORK, {}, False),
    (NETWORK, {"aws:SourceVpce": "vpce-1a2b3c4d", "aws:VpcSourceIp": "54.240.143.7"}, False),
    (VPC, {"aws:SourceVpc": "vpc-1a2b3c4d", "aws:RequestedRegion": "us-east-1"}, True),
    (VPC, {"aws:SourceVpc": "vpc-1a2b3c4d", "aws:RequestedRegion": "eu-west-1"}, False),
    (VPC, {"aws:SourceVpc": "vpc-99999999", "aws:RequestedRegion": "us-east-1"}, False),
    (VPC, {"aws:RequestedRegion": "us-east-1"}, False),
    (FromVpcEndpoint("vpce-1a2b3c4d", "vpce-2a2b3c4d"), {"aws:SourceVpce": "vpce-2a2b3c4d"}, True),
    (FromVpcEndpoint("vpce-1a2b3c4d"), {"aws:SourceVpce": "vpce-99999999"}, False),
    (FromVpcEndpoint("vpce-1a2b3c4d"), {"aws:SourceIp": "54.240.143.7"}, False),
    (InOrganization("o-a1b2c3d4e5"), {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, True),
    (InOrganization("o-a1b2c3d4e5"), {"aws:PrincipalOrgID": "o-9999999999"}, False),
    (InOrganization("o-a1b2c3d4e5"), {}, False),
    (Clause("StringEquals", "aws:PrincipalTag/team", ("alfa", "bravo")), {"aws:PrincipalTag/team": "bravo"}, True),
    (Clause("StringEquals", "aws:PrincipalTag/team", ("alfa",)), {"aws:PrincipalTag/team": "Alfa"}, False),
    (Clause("StringEquals", "aws:PrincipalTag/team", ("alfa",)), {}, False),
]


@pytest.mark.parametrize(("condition", "context", "expected"), PLACES)
def test_a_condition_on_the_caller_decides_from_where_access_works(
    condition: Condition, context: Context, expected: bool
) -> None:
    assert on_both_sides(Access.READ, [condition], "GetItem", context) is expected


def test_all_conditions_of_a_grant_have_to_hold() -> None:
    conditions = [VPC, FromVpcEndpoint("vpce-1a2b3c4d"), InOrganization("o-a1b2c3d4e5")]
    full: dict[str, ContextValue] = {
        "aws:SourceVpc": "vpc-1a2b3c4d",
        "aws:RequestedRegion": "us-east-1",
        "aws:SourceVpce": "vpce-1a2b3c4d",
        "aws:PrincipalOrgID": "o-a1b2c3d4e5",
    }
    assert on_both_sides(Access.READ, conditions, "GetItem", full)
    for missing in full:
        rest = {key: value for key, value in full.items() if key != missing}
        assert not on_both_sides(Access.READ, conditions, "GetItem", rest)


CATALOG = LeadingKeys("ProductCatalog-*", "Settings")
OWN = LeadingKeys("${aws:PrincipalTag/tenant}")
OWN_PREFIX = LeadingKeys("${aws:PrincipalTag/tenant}-*")
KEYS: list[tuple[LeadingKeys, str, Context, bool]] = [
    (CATALOG, "Query", {"dynamodb:LeadingKeys": ["ProductCatalog-7"]}, True),
    (CATALOG, "Query", {"dynamodb:LeadingKeys": ["ProductCatalog-"]}, True),
    (CATALOG, "Query", {"dynamodb:LeadingKeys": ["Settings"]}, True),
    (CATALOG, "Query", {"dynamodb:LeadingKeys": ["Settings2"]}, False),
    (CATALOG, "Query", {"dynamodb:LeadingKeys": ["productcatalog-7"]}, False),
    (CATALOG, "Query", {"dynamodb:LeadingKeys": ["Orders-ProductCatalog-7"]}, False),
    (CATALOG, "BatchGetItem", {"dynamodb:LeadingKeys": ["ProductCatalog-7", "ProductCatalog-8"]}, True),
    (CATALOG, "BatchGetItem", {"dynamodb:LeadingKeys": ["ProductCatalog-7", "Salaries-1"]}, False),
    (CATALOG, "Query", {}, False),
    (CATALOG, "Scan", {"dynamodb:LeadingKeys": ["ProductCatalog-7"]}, False),
    (CATALOG, "Scan", {}, False),
    (LeadingKeys("ProductCatalog-"), "Query", {"dynamodb:LeadingKeys": ["ProductCatalog-7"]}, False),
    (LeadingKeys("a?c"), "GetItem", {"dynamodb:LeadingKeys": ["abc"]}, True),
    (LeadingKeys("a?c"), "GetItem", {"dynamodb:LeadingKeys": ["abbc"]}, False),
    (LeadingKeys("???"), "GetItem", {"dynamodb:LeadingKeys": ["abc"]}, True),
    (LeadingKeys("???"), "GetItem", {"dynamodb:LeadingKeys": ["abcd"]}, False),
    (LeadingKeys("a${*}c"), "GetItem", {"dynamodb:LeadingKeys": ["a*c"]}, True),
    (LeadingKeys("a${*}c"), "GetItem", {"dynamodb:LeadingKeys": ["abc"]}, False),
    (LeadingKeys("${$}{x}"), "GetItem", {"dynamodb:LeadingKeys": ["${x}"]}, True),
    (OWN, "GetItem", {"dynamodb:LeadingKeys": ["alfa"], "aws:PrincipalTag/tenant": "alfa"}, True),
    (OWN, "GetItem", {"dynamodb:LeadingKeys": ["bravo"], "aws:PrincipalTag/tenant": "alfa"}, False),
    (OWN, "GetItem", {"dynamodb:LeadingKeys": ["bravo"], "aws:PrincipalTag/tenant": "*"}, False),
    (OWN, "GetItem", {"dynamodb:LeadingKeys": ["bravo"]}, False),
    (OWN, "GetItem", {"aws:PrincipalTag/tenant": "alfa"}, False),
    (OWN_PREFIX, "GetItem", {"dynamodb:LeadingKeys": ["alfa-1"], "aws:PrincipalTag/tenant": "alfa"}, True),
    (OWN_PREFIX, "GetItem", {"dynamodb:LeadingKeys": ["bravo-1"], "aws:PrincipalTag/tenant": "*"}, False),
    (OWN_PREFIX, "GetItem", {"dynamodb:LeadingKeys": ["-1"]}, False),
]


@pytest.mark.parametrize(("keys", "action", "context", "expected"), KEYS)
def test_leading_keys_restrict_the_partitions(keys: LeadingKeys, action: str, context: Context, expected: bool) -> None:
    assert on_both_sides(Access.READ_ITEMS, [keys], action, context) is expected


def test_leading_keys_restrict_an_index_too() -> None:
    assert on_both_sides(
        Access.READ_ITEMS, [CATALOG], "Query", {"dynamodb:LeadingKeys": ["Settings"]}, "/index/by-date"
    )
    assert not on_both_sides(Access.READ_ITEMS, [CATALOG], "Query", {}, "/index/by-date")


def test_a_partition_key_of_several_attributes_is_restricted_attribute_by_attribute() -> None:
    conditions = [LeadingKeys("alfa"), LeadingKeys("2026-*", attribute=2)]
    both: Context = {"dynamodb:LeadingKeys": ["alfa"], "dynamodb:SecondPartitionKeyValues": ["2026-11"]}
    assert on_both_sides(Access.READ_ITEMS, conditions, "Query", both)
    assert not on_both_sides(Access.READ_ITEMS, conditions, "Query", {"dynamodb:LeadingKeys": ["alfa"]})
    other: Context = {"dynamodb:LeadingKeys": ["alfa"], "dynamodb:SecondPartitionKeyValues": ["2025-11"]}
    assert not on_both_sides(Access.READ_ITEMS, conditions, "Query", other)


@pytest.mark.parametrize(
    ("attribute", "key"),
    [
        (1, "dynamodb:LeadingKeys"),
        (2, "dynamodb:SecondPartitionKeyValues"),
        (3, "dynamodb:ThirdPartitionKeyValues"),
        (4, "dynamodb:FourthPartitionKeyValues"),
    ],
)
def test_each_attribute_of_the_partition_key_has_its_own_condition_key(attribute: int, key: str) -> None:
    clauses = LeadingKeys("a", attribute=attribute).clauses(ACTIONS["Query"])
    assert {clause.key for clause in clauses} == {key}


SOME = Attributes("id", "ProductName")
READS_AND_UPDATES = Access.on_table("GetItem", "Query", "Scan", "UpdateItem", "ConditionCheckItem")
NAMED: Context = {"dynamodb:Attributes": ["id", "ProductName"]}
ATTRIBUTES: list[tuple[str, Context, bool]] = [
    ("Query", {**NAMED, **SPECIFIC}, True),
    ("Query", {"dynamodb:Attributes": ["id"], **SPECIFIC}, True),
    ("Query", {"dynamodb:Attributes": ["id", "Salary"], **SPECIFIC}, False),
    ("Query", {"dynamodb:Attributes": ["productname"], **SPECIFIC}, False),
    # without a projection everything comes back, whatever the key condition names
    ("Query", NAMED, False),
    ("Query", {**NAMED, "dynamodb:Select": "ALL_ATTRIBUTES"}, False),
    ("Query", {**NAMED, "dynamodb:Select": "COUNT"}, False),
    ("Query", SPECIFIC, False),
    ("Query", {}, False),
    ("GetItem", {**NAMED, **SPECIFIC}, True),
    ("GetItem", NAMED, False),
    ("Scan", {**NAMED, **SPECIFIC}, True),
    ("Scan", NAMED, False),
    ("UpdateItem", NAMED, True),
    ("UpdateItem", {**NAMED, "dynamodb:ReturnValues": "UPDATED_NEW"}, True),
    ("UpdateItem", {**NAMED, "dynamodb:ReturnValues": "NONE"}, True),
    ("UpdateItem", {**NAMED, "dynamodb:ReturnValues": "UPDATED_OLD"}, True),
    ("UpdateItem", {**NAMED, "dynamodb:ReturnValues": "ALL_OLD"}, False),
    ("UpdateItem", {**NAMED, "dynamodb:ReturnValues": "ALL_NEW"}, False),
    ("UpdateItem", {"dynamodb:Attributes": ["id", "Salary"]}, False),
    ("UpdateItem", {}, False),
    ("ConditionCheckItem", NAMED, True),
    ("ConditionCheckItem", {**NAMED, "dynamodb:ReturnValues": "ALL_OLD"}, False),
]


@pytest.mark.parametrize(("action", "context", "expected"), ATTRIBUTES)
def test_attributes_restrict_what_a_request_names_and_what_comes_back(
    action: str, context: Context, expected: bool
) -> None:
    assert on_both_sides(READS_AND_UPDATES, [SOME], action, context) is expected


@pytest.mark.parametrize("action", sorted(name for name, action in ACTIONS.items() if action.by_attribute))
def test_attributes_take_a_read_only_with_a_projection_and_a_write_only_if_it_names_what_it_touches(
    action: str,
) -> None:
    if action in ("PutItem", "DeleteItem", "BatchWriteItem"):
        assert_refused(
            Refusal(
                lambda: SOME.clauses(ACTIONS[action]),
                "Attributes",
                f"dynamodb:{action}",
                "reads of items, and UpdateItem",
                f"{action} reaches attributes that it does not name.",
            )
        )
        return
    keys = {clause.key for clause in SOME.clauses(ACTIONS[action])}
    returned = "dynamodb:ReturnValues" if action in ("UpdateItem", "ConditionCheckItem") else "dynamodb:Select"
    assert keys == {"dynamodb:Attributes", returned}


VIENNA = dt.timezone(dt.timedelta(hours=1))
ENDS: list[tuple[dt.date, dt.datetime, bool]] = [
    (dt.date(2027, 1, 31), dt.datetime(2027, 1, 31, 23, 59, 59, tzinfo=dt.UTC), True),
    (dt.date(2027, 1, 31), dt.datetime(2027, 2, 1, tzinfo=dt.UTC), False),
    (dt.date(2027, 1, 31), dt.datetime(2030, 1, 1, tzinfo=dt.UTC), False),
    (dt.date(2027, 12, 31), dt.datetime(2028, 1, 1, tzinfo=dt.UTC), False),
    (dt.datetime(2027, 1, 31, 18, tzinfo=VIENNA), dt.datetime(2027, 1, 31, 16, 59, 59, tzinfo=dt.UTC), True),
    (dt.datetime(2027, 1, 31, 18, tzinfo=VIENNA), dt.datetime(2027, 1, 31, 17, tzinfo=dt.UTC), False),
    (dt.datetime(2027, 1, 31, 18, 0, 0, 999_999, dt.UTC), dt.datetime(2027, 1, 31, 18, tzinfo=dt.UTC), False),
    (dt.date(999, 1, 31), dt.datetime(999, 1, 31, tzinfo=dt.UTC), True),
    (dt.date(999, 1, 31), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), False),
]


@pytest.mark.parametrize(("end", "time", "expected"), ENDS)
def test_access_ends_by_itself(end: dt.date, time: dt.datetime, expected: bool) -> None:
    # The evaluator reads dates of four digits; strftime writes years before 1000 with fewer on some systems.
    time_key: Context = {"aws:CurrentTime": time.replace(tzinfo=None).isoformat() + "Z"}
    grant = TableGrant(Account(PARTNER), Access.READ, reason="a test", until=end)
    assert by_resource_side(grant, CALLER, "GetItem", context=time_key) is expected
    assert by_identity_side(grant, "GetItem", context=time_key) is expected


@pytest.mark.parametrize(
    ("end", "today", "over"),
    [
        (dt.date(2027, 1, 31), dt.date(2027, 1, 31), False),
        (dt.date(2027, 1, 31), dt.date(2027, 2, 1), True),
        (dt.datetime(2027, 1, 31, tzinfo=dt.UTC), dt.date(2027, 1, 31), True),
        (dt.datetime(2027, 1, 31, 0, 0, 1, tzinfo=dt.UTC), dt.date(2027, 1, 31), False),
        (dt.datetime(2027, 2, 1, 0, 30, tzinfo=VIENNA), dt.date(2027, 1, 31), False),
        (dt.datetime(2027, 2, 1, 0, 30, tzinfo=VIENNA), dt.date(2027, 2, 1), True),
    ],
)
def test_an_end_is_over_when_nothing_of_the_day_is_covered(end: dt.date, today: dt.date, over: bool) -> None:
    assert Until(end).is_over(today) is over


@pytest.mark.parametrize(
    ("condition", "label", "fine_grained", "survives"),
    [
        (FromNetwork("192.0.2.0/24", "2001:DB8::/32"), "from 192.0.2.0/24, 2001:db8::/32", False, False),
        (VPC, "from vpc-1a2b3c4d in us-east-1", False, False),
        (FromVpcEndpoint("vpce-1a2b3c4d"), "through vpce-1a2b3c4d", False, False),
        (InOrganization("o-a1b2c3d4e5"), "in o-a1b2c3d4e5", False, True),
        (LeadingKeys("a", "b"), "partition keys a, b", True, False),
        (LeadingKeys("a", attribute=3), "partition keys (attribute 3) a", True, False),
        (Attributes("id"), "attributes id", True, False),
        (Until(dt.date(2027, 1, 31)), "until 2027-01-31", False, True),
        (Clause("StringLike", "aws:PrincipalTag/x", ("a", "b")), "StringLike aws:PrincipalTag/x a, b", False, True),
        (Clause("StringLike", "AWS:principalarn", ("*",)), "StringLike AWS:principalarn *", False, True),
        (Clause("StringEquals", "aws:SourceVpc", ("vpc-1",)), "StringEquals aws:SourceVpc vpc-1", False, False),
    ],
)
def test_a_condition_says_what_it_is(condition: Condition, label: str, fine_grained: bool, survives: bool) -> None:
    assert condition.label == label
    assert condition.fine_grained is fine_grained
    assert condition.survives_forwarding is survives


@pytest.mark.parametrize(
    "operator",
    [
        "StringEquals",
        "StringEqualsIfExists",
        "ForAnyValue:StringLike",
        "ForAllValues:ArnNotLikeIfExists",
        "NumericLessThanEquals",
        "NotIpAddress",
        "Null",
        "Bool",
    ],
)
def test_an_operator_of_iam_is_taken(operator: str) -> None:
    assert Clause(operator, "aws:PrincipalTag/x", ("true",)).operator == operator


def test_values_become_a_tuple_so_that_clauses_are_equal_and_hashable() -> None:
    exact = Clause("StringEquals", "aws:PrincipalTag/x", ("a", "b"))
    for values in (["a", "b"], (value for value in "ab"), {"a": 1, "b": 2}):
        clause = Clause("StringEquals", "aws:PrincipalTag/x", values)  # type: ignore[arg-type]
        assert clause == exact
        assert hash(clause) == hash(exact)


@pytest.mark.parametrize(
    "ranges",
    [
        ("0.0.0.0/1", "128.0.0.0/2"),
        ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"),
        ("0.0.0.0/1", "8000::/1"),
        ("0.0.0.0/1", TOKEN),
        (TOKEN, "192.0.2.0/24", "192.0.2.0/25"),
    ],
)
def test_ranges_that_leave_something_out_stay_as_they_were_given(ranges: tuple[str, ...]) -> None:
    assert FromNetwork(*ranges).ranges == ranges


def test_values_that_only_the_deployment_knows_pass() -> None:
    assert FromNetwork(TOKEN).ranges == (TOKEN,)
    assert FromVpc(TOKEN, region=TOKEN).region == TOKEN
    assert FromVpcEndpoint(TOKEN).endpoint_ids == (TOKEN,)
    assert InOrganization(TOKEN).organization == TOKEN
    assert Clause("StringEquals", TOKEN, (TOKEN,)).key == TOKEN
    assert Attributes(TOKEN).attributes == (TOKEN,)
    (keys, _) = LeadingKeys(TOKEN).clauses(ACTIONS["Query"])
    assert keys == Clause("ForAllValues:StringEquals", "dynamodb:LeadingKeys", (TOKEN,))


def test_equal_clauses_are_combined_into_one() -> None:
    organization = InOrganization("o-a1b2c3d4e5")
    assert combined([organization, organization], ACTIONS["Query"]) == organization.clauses(ACTIONS["Query"])


def test_different_operators_on_one_key_stand_side_by_side() -> None:
    tags = (
        Clause("StringLike", "aws:PrincipalTag/team", ("a*",)),
        Clause("StringNotEquals", "aws:PrincipalTag/team", ("admins",)),
    )
    assert combined(tags, ACTIONS["Query"]) == tags
    assert on_both_sides(Access.READ, tags, "Query", {"aws:PrincipalTag/team": "alfa"})
    assert not on_both_sides(Access.READ, tags, "Query", {"aws:PrincipalTag/team": "admins"})
    assert not on_both_sides(Access.READ, tags, "Query", {"aws:PrincipalTag/team": "bravo"})


OPERATOR = "an IAM condition operator"
NOT_EMPTY = "strings that are not empty"
BAD_INPUT = {
    "an unknown operator": Refusal(
        lambda: Clause("Matches", "aws:SourceIp", ("x",)), "the operator of a condition", "Matches", OPERATOR
    ),
    "a misspelt operator": Refusal(
        lambda: Clause("StringEqual", "aws:SourceIp", ("x",)),
        "the operator of a condition",
        "StringEqual",
        OPERATOR,
        'Did you mean "StringEquals"?',
    ),
    "an operator in another case": Refusal(
        lambda: Clause("stringEquals", "aws:SourceIp", ("x",)),
        "the operator of a condition",
        "stringEquals",
        OPERATOR,
        'Did you mean "StringEquals"?',
    ),
    "two prefixes": Refusal(
        lambda: Clause("ForAllValues:ForAnyValue:StringEquals", "aws:SourceIp", ("x",)),
        "the operator of a condition",
        "ForAllValues:ForAnyValue:StringEquals",
        OPERATOR,
        'Did you mean "StringEquals"?',
    ),
    "Null for all values": Refusal(
        lambda: Clause("ForAllValues:Null", "aws:SourceIp", ("true",)),
        "the operator of a condition",
        "ForAllValues:Null",
        OPERATOR,
    ),
    "Null if it exists": Refusal(
        lambda: Clause("NullIfExists", "aws:SourceIp", ("true",)),
        "the operator of a condition",
        "NullIfExists",
        OPERATOR,
    ),
    "no operator": Refusal(
        lambda: Clause(None, "aws:SourceIp", ("x",)),  # type: ignore[arg-type]
        "the operator of a condition",
        None,
        OPERATOR,
    ),
    "a key without a service": Refusal(
        lambda: Clause("StringEquals", "SourceIp", ("x",)),
        "the key of a condition",
        "SourceIp",
        'a key such as "aws:SourceIp"',
    ),
    "a key with a space": Refusal(
        lambda: Clause("StringEquals", "aws: SourceIp", ("x",)),
        "the key of a condition",
        "aws: SourceIp",
        'a key such as "aws:SourceIp"',
    ),
    "no key": Refusal(
        lambda: Clause("StringEquals", None, ("x",)),  # type: ignore[arg-type]
        "the key of a condition",
        None,
        'a key such as "aws:SourceIp"',
    ),
    "no value": Refusal(
        lambda: Clause("StringEquals", "aws:SourceIp", ()), "the values of aws:SourceIp", (), "at least one value"
    ),
    "an exhausted list of values": Refusal(
        lambda: Clause("StringEquals", "aws:SourceIp", iter(())),  # type: ignore[arg-type]
        "the values of aws:SourceIp",
        (),
        "at least one value",
    ),
    "a string for a list of values": Refusal(
        lambda: Clause("StringEquals", "aws:SourceIp", "192.0.2.0/24"),  # type: ignore[arg-type]
        "the values of aws:SourceIp",
        "192.0.2.0/24",
        "a list of strings",
        "Put it into a list",
    ),
    "a number for a list of values": Refusal(
        lambda: Clause("StringEquals", "aws:SourceIp", 5),  # type: ignore[arg-type]
        "the values of aws:SourceIp",
        5,
        "a list of strings",
    ),
    "a boolean for a value": Refusal(
        lambda: Clause("Bool", "aws:SecureTransport", (True,)),  # type: ignore[arg-type]
        "the values of aws:SecureTransport",
        value=True,
        allowed=NOT_EMPTY,
    ),
    "an empty value": Refusal(
        lambda: Clause("StringEquals", "aws:SourceIp", ("x", "")), "the values of aws:SourceIp", "", NOT_EMPTY
    ),
    "a blank value": Refusal(
        lambda: Clause("StringEquals", "aws:SourceIp", ("  ",)), "the values of aws:SourceIp", "  ", NOT_EMPTY
    ),
    "no range": Refusal(FromNetwork, "FromNetwork", (), "at least one value"),
    "an empty range": Refusal(lambda: FromNetwork(""), "FromNetwork", "", NOT_EMPTY),
    "a range with host bits": Refusal(
        lambda: FromNetwork("192.0.2.0/24", "192.0.2.7/24"),
        "a range of FromNetwork",
        "192.0.2.7/24",
        "without host bits",
        'Did you mean "192.0.2.0/24"?',
    ),
    **{
        f"addresses that are no public ones, {private}": Refusal(
            lambda private=private: FromNetwork("192.0.2.0/24", private),  # type: ignore[misc]
            "a range of FromNetwork",
            private,
            "public addresses",
            "FromVpc",
        )
        for private in (
            "10.0.0.0/8",
            "10.20.0.0/16",
            "172.16.0.0/12",
            "172.31.4.0/24",
            "192.168.1.0/24",
            "100.64.0.0/10",
            "127.0.0.1/32",
            "169.254.0.0/16",
            "fd00:1::/32",
            "fe80::/10",
            "::1/128",
        )
    },
    "the whole internet": Refusal(
        lambda: FromNetwork("0.0.0.0/0"), "a range of FromNetwork", "0.0.0.0/0", "narrower than the whole internet"
    ),
    **{
        f"the whole internet in parts, {' '.join(ranges)}": Refusal(
            lambda ranges=ranges: FromNetwork(*ranges),  # type: ignore[misc]
            "the ranges of FromNetwork",
            ranges,
            "narrower than the whole internet, taken together",
            f"Together these ranges are {whole}",
        )
        for ranges, whole in (
            (("0.0.0.0/1", "128.0.0.0/1"), "0.0.0.0/0"),
            (("192.0.0.0/2", "0.0.0.0/1", "192.0.2.0/24", "128.0.0.0/2"), "0.0.0.0/0"),
            (("2001:db8::/32", "0.0.0.0/1", TOKEN, "128.0.0.0/1"), "0.0.0.0/0"),
            (("8000::/1", "192.0.2.0/24", "::/1"), "::/0"),
        )
    },
    "no VPC": Refusal(lambda: FromVpc(region="us-east-1"), "FromVpc", (), "at least one value"),
    "a malformed VPC": Refusal(
        lambda: FromVpc("vpc-*", region="us-east-1"), "a VPC of FromVpc", "vpc-*", 'an id such as "vpc-'
    ),
    "a malformed region of a VPC": Refusal(
        lambda: FromVpc("vpc-1a2b3c4d", region=""), "the region of FromVpc", "", "a region such as"
    ),
    "no endpoint": Refusal(FromVpcEndpoint, "FromVpcEndpoint", (), "at least one value"),
    "a VPC for an endpoint": Refusal(
        lambda: FromVpcEndpoint("vpc-1a2b3c4d"),
        "an endpoint of FromVpcEndpoint",
        "vpc-1a2b3c4d",
        'an id such as "vpce-1a2b3c4d"',
    ),
    "a malformed organization": Refusal(
        lambda: InOrganization("*"), "the organization of InOrganization", "*", "o-a1b2c3d4e5"
    ),
    "no partition key": Refusal(LeadingKeys, "LeadingKeys", (), "at least one value"),
    "an empty partition key": Refusal(lambda: LeadingKeys("a", ""), "LeadingKeys", "", NOT_EMPTY),
    "a number for a partition key": Refusal(
        lambda: LeadingKeys(7),  # type: ignore[arg-type]
        "LeadingKeys",
        7,
        NOT_EMPTY,
    ),
    **{
        f"the pattern {key} for every partition key": Refusal(
            lambda key=key: LeadingKeys("a", key),  # type: ignore[misc]
            "a key of LeadingKeys",
            key,
            "leaves some keys out",
            "Leave the condition away to allow every key.",
        )
        for key in ("*", "**", "*?*")
    },
    **{
        f"the variable {key} that is none": Refusal(
            lambda key=key: LeadingKeys(key),  # type: ignore[misc]
            "a key of LeadingKeys",
            key,
            'only where it opens a policy variable such as "${aws:PrincipalTag/tenant}"',
            'Write a literal "$" as "${$}".',
        )
        for key in ("${aws:PrincipalTag/tenant", "${", "${}", "a-${aws:userid}-${")
    },
    **{
        f"the attribute {attribute!r} of the partition key": Refusal(
            lambda attribute=attribute: LeadingKeys("a", attribute=attribute),  # type: ignore[misc]
            "the attribute of LeadingKeys",
            attribute,
            "1, 2, 3 or 4",
        )
        for attribute in (0, 5, -1, True, 1.0, "1", None)
    },
    "leading keys on a scan": Refusal(
        lambda: LeadingKeys("a").clauses(ACTIONS["Scan"]),
        "LeadingKeys",
        "dynamodb:Scan",
        "actions whose requests name partition keys",
        "Scan cannot be narrowed to keys.",
    ),
    "leading keys on a description": Refusal(
        lambda: LeadingKeys("a").clauses(ACTIONS["DescribeTable"]),
        "LeadingKeys",
        "dynamodb:DescribeTable",
        "actions whose requests name partition keys",
        "DescribeTable cannot be narrowed to keys.",
    ),
    "leading keys on a search that ignores them": Refusal(
        lambda: LeadingKeys("a").clauses(ACTIONS["SearchVectors"]),
        "LeadingKeys",
        "dynamodb:SearchVectors",
        "actions whose requests name partition keys",
        "SearchVectors cannot be narrowed to keys.",
    ),
    "no attribute": Refusal(Attributes, "Attributes", (), "at least one value"),
    "an empty attribute": Refusal(lambda: Attributes("id", " "), "Attributes", " ", NOT_EMPTY),
    "a variable for an attribute": Refusal(
        lambda: Attributes("id", "${aws:PrincipalTag/x}"),
        "an attribute of Attributes",
        "${aws:PrincipalTag/x}",
        'names without "${"',
    ),
    "a variable beside a value of the deployment": Refusal(
        lambda: Attributes(f"{TOKEN}${{aws:PrincipalTag/x}}"),
        "an attribute of Attributes",
        f"{TOKEN}${{aws:PrincipalTag/x}}",
        'names without "${"',
    ),
    "attributes of a description": Refusal(
        lambda: Attributes("id").clauses(ACTIONS["DescribeTable"]),
        "Attributes",
        "dynamodb:DescribeTable",
        "reads of items, and UpdateItem",
        "DescribeTable reaches attributes that it does not name.",
    ),
    "a text for an end": Refusal(
        lambda: Until("2027-01-31"),  # type: ignore[arg-type]
        "until",
        "2027-01-31",
        "a datetime.date, or a datetime with a time zone",
    ),
    "an end without a time zone": Refusal(
        lambda: Until(dt.datetime(2027, 1, 31)),  # noqa: DTZ001 - the naive datetime is the point
        "until",
        dt.datetime(2027, 1, 31),  # noqa: DTZ001
        "a datetime with a time zone",
        "Say which time zone",
    ),
    "the calendar's last day": Refusal(
        lambda: Until(dt.date.max), "until", dt.date.max, "a day that has a next one", "Leave it out for no end."
    ),
    "a moment after the calendar's last in UTC": Refusal(
        lambda: Until(dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1)))),
        "until",
        dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1))),
        "a day that has a next one",
        "Leave it out for no end.",
    ),
    "two conditions that would replace each other": Refusal(
        lambda: combined([FromNetwork("192.0.2.0/24"), FromNetwork("198.51.100.0/24")], ACTIONS["Query"]),
        "conditions on aws:SourceIp",
        ("192.0.2.0/24", "198.51.100.0/24"),
        "one condition on a key",
        "Give all alternatives to one condition, or make two grants.",
    ),
    "two conditions on one key in different cases": Refusal(
        lambda: combined(
            [FromNetwork("192.0.2.0/24"), Clause("IpAddress", "AWS:sourceip", ("198.51.100.0/24",))], ACTIONS["Query"]
        ),
        "conditions on AWS:sourceip",
        ("192.0.2.0/24", "198.51.100.0/24"),
        "one condition on a key",
        "Give all alternatives to one condition, or make two grants.",
    ),
}


@pytest.mark.parametrize("refusal", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_a_bad_condition_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)
