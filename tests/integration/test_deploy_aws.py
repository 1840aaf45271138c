"""`make deploy-aws`: dry by default, asks before it touches anything, and does the same as `make deploy-local`."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment.__main__ import main
from scripts.deployment.inventory import inventory
from scripts.deployment.trial import Trial
from tests.integration import deploy_local
from tests.integration.conftest import Begin, Stage
from tests.integration.emulator.server import Emulator
from tests.project.machine import ROOT, Machine


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    said = deploy_local.plan()
    file = tmp_path / "accounts.json"
    file.write_text(
        json.dumps(
            {
                "organization": said.organization,
                "pipeline": said.pipeline,
                "profiles": dict(said.profiles),
                "joining": dict([said.joining]),
            }
        )
    )
    return file


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """Listens where AWS is looked for."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0)
        yield listening


def deploy_aws(
    machine: Machine, *arguments: str, answer: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """`make deploy-aws`, with an answer typed into it."""
    return subprocess.run(
        ["make", "deploy-aws", *arguments],  # noqa: S607  make is where the machine has it
        cwd=ROOT,
        env={**machine.environment, **variables},
        input=answer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def emulated(trial: Trial) -> Mapping[str, str]:
    """The variables that lead to the emulator, as somebody would set them."""
    return {name: value for name, value in trial.accounts.environment.items() if name.startswith(("AWS_", "CDK_"))}


def there(trial: Trial) -> frozenset[Any]:
    return inventory(trial.accounts, trial.plan.places)


def test_says_what_it_would_do_and_asks_nobody(machine: Machine, plan: Path, silence: socket.socket) -> None:
    endpoint = f"http://127.0.0.1:{silence.getsockname()[1]}"
    done = deploy_aws(machine, f"PLAN={plan}", AWS_ENDPOINT_URL=endpoint)
    assert done.returncode == 0, done.stdout
    for said in ("TenantDelta", "888899990000", "CentralData", "add the tenant Delta, remove the tenant Charlie"):
        assert said in done.stdout
    assert done.stdout.rstrip().endswith("To do it: make deploy-aws PLAN=… RUN=yes")
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    with pytest.raises(BlockingIOError):
        silence.accept()


def test_says_how_to_call_it(machine: Machine) -> None:
    done = deploy_aws(machine)
    assert done.returncode != 0
    assert "make deploy-aws PLAN=accounts.json" in done.stdout
    assert "docs/verify-on-aws.md" in done.stdout


def test_says_what_is_wrong_with_a_plan(machine: Machine, tmp_path: Path) -> None:
    done = deploy_aws(machine, f"PLAN={tmp_path / 'none.json'}", "RUN=yes")
    assert done.returncode != 0
    assert "none.json cannot be read" in done.stdout


def test_says_which_profile_is_missing(machine: Machine, plan: Path, tmp_path: Path) -> None:
    none = {name: str(tmp_path / "none") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    done = deploy_aws(machine, f"PLAN={plan}", "RUN=yes", **none)
    assert done.returncode != 0
    assert "Stopped. The profile 999900001111, for account 999900001111, cannot be used: " in done.stdout
    assert "Traceback" not in done.stdout


@pytest.fixture(scope="module")
def untouched(bootstrapped: Stage) -> Iterator[tuple[Trial, frozenset[Any]]]:
    """Accounts of which nothing is to be touched, and what is there."""
    with Emulator(bootstrapped.emulator) as emulator:
        trial = bootstrapped.trial(emulator)
        yield trial, there(trial)


def test_says_what_keeps_the_app_from_being_synthesized(
    plan: Path,
    untouched: tuple[Trial, frozenset[Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = json.loads(plan.read_text())
    said["organization"]["vendor"] = {"account": "no id"}
    plan.write_text(json.dumps(said))
    monkeypatch.setattr("builtins.input", lambda _question: "444455556666")
    trial, before = untouched
    for name, value in trial.accounts.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["--run", str(plan)]) == 2
    assert there(trial) == before
    stopped = capsys.readouterr().err
    assert stopped.startswith("Stopped. `cdk synth` has failed:\n")
    assert "'no id'" in stopped


@pytest.mark.parametrize("answer", ["", "yes\n"])
def test_touches_nothing_without_the_confirmation(
    machine: Machine, plan: Path, untouched: tuple[Trial, frozenset[Any]], answer: str
) -> None:
    trial, before = untouched
    done = deploy_aws(machine, f"PLAN={plan}", "RUN=yes", answer=answer, **emulated(trial))
    assert done.returncode != 0
    assert "type the id of the account that gets the table (444455556666)" in done.stdout
    assert "Nothing was touched." in done.stdout
    assert there(trial) == before


def test_touches_nothing_with_the_profile_of_another_account(
    machine: Machine, plan: Path, untouched: tuple[Trial, frozenset[Any]]
) -> None:
    said = json.loads(plan.read_text())
    said["profiles"]["444455556666"] = "111122223333"
    plan.write_text(json.dumps(said))
    trial, before = untouched
    done = deploy_aws(machine, f"PLAN={plan}", "RUN=yes", answer="444455556666\n", **emulated(trial))
    assert done.returncode != 0
    assert "The profile 111122223333 is of account 111122223333, and not of 444455556666." in done.stdout
    assert there(trial) == before


def test_does_all_of_it_once_it_is_confirmed(
    plan: Path,
    bootstrapped: Stage,
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, trial = begin(bootstrapped)
    before = there(trial)
    monkeypatch.setattr("builtins.input", lambda _question: "444455556666")
    for name, value in trial.accounts.environment.items():
        monkeypatch.setenv(name, value)
    for day in ("today", "tomorrow"):  # assemblies of the same plan: `make deploy-local` has synthesized them
        monkeypatch.setattr(Trial, day, getattr(bootstrapped, day))
    done = main(["--run", str(plan)])
    printed = capsys.readouterr().out
    assert done == 0, printed
    assert "444455556666/us-east-1 is bootstrapped already" in printed
    assert "  ok      that item is in the table of account 444455556666" in printed
    assert "  ok      the accounts are as they were before" in printed
    assert printed.rstrip().endswith("checks, 0 failed")
    assert there(trial) == before
