"""What cannot be meant of a retention, a reference or a quota is refused, with what to do instead."""

from __future__ import annotations

import pytest

import tableguard as tg
from tests.unit.policy.support import OWNER, TOKEN, Refusal, assert_refused

REFUSALS = {
    "no length": Refusal(
        tg.Retention.governance,
        "the length of a Retention",
        {"days": None, "years": None},
        "exactly one of days and years",
    ),
    "two lengths": Refusal(
        lambda: tg.Retention.governance(days=1, years=1),
        "the length of a Retention",
        {"days": 1, "years": 1},
        "exactly one of days and years",
    ),
    "no day": Refusal(lambda: tg.Retention.governance(days=0), "the days of a Retention", 0, "1 to 36,500"),
    "more than a hundred years of days": Refusal(
        lambda: tg.Retention.governance(days=36_501), "the days of a Retention", 36_501, "1 to 36,500"
    ),
    "more than a hundred years": Refusal(
        lambda: tg.Retention.governance(years=101), "the years of a Retention", 101, "1 to 100"
    ),
    "true as a day": Refusal(lambda: tg.Retention.governance(days=True), "the days of a Retention", True, "1 to"),
    "compliance without a word": Refusal(
        lambda: tg.Retention.compliance(days=35, acknowledge=" "),
        "acknowledge of a Retention in compliance mode",
        " ",
        "nobody, not even the account's root user or AWS",
        "governance",
    ),
    "a mode's name": Refusal(
        lambda: tg.Retention(mode="GOVERNANCE", days=1),  # type: ignore[arg-type]
        "the mode of a Retention",
        "GOVERNANCE",
        "a LockMode",
    ),
    "bounds the wrong way round": Refusal(
        lambda: tg.RetentionBounds(at_least=35, at_most=34), "at_most of RetentionBounds", 34, "35 to 36,601 days"
    ),
    "a bound below nothing": Refusal(
        lambda: tg.RetentionBounds(at_least=-1, at_most=1), "at_least of RetentionBounds", -1, "0 to 36,601 days"
    ),
    "a bucket's ARN": Refusal(
        lambda: tg.VaultReference(account=OWNER, region="eu-west-1", intake_bucket="arn:aws:s3:::intake"),
        "the intake bucket of a VaultReference",
        "arn:aws:s3:::intake",
        "3 to 63",
        "not an ARN",
    ),
    "a key of another region": Refusal(
        lambda: tg.SealedReference(
            account=OWNER, region="eu-west-1", bucket="sealed", key_arn=f"arn:aws:kms:eu-west-2:{OWNER}:key/1"
        ),
        "the key of a SealedReference",
        f"arn:aws:kms:eu-west-2:{OWNER}:key/1",
        "a key in eu-west-1",
    ),
    "no table": Refusal(
        lambda: tg.ReplicationSource(account=OWNER, role_name="r", tables=[]),
        "the tables of a ReplicationSource",
        (),
        "at least one, or None for every table",
    ),
    "a table's pattern": Refusal(
        lambda: tg.ReplicationSource(account=OWNER, role_name="r", tables=["or*"]),
        "a table of a ReplicationSource",
        "or*",
        "3 to 255",
    ),
    "the folder of exports": Refusal(
        lambda: tg.ReplicationSource(account=OWNER, role_name="r", tables=["AWSDynamoDB"]),
        "a table of a ReplicationSource",
        "AWSDynamoDB",
        "a folder in the keys of every table's exports",
        "Leave tables out",
    ),
    "a role's pattern": Refusal(
        lambda: tg.ReplicationSource(account=OWNER, role_name="*"), "the role of a ReplicationSource", "*", "1 to 64"
    ),
    "no bytes": Refusal(
        lambda: tg.SourceQuota(bytes_per_day=0, exports_per_day=1), "bytes_per_day of a SourceQuota", 0, "1 or more"
    ),
    "half an export": Refusal(
        lambda: tg.SourceQuota(bytes_per_day=1, exports_per_day=0.5),  # type: ignore[arg-type]
        "exports_per_day of a SourceQuota",
        0.5,
        "1 or more",
    ),
    "another role's kind": Refusal(
        lambda: tg.VaultGuardrail(deployers=[], sealing_roles=[tg.RoleOfEveryAccount(name="seal*")]),  # type: ignore[list-item]
        "sealing_roles of VaultGuardrail",
        tg.RoleOfEveryAccount(name="seal*"),
        "a list of Role(…)",
    ),
    "a user who deploys": Refusal(
        lambda: tg.VaultGuardrail(deployers=[tg.User(account=OWNER, name="u")]),
        "deployers of VaultGuardrail",
        tg.User(account=OWNER, name="u"),
        "nothing here guards a user's keys",
    ),
    "a role that deploys, without a list": Refusal(
        lambda: tg.VaultGuardrail(deployers=tg.Role(account=OWNER, name="r")),  # type: ignore[arg-type]
        "deployers of VaultGuardrail",
        tg.Role(account=OWNER, name="r"),
        "a list of Role",
        "Put it into a list",
    ),
    "a guarded bucket's pattern": Refusal(
        lambda: tg.VaultGuardrail(deployers=[], buckets=["acme-*"]), "a bucket of VaultGuardrail", "acme-*", "3 to 63"
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    assert_refused(REFUSALS[case])


@pytest.mark.parametrize(
    "name", ["ab", "Acme", "acme_x", "-acme", "acme-", "a..b", "xn--acme", "acme-s3alias", "acme--x-s3", "a" * 64]
)
def test_a_name_that_s3_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(tg.InvalidInputError, match="the bucket of a SealedReference"):
        tg.SealedReference(account=OWNER, region="eu-west-1", bucket=name)


@pytest.mark.parametrize("name", ["abc", "acme.backups-1", "a" * 63, TOKEN])
def test_a_name_that_s3_takes_is_taken(name: str) -> None:
    reference = tg.SealedReference(account=OWNER, region="cn-north-1", bucket=name)
    assert reference.bucket_arn == f"arn:aws-cn:s3:::{name}"


@pytest.mark.parametrize(
    ("retention", "bounds"),
    [
        (tg.Retention.governance(days=35), (34, 36)),
        (tg.Retention.governance(days=1), (0, 2)),
        (tg.Retention.governance(years=2), (729, 733)),
        (tg.Retention.compliance(days=36_500, acknowledge="for ever, says the law"), (36_499, 36_501)),
    ],
)
def test_bounds_hold_the_retention_and_a_day_on_either_side(retention: tg.Retention, bounds: tuple[int, int]) -> None:
    around = tg.RetentionBounds.around(retention)
    assert (around.at_least, around.at_most) == bounds
    around.check(retention, "B")


def test_a_source_writes_below_its_account_or_below_its_tables() -> None:
    every = tg.ReplicationSource(account=OWNER, role_name="r")
    some = tg.ReplicationSource(account=OWNER, role_name="r", tables=["orders", "customers"])
    assert every.key_patterns == (f"{OWNER}/*",)
    assert some.key_patterns == (f"{OWNER}/*/orders/AWSDynamoDB/*", f"{OWNER}/*/customers/AWSDynamoDB/*")
