"""A table for applications only, and the ways around that in one app: found, closed or acknowledged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

import tableguard as tg
from tableguard.review.acknowledgements import acknowledgements
from tests.unit.organization.support import EMERGENCY, USERS
from tests.unit.tables.support import LAMBDA, OWNER, table_v2
from tests.unit.validation.test_plugin import failure

ENV: Final = cdk.Environment(account=OWNER, region="us-east-1")
WITH_MFA: Final = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def synthesized(folder: Path, assumed_by: iam.IPrincipal, **more: Any) -> tuple[cdk.App, cdk.Stack]:
    app = cdk.App(outdir=str(folder / "cdk.out"), context={"tableguard:today": "2026-11-21"})
    stack = cdk.Stack(app, "Data", env=ENV)
    table = table_v2(stack)
    tg.NoHumanAccess(stack, "NoPeople", table=table)
    role = iam.Role(stack, "Service", role_name="orders-service", assumed_by=assumed_by)
    table.grant_read_data(role)
    if more:
        tg.BreakGlassRole(
            stack, "BreakGlass", role_name="break-glass", assumed_by=[USERS, EMERGENCY], reason="r 7", **more
        )
    rules = tg.TableguardRules([tg.NoWayAround()], acknowledgeable=["no-way-around"])
    cdk.Validations.of(app).add_plugins(rules)
    return app, stack


def of_the_account(**conditions: Any) -> iam.IPrincipal:
    return iam.AccountRootPrincipal().with_conditions(conditions)


def finding(said: str) -> str:
    (found,) = set(re.findall(r"no-way-around\[\w+\]", said))
    return f"Tableguard::{found}"


def test_a_synth_passes_where_only_services_run_as_the_application(tmp_path: Path) -> None:
    app, _ = synthesized(tmp_path, LAMBDA)
    app.synth()


def test_a_synth_fails_where_people_may_assume_it(tmp_path: Path) -> None:
    app, _ = synthesized(tmp_path, of_the_account(**WITH_MFA))
    said = failure(app)
    assert "role orders-service of" in said
    assert "people may assume it" in said


def test_a_way_that_has_to_be_there_is_acknowledged_with_a_reason(tmp_path: Path) -> None:
    app, _ = synthesized(tmp_path / "1", of_the_account(**WITH_MFA))
    found = finding(failure(app))
    app, stack = synthesized(tmp_path / "2", of_the_account(**WITH_MFA))
    cdk.Validations.of(stack).acknowledge(cdk.Acknowledgment(id=found, reason="ADR-3: until the batch is moved"))
    app.synth()
    (accepted,) = acknowledgements(Path(app.outdir))
    assert accepted.reason == "ADR-3: until the batch is moved"


def test_the_acknowledgement_is_over_once_the_way_is_wider(tmp_path: Path) -> None:
    app, _ = synthesized(tmp_path / "1", of_the_account(**WITH_MFA))
    found = finding(failure(app))
    app, stack = synthesized(tmp_path / "2", of_the_account())
    cdk.Validations.of(stack).acknowledge(cdk.Acknowledgment(id=found, reason="ADR-3: until the batch is moved"))
    assert finding(failure(app)) != found


@pytest.mark.parametrize(
    ("access", "found"),
    [(tg.BreakGlassAccess.SETTINGS, False), (tg.BreakGlassAccess.FULL, True)],
    ids=["settings", "full"],
)
def test_a_break_glass_role_is_a_way_around_once_it_reaches_items(
    tmp_path: Path, access: tg.BreakGlassAccess, found: bool
) -> None:
    app, _ = synthesized(tmp_path, LAMBDA, access=access)
    if found:
        said = failure(app)
        assert "role break-glass of" in said
        assert "Trusted1UsersWithMfa" in said
        assert "Trusted2PermissionSet" in said
    else:
        app.synth()
