"""Emulators to deploy to: each test gets one of its own, which begins where the reference deployment stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from scripts.deployment.report import Report
from scripts.deployment.trial import Trial
from tests.integration import deploy_local
from tests.integration.emulator.server import Emulator
from tests.project.machine import Machine


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
    """A stopped emulator, and the assemblies that belong to what is in it."""

    emulator: Emulator
    today: Path
    tomorrow: Path

    def trial(self, emulator: Emulator) -> Trial:
        """A trial on an emulator that began like this one."""
        trial = deploy_local.trial(emulator, silent())
        trial.today, trial.tomorrow = self.today, self.tomorrow
        return trial


@pytest.fixture(scope="session")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Every account is bootstrapped, and nothing deployed."""
    # Where pytest cleans up: a worker that is killed cannot, and no process watches over a stopped emulator's folder.
    with Emulator(within=tmp_path_factory.getbasetemp()) as emulator:
        trial = deploy_local.trial(emulator, silent())
        trial.prepare()
        trial.bootstrap()
        emulator.stop()
        yield Stage(emulator, trial.today, trial.tomorrow)


@pytest.fixture(scope="session")
def deployed(bootstrapped: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The reference organization is deployed."""
    with Emulator(bootstrapped.emulator, within=tmp_path_factory.getbasetemp()) as emulator:
        trial = bootstrapped.trial(emulator)
        trial.deploy()
        assert trial.report.failed == []
        emulator.stop()
        yield Stage(emulator, bootstrapped.today, bootstrapped.tomorrow)


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
