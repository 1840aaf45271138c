"""The least machine that we promise to run on, and what it makes of the reference app."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
UNPACKED = Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
"""Where jsii keeps the CDK unpacked: a home without it unpacks it again, for seven seconds."""
WITHOUT_DEFAULT_RULES = {"CDK_VALIDATION": "false"}
"""For a synth that the AWS CDK need not validate by its own rules, which takes it two seconds: ours are others."""


@dataclass(frozen=True)
class Assembly:
    """A synthesized cloud assembly, and what the command that made it printed."""

    folder: Path
    printed: str


@dataclass(frozen=True)
class Machine:
    """A machine that has Python and make, but neither Node nor AWS configuration."""

    environment: dict[str, str]

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's root; what it prints, errors included, is in stdout."""
        return subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def synthesize(self, app: str, output: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `cdk synth` on an app other than the one that cdk.json names."""
        variables = {"PATH": f"{ROOT}/.venv/bin:{self.environment['PATH']}", **variables}
        synth = ["synth", "--quiet", "--no-notices", "--app", app, "--output", str(output)]
        return self.run(ROOT / ".venv/bin/cdk", *synth, **variables)
