"""The organization with backups: deployed once, and a copy for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import aws_cdk as cdk
import pytest

from scripts.deployment.accounts import Accounts
from scripts.deployment.cdk import Cdk
from scripts.deployment.plan import context
from scripts.deployment.report import Report
from tests.conftest import Once
from tests.integration import deploy_local
from tests.integration.backup import organization as org, tested_account
from tests.integration.backup.flow import PAUSES, Flow
from tests.integration.emulator.server import Emulator, Kept

_PIPELINE = "999900001111"


def _deploy(emulator: Emulator, build: Callable[[cdk.App], object], places: Sequence[str]) -> None:
    profiles = {account: account for account in (_PIPELINE, *places)}
    accounts = Accounts(profiles, deploy_local.environment(emulator, profiles))
    cli = Cdk(accounts, _PIPELINE, emulator.folder, Report(show=lambda _line: None))
    for account in places:
        cli.bootstrap((account, org.REGION))
    app = cdk.App(outdir=str(emulator.folder / "cdk.out"), context=context())
    build(app)
    cli.deploy(Path(app.synth().directory))
    Flow(emulator).switch_schedules(on=False)


@pytest.fixture(scope="session")
def backed_up(once: Once) -> Kept:
    """The organization is deployed."""

    def deploy(folder: Path) -> None:
        with Emulator() as emulator:
            _deploy(emulator, org.build, (org.DATA, org.VAULT, org.RECOVERY))
            emulator.keep(folder)

    return Kept(once("backed-up", deploy))


BeginFlow: TypeAlias = Callable[[], Flow]


@pytest.fixture
def begin_flow(backed_up: Kept) -> Iterator[BeginFlow]:
    """Begin with nothing but what was deployed, in an emulator of its own."""
    with ExitStack() as running:
        yield lambda: Flow(running.enter_context(Emulator(backed_up, pauses=PAUSES)))


@pytest.fixture
def flow(begin_flow: BeginFlow) -> Flow:
    """An organization that the test alone uses, with an empty table."""
    return begin_flow()


@pytest.fixture(scope="module")
def tested_flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """An account of its own, whose backups AWS Backup is to test."""
    with Emulator(within=tmp_path_factory.getbasetemp(), pauses=PAUSES) as emulator:
        _deploy(emulator, tested_account.Data, (org.DATA,))
        yield Flow(emulator)


@pytest.fixture(scope="module")
def shared_flow(backed_up: Kept) -> Iterator[Flow]:
    """An organization that the tests of a module use one after the other."""
    with Emulator(backed_up, pauses=PAUSES) as emulator:
        yield Flow(emulator)
