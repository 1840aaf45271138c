"""Emulators: one that is empty and whose accounts tests share out, and those that begin with a deployment."""

from __future__ import annotations

import datetime as dt
import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from scripts.deployment.report import Report
from scripts.deployment.trial import Trial
from tests.conftest import Once
from tests.integration import deploy_local
from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator, Kept
from tests.project.machine import WITHOUT_DEFAULT_RULES, Machine


def silent() -> Report:
    return Report(show=lambda _line: None)


@pytest.fixture(scope="session")
def machine(bare_machine: Machine) -> Machine:
    """A machine on which `make` need not set anything up, and so pull nothing from under other tests."""
    ready = bare_machine.run("make", "--question", ".venv/.project", ".venv/.cli", ".venv-emulator/.packages")
    assert ready.returncode == 0, "A pin changed: run `make setup`."
    return Machine({**bare_machine.environment, **WITHOUT_DEFAULT_RULES})


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


@dataclass(frozen=True)
class LocalDeployment:
    """What `make deploy-local` did, and what it left for others to begin with."""

    folder: Path
    returncode: int
    printed: str
    seconds: float
    """How long it took or, if that was less, how long the processors worked for it."""

    def stage(self, name: str) -> Stage:
        """Where it stood on its way."""
        assert (self.folder / name).is_dir(), self.printed
        return Stage(Kept(self.folder / name), *(self.folder / day / "cdk.out" for day in ("today", "tomorrow")))


@pytest.fixture(scope="session")
def local_deployment(machine: Machine, once: Once) -> LocalDeployment:
    """`make deploy-local`, as a contributor runs it on a machine that has Python and make."""

    def deploy(folder: Path) -> None:
        (folder / "tmp").mkdir()
        begun, worked = time.monotonic(), processor_seconds()
        done = machine.run("make", "deploy-local", f"KEEP={folder}", TMPDIR=str(folder / "tmp"))
        seconds = min(time.monotonic() - begun, processor_seconds() - worked)
        (folder / "told.json").write_text(json.dumps([done.returncode, done.stdout, seconds]))

    folder = once("deploy-local", deploy)
    return LocalDeployment(folder, *json.loads((folder / "told.json").read_text()))


def processor_seconds() -> float:
    """What the processes that ended here have worked."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


@pytest.fixture(scope="session")
def bootstrapped(local_deployment: LocalDeployment) -> Stage:
    """Every account is bootstrapped, and nothing deployed."""
    return local_deployment.stage("bootstrapped")


@pytest.fixture(scope="session")
def deployed(local_deployment: LocalDeployment) -> Stage:
    """The reference organization is deployed."""
    return local_deployment.stage("deployed")


@pytest.fixture(scope="session")
def empty_emulator() -> Iterator[Emulator]:
    """An emulator in which every test has accounts and buckets of its own, so that none meets what another has made.

    A test that changes what holds for all accounts uses `emulator`.
    """
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(empty_emulator: Emulator) -> Iterator[Emulator]:
    """The same, with what holds for all accounts put back after the test: its clock, faults and who decides."""
    try:
        yield empty_emulator
    finally:
        controls = Controls(empty_emulator)
        controls.forget()
        controls.shift(dt.timedelta())
        controls.bind_s3(on=True)


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
