"""Builds the wheel. Links of the README, which PyPI shows by itself, lead to the repository in it or become texts."""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\[([^]]+)\]\((?!https?:|#)([^)]+)\)")


def description(readme: str, files: str | None) -> str:
    """The README as it stands in the wheel.

    Args:
        readme: The README.
        files: The address below which the repository's files are shown; None makes texts of links to files.
    """
    if files is None:
        return _LINK.sub(lambda link: link[1] if link[1] == link[2] else f"{link[1]} ({link[2]})", readme)
    return _LINK.sub(rf"[\1]({files}/\2)", readme)


def build_wheel(folder: Path, *, repository: str | None = None) -> Path:
    """Build the wheel from a copy: a build leaves folders behind in the tree that it builds from.

    Args:
        folder: Where to.
        repository: The address of the repository on GitHub; None before it has one.
    """
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    files = None if repository is None else f"{repository.rstrip('/')}/blob/v{version}"
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "source"
        shutil.copytree(
            ROOT / "constructs", source / "constructs", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
        )
        for name in ("pyproject.toml", "LICENSE"):
            shutil.copy(ROOT / name, source)
        (source / "README.md").write_text(description((ROOT / "README.md").read_text(), files))
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
        offline = ["--no-deps", "--no-index", "--no-build-isolation"]
        subprocess.run([*pip, *offline, "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob(f"tableguard-{version}-*.whl")
    return wheel


if __name__ == "__main__":
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)  # one wheel is there, for `pip install dist/*.whl`
    print(build_wheel(dist, repository=sys.argv[1] if len(sys.argv) > 1 else None).relative_to(ROOT))
