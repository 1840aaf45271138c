"""What every test may use: the project's root, a bare machine, and one synthesized reference app."""

import fcntl
import gc
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import hypothesis
import pytest

from scripts.wheel import build_wheel
from tests.project.machine import ROOT, UNPACKED, WITHOUT_DEFAULT_RULES, Assembly, Machine

# A shell lets what it starts in the background ignore interrupts, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ |= WITHOUT_DEFAULT_RULES  # before anything imports the CDK; the reference app has to pass them

# The same examples in every run and no deadline: a gate must not fail because a machine was busy, nor pass by luck.
# HYPOTHESIS_PROFILE=explore looks for new examples.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


gc.disable()  # nothing of what is imported and collected is garbage


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Worker processes import one after another: what the first has compiled, the others need not compile again."""
    with one_at_a_time(Path(__file__)):
        return (yield)


def pytest_collection_finish() -> None:
    """What is there by now stays: nobody need look through it for garbage again and again."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """What is garbage by now is looked at once: pytest looks five times, at all that is there."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def bare_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Whatever this machine has, only the tools that `make` itself needs are on PATH."""
    tools = tmp_path_factory.mktemp("tools")
    for name in ("make", "sh", "sed"):
        found = next(path for path in os.get_exec_path() if os.access(Path(path, name), os.X_OK))
        (tools / name).symlink_to(Path(found, name))
    home = tmp_path_factory.mktemp("home")
    quiet = {
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(UNPACKED),
    }
    return Machine({"PATH": str(tools), "HOME": str(home), "LANG": "C.UTF-8", **quiet})


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Hold a lock between the worker processes of pytest-xdist."""
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


Once: TypeAlias = Callable[[str, Callable[[Path], object]], Path]
"""`once(name, make)` is a folder of that name, which `make` is asked to fill when no test has it yet."""


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """What is made once for all tests and workers, and removed when pytest removes its temporary folders."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with one_at_a_time(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one that failed
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def reference_app(bare_machine: Machine, once: Once) -> Assembly:
    """The reference app as `make synth` makes it on a bare machine."""

    def synth(folder: Path) -> None:
        # Setting up needs more than a bare machine has here, and would pull the environment from under other tests.
        ready = bare_machine.run("make", "--question", ".venv/.project", ".venv/.cli")
        assert ready.returncode == 0, "A pin changed: run `make setup`."
        done = bare_machine.run("make", "synth", f"OUT={folder / 'cdk.out'}")
        assert done.returncode == 0, done.stdout
        (folder / "printed").write_text(done.stdout)

    folder = once("reference-app", synth)
    return Assembly(folder / "cdk.out", (folder / "printed").read_text())


@pytest.fixture(scope="session")
def wheel(once: Once) -> Path:
    """The wheel."""
    (found,) = once("wheel", build_wheel).glob("*.whl")
    return found
