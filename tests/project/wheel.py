"""Builds the wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.project.machine import ROOT


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy: a build leaves folders behind in the tree that it builds from.

    Args:
        folder: Where to; made here.
    """
    source, built = folder / "source", folder / "built"
    shutil.copytree(
        ROOT / "constructs", source / "constructs", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--wheel-dir", built, source], check=True)
    (path,) = built.glob("*.whl")
    return path
