"""Who may do what with sealed backups, decided by tableguard over the documents that were read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.deployment.accounts import Accounts
from scripts.deployment.documents import normal
from scripts.deployment.found import identity_of
from scripts.deployment.plan import Json
from scripts.deployment.report import Report
from stacks.backups import REPLICATION, RESTORE, RETENTION, TABLE, Backups
from stacks.organization import Organization
from tableguard.evaluation import Policies, Request, evaluate

_EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
_OF_OBJECTS = (
    *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:ReplicateObject", "s3:ReplicateDelete"),
    *("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectLegalHold"),
)
_OF_BUCKETS = (
    *("s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketPolicy"),
    *("s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration"),
    *("s3:PutBucketNotification", "s3:PutBucketObjectLockConfiguration"),
)
_SAID = {True: "allowed", False: "denied"}
_READS = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions")


@dataclass(frozen=True, kw_only=True)
class _Who:
    """Somebody, and the policies that his account gives him."""

    principal: str
    identity: Sequence[Any]

    @property
    def account(self) -> str:
        return self.principal.split(":")[4]


@dataclass(frozen=True)
class Sealed:
    """The documents that are in force around a vault.

    Args:
        organization: Who has which account.
        accounts: The accounts.
    """

    organization: Organization
    accounts: Accounts

    @classmethod
    def of(cls, organization: Json, accounts: Accounts) -> Sealed:
        """The vault of an organization.

        Args:
            organization: As the context in cdk.json writes it.
            accounts: The accounts.
        """
        return cls(Organization.read(organization), accounts)

    def decide(self, report: Report) -> None:
        """Check who reaches what is sealed, and who does not.

        Args:
            report: Hears of the checks.
        """
        central, vault, recovery = self.organization.central, self.organization.vault, self.organization.recovery
        names = Backups(self.organization)
        intake, sealed = names.vault.intake_bucket, names.sealed.bucket
        of_table = f"{central.account}/{central.region}/{TABLE}"
        file, entry = f"{sealed}/exports/{of_table}/01/x.json.gz", f"{sealed}/catalogue/{of_table}/x.json"
        arrived = f"{intake}/{of_table}/AWSDynamoDB/01/manifest-summary.json"
        policies = {bucket: self._bucket_policy(bucket) for bucket in (intake, sealed)}
        guardrails = self._guardrails(vault.account)

        def may(who: _Who, action: str, on: str, **more: Any) -> bool:
            bucket = on.partition("/")[0]
            documents = Policies(
                identity=who.identity,
                resource=policies[bucket],
                service_control=[[_EVERYTHING, *guardrails]] if who.account == vault.account else [],
            )
            return self._allowed(who, documents, action, on, more)

        def check(what: str, who: _Who, allowed: Mapping[str, Sequence[str]], untried: Sequence[str] = ()) -> None:
            """He may do so much on these, and nothing else but what is not tried."""
            problems = []
            for on in (sealed, file, entry, intake, arrived):
                expected = allowed.get(on, ())
                for action in _OF_OBJECTS if "/" in on else _OF_BUCKETS:
                    if action in expected or action not in untried:
                        found = may(who, action, on, **_once(action))
                        problems += [] if found is (action in expected) else [f"{_SAID[found]}: {action} on {on}"]
            report.check(what, problems)

        for name, who in self._anybody_of(central.account):
            check(f"{name} of account {central.account} reaches nothing of the vault", who, {})
        sending = self._role(central.account, central.region, REPLICATION)
        replicates = {arrived: ("s3:ReplicateObject",)}
        check(f"{REPLICATION} may replicate into the intake, and nothing else", sending, replicates)
        for part, read in (("plan", (entry, file)), ("load", (file,))):
            reader = self._role(recovery.account, recovery.region, f"{RESTORE}-{part}")
            reads = dict.fromkeys(read, ("s3:GetObjectVersion",))
            check(f"{RESTORE}-{part} may read what is sealed of the table, and change nothing", reader, reads, _READS)
        sealer = self._role(vault.account, vault.region, "tableguard-sealing")
        seals = {file: ("s3:PutObject",), entry: ("s3:PutObject",)}
        check("the sealing role may seal once, and destroy nothing", sealer, seals, _READS)
        again = may(sealer, "s3:PutObject", file, **{**_once("s3:PutObject"), "s3:if-none-match": None})
        report.check("nobody seals over what is sealed", ["the sealing role may"] if again else [])
        for name, who in self._anybody_of(vault.account):
            check(f"{name} of the vault reads, writes and destroys nothing, whatever the account allows", who, {})

    @staticmethod
    def _anybody_of(account: str) -> Iterator[tuple[str, _Who]]:
        """An account taken over: whoever it is there, with every right that it can give."""
        yield "root", _Who(principal=f"arn:aws:iam::{account}:root", identity=[_EVERYTHING])
        yield "an administrator", _Who(principal=f"arn:aws:iam::{account}:role/admin", identity=[_EVERYTHING])

    def _role(self, account: str, region: str, name: str) -> _Who:
        found = identity_of(self.accounts, (account, region), name)
        return _Who(principal=f"arn:aws:iam::{account}:role/{name}", identity=found)

    def _bucket_policy(self, bucket: str) -> Any:
        vault = self.organization.vault
        client = self.accounts.client("s3", (vault.account, vault.region))
        return normal(client.get_bucket_policy(Bucket=bucket)["Policy"])

    def _guardrails(self, account: str) -> list[Any]:
        """What the organization lets the account do, as it is attached."""
        management = self.organization.management
        client = self.accounts.client("organizations", (management.account, management.region))
        listed = client.list_policies_for_target(TargetId=account, Filter="SERVICE_CONTROL_POLICY")["Policies"]
        contents = [client.describe_policy(PolicyId=each["Id"])["Policy"]["Content"] for each in listed]
        return [json.loads(each) for each in contents]

    def _allowed(self, who: _Who, documents: Policies, action: str, on: str, more: Mapping[str, Any]) -> bool:
        vault = self.organization.vault
        context = {**_TLS, "aws:RequestedRegion": vault.region, "aws:PrincipalArn": who.principal, **more}
        request = Request(
            principal=who.principal,
            action=action,
            resource=f"arn:aws:s3:::{on}",
            resource_account=vault.account,
            context={name: value for name, value in context.items() if value is not None},
        )
        decision = evaluate(request, documents)
        if not decision.understood:
            raise ValueError(f"This request cannot be decided for certain: {decision}")
        return decision.allowed


def _once(action: str) -> Mapping[str, Any]:
    """What the vault's own copies say of themselves."""
    if action != "s3:PutObject":
        return {}
    return {
        "s3:ObjectCreationOperation": "true",
        "s3:if-none-match": "*",
        "s3:object-lock-mode": RETENTION.mode.value,
        "s3:object-lock-remaining-retention-days": RETENTION.at_least_days,
    }
