"""AWS partitions: which one a region belongs to, and what its host names end in."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# Region prefixes and DNS suffixes as in the SDKs' partitions.json; everything else is "aws" and amazonaws.com.
_PARTITIONS: Final = MappingProxyType(
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
_DNS_SUFFIXES: Final = MappingProxyType(
    {
        "aws-cn": "amazonaws.com.cn",
        "aws-eusc": "amazonaws.eu",
        "aws-iso": "c2s.ic.gov",
        "aws-iso-b": "sc2s.sgov.gov",
        "aws-iso-e": "cloud.adc-e.uk",
        "aws-iso-f": "csp.hci.ic.gov",
    }
)


def partition_of(region: str) -> str:
    """The partition that a region belongs to, such as "aws".

    Args:
        region: The region's name.
    """
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def dns_suffix_of(partition: str) -> str:
    """What the host names of services end in.

    Args:
        partition: The partition's name.
    """
    return _DNS_SUFFIXES.get(partition, "amazonaws.com")
