from typing import Any

import pytest

import tableguard as tg
from stacks.organization import CONTEXT, Organization, Place
from tests.unit.stacks.synthesized import ORGANIZATION, context_of_cdk_json

ENTRIES = (
    "central",
    "tenants",
    "etl",
    "writer",
    "vendor",
    "private",
    "management",
    "emergency",
    "vault",
    "recovery",
)


def changed(**entries: Any) -> dict[str, Any]:
    return {**ORGANIZATION, **entries}


def test_reads_accounts_and_regions_from_the_context() -> None:
    assert Organization.read(ORGANIZATION) == Organization(
        central=Place(account="444455556666", region="us-east-1"),
        tenants={
            "Alfa": Place(account="111122223333", region="us-east-1"),
            "Bravo": Place(account="222233334444", region="eu-west-1"),
            "Charlie": Place(account="555566667777", region="us-east-1"),
        },
        etl=Place(account="333344445555", region="us-east-1"),
        writer=Place(account="666677778888", region="us-east-1"),
        vendor="777788889999",
        private=Place(account="101011112222", region="us-east-1"),
        management=Place(account="121213131414", region="us-east-1"),
        emergency="151516161717",
        vault=Place(account="181819192020", region="us-west-2"),
        recovery=Place(account="212122222323", region="us-west-2"),
    )


def test_cdk_json_gives_everybody_an_account_of_their_own_and_one_tenant_another_region() -> None:
    organization = Organization.read(context_of_cdk_json()[CONTEXT])
    places = [organization.central, *organization.tenants.values(), organization.etl, organization.writer]
    places += [organization.private, organization.management, organization.vault, organization.recovery]
    accounts = [*(place.account for place in places), organization.vendor, organization.emergency]
    assert list(organization.tenants) == ["Alfa", "Bravo", "Charlie"]
    assert len(set(accounts)) == len(accounts) == 12
    assert [place.region == organization.central.region for place in organization.tenants.values()].count(False) == 1


@pytest.mark.parametrize(
    ("said", "what", "value"),
    [
        (None, CONTEXT, None),
        ("444455556666", CONTEXT, "444455556666"),  # what `--context` on the command line would give
        ({}, f"the entries of {CONTEXT}", []),
        (changed(backup={}), f"the entries of {CONTEXT}", sorted({*ENTRIES, "backup"})),
        *(
            (
                {name: entry for name, entry in ORGANIZATION.items() if name != missing},
                f"the entries of {CONTEXT}",
                sorted({*ENTRIES} - {missing}),
            )
            for missing in ENTRIES
        ),
        (changed(central="444455556666"), f"{CONTEXT}.central", "444455556666"),
        (changed(central={"account": "444455556666"}), f"the entries of {CONTEXT}.central", ["account"]),
        (changed(etl={"region": "us-east-1"}), f"the entries of {CONTEXT}.etl", ["region"]),
        (
            changed(writer={"account": "12345678901", "region": "us-east-1"}),
            f"{CONTEXT}.writer.account",
            "12345678901",
        ),
        (changed(etl={"account": 333344445555, "region": "us-east-1"}), f"{CONTEXT}.etl.account", 333344445555),
        (changed(etl={"account": "333344445555", "region": "Virginia"}), f"{CONTEXT}.etl.region", "Virginia"),
        (changed(vendor="777788889999"), f"{CONTEXT}.vendor", "777788889999"),
        (changed(vendor={"account": "7777-8888-9999"}), f"{CONTEXT}.vendor.account", "7777-8888-9999"),
        (changed(private={"account": "101011112222"}), f"the entries of {CONTEXT}.private", ["account"]),
        (changed(management={"account": "1", "region": "us-east-1"}), f"{CONTEXT}.management.account", "1"),
        (changed(emergency={"account": "15"}), f"{CONTEXT}.emergency.account", "15"),
        (changed(vault={"account": "18", "region": "us-west-2"}), f"{CONTEXT}.vault.account", "18"),
        (changed(recovery={"account": "21", "region": "us-west-2"}), f"{CONTEXT}.recovery.account", "21"),
        (changed(tenants={}), f"{CONTEXT}.tenants", {}),
        (changed(tenants=["Alfa"]), f"{CONTEXT}.tenants", ["Alfa"]),
        (changed(tenants={"Alfa": {}}), f"the entries of {CONTEXT}.tenants.Alfa", []),
        (changed(tenants={"Alfa Inc.": ORGANIZATION["etl"]}), f"{CONTEXT}.tenants", "Alfa Inc."),
        (changed(tenants={"A" * 51: ORGANIZATION["etl"]}), f"{CONTEXT}.tenants", "A" * 51),
        (
            changed(tenants={"Alfa": {"account": "1", "region": "us-east-1"}}),
            f"{CONTEXT}.tenants.Alfa.account",
            "1",
        ),
    ],
)
def test_says_which_entry_is_wrong(said: object, what: str, value: object) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        Organization.read(said)
    assert (caught.value.what, caught.value.value) == (what, value)


@pytest.mark.parametrize("said", [None, changed(backup={}), changed(central="444455556666")])
def test_says_where_to_see_how_it_is_written(said: object) -> None:
    with pytest.raises(ValueError, match=r"Write it as in the cdk\.json of this project") as caught:
        Organization.read(said)
    assert "an object with the entries" in str(caught.value)
