"""Principals that are not one identity: AWS services, organizations and organizational units."""

from __future__ import annotations

from dataclasses import dataclass

from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.principals import Principal, Trust
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import is_unresolved


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsService(Principal):
    """An AWS service, limited to the account (and resource) on whose behalf it calls.

    Without the limit, anybody could make the service call the table (the confused deputy problem), and Block Public
    Access does not prevent it. DynamoDB rejects some service principals at deployment; it is known to accept
    replication.dynamodb, redshift and glue.

    Args:
        service: The host name of the service, such as "redshift.amazonaws.com".
        source_account: The 12-digit id of the account on whose behalf the service may call.
        source_arn: The ARN of the resource on whose behalf it may call; any resource of that account when left out.

    Raises:
        InvalidInputError: An argument is malformed, or the ARN is of another account.
    """

    service: str
    source_account: str
    source_arn: str | None = None

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.service_host("the service of an AwsService", self.service)
        names.account_id("the source_account of an AwsService", self.source_account)
        if self.source_arn is not None:
            names.arn("the source_arn of an AwsService", self.source_arn)
            if not is_unresolved(self.source_arn + self.source_account):
                owner = self.source_arn.split(":")[4]
                if owner not in ("", self.source_account):
                    raise InvalidInputError(
                        "the source_arn of an AwsService",
                        value=self.source_arn,
                        allowed=f"an ARN of the source_account {self.source_account}",
                    )

    @property
    def home(self) -> str:
        return self.source_account

    @property
    def label(self) -> str:
        return f"{self.service} for {self.source_arn or self.source_account}"

    @property
    def by_name(self) -> bool:
        return True

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        clauses = [Clause("StringEquals", "aws:SourceAccount", (self.source_account,))]
        if self.source_arn is not None:
            clauses.append(Clause("ArnEquals", "aws:SourceArn", (self.source_arn,)))
        return Trust("Service", self.service, tuple(clauses))


def _everybody_but(owner: str) -> Clause:
    # In the table's own account, `Principal: "*"` grants to sessions directly, without regard to permissions boundaries
    # and session policies. Identities there have their identity policies, so they are left out.
    return Clause("StringNotEquals", "aws:PrincipalAccount", (owner,))


@dataclass(frozen=True, slots=True)
class Organization(Principal):
    """All accounts of an organization except the table's own.

    Args:
        organization: The organization's id, such as "o-a1b2c3d4e5".

    Raises:
        InvalidInputError: The id is malformed.
    """

    organization: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.organization_id("the id of an Organization", self.organization)

    @property
    def home(self) -> None:
        return None

    @property
    def label(self) -> str:
        return f"organization {self.organization}"

    @property
    def role_name(self) -> str:
        return ""

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        return Trust(
            "AWS", "*", (Clause("StringEquals", "aws:PrincipalOrgID", (self.organization,)), _everybody_but(owner))
        )


@dataclass(frozen=True, slots=True)
class OrganizationalUnit(Principal):
    """All accounts of an organizational unit and of the units below it, except the table's own.

    Args:
        path: The unit's path from the organization down, each part followed by "/":
            "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/".

    Raises:
        InvalidInputError: The path is malformed, or not known before deployment.
    """

    path: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.organization_path("the path of an OrganizationalUnit", self.path)
        if is_unresolved(self._organization):
            raise InvalidInputError(
                "the path of an OrganizationalUnit",
                value="a value that is known only at deployment",
                allowed="a path whose first part, the organization's id, is known: the policy names both",
                fix='Write the path down: "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/".',
            )

    @property
    def _organization(self) -> str:
        return self.path.split("/", 1)[0]

    @property
    def home(self) -> None:
        return None

    @property
    def label(self) -> str:
        return f"organizational unit {self.path}"

    @property
    def role_name(self) -> str:
        return ""

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        # The path ends in a wildcard, and alone would make the policy public. The organization's id is a fixed value.
        return Trust(
            "AWS",
            "*",
            (
                Clause("StringEquals", "aws:PrincipalOrgID", (self._organization,)),
                Clause("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", (f"{self.path}*",)),
                _everybody_but(owner),
            ),
        )
