"""Names, ids and ranges: what is taken, and what is refused with which words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tableguard.policy import names
from tests.unit.policy.support import TOKEN, Refusal, assert_refused

Check = Callable[[str, str], str]

TAKEN: list[tuple[Check, list[str]]] = [
    (names.account_id, ["111122223333", "000000000000"]),
    (names.region, ["eu-west-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "cn-north-1", "ap-southeast-12"]),
    (names.partition, ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]),
    (names.table_name, ["abc", "a" * 255, "Orders_v2.3-x"]),
    (names.index_name, ["abc", "a" * 255, "by-date"]),
    (names.role_name, ["a", "a" * 64, "Alfa+=,.@_-1"]),
    (names.user_name, ["a", "a" * 64, "foo@example.com"]),
    (names.session_name, ["ab", "a" * 64, "foo@example.com"]),
    (names.federated_user_name, ["ab", "a" * 32]),
    (names.permission_set_name, ["a", "a" * 32, "Data_Admin"]),
    (names.iam_path, ["/", "/a/", "/team/alfa/", f"/{'a' * 510}/"]),
    (names.service_host, ["redshift.amazonaws.com", "replication.dynamodb.amazonaws.com", "glue.amazonaws.com.cn"]),
    (names.organization_id, ["o-a1b2c3d4e5", f"o-{'a' * 32}"]),
    (
        names.organization_path,
        ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/"],
    ),
    (names.vpc_id, ["vpc-1a2b3c4d", "vpc-0abc1234def567890"]),
    (names.vpc_endpoint_id, ["vpce-1a2b3c4d", "vpce-0abc1234def567890"]),
    (
        names.arn,
        [
            "arn:aws:kms:us-east-1:111122223333:key/x",
            "arn:aws-cn:s3:::bucket",
            "arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST",
        ],
    ),
]

# What is allowed, as the message has to say it, and values that are nearly right.
REFUSED: list[tuple[Check, str, list[object]]] = [
    (
        names.account_id,
        "the 12 digits of an AWS account id",
        [
            "",
            "11112222333",
            "1111222233334",
            "1111-2222-3333",
            "11112222333a",
            "111122223333\n",
            " 111122223333",
            "\u0661" * 12,
            "*",
            "????????????",
            111122223333,
            True,
            None,
            "arn:aws:iam::111122223333:root",
            f"*{TOKEN}",
        ],
    ),
    (
        names.region,
        'a region such as "eu-west-1"',
        ["", "eu-west", "eu-west-1a", "EU-WEST-1", "Ireland", "eu_west_1", "eu-*-1", "eu-west-\u0661"],
    ),
    (names.partition, 'a partition such as "aws"', ["", "*", "aws-", "AWS", "aws*", "azure"]),
    (
        names.table_name,
        "3 to 255 of a-z",
        [
            "",
            "ab",
            "a" * 256,
            "orders*",
            "order?",
            "my orders",
            "orders/index/by-date",
            "${aws:username}",
            "ordérs",
            7,
            f"${{aws:username}}{TOKEN}",
        ],
    ),
    (names.index_name, "3 to 255 of a-z", ["", "ab", "a" * 256, "*", "by-*", "by date", None]),
    (
        names.role_name,
        "1 to 64 letters",
        ["", "a" * 65, "*", "reader-*", "reader?", "${aws:username}", "reader role", "lecteur-é", f"{TOKEN}-*"],
    ),
    (names.user_name, "1 to 64 letters", ["", "a" * 65, "foo*", "${aws:username}", "team/foo", ["foo"], True]),
    (names.session_name, "2 to 64 letters", ["", "a", "a" * 65, "*", "a/b"]),
    (names.federated_user_name, "2 to 32 letters", ["", "a", "a" * 33, "foo*"]),
    (names.permission_set_name, "1 to 32 letters", ["", "a" * 33, "Data*", "Data Admin", "Data/Admin"]),
    (
        names.iam_path,
        "starts and ends with '/'",
        [
            "",
            "team",
            "/team",
            "team/",
            "//",
            "/te*m/",
            "/te?m/",
            "/${aws:username}/",
            "/a b/",
            f"/{'a' * 511}/",
            "/té/",
            f"/{TOKEN}/*/",
        ],
    ),
    (
        names.service_host,
        "redshift.amazonaws.com",
        [
            "",
            "redshift",
            "*.amazonaws.com",
            "redshift.amazonaws.com.example.org",
            "https://glue.amazonaws.com",
            "Glue.amazonaws.com",
            "glue.amazonawsXcom",
        ],
    ),
    (names.organization_id, "o-a1b2c3d4e5", ["", "o-*", "o-short", "a1b2c3d4e5", "O-A1B2C3D4E5", f"o-{'a' * 33}"]),
    (
        names.organization_path,
        "organization, root and units",
        [
            "",
            "o-a1b2c3d4e5/r-ab12/",
            "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111",
            "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*",
            "*/r-ab12/ou-ab12-11111111/",
            "o-a1b2c3d4e5/*/ou-ab12-11111111/",
        ],
    ),
    (
        names.vpc_id,
        "vpc-0abc1234def567890",
        ["", "vpc-*", "vpc-1a2b3c4", "vpc-1A2B3C4D", "vpce-1a2b3c4d", "subnet-1a2b3c4d"],
    ),
    (
        names.vpc_endpoint_id,
        "vpce-1a2b3c4d",
        ["", "vpce-*", "vpc-1a2b3c4d", "vpce-1a2b3c4", "vpce-svc-0abc1234def567890"],
    ),
    (
        names.arn,
        "one ARN, without wildcards",
        [
            "",
            "arn",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::111122223333:",
            "arn:aws:iam::*:role/x",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:role/${aws:username}",
            "arn:*:iam::111122223333:role/x",
            "arn:aws:iam::1111:role/x",
            "arn:aws:iam::111122223333:role/a b",
            "arn:aws:iam::111122223333:role/x\n",
            5,
            f"arn:aws:iam::111122223333:role/{TOKEN}*",
            f"{TOKEN}${{aws:username}}",
        ],
    ),
]

RANGES = "an IPv4 or IPv6 range in CIDR form without host bits"


def _name(check: Check) -> str:
    return check.__name__


@pytest.mark.parametrize(("check", "value"), [(check, value) for check, values in TAKEN for value in values])
def test_a_well_formed_value_is_taken_as_it_is(check: Check, value: str) -> None:
    assert check("it", value) == value


@pytest.mark.parametrize("check", [*(check for check, _ in TAKEN), names.network], ids=_name)
@pytest.mark.parametrize("value", [TOKEN, f"a-{TOKEN}"])
def test_a_value_that_only_the_deployment_knows_passes(check: Check, value: str) -> None:
    if check is names.network and value != TOKEN:
        value = f"10.0.0.0/{TOKEN}"
    assert check("it", value) == value


@pytest.mark.parametrize(
    ("check", "allowed", "value"),
    [(check, allowed, value) for check, allowed, values in REFUSED for value in values],
)
def test_a_malformed_value_is_refused(check: Callable[[str, object], str], allowed: str, value: object) -> None:
    fix = "its path is an argument of its own" if check is names.role_name and "/" in str(value) else ""
    assert_refused(Refusal(lambda: check("the thing", value), "the thing", value, allowed, fix))


def test_an_arn_for_a_table_name_is_answered_with_what_to_pass() -> None:
    arn = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
    refusal = Refusal(lambda: names.table_name("it", arn), "it", arn, "3 to 255", "Pass the name alone, not an ARN.")
    assert_refused(refusal)


def test_a_path_in_a_role_name_is_answered_with_where_it_belongs() -> None:
    fix = "Pass the name alone; its path is an argument of its own."
    assert_refused(Refusal(lambda: names.role_name("it", "team/reader"), "it", "team/reader", "1 to 64", fix))


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("54.240.143.0/24", "54.240.143.0/24"),
        ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::/64"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
        ("128.0.0.0/1", "128.0.0.0/1"),
    ],
)
def test_a_range_is_written_the_canonical_way(value: str, canonical: str) -> None:
    assert names.network("it", value) == canonical


@pytest.mark.parametrize(
    ("value", "allowed", "fix"),
    [
        ("192.0.2.7/24", RANGES, 'Did you mean "192.0.2.0/24"?'),
        ("2001:db8::1/64", RANGES, 'Did you mean "2001:db8::/64"?'),
        ("0.0.0.0/0", "narrower than the whole internet", ""),
        ("::/0", "narrower than the whole internet", ""),
        ("192.0.2.7/0", "narrower than the whole internet", ""),
        ("0.0.0.0/0.0.0.0", "narrower than the whole internet", ""),
        ("", RANGES, ""),
        ("192.0.2.0/33", RANGES, ""),
        ("192.0.2.*", RANGES, ""),
        ("192.0.2", RANGES, ""),
        ("192.0.2.0/24, 198.51.100.0/24", RANGES, ""),
        ("fe80::%eth0/64", RANGES, ""),
        ("::1%${aws:username}/128", RANGES, ""),
        ("\u0661.0.2.0/24", RANGES, ""),
        (3221225984, RANGES, ""),
        (b"\xc0\x00\x02\x00", RANGES, ""),
        (None, RANGES, ""),
        (f"*{TOKEN}", RANGES, ""),
    ],
)
def test_a_bad_range_is_refused(value: str, allowed: str, fix: str) -> None:
    assert_refused(Refusal(lambda: names.network("a range", value), "a range", value, allowed, fix))


def test_a_suggestion_is_made_only_for_what_is_close() -> None:
    assert names.suggestion("by-dat", ["by-date", "by-city"]) == 'Did you mean "by-date"?'
    assert names.suggestion("something-else", ["by-date", "by-city"]) == ""
