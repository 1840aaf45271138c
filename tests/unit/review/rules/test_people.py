"""Who is asked about."""

import pytest

from tableguard.review.rules.people import everybody
from tableguard.review.rules.scene import Scene
from tests.unit.review.rules.support import OWNER, READER, TODAY, VENDOR, allow, own, picture, role

ON = picture(
    allow(READER),
    allow(f"arn:aws:iam::{VENDOR}:role/sync"),
    allow("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    allow({"Service": "firehose.amazonaws.com"}),
    identities=(role(READER, "reader", own()), role(READER, "clerk", own())),
)


@pytest.mark.parametrize("account", [OWNER, READER, VENDOR])
@pytest.mark.parametrize(
    "who", ["root", "role/outsider", "user/outsider", "role/break-glass", "role/aws-reserved/sso.amazonaws.com/"]
)
def test_every_kind_of_outsider_is_made_up_in_every_account(account: str, who: str) -> None:
    assert [each for each in everybody(ON) if each.principal.startswith(f"arn:aws:iam::{account}:{who}")]


@pytest.mark.parametrize(
    "label",
    [
        "role reader of 222233334444",
        "another account of the organization",
        "an account of another organization",
        "a role called sync in 333344445555",
        "the service firehose.amazonaws.com",
        "the service redshift.amazonaws.com",
        "an anonymous caller",
    ],
)
def test_so_is_everybody_else_that_one_might_think_of(label: str) -> None:
    assert [each for each in everybody(ON) if label in each.label]


def test_a_namesake_of_a_named_role_is_in_no_account_that_anybody_knows() -> None:
    known = {OWNER, READER, VENDOR}
    namesakes = {each.account for each in everybody(ON) if each.principal.endswith("role/sync")}

    assert VENDOR in namesakes
    assert len(namesakes - known) == 2


def test_accounts_of_the_assembly_are_in_the_organization_that_policies_name_and_others_may_be() -> None:
    by_account: dict[str | None, set[object]] = {}
    for each in everybody(ON):
        by_account.setdefault(each.account, set()).add(each.facts.get("aws:PrincipalOrgID"))

    assert by_account[READER] == {"o-a1b2c3d4e5"}
    assert by_account[VENDOR] == {None, "o-a1b2c3d4e5"}
    assert len(set().union(*by_account.values()) - {None}) == 2


def test_a_role_of_another_account_that_no_policy_names_is_stood_for_by_an_outsider() -> None:
    scene = Scene(ON, TODAY)
    asked = {each.principal for each in scene.callers_of(ON.tables[0])}

    assert f"arn:aws:iam::{READER}:role/clerk" not in asked
    assert f"arn:aws:iam::{READER}:role/outsider" in asked
    assert f"arn:aws:iam::{VENDOR}:role/sync" in asked


@pytest.mark.parametrize(
    "pattern", [f"arn:aws:iam::{READER}:role/cl*", "arn:aws:iam::*:role/clerk", "arn:*:iam::*:role/*"]
)
def test_a_pattern_names_whoever_fits_it(pattern: str) -> None:
    on = picture(
        allow("*", Condition={"StringLike": {"aws:PrincipalArn": pattern}}), identities=(role(READER, "clerk", own()),)
    )

    assert f"arn:aws:iam::{READER}:role/clerk" in {each.principal for each in Scene(on, TODAY).callers_of(on.tables[0])}
