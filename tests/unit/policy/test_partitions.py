"""AWS partitions."""

from __future__ import annotations

import pytest

from tableguard.policy.partitions import dns_suffix_of, partition_of


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
