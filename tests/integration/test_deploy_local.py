"""`make deploy-local`, as a contributor runs it on a machine that has Python and make."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests import waiting
from tests.integration.conftest import LocalDeployment
from tests.integration.emulator.launching import EmulatorError
from tests.integration.emulator.server import Emulator
from tests.project.machine import ROOT, Machine

CHECKED = [
    "10 stacks are deployed",
    "BackupVault: bucket VaultSealed1069DE6B: object lock",
    "BackupVault: bucket VaultSealed1069DE6B: policy",
    "BackupVault: machine VaultSealingMachineC7CDFF1A: definition",
    "CentralData: bucket BackupLanding345218D6: replication",
    "Recovery: machine RestoreMachineAF176242: definition",
    "Management: policy BackupVaultPolicy09FACE81: policy",
    "nobody seals over what is sealed",
    "PrivateWorkload: endpoint ToTables19377B84: policy",
    "PrivateWorkload: role BreakGlassRole4903F45A: trust",
    "Management: policy PrivateWorkloadPolicyC0EB754A: policy",
    "Management: policy PrivateResourcesPolicyEB8C142D: policy",
    "CentralData: table TableCD117FA1: policy",
    "CentralData: table TableCD117FA1: policy of the stream",
    "CentralData: table TableCD117FA1: deletion protection",
    "CentralData: table TableCD117FA1: point-in-time recovery",
    "CentralData: outputs VendorPolicy",
    "tenant Bravo may GetItem, and nothing else",
    "the vendor may do nothing without the table's policies",
    "that item is in the table of account 444455556666",
    "TenantBravo reads that item from account 222233334444, eu-west-1",
    "the private function finds its table empty, from inside its VPC",
    "`cdk diff` finds no difference",
    "no stack has changed",
    "of the stacks that were there, only the table's has changed",
    "nothing but policies has changed",
    "a role like Charlie's may do nothing any more",
    "nothing else is left",
    "what RETAIN keeps is there",
    "the accounts are as they were before",
]

BUDGET = 180.0  # seconds

SAID = ("cmdline", "environ")

WAITING = """
import time
from tests.integration.emulator.server import Emulator
with Emulator() as emulator:
    print(emulator.endpoint, flush=True)
    time.sleep(60)
"""


def processes(folder: Path) -> list[str]:
    """Running processes that have to do with a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = [(process / file).read_bytes().replace(b"\0", b" ").decode(errors="replace") for file in SAID]
        except OSError:
            continue
        if any(str(folder) in words for words in said):
            found.append(said[0])
    return found


def test_deploys_checks_and_destroys_the_reference_organization(local_deployment: LocalDeployment) -> None:
    done = local_deployment
    assert done.returncode == 0, done.printed
    assert done.seconds < BUDGET
    lines = done.printed.splitlines()
    passed = [line.removeprefix("  ok      ") for line in lines if line.startswith("  ok      ")]
    assert [check for check in CHECKED if check not in passed] == []
    assert re.fullmatch(rf"{len(passed)} checks, 0 failed, in \d+ seconds", lines[-1]), lines[-1]
    assert [line for line in lines if len(line) > 80] == []
    assert "kept, as its template says: table rbac-central-table" in done.printed
    assert list((done.folder / "tmp").iterdir()) == []
    assert processes(done.folder / "tmp") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_leaves_nothing_behind_when_it_is_interrupted(tmp_path: Path, machine: Machine, number: int) -> None:
    python = ROOT / ".venv/bin/python"
    environment = {**machine.environment, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [python, "-c", WAITING], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stdout
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        assert processes(tmp_path)
        process.send_signal(number)

    def left() -> list[str]:
        # Not `rglob`: it raises when a folder goes while it is looked through.
        return [*processes(tmp_path), *(name for _, folders, files in os.walk(tmp_path) for name in (*folders, *files))]

    waiting.until(lambda: not left(), left, lambda: f"that nothing is left: {left()}", pause=0.05)


def test_says_why_the_emulator_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Emulator, "_environment", lambda *_: {"GATEWAY_PORT": "no port"})
    with pytest.raises(EmulatorError, match=r"(?s)ended by itself.*no port"), Emulator():
        pass
