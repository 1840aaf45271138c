"""How the accounts are reached: by the AWS CLI's profiles, through clients and by the CDK CLI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment.plan import Place, PlanError

_LOADER = botocore.loaders.create_loader()  # reads a service's description once for all clients


class Accounts:
    """Clients for the accounts of a plan.

    Args:
        profiles: The AWS profile of each account.
        environment: The environment's variables, which may name an endpoint and other files with profiles.
    """

    def __init__(self, profiles: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self.profiles = profiles
        self.environment = environment
        self._client = cache(self._new_client)
        self._session = cache(self._new_session)

    def client(self, service: str, place: Place) -> Any:
        """A client of an account for a service in a region."""
        return self._client(service, *place)

    def check_identities(self) -> None:
        """See that every profile belongs to the account that it is listed for.

        Raises:
            PlanError: One belongs to another account, or AWS does not know it.
        """
        for account in self.profiles:
            try:
                found = self.client("sts", (account, "us-east-1")).get_caller_identity()["Account"]
            except (BotoCoreError, ClientError) as error:
                said = f"The profile {self.profiles[account]}, for account {account}, cannot be used: {error}"
                raise PlanError(said) from None
            if found != account:
                raise PlanError(f"The profile {self.profiles[account]} is of account {found}, and not of {account}.")

    def _new_client(self, service: str, account: str, region: str) -> Any:
        return self._session(account).create_client(
            service,
            region_name=region,
            endpoint_url=self.environment.get("AWS_ENDPOINT_URL"),
            config=Config(retries={"mode": "standard", "max_attempts": 5}),
        )

    def _new_session(self, account: str) -> botocore.session.Session:
        session = botocore.session.Session(profile=self.profiles[account])
        session.register_component("data_loader", _LOADER)
        for variable, setting in {
            "AWS_CONFIG_FILE": "config_file",
            "AWS_SHARED_CREDENTIALS_FILE": "credentials_file",
        }.items():
            if variable in self.environment:
                session.set_config_variable(setting, self.environment[variable])
        return session
