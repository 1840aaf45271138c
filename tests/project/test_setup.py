import re
import shutil
from pathlib import Path

import pytest

from scripts.check_python import problem
from tests.project.machine import ROOT, Machine

ENVIRONMENTS = [
    ".venv/.packages",
    ".venv/.project",
    ".venv/.cli",
    ".venv-floor/.packages",
    ".venv-checkov/.packages",
    ".venv-emulator/.packages",
]


def test_a_second_run_does_not_set_up_again(bare_machine: Machine) -> None:
    done = bare_machine.run("make", "--question", *ENVIRONMENTS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("changed", "made_again"),
    [
        ("requirements/dev.txt", [".venv/.packages", ".venv/.project", ".venv/.cli"]),
        ("requirements/floor.txt", [".venv-floor/.packages"]),
        ("requirements/checkov.txt", [".venv-checkov/.packages"]),
        ("requirements/emulator.txt", [".venv-emulator/.packages"]),
        ("pyproject.toml", [".venv/.project"]),
        ("package.json", [".venv/.cli"]),
        ("package-lock.json", [".venv/.cli"]),
    ],
)
def test_a_changed_pin_sets_up_again_what_it_pins(bare_machine: Machine, changed: str, made_again: list[str]) -> None:
    stale = [
        environment
        for environment in ENVIRONMENTS
        if bare_machine.run("make", "--question", f"--what-if={changed}", environment).returncode == 1
    ]
    assert stale == made_again


def test_node_comes_from_the_environment(bare_machine: Machine) -> None:
    assert shutil.which("node", path=bare_machine.environment["PATH"]) is None
    done = bare_machine.run(ROOT / ".venv/bin/node", "--print", "process.execPath")
    assert Path(done.stdout.strip()).is_relative_to(ROOT / ".venv"), done.stdout


def test_help_names_every_target_in_80_columns(bare_machine: Machine) -> None:
    done = bare_machine.run("make")
    targets = set(re.findall(r"^\.PHONY: ([\w-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"synth", "test"} < targets
    assert set(re.findall(r"^ *make ([\w-]+) ", done.stdout, re.MULTILINE)) == targets - {"help"}
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("version", "modules", "expected"),
    [
        ((2, 7, 18), {"ensurepip", "venv"}, "needs Python 3.11 or later, and this is 2.7.18"),
        ((3, 10, 13), {"ensurepip", "venv"}, "needs Python 3.11 or later, and this is 3.10.13"),
        ((3, 11, 0), {"venv"}, "lacks ensurepip"),
        ((3, 13, 0), set(), "lacks ensurepip and venv"),
        ((3, 11, 0), {"ensurepip", "venv"}, None),
        ((4, 0, 0), {"ensurepip", "venv"}, None),
    ],
)
def test_says_why_an_interpreter_will_not_do(
    version: tuple[int, int, int], modules: set[str], expected: str | None
) -> None:
    found = problem(version, frozenset(modules))
    assert (found is None) if expected is None else (found is not None and expected in found)


@pytest.fixture
def fresh_clone(tmp_path: Path) -> Path:
    """As much of the project as `make` reads before it knows its interpreter."""
    for name in ("Makefile", "scripts", "requirements"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_make_stops_at_an_old_interpreter(bare_machine: Machine, fresh_clone: Path) -> None:
    old = fresh_clone / "old-python"
    pretend = "import runpy, sys; sys.version_info = (3, 10, 13); runpy.run_path(sys.argv[1], run_name='__main__')"
    old.write_text(f'#!/bin/sh\nexec {ROOT}/.venv/bin/python -c "{pretend}" "$@"\n')
    old.chmod(0o755)
    done = bare_machine.run("make", "-C", fresh_clone, f"PYTHON={old}", ".venv/.packages")
    assert done.returncode != 0
    assert "needs Python 3.11 or later, and this is 3.10.13" in done.stdout
    assert not (fresh_clone / ".venv").exists()


def test_make_stops_without_an_interpreter(bare_machine: Machine, fresh_clone: Path) -> None:
    done = bare_machine.run("make", "-C", fresh_clone, "PYTHON=no-such-python", "synth")
    assert done.returncode != 0
    assert "No no-such-python here: install Python 3.11 or later" in done.stdout
