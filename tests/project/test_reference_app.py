"""Checks of the reference app as a whole: the assembly that `make synth` made, read by tools that are not ours."""

import json
import shutil
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks

from app import organize
from scripts.deployment.plan import context
from tests.project.machine import ROOT, Assembly, Machine

# Rules that do not fit, each with its reason. A finding on one resource is better acknowledged in the app, next to it.
CFN_LINT_IGNORED = {
    "W3005": "the CDK writes DependsOn for a role's policies also where a reference already says so",
}
CHECKOV_SKIPPED: dict[str, str] = {}


def artifacts(assembly: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every artifact with the folder of the manifest that names it; a stage has a manifest of its own."""
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            yield manifest.parent, artifact


def templates_by_region(assembly: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for folder, artifact in artifacts(assembly):
        if artifact["type"] == "aws:cloudformation:stack":
            region = artifact["environment"].rpartition("/")[2]
            found[region].append(folder / artifact["properties"]["templateFile"])
    return found


def cfn_lint(templates: list[Path], region: str) -> list[tuple[Path, str]]:
    """What it finds: where, and what is wrong."""
    options = ["--regions", region, "--ignore-checks", *CFN_LINT_IGNORED, "--format", "json"]
    command = [str(ROOT / ".venv/bin/cfn-lint"), *options, "--", *map(str, templates)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [(Path(each["Filename"]), each["Message"]) for each in json.loads(done.stdout)]


def checkov(folder: Path) -> list[tuple[Path, str]]:
    """What it finds: where, and by which check."""
    skipped = ["--skip-check", ",".join(CHECKOV_SKIPPED)] if CHECKOV_SKIPPED else []
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json", *skipped]
    command = [str(ROOT / ".venv-checkov/bin/checkov"), *options, "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    results = json.loads(done.stdout)["results"]
    assert results["parsing_errors"] == []
    return [(Path(each["file_abs_path"]), each["check_id"]) for each in results["failed_checks"]]


def nag(app: cdk.App) -> None:
    """Synthesize an app with cdk-nag's AwsSolutions rules: what nobody acknowledged fails it."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def test_synthesizes_without_a_warning(reference_app: Assembly) -> None:
    assert "warning" not in reference_app.printed.lower()


def test_has_no_finding_of_the_default_rules_or_of_an_annotation(reference_app: Assembly) -> None:
    reports = [json.loads(report.read_text()) for report in reference_app.folder.rglob("validation-report.json")]
    assert reports
    assert [plugin["violations"] for report in reports for plugin in report["pluginReports"]] == []


def test_reports_no_annotation_in_its_metadata(reference_app: Assembly) -> None:
    found = []
    for folder, artifact in artifacts(reference_app.folder):
        metadata = artifact.get("metadata", {})
        if "additionalMetadataFile" in artifact:
            metadata |= json.loads((folder / artifact["additionalMetadataFile"]).read_text())
        entries = [(path, entry) for path, listed in metadata.items() for entry in listed]
        found += [
            (path, entry["data"]) for path, entry in entries if entry["type"] in {"aws:cdk:warning", "aws:cdk:error"}
        ]
    assert found == []


def test_asks_for_no_look_up_in_an_aws_account(reference_app: Assembly) -> None:
    manifests = [json.loads(manifest.read_text()) for manifest in reference_app.folder.rglob("manifest.json")]
    assert manifests
    assert [manifest["missing"] for manifest in manifests if manifest.get("missing")] == []


def test_ends_with_a_table_of_its_stacks_that_fits_80_columns(reference_app: Assembly) -> None:
    table = reference_app.printed.splitlines()
    stacks = [
        artifact for _, artifact in artifacts(reference_app.folder) if "templateFile" in artifact.get("properties", {})
    ]
    assert stacks
    for stack in stacks:
        account = stack["environment"].removeprefix("aws://").split("/")[0]
        assert any(stack["displayName"] in line and account in line for line in table), stack["displayName"]
    assert [line for line in table[-len(stacks) :] if len(line) > 80] == []


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    """A template that every check has to object to: one that finds nothing anywhere would pass for ever."""
    properties = {"PubliclyAccessible": True, "Unheard": "of"}
    resource = {"Type": "AWS::RDS::DBInstance", "Properties": properties}
    template = tmp_path / "flawed.template.json"
    template.write_text(json.dumps({"Resources": {"Database": resource}}))
    return template


def test_passes_cfn_lint(reference_app: Assembly, flawed: Path) -> None:
    regions = templates_by_region(reference_app.folder)
    assert regions
    for region, templates in regions.items():
        found = cfn_lint([*templates, flawed], region)
        assert {file for file, _ in found} == {flawed}, found
        assert any("'Unheard' was unexpected" in said for _, said in found)


def test_passes_checkov(reference_app: Assembly, flawed: Path) -> None:
    shutil.copytree(reference_app.folder, flawed.parent / "app")
    found = checkov(flawed.parent)
    assert {file for file, _ in found} == {flawed}, found
    assert "CKV_AWS_17" in {check for _, check in found}


def test_passes_cdk_nag(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=context())
    organize(app)
    nag(app)


def test_synthesizes_from_the_wheel_with_the_lowest_versions_that_it_declares(
    bare_machine: Machine, wheel: Path, tmp_path: Path
) -> None:
    installed, output = tmp_path / "installed", tmp_path / "cdk.out"
    zipfile.ZipFile(wheel).extractall(installed)
    # The lowest versions' Python first; Node comes from the environment that has it.
    path = f"{ROOT}/.venv-floor/bin:{ROOT}/.venv/bin:{bare_machine.environment['PATH']}"
    done = bare_machine.synthesize("python3 app.py", output, PATH=path, PYTHONPATH=str(installed))
    assert done.returncode == 0, done.stdout
    assert templates_by_region(output)


def test_cdk_nag_looks(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=context())
    everything = iam.PolicyStatement(actions=["*"], resources=["*"])
    iam.ManagedPolicy(cdk.Stack(app, "Flawed"), "Everything", statements=[everything])
    with pytest.raises(RuntimeError, match="AwsSolutions-IAM5"):
        nag(app)
