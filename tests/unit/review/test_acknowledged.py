"""The review lists the rules of ours that somebody has acknowledged away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tableguard.command import main
from tableguard.review.acknowledgements import Acknowledgement
from tableguard.review.as_json import as_json
from tableguard.review.as_markdown import as_markdown
from tableguard.review.as_text import as_text
from tableguard.review.collect import collect
from tableguard.review.report import Review
from tableguard.review.review import review
from tests.unit.review.support import TODAY, stack

OURS = Acknowledgement(
    rule="Tableguard::only-accounts[1a2b3c4d]", reason="until the move", where="Data/Orders", hidden=("role x reads",)
)
THEIRS = Acknowledgement(rule="AwsSolutions::AwsSolutions-IAM5", reason="no ARN yet", where="Data")


@pytest.mark.parametrize("rendering", [as_text, as_markdown, lambda found: json.dumps(as_json(found))])
def test_a_rule_of_ours_is_listed_with_reason_and_place(rendering: Callable[[Review], str]) -> None:
    stacks = (stack(),)
    with_it = rendering(review(collect(stacks), stacks, today=TODAY, acknowledged=[OURS, THEIRS])).replace("\\", "")
    for words in ("Tableguard::only-accounts[1a2b3c4d]", "until the move", "Data/Orders", "role x reads"):
        assert words in with_it
    assert "IAM5" not in with_it
    assert "only-accounts" not in rendering(review(collect(stacks), stacks, today=TODAY))


def test_the_command_finds_acknowledgements_in_the_assembly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {
        "type": "aws:cdk:acknowledged-rules",
        "data": {"Tableguard::only-accounts[1a2b3c4d]": "until the move"},
    }
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"templateFile": "Data.json"},
        "metadata": {"/Data/Orders": [entry]},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Data": artifact}}))
    (tmp_path / "Data.json").write_text(json.dumps({"Resources": {}}))
    assert main(["review", str(tmp_path)]) == 0
    assert "Acknowledged rules (1)" in capsys.readouterr().out
