"""A grant: what each of the policies that it renders decides, and which grants are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tableguard.evaluation import ContextValue
from tableguard.policy import (
    Access,
    Account,
    Attributes,
    AwsService,
    Clause,
    Condition,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    InOrganization,
    LeadingKeys,
    Organization,
    PermissionSet,
    Principal,
    Role,
    RoleSession,
    TableGrant,
    TableReference,
    User,
    document,
)
from tableguard.policy.metadata.grants import grant_json
from tests.unit.policy.support import (
    KEY,
    NOON,
    ORDERS,
    OWNER,
    PARTNER,
    REGION,
    STRANGER,
    STREAM,
    TOKEN,
    Refusal,
    assert_refused,
    by_identity_side,
    by_key_policy,
    by_resource_side,
    decides,
    encryption_context,
    rendered,
    role,
    user,
)

READER = Role(account=PARTNER, name="reader")
OWN_READER = Role(account=OWNER, name="reader")
BY_DATE, BY_CITY = "/index/by-date", "/index/by-city"
UNNAMED = replace(ORDERS, name=TOKEN)


def to(principal: Principal, access: Access = Access.READ, **options: Any) -> TableGrant:
    return TableGrant(principal, access, reason="a test", **options)


# An access, an action, what follows the table's ARN, and the decision of both sides.
REQUESTS: list[tuple[Access, str, str, bool]] = [
    (Access.READ, "GetItem", "", True),
    (Access.READ, "Scan", "", True),
    (Access.READ, "Query", BY_DATE, True),
    (Access.READ, "DescribeTable", "", True),
    (Access.READ, "PutItem", "", False),
    (Access.READ, "DeleteTable", "", False),
    (Access.READ, "GetRecords", STREAM, False),
    (Access.READ, "PartiQLSelect", "", False),
    (Access.READ_ITEMS, "Scan", "", False),
    (Access.READ_ITEMS, "Scan", BY_DATE, False),
    (Access.WRITE, "PutItem", "", True),
    (Access.WRITE, "GetItem", "", False),
    (Access.WRITE, "Query", BY_DATE, False),
    (Access.READ_WRITE, "GetItem", "", True),
    (Access.READ_WRITE, "BatchWriteItem", "", True),
    (Access.SETTINGS, "UpdateTable", "", True),
    (Access.SETTINGS, "GetItem", "", False),
    (Access.SETTINGS, "DeleteTable", "", False),
    (Access.STREAM, "GetRecords", STREAM, True),
    (Access.STREAM, "GetItem", "", False),
    (Access.STREAM, "Query", BY_DATE, False),
    (Access.query(), "Query", "", True),
    (Access.query(), "Query", BY_DATE, False),
    (Access.query(index="by-date"), "Query", BY_DATE, True),
    (Access.query(index="by-date"), "Query", BY_CITY, False),
    (Access.query(index="by-date"), "Query", "/index/by-date2", False),
    (Access.query(index="by-date"), "Query", "", False),
    (Access.query(index="by-date"), "Scan", BY_DATE, False),
    (Access.query(index="by-date") | Access.STREAM, "GetShardIterator", STREAM, True),
    (Access.query(index="by-date") | Access.STREAM, "Query", BY_DATE, True),
    (Access.query(index="by-date") | Access.STREAM, "Query", BY_CITY, False),
    (Access.query(index="by-date") | Access.on_table("GetItem"), "GetItem", "", True),
    (Access.query(index="by-date") | Access.on_table("GetItem"), "Query", "", False),
    (Access.on_index("Query"), "Query", BY_CITY, True),
    (Access.on_index("Query"), "Query", "", False),
]


@pytest.mark.parametrize(("access", "action", "target", "expected"), REQUESTS)
def test_both_sides_allow_exactly_the_access(access: Access, action: str, target: str, expected: bool) -> None:
    grant = to(READER, access)
    assert by_resource_side(grant, role(), action, target) is expected
    assert by_identity_side(grant, action, target) is expected


@pytest.mark.parametrize(("access", "action", "target", "expected"), REQUESTS)
def test_both_sides_together_are_enough(access: Access, action: str, target: str, expected: bool) -> None:
    grant = to(READER, access)
    identity = rendered(grant.identity_statements(ORDERS))
    assert by_resource_side(grant, role(), action, target, identity=identity) is expected
    assert not by_resource_side(grant, role(account=STRANGER), action, target, identity=identity)


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders2",
        f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders-archive",
        f"arn:aws:dynamodb:eu-west-1:{OWNER}:table/orders",
        f"arn:aws-cn:dynamodb:{REGION}:{OWNER}:table/orders",
        f"{ORDERS.arn}/backup/0123",
        f"{ORDERS.arn}/export/0123",
    ],
)
def test_the_policies_speak_of_no_other_table(resource: str) -> None:
    grant = to(READER, Access.READ_WRITE)
    assert not decides(role(), "GetItem", resource, policy=rendered(grant.table_statements(ORDERS)))
    assert not by_identity_side(grant, "GetItem", resource=resource)


def test_the_table_of_another_account_stays_closed_to_the_consumer() -> None:
    table = replace(ORDERS, account=STRANGER, key_arn=None)
    identity = rendered(to(READER).identity_statements(table))
    assert not decides(role(), "GetItem", ORDERS.arn, policy=None, identity=identity)
    assert not by_identity_side(to(READER), "GetItem", resource=f"arn:aws:dynamodb:{REGION}:{OWNER}:table/other")


def test_the_streams_actions_never_stand_in_the_tables_policy() -> None:
    grant = to(READER, Access.READ | Access.STREAM)
    table_actions = {action for statement in grant.table_statements(ORDERS) for action in statement.actions}
    stream_actions = {action for statement in grant.stream_statements(ORDERS) for action in statement.actions}
    assert stream_actions == {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
    assert not table_actions & stream_actions
    assert to(READER).stream_statements(ORDERS) == ()
    assert to(READER, Access.STREAM).table_statements(ORDERS) == ()


def test_a_table_without_indexes_is_granted_without_them() -> None:
    bare = replace(ORDERS, indexes=())
    assert [statement.resources for statement in to(READER).table_statements(bare)] == [(bare.arn,)]
    resources = {r for statement in to(READER).table_statements(ORDERS) for r in statement.resources}
    assert resources == {ORDERS.arn, f"{ORDERS.arn}/index/*"}


# --- The key.


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (encryption_context(), True),
        (encryption_context(table="salaries"), False),
        (encryption_context(account=STRANGER), False),
        (encryption_context(region="eu-west-1"), False),
        ({**encryption_context(), "kms:ViaService": "s3.us-east-1.amazonaws.com"}, False),
        ({key: value for key, value in encryption_context().items() if key != "kms:ViaService"}, False),
        ({"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}, False),
        ({}, False),
    ],
)
def test_the_key_decrypts_this_table_for_dynamodb_only(context: Mapping[str, ContextValue], expected: bool) -> None:
    grant = to(READER)
    assert by_key_policy(grant, role(), context=context) is expected
    assert by_identity_side(grant, "kms:Decrypt", resource=KEY, context=context) is expected


def test_the_key_policy_admits_the_consumer_only_and_lets_it_do_nothing_but_decrypt() -> None:
    grant = to(READER)
    assert not by_key_policy(grant, role("writer"))
    assert not by_key_policy(grant, role(account=STRANGER))
    for action in ("kms:Encrypt", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"):
        assert not by_key_policy(grant, role(), action=action)
        assert not by_identity_side(grant, action, resource=KEY, context=encryption_context())


def test_an_exact_key_is_the_only_one_that_the_consumer_may_use() -> None:
    other = f"arn:aws:kms:{REGION}:{OWNER}:key/other"
    assert not by_identity_side(to(READER), "kms:Decrypt", resource=other, context=encryption_context())
    any_key = replace(ORDERS, key_arn=None)
    assert by_identity_side(to(READER), "kms:Decrypt", resource=other, table=any_key, context=encryption_context())
    foreign = f"arn:aws:kms:{REGION}:{STRANGER}:key/other"
    decision = decides(
        role(account=STRANGER),
        "kms:Decrypt",
        KEY,
        policy=None,
        identity=rendered(to(READER).identity_statements(any_key)),
        context=encryption_context(),
    )
    assert not decision
    assert any_key.key_resource not in foreign


@pytest.mark.parametrize(
    ("access", "uses_key"),
    [
        (Access.READ, True),
        (Access.WRITE, True),
        (Access.STREAM, True),
        (Access.query(index="by-date"), True),
        (Access.on_index("SearchVectors"), True),
        (Access.on_table("StartBulkPutItems"), True),
        (Access.SETTINGS, False),
        (Access.on_table("TagResource"), False),
    ],
)
def test_only_access_to_data_needs_the_key(access: Access, uses_key: bool) -> None:
    grant = to(READER, access)
    assert bool(grant.key_statements(ORDERS)) is uses_key
    assert by_identity_side(grant, "kms:Decrypt", resource=KEY, context=encryption_context()) is uses_key


def test_a_table_without_a_customer_managed_key_needs_no_decrypt() -> None:
    table = replace(ORDERS, customer_managed_key=False, key_arn=None)
    assert not by_identity_side(to(READER), "kms:Decrypt", resource=KEY, table=table, context=encryption_context())


def test_the_key_follows_the_conditions_that_dynamodb_passes_on() -> None:
    ending = to(READER, until=dt.date(2026, 11, 21), conditions=[InOrganization("o-a1b2c3d4e5")])
    member = {**encryption_context(), "aws:PrincipalOrgID": "o-a1b2c3d4e5"}
    assert by_key_policy(ending, role(), context=member)
    assert not by_key_policy(ending, role(), context=member, time=NOON + dt.timedelta(days=1))
    assert not by_key_policy(ending, role(), context={**member, "aws:PrincipalOrgID": "o-9999999999"})
    # Where a request came from is lost on the way to KMS: demanding it there would refuse every read.
    restricted = to(READER, conditions=[FromNetwork("192.0.2.0/24")])
    assert by_key_policy(restricted, role())


# --- Conditions on the two sides of a table.


def test_the_conditions_of_a_narrow_grant_hold_on_both_sides() -> None:
    grant = to(
        User(account=PARTNER, name="foo"),
        Access.query() | Access.query(index="by-date"),
        until=dt.date(2027, 1, 31),
        conditions=[
            FromNetwork("192.0.2.0/24"),
            LeadingKeys("ProductCatalog-*"),
            Attributes("id", "ProductName", "Inventory", "DueDate"),
        ],
    )
    good: dict[str, ContextValue] = {
        "aws:SourceIp": "192.0.2.7",
        "dynamodb:LeadingKeys": ["ProductCatalog-1"],
        "dynamodb:Attributes": ["id", "DueDate"],
        "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
    }

    def both(context: Mapping[str, ContextValue], *, target: str = "", time: dt.datetime = NOON) -> bool:
        by_resource = by_resource_side(grant, user(), "Query", target, context=context, time=time)
        assert by_identity_side(grant, "Query", target, principal=user(), context=context, time=time) is by_resource
        return by_resource

    assert both(good)
    assert both(good, target=BY_DATE)
    assert not both(good, target=BY_CITY)
    assert not both(good, time=dt.datetime(2027, 2, 1, tzinfo=dt.UTC))
    for key in good:
        assert not both({name: value for name, value in good.items() if name != key})
    assert not both({**good, "dynamodb:LeadingKeys": ["ProductCatalog-1", "Salaries-1"]})
    assert not both({**good, "dynamodb:Attributes": ["id", "Price"]})
    assert not by_resource_side(grant, user("foobar"), "Query", context=good)


def test_reads_and_writes_of_one_grant_keep_their_own_conditions() -> None:
    grant = to(READER, Access.on_table("Query", "UpdateItem"), conditions=[Attributes("id", "stock")])
    named: Mapping[str, ContextValue] = {"dynamodb:Attributes": ["id", "stock"]}
    assert by_resource_side(grant, role(), "UpdateItem", context=named)
    assert not by_resource_side(grant, role(), "Query", context=named)
    assert by_resource_side(grant, role(), "Query", context={**named, "dynamodb:Select": "SPECIFIC_ATTRIBUTES"})


# --- Which side speaks.


@pytest.mark.parametrize(
    ("principal", "named", "leaves", "resource_side"),
    [
        (READER, False, True, True),
        (READER, True, True, True),
        (OWN_READER, False, False, False),
        (OWN_READER, True, False, True),
        (Account(PARTNER), False, True, True),
        (Account(OWNER), False, False, False),
        (PermissionSet(account=OWNER, name="Data"), False, False, False),
        (RoleSession(account=OWNER, role="reader", session="nightly"), False, False, True),
        (AwsService(service="glue.amazonaws.com", source_account=OWNER), False, False, True),
        (Organization("o-a1b2c3d4e5"), False, True, True),
    ],
)
def test_inside_the_tables_account_identity_policies_decide_unless_the_principal_is_named(
    principal: Principal, named: bool, leaves: bool, resource_side: bool
) -> None:
    grant = to(principal, name_principal=named)
    assert grant.leaves(OWNER) is leaves
    assert grant.on_resource_side(OWNER) is resource_side
    assert bool(grant.table_statements(ORDERS)) is resource_side
    assert bool(grant.key_statements(ORDERS)) is resource_side
    assert bool(to(principal, Access.STREAM, name_principal=named).stream_statements(ORDERS)) is resource_side
    assert grant.identity_statements(ORDERS)


def test_a_role_of_the_tables_account_that_is_named_needs_no_identity_policy() -> None:
    grant = to(OWN_READER, name_principal=True)
    own = role(account=OWNER)
    assert by_resource_side(grant, own, "GetItem", identity=None)
    assert not by_resource_side(to(OWN_READER), own, "GetItem", identity=None)
    assert not by_resource_side(grant, role("writer", OWNER), "GetItem", identity=None)


# --- Tables whose name only the deployment knows.


@pytest.mark.parametrize(
    "access",
    [
        Access.READ,
        Access.READ_ITEMS,
        Access.WRITE,
        Access.READ_WRITE,
        Access.SETTINGS,
        Access.on_table("GetItem"),
        Access.on_table("Query") | Access.on_index("Query"),
    ],
)
def test_an_unnamed_table_is_granted_as_a_whole(access: Access) -> None:
    statements = to(OWN_READER, access, name_principal=True).table_statements(UNNAMED)
    assert {statement.resources for statement in statements} == {("*",)}


@pytest.mark.parametrize(
    "access",
    [
        Access.query(),
        Access.query(index="by-date"),
        Access.on_index("Query"),
        Access.on_table("Scan"),
        Access.query() | Access.on_table("PutItem"),
        Access.on_table("Query", "Scan") | Access.on_index("Query"),
        Access.READ | Access.query(index="by-date"),
    ],
)
def test_an_unnamed_table_refuses_an_access_that_would_widen_to_all_of_it(access: Access) -> None:
    grant = to(OWN_READER, access, name_principal=True)
    assert_refused(
        Refusal(
            lambda: grant.table_statements(UNNAMED),
            f"the access of the grant to role reader of {OWNER}",
            access.name,
            "access to the table together with all its indexes, since the table has no name yet",
            "Give the table a name (table_name=…)",
        )
    )


def test_the_key_of_an_unnamed_table_is_narrowed_to_the_account_and_dynamodb() -> None:
    grant = to(OWN_READER, name_principal=True)
    key_policy = rendered(grant.key_statements(UNNAMED))

    def decrypts(context: Mapping[str, ContextValue]) -> bool:
        return decides(role(account=OWNER), "kms:Decrypt", KEY, policy=key_policy, identity=None, context=context)

    assert decrypts(encryption_context(table="App-Orders-1234"))
    assert not decrypts(encryption_context(account=STRANGER))
    assert not decrypts({**encryption_context(), "kms:ViaService": f"s3.{REGION}.amazonaws.com"})


# --- Values.


def test_the_description_holds_what_a_reviewer_needs() -> None:
    conditions = [FromNetwork("192.0.2.0/24"), LeadingKeys("a")]
    grant = to(READER, Access.READ_ITEMS, until=dt.date(2027, 1, 31), conditions=conditions)
    keys = {"operator": "ForAllValues:StringEquals", "key": "dynamodb:LeadingKeys", "values": ["a"]}
    named = {"operator": "Null", "key": "dynamodb:LeadingKeys", "values": ["false"]}
    assert grant_json(grant) == {
        "principal": {
            "kind": "role",
            "account": PARTNER,
            "name": "reader",
            "path": "/",
            "label": f"role reader of {PARTNER}",
        },
        "access": {
            "name": "READ_ITEMS",
            "permissions": [
                {"target": "table", "actions": ["BatchGetItem", "ConditionCheckItem", "GetItem", "Query"]},
                {"target": "index/*", "actions": ["Query"]},
            ],
        },
        "reason": "a test",
        "conditions": [
            {
                "label": "from 192.0.2.0/24",
                "clauses": [{"operator": "IpAddress", "key": "aws:SourceIp", "values": ["192.0.2.0/24"]}],
            },
            {"label": "partition keys a", "clauses": [keys, named]},
        ],
        "until": "2027-01-31",
    }
    assert set(grant_json(TableGrant(OWN_READER, Access.READ))) == {"principal", "access"}


def test_grants_are_equal_and_hashable_by_what_they_say() -> None:
    one = to(READER, conditions=[FromNetwork("192.0.2.0/24")])
    same = to(Role(account=PARTNER, name="reader"), conditions=(FromNetwork("192.0.2.0/24"),))
    assert one == same
    assert len({one, same, to(READER)}) == 2
    assert TableGrant(READER, Access.READ, reason="another") != to(READER)


def test_a_grant_given_to_somebody_else_keeps_its_conditions_and_gains_more() -> None:
    grant = to(READER, until=dt.date(2027, 1, 31), conditions=[FromNetwork("192.0.2.0/24")])
    given = grant.given_to(Account(PARTNER), [InOrganization("o-a1b2c3d4e5")])
    assert given.principal == Account(PARTNER)
    assert given.conditions == (FromNetwork("192.0.2.0/24"), InOrganization("o-a1b2c3d4e5"))
    assert (given.access, given.reason, given.until) == (grant.access, grant.reason, grant.until)


@pytest.mark.parametrize(
    ("until", "today", "over"),
    [
        (None, dt.date(2100, 1, 1), False),
        (dt.date(2027, 1, 31), dt.date(2027, 1, 31), False),
        (dt.date(2027, 1, 31), dt.date(2027, 2, 1), True),
    ],
)
def test_a_grant_knows_when_it_is_over(until: dt.date | None, today: dt.date, over: bool) -> None:
    assert to(READER, until=until).is_over(today) is over


def test_the_identity_policy_is_a_document_ready_to_attach() -> None:
    policy = to(READER, Access.SETTINGS).identity_policy(ORDERS)
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["dynamodb:DescribeTable", "dynamodb:UpdateTable"],
                "Resource": f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders",
            }
        ],
    }


RESTRICTED = to(READER, Access.READ_ITEMS, conditions=[FromNetwork("192.0.2.0/24", "2001:db8::/32"), LeadingKeys("a")])
ENDING = replace(RESTRICTED, until=dt.date(2027, 1, 31))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (RESTRICTED, RESTRICTED, True),
        (RESTRICTED, ENDING, True),
        (ENDING, replace(ENDING, until=dt.date(2028, 1, 31)), True),
        (ENDING, replace(ENDING, until=dt.datetime(2027, 1, 31, 12, tzinfo=dt.UTC)), True),
        (ENDING, replace(ENDING, reason="another test"), True),
        (RESTRICTED, replace(ENDING, reason="another test"), True),
        (RESTRICTED, replace(RESTRICTED, principal=Role(account=PARTNER, name="reader")), True),
        (RESTRICTED, replace(RESTRICTED, conditions=RESTRICTED.conditions[::-1]), True),
        (RESTRICTED, replace(RESTRICTED, conditions=(*RESTRICTED.conditions, LeadingKeys("a"))), True),
        (
            RESTRICTED,
            replace(RESTRICTED, conditions=[FromNetwork("2001:DB8::/32", "192.0.2.0/24"), LeadingKeys("a")]),
            True,
        ),
        (
            RESTRICTED,
            replace(
                RESTRICTED,
                conditions=[
                    Clause("IpAddress", "AWS:sourceip", ("192.0.2.0/24", "2001:db8::/32")),
                    LeadingKeys("a"),
                ],
            ),
            True,
        ),
        (RESTRICTED, replace(RESTRICTED, access=Access("by any name", Access.READ_ITEMS.permissions)), True),
        (RESTRICTED, replace(RESTRICTED, principal=Role(account=PARTNER, name="writer")), False),
        (RESTRICTED, replace(RESTRICTED, principal=Account(PARTNER)), False),
        (RESTRICTED, replace(RESTRICTED, principal=User(account=PARTNER, name="reader")), False),
        (RESTRICTED, replace(RESTRICTED, access=Access.query()), False),
        (RESTRICTED, replace(RESTRICTED, access=Access.READ_ITEMS | Access.on_table("PutItem")), False),
        (to(READER, Access.query(index="by-date")), to(READER, Access.query(index="by-city")), False),
        (RESTRICTED, replace(RESTRICTED, conditions=()), False),
        (RESTRICTED, replace(RESTRICTED, conditions=RESTRICTED.conditions[:1]), False),
        (RESTRICTED, replace(RESTRICTED, conditions=[RESTRICTED.conditions[0], LeadingKeys("b")]), False),
        (RESTRICTED, replace(RESTRICTED, conditions=[RESTRICTED.conditions[0], LeadingKeys("a", attribute=2)]), False),
        (RESTRICTED, replace(RESTRICTED, conditions=[FromNetwork("192.0.2.0/24"), LeadingKeys("a")]), False),
        (
            to(READER, conditions=[Clause("StringEquals", "aws:PrincipalTag/team", ("a",))]),
            to(READER, conditions=[Clause("StringNotEquals", "aws:PrincipalTag/team", ("a",))]),
            False,
        ),
        (RESTRICTED, replace(RESTRICTED, name_principal=True), False),
    ],
)
def test_two_grants_are_the_same_access_when_one_would_make_the_end_of_the_other_void(
    one: TableGrant, other: TableGrant, same: bool
) -> None:
    assert one.same_access(other) is same
    assert other.same_access(one) is same


def test_the_same_access_makes_an_end_void() -> None:
    after = dt.datetime(2027, 6, 1, tzinfo=dt.UTC)
    ending, lasting = to(READER, until=dt.date(2027, 1, 31)), to(READER)
    both = rendered((*ending.table_statements(ORDERS), *lasting.table_statements(ORDERS)))
    assert ending.same_access(lasting)
    assert not by_resource_side(ending, role(), "GetItem", time=after)
    assert decides(role(), "GetItem", ORDERS.arn, policy=both, time=after)


class Converted:
    """What the CDK calls an IGrantable."""

    grant_principal = "an IPrincipal"


def test_a_grantable_of_the_cdk_waits_for_its_conversion() -> None:
    grant = TableGrant(Converted(), Access.READ, reason="a test", name_principal=True)
    assert grant.given_to(READER).subject == READER
    assert grant.given_to(READER).name_principal
    refusal = Refusal(
        lambda: grant.subject,
        "the principal of a TableGrant",
        grant.principal,
        "a principal such as Role(account=…, name=…)",
        "Only CrossAccountTable and TableAccess can convert an iam.IGrantable.",
    )
    assert_refused(refusal)


@pytest.mark.parametrize(
    "grant",
    [
        to(READER, Access.query(index="by-date") | Access.STREAM),
        to(Account(PARTNER), Access.SETTINGS),
        to(READER, Access.on_index("Query")),
        to(READER, conditions=[FromVpc("vpc-1a2b3c4d", region=REGION)]),
        to(READER, conditions=[FromVpc("vpc-1a2b3c4d", region=TOKEN)]),
        TableGrant(OWN_READER, Access.on_table("UpdateTimeToLive", "CreateTable")),
        TableGrant(OWN_READER, Access.on_table("UpdateTimeToLive"), name_principal=True),
        to(AwsService(service=TOKEN, source_account=PARTNER)),
        to(Organization("o-a1b2c3d4e5"), conditions=[InOrganization("o-a1b2c3d4e5")]),
    ],
)
def test_a_grant_that_fits_its_table_passes(grant: TableGrant) -> None:
    grant.check(ORDERS)
    statements = (*grant.table_statements(ORDERS), *grant.identity_statements(ORDERS))
    assert document(statements)["Version"] == "2012-10-17"


def test_one_unresolved_account_is_still_one_account() -> None:
    grant = TableGrant(Role(account=TOKEN, name="reader"), Access.READ)
    grant.check(replace(ORDERS, account=TOKEN, region=TOKEN))
    assert grant.table_statements(replace(ORDERS, account=TOKEN)) == ()


@pytest.mark.parametrize("access", [Access.READ, Access.STREAM, Access.WRITE])
def test_an_access_that_needs_no_index_fits_a_table_without_any(access: Access) -> None:
    to(READER, access).check(replace(ORDERS, indexes=()))


def test_a_vpc_may_be_in_the_region_of_a_replica() -> None:
    grant = to(READER, conditions=[FromVpc("vpc-1a2b3c4d", region="eu-west-1")])
    grant.check(replace(ORDERS, replica_regions=("eu-west-1",)))


def test_a_table_of_the_own_account_may_have_a_region_that_only_the_deployment_knows() -> None:
    table = replace(ORDERS, region=TOKEN)
    TableGrant(OWN_READER, Access.READ).check(table)
    to(OWN_READER, conditions=[FromVpc("vpc-1a2b3c4d", region=REGION)]).check(table)


# --- Bad input.

REASON = "why somebody outside the table's account has access"
KNOWN_AT_DEPLOYMENT = "a value that is known only at deployment"
NETWORKS = "an IP range, or VPCs and VPC endpoints, not both in one grant"
SERVICES = "glue.amazonaws.com, redshift.amazonaws.com, replication.dynamodb.amazonaws.com"


def given(principal: Any = READER, access: Any = Access.READ, **options: Any) -> TableGrant:
    return TableGrant(principal, access, **{"reason": "a test", **options})


# Each would pass for a restriction and be none; the access is one that LeadingKeys or Attributes can narrow, or cannot.
BY_HAND = [
    (Clause("ForAllValues:StringEquals", "dynamodb:LeadingKeys", ("tenant-a",)), Access.READ, "LeadingKeys"),
    (Clause("ForAllValues:StringEquals", "dynamodb:LeadingKeys", ("tenant-a",)), Access.READ_ITEMS, "LeadingKeys"),
    (Clause("StringLike", "DYNAMODB:leadingkeys", ("tenant-*",)), Access.READ_ITEMS, "LeadingKeys"),
    (Clause("Null", "dynamodb:LeadingKeys", ("false",)), Access.READ_ITEMS, "LeadingKeys"),
    *(
        (
            Clause("ForAnyValue:StringEquals", f"dynamodb:{which}PartitionKeyValues", ("a",)),
            Access.query(),
            "LeadingKeys",
        )
        for which in ("First", "Second", "Third", "Fourth", "fourth")
    ),
    (Clause("ForAllValues:StringEquals", "dynamodb:Attributes", ("id",)), Access.READ, "Attributes"),
    (Clause("ForAnyValue:StringNotLike", "dynamodb:attributes", ("Salary",)), Access.STREAM, "Attributes"),
    (Clause("StringEquals", "dynamodb:Select", ("SPECIFIC_ATTRIBUTES",)), Access.query(), "Attributes"),
    (Clause("StringEqualsIfExists", "dynamodb:ReturnValues", ("NONE",)), Access.WRITE, "Attributes"),
]
MALFORMED = {
    "a string for a principal": Refusal(
        lambda: given(role()), "the principal of a TableGrant", role(), "a principal such as Role", ""
    ),
    "no principal": Refusal(lambda: given(None), "the principal of a TableGrant", None, "a principal such as Role"),
    "a class for a principal": Refusal(
        lambda: given(Role), "the principal of a TableGrant", Role, "or an iam.IGrantable"
    ),
    "a string for an access": Refusal(
        lambda: given(access="READ"), "the access of a TableGrant", "READ", "an Access, such as Access.READ"
    ),
    "no access": Refusal(lambda: given(access=None), "the access of a TableGrant", None, "an Access"),
    "no text for a reason": Refusal(lambda: given(reason=None), "the reason of a TableGrant", None, "a string"),
    "a number for a reason": Refusal(lambda: given(reason=7), "the reason of a TableGrant", 7, "a string"),
    "one condition for a list": Refusal(
        lambda: given(conditions=FromNetwork("192.0.2.0/24")),
        "the conditions of a TableGrant",
        FromNetwork("192.0.2.0/24"),
        "a list of conditions",
        "Put it into a list",
    ),
    "no list of conditions": Refusal(
        lambda: given(conditions=None),
        "the conditions of a TableGrant",
        None,
        "a list of conditions",
        "Put it into a list",
    ),
    "a string for a condition": Refusal(
        lambda: given(conditions=["192.0.2.0/24"]),
        "a condition of a TableGrant",
        "192.0.2.0/24",
        "a condition such as FromNetwork(…)",
    ),
    "a class for a condition": Refusal(
        lambda: given(conditions=[FromNetwork]),
        "a condition of a TableGrant",
        FromNetwork,
        "a condition such as FromNetwork(…)",
    ),
    **{
        f"a network and {type(place).__name__}": Refusal(
            lambda place=place: given(conditions=[FromNetwork("192.0.2.0/24"), place]),  # type: ignore[misc]
            "the conditions of a TableGrant",
            ["from 192.0.2.0/24", place.label],
            NETWORKS,
            "Make two grants: a request through an endpoint has no public IP address.",
        )
        for place in (FromVpc("vpc-1a2b3c4d", region=REGION), FromVpcEndpoint("vpce-1a2b3c4d"))
    },
    "two networks": Refusal(
        lambda: given(conditions=[FromNetwork("192.0.2.0/24"), FromNetwork("198.51.100.0/24")]),
        "conditions on aws:SourceIp",
        ("192.0.2.0/24", "198.51.100.0/24"),
        "one condition on a key",
        "Give all alternatives to one condition, or make two grants.",
    ),
    "an end beside another end": Refusal(
        lambda: given(
            until=dt.date(2027, 1, 31),
            conditions=[Clause("DateLessThan", "aws:CurrentTime", ("2030-01-01T00:00:00Z",))],
        ),
        "conditions on aws:CurrentTime",
        ("2030-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        "one condition on a key",
        "or make two grants",
    ),
    "leading keys on access that scans": Refusal(
        lambda: given(conditions=[LeadingKeys("a")]),
        "LeadingKeys",
        "dynamodb:DescribeTable",
        "actions whose requests name partition keys",
        "Use Access.READ_ITEMS",
    ),
    "leading keys on a stream": Refusal(
        lambda: given(
            access=Access.query() | Access.STREAM, conditions=[InOrganization("o-a1b2c3d4e5"), LeadingKeys("a")]
        ),
        "the conditions of a TableGrant",
        ["partition keys a"],
        "conditions on items for actions on items",
        "Grant the stream separately: no condition can narrow its records.",
    ),
    "attributes on access that replaces items": Refusal(
        lambda: given(access=Access.on_table("PutItem"), conditions=[Attributes("id")]),
        "Attributes",
        "dynamodb:PutItem",
        "reads of items, and UpdateItem",
        "PutItem reaches attributes that it does not name.",
    ),
    **{
        f"a clause by hand, {clause.label} on {access.name}": Refusal(
            lambda clause=clause, access=access: given(access=access, conditions=[clause]),  # type: ignore[misc]
            "a condition of a TableGrant",
            clause,
            f"{instead} stands for {clause.key}",
            f"Use {instead}(…): it also refuses requests without the key, and actions that it cannot narrow.",
        )
        for clause, access, instead in BY_HAND
    },
    "a clause by hand among the conditions of a converted principal": Refusal(
        lambda: TableGrant(Converted(), Access.READ_ITEMS).given_to(READER, [BY_HAND[0][0]]),
        "a condition of a TableGrant",
        BY_HAND[0][0],
        "LeadingKeys stands for dynamodb:LeadingKeys",
        "Use LeadingKeys(…)",
    ),
    "an end without a time zone": Refusal(
        lambda: given(until=dt.datetime(2027, 1, 31)),  # noqa: DTZ001 - the naive datetime is the point
        "until",
        dt.datetime(2027, 1, 31),  # noqa: DTZ001
        "a datetime with a time zone",
        "Say which time zone",
    ),
    "a text for an end": Refusal(lambda: given(until="2027-01-31"), "until", "2027-01-31", "a datetime.date"),
    **{
        f"naming {principal.label} itself": Refusal(
            lambda principal=principal: given(principal, name_principal=True),  # type: ignore[misc]
            "name_principal of a TableGrant",
            principal.label,
            "name_principal=True for a Role or a User only",
        )
        for principal in (
            Account(PARTNER),
            PermissionSet(account=PARTNER, name="Data"),
            Organization("o-a1b2c3d4e5"),
            RoleSession(account=PARTNER, role="reader", session="nightly"),
            AwsService(service="glue.amazonaws.com", source_account=PARTNER),
        )
    },
    "a service that DynamoDB refuses": Refusal(
        lambda: given(AwsService(service="lambda.amazonaws.com", source_account=PARTNER)),
        "the service of a TableGrant",
        "lambda.amazonaws.com",
        SERVICES,
        "Let the service assume a role, and grant that role.",
    ),
}


@pytest.mark.parametrize("refusal", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_bad_grant_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)


UNFIT: dict[str, tuple[TableGrant, TableReference, Refusal]] = {}


def unfit(name: str, grant: TableGrant, table: TableReference, **words: Any) -> None:
    UNFIT[name] = (grant, table, Refusal(lambda: grant.check(table), **words))


for empty in ("", "  ", "\n"):
    unfit(
        f"the reason {empty!r}",
        TableGrant(READER, Access.READ, reason=empty),
        ORDERS,
        what=f"the reason of the grant to role reader of {PARTNER}",
        value=empty,
        allowed=REASON,
        fix='Add reason="…": a ticket, a contract, a decision.',
    )
unfit(
    "an organization without a reason",
    TableGrant(Organization("o-a1b2c3d4e5"), Access.READ),
    ORDERS,
    what="the reason of the grant to organization o-a1b2c3d4e5",
    value="",
    allowed=REASON,
    fix="Add reason",
)
unfit(
    "actions that do not work across accounts",
    to(READER, Access.READ | Access.on_table("UpdateTimeToLive", "PartiQLSelect")),
    ORDERS,
    what=f"actions granted to role reader of {PARTNER}",
    value=["PartiQLSelect", "UpdateTimeToLive"],
    allowed="actions that work on a table of another account",
    fix="For these actions, let the principal assume a role in the table's account.",
)
unfit(
    "an action that no resource policy may name",
    to(OWN_READER, Access.on_table("GetItem", "CreateTable"), name_principal=True),
    ORDERS,
    what=f"actions granted to role reader of {OWNER}",
    value=["CreateTable"],
    allowed="actions that a table's or stream's policy may name",
    fix="Leave name_principal out",
)
for half, part in {
    "searching by vector on the index alone": Access.on_index("SearchVectors", index="by-date"),
    "searching by vector on the table alone": Access.on_table("SearchVectors"),
}.items():
    unfit(
        half,
        to(OWN_READER, part),
        ORDERS,
        what=f"the access of the grant to role reader of {OWNER}",
        value="SearchVectors",
        allowed="SearchVectors on the table and on an index, since a request needs both",
        fix='Access.on_table("SearchVectors") | Access.on_index("SearchVectors", index="…").',
    )
unfit(
    "an action of which nobody knows whether it works across accounts",
    to(READER, Access.on_table("SearchVectors") | Access.on_index("SearchVectors", index="by-date")),
    ORDERS,
    what=f"actions granted to role reader of {PARTNER}",
    value=["SearchVectors"],
    allowed="actions that work on a table of another account",
    fix="For these actions, let the principal assume a role in the table's account.",
)
unfit(
    "an index that the table does not have",
    to(READER, Access.query(index="by-dat")),
    ORDERS,
    what="an index of table orders",
    value="by-dat",
    allowed="by-city, by-date",
    fix='Did you mean "by-date"?',
)
unfit(
    "all indexes of a table without any",
    to(READER, Access.on_index("Query")),
    replace(ORDERS, indexes=()),
    what=f"the access of the grant to role reader of {PARTNER}",
    value="Query",
    allowed="access without indexes, since no index of table orders is known",
    fix="Add the index to the table before the grant",
)
unfit(
    "a VPC of another region",
    to(READER, conditions=[FromVpc("vpc-1a2b3c4d", region="eu-west-1")]),
    replace(ORDERS, replica_regions=("eu-north-1",)),
    what="the region of FromVpc in a grant on table orders",
    value="eu-west-1",
    allowed=f"a region of the table: {REGION}, eu-north-1",
)
unfit(
    "a region that only the deployment knows",
    to(READER),
    replace(ORDERS, region=TOKEN, key_arn=None),
    what="the region of table orders",
    value=KNOWN_AT_DEPLOYMENT,
    allowed="a region, since the table's policy names the table by its ARN",
    fix="Set env=Environment(account=…, region=…) on the stack.",
)
unfit(
    "an owner that only the deployment knows",
    to(READER),
    replace(ORDERS, account=TOKEN),
    what="the account of the table",
    value=KNOWN_AT_DEPLOYMENT,
    allowed="12 digits",
    fix="Set env=Environment(account=…, region=…) on the stack, or write the account down.",
)
unfit(
    "a consumer's account that only the deployment knows",
    to(Account(TOKEN)),
    ORDERS,
    what=f"the account of account {TOKEN}",
    value=KNOWN_AT_DEPLOYMENT,
    allowed="12 digits",
    fix="Set env=Environment(account=…, region=…) on the stack, or write the account down.",
)


@pytest.mark.parametrize(("grant", "table", "refusal"), UNFIT.values(), ids=UNFIT.keys())
def test_a_grant_that_does_not_fit_its_table_is_refused(
    grant: TableGrant, table: TableReference, refusal: Refusal
) -> None:
    assert_refused(refusal)
    assert_refused(replace(refusal, make=lambda: grant.identity_policy(table)))


def test_conditions_that_would_replace_those_of_the_trust_are_refused() -> None:
    arn = Clause("ArnEquals", "aws:PrincipalArn", (role("writer"),))
    grant = to(READER, conditions=[arn])
    expected = Refusal(
        lambda: grant.table_statements(ORDERS),
        "conditions on aws:PrincipalArn",
        (role(), role("writer")),
        "one condition on a key",
        "Give all alternatives to one condition",
    )
    assert_refused(expected)
    assert_refused(replace(expected, make=lambda: grant.key_statements(ORDERS)))


def test_every_condition_kind_is_a_condition() -> None:
    # Keys of DynamoDB that restriction neither items nor attributes are a Clause's.
    capacity = Clause("StringEqualsIfExists", "dynamodb:ReturnConsumedCapacity", ("NONE",))
    kinds: list[Condition] = [FromNetwork("192.0.2.0/24"), LeadingKeys("a"), Attributes("id"), capacity]
    assert TableGrant(READER, Access.query(), conditions=kinds).conditions == tuple(kinds)
