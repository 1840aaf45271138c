"""What a review says of perimeters, of people and of the organization's policies, and where metadata disagrees."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from typing import Any, Final

import pytest

from tableguard.policy import FromNetwork, FromVpc, FromVpcEndpoint, PermissionSet, Role, TableReference
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.metadata import people_json, perimeter_json
from tableguard.policy.metadata.conditions import network_json
from tableguard.policy.metadata.permissions import restricted_actions_json
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import (
    Exemption,
    Forwarding,
    FromVpcsOfAccount,
    FromVpcsOfOrganization,
    LambdaPoller,
    Network,
    Perimeter,
    RestrictedActions,
)
from tableguard.review.as_json import as_json
from tableguard.review.as_markdown import as_markdown
from tableguard.review.as_text import as_text
from tableguard.review.report import Review
from tests.unit.review.support import (
    CONSUMER,
    OWNER,
    REGION,
    TABLE,
    claiming,
    deny,
    document,
    reviewed,
    stack,
    table,
    to,
)
from tests.unit.review.test_schema import REVIEW, problems

Json = dict[str, Any]

VPC: Final = "vpc-0abc1234"
EXPORTER: Final = Role(account=OWNER, name="exporter")
INSIDE: Final = Perimeter(
    networks=[FromVpc(VPC, region=REGION), FromNetwork("192.0.2.0/24")],
    exemptions=[
        Exemption(principal=EXPORTER, actions=RestrictedActions.EXPORT, reason="nightly"),
        Exemption(
            principal=LambdaPoller(Role(account=OWNER, name="worker")),
            actions=RestrictedActions.STREAM,
            reason="search",
        ),
        Exemption(
            principal=Forwarding("athena.amazonaws.com"), actions=RestrictedActions.on_table("Scan"), reason="reports"
        ),
    ],
)
STEWARDS: Final = PermissionSet(account=OWNER, name="Steward")
NO_PEOPLE: Final = NoPeople(
    exceptions=[Exemption(principal=STEWARDS, actions=RestrictedActions.on_table("GetItem"), reason="requests")]
)
ORDERS: Final = TableReference(account=OWNER, region=REGION, name="orders")


def _restriction(restriction: Perimeter | NoPeople, kind: str) -> tuple[list[Json], list[Json], Json]:
    def written(denials: tuple[DenyStatement, ...]) -> list[Json]:
        return [denial.to_json(principal="*") for denial in denials]

    said = perimeter_json(restriction) if isinstance(restriction, Perimeter) else people_json(restriction)
    claims = json.loads(json.dumps({kind: said}))
    return written(restriction.table_statements(ORDERS)), written(restriction.stream_statements(ORDERS)), claims


def _table(policy: list[Json], stream: list[Json], claims: Json) -> Json:
    made = table(*policy, stream=stream)
    made["Properties"].setdefault("StreamSpecification", {})
    return {**made, **claiming(**claims)}


def _private(**changed: Any) -> Review:
    policy, stream, claims = _restriction(INSIDE, "perimeter")
    made = _table(changed.get("policy", policy), changed.get("stream", stream), changed.get("claims", claims))
    return reviewed(stack(T=made, **changed.get("more", {})))


def _messages(found: Review) -> list[str]:
    return [finding.message for finding in found.findings]


def _claims(**changed: Any) -> Json:
    claims = copy.deepcopy(_restriction(INSIDE, "perimeter")[2])
    claims["perimeter"] |= changed
    return claims


def _without(policy: list[Json], arn: str) -> list[Json]:
    text = json.dumps(policy)
    assert arn in text
    return list(json.loads(text.replace(arn, f"arn:aws:iam::{OWNER}:role/somebody-else")))


def test_networks_and_exemptions_are_decided_and_explained() -> None:
    found = _private()
    assert _messages(found) == []
    (each,) = as_json(found)["tables"]
    reached = {network["network"]: bool(network["reached"]) for network in each["perimeter"]["networks"]}
    assert reached == {VPC: True, "192.0.2.0/24": True, "any other VPC": False, "the internet": False}
    exempt = {one["label"]: (one["what"], one["reason"]) for one in each["perimeter"]["exempt"]}
    assert exempt == {
        f"service-linked role AWSServiceRoleForDynamoDBReplication of {OWNER}": (
            ["items", "stream"],
            "replicas stay in step",
        ),
        f"role exporter of {OWNER}": (["export"], "nightly"),
        f"role worker of {OWNER}": (["stream"], "search"),
        "calls forwarded by athena.amazonaws.com": (["Scan"], "reports"),
    }


@pytest.mark.parametrize("write", [as_markdown, lambda found: as_text(found, width=120)])
def test_people_read_the_same(write: Any) -> None:
    text = write(_private())
    for line in (
        f"192.0.2.0/24, {VPC}",
        "any other VPC, the internet",
        f"role exporter of {OWNER}: export (nightly)",
        "calls forwarded by athena.amazonaws.com: Scan (reports)",
    ):
        assert line in text
    assert "any network" not in text


def test_the_schema_holds() -> None:
    policies = TestOrganization.reviewed("r-ab12", exempted=OWNER, stated=OWNER)
    for found in (_private(), policies):
        assert list(problems(json.loads(json.dumps(as_json(found))), REVIEW)) == []
    assert as_json(policies)["organization_policies"][0]["excluded_accounts"]


def test_nothing_is_said_of_an_app_without_restrictions() -> None:
    found = reviewed(stack(T=table(to(f"arn:aws:iam::{CONSUMER}:role/reader"))))
    assert "inside" not in as_text(found)
    ((network,),) = [each["perimeter"]["networks"] for each in as_json(found)["tables"]]
    assert network["network"] == "the internet"
    assert "items" in network["reached"]


def test_an_open_table_beside_a_private_one_is_said_to_be_open() -> None:
    found = _private(more={"Other": table(TableName="other")})
    assert "any network: no policy asks where a request comes from" in as_text(found, width=120)


def test_endpoints_of_the_assembly_are_tried_with_their_policies() -> None:
    def endpoint(*statements: Json) -> Json:
        properties = {"ServiceName": f"com.amazonaws.{REGION}.dynamodb", "VpcId": VPC}
        return {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {**properties, "PolicyDocument": document(*statements)},
        }

    reads = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Principal": "*", "Resource": TABLE}
    found = _private(more={"E": endpoint(reads)})
    networks = {each.network: each.reached for each in found.tables[0].enclosure.networks}
    assert networks[f"{{Data.E}} in {VPC}"] == ("items",)
    assert "partly" in as_text(found)


def test_an_scp_on_the_account_is_a_wall_as_well() -> None:
    wall = deny("dynamodb:*", "*", Condition={"StringNotEquals": {"aws:SourceVpc": VPC}})
    policy = {
        "Type": "AWS::Organizations::Policy",
        "Properties": {
            "Type": "SERVICE_CONTROL_POLICY",
            "Name": "wall",
            "TargetIds": [OWNER],
            "Content": document(wall),
        },
    }
    found = reviewed(stack(T=table()), stack("Org", CONSUMER, P=policy))
    reached = {each.network: bool(each.reached) for each in found.tables[0].enclosure.networks}
    assert reached == {VPC: True, "any other VPC": False, "the internet": False}
    assert f"SCP wall on {OWNER}; binds {OWNER}" in as_text(found)


def test_an_exempt_role_of_another_account_is_exempt_though_nothing_is_granted_to_it() -> None:
    reader = f"arn:aws:iam::{CONSUMER}:role/reader"
    condition = {"StringNotEquals": {"aws:SourceVpc": VPC}, "ArnNotEquals": {"aws:PrincipalArn": reader}}
    found = reviewed(stack(T=table(deny("dynamodb:GetItem", Principal="*", Condition=condition))))
    (exempted,) = found.tables[0].enclosure.exempted
    assert (exempted.label, exempted.what) == (f"role reader of {CONSUMER}", ("everything",))


@pytest.mark.parametrize(
    ("operator", "region", "named"),
    [
        ("StringEquals", REGION, True),
        ("StringEquals", "us-west-2", False),
        ("StringNotEquals", REGION, False),
    ],
)
def test_networks_count_in_the_regions_that_a_statement_is_about(operator: str, region: str, named: bool) -> None:
    condition = {"StringNotLike": {"aws:SourceVpc": VPC}, operator: {"aws:RequestedRegion": region}}
    found = reviewed(stack(T=table(deny("dynamodb:GetItem", Principal="*", Condition=condition))))
    enclosure = found.tables[0].enclosure
    assert (VPC in {each.network for each in enclosure.networks}) is named
    assert (VPC in enclosure.said) is named


class TestDisagreements:
    def test_an_exemption_that_the_policy_does_not_give(self) -> None:
        policy = _without(_restriction(INSIDE, "perimeter")[0], EXPORTER.arn("aws"))
        said = f"the metadata exempts role exporter of {OWNER} for export"
        assert any(message.startswith(said) for message in _messages(_private(policy=policy)))

    def test_a_forwarding_that_the_policy_does_not_give(self) -> None:
        text = json.dumps(_restriction(INSIDE, "perimeter")[0]).replace("athena.amazonaws.com", "glue.amazonaws.com")
        messages = _messages(_private(policy=json.loads(text)))
        assert any("exempts calls forwarded by athena.amazonaws.com" in message for message in messages)
        assert any("exempt calls forwarded by glue.amazonaws.com for Scan" in message for message in messages)

    def test_an_exemption_that_no_metadata_explains(self) -> None:
        claims = _claims(exemptions=_claims()["perimeter"]["exemptions"][1:])
        said = f"the policies exempt role exporter of {OWNER} for export, and no metadata says why"
        assert _messages(_private(claims=claims)) == [said]

    def test_an_exemption_for_more_than_the_metadata_says(self) -> None:
        claims = _claims()
        exemptions = claims["perimeter"]["exemptions"]
        (exporter,) = (each for each in exemptions if each["principal"].get("name") == "exporter")
        assert _messages(_private(claims=claims)) == []
        exporter["actions"] = restricted_actions_json(RestrictedActions.on_table("CreateBackup"))
        said = f"the policies exempt role exporter of {OWNER} for ExportTableToPointInTime as well"
        messages = _messages(_private(claims=claims))
        assert f"{said}, which the metadata does not say" in messages

    def test_a_denial_of_what_aws_adds_later_that_the_policies_do_not_have(self) -> None:
        trial = dataclasses.replace(INSIDE, not_action_at_tables="a trial")
        policy, stream, claims = _restriction(trial, "perimeter")
        assert _messages(_private(policy=policy, stream=stream, claims=claims)) == []
        said = "the metadata says that the {}'s policy denies what AWS adds later, and it does not"
        assert _messages(_private(stream=stream, claims=claims)) == [said.format("table")]
        assert _messages(_private(policy=policy, claims=claims)) == [said.format("stream")]

    def test_a_policy_without_any_metadata_is_not_asked_for_reasons(self) -> None:
        assert _messages(_private(claims={})) == []

    @pytest.mark.parametrize(
        ("inside", "said"),
        [
            ([FromVpc(VPC, region=REGION)], "the policies let 192.0.2.0/24 in, which the metadata does not say"),
            (
                [FromVpc(VPC, region=REGION), FromNetwork("192.0.2.0/24"), FromVpcEndpoint("vpce-1a2b3c4d")],
                "the metadata says that vpce-1a2b3c4d is inside, and the policies do not name it",
            ),
            (
                [FromVpc(VPC, region=REGION), FromNetwork("192.0.2.0/24"), FromVpc("vpc-0abc1239", region="us-west-2")],
                None,
            ),
            (
                [FromVpc(VPC, region=REGION), FromNetwork("192.0.2.0/24"), FromVpcsOfAccount(CONSUMER)],
                f"the metadata says that {CONSUMER} is inside, and the policies do not name it",
            ),
            (
                [FromVpc(VPC, region=REGION), FromNetwork("192.0.2.0/24"), FromVpcsOfOrganization("o-a1b2c3d4e5")],
                "the metadata says that o-a1b2c3d4e5 is inside, and the policies do not name it",
            ),
        ],
    )
    def test_networks(self, inside: list[Network], said: str | None) -> None:
        claims = _claims(inside=[network_json(network) for network in inside])
        assert _messages(_private(claims=claims)) == ([said] if said else [])

    def test_a_perimeter_in_the_metadata_alone(self) -> None:
        messages = _messages(_private(policy=[], stream=[]))
        assert f"the metadata says that {VPC} is inside, and the policies do not name it" in messages

    def test_a_replica_that_stands_open_for_a_while_is_no_finding(self) -> None:
        found = _private(policy=[], stream=[], claims=_claims(open_replicas={REGION: "empty until Monday"}))
        assert _messages(found) == []
        assert "open     until its next deployment: empty until Monday" in as_text(found)

    def test_a_stream_without_the_perimeter_of_its_table(self) -> None:
        found = _private(stream=[])
        assert [finding.kind.value for finding in found.findings] == ["perimeter"]
        assert "every change can be read from outside" in _messages(found)[0]


class TestPeople:
    def test_who_is_denied_and_who_is_not(self) -> None:
        found = reviewed(stack(T=_table(*_restriction(NO_PEOPLE, "people"))))
        assert _messages(found) == []
        text = as_text(found, width=120)
        assert "people   denied all data:" in text
        assert f"allowed  permission set Steward of {OWNER}: GetItem (requests)" in text
        assert text.count("permission set Steward") == 1

    def test_an_exception_that_nobody_explains_or_that_is_not_given(self) -> None:
        policy, stream, claims = _restriction(NO_PEOPLE, "people")
        unexplained = copy.deepcopy(claims)
        unexplained["people"]["exemptions"] = []
        said = f"the policies exempt permission set Steward of {OWNER} for GetItem, and no metadata says why"
        assert set(_messages(reviewed(stack(T=_table(policy, stream, unexplained))))) == {said}
        without = json.loads(json.dumps(policy).replace("Steward", "Other"))
        messages = _messages(reviewed(stack(T=_table(without, stream, claims))))
        assert any("exempts permission set Steward" in message and "deny it GetItem" in message for message in messages)

    def test_people_kept_out_in_the_metadata_alone(self) -> None:
        found = reviewed(stack(T=_table([], [], _restriction(NO_PEOPLE, "people")[2])))
        assert "the metadata says that people are kept out, and the policies do not" in _messages(found)

    @pytest.mark.parametrize(("region", "waits"), [(REGION, True), ("us-west-2", False)])
    def test_a_replica_whose_policy_comes_later_is_no_finding_and_any_other_is(self, region: str, waits: bool) -> None:
        claims = _restriction(NO_PEOPLE, "people")[2]
        claims["people"]["open_replicas"] = {region: "its policy comes next"}
        found = reviewed(stack(T=_table([], [], claims)))
        kept_out = "the metadata says that people are kept out, and the policies do not"
        assert (kept_out in _messages(found)) is not waits
        assert ("until its next deployment: its policy comes next" in as_text(found)) is waits

    def test_what_is_open_to_people_excuses_no_perimeter(self) -> None:
        claims = _claims()
        claims["people"] = {"open_replicas": {REGION: "its policy comes next"}}
        messages = _messages(_private(policy=[], stream=[], claims=claims))
        assert f"the metadata says that {VPC} is inside, and the policies do not name it" in messages


@pytest.mark.parametrize("write", [as_text, as_markdown])
def test_what_a_replica_repeats_is_listed_once_and_counted_once(write: Any) -> None:
    claims = _restriction(NO_PEOPLE, "people")[2]
    properties = {"TableName": "orders", "Replicas": [{"Region": REGION}, {"Region": "us-west-2"}]}
    made = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties, **claiming(**claims)}
    found = reviewed(stack(T=made))
    assert len({(each.message, each.table) for each in found.findings}) == 2
    assert len({each.message for each in found.findings}) == 1
    text = write(found)
    lists = {each: text.count(f"{each}:") for each in ("metadata", "**metadata**")}
    listed = re.search(r"Findings \((\d+)\)", text)
    counted = re.search(r"(\d+) finding", text)
    assert listed is not None
    assert counted is not None
    assert int(listed[1]) == int(counted[1]) == max(lists.values()) < len(found.findings)
    warned, said = re.search(r"Warnings \((\d+)\)", text), re.search(r"(\d+) warning", text)
    assert (int(warned[1]) if warned else 0) == (int(said[1]) if said else 0)
    unknown, not_known = re.search(r"Not known \((\d+)\)", text), re.search(r"(\d+) not known", text)
    assert (int(unknown[1]) if unknown else 0) == (int(not_known[1]) if not_known else 0)


class TestOrganization:
    @staticmethod
    def reviewed(target: str, *, exempted: str | None, stated: str | None) -> Review:
        condition = {"StringNotEquals": {"aws:PrincipalAccount": exempted}} if exempted else {}
        wall = deny("dynamodb:DeleteTable", "*", Condition=condition)
        excluded_accounts = {"excluded_accounts": [{"account": stated, "reason": "development"}]} if stated else {}
        policy = {
            "Type": "AWS::Organizations::Policy",
            "Properties": {
                "Type": "SERVICE_CONTROL_POLICY",
                "Name": "wall",
                "TargetIds": [target],
                "Content": document(wall),
            },
            **claiming(control={"guardrails": [], **excluded_accounts}),
        }
        return reviewed(stack(T=table()), stack("Org", CONSUMER, P=policy))

    @pytest.mark.parametrize(
        ("target", "exempted", "line"),
        [
            (OWNER, None, f"SCP wall on {OWNER}; binds {OWNER}"),
            ("r-ab12", None, f"SCP wall on r-ab12; binds {OWNER}"),
            ("ou-ab12-11111111", None, f"on ou-ab12-11111111; may bind {OWNER} (no template tells what a unit holds)"),
            ("555566667777", None, "SCP wall on 555566667777; binds no account with tables"),
            ("r-ab12", OWNER, f"binds no account with tables; excludes {OWNER} (development)"),
        ],
    )
    def test_what_it_binds(self, target: str, exempted: str | None, line: str) -> None:
        found = self.reviewed(target, exempted=exempted, stated=exempted)
        assert line in as_text(found, width=120)
        assert _messages(found) == []

    def test_where_metadata_and_statements_disagree(self) -> None:
        assert _messages(self.reviewed("r-ab12", exempted=OWNER, stated=None)) == [
            f"SCP wall exempts {OWNER}, and no metadata says why"
        ]
        assert _messages(self.reviewed("r-ab12", exempted=None, stated=OWNER)) == [
            f"the metadata says that {OWNER} is excluded, and SCP wall binds it"
        ]
