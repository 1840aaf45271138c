from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

import tableguard as tg
from tableguard.backup.states.function import HANDLERS, BackupFunction


def stack() -> cdk.Stack:
    environment = cdk.Environment(account="444455556666", region="eu-west-1")
    return cdk.Stack(cdk.App(), "Vault", env=environment)


@pytest.mark.parametrize("handler", HANDLERS)
def test_every_step_is_there(handler: str) -> None:
    module, _, name = handler.partition(".")
    assert callable(getattr(importlib.import_module(f"tableguard.backup.lambdas.{module}"), name))


def test_the_asset_is_the_runtime_alone_and_starts_without_the_library(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    BackupFunction(cdk.Stack(app, "Vault"), "Open", handler="seal.open")
    app.synth()
    (asset,) = tmp_path.glob("asset.*")
    assert [path.name for path in asset.iterdir()] == ["lambdas"]
    assert {path.suffix for path in (asset / "lambdas").iterdir()} == {".py"}
    code = "import sys, lambdas.seal, lambdas.restore, lambdas.drill; sys.exit('tableguard' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=asset, env={"PYTHONPATH": str(asset)})


def test_a_function_may_write_its_log_and_nothing_else() -> None:
    vault = stack()
    made = BackupFunction(vault, "Copy", handler="seal.copy", environment={"WORK_BUCKET": "work"})
    template = Template.from_stack(vault)
    expected = {
        "Handler": "lambdas.seal.copy",
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "Timeout": 900,
        "MemorySize": 1769,
        "Environment": {"Variables": {"WORK_BUCKET": "work"}},
        "LoggingConfig": {"LogGroup": Match.any_value()},
        "ReservedConcurrentExecutions": Match.absent(),
    }
    template.has_resource_properties("AWS::Lambda::Function", expected)
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 365})
    template.has_resource_properties("AWS::IAM::Role", {"ManagedPolicyArns": Match.absent()})
    (policy,) = template.find_resources("AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert made.function_name


def test_a_function_may_run_as_a_given_role() -> None:
    vault = stack()
    role = iam.Role(vault, "Sealing", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    options: dict[str, Any] = {"role": role, "memory_mib": 512, "timeout": cdk.Duration.minutes(1)}
    BackupFunction(vault, "Open", handler="seal.open", reserved_concurrency=5, **options)
    template = Template.from_stack(vault)
    template.resource_count_is("AWS::IAM::Role", 1)
    sizes = {"MemorySize": 512, "Timeout": 60, "ReservedConcurrentExecutions": 5}
    template.has_resource_properties("AWS::Lambda::Function", sizes)


def test_refuses_a_step_that_is_none() -> None:
    with pytest.raises(tg.InvalidInputError, match=r"seal\.opne"):
        BackupFunction(stack(), "Open", handler="seal.opne")
