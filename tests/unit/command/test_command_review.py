"""The commands review and explain: what they read, print and return."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tableguard.command import main
from tests.unit.review.support import CONSUMER, OWNER, READER, REGION, TABLE, allow, role, table, to

TEMPLATE = {"Resources": {"T": table(to(READER), to(f"arn:aws:iam::{OWNER}:role/local"))}}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """A table and its reader: nothing wrong with them."""
    write(tmp_path, Data=(OWNER, {"T": table(to(READER))}), Consumer=(CONSUMER, {"R": role(allow())}))
    return tmp_path


def write(folder: Path, **stacks: tuple[str, Any]) -> None:
    artifacts = {}
    for name, (account, resources) in stacks.items():
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{account}/{REGION}",
            "properties": {"templateFile": f"{name}.json"},
        }
        (folder / f"{name}.json").write_text(json.dumps({"Resources": resources}))
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))


Printed = pytest.CaptureFixture[str]


def test_a_review_without_findings_is_fine(assembly: Path, capsys: Printed) -> None:
    assert main(["review", str(assembly), "--today", "2026-11-21"]) == 0
    printed = capsys.readouterr().out
    assert "role reader of 222233334444" in printed
    assert printed.endswith("1 table, 1 principal, 0 findings, 0 warnings, 0 not known, on 2026-11-21\n")


def test_a_finding_is_status_1(tmp_path: Path, capsys: Printed) -> None:
    write(tmp_path, Data=(OWNER, {"T": table(to(READER))}), Consumer=(CONSUMER, {"R": role()}))
    assert main(["review", str(tmp_path)]) == 1
    assert "dangling" in capsys.readouterr().out


def test_a_warning_alone_is_fine(tmp_path: Path, capsys: Printed) -> None:
    write(tmp_path, Data=(OWNER, {"T": table(to(CONSUMER))}), Consumer=(CONSUMER, {"R": role(allow())}))
    assert main(["review", str(tmp_path)]) == 0
    assert "Warnings (1)" in capsys.readouterr().out


def test_json_is_one_document_with_a_version(assembly: Path, capsys: Printed) -> None:
    assert main(["review", str(assembly), "--format", "json", "--today", "2026-11-21"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema_version"] == 1
    (principal,) = found["tables"][0]["principals"]
    assert principal["principal"] == READER
    (access,) = principal["access"]
    assert access["evidence"]["decision"] == "Allowed"
    assert access["evidence"]["request"]["resource"] == TABLE


def test_markdown_has_a_matrix(assembly: Path, capsys: Printed) -> None:
    assert main(["review", str(assembly), "--format", "markdown"]) == 0
    assert "| principal | read | write |" in capsys.readouterr().out


@pytest.mark.parametrize("width", ["60", "100"])
def test_the_terminals_width_is_respected(
    assembly: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    main(["review", str(assembly)])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= int(width)


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals_that_want_them(
    assembly: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], colored: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(["review", str(assembly)])
    assert ("\033[" in capsys.readouterr().out) is colored


def test_a_plain_template_is_read_with_an_account_and_a_region(tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(TEMPLATE))
    assert main(["review", "--template", str(file), "--account", OWNER, "--region", REGION]) == 0
    assert f"role local of {OWNER}" in capsys.readouterr().out


def without_env(folder: Path, environment: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["Data"]["environment"] = f"aws://{environment}"
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("environment", ["unknown-account/unknown-region", f"unknown-account/{REGION}"])
def test_stacks_without_an_env_take_what_somebody_says(tmp_path: Path, capsys: Printed, environment: str) -> None:
    write(tmp_path, Data=(OWNER, {"T": table(to(READER))}), Consumer=(CONSUMER, {"R": role(allow())}))
    without_env(tmp_path, environment)
    main(["review", str(tmp_path)])
    assert "left out: give it an env, or say --account and --region" in " ".join(capsys.readouterr().out.split())
    # The consumer's stack says an account of its own, and keeps it.
    assert main(["review", str(tmp_path), "--account", OWNER, "--region", REGION]) == 0
    printed = capsys.readouterr().out
    assert f"orders  {OWNER} {REGION}, 1 other account" in printed
    assert f"role reader of {CONSUMER}" in printed


@pytest.mark.parametrize("command", ["review", "explain"])
def test_an_assembly_of_which_no_stack_has_an_env_is_unusable(tmp_path: Path, capsys: Printed, command: str) -> None:
    write(tmp_path, Data=(OWNER, {"T": table()}))
    without_env(tmp_path, "unknown-account/unknown-region")
    asked = ["--principal", READER, "--action", "dynamodb:GetItem", "--resource", "orders"]
    arguments = [command, str(tmp_path), *(asked if command == "explain" else [])]

    assert main(arguments) == 2
    assert "Give the stacks an env, or say --account and --region for them" in capsys.readouterr().err
    assert main([*arguments, "--account", OWNER, "--region", REGION]) == 0


def test_a_table_of_a_stack_that_is_left_out_is_not_found_and_the_stack_is_named(
    tmp_path: Path, capsys: Printed
) -> None:
    write(tmp_path, Data=(OWNER, {"T": table()}), Consumer=(CONSUMER, {}))
    asked = ["explain", str(tmp_path), "--principal", READER, "--action", "dynamodb:GetItem", "--resource", "orders"]
    assert main(asked) == 0
    without_env(tmp_path, "unknown-account/unknown-region")
    assert main(asked) == 2
    assert "Left out: Data, which says no account or region" in capsys.readouterr().err


def test_a_parameter_gets_its_value(tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "orders.json"
    grant = to({"Ref": "Reader"})  # type: ignore[arg-type]
    file.write_text(json.dumps({"Parameters": {"Reader": {"Type": "String"}}, "Resources": {"T": table(grant)}}))
    arguments = ["review", "--template", str(file), "--account", OWNER, "--region", REGION]
    main(arguments)
    assert "Not known" in capsys.readouterr().out
    main([*arguments, "--parameter", f"orders.Reader={READER}"])
    assert "role reader of" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["review", "explain"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{}/gone"], "does not exist"),
        (["{}"], "no cloud assembly: it has no manifest.json. Did you mean"),
        (["{}/cdk.out/manifest.json"], "is a file, and a cloud assembly is a folder. Say"),
        (["{}/truncated"], "no whole JSON"),
        (["--template", "{}/template.yaml", "--account", OWNER, "--region", REGION], "convert a template in YAML"),
        (["--template", "{}/orders.json"], "--template needs --account and --region"),
        (["--template", "{}/orders.json", "--account", "12", "--region", REGION], "--account"),
        (["{}/cdk.out", "--account", OWNER], "go together"),
        (["{}/cdk.out", "--template", "{}/orders.json"], "not both"),
        (["{}/cdk.out", "--parameter", "Data.Name"], "STACK.NAME=VALUE"),
        (["{}/cdk.out", "--parameter", "Data.Nam=x"], "no template declares it"),
        (["{}/cdk.out", "--today", "tomorrow"], "YYYY-MM-DD"),
    ],
)
def test_unusable_input_is_status_2_and_says_what_to_do(
    tmp_path: Path, capsys: Printed, command: str, arguments: list[str], said: str
) -> None:
    for name in ("cdk.out", "truncated"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, Data=(OWNER, {}))
    (tmp_path / "truncated" / "manifest.json").write_text('{"artifacts": {')
    (tmp_path / "template.yaml").write_text("Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n")
    (tmp_path / "orders.json").write_text(json.dumps(TEMPLATE))
    question = ["--principal", READER, "--action", "GetItem", "--resource", "orders"] if command == "explain" else []
    assert main([command, *(each.replace("{}", str(tmp_path)) for each in arguments), *question]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err


def explain(assembly: Path, *more: str, principal: str = "reader", resource: str = "orders") -> int:
    question = ["--principal", principal, "--action", "GetItem", "--resource", resource]
    return main(["explain", str(assembly), *question, *more])


def test_an_explanation_is_an_answer_whatever_it_says(assembly: Path, capsys: Printed) -> None:
    assert explain(assembly) == 0
    assert capsys.readouterr().out.startswith("Allowed")
    assert main(["explain", str(assembly), "--principal", "reader", "--action", "PutItem", "--resource", "orders"]) == 0
    assert "What is missing" in capsys.readouterr().out


def test_an_explanation_as_json_has_the_decision_and_its_layers(assembly: Path, capsys: Printed) -> None:
    assert explain(assembly, "--format", "json", "--context", "aws:SourceIp=192.0.2.1") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["allowed"] is True
    assert found["request"]["context"]["aws:sourceip"] == ["192.0.2.1"]
    assert [layer["says"] for layer in found["layers"]] == ["allows", "allows"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"principal": "readr"}, 'Did you mean "reader"?'),
        ({"resource": "ordres"}, 'Did you mean "orders"?'),
        ({"principal": "arn:aws:iam::12:role/x"}, "the principal of a Request"),
    ],
)
def test_a_misspelt_question_is_status_2(assembly: Path, capsys: Printed, arguments: dict[str, str], said: str) -> None:
    assert explain(assembly, **arguments) == 2
    assert said in capsys.readouterr().err


def test_a_context_that_is_none_is_status_2(assembly: Path, capsys: Printed) -> None:
    assert explain(assembly, "--context", "SourceIp") == 2
    assert "KEY=VALUE" in capsys.readouterr().err
