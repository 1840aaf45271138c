"""The CDK CLI, as the pipeline runs it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.deployment.accounts import Accounts
from scripts.deployment.plan import CONTEXT, ROOT, Json, Place
from scripts.deployment.report import Report

TOOLKIT = "CDKToolkit"
_BIN = ROOT / ".venv" / "bin"
_STEPS = re.compile(r"^\S+: (?:deploying|destroying)\b")
_LAST_LINES = 25


class CdkError(Exception):
    """The CDK CLI has failed."""


@dataclass(frozen=True)
class Cdk:
    """Runs `cdk` on the reference app.

    Args:
        accounts: The accounts, by their profiles.
        pipeline: The account that deploys.
        folder: What is synthesized is written here.
        report: Hears of the progress.
    """

    accounts: Accounts
    pipeline: str
    folder: Path
    report: Report

    def synth(self, name: str, organization: Json) -> Path:
        """Synthesize the app for an organization other than the one in cdk.json.

        Args:
            name: Of the folder for the assembly.
            organization: As the context in cdk.json writes it.
        """
        settings: Json = json.loads((ROOT / "cdk.json").read_text())
        settings["app"] = f"python3 {ROOT / 'app.py'}"
        settings["context"][CONTEXT] = organization
        app, assembly = self.folder / name, self.folder / name / "cdk.out"
        app.mkdir(parents=True, exist_ok=True)
        (app / "cdk.json").write_text(json.dumps(settings))
        self.run("synth", "--quiet", "--output", str(assembly), folder=app)
        return assembly

    def bootstrap(self, place: Place) -> None:
        """Prepare an account and region for deployments by the pipeline."""
        account, region = place
        trust = ["--trust", self.pipeline, "--cloudformation-execution-policies"]
        policy = "arn:aws:iam::aws:policy/AdministratorAccess"
        self.run("bootstrap", f"aws://{account}/{region}", "--app", "", *trust, policy, account=account)

    def deploy(self, assembly: Path, stacks: Sequence[str] = ("--all",)) -> str:
        """Deploy stacks of an assembly, all of them when none are named; returns what was printed."""
        return self.run("deploy", *stacks, "--app", str(assembly), "--require-approval", "never")

    def destroy(self, assembly: Path, stacks: Sequence[str] = ("--all",)) -> None:
        """Destroy stacks of an assembly, all of them when none are named."""
        self.run("destroy", *stacks, "--app", str(assembly), "--force")

    def differs(self, assembly: Path) -> str:
        """What `cdk diff` says about an assembly that differs from what is deployed; empty if it does not differ."""
        done = self._start("diff", "--fail", "--app", str(assembly), account=self.pipeline)
        printed = _printed(done, Report(show=lambda _line: None))
        if done.returncode not in (0, 1):
            raise CdkError(_said("diff", printed))
        return "".join(printed) if done.returncode else ""

    def run(self, *arguments: str, account: str = "", folder: Path = ROOT) -> str:
        """Run `cdk`, and return what it printed.

        Args:
            arguments: Of `cdk`.
            account: Whose profile it uses; the pipeline's when left out.
            folder: Where it runs.

        Raises:
            CdkError: It fails.
        """
        done = self._start(*arguments, account=account or self.pipeline, folder=folder)
        printed = _printed(done, self.report)
        if done.returncode:
            raise CdkError(_said(arguments[0], printed))
        return "".join(printed)

    def _start(self, *arguments: str, account: str, folder: Path = ROOT) -> subprocess.Popen[str]:
        quiet = ["--no-notices", "--no-color", "--ci", "--profile", self.accounts.profiles[account]]
        return subprocess.Popen(
            [str(_BIN / "cdk"), *arguments, *quiet],
            cwd=folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _environment(self) -> Mapping[str, str]:
        environment = self.accounts.environment
        return {**environment, "PATH": f"{_BIN}:{environment['PATH']}"}


def _printed(process: subprocess.Popen[str], report: Report) -> list[str]:
    """All lines that a process prints; the steps among them are reported as they come."""
    lines = []
    with process:
        try:
            for line in process.stdout or ():
                lines.append(line)
                if _STEPS.match(line):
                    report.progress(line.split("...")[0])
        except BaseException:
            process.kill()
            raise
    return lines


def _said(command: str, printed: Sequence[str]) -> str:
    return f"`cdk {command}` has failed:\n{''.join(printed[-_LAST_LINES:])}"
