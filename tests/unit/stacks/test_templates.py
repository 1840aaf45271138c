import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tableguard.testing import assert_allowed, assert_denied
from tests.unit.stacks.synthesized import Synthesized, nodes, synthesize

TABLE_ARN = "arn:aws:dynamodb:us-east-1:444455556666:table/rbac-central-table"
TENANTS = {"TenantAlfa": "alfa-reader", "TenantBravo": "bravo-reader", "TenantCharlie": "charlie-reader"}
CONSUMERS = {**TENANTS, "Etl": "catalogue-etl", "Writer": "catalogue-writer"}
STACKS = ["CentralData", *CONSUMERS, "PrivateWorkload", "Management", "BackupVault", "Recovery"]


def template(reference: Synthesized, stack: str) -> Template:
    return reference.template(stack)


def test_puts_each_role_of_the_organization_into_its_account_and_region(reference: Synthesized) -> None:
    assert reference.environments == {
        "CentralData": "aws://444455556666/us-east-1",
        "TenantAlfa": "aws://111122223333/us-east-1",
        "TenantBravo": "aws://222233334444/eu-west-1",
        "TenantCharlie": "aws://555566667777/us-east-1",
        "Etl": "aws://333344445555/us-east-1",
        "Writer": "aws://666677778888/us-east-1",
        "PrivateWorkload": "aws://101011112222/us-east-1",
        "Management": "aws://121213131414/us-east-1",
        "BackupVault": "aws://181819192020/us-west-2",
        "Recovery": "aws://212122222323/us-west-2",
    }


def test_keeps_the_table_safe_and_gives_it_what_its_consumers_need(reference: Synthesized) -> None:
    key = {"Fn::GetAtt": [Match.string_like_regexp("Key"), "Arn"]}
    template(reference, "CentralData").has_resource(
        "AWS::DynamoDB::GlobalTable",
        {
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "TableName": "rbac-central-table",
                "KeySchema": [
                    {"AttributeName": "category", "KeyType": "HASH"},
                    {"AttributeName": "item", "KeyType": "RANGE"},
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-date",
                        "KeySchema": [
                            {"AttributeName": "category", "KeyType": "HASH"},
                            {"AttributeName": "time", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                "Replicas": [
                    Match.object_like(
                        {
                            "Region": "us-east-1",
                            "DeletionProtectionEnabled": True,
                            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                            "SSESpecification": {"KMSMasterKeyId": key},
                        }
                    )
                ],
            },
        },
    )


@pytest.mark.parametrize("stack", CONSUMERS)
def test_tells_every_function_the_full_arn_of_the_table_as_a_literal(reference: Synthesized, stack: str) -> None:
    (function,) = reference.resources(stack, "AWS::Lambda::Function")
    expected = {"TABLE_ARN": TABLE_ARN} | ({"INDEX_NAME": "by-date"} if stack == "Etl" else {})
    assert function["Properties"]["Environment"] == {"Variables": expected}


@pytest.mark.parametrize(("stack", "role"), CONSUMERS.items())
def test_runs_every_function_as_the_role_that_the_grant_names(reference: Synthesized, stack: str, role: str) -> None:
    assert reference.role_of(stack).endswith(f":role/{role}")
    ((role_id, resource),) = template(reference, stack).find_resources("AWS::IAM::Role").items()
    lambda_alone = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    assert resource["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [lambda_alone]
    (function,) = reference.resources(stack, "AWS::Lambda::Function")
    assert function["Properties"]["Role"] == {"Fn::GetAtt": [role_id, "Arn"]}
    policies = set(template(reference, stack).find_resources("AWS::IAM::Policy"))
    assert {role_id, *policies} <= set(function["DependsOn"])


@pytest.mark.parametrize("stack", CONSUMERS)
def test_lets_every_function_write_its_own_log_and_no_other(reference: Synthesized, stack: str) -> None:
    (role,) = reference.resources(stack, "AWS::IAM::Role")
    assert "ManagedPolicyArns" not in role["Properties"]
    ((log_id, log),) = template(reference, stack).find_resources("AWS::Logs::LogGroup").items()
    assert log["Properties"]["RetentionInDays"] == 365
    (function,) = reference.resources(stack, "AWS::Lambda::Function")
    assert function["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": log_id}}
    policies = reference.resources(stack, "AWS::IAM::Policy")
    statements = [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    # The ARN of a log group ends with a wildcard, which no request is for: what it is attached to is text.
    assert [each for each in statements if "logs:" in json.dumps(each)] == [
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [log_id, "Arn"]},
        }
    ]


@pytest.mark.parametrize("stack", CONSUMERS)
def test_runs_a_current_python_on_arm(reference: Synthesized, stack: str) -> None:
    template(reference, stack).has_resource_properties(
        "AWS::Lambda::Function",
        {"Runtime": "python3.14", "Architectures": ["arm64"], "Handler": "index.handler", "Timeout": 30},
    )


def test_deploys_the_source_of_the_handlers_and_nothing_else(reference: Synthesized) -> None:
    handlers = {"PrivateWorkload", *CONSUMERS}
    assets = {
        each["source"]["path"]
        for stack in handlers
        for each in json.loads((reference.folder / f"{stack}.assets.json").read_text())["files"].values()
        if each["source"]["packaging"] == "zip"
    }
    assert [[path.name for path in (reference.folder / asset).rglob("*")] for asset in assets] == [["index.py"]] * 3


def test_tells_the_writers_operator_which_function_to_invoke(reference: Synthesized) -> None:
    (function_id,) = template(reference, "Writer").find_resources("AWS::Lambda::Function")
    template(reference, "Writer").has_output("FunctionName", {"Value": {"Ref": function_id}})


class TestAccountsAreIndependent:
    @pytest.mark.parametrize("stack", STACKS)
    def test_no_template_asks_for_a_value_of_another_stack(self, reference: Synthesized, stack: str) -> None:
        text = json.dumps(reference.templates[stack])
        assert [word for word in ("Fn::GetStackOutput", "Fn::ImportValue", "${Token") if word in text] == []
        outputs = reference.templates[stack].get("Outputs", {})
        assert [name for name, output in outputs.items() if "Export" in output] == []

    @pytest.mark.parametrize("stack", STACKS)
    def test_every_reference_stays_within_its_template(self, reference: Synthesized, stack: str) -> None:
        own = reference.templates[stack]
        known = {*own["Resources"], *own["Parameters"]}
        referred = [node for node in nodes(own) if isinstance(node, dict)]
        refs = {node["Ref"] for node in referred if isinstance(node.get("Ref"), str)}
        targets = {ref for ref in refs if not ref.startswith("AWS::")}  # those are about the stack itself
        targets |= {node["Fn::GetAtt"][0] for node in referred if isinstance(node.get("Fn::GetAtt"), list)}
        assert targets
        assert targets <= known

    def test_no_stack_waits_for_another_but_whoever_sends_to_the_vault(self, reference: Synthesized) -> None:
        artifacts = json.loads((reference.folder / "manifest.json").read_text())["artifacts"]
        waiting = {
            stack: [each for each in artifacts[stack].get("dependencies", []) if each in STACKS] for stack in STACKS
        }
        # S3 refuses a replication to a bucket that is not there.
        sending = {"CentralData": ["BackupVault"], "PrivateWorkload": ["BackupVault"]}
        assert waiting == {stack: [] for stack in STACKS} | sending

    def test_nothing_is_deployed_into_the_vendors_account(self, reference: Synthesized) -> None:
        assert reference.organization["vendor"]["account"] == "777788889999"
        assert not [name for name in reference.environments.values() if "777788889999" in name]


@pytest.fixture(scope="module")
def elsewhere(reference: Synthesized, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The reference organization with other accounts and regions, and a tenant more."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(each) for key, each in value.items()}
        # Another account for each, and another region for all.
        return "ap-southeast-2" if not value.isdigit() else f"{zlib.crc32(value.encode()):012}"

    organization = moved(reference.organization)
    organization["tenants"]["Delta"] = {"account": "888899990000", "region": "eu-central-1"}
    return synthesize(tmp_path_factory.mktemp("elsewhere"), organization)


class TestAnotherOrganization:
    def test_changing_the_context_changes_every_account_and_region(
        self, reference: Synthesized, elsewhere: Synthesized
    ) -> None:
        text = json.dumps([elsewhere.templates, elsewhere.environments])
        theirs = {node for node in nodes(reference.organization) if isinstance(node, str)}
        assert theirs
        assert [value for value in theirs if value in text] == []
        accounts = {node for node in nodes(elsewhere.organization) if isinstance(node, str) and node.isdigit()}
        assert accounts <= set(re.findall(r"\d{12}", text))

    def test_another_tenant_is_one_more_entry(self, elsewhere: Synthesized) -> None:
        assert elsewhere.environments["TenantDelta"] == "aws://888899990000/eu-central-1"
        role = elsewhere.role_of("TenantDelta")
        assert role == "arn:aws:iam::888899990000:role/delta-reader"
        decided: dict[str, Any] = {"where": elsewhere.folder, "resource": elsewhere.table_arn}
        assert_allowed(principal=role, action="dynamodb:GetItem", **decided)
        assert_denied(principal=role, action="dynamodb:PutItem", **decided)
        assert_denied(principal=f"{role}-2", action="dynamodb:GetItem", **decided)

    def test_consumers_may_share_an_account_and_even_the_tables(self, reference: Synthesized, tmp_path: Path) -> None:
        def one_account(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: one_account(each) for key, each in value.items()}
            return value if not value.isdigit() else "123456789012"

        # These share none: a restriction is around an account, binds no management account, and has its way in
        # elsewhere.
        alone = {
            name: reference.organization[name] for name in ("private", "management", "emergency", "vault", "recovery")
        }
        synthesized = synthesize(tmp_path, {**one_account(reference.organization), **alone})
        assert {name.partition("/us-")[0] for name in synthesized.environments.values() if "/us-" in name} == {
            "aws://123456789012",
            "aws://101011112222",
            "aws://121213131414",
            "aws://181819192020",
            "aws://212122222323",
        }
        # Inside one account the identity policy alone decides.
        (table,) = (
            each
            for each in synthesized.resources("CentralData", "AWS::DynamoDB::GlobalTable")
            if each["Properties"].get("TableName") == "rbac-central-table"
        )
        assert ["ResourcePolicy" in replica for replica in table["Properties"]["Replicas"]] == [False]
        decided: dict[str, Any] = {"where": synthesized.folder, "resource": synthesized.table_arn}
        for stack in TENANTS:
            assert_allowed(principal=synthesized.role_of(stack), action="dynamodb:GetItem", **decided)
            assert_denied(principal=synthesized.role_of(stack), action="dynamodb:PutItem", **decided)
