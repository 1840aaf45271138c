"""From an empty folder to a shared table: what the README says, on the wheel alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.deployment.accounts import Accounts
from scripts.deployment.found import identity_of, table_policy
from tests.integration import deploy_local
from tests.integration.conftest import Stage
from tests.integration.deciding import may
from tests.integration.emulator.server import Emulator
from tests.integration.newcomer import Newcomer
from tests.integration.sessions import dynamodb_of
from tests.project.machine import ROOT, Machine

README = (ROOT / "README.md").read_text(encoding="utf-8")
OWNER, CONSUMER = ("444455556666", "us-east-1"), ("111122223333", "us-east-1")
TABLE = "arn:aws:dynamodb:us-east-1:444455556666:table/orders"
READER = "arn:aws:iam::111122223333:role/alfa-reader"
STRANGER = "arn:aws:iam::123456789012:role/alfa-reader"
ITEM = {"pk": {"S": "atlas"}}

# The assembly that was reviewed is the one that is deployed, and nobody is there to approve it.
UNATTENDED = {"cdk deploy --all": ["--app", "cdk.out", "--require-approval", "never", "--no-notices"]}


def example() -> str:
    """The README's first example."""
    found = re.search(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def commands() -> list[str]:
    """What the README says to run in a new app."""
    said = re.search(r"^In a new app .*?^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert said
    return said[1].splitlines()


@pytest.fixture
def accounts(bootstrapped: Stage) -> Iterator[Accounts]:
    """Two bootstrapped accounts."""
    profiles = {account: account for account, _ in (OWNER, CONSUMER)}
    with Emulator(bootstrapped.emulator) as emulator:
        yield Accounts(profiles, deploy_local.environment(emulator, profiles))


@pytest.fixture
def newcomer(wheel: Path, bare_machine: Machine, accounts: Accounts, tmp_path: Path) -> Newcomer:
    to_emulator = {name: value for name, value in accounts.environment.items() if name.startswith(("AWS_", "CDK_"))}
    return Newcomer.with_wheel(wheel, tmp_path, {**bare_machine.environment, **to_emulator, "AWS_PROFILE": OWNER[0]})


def test_the_readme_leads_from_an_empty_folder_to_a_shared_table(newcomer: Newcomer, accounts: Accounts) -> None:
    # As `cdk init` leaves the folder, without the packages that it would download.
    newcomer.run("cdk", "init", "app", "--language", "python", "--generate-only", "--no-notices")
    assert '"app": "python3 app.py"' in (newcomer.folder / "cdk.json").read_text()
    (newcomer.folder / "app.py").write_text(example())
    printed = {said: newcomer.run(*shlex.split(said), *UNATTENDED.get(said, ())) for said in commands()}
    assert list(printed) == ["cdk synth --quiet", "tableguard review", "cdk deploy --all"]

    assert "WARNING" not in printed["cdk synth --quiet"]
    review = printed["tableguard review"].splitlines()
    assert re.fullmatch(r"1 table, 1 principal, 0 findings, 0 warnings, 0 not known, on [\d-]+", review[-1])
    assert [line for line in review if len(line) > 80] == []
    where = newcomer.run("python", "-c", "import importlib.util as u; print(u.find_spec('tableguard').origin)")
    assert Path(where).is_relative_to(newcomer.folder.parent / "venv")

    policy, identity = table_policy(accounts, OWNER, TABLE), identity_of(accounts, CONSUMER, "alfa-reader")
    get, put = "dynamodb:GetItem", "dynamodb:PutItem"
    assert may(READER, get, TABLE, policy=policy, identity=identity)
    assert not may(READER, put, TABLE, policy=policy, identity=identity)
    assert not may(READER, get, TABLE, policy=None, identity=identity)
    assert not may(READER, get, TABLE, policy=policy, identity=[])
    assert not may(STRANGER, get, TABLE, policy=policy, identity=identity)

    accounts.client("dynamodb", OWNER).put_item(TableName="orders", Item=ITEM)
    account, region = CONSUMER
    reader = dynamodb_of(accounts, region, account=account, role="alfa-reader")
    assert reader.get_item(TableName=TABLE, Key=ITEM)["Item"] == ITEM
    with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
        reader.put_item(TableName=TABLE, Item=ITEM)
