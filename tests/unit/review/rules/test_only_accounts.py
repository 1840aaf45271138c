"""Only these accounts read items."""

from dataclasses import replace

import pytest

from tableguard.policy import Access, Account, AwsService, InvalidInputError, Organization
from tableguard.review.rules import OnlyAccounts
from tests.unit.review.rules.support import OWNER, READER, VENDOR, allow, document, own, picture, role, tried

ONLY_READER = OnlyAccounts(accounts=[READER])


def test_holds_when_the_table_trusts_the_account_alone() -> None:
    results = tried(ONLY_READER, picture(allow(READER)))

    assert results.holds
    assert results.tried["only-accounts"] > 100
    assert results.summary.endswith("requests: no counterexample")


def test_fails_on_an_account_that_is_not_one_of_them() -> None:
    (failure,) = tried(ONLY_READER, picture(allow(READER), allow(VENDOR, Sid="Leak"))).failures

    assert failure.actions == ("dynamodb:GetItem",)
    assert all(f":{VENDOR}:" in principal for principal in failure.principals)
    assert failure.place is not None
    assert failure.place.logical_id == "Orders"
    for said in ("table/orders", f"arn:aws:iam::{VENDOR}:", "dynamodb:GetItem", "'Leak'", "Data: Resources/Orders"):
        assert said in failure.what


@pytest.mark.parametrize(
    "statement",
    [
        allow("*"),
        allow("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        allow("*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        allow("*", Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-1/*"}}),
        allow("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}),
        allow("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*"}}),
        allow("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-*"}}),
        allow("*", Condition={"StringEquals": {"aws:PrincipalTag/team": "data"}}),
        allow("*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}),
        allow("*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        allow("*", Condition={"StringLike": {"dynamodb:LeadingKeys": "Tenant-*"}}),
        allow("*", Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}),
        allow({"Service": "glue.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": READER}}),
        allow({"Service": "anything.amazonaws.com"}),
        allow("*", Action="dynamodb:GetRecords"),
    ],
)
def test_fails_on_what_only_an_outsider_in_the_right_circumstances_can_use(statement: dict[str, object]) -> None:
    on = picture(statement)
    if statement["Action"] == "dynamodb:GetRecords":
        on = replace(on, tables=(replace(on.tables[0], policy=None, stream_policy=document(statement)),))

    assert tried(ONLY_READER, on).failures


def test_the_tables_own_account_always_counts() -> None:
    assert tried(ONLY_READER, picture(allow(OWNER))).holds


def test_a_role_of_another_account_may_get_an_identity_policy_that_allows_everything() -> None:
    harmless = role(VENDOR, "harmless", own("s3:GetObject"))
    on = picture(allow(harmless.arn), identities=(harmless,))

    principals = [name for failure in tried(ONLY_READER, on).failures for name in failure.principals]

    assert principals == [harmless.arn]


def test_a_service_is_excepted_for_the_account_that_it_works_for() -> None:
    def leak(service: str, account: str) -> dict[str, object]:
        return allow({"Service": service}, Condition={"StringEquals": {"aws:SourceAccount": account}})

    but_glue = OnlyAccounts(
        accounts=[READER], except_=[AwsService(service="glue.amazonaws.com", source_account=READER)]
    )

    assert tried(but_glue, picture(leak("glue.amazonaws.com", READER))).holds
    assert not tried(but_glue, picture(leak("glue.amazonaws.com", VENDOR))).holds
    assert not tried(but_glue, picture(leak("redshift.amazonaws.com", READER))).holds
    assert not tried(but_glue, picture(allow({"Service": "glue.amazonaws.com"}))).holds


def test_an_organization_can_be_excepted() -> None:
    leak = allow("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})

    assert tried(OnlyAccounts(accounts=[READER], except_=[Organization("o-a1b2c3d4e5")]), picture(leak)).holds
    assert not tried(OnlyAccounts(accounts=[READER], except_=[Organization("o-zzzzzzzzzz")]), picture(leak)).holds


def test_writes_are_another_matter_unless_the_rule_says_so() -> None:
    on = picture(allow(VENDOR, "dynamodb:BatchWriteItem"))

    assert tried(ONLY_READER, on).holds
    assert not tried(OnlyAccounts(accounts=[READER], access=Access.WRITE), on).holds


def test_reads_of_an_index_are_reads() -> None:
    assert not tried(ONLY_READER, picture(allow(VENDOR, "dynamodb:Query"))).holds


@pytest.mark.parametrize("accounts", [["1111"], READER, [Account(READER)]])
def test_an_account_is_a_list_of_ids(accounts: object) -> None:
    with pytest.raises(InvalidInputError, match="account"):
        OnlyAccounts(accounts=accounts)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "Scan"])
def test_whatever_can_return_an_item_reads_items(action: str) -> None:
    on = picture(allow(VENDOR, f"dynamodb:{action}"))

    assert not tried(OnlyAccounts(accounts=[READER]), on).holds
    assert tried(OnlyAccounts(accounts=[READER, VENDOR]), on).holds


@pytest.mark.parametrize("action", ["BatchWriteItem", "DescribeTable", "UpdateTable"])
def test_what_returns_none_does_not(action: str) -> None:
    assert tried(OnlyAccounts(accounts=[READER]), picture(allow(VENDOR, f"dynamodb:{action}"))).holds


def test_a_rule_may_be_about_reads_alone() -> None:
    reads = OnlyAccounts(accounts=[READER], access=Access.READ_ITEMS)

    assert tried(reads, picture(allow(VENDOR, "dynamodb:PutItem"))).holds
    assert not tried(reads, picture(allow(VENDOR))).holds


def test_no_condition_keeps_a_write_from_returning_the_item_that_its_condition_did_not_fit() -> None:
    quiet = allow(VENDOR, "dynamodb:UpdateItem", Condition={"StringEquals": {"dynamodb:ReturnValues": "NONE"}})

    assert not tried(OnlyAccounts(accounts=[READER]), picture(quiet)).holds
