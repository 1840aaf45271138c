"""What a review says of small organizations, one mistake or feature each."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from tableguard.aws.dynamodb import ACTIONS, Resource, ResourcePolicySupport
from tableguard.evaluation import evaluate
from tableguard.policy import Access, Account, FromVpcEndpoint, Role
from tableguard.review.access import Status
from tableguard.review.as_json import as_json
from tableguard.review.as_markdown import as_markdown
from tableguard.review.as_text import as_text
from tableguard.review.kinds import ACTIONS_OF, KINDS
from tableguard.review.matrix import cell
from tests.unit.review.support import (
    CONSUMER,
    LOCAL,
    OWNER,
    READER,
    REGION,
    TABLE,
    TODAY,
    VENDOR,
    allow,
    claim,
    consumer,
    deny,
    document,
    findings,
    only_row,
    reviewed,
    role,
    said,
    shared,
    stack,
    table,
    to,
    warnings,
)

VPCE = {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
READING = Role(account=CONSUMER, name="reader")
GET = Access.on_table("GetItem")
CLAIM = claim(READING, GET, reason="ADR-7")
SOMEBODY = {"kind": "identity", "account": {"Ref": "Whose"}, "principal_arn": {"Fn::ImportValue": "Role"}}


def before(day: str) -> dict[str, Any]:
    return {"DateLessThan": {"aws:CurrentTime": f"{day}T00:00:00Z"}}


def test_every_action_on_a_table_is_of_one_kind() -> None:
    of_kinds = [action.name for kind in KINDS for action in ACTIONS_OF[kind]]
    expected = {
        name
        for name, action in ACTIONS.items()
        if action.resources & {Resource.TABLE, Resource.STREAM}
        and action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
    }
    assert sorted(of_kinds) == sorted(expected)
    assert all(ACTIONS_OF.values())


@pytest.mark.parametrize(
    ("on_table", "own", "conditions"),
    [
        ({}, {}, ()),
        (VPCE, {}, ("only through vpce-1a2b3c4d",)),
        ({}, VPCE, ("only through vpce-1a2b3c4d",)),
        (VPCE, ORG, ("only through vpce-1a2b3c4d", "only in o-a1b2c3d4e5")),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:RequestedRegion": REGION}}, {}, ("only from vpc-1",)),
        (
            {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}},
            {},
            ("only from 192.0.2.0/24, 2001:db8::/32",),
        ),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {}, ("not from 192.0.2.0/24",)),
        ({"StringLike": {"aws:PrincipalTag/team": "blue"}}, {}, ("callers tagged team = blue",)),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {}, ("with MFA",)),
        ({"Bool": {"aws:SecureTransport": "true"}}, {}, ()),
        ({"ArnEquals": {"aws:PrincipalArn": READER}}, {}, ()),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}, {}, ("aws:MultiFactorAuthAge is less than 300",)),
        ({"Null": {"aws:SourceIdentity": "false"}}, {}, ("with aws:SourceIdentity",)),
        (
            {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "ProductCatalog-*"},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
            {},
            ("partition keys starting with ProductCatalog-",),
        ),
        (
            {
                "ForAllValues:StringEquals": {"dynamodb:Attributes": ["a", "b"]},
                "Null": {"dynamodb:Attributes": "false"},
                "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            },
            {},
            ("attributes a, b",),
        ),
        (
            {"StringEquals": {"aws:PrincipalTag/t": "${aws:SourceIdentity}"}},
            {},
            ("callers tagged t = ${aws:SourceIdentity}",),
        ),
    ],
)
def test_conditions_are_said_in_words(on_table: Any, own: Any, conditions: tuple[str, ...]) -> None:
    table_side, own_side = ({"Condition": each} if each else {} for each in (on_table, own))
    found = shared(to(READER, **table_side), allow(**own_side))
    assert said(found) == {"read": [conditions]}
    assert findings(found) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "only through vpce-1"),
        (
            {"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}, "BoolIfExists": {"aws:ViaAWSService": "false"}},
            "only from vpc-1 or through an AWS service",
        ),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, "with MFA"),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, "only from 192.0.2.0/24"),
    ],
)
@pytest.mark.parametrize("side", ["table", "consumer"])
def test_a_deny_is_said_as_what_it_leaves(condition: Any, words: str, side: str) -> None:
    restriction = deny(Condition=condition)
    on_table = [to(READER), *([{**restriction, "Principal": "*"}] if side == "table" else [])]
    own = [allow(), *([restriction] if side == "consumer" else [])]
    assert said(reviewed(stack(T=table(*on_table)), consumer(R=role(*own)))) == {"read": [(words,)]}


def test_a_deny_that_exempts_a_principal_says_nothing_about_it() -> None:
    restriction = deny(
        Principal="*",
        Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}, "ArnNotEquals": {"aws:PrincipalArn": READER}},
    )
    assert said(reviewed(stack(T=table(to(READER), restriction)), consumer(R=role(allow())))) == {"read": [()]}


TAG_RESTRICTION = deny(Principal="*", Condition={"StringNotEquals": {"aws:PrincipalTag/t": "x"}})
VPCE_RESTRICTION = deny(Principal="*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})
ORG_RESTRICTION = deny(Principal="*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        ([TAG_RESTRICTION], ("callers tagged t = x",)),
        ([ORG_RESTRICTION], ("only in o-a1b2c3d4e5",)),
        ([VPCE_RESTRICTION, TAG_RESTRICTION], ("only through vpce-1", "callers tagged t = x")),
        ([TAG_RESTRICTION, VPCE_RESTRICTION], ("callers tagged t = x", "only through vpce-1")),
    ],
)
def test_a_deny_that_exempts_a_caller_for_what_it_carries_is_said(
    restrictions: list[Any], words: tuple[str, ...]
) -> None:
    found = reviewed(stack(T=table(to(READER), *restrictions)), consumer(R=role(allow())))
    assert said(found) == {"read": [words]}
    assert cell(only_row(found), found.tables[0].table, "read") == "some*"


def test_what_a_request_had_to_carry_is_said_whoever_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tableguard.review.access._exempting", lambda *_: iter(()))
    found = reviewed(stack(T=table(to(READER), TAG_RESTRICTION)), consumer(R=role(allow())))
    assert said(found) == {"read": [("depending on aws:principaltag/t",)]}


def test_an_organization_that_is_allowed_is_not_told_to_be_in_itself_by_a_deny() -> None:
    found = reviewed(stack(T=table(allow(Principal="*", Condition=ORG), ORG_RESTRICTION)))
    assert said(found) == {"read": [("only in o-a1b2c3d4e5",)]}


def test_somebody_whom_no_template_makes_is_known_in_part() -> None:
    attached = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "x", "Roles": ["local"], "PolicyDocument": document(allow())},
    }
    found = reviewed(stack(T=table(), P=attached))
    row = only_row(found)
    assert cell(row, found.tables[0].table, "read") == "some?"
    assert not row.own_side
    (unknown,) = found.unknowns
    assert unknown.what == f"what a policy attached elsewhere allows role local of {OWNER}"
    assert unknown.place.logical_id == "P"
    made = reviewed(stack(T=table(), P=attached, R=role(name="local")))
    assert cell(only_row(made), made.tables[0].table, "read") == "some"
    assert made.unknowns == ()


@pytest.mark.parametrize(
    ("grant", "said_"),
    [
        ({"Principal": {"AWS": "AROAEXAMPLEID12345678"}}, "whom statement 1 lets in as AROAEXAMPLEID12345678"),
        ({"Principal": {"Federated": "accounts.google.com"}}, "whom statement 1 lets in as accounts.google.com"),
        (
            {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*:role/app-*"}}},
            "whom statement 1 lets in as *:role/app-*",
        ),
        (
            {"Principal": "*", "Condition": {"StringLike": {"aws:userid": "AROAEXAMPLEID12345678:*"}}},
            "whether statement 1 lets everybody in: no request was found that it allows",
        ),
        (
            {"Principal": "*", "Condition": {"StringEquals": {"aws:username": "bob"}}},
            "whether statement 1 lets everybody in: no request was found that it allows",
        ),
        (
            {"Principal": {"AWS": VENDOR}, "Resource": f"{TABLE}/index/gone"},
            f"whether statement 1 lets account {VENDOR} in: no request was found that it allows",
        ),
        ({"Principal": {"AWS": OWNER}}, None),
    ],
)
@pytest.mark.parametrize("where", ["policy", "stream"])
def test_an_allow_without_a_row_is_not_known(grant: Any, said_: str | None, where: str) -> None:
    # The first statement is about nobody that a row could tell of.
    action = "dynamodb:GetItem" if where == "policy" else "dynamodb:GetRecords"
    statements = [allow(action, Principal={"AWS": OWNER}), {**allow(action), **grant}]
    made = table(*statements) if where == "policy" else table(stream=statements)
    found = reviewed(stack(T=made))
    assert [each.what for each in found.unknowns] == ([said_] if said_ else [])
    assert all(each.place.logical_id == "T" for each in found.unknowns)


def test_an_allow_that_a_deny_takes_back_is_known() -> None:
    found = reviewed(stack(T=table(to(f"arn:aws:iam::{VENDOR}:role/x"), deny(Principal="*"))))
    assert found.tables[0].rows == ()
    assert found.unknowns == ()


MAYBE = {
    "Parameters": {"P": {"Type": "String"}},
    "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "a"]}, "Yes": {"Fn::Equals": ["a", "a"]}},
}


def perhaps(statement: Any, condition: str | None) -> dict[str, Any]:
    """A policy for the role `local`, which is made whatever holds."""
    properties = {"PolicyName": "x", "Roles": ["local"], "PolicyDocument": document(statement)}
    made: dict[str, Any] = {"Type": "AWS::IAM::Policy", "Properties": properties}
    return made if condition is None else {**made, "Condition": condition}


@pytest.mark.parametrize(("condition", "cell_"), [(None, "some"), ("Yes", "some"), ("C", "?")])
def test_an_allow_under_an_unknown_condition_is_unknown(condition: str | None, cell_: str) -> None:
    own = role(name="local")
    found = reviewed(stack(T=table(), R=own, P=perhaps(allow(), condition), template=MAYBE))
    assert cell(only_row(found), found.tables[0].table, "read") == cell_
    assert findings(found) == []


@pytest.mark.parametrize(("condition", "rows"), [(None, 0), ("Yes", 0), ("C", 1)])
def test_a_deny_under_an_unknown_condition_does_not_protect(condition: str | None, rows: int) -> None:
    own = role(allow(), name="local")
    found = reviewed(stack(T=table(), R=own, P=perhaps(deny(), condition), template=MAYBE))
    assert [cell(row, found.tables[0].table, "read") for row in found.tables[0].rows] == ["?"] * rows
    assert "not understood" not in findings(found)


def test_two_statements_are_two_ways_in() -> None:
    other = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    found = reviewed(stack(T=table(to(READER, Condition=VPCE), to(READER, Condition=other))), consumer(R=role(allow())))
    assert said(found) == {"read": [("only through vpce-1a2b3c4d",), ("only from 192.0.2.0/24",)]}


def test_conditions_of_both_sides_that_leave_something_are_found_to_meet() -> None:
    one = {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]}}
    other = {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.128/25"]}}
    access = only_row(shared(to(READER, Condition=one), allow(Condition=other))).accesses[0]
    assert access.verdict.request.context["aws:sourceip"] == "198.51.100.129"


def test_conditions_that_no_request_can_meet_let_nobody_in() -> None:
    # Through an endpoint a request has no public address.
    public = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    found = shared(to(READER, Condition=VPCE), allow(Condition=public))
    assert found.tables[0].rows == ()
    assert findings(found) == ["dangling"]


@pytest.mark.parametrize(
    ("condition", "status", "cell_", "left", "warned"),
    [
        (before("2027-02-01"), Status.ALLOWED, "some*", 71, []),
        (before("2026-12-22"), Status.ALLOWED, "some*", 30, ["ends soon"]),
        (before("2026-12-23"), Status.ALLOWED, "some*", 31, []),
        (before("2026-11-22"), Status.ALLOWED, "some*", 0, ["ends soon"]),
        (before("2026-11-21"), Status.OVER, "over", -1, ["is over"]),
        ({"DateGreaterThan": {"aws:CurrentTime": "2027-02-01T00:00:00Z"}}, Status.LATER, "later", None, []),
        ({"DateLessThan": {"aws:EpochTime": "1801440000"}}, Status.ALLOWED, "some*", 71, []),
    ],
)
def test_an_end_is_counted_in_days(
    condition: Any, status: Status, cell_: str, left: int | None, warned: list[str]
) -> None:
    found = shared(to(READER, Condition=condition), allow())
    row = only_row(found)
    assert row.accesses[0].status is status
    assert cell(row, found.tables[0].table, "read") == cell_
    assert as_json(found)["tables"][0]["principals"][0]["access"][0]["days_left"] == left
    assert warnings(found) == warned


def test_a_deny_can_be_an_end_as_well() -> None:
    ending = deny(Principal="*", Condition={"DateGreaterThanEquals": {"aws:CurrentTime": "2027-02-01T00:00:00Z"}})
    found = reviewed(stack(T=table(to(READER), ending)), consumer(R=role(allow())))
    assert "until 2027-01-31 (71 days left)" in as_text(found)


def test_the_last_of_several_ends_counts() -> None:
    days = [f"{day}T00:00:00Z" for day in ("2027-02-01", "2027-03-01", "2027-01-01")]
    found = shared(to(READER, Condition={"DateLessThan": {"aws:CurrentTime": days}}), allow())
    assert only_row(found).accesses[0].until == dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
    over = shared(to(READER, Condition={"DateLessThan": {"aws:CurrentTime": ["2026-01-01", "2027-03-01"]}}), allow())
    assert only_row(over).accesses[0].status is Status.ALLOWED


def test_the_first_of_several_starts_counts() -> None:
    days = ["2027-02-01T00:00:00Z", "2027-01-01T00:00:00Z"]
    found = shared(to(READER, Condition={"DateGreaterThan": {"aws:CurrentTime": days}}), allow())
    assert only_row(found).accesses[0].since == dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def test_the_first_of_several_ends_of_a_deny_counts() -> None:
    days = ["2027-03-01T00:00:00Z", "2027-02-01T00:00:00Z"]
    ending = deny(Principal="*", Condition={"DateGreaterThanEquals": {"aws:CurrentTime": days}})
    found = reviewed(stack(T=table(to(READER), ending)), consumer(R=role(allow())))
    assert only_row(found).accesses[0].until == dt.datetime(2027, 2, 1, tzinfo=dt.UTC)


def test_the_earliest_end_of_both_sides_counts() -> None:
    found = shared(to(READER, Condition=before("2027-03-01")), allow(Condition=before("2027-02-01")))
    assert only_row(found).accesses[0].until == dt.datetime(2027, 2, 1, tzinfo=dt.UTC)


CHOSEN = TABLE.replace("orders", "Data-TheOrdersOfTheShop-1A2B3C4D5E6F")


@pytest.mark.parametrize(
    ("own", "kinds", "unknown"),
    [
        # A table without a name keeps none; its consumer has to say the one that CloudFormation chose.
        ([allow(resource=CHOSEN)], [], "has a policy for: it may be {Data.TheOrdersOfTheShop}, which only a deploym"),
        ([allow(resource=CHOSEN.replace(OWNER, VENDOR))], ["dangling"], ""),
        ([allow(resource=CHOSEN.replace(REGION, "us-east-1"))], ["dangling"], "it stands in no template"),
        ([allow(resource=CHOSEN.replace("-The", "-An"))], ["dangling"], "it stands in no template"),
        ([deny(resource=CHOSEN)], ["dangling"], ""),
        ([], ["dangling"], ""),
    ],
)
def test_what_may_be_the_name_of_a_table_without_one_is_not_known(own: Any, kinds: list[str], unknown: str) -> None:
    there = table(to(READER, resource="*"))
    del there["Properties"]["TableName"]
    found = reviewed(stack(TheOrdersOfTheShop=there), consumer(R=role(*own)))
    assert findings(found) == kinds
    assert any(unknown in each.what for each in found.unknowns) or not unknown


@pytest.mark.parametrize(
    ("grant", "own", "kind", "words"),
    [
        (to(READER), [], "dangling", "its own policies do not"),
        (to(LOCAL), [allow()], "dangling", "the table's policy does not allow it"),
        (to(READER), [allow(), deny()], "dangling", "on both sides, but something denies it"),
        (to(READER), [allow(), allow("dynamodb:Query")], "dangling", "has a policy for Query on orders"),
        (
            to(READER, ["dynamodb:GetItem", "dynamodb:Query"]),
            [allow()],
            "dangling",
            "reader of 222233334444 Query, but",
        ),
        (to(f"{READER}s"), [allow()], "dangling", "Did you mean role reader of 222233334444?"),
        (to(READER), [allow(resource=TABLE.replace("orders", "order"))], "dangling", "Did you mean orders?"),
        (to(CONSUMER), [], "dangling", "nobody there has a policy for it"),
        (to(READER, Condition={"StringEqual": {"aws:x": "y"}}), [allow()], "not understood", "no condition operator"),
        (allow(Principal="*"), [allow()], "public", "allows everybody"),
        (allow(Principal="*", Condition=VPCE), [allow()], "public", "allows a network's callers"),
    ],
)
def test_what_is_wrong_is_a_finding(grant: Any, own: list[Any], kind: str, words: str) -> None:
    found = shared(grant, *own)
    assert any(f.kind.value == kind and words in f.message for f in found.findings), found.findings


@pytest.mark.parametrize(
    ("grant", "own"),
    [
        (to(READER), [allow()]),
        (to(CONSUMER), [allow()]),
        (to(CONSUMER, Condition={"ArnEquals": {"aws:PrincipalArn": READER}}), [allow()]),
        # Wildcards take in more than anybody means.
        (to(READER), [allow("dynamodb:*", "*")]),
        (to(READER, "dynamodb:*"), [allow()]),
        (to(READER), [allow("dynamodb:*")]),
        (to(READER), [allow(), allow("dynamodb:GetItem", f"arn:aws:dynamodb:*:{VENDOR}:table/theirs")]),
        (allow(Principal="*", Condition=ORG), [allow()]),
    ],
)
def test_what_is_right_is_no_finding(grant: Any, own: list[Any]) -> None:
    assert findings(shared(grant, *own)) == []


def test_the_side_of_the_key_can_be_missing() -> None:
    root = {"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(root)}}
    made = table(to(READER), SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}})
    found = reviewed(stack(T=made, Key=key), consumer(R=role(allow(), allow("kms:Decrypt", "*"))))
    assert [f.message for f in found.findings] == [
        (
            f"role reader of {CONSUMER} is granted GetItem on orders, but the policy of the table's key does not allow"
            " it kms:Decrypt."
        )
    ]


@pytest.mark.parametrize(
    ("claims", "grant", "words"),
    [
        ([CLAIM], to(READER), None),
        ([claim(READING, Access.READ)], to(READER), "the policies do not allow BatchGetItem"),
        ([{**CLAIM, "until": "2027-01-31"}], to(READER, Condition=before("2027-02-01")), None),
        (
            [{**CLAIM, "until": "2027-01-30"}],
            to(READER, Condition=before("2027-02-01")),
            "by the policies it ends 2027-01-31",
        ),
        ([{**CLAIM, "until": "2027-01-31"}], to(READER), "by the policies it ends never"),
        ([CLAIM], to(READER, Condition=before("2027-02-01")), "states that it ends never"),
        ([claim(READING, GET, conditions=[FromVpcEndpoint("vpce-1a2b3c4d")])], to(READER, Condition=VPCE), None),
        (
            [claim(Role(account=CONSUMER, name="other"), GET), CLAIM],
            to(READER),
            "the policies do not allow GetItem",
        ),
        ([claim(Account(VENDOR), GET)], to(READER), "has access that no grant in the metadata states"),
        ([{**CLAIM, "principal": SOMEBODY}, CLAIM], to(READER), None),
    ],
)
def test_metadata_that_disagrees_with_the_policies_is_a_finding(
    claims: list[Any], grant: Any, words: str | None
) -> None:
    found = shared(grant, allow(), metadata=claims)
    messages = [f.message for f in found.findings]
    assert (messages == []) if words is None else any(words in message for message in messages), messages
    assert set(findings(found)) <= {"metadata"}


@pytest.mark.parametrize(("grant", "agrees"), [(to(READER), True), (to(READER, "dynamodb:Query"), False)])
def test_a_key_that_stands_in_no_template_is_no_disagreement(grant: Any, agrees: bool) -> None:
    found = shared(grant, allow(), metadata=[CLAIM], SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": "gone"})
    assert any("states GetItem, but" in f.message for f in found.findings) is not agrees


def test_metadata_lets_nobody_in_and_says_why_somebody_is() -> None:
    found = reviewed(stack(T=table(metadata=[CLAIM])), consumer(R=role(allow())))
    assert found.tables[0].rows == ()
    assert only_row(shared(to(READER), allow(), metadata=[CLAIM])).reasons == ("ADR-7",)


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (to(VENDOR), {"external account", "whole account trusted"}),
        (to(f"arn:aws:iam::{VENDOR}:role/x"), {"external account"}),
        (allow(Principal="*", Condition=ORG), {"external account"}),
        (to(CONSUMER), {"whole account trusted"}),
        (to(READER), set()),
    ],
)
def test_what_deserves_a_look_is_a_warning(grant: Any, expected: set[str]) -> None:
    assert set(warnings(shared(grant, allow()))) == expected


def test_a_policy_near_its_limit_is_a_warning() -> None:
    long = to(READER, ["dynamodb:GetItem"], Sid="x" * 16_300)
    assert "close to a limit" in warnings(shared(long, allow()))
    assert "close to a limit" not in warnings(shared(to(READER, Sid="x" * 16_000), allow()))


@pytest.mark.parametrize(("accounts", "warned"), [(5, False), (6, True)])
def test_many_accounts_on_one_table_are_a_warning(accounts: int, warned: bool) -> None:
    grants = [to(f"arn:aws:iam::{number:012}:role/x") for number in range(accounts)]
    found = reviewed(stack(T=table(*grants)))
    assert ("concentration" in warnings(found)) is warned
    assert len(found.hanging[OWNER]) == accounts


def test_the_own_side_of_an_outsider_is_shown_as_unknown() -> None:
    found = shared(to(VENDOR), allow())
    row = next(row for row in found.tables[0].rows if row.external)
    assert row.accesses[0].status is Status.OPEN
    assert cell(row, found.tables[0].table, "read") == "some?"
    assert any(VENDOR in unknown.what for unknown in found.unknowns)


def test_an_unreadable_statement_makes_access_unknown_not_denied() -> None:
    found = shared(to(READER, Condition={"Nonsense": {"aws:x": "y"}}), allow())
    assert cell(only_row(found), found.tables[0].table, "read") == "?"


def test_what_is_not_known_of_a_kind_is_one_entry() -> None:
    found = shared(to(READER, "dynamodb:*", Condition={"Nonsense": {"aws:x": "y"}}), allow("dynamodb:*"))
    entries = [access for access in only_row(found).accesses if access.status is Status.UNKNOWN]
    assert [(each.kind, len(each.actions)) for each in entries] == [
        (kind, len({action for each in entries if each.kind == kind for action in each.actions}))
        for kind in dict.fromkeys(each.kind for each in entries)
    ]
    assert {"dynamodb:GetItem", "dynamodb:Query"} < set(entries[0].actions)


def test_a_value_that_is_unknown_yet_is_no_finding() -> None:
    found = shared(allow(Principal={"AWS": {"Ref": "P"}}), allow())
    assert findings(found) == []
    assert cell(only_row(found), found.tables[0].table, "read") == "?"
    assert found.unknowns


def test_what_aws_manages_is_named_unless_it_is_about_neither_tables_nor_keys() -> None:
    arns = [
        f"arn:aws:iam::aws:policy/{name}"
        for name in ("AmazonDynamoDBFullAccess", "service-role/AWSLambdaBasicExecutionRole")
    ]
    found = reviewed(stack(T=table(), L=role(name="local", ManagedPolicyArns=arns)))
    assert [unknown.what for unknown in found.unknowns] == [f"what {arns[0]} allows role local of {OWNER}"]


def test_a_service_and_a_permission_set_have_rows_of_their_own() -> None:
    pattern = f"arn:aws:iam::{CONSUMER}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_{'?' * 16}"
    service = allow("dynamodb:ReadDataForReplication", Principal={"Service": "replication.dynamodb.amazonaws.com"})
    people = to(CONSUMER, Condition={"ArnLike": {"aws:PrincipalArn": pattern}})
    found = reviewed(stack(T=table(service, people)))
    labels = {row.subject.label: row.accesses[0].status for row in found.tables[0].rows}
    assert labels == {
        "replication.dynamodb.amazonaws.com": Status.ALLOWED,
        f"permission set Ops of {CONSUMER}": Status.OPEN,
    }


def test_what_works_only_inside_the_account_is_not_shown_for_others() -> None:
    everything = allow("dynamodb:*", "*")
    found = reviewed(
        stack(
            T=table(to(READER, "dynamodb:*", Resource="*"), StreamSpecification={}), L=role(everything, name="local")
        ),
        consumer(R=role(everything)),
    )
    by_label = {row.subject.label: {access.kind for access in row.accesses} for row in found.tables[0].rows}
    assert by_label[f"role local of {OWNER}"] == set(KINDS)
    assert "policy" not in by_label[f"role reader of {CONSUMER}"]


def test_whatever_the_matrix_allows_is_allowed_for_the_request_it_shows() -> None:
    restriction = deny(Principal="*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})
    found = reviewed(
        stack(T=table(to(READER, ["dynamodb:Get*", "dynamodb:PutItem"]), restriction)),
        consumer(R=role(allow("dynamodb:*"))),
    )
    accesses = [access for table_ in found.tables for row in table_.rows for access in row.accesses]
    assert {access.kind for access in accesses} == {"read", "write"}
    for access in accesses:
        assert evaluate(access.verdict.request, access.verdict.policies).allowed
        assert access.verdict.request.context["aws:sourcevpce"] == "vpce-1"


def test_all_formats_say_the_same() -> None:
    found = shared(to(READER, Condition=VPCE), allow(), metadata=[CLAIM])
    for text in (as_text(found), as_markdown(found), json.dumps(as_json(found))):
        for word in ("orders", "GetItem", "only through vpce-1a2b3c4d", "ADR-7"):
            assert word in text


@pytest.mark.parametrize("width", [40, 50, 59, 60, 80, 120, 200])
def test_text_keeps_to_the_width(width: int) -> None:
    found = shared(
        to(READER, Condition={"StringEquals": {"aws:SourceVpce": [f"vpce-{n}" for n in range(30)]}}), allow()
    )
    assert max(map(len, as_text(found, width=width).splitlines())) <= width


def test_colour_is_only_used_when_asked_for() -> None:
    found = shared(to(READER))
    assert "\033[" in as_text(found, color=True)
    assert "\033[" not in as_text(found)


def test_what_templates_say_cannot_break_markdown() -> None:
    evil = {**CLAIM, "reason": "x | <img src=x> ](http://evil.example) `a`\n# head"}
    text = as_markdown(shared(to(READER), allow(), metadata=[evil]))
    assert "<img" not in text
    assert "\\](http" in text
    assert "\n# head" not in text


def test_an_assembly_without_tables_is_fine() -> None:
    found = reviewed(stack())
    assert (found.tables, found.findings) == ((), ())
    assert as_text(found).startswith("0 tables")
    assert as_json(found)["today"] == TODAY.isoformat()


def test_a_request_without_partition_keys_never_meets_a_condition_on_them() -> None:
    keys = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "a"}, "Null": {"dynamodb:LeadingKeys": "false"}}
    assert only_row(shared(to(READER, "dynamodb:GetItem", Condition=keys), allow())).accesses
    assert shared(to(READER, "dynamodb:Scan", Condition=keys), allow("dynamodb:Scan")).tables[0].rows == ()


def test_a_grant_to_others_of_an_account_is_not_the_side_that_somebody_lacks() -> None:
    other = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:role/other-*"}}
    messages = [f.message for f in shared(to(CONSUMER, Condition=other), allow()).findings]
    assert len(messages) == 1
    assert "the table's policy does not allow it" in messages[0]


def test_a_stated_grant_whose_consumer_is_missing_is_dangling_and_no_false_claim() -> None:
    assert findings(shared(to(READER), metadata=[CLAIM])) == ["dangling"]
