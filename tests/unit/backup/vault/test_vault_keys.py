"""What a source of one table can replicate, held against what the sealing takes for an export of another one."""

from __future__ import annotations

import functools
import itertools

import pytest

from tableguard.backup.lambdas.errors import Rejected
from tableguard.backup.lambdas.manifests import ExportLocation
from tableguard.evaluation import Document
from tests.unit.backup.vault.vaults import ARRIVED, ATTACKERS, DATA, INTAKE, REGION, Asked, decide, policy_of, resources

FOLDER = "AWSDynamoDB"
# Everything that a key of an export is made of, and of the source's own table.
PARTS = (DATA, REGION, "orders", "payments", FOLDER, "01", "data", "manifest-summary.json")


@functools.cache
def _policy() -> Document:
    return Document(policy_of(resources(), INTAKE))


def _arrives(key: str) -> bool:
    """Whether the source of orders may write it."""
    return decide(Asked(INTAKE, "s3:ReplicateObject", key), ATTACKERS["replication role"], _policy()).allowed


def _place(key: str) -> ExportLocation | None:
    try:
        return ExportLocation.of(key)
    except Rejected:
        return None


def test_nothing_arrives_in_the_folder_of_another_table() -> None:
    tails = [tail for length in (1, 2, 3) for tail in itertools.product(PARTS[2:], repeat=length)]
    assert not [tail for tail in tails if _arrives(f"{DATA}/{REGION}/payments/{FOLDER}/{'/'.join(tail)}")]
    own = {tail for tail in tails if _arrives(f"{DATA}/{REGION}/orders/{FOLDER}/{'/'.join(tail)}")}
    assert ("01", "manifest-summary.json") in own
    assert ("data", "01") in own
    assert own < set(tails)


@pytest.mark.parametrize("length", [5, 6, 7])
def test_what_the_sealing_takes_of_all_that_arrives_is_of_the_table(length: int) -> None:
    keys = ["/".join((*parts, "manifest-summary.json")) for parts in itertools.product(PARTS, repeat=length - 1)]
    taken = {place for place in map(_place, keys) if place is not None}
    arriving = {place for place in taken if _arrives(f"{place.source}/{FOLDER}/{place.export}/manifest-summary.json")}
    assert {place.table for place in arriving} == ({"orders"} if length == 6 else set())
    # It would take others, too, if they arrived.
    assert bool(taken - arriving) is (length == 6)


@pytest.mark.parametrize(
    "key",
    [
        ARRIVED.replace("/01/", "/orders/AWSDynamoDB/01/"),
        ARRIVED.replace("/01/", "/../01/"),
        ARRIVED.replace(f"/{REGION}/", f"/{REGION}/payments/"),
        ARRIVED.replace(f"/{REGION}/", "/"),
        f"/{ARRIVED}",
        f"{ARRIVED}/",
        f"{ARRIVED}\n",
        ARRIVED.replace("AWSDynamoDB", "awsdynamodb"),
    ],
)
def test_a_key_of_another_shape_is_no_export(key: str) -> None:
    assert _place(ARRIVED) is not None
    assert _place(key) is None
