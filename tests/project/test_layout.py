"""The shape of the house: which part of the library may know which."""

import ast
import graphlib
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import constructs
import pytest

import tableguard
from tests.project.machine import ROOT

LIBRARY = ROOT / "constructs" / "tableguard"


def imported(path: Path) -> Iterator[str]:
    """The absolute names of the modules that a file imports, wherever in the file it does."""
    package = path.relative_to(LIBRARY.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def outside(modules: Iterator[str], allowed: tuple[str, ...]) -> list[str]:
    """Those of the modules that are the CDK's, or ours but not in one of the allowed packages."""
    watched = [name for name in modules if name.split(".")[0] in {"aws_cdk", "constructs", "jsii", "tableguard"}]
    return [name for name in watched if not any(name == part or name.startswith(part + ".") for part in allowed)]


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("aws", ("tableguard.aws",)),
        ("policy", ("tableguard.policy", "tableguard.aws")),
        ("evaluation", ("tableguard.evaluation", "tableguard.policy", "tableguard.aws")),
        ("review", ("tableguard.review", "tableguard.evaluation", "tableguard.policy", "tableguard.aws")),
    ],
)
def test_imports_point_one_way(package: str, allowed: tuple[str, ...]) -> None:
    found = {
        str(path.relative_to(LIBRARY)): outside(imported(path), allowed) for path in (LIBRARY / package).rglob("*.py")
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_no_module_needs_itself() -> None:
    """Imports inside functions, and those for types alone, count: a circle is a circle."""
    paths = {
        ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in LIBRARY.rglob("*.py")
    }
    graph = {
        name: {found for found in needed(path, paths) if found != name}
        for name, path in paths.items()
        if name != "tableguard"  # the table of public names, which are looked up when they are asked for
    }
    list(graphlib.TopologicalSorter(graph).static_order())


def needed(path: Path, known: Collection[str]) -> Iterator[str]:
    """The modules of the library that a file takes names from: a module of a package, where that is what it takes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield from (found for found in [module if module in known else node.module] if found in known)


def test_the_source_root_does_not_shadow_the_package_constructs() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert hasattr(constructs, "Construct")


@pytest.mark.parametrize(
    "package", ["tableguard.aws", "tableguard.policy", "tableguard.evaluation", "tableguard.command"]
)
def test_starts_without_the_cdk(package: str) -> None:
    code = f"import sys, {package}; sys.exit(any(name in sys.modules for name in ('aws_cdk', 'jsii')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def undocumented(module: str) -> Iterator[str]:
    """The public functions, classes and methods of a module that say nothing, nor inherit a docstring."""
    for name, value in vars(importlib.import_module(module)).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module:
            continue
        if (inspect.isclass(value) or inspect.isfunction(value)) and not inspect.getdoc(value):
            yield f"{module}.{name}"
        if inspect.isclass(value):
            members = [(member, getattr(value, member)) for member in vars(value) if not member.startswith("_")]
            documentable = [
                (member, found) for member, found in members if callable(found) or isinstance(found, property)
            ]
            yield from (f"{module}.{name}.{member}" for member, found in documentable if not inspect.getdoc(found))


def test_every_public_name_is_documented() -> None:
    modules = [module.name for module in pkgutil.walk_packages(tableguard.__path__, "tableguard.")]
    modules = [name for name in modules if not name.endswith(".__main__")]  # importing it runs the command
    assert "tableguard.policy" in modules
    assert [name for module in modules for name in undocumented(module)] == []
