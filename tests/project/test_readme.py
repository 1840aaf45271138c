"""Every snippet of the README works, in the order in which a reader meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_python_snippets_run_and_synthesize() -> None:
    namespace: dict[str, object] = {}
    blocks = snippets("python")
    assert len(blocks) > 5
    assert blocks[0].endswith("\napp.synth()\n")
    for block in blocks:
        # It closes the app, which all that follows adds to.
        exec(compile(block.removesuffix("app.synth()\n"), "README.md", "exec"), namespace)  # noqa: S102 - running the README is the point
    templates: dict[str, str] = {}
    for name in ("app", "elsewhere"):
        assembly = namespace[name].synth()  # type: ignore[attr-defined]
        templates |= {stack.stack_name: json.dumps(stack.template) for stack in assembly.stacks}
    assert set(templates) == {"Data", "Alfa", "Etl", "Vault", "Recovery"}
    assert "arn:aws:dynamodb:us-east-1:444455556666:table/orders" in templates["Alfa"]
    assert "arn:aws:dynamodb:us-east-1:444455556666:table/catalog/stream/*" in templates["Etl"]
    # What the vault lets in and who reads it, and where the table's account sends.
    assert "restore-orders-plan" in templates["Vault"]
    assert "arn:aws:s3:::acme-intake" in templates["Data"]
    assert "GetStackOutput" not in "".join(templates.values())


def test_the_first_example_is_about_ten_lines() -> None:
    statements = [line for line in snippets("python")[0].splitlines() if line and not line.startswith((" ", ")"))]
    assert len(statements) <= 12


@pytest.mark.parametrize("command", re.findall(r"^make ([\w-]+)", "\n".join(snippets("sh")), re.MULTILINE))
def test_the_commands_are_targets_of_the_makefile(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("target", re.findall(r"\]\(((?!https?:)[^)#]+)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
