"""`tableguard disaster`: its formats and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tableguard.command import main
from tests.unit.command.test_command_review import write
from tests.unit.review.support import OWNER, table

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    write(tmp_path, Data=(OWNER, {"T": table()}))
    return tmp_path


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ((), " 3 Table deleted\n"),
        (("--format", "text"), " 3 Table deleted\n"),
        (("--format", "markdown"), "| Table deleted | point-in-time recovery"),
    ],
)
def test_what_is_printed(assembly: Path, capsys: Printed, how: tuple[str, ...], said: str) -> None:
    assert main(["disaster", str(assembly), *how]) == 0
    assert said in capsys.readouterr().out


def test_json_is_one_document_with_a_version(assembly: Path, capsys: Printed) -> None:
    assert main(["disaster", str(assembly), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema_version"] == 1
    assert [each["disaster"] for each in found["tables"][0]["disasters"]] == [
        "garbage", "poison", "table", "taken", "closed", "vault", "management", "key"
    ]  # fmt: skip


def test_no_assembly_is_unusable(tmp_path: Path, capsys: Printed) -> None:
    assert main(["disaster", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("tableguard: ")


def test_a_template_alone(tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps({"Resources": {"T": table()}}))
    assert main(["disaster", "--template", str(file), "--account", OWNER, "--region", "eu-west-1"]) == 0
    assert "orders  111122223333 eu-west-1" in capsys.readouterr().out
