from __future__ import annotations

from typing import Any, Final

import pytest

from tableguard.policy import Access, Account, minified
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.summary import Fill, StackSummary, rendered, summarize
from tests.unit.review.support import claim, claiming

DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "a:B", "Resource": "*"}],
}
SIZE = len(minified(DOCUMENT))


def stack(**resources: Any) -> SynthesizedStack:
    return SynthesizedStack("Data", "111122223333", "eu-west-1", {"Resources": resources})


CLAIM: Final = claim(Account("222233334444"), Access.READ)


def test_tables_and_grants_are_counted() -> None:
    table = {"Type": "AWS::DynamoDB::GlobalTable", **claiming(grants=[CLAIM, CLAIM])}
    summary = summarize(stack(A=table, B={"Type": "AWS::DynamoDB::Table"}, C={"Type": "AWS::S3::Bucket"}))
    assert (summary.tables, summary.grants, summary.fullest) == (2, 2, None)


@pytest.mark.parametrize(
    ("resource", "limit"),
    [
        (
            {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": {"Replicas": [{"ResourcePolicy": {"PolicyDocument": DOCUMENT}}]},
            },
            20_480,
        ),
        (
            {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": {
                    "Replicas": [{"ReplicaStreamSpecification": {"ResourcePolicy": {"PolicyDocument": DOCUMENT}}}]
                },
            },
            20_480,
        ),
        ({"Type": "AWS::DynamoDB::Table", "Properties": {"ResourcePolicy": {"PolicyDocument": DOCUMENT}}}, 20_480),
        (
            {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {"StreamSpecification": {"ResourcePolicy": {"PolicyDocument": DOCUMENT}}},
            },
            20_480,
        ),
        ({"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": DOCUMENT}}, 32_768),
        ({"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": DOCUMENT}}, 10_240),
        ({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}}, 6_144),
    ],
)
def test_a_policy_is_measured_against_the_limit_of_its_kind(resource: dict[str, Any], limit: int) -> None:
    assert summarize(stack(R=resource)).fullest == Fill(SIZE, limit)


def test_the_policy_that_uses_most_of_its_limit_is_shown() -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {**DOCUMENT, "Id": "x" * 40}}}
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}}
    assert summarize(stack(K=key, M=managed)).fullest == Fill(SIZE, 6_144)


@pytest.mark.parametrize("template", [{}, {"Resources": {"A": None}}, {"Resources": {"A": {"Type": "AWS::KMS::Key"}}}])
def test_a_template_that_says_nothing_is_a_row_of_nothing(template: dict[str, Any]) -> None:
    summary = summarize(SynthesizedStack("Data", None, None, template))
    assert summary == StackSummary("Data", "unknown", "unknown", 0, 0, None)


def test_the_table_fits_80_columns() -> None:
    widest = StackSummary(
        "Organization/Production/Data", "111122223333", "ap-southeast-1", 120, 1400, Fill(20_480, 20_480)
    )
    text = rendered([widest, StackSummary("B", "111122223333", "eu-west-1", 0, 0, None)])
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[0].split() == ["stack", "account", "region", "tables", "grants", "policy", "bytes"]
    assert text.splitlines()[2].split()[-1] == "-"
