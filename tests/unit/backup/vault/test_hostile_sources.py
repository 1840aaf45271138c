"""What a taken-over source, or somebody in the vault's account who may call functions, tries on the sealing."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.backup.lambdas import seal
from tableguard.backup.lambdas.errors import Rejected
from tests.unit.backup.aws import S3
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import Export, change_line, full_line, item
from tests.unit.backup.flow import stored
from tests.unit.backup.vault.test_sealing_machine import MACHINES, states
from tests.unit.backup.vault.vaults import resources

HOSTILE = "000000000000/eu-west-1/orders/AWSDynamoDB"


class Counting(Context):
    """Has time for so many looks at the clock."""

    def __init__(self, looks: int) -> None:
        super().__init__(*[900.0] * looks, 0.0)


@pytest.mark.parametrize("name", ["a b", "<x>", "é", "x" * 41, "a\nb"])
def test_a_sweep_passes_over_folders_that_no_execution_can_be_named_after(s3: S3, name: str) -> None:
    s3.put("intake", f"{HOSTILE}/{name}/manifest-summary.json", b"{}")
    waiting = Export(1, [], 0).arrive(s3)
    assert seal.sweep({}, Context())["exports"] == [{"bucket": "intake", "key": waiting.key}]
    with pytest.raises(Rejected):
        seal.open({"bucket": "intake", "key": f"{HOSTILE}/{name}/manifest-summary.json"}, Context())


@pytest.mark.parametrize(
    "flood",
    [
        [f"{HOSTILE}/{n:04}/nothing" for n in range(60)],
        [f"000000000000/eu-west-1/t{n:04}/AWSDynamoDB/data/nothing" for n in range(60)],
        [f"000000000000/eu-{n:04}/nothing" for n in range(60)],
    ],
    ids=["exports without a manifest", "tables", "regions"],
)
def test_folders_without_end_of_one_account_do_not_keep_a_sweep_from_the_others(s3: S3, flood: list[str]) -> None:
    for key in flood:
        s3.put("intake", key, b"")
    waiting = Export(1, [], 0).arrive(s3)
    assert seal.sweep({}, Counting(20))["exports"] == [{"bucket": "intake", "key": waiting.key}]


def test_executions_of_different_accounts_have_different_names() -> None:
    name = dict(states(MACHINES["sweep"]))["StartOne"]["Arguments"]["Name"]
    assert name.startswith("{% $split($states.input.key, '/')[0] & '-' & $split($states.input.key, '/')[-2] & '-' & ")


def test_the_sealing_role_can_take_back_what_it_counted() -> None:
    """Otherwise a refused export stays counted in, and is let in when it is asked for again."""
    deletes = [
        statement["Resource"]
        for each in resources().values()
        if each["Type"] == "AWS::IAM::Policy"
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if "s3:DeleteObject" in statement["Action"]
    ]
    assert [resource["Fn::Join"][1][-1] for resource in deletes] == ["/quota/*"]


@pytest.mark.parametrize(
    "change",
    [
        {"sealed_key": "catalogue/111122223333/eu-west-1/orders/20261122T000000Z-full-x.json"},
        {"sealed_key": "exports/444455556666/eu-west-1/orders/01/x.json.gz"},
        {"work": "444455556666/eu-west-1/orders/01/"},
        {"work": "quota/111122223333/"},
        {"key": "444455556666/eu-west-1/orders/AWSDynamoDB/01/data/x.json.gz"},
        {"type": "OTHER"},
    ],
)
@pytest.mark.parametrize("hours", [0, (0, 1)])
def test_nobody_has_a_file_sealed_under_another_key_than_its_own(s3: S3, change: dict[str, Any], hours: Any) -> None:
    line = full_line(item("a")) if hours == 0 else change_line(None, item("a"))
    opened = seal.open(Export(1, [[line]], hours).arrive(s3).event, Context())
    (work,) = stored(s3, "work", opened["work_key"])
    with pytest.raises(Rejected, match=r"no work item|no key like"):
        seal.copy({**work, **change, "execution": "seal-1"}, Context())
    assert not s3.buckets["sealed"].versions
    seal.copy({**work, "execution": "seal-1"}, Context())
    assert s3.buckets["sealed"].versions
