"""Cloud assemblies made by hand: what a reader must cope with, without running the CDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

WriteAssembly = Callable[..., Path]


@pytest.fixture
def write_assembly(tmp_path: Path) -> WriteAssembly:
    """Write a folder that holds the given stacks, templates by name; `place` is "account/region"."""

    def write(
        stacks: Mapping[str, Mapping[str, Any]],
        *,
        folder: Path = tmp_path,
        place: str = "111122223333/eu-west-1",
        stages: tuple[str, ...] = (),
    ) -> Path:
        folder.mkdir(exist_ok=True)
        artifacts: dict[str, Any] = {
            name: {
                "type": "aws:cloudformation:stack",
                "environment": f"aws://{place}",
                "properties": {"templateFile": f"{name}.template.json"},
                "displayName": name,
            }
            for name in stacks
        }
        for stage in stages:
            artifacts[f"assembly-{stage}"] = {"type": "cdk:cloud-assembly", "properties": {"directoryName": stage}}
        artifacts["Tree"] = {"type": "cdk:tree", "properties": {"file": "tree.json"}}
        (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
        for name, template in stacks.items():
            (folder / f"{name}.template.json").write_text(json.dumps(template))
        return folder

    return write
