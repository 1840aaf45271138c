"""mypy reads those services of the CDK that something here uses, and no others: what it skips is Any."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import aws_cdk

from tests.project.machine import ROOT

CDK = "aws_cdk"


def services(source: str) -> Iterator[str]:
    """The modules of the CDK that a file names, by an import or as a part of the CDK."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("cdk", CDK):
            yield f"{CDK}.{node.attr}"


def is_service(name: str) -> bool:
    """Whether a name within the CDK is a module of it, and no class."""
    package, _, module = name.partition(".")
    return package == CDK and module != "" and Path(aws_cdk.__file__).parent.joinpath(module, "__init__.py").exists()


def test_mypy_reads_what_is_used_of_the_cdk() -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    (read,) = (set(each["module"]) for each in mypy["overrides"] if each.get("follow_imports") == "normal")
    files = [file for folder in mypy["files"] for file in [ROOT / folder, *(ROOT / folder).rglob("*.py")]]
    named = {name for file in files if file.is_file() for name in services(file.read_text())}
    used = {name for name in named if is_service(name)}
    assert len(used) > 20
    assert used == read - {CDK, f"{CDK}._jsii", f"{CDK}.interfaces.*"}
