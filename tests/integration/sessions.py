"""Clients of a role's session, in the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.config import Config

from scripts.deployment.accounts import Accounts


def dynamodb_of(accounts: Accounts, region: str, *, account: str, role: str | None = None) -> Any:
    """A client of DynamoDB for a session of a role or, without one, for the account's root user."""
    session = botocore.session.Session()
    said: Mapping[str, Any] = {"AccessKeyId": account, "SecretAccessKey": "test"}
    if role is not None:
        sts = accounts.client("sts", (account, region))
        arn = f"arn:aws:iam::{account}:role/{role}"
        said = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session.set_credentials(said["AccessKeyId"], said["SecretAccessKey"], said.get("SessionToken"))
    return session.create_client(
        "dynamodb",
        region_name=region,
        endpoint_url=accounts.environment["AWS_ENDPOINT_URL"],
        config=Config(retries={"max_attempts": 1}),
    )
