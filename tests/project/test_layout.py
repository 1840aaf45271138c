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


LANGUAGE = {"aws", "policy"}
CONSTRUCTS = {"policy", "tables"}
BACKUPS = {"backup", "backup/states", *CONSTRUCTS}
# For each folder, those that it may know; in this order none knows a later one. `backup` is what its rooms share.
MAY_KNOW: dict[str, set[str]] = {
    "aws": set(),
    "policy": {"aws"},
    "evaluation": LANGUAGE,
    "review": {"evaluation", *LANGUAGE},
    "tables": {"policy"},
    "network": CONSTRUCTS,
    "organization": {"aws", *CONSTRUCTS},
    "backup/lambdas": set(),
    "backup": {"aws", "network", *CONSTRUCTS},
    "backup/states": {"backup", "policy"},
    "backup/export": {"aws", *BACKUPS},
    "backup/vault": {"backup", "backup/states", "policy"},
    "backup/restore": {"aws", "network", *BACKUPS},
    "backup/drill": {"aws", "backup/restore", *BACKUPS},
    "backup/aws_backup": BACKUPS,
    "backup/on_demand": {"backup", "backup/aws_backup", "backup/states", "policy"},
    "command": {"evaluation", "policy", "review"},
    "testing": {"evaluation", "review", *LANGUAGE},
}
WITHOUT_CDK = {"aws", "policy", "evaluation", "review", "command"}


def folder_of(path: Path) -> str | None:
    """The folder of a module, and the room for what stands in one; None for a module that stands alone."""
    parts = path.relative_to(LIBRARY).parent.parts
    return "/".join(parts[: 2 if parts[0] == "backup" else 1]) if parts else None


MODULES = {
    ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in LIBRARY.rglob("*.py")
}


def known_to(folder: str) -> Iterator[tuple[str, str]]:
    """What the modules of a folder import from other folders of the library."""
    for path in MODULES.values():
        if folder_of(path) == folder:
            for name in imported(path):
                if name in MODULES and (found := folder_of(MODULES[name])) not in {folder, None}:
                    yield str(path.relative_to(LIBRARY)), str(found)


def test_every_folder_has_its_place() -> None:
    assert {folder for path in MODULES.values() if (folder := folder_of(path))} == set(MAY_KNOW)


@pytest.mark.parametrize("folder", MAY_KNOW)
def test_a_folder_knows_what_it_may(folder: str) -> None:
    assert {(path, found) for path, found in known_to(folder) if found not in MAY_KNOW[folder]} == set()


@pytest.mark.parametrize("folder", MAY_KNOW)
def test_what_a_folder_may_know_stands_before_it(folder: str) -> None:
    assert MAY_KNOW[folder] <= set(list(MAY_KNOW)[: list(MAY_KNOW).index(folder)])


@pytest.mark.parametrize("folder", MAY_KNOW)
def test_what_a_folder_may_know_it_does(folder: str) -> None:
    """A way that nobody goes would stand open for whoever goes it by mistake."""
    assert MAY_KNOW[folder] == {found for _, found in known_to(folder)}


def test_nothing_private_is_taken_from_another_folder() -> None:
    taken = {
        (str(path.relative_to(LIBRARY)), name)
        for path in MODULES.values()
        for name in imported(path)
        if name.startswith("tableguard.") and is_private(name) and folder_of(owner(name)) != folder_of(path)
    }
    assert taken == set()


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def owner(name: str) -> Path:
    """The module that a name, or the module of that name, is in."""
    return MODULES[name] if name in MODULES else MODULES[name.rpartition(".")[0]]


@pytest.mark.parametrize("folder", sorted(WITHOUT_CDK | {"backup/lambdas"}))
def test_a_folder_does_without_the_cdk(folder: str) -> None:
    found = {
        (str(path.relative_to(LIBRARY)), name)
        for path in MODULES.values()
        if folder_of(path) == folder
        for name in imported(path)
        if name.split(".")[0] in {"aws_cdk", "constructs", "jsii"}
    }
    assert found == set()


def test_no_module_needs_itself() -> None:
    """Imports inside functions, and those for types alone, count: a circle is a circle."""
    graph = {
        name: {found for found in needed(path, MODULES) if found != name}
        for name, path in MODULES.items()
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
