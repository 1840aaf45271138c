"""AWS partitions and regions, against the CDK's own list and the SDK's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from aws_cdk.region_info import RegionInfo

from tableguard.aws.partitions import DNS_SUFFIXES, REGIONS, dns_suffix_of, partition_of


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("us-isolated-1", "aws", "amazonaws.com"),
        ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-iso-west-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-east-1", "aws-iso-f", "csp.hci.ic.gov"),
    ],
)
def test_a_region_tells_its_partition_and_the_end_of_its_host_names(region: str, partition: str, suffix: str) -> None:
    assert partition_of(region) == partition
    assert dns_suffix_of(partition) == suffix


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-east-9", "aws"),
        ("cn-south-9", "aws-cn"),
        ("us-gov-central-9", "aws-us-gov"),
        ("eusc-fr-west-9", "aws-eusc"),
        ("us-isob-south-9", "aws-iso-b"),
    ],
)
def test_a_region_that_nobody_knows_yet_is_taken_for_what_its_name_begins_with(region: str, partition: str) -> None:
    assert region not in REGIONS
    assert partition_of(region) == partition


def test_the_cdk_knows_no_other_regions_and_places_them_alike() -> None:
    theirs = {info.name: (info.partition, info.domain_suffix) for info in RegionInfo.regions}
    assert len(theirs) > 40
    assert theirs == {name: (REGIONS[name], DNS_SUFFIXES[REGIONS[name]]) for name in theirs}
    # Known to the SDK, and not to the CDK yet.
    assert REGIONS.keys() - theirs.keys() == {"me-west-1", "sa-west-1"}


def test_the_sdk_knows_the_same_partitions() -> None:
    found: list[dict[str, Any]] = json.loads((Path(botocore.__file__).parent / "data/partitions.json").read_text())[
        "partitions"
    ]
    assert {each["id"]: each["outputs"]["dnsSuffix"] for each in found} == DNS_SUFFIXES
    # The rule for regions that are not known yet places those that are.
    prefixes_only = {name: partition_of(f"{name}9") for name in REGIONS}
    assert prefixes_only == REGIONS
