"""`tableguard policies`: the JSON of SCPs and RCPs without deploying anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest

import tableguard as tg
from tableguard.command import main
from tests.unit.organization.guarded import ADMINISTRATORS, DATA, PERIMETER, UNIT

RCP: Final = "RESOURCE_CONTROL_POLICY"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tg.BreakGlassSCP, tg.BreakGlassRCP]:
    folder = tmp_path_factory.mktemp("assembly") / "cdk.out"
    app = cdk.App(analytics_reporting=False, outdir=str(folder))
    org = cdk.Stack(app, "Org", env=cdk.Environment(account="999988887777", region="us-east-1"))
    scp = tg.BreakGlassSCP(
        org, "Scp", targets=[UNIT, DATA], accounts=[DATA], guardrails=[tg.StayInOrganization()], policy_name="stay here"
    )
    rcp = tg.BreakGlassRCP(
        org, "Rcp", targets=[UNIT], perimeter=PERIMETER, guardrails=[tg.ProtectTables()], policy_name="data"
    )
    app.synth()
    return folder, scp, rcp


def template(folder: Path, **policies: dict[str, Any]) -> list[str]:
    resources = {name: {"Type": "AWS::Organizations::Policy", "Properties": each} for name, each in policies.items()}
    file = folder / "org.json"
    file.write_text(json.dumps({"Resources": resources}))
    return ["policies", "--template", str(file), "--account", "999988887777", "--region", "us-east-1"]


def test_every_policy_is_a_line_with_its_targets(
    assembly: tuple[Path, tg.BreakGlassSCP, tg.BreakGlassRCP], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, scp, rcp = assembly
    assert main(["policies", str(folder)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["document"] for line in lines] == [*scp.documents, *rcp.documents]
    assert lines[0] == {
        "type": "scp",
        "name": "stay here",
        "stack": "Org",
        "targets": [UNIT, DATA],
        "characters": len(json.dumps(scp.documents[0], separators=(",", ":"))),
        "document": scp.documents[0],
    }


@pytest.mark.parametrize(("kind", "count"), [("scp", 1), ("rcp", 2)])
def test_one_type_alone(
    assembly: tuple[Path, tg.BreakGlassSCP, tg.BreakGlassRCP],
    capsys: pytest.CaptureFixture[str],
    kind: str,
    count: int,
) -> None:
    assert main(["policies", str(assembly[0]), "--type", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["type"] for line in lines] == [kind] * count


def test_a_folder_gets_a_minified_file_for_each(
    assembly: tuple[Path, tg.BreakGlassSCP, tg.BreakGlassRCP], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, scp, rcp = assembly
    assert main(["policies", str(folder), "--out", str(tmp_path / "new")]) == 0
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "data-1.rcp.json",
        "data-2.rcp.json",
        "stay-here.scp.json",
    ]
    text = (tmp_path / "new" / "stay-here.scp.json").read_text()
    assert text == json.dumps(scp.documents[0], separators=(",", ":"))
    assert [json.loads((tmp_path / "new" / f"data-{n}.rcp.json").read_text()) for n in (1, 2)] == list(rcp.documents)
    assert f"SCP stay here, {len(text):,} characters, for {UNIT}, {DATA}" in capsys.readouterr().out


def test_what_only_the_deployment_knows_is_left_out_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"Name": "known", "Type": RCP, "Content": '{"Version": "2012-10-17"}', "TargetIds": [{"Ref": "Unit"}]}
    unknown = {"Name": {"Ref": "Name"}, "Type": RCP, "Content": {"Statement": [{"Resource": {"Ref": "Nobody"}}]}}
    broken = {"Name": "broken", "Type": RCP, "Content": "{"}
    tags = {"Name": "tags", "Type": "TAG_POLICY", "Content": {}}
    arguments = template(tmp_path, Known=known, Unknown=unknown, Broken=broken, Tags=tags)
    assert main(arguments) == 1
    printed = capsys.readouterr()
    (line,) = map(json.loads, printed.out.splitlines())
    assert (line["name"], line["targets"], line["document"]) == (
        "known",
        ["known at deployment"],
        {"Version": "2012-10-17"},
    )
    assert "Unknown of org is known at deployment only" in printed.err
    assert "broken of org is known at deployment only" in printed.err
    assert "tags" not in printed.out + printed.err


def test_two_policies_of_one_name_get_files_of_their_own(tmp_path: Path) -> None:
    one = {"Name": "same", "Type": RCP, "Content": {"Statement": [1]}}
    other = {"Name": "same", "Type": RCP, "Content": {"Statement": [2]}}
    assert main([*template(tmp_path, One=one, Other=other), "--out", str(tmp_path / "out")]) == 0
    assert {file.name: file.read_text() for file in (tmp_path / "out").iterdir()} == {
        "same.rcp.json": '{"Statement":[1]}',
        "2-same.rcp.json": '{"Statement":[2]}',
    }


def test_an_assembly_without_any_is_fine_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(template(tmp_path)) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "tableguard: no such policy in the assembly.\n")


def test_what_cannot_be_read_or_written_is_unusable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policies", str(tmp_path)]) == 2
    assert "no manifest.json" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    one = {"Name": "one", "Type": RCP, "Content": {}}
    assert main([*template(tmp_path, One=one), "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main([*template(tmp_path, One=one), "--type", "tag"]) == 2


def test_administrators_are_named_in_what_is_printed(
    assembly: tuple[Path, tg.BreakGlassSCP, tg.BreakGlassRCP], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policies", str(assembly[0]), "--type", "rcp"]) == 0
    printed = capsys.readouterr().out
    for administrator in ADMINISTRATORS:
        name = administrator.name.rstrip("*")
        assert name in printed
