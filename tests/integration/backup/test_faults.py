"""Faults, injected one by one into the deployed machines: nothing is lost, nothing is doubled, or a failure says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.backup.export_faults import EXPORTS
from tests.integration.backup.fault_row import Fault
from tests.integration.backup.flow import PAUSES, Flow
from tests.integration.backup.restore_faults import RESTORES
from tests.integration.backup.sealing_faults import SEALINGS
from tests.integration.backup.stage import Stage
from tests.integration.emulator.server import Emulator, Kept

FAULTS: tuple[Fault, ...] = (*EXPORTS, *SEALINGS, *RESTORES)


@pytest.fixture(scope="module")
def backup(backed_up: Kept) -> Iterator[Stage]:
    """A backup for all rows: each begins with a chain of exports that is whole."""
    with Emulator(backed_up, pauses=PAUSES) as emulator:
        yield Stage(Flow(emulator))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_nothing_is_lost_and_nothing_doubled(backup: Stage, fault: Fault) -> None:
    backup.begin()
    fault.run(backup)
    backup.check_injected()


def test_the_table_is_long_enough() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25
