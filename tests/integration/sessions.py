"""Clients of a role's session, in the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.loaders
import botocore.session
from botocore.config import Config

from scripts.deployment.accounts import Accounts

_LOADER = botocore.loaders.create_loader()  # reads a service's description once for all clients


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
    session = _session(said["AccessKeyId"], said["SecretAccessKey"], said.get("SessionToken"))
    return session.create_client(
        service, region_name=region, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1})
    )


@cache
def _session(key: str, secret: str, token: str | None) -> botocore.session.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    session.set_credentials(key, secret, token)
    return session
