from __future__ import annotations

import json
from pathlib import Path

import pytest

from tableguard.review.assembly import UnusableAssemblyError, read_assembly
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
