"""Checks of names, ids and ranges, so that a typing error never gets into a policy.

Each check takes a description of the value for messages, and returns the value. Unresolved CDK values pass, unless
there are characters beside them that a policy reads as a pattern. The formats come from the IAM, STS, Organizations,
EC2 and DynamoDB API references.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection
from typing import Final

from tableguard.policy.errors import InvalidInputError
from tableguard.policy.tokens import is_unresolved, literal_part

_IAM_NAME: Final = r"[\w+=,.@-]"
# Addresses that aws:SourceIp never has. Sources: RFC 1918, 3927, 4193, 4291 and 6598.
_PRIVATE: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
# What a policy reads as a pattern or a policy variable.
_WILD: Final = re.compile(r"[*?]|\$\{")


def _matching(what: str, value: str, pattern: str, allowed: str, fix: str = "") -> str:
    if not isinstance(value, str):
        raise InvalidInputError(what, value=value, allowed=allowed, fix=fix)
    if is_unresolved(value):
        fits = not _WILD.search(literal_part(value))
    else:
        fits = re.fullmatch(pattern, value, re.ASCII) is not None
    if not fits:
        raise InvalidInputError(what, value=value, allowed=allowed, fix=fix)
    return value


def account_id(what: str, value: str) -> str:
    """Check a 12-digit account id."""
    return _matching(what, value, r"\d{12}", "the 12 digits of an AWS account id, as a string")


def region(what: str, value: str) -> str:
    """Check the format of a region ("eu-west-1"), not whether it exists: the list changes too often."""
    return _matching(what, value, r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", 'a region such as "eu-west-1"')


def partition(what: str, value: str) -> str:
    """Check a partition's name."""
    return _matching(what, value, r"aws(-[a-z]+)*", 'a partition such as "aws" or "aws-cn"')


def table_name(what: str, value: str) -> str:
    """Check a DynamoDB table name."""
    fix = "Pass the name alone, not an ARN." if str(value).startswith("arn:") else ""
    return _matching(what, value, r"[a-zA-Z0-9_.-]{3,255}", "3 to 255 of a-z, A-Z, 0-9, '_', '-', '.'", fix)


def index_name(what: str, value: str) -> str:
    """Check the name of a secondary index."""
    return _matching(what, value, r"[a-zA-Z0-9_.-]{3,255}", "3 to 255 of a-z, A-Z, 0-9, '_', '-', '.'")


def role_name(what: str, value: str) -> str:
    """Check the name of one role. A pattern is an error."""
    fix = "Pass the name alone; its path is an argument of its own." if "/" in str(value) else ""
    return _matching(what, value, rf"{_IAM_NAME}{{1,64}}", "1 to 64 letters, digits or any of '+=,.@_-'", fix)


def user_name(what: str, value: str) -> str:
    """Check the name of an IAM user."""
    return _matching(what, value, rf"{_IAM_NAME}{{1,64}}", "1 to 64 letters, digits or any of '+=,.@_-'")


def session_name(what: str, value: str) -> str:
    """Check the name of a role session."""
    return _matching(what, value, rf"{_IAM_NAME}{{2,64}}", "2 to 64 letters, digits or any of '+=,.@_-'")


def federated_user_name(what: str, value: str) -> str:
    """Check the name of a federated user."""
    return _matching(what, value, rf"{_IAM_NAME}{{2,32}}", "2 to 32 letters, digits or any of '+=,.@_-'")


def permission_set_name(what: str, value: str) -> str:
    """Check the name of an Identity Center permission set."""
    return _matching(what, value, rf"{_IAM_NAME}{{1,32}}", "1 to 32 letters, digits or any of '+=,.@_-'")


def iam_path(what: str, value: str) -> str:
    """Check the path of a role or user. IAM accepts `*`, `?` and `$` in it, but a policy reads them as patterns."""
    allowed = "'/', or a path that starts and ends with '/', without '*', '?' and '$'"
    return _matching(what, value, r"/|/[!-#%-)+->@-~]{1,510}/", allowed)


def service_host(what: str, value: str) -> str:
    """Check the host name of a service principal."""
    pattern = r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.(com|com\.cn|eu)"
    return _matching(what, value, pattern, 'a name such as "redshift.amazonaws.com"')


def organization_id(what: str, value: str) -> str:
    """Check an organization's id."""
    return _matching(what, value, r"o-[a-z0-9]{10,32}", 'an id such as "o-a1b2c3d4e5"')


def organization_path(what: str, value: str) -> str:
    """Check the path of an organizational unit, from the organization down."""
    return _matching(
        what,
        value,
        r"o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}/(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}/)+",
        'organization, root and units, each followed by "/": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"',
    )


def bucket_name(what: str, value: str) -> str:
    """Check the name of a general purpose bucket. Source: S3 user guide, "General purpose bucket naming rules"."""
    fix = "Pass the name alone, not an ARN." if str(value).startswith("arn:") else ""
    reserved = r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(\.\.|-s3alias$|--ol-s3$|\.mrap$|--x-s3$))"
    pattern = reserved + r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    return _matching(what, value, pattern, "3 to 63 of a-z, 0-9, '.', '-', with a letter or digit at both ends", fix)


def vpc_id(what: str, value: str) -> str:
    """Check a VPC's id."""
    return _matching(what, value, r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", 'an id such as "vpc-0abc1234def567890"')


def vpc_endpoint_id(what: str, value: str) -> str:
    """Check a VPC endpoint's id."""
    return _matching(what, value, r"vpce-([0-9a-f]{8}|[0-9a-f]{17})", 'an id such as "vpce-1a2b3c4d"')


def network(what: str, value: str) -> str:
    """Check an IPv4 or IPv6 range and return its canonical form. Host bits are an error: they hide a typing error."""
    allowed = "an IPv4 or IPv6 range in CIDR form without host bits"
    _matching(what, value, r"[0-9a-fA-F.:/]+", allowed)  # ipaddress takes integers and IPv6 zones, too
    if is_unresolved(value):
        return value
    try:
        widened = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise InvalidInputError(what, value=value, allowed=allowed) from None
    if widened.prefixlen == 0:
        raise InvalidInputError(what, value=value, allowed="a range narrower than the whole internet")
    if widened.network_address != ipaddress.ip_interface(value).ip:
        raise InvalidInputError(what, value=value, allowed=allowed, fix=f'Did you mean "{widened}"?')
    return str(widened)


def networks(what: str, values: Collection[str]) -> tuple[str, ...]:
    """Check a list of public IPv4 and IPv6 ranges, and return their canonical forms.

    Together they must not cover the whole internet. Ranges that are known only at deployment are not counted for that.
    """
    ranges = tuple(network(f"a range of {what}", value) for value in values)
    known = [ipaddress.ip_network(value) for value in ranges if not is_unresolved(value)]
    for part in known:
        if any(part[0] in private and part[-1] in private for private in _PRIVATE):
            raise InvalidInputError(
                f"a range of {what}",
                value=str(part),
                allowed="public addresses: AWS never sees a caller come from these, and through a VPC endpoint it sees "
                "no address",
                fix="Name the VPC or its endpoint instead, with FromVpc or FromVpcEndpoint.",
            )
    for parts in (
        ipaddress.collapse_addresses(part for part in known if isinstance(part, ipaddress.IPv4Network)),
        ipaddress.collapse_addresses(part for part in known if isinstance(part, ipaddress.IPv6Network)),
    ):
        for whole in parts:
            if whole.prefixlen == 0:
                raise InvalidInputError(
                    f"the ranges of {what}",
                    value=ranges,
                    allowed="ranges that are narrower than the whole internet, taken together",
                    fix=f"Together these ranges are {whole}: leave out ranges that nobody calls from.",
                )
    return ranges


def arn(what: str, value: str) -> str:
    """Check that a value is one ARN of any service, without wildcards and policy variables."""
    return _matching(
        what,
        value,
        r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:((?!\$\{)[^*?\s])+",
        "one ARN, without wildcards and variables",
    )


def suggestion(value: str, known: Collection[str]) -> str:
    """Return a sentence with the known value that is most similar; empty if none is similar."""
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else ""
