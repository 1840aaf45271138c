from __future__ import annotations

import json
from pathlib import Path

import pytest

from tableguard.command import main


def test_a_cloud_assembly_is_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "A.json").write_text(json.dumps({"Resources": {"T": {"Type": "AWS::DynamoDB::Table"}}}))
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"templateFile": "A.json"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Data": artifact}}))
    assert main(["summary", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["Data", "111122223333", "eu-west-1", "1", "0", "-"]


def test_a_folder_that_is_no_cloud_assembly_is_unusable_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "manifest.json" in printed.err
    assert "cdk synth" in printed.err
