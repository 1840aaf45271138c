"""Fixtures of the tests of the project itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def wheel(root: Path, tmp_path: Path) -> Path:
    """The wheel, built from a copy: a build leaves folders behind in the tree that it builds from."""
    source, built = tmp_path / "source", tmp_path / "built"
    shutil.copytree(root / "constructs", source / "constructs", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--wheel-dir", built, source], check=True)
    (path,) = built.glob("*.whl")
    return path
