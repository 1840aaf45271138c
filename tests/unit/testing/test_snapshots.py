"""The helper for snapshots of templates."""

import copy
import json
import subprocess
import sys

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from tableguard.testing import scrubbed, template_snapshot
from tableguard.testing.syrupy import TemplateSnapshotExtension

ASSET = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
VERSION = "b5c765f3c55e4e61583b51b00a957420"


def test_hashes_are_replaced_in_values_and_in_keys() -> None:
    template = {
        "Parameters": {f"AssetParameters{ASSET}S3Bucket": {"Type": "String"}},
        "Resources": {f"FnCurrentVersion17A89ABB{VERSION}": {"Key": f"{ASSET}.zip", "Many": [f"a/{OTHER}/b"]}},
    }

    assert scrubbed(template) == {
        "Parameters": {"AssetParametersHASH1S3Bucket": {"Type": "String"}},
        "Resources": {"FnCurrentVersion17A89ABBHASH2": {"Key": "HASH1.zip", "Many": ["a/HASH3/b"]}},
    }


def test_keys_that_differ_in_their_hash_alone_both_stay() -> None:
    assert scrubbed({f"Asset{ASSET}": 1, f"Asset{OTHER}": 2}) == {"AssetHASH1": 1, "AssetHASH2": 2}


def test_logical_ids_and_account_ids_stay_since_a_change_of_them_is_worth_a_review() -> None:
    template = {"Resources": {"OrdersA9B65338": {"Arn": "arn:aws:dynamodb:us-east-1:444455556666:table/orders"}}}

    assert scrubbed(template) == template


def test_a_hash_is_found_next_to_a_name_that_ends_in_one_of_its_digits() -> None:
    assert scrubbed(f"Archive{ASSET}Bucket") == "ArchiveHASH1Bucket"


def test_uuids_stay() -> None:
    assert scrubbed("key/1234abcd-12ab-34cd-56ef-1234567890ab") == "key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_the_template_that_was_given_stays_as_it_is() -> None:
    template = {"Resources": {f"Version{VERSION}": {"Key": [ASSET]}}}
    before = copy.deepcopy(template)

    scrubbed(template)

    assert template == before


def test_a_snapshot_holds_what_the_stack_says_and_nothing_that_every_stack_has() -> None:
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "S")
    sqs.Queue(stack, "Queue")
    cdk.CfnParameter(stack, "Mine")

    snapshot = template_snapshot(stack)

    assert set(snapshot) == {"Parameters", "Resources"}
    assert set(snapshot["Parameters"]) == {"Mine"}
    assert [resource["Type"] for resource in snapshot["Resources"].values()] == ["AWS::SQS::Queue"]


def test_json_can_be_scrubbed_without_the_cdk() -> None:
    program = "import sys, tableguard.testing; print('aws_cdk' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_the_extension_writes_a_stack_as_template_snapshot_gives_it() -> None:
    stack = cdk.Stack(cdk.App(), "Data")
    cdk.CfnResource(stack, "Thing", type="A::B::C", properties={"Hash": "0" * 64})
    written = str(TemplateSnapshotExtension().serialize(stack))
    assert json.loads(written) == template_snapshot(stack)
    assert json.loads(written)["Resources"]["Thing"]["Properties"] == {"Hash": "HASH1"}


MACHINE = "AWS::StepFunctions::StateMachine"


def _machine(definition: object) -> dict[str, object]:
    return {"Resources": {"Machine": {"Type": MACHINE, "Properties": {"DefinitionString": definition}}}}


def test_a_definition_is_written_state_by_state_whatever_it_refers_to() -> None:
    parts = [
        '{"StartAt": "A", "States": {"A": {"Resource": "',
        {"Fn::GetAtt": ["Function", "Arn"]},
        '", "Bucket": "arn:',
        {"Ref": "AWS::Partition"},
        ":s3:::",
        {"Fn::ImportValue": "of-another-stack"},
        '", "ResultPath": null, "Hash": "' + ASSET + '"}}}',
    ]
    template = _machine({"Fn::Join": ["", parts]})
    before = copy.deepcopy(template)
    written = str(TemplateSnapshotExtension().serialize(template))
    assert json.loads(written)["Resources"]["Machine"]["Properties"]["DefinitionString"] == {
        "StartAt": "A",
        "States": {
            "A": {
                "Resource": "${Function.Arn}",
                "Bucket": 'arn:${AWS::Partition}:s3:::${{"Fn::ImportValue": "of-another-stack"}}',
                "ResultPath": None,
                "Hash": "HASH1",
            }
        },
    }
    assert max(map(len, written.splitlines())) < 120
    assert template == before


def test_a_definition_of_a_stack_is_written_state_by_state() -> None:
    stack = cdk.Stack(cdk.App(), "Data")
    cdk.CfnResource(stack, "Machine", type=MACHINE, properties={"DefinitionString": '{"StartAt": "A"}'})
    snapshot = template_snapshot(stack)
    assert snapshot["Resources"]["Machine"]["Properties"]["DefinitionString"] == {"StartAt": "A"}


@pytest.mark.parametrize(
    "definition", ["no JSON", {"Ref": "Definition"}, {"Fn::Join": ["", ["[", {"Ref": "A"}]]}, None]
)
def test_a_definition_that_is_no_json_stays_as_it_is(definition: object) -> None:
    template = _machine(definition)
    assert json.loads(str(TemplateSnapshotExtension().serialize(template))) == template


def test_the_extension_scrubs_a_template_that_is_there_already() -> None:
    written = str(TemplateSnapshotExtension().serialize({"Resources": {"a" * 64: {"Of": "a" * 64}}}))
    assert json.loads(written) == {"Resources": {"HASH1": {"Of": "HASH1"}}}
