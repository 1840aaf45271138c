"""Somebody who has Python, Node, the CDK CLI and the wheel, and nothing else of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.machine import ROOT

_TOOLS = ("node", "cdk")
_DECLARED = ("aws-cdk-lib", "constructs", "jsii")


@dataclass(frozen=True)
class Newcomer:
    """Somebody in a folder of their own, with an environment that holds the wheel and what it depends on.

    Args:
        folder: Theirs.
        environment: The environment's variables.
    """

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def with_wheel(cls, wheel: Path, folder: Path, environment: Mapping[str, str]) -> Newcomer:
        """Install the wheel as `pip install` does, only that its dependencies are not downloaded again.

        Args:
            wheel: The wheel.
            folder: For all that is made; its subfolder `shop` is theirs.
            environment: The environment's variables, a PATH with no tool of ours among them.
        """
        venv, tools, packages, theirs = (folder / name for name in ("venv", "tools", "packages", "shop"))
        for made in (tools, packages, theirs):
            made.mkdir()
        for tool in _TOOLS:
            (tools / tool).symlink_to(ROOT / ".venv" / "bin" / tool)
        for name, found in _top_levels(_DECLARED):
            (packages / name).symlink_to(found)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        (site,) = venv.glob("lib/python*/site-packages")
        (site / "downloaded.pth").write_text(f"{packages}\n")
        pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "--disable-pip-version-check"]
        # It finds what the wheel declares, or fails: there is no index.
        subprocess.run([*pip, "install", "--quiet", "--no-index", wheel], check=True)
        path = f"{venv / 'bin'}:{tools}:{environment['PATH']}"
        terminal = {"COLUMNS": "80", "NO_COLOR": "1"}
        return cls(theirs, {**environment, **terminal, "PATH": path})

    def run(self, *command: str) -> str:
        """Run a command in their folder; returns all that it prints.

        Raises:
            AssertionError: It fails.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def _top_levels(names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The files and folders of distributions and of all that they depend on, in our own environment."""
    found: dict[str, Path] = {}
    for each in _with_dependencies(names).values():
        for file in each.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__"):
                found[top] = Path(str(each.locate_file(top)))
    yield from found.items()


def _with_dependencies(names: Sequence[str]) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found[name] = distribution(name)
            required = map(Requirement, found[name].requires or ())
            waiting += [each.name for each in required if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found
