"""Every Python snippet of the guides works, in the order in which a reader meets them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.project.machine import ROOT

# The stacks that the snippets of each guide make, by the name of the app that they belong to.
APPS = {
    "sharing.md": {"app": ["Data"], "elsewhere": ["Etl"]},
    "rules-and-tests.md": {"app": ["Alfa", "Data"]},
    "private-table.md": {"app": ["Data"]},
    "backups.md": {"app": ["Data"], "vault_app": ["Vault"], "recovery_app": ["Recovery"]},
}
GUIDES = [ROOT / "docs" / name for name in APPS]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_python_snippets_run_and_synthesize(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```python\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    assert blocks
    namespace: dict[str, Any] = {}
    for block in blocks:
        exec(compile(textwrap.dedent(block), guide.name, "exec"), namespace)  # noqa: S102 - running it is the point
    for app, stacks in APPS[guide.name].items():
        assert [stack.stack_name for stack in namespace[app].synth().stacks] == stacks


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_construct_that_is_named_is_there(guide: Path) -> None:
    import tableguard as tg  # noqa: PLC0415 - what the guide speaks of

    for name in re.findall(r"\btg\.(\w+)", guide.read_text(encoding="utf-8")):
        assert hasattr(tg, name), name
