import base64
import hashlib
import importlib.metadata
import io
import json
import re
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import aws_cdk
import pytest

from tests.project.machine import ROOT, Machine

LISTS = {"dev": ".venv", "floor": ".venv-floor", "checkov": ".venv-checkov", "emulator": ".venv-emulator"}


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / f"requirements/{name}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", LISTS)
def test_every_line_is_one_exact_version(name: str) -> None:
    lines = (ROOT / f"requirements/{name}.txt").read_text().splitlines()[1:]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)] == []


@pytest.mark.parametrize(("name", "environment"), LISTS.items())
def test_nothing_is_installed_that_is_not_pinned(name: str, environment: str) -> None:
    (packages,) = (ROOT / environment).glob("lib/python3*/site-packages")
    found_in = [packages, *packages.glob("*.whl")]  # a wheel is imported as it is
    distributions = importlib.metadata.distributions(path=[str(path) for path in found_in])
    installed = {normalized(found.name): found.version for found in distributions}
    pinned = {normalized(package): version for package, version in pins(name).items()}
    installed.pop("tableguard", None)  # from here
    assert installed == pinned


def test_nothing_of_aws_cdk_lib_is_overwritten_by_a_package_that_it_needs() -> None:
    """Two packages write this file, and Python imports the one that was installed last."""
    (found,) = (
        path
        for path in importlib.metadata.files("aws-cdk-lib") or ()
        if str(path) == "aws_cdk/cloud_assembly_schema/__init__.py"
    )
    assert found.hash
    digest = hashlib.new(found.hash.mode, found.read_binary()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == found.hash.value


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_floor_is_the_lowest_that_pyproject_declares() -> None:
    declared = {}
    for dependency in project()["project"]["dependencies"]:
        name, lowest = dependency.split(",")[0].split(">=")
        declared[name] = lowest
    assert {name: version for name, version in pins("floor").items() if name in declared} == declared


@pytest.mark.parametrize("group", ["dev", "emulator"])
def test_what_pyproject_pins_exactly_is_what_is_pinned(group: str) -> None:
    exact = [pin.split("==") for pin in project()["dependency-groups"][group] if "==" in pin]
    assert exact
    assert {name: pins(group)[name] for name, _ in exact} == dict(exact)


def test_the_cdk_cli_is_the_one_in_the_lock_file(bare_machine: Machine) -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]["aws-cdk"]
    done = bare_machine.run(ROOT / ".venv/bin/cdk", "--version", PATH=f"{ROOT}/.venv/bin")
    assert re.match(r"\d+\.\d+\.\d+", done.stdout), done.stdout
    assert done.stdout.split()[0] == wanted


def test_the_lock_file_proves_what_it_names_and_names_no_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


@pytest.mark.parametrize(
    "name",
    ["Makefile", "pyproject.toml", "package.json", "package-lock.json", ".ci/run"]
    + [f"requirements/{name}.txt" for name in LISTS],
)
def test_no_file_of_the_set_up_names_an_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()


def recommended_feature_flags() -> dict[str, Any]:
    """As the pinned aws-cdk-lib ships them, inside the npm package that its wheel carries."""
    (packed,) = Path(aws_cdk.__file__).parent.glob("_jsii/aws-cdk-lib@*.tgz")
    with tarfile.open(packed) as archive:
        content = archive.extractfile("package/recommended-feature-flags.json")
        assert isinstance(content, io.BufferedReader)
        flags: dict[str, Any] = json.load(content)
    return flags


def test_cdk_json_sets_every_recommended_feature_flag() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    recommended = recommended_feature_flags()
    assert recommended["@aws-cdk/core:validateAgainstDefaultRules"] is True
    assert {flag: context.get(flag) for flag in recommended} == recommended


def test_git_ignores_what_is_made_here() -> None:
    made = [*LISTS.values(), "cdk.out", "dist", "build", "constructs/tableguard.egg-info"]
    done = subprocess.run(
        ["git", "check-ignore", *(f"{name}/x" for name in made)],  # noqa: S607  git is where the contributor has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(done.stdout.splitlines()) == len(made)
