"""AWS partitions: which one a region belongs to, and what its host names end in.

Source, as of 2026-11-30: the SDK's partitions.json (botocore 1.44).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from tableguard.aws.regions import REGIONS

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
