"""Each construct with the least that it takes, and with everything."""

from __future__ import annotations

from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tests.unit.organization.guarded import ADMINISTRATORS, DEVELOPMENT, GUARDRAILS, PERIMETER, UNIT, stack


def test_the_least(snapshot: SnapshotAssertion) -> None:
    org = stack()
    tg.BreakGlassSCP(org, "Scp", targets=[UNIT], guardrails=[tg.StayInOrganization()])
    tg.BreakGlassRCP(org, "Rcp", targets=[UNIT], guardrails=[tg.ProtectKeys()], administrators=ADMINISTRATORS)
    assert Template.from_stack(org).to_json()["Resources"] == snapshot


def test_everything(snapshot: SnapshotAssertion) -> None:
    org = stack()
    excluded_accounts = {DEVELOPMENT: "development, no data of customers"}
    tg.BreakGlassSCP(
        org, "Scp", targets=[UNIT], perimeter=PERIMETER, guardrails=GUARDRAILS, excluded_accounts=excluded_accounts
    )
    tg.BreakGlassRCP(
        org,
        "Rcp",
        targets=[UNIT],
        perimeter=PERIMETER,
        guardrails=[tg.ProtectTables(), tg.ProtectKeys()],
        excluded_accounts=excluded_accounts,
    )
    assert Template.from_stack(org).to_json()["Resources"] == snapshot
