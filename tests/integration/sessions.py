"""Accounts in the emulator, and clients of a role's session there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.config import Config

from scripts.deployment.accounts import Accounts

_SESSION = botocore.session.Session()  # reads a service's description once for all clients
_NUMBERS = itertools.count(1)


def new_account() -> str:
    """An account that no test has used: the emulator has every account, and nothing is in this one."""
    return f"5555{next(_NUMBERS):08}"


def dynamodb_of(accounts: Accounts, region: str, *, account: str, role: str | None = None) -> Any:
    """A client of DynamoDB for a session of a role or, without one, for the account's root user."""
    return client_of("dynamodb", accounts.environment["AWS_ENDPOINT_URL"], account, region=region, role=role)


def client_of(service: str, endpoint: str, account: str, *, region: str = "us-east-1", role: str | None = None) -> Any:
    """A client for a session of a role or, without one, for the account's root user.

    Args:
        service: The service.
        endpoint: Where the emulator listens.
        account: The account.
        region: The region.
        role: The role's name.
    """
    said: Mapping[str, Any] = {"AccessKeyId": account, "SecretAccessKey": "test"}
    if role is not None:
        sts = client_of("sts", endpoint, account, region=region)
        arn = f"arn:aws:iam::{account}:role/{role}"
        said = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return _SESSION.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=said["AccessKeyId"],
        aws_secret_access_key=said["SecretAccessKey"],
        aws_session_token=said.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )
