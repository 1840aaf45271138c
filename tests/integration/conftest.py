"""Emulators to deploy to: each test gets one of its own, which begins where the reference deployment stands."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import pytest

from scripts.deployment.accounts import Accounts
from scripts.deployment.cdk import Cdk
from scripts.deployment.plan import CONTEXT
from scripts.deployment.report import Report
from scripts.deployment.trial import Trial
from tests.conftest import Once
from tests.integration import deploy_local
from tests.integration.emulator.server import Emulator, Kept
from tests.project.machine import ROOT, Assembly, Machine


def silent() -> Report:
    return Report(show=lambda _line: None)


@pytest.fixture(scope="session")
def machine(bare_machine: Machine) -> Machine:
    """A machine on which `make` need not set anything up, and so pull nothing from under other tests."""
    ready = bare_machine.run("make", "--question", ".venv/.project", ".venv/.cli", ".venv-emulator/.packages")
    assert ready.returncode == 0, "A pin changed: run `make setup`."
    return bare_machine


@dataclass(frozen=True)
class Stage:
    """The state of an emulator, and the assemblies that belong to what is in it."""

    emulator: Kept
    today: Path
    tomorrow: Path

    def trial(self, emulator: Emulator) -> Trial:
        """A trial on an emulator that began like this one."""
        trial = deploy_local.trial(emulator, silent())
        trial.today, trial.tomorrow = self.today, self.tomorrow
        return trial


@pytest.fixture(scope="session")
def assemblies(reference_app: Assembly, once: Once, machine: Machine) -> tuple[Path, Path]:
    """The reference organization, which is what `make synth` makes, and the same with its tenants changed."""

    def synth(folder: Path) -> None:
        plan = deploy_local.plan()
        settings = json.loads((ROOT / "cdk.json").read_text())
        assert settings["context"][CONTEXT] == plan.organization
        accounts = Accounts(plan.profiles, {**machine.environment, "AWS_CONFIG_FILE": os.devnull})
        Cdk(accounts, plan.pipeline, folder, silent()).synth("tomorrow", plan.changed)
        shutil.copytree(reference_app.folder, folder / "today")  # deployments leave the packed assets in it

    folder = once("assemblies", synth)
    return folder / "today", folder / "tomorrow" / "cdk.out"


@pytest.fixture(scope="session")
def bootstrapped(assemblies: tuple[Path, Path], once: Once) -> Stage:
    """Every account is bootstrapped, and nothing deployed."""

    def bootstrap(folder: Path) -> None:
        with Emulator() as emulator:
            trial = Stage(Kept(folder), *assemblies).trial(emulator)
            trial.prepare()
            trial.bootstrap()
            emulator.keep(folder)

    return Stage(Kept(once("bootstrapped", bootstrap)), *assemblies)


@pytest.fixture(scope="session")
def deployed(bootstrapped: Stage, once: Once) -> Stage:
    """The reference organization is deployed."""

    def deploy(folder: Path) -> None:
        with Emulator(bootstrapped.emulator) as emulator:
            trial = bootstrapped.trial(emulator)
            trial.deploy()
            assert trial.report.failed == []
            emulator.keep(folder)

    return replace(bootstrapped, emulator=Kept(once("deployed", deploy)))


Begin: TypeAlias = Callable[[Stage], tuple[Emulator, Trial]]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin where a stage stands, on an emulator that the test alone uses."""
    with ExitStack() as running:

        def begin(stage: Stage) -> tuple[Emulator, Trial]:
            emulator = running.enter_context(Emulator(stage.emulator))
            return emulator, stage.trial(emulator)

        yield begin


@pytest.fixture(scope="module")
def shared(deployed: Stage) -> Iterator[Trial]:
    """The deployed organization, for tests that follow each other in changing it."""
    with Emulator(deployed.emulator) as emulator:
        yield deployed.trial(emulator)
