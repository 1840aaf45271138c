import json
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment.plan import Plan, PlanError

ALFA = {"account": "111122223333", "region": "us-east-1"}
BRAVO = {"account": "222233334444", "region": "eu-west-1"}
CENTRAL = {"account": "444455556666", "region": "us-east-1"}
SAID: dict[str, Any] = {
    "organization": {
        "central": CENTRAL,
        "tenants": {"Alfa": ALFA, "Bravo": BRAVO},
        "etl": CENTRAL,
        "writer": ALFA,
        "vendor": {"account": "777788889999"},
        "private": CENTRAL,
        "management": BRAVO,
        "vault": {"account": "181819192020", "region": "us-west-2"},
        "recovery": BRAVO,
        "emergency": {"account": "151516161717"},
    },
    "pipeline": "999900001111",
    "profiles": {
        "111122223333": "a",
        "222233334444": "b",
        "444455556666": "c",
        "181819192020": "v",
        "999900001111": "p",
    },
    "joining": {"Delta": {"account": "222233334444", "region": "us-east-1"}},
}


def read(tmp_path: Path, said: object) -> Plan:
    file = tmp_path / "accounts.json"
    file.write_text(said if isinstance(said, str) else json.dumps(said))
    return Plan.read(file)


def test_names_every_place_once(tmp_path: Path) -> None:
    plan = read(tmp_path, SAID)
    assert plan.central == ("444455556666", "us-east-1")
    assert plan.places == [
        ("444455556666", "us-east-1"),
        ("111122223333", "us-east-1"),
        ("222233334444", "eu-west-1"),
        ("181819192020", "us-west-2"),
        ("222233334444", "us-east-1"),
    ]


def test_removes_the_last_tenant_and_adds_another(tmp_path: Path) -> None:
    plan = read(tmp_path, SAID)
    assert plan.leaving == "Bravo"
    assert list(plan.changed["tenants"]) == ["Alfa", "Delta"]
    assert {name: place for name, place in plan.changed.items() if name != "tenants"} == {
        name: place for name, place in SAID["organization"].items() if name != "tenants"
    }


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{", "cannot be read"),
        ([], "must be an object with the entries"),
        ({**SAID, "more": 1}, "must be an object with the entries"),
        ({name: said for name, said in SAID.items() if name != "pipeline"}, "must be an object with the entries"),
        ({**SAID, "joining": {}}, "is not written as docs/verify-on-aws.md says"),
        ({**SAID, "organization": {}}, "is not written as docs/verify-on-aws.md says"),
        ({**SAID, "profiles": {**SAID["profiles"], "12345": "x"}}, "12345 is no account id"),
        (
            {**SAID, "profiles": {"111122223333": "a"}},
            "lacks the accounts 181819192020, 222233334444, 444455556666, 999900001111",
        ),
        ({**SAID, "joining": {"Alfa": ALFA}}, "names Alfa, who is a tenant already"),
        ({**SAID, "organization": {**SAID["organization"], "tenants": {"Alfa": ALFA}}}, "needs two tenants"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, said: object, why: str) -> None:
    with pytest.raises(PlanError, match=why):
        read(tmp_path, said)


def test_says_that_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"none\.json cannot be read"):
        Plan.read(tmp_path / "none.json")
