"""Only from these networks, ends in time, kept, and nobody at all."""

import datetime as dt

import pytest

from tableguard.policy import (
    Access,
    Account,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    InvalidInputError,
    PermissionSet,
    Role,
    TableReference,
    User,
)
from tableguard.review.rules import EveryGrantEnds, KeepsAccess, NobodyCan, OnlyFrom, Rule
from tests.unit.review.rules.support import (
    OWNER,
    READER,
    TABLE,
    VENDOR,
    allow,
    deny,
    own,
    picture,
    role,
    tried,
)

ENDPOINT = "vpce-1a2b3c4d"
READING = Access.on_table("GetItem")
RESTRICTED = deny(
    "dynamodb:GetItem",
    StringNotEquals={"aws:SourceVpce": ENDPOINT},
    BoolIfExists={"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false"},
)
INSIDE = OnlyFrom(places=[FromVpcEndpoint(ENDPOINT)], access=READING)


class TestOnlyFrom:
    def test_holds_behind_a_deny_for_everybody_from_elsewhere(self) -> None:
        assert tried(INSIDE, picture(allow(READER), RESTRICTED)).holds

    def test_fails_without_a_deny_on_the_own_accounts_administrators(self) -> None:
        granted = allow(READER, Condition={"StringEquals": {"aws:SourceVpce": ENDPOINT}})

        failures = tried(INSIDE, picture(granted)).failures

        assert {principal.split(":")[4] for failure in failures for principal in failure.principals} == {OWNER}

    def test_a_grant_that_names_the_endpoint_is_enough_for_other_accounts(self) -> None:
        granted = allow(READER, Condition={"StringEquals": {"aws:SourceVpce": ENDPOINT}})
        rule = OnlyFrom(places=[FromVpcEndpoint(ENDPOINT)], access=READING, except_=[Account(OWNER)])

        assert tried(rule, picture(granted)).holds
        assert not tried(rule, picture(allow(READER))).holds

    def test_a_request_through_another_endpoint_is_from_outside(self) -> None:
        internet_only = deny("dynamodb:GetItem", Null={"aws:SourceVpce": "true"})

        failures = tried(INSIDE, picture(allow(READER), internet_only)).failures

        assert failures
        assert "aws:sourcevpce=vpce-00000000000000bad" in failures[0].what

    def test_an_exemption_by_tag_is_a_way_around(self) -> None:
        exempt = deny(
            "dynamodb:GetItem",
            StringNotEquals={"aws:SourceVpce": ENDPOINT, "aws:PrincipalTag/break-glass": "yes"},
        )

        failures = tried(INSIDE, picture(allow(READER), exempt)).failures

        assert any("aws:principaltag/break-glass=yes" in failure.what for failure in failures)

    def test_an_exempt_role_fails_unless_the_rule_excepts_it(self) -> None:
        deployer = f"arn:aws:iam::{OWNER}:role/deployer"
        exempt = {
            **RESTRICTED,
            "Condition": {**RESTRICTED["Condition"], "ArnNotEquals": {"aws:PrincipalArn": deployer}},
        }
        but_deployer = OnlyFrom(
            places=[FromVpcEndpoint(ENDPOINT)], access=READING, except_=[Role(account=OWNER, name="deployer")]
        )

        failures = tried(INSIDE, picture(exempt)).failures

        assert {principal for failure in failures for principal in failure.principals} == {deployer}
        assert tried(but_deployer, picture(exempt)).holds

    def test_services_on_a_callers_behalf_are_tried_on_demand(self) -> None:
        strict = OnlyFrom(places=[FromVpcEndpoint(ENDPOINT)], access=READING, through_services=False)

        failures = tried(strict, picture(allow(READER), RESTRICTED)).failures

        assert any("aws:viaawsservice=true" in failure.what for failure in failures)

    @pytest.mark.parametrize(
        ("place", "condition"),
        [
            (FromNetwork("192.0.2.0/24"), {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
            (FromVpc("vpc-1a2b3c4d", region="us-east-1"), {"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}}),
        ],
    )
    def test_networks_and_vpcs_are_places_too(
        self, place: FromNetwork | FromVpc, condition: dict[str, dict[str, str]]
    ) -> None:
        rule = OnlyFrom(places=[place], access=READING)

        assert tried(rule, picture(allow(READER), deny("dynamodb:GetItem", **condition))).holds
        assert not tried(rule, picture(allow(READER), deny("dynamodb:Scan", **condition))).holds

    def test_it_needs_a_place(self) -> None:
        with pytest.raises(InvalidInputError, match="at least one"):
            OnlyFrom(places=[])


class TestEveryGrantEnds:
    RULE = EveryGrantEnds(within=dt.timedelta(days=365))

    def grant(self, end: str) -> dict[str, object]:
        return allow(VENDOR, Condition={"DateLessThan": {"aws:CurrentTime": end}})

    def test_holds_for_a_grant_that_ends_within_the_year(self) -> None:
        assert tried(self.RULE, picture(self.grant("2027-11-20T00:00:00Z"))).holds

    def test_fails_for_one_that_ends_later(self) -> None:
        (failure,) = tried(self.RULE, picture(self.grant("2028-01-01T00:00:00Z"))).failures

        assert "asked for 2027-11-22" in failure.what

    def test_fails_for_one_without_an_end(self) -> None:
        assert not tried(self.RULE, picture(allow(VENDOR))).holds

    def test_the_day_of_the_check_counts(self) -> None:
        on = picture(self.grant("2028-01-01T00:00:00Z"))

        assert tried(self.RULE, on, dt.date(2027, 6, 1)).holds

    def test_our_own_accounts_may_be_excepted(self) -> None:
        rule = EveryGrantEnds(except_=[Account(VENDOR)])

        assert tried(rule, picture(allow(VENDOR))).holds
        assert not tried(rule, picture(allow(VENDOR), allow(READER))).holds

    def test_the_tables_own_account_needs_no_end(self) -> None:
        assert tried(self.RULE, picture(allow(f"arn:aws:iam::{OWNER}:role/worker"))).holds

    def test_time_has_to_be_positive(self) -> None:
        with pytest.raises(InvalidInputError, match="positive"):
            EveryGrantEnds(within=dt.timedelta())


class TestKeepsAccess:
    READER_ROLE = Role(account=READER, name="reader")
    RULE = KeepsAccess(principals=[READER_ROLE], access=READING)

    def test_holds_when_both_sides_allow(self) -> None:
        results = tried(self.RULE, picture(allow(READER), identities=(role(READER, "reader", own()),)))

        assert results.holds
        assert results.tried == {"keeps-access": 1}

    @pytest.mark.parametrize(
        ("statements", "identities", "said"),
        [
            ([], (role(READER, "reader", own()),), "resource policy: no statement allows dynamodb:GetItem"),
            ([allow(READER)], (role(READER, "reader"),), "identity policies: no statement allows dynamodb:GetItem"),
            ([allow(READER)], (), "it is in no template"),
            (
                [allow(READER), deny("dynamodb:GetItem")],
                (role(READER, "reader", own()),),
                "denied by statement 'Restriction'",
            ),
        ],
    )
    def test_fails_when_one_side_is_missing_or_denies(
        self, statements: list[dict[str, object]], identities: tuple[object, ...], said: str
    ) -> None:
        (failure,) = tried(self.RULE, picture(*statements, identities=identities)).failures  # type: ignore[arg-type]

        assert said in failure.what
        assert failure.principals == (f"arn:aws:iam::{READER}:role/reader",)

    def test_the_circumstances_may_be_said(self) -> None:
        on = picture(
            allow(READER, Condition={"StringEquals": {"aws:SourceVpce": ENDPOINT}}),
            identities=(role(READER, "reader", own()),),
        )
        inside = KeepsAccess(principals=[self.READER_ROLE], access=READING, context={"aws:SourceVpce": ENDPOINT})

        assert tried(inside, on).holds
        assert not tried(self.RULE, on).holds

    @pytest.mark.parametrize("principal", [Account(READER), PermissionSet(account=READER, name="Data")])
    def test_only_somebody_who_makes_requests_can_keep_access(self, principal: Account) -> None:
        with pytest.raises(InvalidInputError, match="a Role, a User or a session"):
            KeepsAccess(principals=[principal], access=READING)


class TestNobodyCan:
    RULE = NobodyCan(access=Access.on_table("DeleteTable"))

    def test_holds_behind_a_deny(self) -> None:
        assert tried(self.RULE, picture(deny("dynamodb:DeleteTable"))).holds

    def test_fails_on_the_own_accounts_administrators(self) -> None:
        failures = tried(self.RULE, picture()).failures

        principals = {principal for failure in failures for principal in failure.principals}
        assert f"arn:aws:iam::{OWNER}:root" in principals
        assert any("AWSReservedSSO_" in principal for principal in principals)
        assert any("break-glass" in principal for principal in principals)

    def test_the_own_account_may_be_excepted(self) -> None:
        rule = NobodyCan(access=Access.on_table("DeleteTable"), except_=[Account(OWNER)])

        assert tried(rule, picture()).holds
        assert not tried(rule, picture(allow(READER, "dynamodb:*"))).holds

    def test_roles_of_the_own_account_have_the_policies_that_the_templates_show(self) -> None:
        rule = NobodyCan(access=READING, except_=[Account(READER)])
        restriction = deny("dynamodb:GetItem", StringNotLike={"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/known*"})

        assert tried(
            rule, picture(restriction, identities=(role(OWNER, "known", own("s3:GetObject")),))
        ).failures == tuple(
            failure
            for failure in tried(rule, picture(restriction)).failures
            if f"arn:aws:iam::{OWNER}:role/known" not in failure.principals
        )

    def test_a_role_with_a_policy_that_no_template_shows_might_do_anything(self) -> None:
        restriction = deny(
            "dynamodb:DeleteTable", ArnNotEquals={"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/known"}
        )
        read = role(OWNER, "known", own("s3:GetObject"))
        unread = role(OWNER, "known", own("s3:GetObject"), unread=("arn:aws:iam::aws:policy/PowerUserAccess",))

        assert tried(self.RULE, picture(restriction, identities=(read,))).holds
        assert not tried(self.RULE, picture(restriction, identities=(unread,))).holds


class TestTables:
    REFERENCE = TableReference(account=OWNER, region="us-east-1", name="orders")

    @pytest.mark.parametrize("table", [REFERENCE, TABLE, "orders"])
    def test_a_rule_may_name_its_tables(self, table: TableReference | str) -> None:
        assert not tried(NobodyCan(access=READING, tables=[table]), picture()).holds

    def test_a_table_that_no_template_makes_fails(self) -> None:
        (failure,) = tried(NobodyCan(access=READING, tables=["order"]), picture()).failures

        assert failure.what == "Nothing was tried for order: no template makes it"


@pytest.mark.parametrize("rule_id", ["", "two words", "a::b", "ä", "-"])
def test_an_id_is_made_of_words(rule_id: str) -> None:
    if rule_id == "":
        assert NobodyCan(access=READING, id=rule_id).id == "nobody-can"
        return
    with pytest.raises(InvalidInputError, match="the id of a rule"):
        NobodyCan(access=READING, id=rule_id)


@pytest.mark.parametrize(
    "rule",
    [
        INSIDE,
        TestEveryGrantEnds.RULE,
        TestKeepsAccess.RULE,
        TestNobodyCan.RULE,
        NobodyCan(access=READING, except_=[User(account=OWNER, name="ada")]),
    ],
)
def test_every_rule_says_what_it_means(rule: Rule) -> None:
    assert len(rule.description.split()) > 4
