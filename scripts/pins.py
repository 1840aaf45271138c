"""Resolves the requirements of pyproject.toml to the full lists of exact versions in requirements/.

Run it with the oldest Python that is supported: what pip chooses for that one installs on the later ones as well.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LEFT_OUT = {
    "numpy": "60 MB, which rustworkx asks for and imports in its functions on matrices alone; checkov calls none",
}
"""Packages that are not installed though another one asks for them, each with the reason."""


def floors(dependencies: list[str]) -> list[str]:
    """The lower bounds of "name>=lowest,<next", as exact versions."""
    return [dependency.split(",")[0].replace(">=", "==") for dependency in dependencies]


def resolve(requirements: list[str]) -> list[str]:
    """Every distribution that these need, as name==version."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    dry_run = ["--dry-run", "--ignore-installed", "--only-binary=:all:", "--report", "-"]
    done = subprocess.run([*pip, *dry_run, *requirements], check=True, stdout=subprocess.PIPE, text=True)
    found = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    chosen = [f"{package['name']}=={package['version']}" for package in found if package["name"] not in LEFT_OUT]
    return sorted(chosen, key=str.lower)


def main() -> None:
    """Write the lists in requirements/."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = {
        "dev": [*project["project"]["dependencies"], *groups["dev"]],
        "checkov": groups["checkov"],
        "emulator": groups["emulator"],
        "floor": floors(project["project"]["dependencies"]),
    }
    for name, requirements in wanted.items():
        pins = resolve(requirements)
        header = "# Written by `make pins` from pyproject.toml."
        (ROOT / "requirements" / f"{name}.txt").write_text("\n".join([header, *pins, ""]))
        print(f"requirements/{name}.txt: {len(pins)} packages")


if __name__ == "__main__":
    main()
