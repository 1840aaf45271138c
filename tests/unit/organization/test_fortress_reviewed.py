"""A review of the app of the attacks: metadata and policies of the constructs agree, and a reader sees what they do."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import aws_cdk as cdk
import pytest

from tableguard.review.as_text import as_text
from tableguard.review.assembly import read_assembly
from tableguard.review.collect import collect
from tableguard.review.report import Review
from tableguard.review.review import review
from tests.unit.organization.fortress import DEVELOPMENT, ROOT, SECOND_VPC, VPC, build
from tests.unit.tables.support import OWNER


@pytest.fixture(scope="module")
def found() -> Review:
    app = build()[0].node.root
    assert isinstance(app, cdk.App)
    stacks = read_assembly(Path(app.synth().directory))
    return review(collect(stacks), stacks, today=dt.date(2026, 11, 21))


def test_the_constructs_say_what_they_do(found: Review) -> None:
    assert [finding.message for finding in found.findings] == []
    assert all(each.reason for table in found.tables for each in table.enclosure.exempted)


def test_a_reader_sees_it(found: Review) -> None:
    text = " ".join(as_text(found, width=120).split())
    for said in (
        f"inside {VPC}, {SECOND_VPC}, vpce-1a2b3c4d outside any other VPC, the internet",
        f"exempt role break-glass of {OWNER}: everything (runbook 7)",
        f"exempt role stream-worker of {OWNER}: stream (the search index)",
        f"allowed permission set DataSteward of {OWNER}: GetItem, Query (subject access requests)",
        f"on {ROOT}; binds {OWNER}; excludes {DEVELOPMENT} (development, no data of customers)",
    ):
        assert said in text
