"""The guides about guardrails and recovery say what the code does."""

from __future__ import annotations

import re

import pytest

import tableguard as tg
from tableguard.aws.dynamodb import AS_OF
from tableguard.policy.guardrails import Guardrail
from tests.project.machine import ROOT

GUARDRAILS = (ROOT / "docs" / "guardrails.md").read_text(encoding="utf-8")
PRIVATE_TABLE = (ROOT / "docs" / "private-table.md").read_text(encoding="utf-8")
RECOVERY = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("guardrail", Guardrail.__subclasses__(), ids=lambda guardrail: guardrail.__name__)
def test_the_table_says_whom_each_guardrail_exempts_and_what_it_costs(guardrail: type[Guardrail]) -> None:
    (row,) = re.findall(rf"^\| `{guardrail.__name__}` \|(.*)\|$", GUARDRAILS, re.MULTILINE)
    _, exempts, costs = row.split(" | ")
    assert costs.strip() == guardrail.costs
    assert ("administrators" in exempts) is guardrail.exempts_administrators
    assert guardrail.__name__ in tg.__all__


def test_those_for_rcps_are_named() -> None:
    (line,) = re.findall(r"^(.*) can stand in an RCP as well", GUARDRAILS, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", line)) == {g.__name__ for g in Guardrail.__subclasses__() if g.in_rcp}


@pytest.mark.parametrize("text", [GUARDRAILS, PRIVATE_TABLE])
def test_they_say_which_day_the_list_of_actions_is_of(text: str) -> None:
    (later,) = re.findall(r"(?s)^## What AWS adds later\n(.*?)^## ", text, re.MULTILINE)
    assert re.findall(r"\d{4}-\d\d-\d\d", later) == [AS_OF.isoformat()]


def test_the_examples_synthesize() -> None:
    namespace: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", GUARDRAILS, re.DOTALL | re.MULTILINE):
        exec(compile(block, "guardrails.md", "exec"), namespace)  # noqa: S102 - running the guide is the point
    assembly = namespace["app"].synth()  # type: ignore[attr-defined]
    types = {resource["Type"] for resource in assembly.get_stack_by_name("Org").template["Resources"].values()}
    assert types == {"AWS::Organizations::Policy", "AWS::AccessAnalyzer::Analyzer"}


@pytest.mark.parametrize("text", [GUARDRAILS, RECOVERY])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)", text):
        assert (ROOT / "docs" / target).exists()
