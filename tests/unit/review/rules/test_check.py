"""Trying rules: what is not understood or not known counts against them, and nothing is left out in silence."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tableguard.evaluation import DocumentLocation
from tableguard.policy import Access, Account, InvalidInputError, Role
from tableguard.review.picture import Identity, Key, Picture
from tableguard.review.rules import EveryGrantEnds, KeepsAccess, NobodyCan, OnlyAccounts, Question, check
from tableguard.review.rules.scene import Scene
from tableguard.review.unknown import Unknown, UnknownKind
from tests.unit.review.rules.support import (
    AT_TABLE,
    OWNER,
    READER,
    TABLE,
    TODAY,
    VENDOR,
    allow,
    deny,
    document,
    own,
    picture,
    role,
    tried,
)

READING = Access.on_table("GetItem")
NOBODY = NobodyCan(access=READING, except_=[Account(OWNER)])
UNKNOWN = {"Ref": "Unknown"}


class TestUnderstanding:
    def test_an_allow_that_is_not_understood_counts_as_allowing(self) -> None:
        on = picture(allow(READER, Condition={"StringEquals": {"aws:PrincipalTag/team": UNKNOWN}}))

        failures = tried(NOBODY, on).failures

        assert failures
        assert "might be able to" in failures[0].what
        assert "cannot be understood" in failures[0].what

    def test_a_deny_that_is_not_understood_does_not_protect(self) -> None:
        unclear = deny("dynamodb:GetItem", StringNotEquals={"aws:SourceVpce": UNKNOWN})

        assert not tried(NOBODY, picture(allow(READER), unclear)).holds

    def test_one_that_is_understood_protects(self) -> None:
        assert tried(NOBODY, picture(allow(READER), deny("dynamodb:GetItem"))).holds

    def test_a_statement_that_is_not_understood_but_about_something_else_does_no_harm(self) -> None:
        on = picture(allow(READER, "dynamodb:PutItem", Condition={"StringEquals": {"aws:PrincipalTag/team": UNKNOWN}}))

        assert tried(NOBODY, on).holds

    def test_a_key_that_nobody_else_may_use_protects(self) -> None:
        key = Key(arn=f"arn:aws:kms:us-east-1:{OWNER}:key/1", account=OWNER, policy=document())
        base = picture(allow(READER))
        locked = replace(base, tables=(replace(base.tables[0], key_arn=key.arn),), keys=(key,))

        assert not tried(NOBODY, base).holds
        assert tried(NOBODY, locked).holds


class TestWhatIsNotKnown:
    LEFT_OUT = Unknown(DocumentLocation(stack="Other"), UnknownKind.STACK_LEFT_OUT)
    MACRO = Unknown(DocumentLocation(stack="Data", path="Transform"), UnknownKind.MACRO)
    VALUE = Unknown(AT_TABLE, UnknownKind.POLICY_VALUE, ("Ref Someone",))

    @pytest.mark.parametrize("unknown", [LEFT_OUT, MACRO])
    def test_stacks_that_could_not_be_read_fail_a_rule_about_every_table(self, unknown: Unknown) -> None:
        (failure,) = tried(NOBODY, picture(unknowns=(unknown,))).failures

        assert failure.what.startswith("Not known:")
        assert unknown.what in failure.what

    def test_a_rule_about_one_table_only_needs_its_stack(self) -> None:
        rule = replace(NOBODY, tables=("orders",))

        assert tried(rule, picture(unknowns=(self.LEFT_OUT,))).holds
        assert not tried(rule, picture(unknowns=(self.MACRO,))).holds

    def test_values_count_where_a_request_gets_to_them(self) -> None:
        assert tried(NOBODY, picture(unknowns=(self.VALUE,))).holds

    def test_access_that_is_kept_is_kept(self) -> None:
        rule = KeepsAccess(principals=[Role(account=READER, name="reader")], access=READING)
        on = picture(allow(READER), identities=(role(READER, "reader", own()),), unknowns=(self.LEFT_OUT,))

        assert tried(rule, on).holds


class TestNothingIsLeftOutInSilence:
    def test_a_picture_without_tables_fails(self) -> None:
        (failure,) = tried(NOBODY, Picture()).failures

        assert failure.what == "Nothing was tried for any table at all: no template makes it"

    def test_a_rule_that_asks_nothing_fails(self) -> None:
        class AsksNothing(NobodyCan):
            def questions(self, scene: Scene) -> Iterator[Question]:
                return iter(())

        (failure,) = tried(AsksNothing(access=READING), picture()).failures

        assert failure.what == "Nothing was tried: everybody is excepted"

    def test_more_requests_than_allowed_fail(self) -> None:
        results = check(picture(), [NOBODY], TODAY, most_requests=10)

        assert results.tried == {"nobody-can": 10}
        assert "stopped after 10 requests" in results.failures[0].what

    def test_more_circumstances_than_are_tried_fail(self) -> None:
        many = [
            allow(READER, "dynamodb:GetItem", Condition={"StringEquals": {"aws:SourceVpce": f"vpce-{number:08}"}})
            for number in range(300)
        ]

        failures = tried(OnlyAccounts(accounts=[READER]), picture(*many)).failures

        assert [failure for failure in failures if "more circumstances than are tried" in failure.what]

    def test_a_limit_that_is_not_reached_is_not_mentioned(self) -> None:
        assert check(picture(), [NOBODY], TODAY, most_requests=100_000).holds


def test_two_rules_need_two_ids() -> None:
    with pytest.raises(InvalidInputError, match="nobody-can"):
        check(picture(), [NOBODY, NOBODY], TODAY)

    assert len(check(picture(), [NOBODY, replace(NOBODY, id="nobody-else")], TODAY).tried) == 2


def test_requests_that_the_same_statement_decides_are_one_failure() -> None:
    (failure,) = tried(NOBODY, picture(allow(VENDOR))).failures

    assert failure.requests > 1
    assert len(failure.principals) > 1


def test_results_say_tried_and_how_often() -> None:
    results = check(picture(allow(VENDOR)), [NOBODY, EveryGrantEnds()], TODAY)

    assert results.summary == f"2 rules tried with {sum(results.tried.values()):,} requests: 2 do not hold"
    assert "prove" not in results.summary


def test_a_boundary_that_the_picture_knows_binds_a_role_of_another_account() -> None:
    def bounded(*statements: dict[str, object]) -> Identity:
        return replace(role(VENDOR, "worker"), boundary=(document(*statements),))

    rule = OnlyAccounts(accounts=[], access=READING)
    granted = allow(f"arn:aws:iam::{VENDOR}:role/worker")

    def found(identity: Identity) -> list[str]:
        failures = tried(rule, picture(granted, identities=(identity,))).failures
        return [principal for failure in failures for principal in failure.principals]

    assert found(bounded(own("dynamodb:*"))) == [f"arn:aws:iam::{VENDOR}:role/worker"]
    assert found(bounded(own("s3:*"))) == []


def test_grants_are_compared_with_the_day_that_is_given() -> None:
    until = allow(READER, Condition={"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}})

    assert not tried(NOBODY, picture(until), dt.date(2026, 12, 31)).holds
    assert tried(NOBODY, picture(until), dt.date(2027, 1, 1)).holds


def test_failures_name_a_table_by_its_arn() -> None:
    assert TABLE in tried(NOBODY, picture(allow(READER))).failures[0].what


def test_a_role_that_no_template_makes_may_have_more_policies_than_the_templates_show() -> None:
    rule = NobodyCan(access=READING, except_=[Account(READER)])
    made = role(OWNER, "app", own("s3:*"))

    def found(identity: Identity) -> list[str]:
        failures = tried(rule, picture(identities=(identity,))).failures
        return [principal for failure in failures for principal in failure.principals]

    assert made.arn not in found(made)
    assert made.arn in found(replace(made, in_assembly=False))


class TestUnknownsBelowResources:
    @pytest.mark.parametrize("path", ["Resources/Orders/Properties/Replicas", "Resources/Members/Properties/Users"])
    def test_fail_rules_that_want_refusals(self, path: str) -> None:
        at = DocumentLocation(stack="Data", logical_id=path.split("/")[1], path=path)
        unknown = Unknown(at, UnknownKind.VALUE, ("it",))

        (failure,) = tried(NOBODY, picture(unknowns=(unknown,))).failures

        assert "it is known at deployment only" in failure.what

    # Whether one of them fails a rule: the place in the template and the words say nothing of that, the kind does.
    @pytest.mark.parametrize("kind", UnknownKind)
    def test_each_kind_fails_a_rule_or_does_not(self, kind: UnknownKind) -> None:
        at = DocumentLocation(stack="Data", logical_id="X", path="Resources/X/Properties/PermissionsBoundary")
        unknown = Unknown(at, kind, ("a value in a policy",) * kind.words.count("{}"))

        assert tried(NOBODY, picture(unknowns=(unknown,))).holds is (kind in FAILS_NO_RULE)


def test_each_kind_of_what_is_not_known_has_words_of_its_own() -> None:
    assert len({kind.value for kind in UnknownKind}) == len(UnknownKind.__members__)
    assert all(kind.words.strip() for kind in UnknownKind)


FAILS_NO_RULE = {
    UnknownKind.POLICY_VALUE,
    UnknownKind.POLICY_ENTRY,
    UnknownKind.BOUNDARY,
    UnknownKind.BOUNDARY_ELSEWHERE,
    UnknownKind.ENDPOINT_SERVICE,
    UnknownKind.TABLE_KEY,
    UnknownKind.TARGETS,
    UnknownKind.TARGET_ACCOUNTS,
    UnknownKind.TARGET_ENTRY,
    UnknownKind.METADATA,
    UnknownKind.METADATA_OLDER,
    UnknownKind.METADATA_NEWER,
}
"""What a request tells of that is tried, what only limits, and what nothing rests on: a change of it has to show."""


class TestKeptAccess:
    RULE = KeepsAccess(principals=[Role(account=READER, name="reader")], access=READING)
    PERHAPS = Unknown(
        DocumentLocation(stack="Reader", logical_id="Policy", path="Resources/Policy"), UnknownKind.CONDITION
    )

    def test_is_not_known_where_the_only_policy_that_allows_may_not_be_made(self) -> None:
        on = picture(allow(READER), identities=(role(READER, "reader", own()),), unknowns=(self.PERHAPS,))

        (failure,) = tried(self.RULE, on).failures

        assert "whether its condition holds" in failure.what

    def test_is_known_where_another_one_allows_as_well(self) -> None:
        one = role(READER, "reader", own())
        both = replace(one, documents=(*one.documents, document(own(), place=replace(AT_TABLE, stack="Reader"))))

        assert tried(self.RULE, picture(allow(READER), identities=(both,), unknowns=(self.PERHAPS,))).holds

    def test_is_asked_for_without_a_detour_through_a_service(self) -> None:
        restriction = deny("dynamodb:GetItem", Bool={"aws:ViaAWSService": "false"})
        on = picture(allow(READER), restriction, identities=(role(READER, "reader", own()),))

        assert not tried(self.RULE, on).holds


@pytest.mark.parametrize(
    "second",
    [
        deny("dynamodb:GetItem", StringNotEquals={"aws:PrincipalTag/t": "x"}),
        deny("dynamodb:GetItem", BoolIfExists={"aws:MultiFactorAuthPresent": "false"}),
    ],
)
def test_denies_with_an_exemption_each_are_got_round_together(second: dict[str, object]) -> None:
    first = deny("dynamodb:GetItem", StringNotEquals={"aws:SourceVpce": "vpce-1"})
    third = deny("dynamodb:GetItem", StringNotEquals={"aws:RequestTag/u": "y"})

    assert not tried(NOBODY, picture(allow(READER), first, second)).holds
    assert not tried(NOBODY, picture(allow(READER), first, second, third)).holds
    assert tried(NOBODY, picture(allow(READER), first, second, deny("dynamodb:GetItem"))).holds


class TestTimes:
    @pytest.mark.parametrize(
        "condition",
        [
            {"DateGreaterThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}},
            {"DateEquals": {"aws:CurrentTime": "2028-12-01T00:00:00Z"}},
            {"NumericGreaterThanEquals": {"aws:EpochTime": "1900000000"}},
            {
                "DateGreaterThan": {"aws:CurrentTime": "2027-12-01T00:00:00Z"},
                "DateLessThan": {"aws:CurrentTime": "2027-12-01T01:00:00Z"},
            },
        ],
    )
    def test_a_grant_that_begins_later_is_asked_for(self, condition: dict[str, dict[str, str]]) -> None:
        assert not tried(NOBODY, picture(allow(READER, Condition=condition))).holds

    def test_a_deny_that_ends_protects_until_then(self) -> None:
        until = {"aws:CurrentTime": "2026-12-01T00:00:00Z"}

        (failure,) = tried(NOBODY, picture(allow(READER), deny("dynamodb:GetItem", DateLessThan=until))).failures

        assert "asked for 2026-12-01" in failure.what

    def test_one_that_begins_later_and_never_ends_does_not_end_in_time(self) -> None:
        begins = {"DateGreaterThan": {"aws:CurrentTime": "2028-01-01T00:00:00Z"}}
        ends = {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}

        assert not tried(EveryGrantEnds(), picture(allow(READER, Condition=begins))).holds
        assert tried(EveryGrantEnds(), picture(allow(READER, Condition=ends))).holds
