"""Every condition of a grant that metadata claims is compared with the policies, whatever kind of condition it is."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

import pytest

from tableguard.policy import (
    Access,
    Account,
    Attributes,
    AwsService,
    Clause,
    Condition,
    FederatedUser,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    InOrganization,
    LeadingKeys,
    Organization,
    OrganizationalUnit,
    PermissionSet,
    Principal,
    Role,
    RoleSession,
    TableGrant,
    TableReference,
    User,
)
from tableguard.policy.documents import document as policy_of
from tableguard.policy.perimeter import FromVpcsOfAccount, FromVpcsOfOrganization
from tableguard.review.report import Review
from tableguard.review.unknown import UnknownKind
from tests.unit.review.support import (
    CONSUMER,
    OWNER,
    REGION,
    VENDOR,
    Json,
    claim,
    claiming,
    findings,
    reviewed,
    stack,
    table,
)

ORDERS: Final = TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date",))
INDEX: Final = {"GlobalSecondaryIndexes": [{"IndexName": "by-date"}]}
READER: Final = Role(account=CONSUMER, name="reader")
ITEMS: Final = Access.on_table("GetItem", "UpdateItem")


def messages(claims: list[Json], *granted: TableGrant) -> list[str]:
    """What is wrong with the claims about a table whose policies come from grants."""
    found = claimed(claims, *granted)
    assert set(findings(found)) <= {"metadata", "dangling"}
    return [each.message for each in found.findings if each.kind.value == "metadata"]


def claimed(claims: list[Json], *granted: TableGrant) -> Review:
    def statements(rendering: Any) -> list[Json]:
        found = [statement for grant in granted for statement in rendering(grant, ORDERS)]
        return list(json.loads(json.dumps(policy_of(found)["Statement"]))) if found else []

    made = table(*statements(TableGrant.table_statements), stream=statements(TableGrant.stream_statements), **INDEX)
    made["Properties"].setdefault("StreamSpecification", {})
    return reviewed(stack(T={**made, **claiming(grants=claims)}))


# One condition, another one of the same kind, and what of an item they are about.
CONDITIONS: Final[dict[str, tuple[Condition, Condition, Access]]] = {
    "VPC": (FromVpc("vpc-0abc1234", region=REGION), FromVpc("vpc-0abc1239", region=REGION), Access.READ),
    "VPC of another region": (
        FromVpc("vpc-0abc1234", region=REGION),
        FromVpc("vpc-0abc1234", region="us-east-1"),
        Access.READ,
    ),
    "endpoint": (FromVpcEndpoint("vpce-1a2b3c4d"), FromVpcEndpoint("vpce-2a2b3c4d"), Access.READ_WRITE),
    "more endpoints": (
        FromVpcEndpoint("vpce-1a2b3c4d"),
        FromVpcEndpoint("vpce-1a2b3c4d", "vpce-2a2b3c4d"),
        Access.READ,
    ),
    "endpoints of an account": (FromVpcsOfAccount(CONSUMER), FromVpcsOfAccount(VENDOR), Access.READ),
    "endpoints of an organization": (
        FromVpcsOfOrganization("o-a1b2c3d4e5"),
        FromVpcsOfOrganization("o-a1b2c3d4e6"),
        Access.READ,
    ),
    "network": (FromNetwork("192.0.2.0/24"), FromNetwork("198.51.100.0/24"), Access.READ),
    "organization": (InOrganization("o-a1b2c3d4e5"), InOrganization("o-a1b2c3d4e6"), Access.STREAM),
    "leading keys": (LeadingKeys("a"), LeadingKeys("b"), Access.READ_ITEMS),
    "leading keys, a pattern": (LeadingKeys("a*"), LeadingKeys("a"), Access.READ_ITEMS),
    "leading keys, another attribute": (LeadingKeys("a"), LeadingKeys("a", attribute=2), Access.READ_ITEMS),
    "variable": (
        LeadingKeys("${aws:PrincipalTag/tenant}"),
        LeadingKeys("${aws:PrincipalTag/team}"),
        Access.READ_ITEMS,
    ),
    "attributes": (Attributes("pk", "name"), Attributes("pk", "card"), ITEMS),
    "tag": (
        Clause("StringEquals", "aws:PrincipalTag/team", ("red",)),
        Clause("StringEquals", "aws:PrincipalTag/team", ("blue",)),
        Access.READ,
    ),
    "time window": (
        Clause("DateGreaterThan", "aws:CurrentTime", ("2026-01-01T00:00:00Z",)),
        Clause("DateGreaterThan", "aws:CurrentTime", ("2026-02-01T00:00:00Z",)),
        Access.READ,
    ),
    "operator": (
        Clause("StringLike", "aws:PrincipalTag/team", ("red",)),
        Clause("StringLikeIfExists", "aws:PrincipalTag/team", ("red",)),
        Access.READ,
    ),
    "MFA": (
        Clause("Bool", "aws:MultiFactorAuthPresent", ("true",)),
        Clause("BoolIfExists", "aws:MultiFactorAuthPresent", ("true",)),
        Access.READ,
    ),
    "number": (
        Clause("NumericLessThan", "aws:MultiFactorAuthAge", ("600",)),
        Clause("NumericLessThan", "aws:MultiFactorAuthAge", ("60",)),
        Access.READ,
    ),
    "presence": (
        Clause("Null", "aws:SourceVpce", ("false",)),
        Clause("Null", "aws:SourceVpc", ("false",)),
        Access.READ,
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_that_is_another_one_is_a_finding_and_the_same_is_none(name: str) -> None:
    condition, other, access = CONDITIONS[name]
    granted = TableGrant(READER, access, reason="ADR-7", conditions=[condition])

    assert messages([claim(READER, access, reason="ADR-7", conditions=[condition])], granted) == []

    (message,) = messages([claim(READER, access, reason="ADR-7", conditions=[other])], granted)
    assert f"states the condition {other.label!r}, which the policies do not have" in message


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_that_the_policies_lack_is_a_finding(name: str) -> None:
    condition, _, access = CONDITIONS[name]
    granted = TableGrant(READER, access, reason="ADR-7")
    (message,) = messages([claim(READER, access, reason="ADR-7", conditions=[condition])], granted)
    assert "which the policies do not have" in message


def test_the_words_of_a_condition_decide_nothing() -> None:
    """A label that says "via" instead of "through", beside another endpoint than that of the policy."""
    granted = TableGrant(READER, Access.READ, reason="ADR-7", conditions=[FromVpcEndpoint("vpce-2a2b3c4d")])
    said = claim(READER, Access.READ, reason="ADR-7", conditions=[FromVpcEndpoint("vpce-1a2b3c4d")])
    said["conditions"][0]["label"] = "via vpce-1a2b3c4d"
    (message,) = messages([said], granted)
    assert "states the condition 'via vpce-1a2b3c4d', which the policies do not have" in message

    same = claim(READER, Access.READ, reason="ADR-7", conditions=[FromVpcEndpoint("vpce-2a2b3c4d")])
    same["conditions"][0]["label"] = "whatever anybody writes"
    assert messages([same], granted) == []


def test_all_conditions_stand_in_one_statement() -> None:
    """Two grants, each with one of the conditions, are not one with both."""
    endpoint, keys = FromVpcEndpoint("vpce-1a2b3c4d"), LeadingKeys("a")
    both = claim(READER, Access.READ_ITEMS, reason="ADR-7", conditions=[endpoint, keys])
    one = TableGrant(READER, Access.READ_ITEMS, reason="ADR-7", conditions=[endpoint, keys])
    two = [TableGrant(READER, Access.READ_ITEMS, reason="ADR-7", conditions=[each]) for each in (endpoint, keys)]
    assert messages([both], one) == []
    assert any("which the policies do not have" in message for message in messages([both], *two))


def test_a_condition_on_some_of_the_actions_is_missed_for_the_others() -> None:
    endpoint = FromVpcEndpoint("vpce-1a2b3c4d")
    said = claim(READER, Access.READ_WRITE, reason="ADR-7", conditions=[endpoint])
    granted = [
        TableGrant(READER, Access.READ, reason="ADR-7", conditions=[endpoint]),
        TableGrant(READER, Access.WRITE, reason="ADR-7"),
    ]
    (message,) = messages([said], *granted)
    assert "which the policies do not have for BatchWriteItem, DeleteItem and 2 more" in message


def test_another_grant_to_the_same_role_takes_no_condition_away() -> None:
    """DescribeTable stands in both: once with the condition, once without."""
    endpoint = FromVpcEndpoint("vpce-1a2b3c4d")
    granted = [
        TableGrant(READER, Access.READ, reason="ADR-7"),
        TableGrant(READER, Access.WRITE, reason="ADR-8", conditions=[endpoint]),
    ]
    claims = [
        claim(READER, Access.READ, reason="ADR-7"),
        claim(READER, Access.WRITE, reason="ADR-8", conditions=[endpoint]),
    ]
    assert messages(claims, *granted) == []


def test_the_condition_of_somebody_else_is_not_the_own_one() -> None:
    endpoint = FromVpcEndpoint("vpce-1a2b3c4d")
    granted = [
        TableGrant(READER, Access.READ, reason="ADR-7"),
        TableGrant(Role(account=CONSUMER, name="other"), Access.READ, reason="ADR-8", conditions=[endpoint]),
    ]
    said = claim(READER, Access.READ, reason="ADR-7", conditions=[endpoint])
    assert any("which the policies do not have" in each for each in messages([said], *granted))


@pytest.mark.parametrize(
    ("access", "granted", "missing"),
    [
        (Access.query(index="by-date"), Access.query(), "Query"),
        (Access.query(), Access.query(index="by-date"), "Query"),
        (Access.query(index="by-date"), Access.query(index="by-date"), None),
        (Access.READ, Access.READ, None),
        (Access.READ, Access.query() | Access.on_table("GetItem"), "BatchGetItem"),
        (Access.STREAM, Access.STREAM, None),
        (Access.READ | Access.STREAM, Access.READ, "DescribeStream"),
    ],
)
def test_an_access_is_compared_target_by_target(access: Access, granted: Access, missing: str | None) -> None:
    found = messages([claim(READER, access, reason="x")], TableGrant(READER, granted, reason="x"))
    said = [message for message in found if "the policies do not allow" in message]
    assert bool(said) is (missing is not None)
    assert all(missing is not None and missing in message for message in said)


UNIT: Final = "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"
OTHERS: Final[dict[str, tuple[Principal, Principal]]] = {
    "role": (READER, Role(account=CONSUMER, name="reader", path="/apps/")),
    "user": (User(account=CONSUMER, name="ann"), User(account=VENDOR, name="ann")),
    "account": (Account(CONSUMER), Account(VENDOR)),
    "session": (
        RoleSession(account=CONSUMER, role="reader", session="nightly"),
        RoleSession(account=CONSUMER, role="reader", session="daily"),
    ),
    "federated user": (FederatedUser(account=CONSUMER, name="bob"), FederatedUser(account=CONSUMER, name="ben")),
    "permission set": (
        PermissionSet(account=CONSUMER, name="Data"),
        PermissionSet(account=CONSUMER, name="Data_Admin"),
    ),
    "service": (
        AwsService(service="glue.amazonaws.com", source_account=CONSUMER),
        AwsService(service="glue.amazonaws.com", source_account=VENDOR),
    ),
    "organization": (Organization("o-a1b2c3d4e5"), Organization("o-a1b2c3d4e6")),
    "unit": (OrganizationalUnit(UNIT), OrganizationalUnit(UNIT.replace("11111111", "22222222"))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_whose_grant_it_is_is_compared(name: str) -> None:
    somebody, else_ = OTHERS[name]
    granted = TableGrant(somebody, Access.READ, reason="ADR-7")
    assert messages([claim(somebody, Access.READ, reason="ADR-7")], granted) == []
    found = messages([claim(else_, Access.READ, reason="ADR-7")], granted)
    assert any(else_.label in message and "the policies do not allow" in message for message in found)


MOMENT: Final = dt.datetime(2027, 1, 31, 12, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))


@pytest.mark.parametrize(
    ("stated", "granted", "agrees"),
    [
        (dt.date(2027, 1, 31), dt.date(2027, 1, 31), True),
        (dt.date(2027, 1, 30), dt.date(2027, 1, 31), False),
        (MOMENT, MOMENT, True),
        (MOMENT.astimezone(dt.UTC), MOMENT, True),
        (MOMENT + dt.timedelta(hours=1), MOMENT, False),
        (None, MOMENT, False),
        (MOMENT, None, False),
    ],
)
def test_ends(stated: dt.date | None, granted: dt.date | None, agrees: bool) -> None:
    found = messages(
        [claim(READER, Access.READ, reason="x", until=stated)],
        TableGrant(READER, Access.READ, reason="x", until=granted),
    )
    assert any("states that it ends" in message for message in found) is not agrees


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"grants": [{"principal": "role other of 222233334444", "access": "READ"}]}, UnknownKind.METADATA_OLDER),
        ({"version": 2, "grants": []}, UnknownKind.METADATA_NEWER),
        ({"version": 1, "grants": ["words"]}, UnknownKind.METADATA),
        ("words", UnknownKind.METADATA),
    ],
)
def test_metadata_that_cannot_be_compared_is_said_and_is_not_wrong(metadata: Any, kind: UnknownKind) -> None:
    statements = policy_of(TableGrant(READER, Access.READ, reason="x").table_statements(ORDERS))["Statement"]
    made = {**table(*json.loads(json.dumps(statements)), **INDEX), "Metadata": {"tableguard": metadata}}
    found = reviewed(stack(T=made))
    assert "metadata" not in findings(found)
    assert kind in {unknown.kind for unknown in found.unknowns}
