"""AWS partitions: which one a region belongs to, and what its host names end in.

Source, as of 2026-11-30: the SDK's partitions.json (botocore 1.44).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# As of 2026-11-30: the CDK's region information (aws-cdk-lib 2.275), and two regions more of the SDK's partitions.json
# (botocore 1.44).
_REGIONS: Final = {
    "aws": (
        "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 "
        "ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 "
        "ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 "
        "eu-west-3 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-east-1 sa-west-1 us-east-1 "
        "us-east-2 us-west-1 us-west-2"
    ),
    "aws-cn": "cn-north-1 cn-northwest-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1 us-iso-west-1",
    "aws-iso-b": "us-isob-east-1 us-isob-west-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-east-1 us-isof-south-1",
    "aws-us-gov": "us-gov-east-1 us-gov-west-1",
}

REGIONS: Final[Mapping[str, str]] = MappingProxyType(
    {region: partition for partition, regions in _REGIONS.items() for region in regions.split()}
)
"""The partition of every region that was known at that date."""
# What the regions of a partition begin with, for a region that is newer than the list; any other is of "aws".
_PREFIXES: Final = MappingProxyType(
    {
        "cn-": "aws-cn",
        "us-gov-": "aws-us-gov",
        "eusc-": "aws-eusc",
        "us-iso-": "aws-iso",
        "us-isob-": "aws-iso-b",
        "eu-isoe-": "aws-iso-e",
        "us-isof-": "aws-iso-f",
    }
)
DNS_SUFFIXES: Final = MappingProxyType(
    {
        "aws": "amazonaws.com",
        "aws-cn": "amazonaws.com.cn",
        "aws-eusc": "amazonaws.eu",
        "aws-iso": "c2s.ic.gov",
        "aws-iso-b": "sc2s.sgov.gov",
        "aws-iso-e": "cloud.adc-e.uk",
        "aws-iso-f": "csp.hci.ic.gov",
        "aws-us-gov": "amazonaws.com",
    }
)
"""What host names end in, by partition."""


def partition_of(region: str) -> str:
    """The partition that a region belongs to, such as "aws".

    Args:
        region: The region's name. One that is not known yet is taken for what its name begins with.
    """
    known = REGIONS.get(region)
    return known or next((name for prefix, name in _PREFIXES.items() if region.startswith(prefix)), "aws")


def dns_suffix_of(partition: str) -> str:
    """What the host names of services end in.

    Args:
        partition: The partition's name.
    """
    return DNS_SUFFIXES.get(partition, "amazonaws.com")
