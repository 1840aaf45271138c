"""The pytest plugin, as a project that uses it sees it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import tableguard

PROJECT = """
from tableguard.review.picture import Picture

TABLE = "arn:aws:dynamodb:us-east-1:444455556666:table/orders"
REQUEST = dict(principal="anonymous", action="dynamodb:GetItem", resource=TABLE)

def test_denied(assert_denied):
    assert_denied(Picture(), **REQUEST)

def test_allowed(assert_allowed):
    assert_allowed(Picture(), **REQUEST)
"""


def test_the_assertions_are_fixtures_and_their_failures_readable(tmp_path: Path) -> None:
    (tmp_path / "test_project.py").write_text(PROJECT)

    plugins = ("-p", "no:tableguard", "-p", "tableguard.testing.plugin")  # as if installed, whether or not it is

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(tableguard.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 failed, 1 passed" in done.stdout
    assert "E       AssertionError: Expected dynamodb:GetItem on arn:aws:dynamodb" in done.stdout
    assert "decisions.py" not in done.stdout


def test_pytest_finds_it_by_its_entry_point(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]

    assert project["entry-points"]["pytest11"] == {"tableguard": "tableguard.testing.plugin"}
    assert any(name.startswith("pytest") for name in project["optional-dependencies"]["testing"])


def test_nothing_else_imports_pytest_or_the_cdk() -> None:
    code = "import sys, tableguard, tableguard.testing; sys.exit(any(n in sys.modules for n in ('pytest', 'aws_cdk')))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
