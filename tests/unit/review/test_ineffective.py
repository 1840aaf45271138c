"""What a policy allows to nobody, because it cannot work for those whom it names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.support import CONSUMER, LOCAL, OWNER, READER, allow, reviewed, role, stack, table, to

PREFIX = "statement 0 of the policy of orders allows "
ACROSS = f"role reader of {CONSUMER} UpdateTimeToLive: it does not work across accounts"


def without_effect(*statements: dict[str, Any], **properties: Any) -> tuple[list[str], list[str]]:
    """The warnings of it, and what is not known, of a table with statements."""
    data = stack(T=table(*statements, **properties), R=role(allow("s3:*", "*"), name="local"))
    found = reviewed(data, stack("Consumer", CONSUMER, R=role(allow("dynamodb:*"))))
    said = [warning.message for warning in found.warnings if warning.kind.value == "has no effect"]
    return said, [unknown.what for unknown in found.unknowns]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (to(READER, "dynamodb:UpdateTimeToLive"), [ACROSS]),
        (to(READER, ["dynamodb:GetItem", "dynamodb:UpdateTimeToLive"]), [ACROSS]),
        (to(READER, "dynamodb:*TimeToLive"), [ACROSS.replace("UpdateTime", "*Time")]),
        (
            to(f"arn:aws:iam::{CONSUMER}:root", "dynamodb:CreateBackup"),
            [f"account {CONSUMER} CreateBackup: it does not work across accounts"],
        ),
        (to(READER, "dynamodb:ListTables"), [f"role reader of {CONSUMER} ListTables: it is no action on tables"]),
        (
            to(LOCAL, "dynamodb:CreateTable"),
            [f"role local of {OWNER} CreateTable: only an identity policy can allow it"],
        ),
        (to(READER, "dynamodb:GetRecords"), [f"role reader of {CONSUMER} GetRecords: it is no action on tables"]),
        # Some of these work.
        (to(READER, "dynamodb:Update*"), []),
        (to(LOCAL, "dynamodb:UpdateTimeToLive"), []),
        (to(READER), []),
        (allow("dynamodb:UpdateTimeToLive", Principal={"AWS": [READER, f"arn:aws:iam::{OWNER}:root"]}), []),
        (allow("dynamodb:UpdateTimeToLive", Principal={"Service": "example.amazonaws.com"}), []),
    ],
)
def test_it_is_a_warning_and_nothing_unknown(statement: dict[str, Any], expected: list[str]) -> None:
    warned, unknown = without_effect(statement)

    assert warned == [f"{PREFIX}{each}" for each in expected]
    assert not [each for each in unknown if "lets" in each]


def test_an_action_on_tables_in_a_streams_policy_is_none() -> None:
    warned, _ = without_effect(stream=[to(READER, ["dynamodb:GetRecords", "dynamodb:GetItem"])])

    of_stream = PREFIX.replace("policy of", "policy of the stream of")
    assert warned == [f"{of_stream}role reader of {CONSUMER} GetItem: it is no action on streams"]
