"""The README: its example, what it says of the example, its commands and its links."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tableguard.command import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INDEX = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def assembly() -> Path:
    """The folder of the example's assembly."""
    (example,) = snippets("python")
    assert example.endswith("\napp.synth()\n")
    namespace: dict[str, Any] = {}
    exec(compile(example.removesuffix("app.synth()\n"), "README.md", "exec"), namespace)  # noqa: S102 - the point
    return Path(namespace["app"].synth().directory)


def template(assembly: Path, stack: str) -> Any:
    return json.loads((assembly / f"{stack}.template.json").read_text())


def test_the_example_synthesizes_the_policy_that_is_shown(assembly: Path) -> None:
    resources = template(assembly, "Data")["Resources"].values()
    (table,) = [each for each in resources if each["Type"] == "AWS::DynamoDB::GlobalTable"]
    (shown,) = snippets("json")
    assert table["Properties"]["Replicas"][0]["ResourcePolicy"]["PolicyDocument"] == json.loads(shown)
    assert table["Properties"]["Replicas"][0]["DeletionProtectionEnabled"] is True
    assert "GetStackOutput" not in json.dumps(template(assembly, "Alfa"))


def test_the_review_says_what_is_shown(assembly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", str(assembly)]) == 0
    (shown,) = snippets("text")
    assert capsys.readouterr().out.startswith(shown)


def test_the_example_is_about_ten_lines() -> None:
    statements = [line for line in snippets("python")[0].splitlines() if line and not line.startswith((" ", ")"))]
    assert len(statements) <= 12


@pytest.mark.parametrize("command", re.findall(r"^make ([\w-]+)", "\n".join(snippets("sh")), re.MULTILINE))
def test_the_commands_are_targets_of_the_makefile(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("target", re.findall(r"\]\(((?!https?:)[^)#]+)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_the_index_lists_every_guide() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", INDEX))
    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
