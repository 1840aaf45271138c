"""Who may assume a break-glass role: decisions over the synthesized trust policy."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
import pytest

import tableguard as tg
from tableguard.evaluation import ContextValue
from tests.unit.organization.support import (
    ANN,
    BOB,
    EMERGENCY,
    NOON,
    PEOPLE,
    ROLE_ARN,
    SIGN_IN,
    STRANGER,
    USERS,
    Emergency,
    break_glass,
    sso_role,
)
from tests.unit.tables.support import OWNER, app, stack

ANN_ARN: Final = ANN.arn("aws")
BOB_ARN: Final = BOB.arn("aws")
SIGNED_IN: Final[Mapping[str, ContextValue]] = {
    "aws:MultiFactorAuthPresent": "true",
    "aws:MultiFactorAuthAge": "60",
    "sts:RoleSessionName": "ann",
}
BOBS: Final = {**SIGNED_IN, "sts:RoleSessionName": "bob"}


@pytest.fixture(scope="module")
def emergency() -> Emergency:
    return Emergency.of(break_glass())


def without(context: Mapping[str, ContextValue], key: str) -> dict[str, ContextValue]:
    return {name: value for name, value in context.items() if name != key}


class TestUsersWithMfa:
    @pytest.mark.parametrize(("caller", "context"), [(ANN_ARN, SIGNED_IN), (BOB_ARN, BOBS)], ids=["ann", "bob"])
    def test_get_in_once_they_signed_in_a_moment_ago(
        self, emergency: Emergency, caller: str, context: Mapping[str, ContextValue]
    ) -> None:
        assert emergency.admits(caller, context)

    @pytest.mark.parametrize("absent", SIGNED_IN)
    def test_are_refused_when_a_condition_key_is_absent(self, emergency: Emergency, absent: str) -> None:
        assert not emergency.admits(ANN_ARN, without(SIGNED_IN, absent))

    def test_are_refused_when_all_condition_keys_are_absent(self, emergency: Emergency) -> None:
        assert not emergency.admits(ANN_ARN, {}, time=None)

    @pytest.mark.parametrize(
        ("changed", "admitted"),
        [
            ({"aws:MultiFactorAuthPresent": "false"}, False),
            ({"aws:MultiFactorAuthAge": "899"}, True),
            ({"aws:MultiFactorAuthAge": "900"}, False),
            ({"aws:MultiFactorAuthAge": "86400"}, False),
            ({"sts:RoleSessionName": "bob"}, False),
            ({"sts:SourceIdentity": "ann"}, True),
        ],
        ids=str,
    )
    def test_are_asked_for_fresh_mfa_and_their_own_name(
        self, emergency: Emergency, changed: Mapping[str, ContextValue], admitted: bool
    ) -> None:
        assert emergency.admits(ANN_ARN, {**SIGNED_IN, **changed}) is admitted

    @pytest.mark.parametrize(
        "caller",
        [
            f"arn:aws:iam::{PEOPLE}:user/eve",
            f"arn:aws:iam::{PEOPLE}:user/bob",
            f"arn:aws:iam::{STRANGER}:user/ann",
            f"arn:aws:iam::{OWNER}:user/ann",
            f"arn:aws:iam::{PEOPLE}:role/ann",
            f"arn:aws:iam::{PEOPLE}:root",
            f"arn:aws:sts::{PEOPLE}:federated-user/ann",
            "lambda.amazonaws.com",
            "anonymous",
        ],
    )
    def test_are_named_one_by_one(self, emergency: Emergency, caller: str) -> None:
        assert not emergency.admits(caller, SIGNED_IN)

    def test_need_a_policy_of_their_own_which_the_role_says(self, emergency: Emergency) -> None:
        role = break_glass()
        stated = Emergency.of(role)
        policy = cdk.Stack.of(role).resolve(role.caller_policy)
        policy["Statement"][0]["Resource"] = ROLE_ARN
        assert stated.admits(ANN_ARN, SIGNED_IN, identity=policy)
        assert not stated.admits(ANN_ARN, SIGNED_IN, identity={"Version": "2012-10-17", "Statement": []})

    @pytest.mark.parametrize(
        ("context", "admitted"),
        [({"sts:SourceIdentity": "ann"}, True), ({"sts:SourceIdentity": "bob"}, False), ({}, False)],
        ids=str,
    )
    def test_may_set_themselves_as_the_source_identity(
        self, emergency: Emergency, context: Mapping[str, ContextValue], admitted: bool
    ) -> None:
        assert emergency.admits(ANN_ARN, context, action="sts:SetSourceIdentity") is admitted

    @pytest.mark.parametrize(
        ("source", "admitted"),
        [({"sts:SourceIdentity": "ann"}, True), ({"sts:SourceIdentity": "bob"}, False), ({}, False)],
        ids=["their own", "somebody else's", "none, as in the console"],
    )
    def test_must_set_it_where_it_is_required(self, source: Mapping[str, ContextValue], admitted: bool) -> None:
        required = dataclasses.replace(USERS, source_identity=True)
        emergency = Emergency.of(break_glass(assumed_by=[required]))
        assert emergency.admits(ANN_ARN, {**SIGNED_IN, **source}) is admitted

    def test_may_not_tag_their_sessions(self, emergency: Emergency) -> None:
        assert not emergency.admits(ANN_ARN, SIGNED_IN, action="sts:TagSession")


class TestPermissionSet:
    @pytest.mark.parametrize("path", ["eu-west-1/", ""], ids=["of any region", "of us-east-1"])
    def test_gets_in_with_every_condition_key_absent(self, emergency: Emergency, path: str) -> None:
        assert emergency.admits(sso_role(path=path), {}, time=None)

    @pytest.mark.parametrize(
        "caller",
        [
            sso_role("EmergencyAdmin"),
            sso_role("Emergency_Admin"),
            sso_role("Emergenc"),
            sso_role(account=STRANGER),
            sso_role(account=OWNER),
            sso_role(suffix="0123456789abcde"),
            sso_role().replace("aws-reserved/sso.amazonaws.com", "sso.amazonaws.com"),
            sso_role().replace("aws-reserved/sso.amazonaws.com", "aws-reserved/other.amazonaws.com"),
            f"arn:aws:iam::{SIGN_IN}:role/AWSReservedSSO_Emergency_0123456789abcdef",
            f"arn:aws:iam::{SIGN_IN}:user/Emergency",
            f"arn:aws:iam::{SIGN_IN}:root",
        ],
    )
    def test_is_pinned_to_account_path_and_name(self, emergency: Emergency, caller: str) -> None:
        assert not emergency.admits(caller, SIGNED_IN)

    @pytest.mark.parametrize(
        ("context", "admitted"),
        [
            ({"aws:SourceIdentity": "ann", "sts:SourceIdentity": "ann"}, True),
            ({"sts:SourceIdentity": "ann"}, False),
            ({}, False),
        ],
        ids=["one that the provider set", "one made up", "none"],
    )
    def test_carries_a_source_identity_on_and_makes_none_up(
        self, emergency: Emergency, context: Mapping[str, ContextValue], admitted: bool
    ) -> None:
        assert emergency.admits(sso_role(), context, action="sts:SetSourceIdentity") is admitted

    def test_needs_no_source_identity_where_users_do(self) -> None:
        required = dataclasses.replace(USERS, source_identity=True)
        assert Emergency.of(break_glass(assumed_by=[required, EMERGENCY])).admits(sso_role(), {})


class TestUntil:
    @pytest.mark.parametrize(
        ("time", "admitted"),
        [
            (dt.datetime(2026, 11, 30, 23, 59, 59, tzinfo=dt.UTC), True),
            (dt.datetime(2026, 12, 1, tzinfo=dt.UTC), False),
            (None, False),
        ],
        ids=["on the last day", "a day later", "at no time"],
    )
    def test_both_doors_close(self, time: dt.datetime | None, admitted: bool) -> None:
        emergency = Emergency.of(break_glass(until=dt.date(2026, 11, 30)))
        assert emergency.admits(ANN_ARN, SIGNED_IN, time=time) is admitted
        assert emergency.admits(sso_role(), {}, time=time) is admitted
        carried = {"aws:SourceIdentity": "ann"}
        assert emergency.admits(sso_role(), carried, action="sts:SetSourceIdentity", time=time) is admitted

    def test_a_session_ends_then_as_well(self) -> None:
        emergency = Emergency.of(break_glass(until=dt.datetime(2026, 11, 21, 12, 30, tzinfo=dt.UTC)))
        table = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
        trusting = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": ROLE_ARN}, "Action": "*", "Resource": "*"}],
        }
        over = NOON + dt.timedelta(minutes=30)
        assert emergency.may("dynamodb:UpdateTable", table, table_policy=trusting)
        assert not emergency.may("dynamodb:UpdateTable", table, table_policy=trusting, time=over)
        assert not emergency.may("dynamodb:UpdateTable", table, table_policy=trusting, time=None)


def test_nobody_gets_in_through_a_door_that_is_not_there() -> None:
    only_users = Emergency.of(break_glass(assumed_by=[USERS]))
    only_people = Emergency.of(break_glass(assumed_by=[EMERGENCY]))
    assert only_users.admits(ANN_ARN, SIGNED_IN)
    assert not only_users.admits(sso_role(), SIGNED_IN)
    assert only_people.admits(sso_role(), {})
    assert not only_people.admits(ANN_ARN, SIGNED_IN)


def test_a_session_lasts_an_hour_at_most() -> None:
    role = break_glass()
    assert cdk.Stack.of(role).resolve(role.role.max_session_duration) == 3600


def test_in_a_stack_of_no_account_the_policies_are_the_same() -> None:
    scope = cdk.Stack(app(), "Anywhere")
    assert Emergency.of(break_glass(scope)) == Emergency.of(break_glass(stack(app())))


def test_the_console_can_switch_to_it() -> None:
    """Path and name together may have 64 characters there."""
    role = break_glass(role_name="b" * 63)
    assert role.role.path is None
    assert role.principal == tg.Role(account=OWNER, name="b" * 63)
