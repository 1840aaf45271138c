"""Who may do what, decided by tableguard's evaluation over the documents that were read back from the accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tableguard as tg
from scripts.deployment.accounts import Accounts
from scripts.deployment.documents import normal
from scripts.deployment.found import identity_of, table_policy
from scripts.deployment.plan import Json, Place
from scripts.deployment.report import Report
from stacks.grants import Grants
from stacks.organization import Organization
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy import ACTIONS
from tableguard.policy.access import STREAM

# An account that has no part in the organization, and what any account may give its own roles.
_STRANGER = "123456789012"
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

# A request that meets the conditions of the vendor's grant; to the others it makes no difference.
_CIRCUMSTANCES: Mapping[str, Any] = {
    "aws:SourceIp": "192.0.2.77",
    "dynamodb:LeadingKeys": ["ProductCatalog-books"],
    "dynamodb:Attributes": ["category", "item", "time", "ProductName", "Inventory", "DueDate"],
    "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
}


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The documents that are in force around a table.

    Args:
        table: The ARN of the table.
        stream: That of its stream.
        key: That of its key.
        table_policy: The policy of the table, its indexes included.
        stream_policy: That of the stream.
        key_policy: That of the key.
    """

    table: str
    stream: str
    key: str
    table_policy: Any
    stream_policy: Any
    key_policy: Any

    @classmethod
    def read(cls, accounts: Accounts, place: Place, name: str) -> Deployed:
        """Read the documents from the table's account.

        Args:
            accounts: The accounts.
            place: Where the table is.
            name: Of the table.
        """
        table = accounts.client("dynamodb", place).describe_table(TableName=name)["Table"]
        key = table["SSEDescription"]["KMSMasterKeyArn"]
        key_policy = accounts.client("kms", place).get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        return cls(
            table=table["TableArn"],
            stream=table["LatestStreamArn"],
            key=key,
            table_policy=table_policy(accounts, place, table["TableArn"]),
            stream_policy=table_policy(accounts, place, table["LatestStreamArn"]),
            key_policy=normal(key_policy),
        )

    @property
    def account(self) -> str:
        """The account that owns the table."""
        return self.table.split(":")[4]

    def without_policies(self) -> Deployed:
        """The same with no policy on the table's side."""
        return replace(self, table_policy=None, stream_policy=None, key_policy=None)

    def policy_of(self, resource: str) -> Any:
        """The policy of a resource; None for a resource that is another one, or has none."""
        if resource == self.key:
            return self.key_policy
        if "/stream/" in resource:
            return self.stream_policy if resource == self.stream else None
        return self.table_policy if resource == self.table or resource.startswith(f"{self.table}/") else None

    def resources(self) -> Iterator[str]:
        """What requests are tried on: the table and all that belongs to it, and what only looks like it."""
        yield from (self.table, f"{self.table}/index/by-date", f"{self.table}/index/by-price", self.stream)
        yield from (f"{self.table}-2", self.table.replace(":table/", ":table/other-"))


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """Somebody who has a grant.

    Args:
        name: How a reader knows it.
        principal: The ARN that it calls with.
        grant: What it was granted.
        identity: The policies that its account gives it.
    """

    name: str
    principal: str
    grant: tg.TableGrant
    identity: Sequence[Any]

    def granted(self, deployed: Deployed) -> frozenset[tuple[str, str]]:
        """Actions and resources of its grant."""
        return frozenset(
            (action.name, deployed.stream if target == STREAM else f"{deployed.table}{target}")
            for target, actions in self.grant.access.by_target.items()
            for action in actions
        )


def decide(consumers: Sequence[Consumer], deployed: Deployed, report: Report) -> None:
    """Check of every consumer that it may do what its grant says, and nothing else; and who must not.

    Args:
        consumers: Whoever has a grant.
        deployed: The documents of the table's side.
        report: Hears of the checks.
    """
    for consumer in consumers:
        granted = consumer.granted(deployed)
        actions = ", ".join(sorted({action for action, _ in granted}))

        def only(what: str, expected: frozenset[tuple[str, str]], who: Consumer, side: Deployed) -> None:
            may = allowed(who, side)
            lacks = [f"denied: {action} on {resource}" for action, resource in sorted(expected - may)]
            report.check(
                what, [*lacks, *(f"allowed: {action} on {resource}" for action, resource in sorted(may - expected))]
            )

        name, nothing = consumer.name, frozenset[tuple[str, str]]()
        elsewhere = consumer.principal.replace(consumer.principal.split(":")[4], _STRANGER)
        only(f"{name} may {actions}, and nothing else", granted, consumer, deployed)
        only(
            f"{name} may do no more if its account allows everything",
            granted,
            replace(consumer, identity=[EVERYTHING]),
            deployed,
        )
        only(f"{name} may do nothing without the table's policies", nothing, consumer, deployed.without_policies())
        only(f"{name} may do nothing without its own policies", nothing, replace(consumer, identity=[]), deployed)
        only(
            f"{name} may do nothing from another account, whatever that allows",
            nothing,
            replace(consumer, principal=elsewhere, identity=[EVERYTHING]),
            deployed,
        )
        report.check(f"{name} may decrypt the table, through DynamoDB alone", list(_decrypts(consumer, deployed)))


def allowed(consumer: Consumer, deployed: Deployed) -> frozenset[tuple[str, str]]:
    """Everything that somebody may do with anything, in circumstances that suit every condition there is.

    Args:
        consumer: Who.
        deployed: The documents of the table's side.
    """
    found = set()
    for resource in deployed.resources():
        may = _decider(consumer, deployed, resource)
        found |= {(action, resource) for action in ACTIONS if may(f"dynamodb:{action}", _CIRCUMSTANCES)}
    return frozenset(found)


def _decrypts(consumer: Consumer, deployed: Deployed) -> Iterator[str]:
    region, name = deployed.table.split(":")[3], deployed.table.rpartition("/")[2]
    through = {
        "kms:ViaService": f"dynamodb.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": deployed.account,
        "kms:EncryptionContext:aws:dynamodb:tableName": name,
    }
    another = {**through, "kms:EncryptionContext:aws:dynamodb:tableName": "another"}

    def may(context: Mapping[str, str], side: Deployed = deployed, action: str = "kms:Decrypt") -> bool:
        return _decider(consumer, side, deployed.key)(action, context)

    for wrong, what in (
        (not may(through), "it may not"),
        (may({}), "it may without DynamoDB"),
        (may(another), "it may for another table"),
        (may(through, action="kms:Encrypt"), "it may encrypt"),
        (may(through, side=deployed.without_policies()), "it may without the key's policy"),
    ):
        if wrong:
            yield what


def _decider(consumer: Consumer, deployed: Deployed, resource: str) -> Callable[[str, Mapping[str, Any]], bool]:
    """Whether somebody may do something with a resource, under conditions."""
    policies = Policies(identity=consumer.identity, resource=deployed.policy_of(resource))

    def may(action: str, context: Mapping[str, Any]) -> bool:
        request = Request(
            principal=consumer.principal,
            action=action,
            resource=resource,
            resource_account=deployed.account,
            context=context,
            time=dt.datetime.now(dt.UTC),
        )
        decision = evaluate(request, policies)
        if not decision.understood:
            raise ValueError(f"This request cannot be decided for certain: {decision}")
        return decision.allowed

    return may


def consumers(organization: Json, accounts: Accounts, vendor_policy: str) -> list[Consumer]:
    """Whoever has a grant of the organization, with the policies that are in the accounts.

    Args:
        organization: As the context in cdk.json writes it.
        accounts: The accounts.
        vendor_policy: The policy for the vendor, into whose account nothing is deployed.
    """
    read = Organization.read(organization)
    grants = Grants(read)
    placed = {
        **{f"tenant {name}": (place, grants.tenants[name]) for name, place in read.tenants.items()},
        "the ETL": (read.etl, grants.etl),
        "the writer": (read.writer, grants.writer),
    }
    found = []
    for name, (place, grant) in placed.items():
        role = str(grant.subject.role_name)
        identity = identity_of(accounts, (place.account, place.region), role)
        arn = f"arn:aws:iam::{place.account}:role/{role}"
        found.append(Consumer(name=name, principal=arn, grant=grant, identity=identity))
    vendors = f"arn:aws:iam::{read.vendor}:role/of-the-vendor"
    return [
        *found,
        Consumer(name="the vendor", principal=vendors, grant=grants.vendor, identity=[normal(vendor_policy)]),
    ]
