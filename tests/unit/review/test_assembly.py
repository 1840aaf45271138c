from __future__ import annotations

import json
from pathlib import Path

import pytest

from tableguard.review.assembly import UnusableAssemblyError, read_assembly, read_template
from tests.unit.review.conftest import WriteAssembly


def test_a_stack_has_the_account_and_region_that_it_is_for(write_assembly: WriteAssembly) -> None:
    (stack,) = read_assembly(write_assembly({"Data": {"Resources": {}}}))
    assert (stack.name, stack.account, stack.region) == ("Data", "111122223333", "eu-west-1")


def test_an_environment_agnostic_stack_has_neither(write_assembly: WriteAssembly) -> None:
    (stack,) = read_assembly(write_assembly({"Data": {}}, place="unknown-account/unknown-region"))
    assert (stack.account, stack.region) == (None, None)


def test_the_stacks_of_stages_are_found(write_assembly: WriteAssembly, tmp_path: Path) -> None:
    write_assembly({"ProdData": {}}, folder=tmp_path / "assembly-Prod")
    folder = write_assembly({"Shared": {}}, stages=("assembly-Prod",))
    assert {stack.name for stack in read_assembly(folder)} == {"Shared", "ProdData"}


def test_nested_stacks_are_stacks_of_their_own(write_assembly: WriteAssembly, tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "inner.json"}}
    (tmp_path / "inner.json").write_text(json.dumps({"Resources": {"T": {"Type": "AWS::DynamoDB::Table"}}}))
    outer, inner = read_assembly(write_assembly({"Data": {"Resources": {"Inner": nested}}}))
    assert (inner.name, inner.account) == ("Data/Inner", outer.account)
    assert [logical_id for logical_id, _ in inner.resources("AWS::DynamoDB::Table")] == ["T"]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "is no cloud assembly"),
        ("", "cannot be read"),
        ('{"artifacts": ', "cannot be read"),
        ("[]", "no JSON object"),
        ('{"version": "55.0.0"}', "lists no artifacts"),
        ('{"artifacts": {"A": {"type": "aws:cloudformation:stack"}}}', "without templateFile"),
        (
            '{"artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "gone.json"}}}}',
            "gone.json cannot be read",
        ),
    ],
)
def test_a_broken_or_foreign_folder_is_a_clear_error(tmp_path: Path, manifest: str | None, said: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(UnusableAssemblyError, match=said):
        read_assembly(tmp_path)


BROKEN = [
    ('{"Resources": []}', "its Resources are no object"),
    ('{"Resources": null}', "its Resources are no object"),
    ('{"Resources": {"A": {"Type": "AWS::X::Y"}, "A": {"Type": "AWS::X::Z"}}}', "an object names 'A' twice"),
    ('{"Resources": {"A": 5}}', "A is no object"),
    ('{"Resources": {"A": {"Type": "AWS::DynamoDB::Table", "Properties": 5}}}', "the Properties of A are no object"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_broken_template_is_a_clear_error(
    write_assembly: WriteAssembly, tmp_path: Path, text: str, said: str
) -> None:
    folder = write_assembly({"Data": {}})
    (tmp_path / "Data.template.json").write_text(text)
    with pytest.raises(UnusableAssemblyError, match=said):
        read_assembly(folder)
    with pytest.raises(UnusableAssemblyError, match=said):
        read_template(tmp_path / "Data.template.json", account="111122223333", region="eu-west-1")


def test_a_broken_template_of_a_nested_stack_is_a_clear_error(write_assembly: WriteAssembly, tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "inner.json"}}
    (tmp_path / "inner.json").write_text('{"Resources": []}')
    with pytest.raises(UnusableAssemblyError, match=r"inner\.json cannot be read"):
        read_assembly(write_assembly({"Data": {"Resources": {"Inner": nested}}}))


def test_resources_that_are_made_from_a_list_are_no_error(write_assembly: WriteAssembly) -> None:
    (stack,) = read_assembly(write_assembly({"Data": {"Resources": {"Fn::ForEach::Tables": ["T", ["a"], {}]}}}))
    assert stack.name == "Data"


def test_an_assembly_without_a_stack_is_a_clear_error(write_assembly: WriteAssembly) -> None:
    with pytest.raises(UnusableAssemblyError, match="lists no stack"):
        read_assembly(write_assembly({}))


def test_a_nested_stack_is_found_by_its_asset_where_the_cli_left_no_metadata(
    write_assembly: WriteAssembly, tmp_path: Path
) -> None:
    hash_ = "0123456789abcdef" * 4
    url = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, f"/bucket/{hash_}.json"]]}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    (tmp_path / "inner.json").write_text(json.dumps({"Resources": {"T": {"Type": "AWS::DynamoDB::Table"}}}))
    assets = {"files": {hash_: {"source": {"path": "inner.json"}}}}
    (tmp_path / "Data.assets.json").write_text(json.dumps(assets))
    names = [stack.name for stack in read_assembly(write_assembly({"Data": {"Resources": {"Inner": nested}}}))]
    assert names == ["Data", "Data/Inner"]


def test_an_assembly_that_contains_itself_is_a_clear_error(write_assembly: WriteAssembly) -> None:
    with pytest.raises(UnusableAssemblyError, match="names itself"):
        read_assembly(write_assembly({}, stages=(".",)))


def test_a_template_that_nests_itself_is_a_clear_error(write_assembly: WriteAssembly) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "Data.template.json"}}
    with pytest.raises(UnusableAssemblyError, match="nests itself"):
        read_assembly(write_assembly({"Data": {"Resources": {"Inner": nested}}}))


def test_a_template_nested_beyond_reason_is_a_clear_error(write_assembly: WriteAssembly, tmp_path: Path) -> None:
    folder = write_assembly({"Data": {}})
    for depth in (100, 100_000):
        (tmp_path / "Data.template.json").write_text('{"Resources": ' + "[" * depth + "]" * depth + "}")
        with pytest.raises(UnusableAssemblyError, match="nested"):
            read_assembly(folder)


def test_a_template_is_read_with_the_account_and_region_that_somebody_says(tmp_path: Path) -> None:
    file = tmp_path / "Data.template.json"
    file.write_text('{"Resources": {}}')
    (stack,) = read_template(file, account="111122223333", region="eu-west-1")
    assert (stack.name, stack.account, stack.region) == ("Data", "111122223333", "eu-west-1")


@pytest.mark.parametrize(("text", "said"), [("{}", "has no Resources"), ("Resources:", "YAML"), ("{", "no whole JSON")])
def test_a_file_that_is_no_template_is_a_clear_error(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(UnusableAssemblyError, match=said):
        read_template(tmp_path / "x", account="111122223333", region="eu-west-1")
