"""The validation plugin: what fails a synth, and what acknowledging does about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct, IConstruct

import tableguard as tg
from tableguard.review.acknowledgements import Acknowledgement, acknowledgements
from tableguard.review.rules import KeepsAccess, Rule

ENV = cdk.Environment(account="444455556666", region="us-east-1")
READER = "222233334444"
ONLY_READER = tg.OnlyAccounts(accounts=[READER])
NOBODY = tg.OnlyAccounts(accounts=[], id="nobody-else")


def table(scope: Construct, *trusted: str) -> dynamodb.CfnTable:
    statements = [
        {
            "Sid": f"To{account}",
            "Effect": "Allow",
            "Principal": {"AWS": account},
            "Action": "dynamodb:GetItem",
            "Resource": "*",
        }
        for account in trusted
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    return dynamodb.CfnTable(
        scope,
        "Table",
        table_name="orders",
        billing_mode="PAY_PER_REQUEST",
        key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="id", key_type="HASH")],
        attribute_definitions=[dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="id", attribute_type="S")],
        resource_policy=dynamodb.CfnTable.ResourcePolicyProperty(policy_document=policy) if statements else None,
    )


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(outdir=str(tmp_path / "cdk.out"), context={"tableguard:today": "2026-11-21"})


def guard(app: IConstruct, *rules: Rule, **more: Any) -> tg.TableguardRules:
    plugin = tg.TableguardRules(rules or [ONLY_READER], **more)
    cdk.Validations.of(app).add_plugins(plugin)
    return plugin


def failure(app: cdk.App) -> str:
    with pytest.raises(RuntimeError, match="ValidationFailed") as raised:
        app.synth()
    return str(raised.value)


def reported(app: cdk.App, kind: str = "violations") -> list[Mapping[str, Any]]:
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    (ours,) = (each for each in report["pluginReports"] if each["pluginName"] == "Tableguard")
    return list(ours.get(kind, []))


def acknowledge(scope: IConstruct, rule: str) -> None:
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=rule, reason="ADR-1: so be it"))


def test_a_synth_passes_when_every_rule_holds(app: cdk.App) -> None:
    table(cdk.Stack(app, "Data", env=ENV), READER)
    plugin = guard(app)

    app.synth()

    assert plugin.results is not None
    assert plugin.results.holds
    assert plugin.results.tried["only-accounts"] > 100


def test_a_synth_fails_when_one_does_not_and_names_everything(app: cdk.App) -> None:
    leaking = table(cdk.Stack(app, "Data", env=ENV), READER, "333344445555")
    guard(app)

    said = failure(app)

    for part in ("333344445555:root", "dynamodb:GetItem", "table/orders", "'To333344445555'", "requests tried"):
        assert part in said
    (violation,) = reported(app)
    (resource,) = violation["violatingConstructs"]
    assert resource["constructPath"] == leaking.node.path
    assert resource["cloudFormationResource"] == {
        "templatePath": "Data.template.json",
        "logicalId": "Table",
        "propertyPaths": ["Properties.ResourcePolicy.PolicyDocument"],
    }


@pytest.mark.parametrize(("trusted", "passes"), [(READER, True), ("333344445555", False)])
def test_nested_stacks_are_checked(app: cdk.App, trusted: str, passes: bool) -> None:
    table(cdk.NestedStack(cdk.Stack(app, "Data", env=ENV), "Inner"), trusted)
    guard(app)

    if passes:
        app.synth()
        return
    assert "table/orders" in failure(app)
    ((resource,),) = (violation["violatingConstructs"] for violation in reported(app))
    assert resource["constructPath"] == "Data/Inner/Table"
    assert resource["cloudFormationResource"]["templatePath"].endswith(".nested.template.json")


@pytest.mark.parametrize(("trusted", "passes"), [(READER, True), ("333344445555", False)])
def test_stages_are_checked(app: cdk.App, trusted: str, passes: bool) -> None:
    table(cdk.Stack(cdk.Stage(app, "Prod", env=ENV), "Data"), trusted)
    guard(app)

    if passes:
        app.synth()
        return
    failure(app)
    ((resource,),) = (violation["violatingConstructs"] for violation in reported(app))
    assert resource["constructPath"] == "Prod/Data/Table"
    assert resource["cloudFormationResource"]["templatePath"].startswith("assembly-Prod/")


def test_both_sides_of_a_grant_may_be_in_different_stacks(app: cdk.App) -> None:
    grant = tg.TableGrant(tg.Role(account=READER, name="reader"), tg.Access.on_table("GetItem"), reason="ADR-7")
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    orders = tg.CrossAccountTable(
        cdk.Stack(app, "Data", env=ENV), "Orders", table_name="orders", partition_key=key, table_grants=[grant]
    )
    consumer = cdk.Stack(app, "Reader", env=cdk.Environment(account=READER, region="us-east-1"))
    kept = KeepsAccess(principals=[grant.subject], access=grant.access)
    plugin = guard(app, kept)
    tg.ConsumerRole(
        consumer,
        "Role",
        grant=grant,
        table=orders.reference,
        assumed_by=cdk.aws_iam.ServicePrincipal("lambda.amazonaws.com"),
    )

    app.synth()

    assert plugin.results is not None
    assert plugin.results.tried == {"keeps-access": 1}


def test_a_stack_without_an_account_fails_since_its_tables_are_not_known(app: cdk.App) -> None:
    table(cdk.Stack(app, "Anywhere"), READER)
    table(cdk.Stack(app, "Data", env=ENV), READER)
    guard(app)

    assert "Anywhere: the stack has no account or region" in failure(app)


def test_a_table_that_no_stack_makes_fails(app: cdk.App) -> None:
    table(cdk.Stack(app, "Data", env=ENV))
    guard(app, tg.OnlyAccounts(accounts=[], tables=["other"]))

    assert "Nothing was tried for other" in failure(app)


class _Broken(tg.NobodyCan):
    def questions(self, scene: object) -> Any:
        raise LookupError("the rule is broken")


def test_an_exception_fails_the_synth_in_so_many_words(app: cdk.App) -> None:
    table(cdk.Stack(app, "Data", env=ENV))
    plugin = guard(app, _Broken(access=tg.Access.READ))

    assert "The rules could not be checked: LookupError: the rule is broken" in failure(app)
    assert plugin.results is None


def test_the_day_is_the_one_that_the_context_says(app: cdk.App) -> None:
    app.node.set_context("tableguard:today", "tomorrow")
    table(cdk.Stack(app, "Data", env=ENV))
    guard(app)

    assert "tableguard:today" in failure(app)


class TestAcknowledging:
    """What `Validations.of(…).acknowledge(…)` does: nothing, unless the plugin says that the rule may be."""

    BLANKET = "Tableguard::only-accounts"

    @pytest.mark.parametrize("at", ["app", "stack", "table"])
    def test_has_no_effect_unless_the_plugin_allows_it(self, app: cdk.App, at: str) -> None:
        stack = cdk.Stack(app, "Data", env=ENV)
        leaking = table(stack, "333344445555")
        guard(app)
        acknowledge({"app": app, "stack": stack, "table": leaking}[at], self.BLANKET)

        assert "333344445555" in failure(app)

    @pytest.mark.parametrize("at", ["app", "stack", "table"])
    def test_hides_one_finding_where_the_plugin_allows_it(self, app: cdk.App, tmp_path: Path, at: str) -> None:
        stack = cdk.Stack(app, "Data", env=ENV)
        leaking = table(stack, "333344445555")
        guard(app, acknowledgeable=["only-accounts"])
        acknowledge({"app": app, "stack": stack, "table": leaking}[at], self.only_finding(tmp_path))

        app.synth()

        (hidden,) = reported(app, "suppressedViolations")
        assert hidden["reason"] == "ADR-1: so be it"
        (listed,) = acknowledgements(Path(app.outdir))
        assert listed.where == {"app": "", "stack": "Data", "table": "Data/Table"}[at]
        assert listed.plugin == "Tableguard"
        assert "333344445555" in listed.hidden[0]

    def test_never_hides_a_whole_rule(self, app: cdk.App) -> None:
        table(cdk.Stack(app, "Data", env=ENV), "333344445555")
        guard(app, acknowledgeable=["only-accounts"])
        acknowledge(app, self.BLANKET)

        assert "333344445555" in failure(app)

    def test_hides_no_other_finding(self, app: cdk.App, tmp_path: Path) -> None:
        table(cdk.Stack(app, "Data", env=ENV), "333344445555", "555566667777")
        guard(app, acknowledgeable=["only-accounts"])
        acknowledge(app, self.only_finding(tmp_path))

        said = failure(app)

        assert "555566667777:root" in said
        assert "333344445555:root" not in said

    def test_of_one_rule_leaves_the_others_failing(self, app: cdk.App, tmp_path: Path) -> None:
        table(cdk.Stack(app, "Data", env=ENV), "333344445555")
        guard(app, ONLY_READER, NOBODY, acknowledgeable=["only-accounts"])
        acknowledge(app, self.only_finding(tmp_path))

        failure(app)

        assert [violation["ruleName"] for violation in reported(app)] == ["nobody-else"]

    def test_is_over_when_the_finding_changes(self, app: cdk.App, tmp_path: Path) -> None:
        leaking = table(cdk.Stack(app, "Data", env=ENV), "333344445555")
        leaking.add_property_override("ResourcePolicy.PolicyDocument.Statement.0.Action", "dynamodb:*Item")
        guard(app, acknowledgeable=["only-accounts"])
        acknowledge(app, self.only_finding(tmp_path))

        assert "333344445555:root" in failure(app)

    @pytest.mark.parametrize(
        ("element", "value"),
        [
            ("Resource", ["*", "arn:aws:dynamodb:us-east-1:444455556666:table/*"]),
            ("Condition", {"Bool": {"aws:SecureTransport": "true"}}),
        ],
    )
    def test_is_over_when_the_statement_says_something_else(
        self, app: cdk.App, tmp_path: Path, element: str, value: object
    ) -> None:
        leaking = table(cdk.Stack(app, "Data", env=ENV), "333344445555")
        leaking.add_property_override(f"ResourcePolicy.PolicyDocument.Statement.0.{element}", value)
        guard(app, acknowledgeable=["only-accounts"])
        acknowledge(app, self.only_finding(tmp_path))

        assert "333344445555:root" in failure(app)

    def test_that_hides_nothing_is_listed_if_it_is_on_a_stack(self, app: cdk.App) -> None:
        stack = cdk.Stack(app, "Data", env=ENV)
        table(stack, READER)
        guard(app)
        acknowledge(stack, self.BLANKET)
        acknowledge(app, self.BLANKET)

        app.synth()

        assert acknowledgements(Path(app.outdir)) == (
            Acknowledgement(rule=self.BLANKET, reason="ADR-1: so be it", where="Data"),
        )

    def test_in_a_stage_is_listed(self, app: cdk.App) -> None:
        stack = cdk.Stack(cdk.Stage(app, "Prod", env=ENV), "Data")
        table(stack, READER)
        acknowledge(stack, "Other-Plugin::rule")

        app.synth()

        (listed,) = acknowledgements(Path(app.outdir))
        assert (listed.plugin, listed.where) == ("Other-Plugin", "Prod/Data")

    def only_finding(self, tmp_path: Path) -> str:
        """The id that the report tells of the finding that 333344445555 may read items."""
        app = cdk.App(outdir=str(tmp_path / "first"), context={"tableguard:today": "2026-11-21"})
        table(cdk.Stack(app, "Data", env=ENV), "333344445555")
        guard(app, acknowledgeable=["only-accounts"])
        failure(app)
        (violation,) = reported(app)
        return f"Tableguard::{violation['ruleName']}"


@pytest.mark.parametrize(
    ("rules", "acknowledgeable"), [([], []), ([ONLY_READER, ONLY_READER], []), ([ONLY_READER], ["only-account"])]
)
def test_rules_have_to_be_there_with_an_id_each(rules: list[Rule], acknowledgeable: list[str]) -> None:
    with pytest.raises(tg.InvalidInputError, match="TableguardRules"):
        tg.TableguardRules(rules, acknowledgeable=acknowledgeable)


CLI_APP = """
import aws_cdk as cdk, tableguard as tg
from tests.unit.validation.test_plugin import ENV, _Broken, guard, table
app = cdk.App()
table(cdk.Stack(app, "Data", env=ENV), {trusted!r})
guard(app, *({rules}))
app.synth()
"""


@pytest.mark.parametrize(
    ("trusted", "rules", "status", "said"),
    [
        (READER, "()", 0, ""),
        ("333344445555", "()", 1, "333344445555:root"),
        (READER, "(_Broken(access=tg.Access.READ),)", 1, "could not be checked"),
    ],
)
def test_the_cli_fails_as_well(tmp_path: Path, root: Path, trusted: str, rules: str, status: int, said: str) -> None:
    (tmp_path / "app.py").write_text(CLI_APP.format(trusted=trusted, rules=rules))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    python_path = os.pathsep.join((str(root), str(Path(tg.__file__).parents[1])))
    outside_pytest = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}

    done = subprocess.run(
        ["cdk", "synth", "--quiet", "--no-notices", "--app", f"{sys.executable} app.py"],  # noqa: S607 - ours, on PATH
        cwd=tmp_path,
        env={**outside_pytest, "PATH": path, "PYTHONPATH": python_path, "CDK_DISABLE_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stderr
    assert said in done.stdout + done.stderr
