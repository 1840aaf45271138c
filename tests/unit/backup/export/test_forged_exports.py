"""Whoever takes over the account of a table may have exports sealed that are not true, of any moment of weeks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tableguard.backup.lambdas import restore, seal
from tableguard.backup.lambdas.errors import BrokenChain, Rejected
from tests.unit.backup.aws import S3, DynamoDB
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import SOURCE, Export, at, change_line, full_line, item
from tests.unit.backup.flow import check, load_all, plan, seal_all

TRUE = {"a", "b", "c", "d", "e"}
EVIL = [full_line(item("evil"))]


def true_chain(s3: S3) -> None:
    """A full export of a and b; then c, d, e, f, one an hour."""
    seal_all(
        s3,
        Export(1, [[full_line(item("a")), full_line(item("b"))]], 0).arrive(s3),
        *(
            Export(2 + n, [[change_line(None, item(name))]], (n, n + 1)).arrive(s3)
            for n, name in enumerate(("c", "d", "e", "f"))
        ),
    )


def of_another_table(export: Export) -> Export:
    export.summary["tableId"] = "87654321-4321-4321-4321-210987654321"
    return export


FORGED: dict[str, list[Export]] = {
    "one window over several": [Export(7, [[change_line(None, item("evil"))]], (0, 3))],
    "a full export where windows join": [Export(7, [EVIL], 2)],
    "a full export where the restore ends": [Export(7, [EVIL], 3)],
    "a full export inside of a window": [Export(7, [EVIL], 3.25)],
    "a window inside of a window": [Export(7, [[change_line(None, item("evil"))]], (3, 3.25))],
    "another export of a window": [Export(7, [[change_line(None, item("evil"))]], (2, 3)), Export(8, [EVIL], 2)],
    "many full exports, which hide the true one": [Export(n, [EVIL], hours) for n, hours in ((6, 1), (7, 2), (8, 3))],
    "another end of the chain": [Export(7, [EVIL], 2.5), Export(8, [[change_line(None, item("e"))]], (2.5, 3))],
    "another table, inside of a window": [of_another_table(Export(7, [EVIL], 3.25))],
    "another table, where windows join": [of_another_table(Export(7, [EVIL], 3))],
}


def test_a_table_that_was_made_anew_is_no_contradiction(s3: S3, dynamodb: DynamoDB) -> None:
    true_chain(s3)
    seal_all(s3, of_another_table(Export(7, [[full_line(item("new"))]], 5)).arrive(s3))
    load_all(s3, plan(at(6)))
    assert {one["pk"]["S"] for one in dynamodb.items.values()} == {"new"}
    assert plan(at(3.5))["reached"] == at(3)


@pytest.fixture
def takeover(s3: S3, request: pytest.FixtureRequest) -> str:
    """The true chain and, sealed later than the moment that this gives, forged exports."""
    true_chain(s3)
    moment = datetime.now(UTC).isoformat()
    seal_all(s3, *(forged.arrive(s3) for forged in FORGED[request.param]))
    return moment


@pytest.mark.parametrize("takeover", FORGED, indirect=True)
@pytest.mark.usefixtures("takeover")
def test_what_was_sealed_before_is_not_replaced_in_silence() -> None:
    with pytest.raises(BrokenChain, match="sealed_by"):
        plan(at(3.5))


@pytest.mark.parametrize("takeover", FORGED, indirect=True)
def test_a_restore_may_leave_out_what_was_sealed_since_the_takeover(s3: S3, dynamodb: DynamoDB, takeover: str) -> None:
    event = {"source": SOURCE, "until": at(3.5), "execution": "restore-1", "sealed_by": takeover}
    planned = restore.plan(event, Context())
    assert planned["reached"] == at(3)
    load_all(s3, planned)
    check(planned)
    assert {one["pk"]["S"] for one in dynamodb.items.values()} == TRUE


def test_exports_that_say_the_same_do_no_harm(s3: S3) -> None:
    true_chain(s3)
    again = [[full_line(item(name)) for name in "abc"]]
    seal_all(s3, Export(7, again, 1).arrive(s3), Export(8, [[change_line(None, item("d"))]], (1, 2)).arrive(s3))
    assert plan(at(3.5))["expected"] == plan(at(3))["expected"]
    assert len(plan(at(3.5))["steps"]) == 3


def test_no_window_is_longer_than_those_of_dynamodb(s3: S3) -> None:
    assert seal.open(Export(1, [[]], (0, 24)).arrive(s3).event, Context())["files"] == 1
    with pytest.raises(Rejected, match="24 hours"):
        seal.open(Export(2, [[]], (0, 24.01)).arrive(s3).event, Context())


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_rejects_a_moment_that_utc_does_not_have(s3: S3, moment: str) -> None:
    export = Export(1, [[]], 0)
    export.summary["exportTime"] = moment
    with pytest.raises(Rejected, match="ISO 8601"):
        seal.open(export.arrive(s3).event, Context())
