"""The grants that metadata claims for one table: why somebody has access, and where a claim and the policies differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tableguard.policy import (
    Account,
    AwsService,
    FederatedUser,
    Organization,
    OrganizationalUnit,
    PermissionSet,
    Role,
    RoleSession,
    User,
)
from tableguard.policy.metadata import GrantClaim, PrincipalClaim
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.wildcards import Glob, tokens
from tableguard.review.access import Status
from tableguard.review.picture import Picture, Table, account_of
from tableguard.review.report import Finding, FindingKind, Row
from tableguard.review.search import Search
from tableguard.review.stated import disagreements
from tableguard.review.subjects import STRANGER, Subject

_ORGANIZATION: Final = "aws:PrincipalOrgID"
_PATHS: Final = "aws:PrincipalOrgPaths"


class Claims:
    """What metadata claims about one table.

    Args:
        table: The table.
        picture: The picture that it is in.
        search: What searches the picture.
    """

    def __init__(self, table: Table, picture: Picture, search: Search) -> None:
        self._table = table
        self._picture = picture
        self._search = search
        self._of_table = tuple(stated.grant for stated in table.stated_grants)
        # A consumer's side says for itself why, too; inside the table's own account it is the only one.
        self._of_consumers = tuple(
            (identity.arn, stated.grant)
            for identity in picture.identities
            for stated in identity.stated_grants
            if stated.table == table.arn
        )

    def reasons(self, subject: Subject) -> tuple[str, ...]:
        """Why somebody has access, as the metadata says.

        Args:
            subject: The principal.
        """
        claims = [*self._about(subject), *(c for arn, c in self._of_consumers if arn == subject.principal)]
        return tuple(dict.fromkeys(claim.reason for claim in claims if claim.reason))

    def findings(self, rows: Iterable[Row]) -> Iterator[Finding]:
        """Where the metadata and the policies differ.

        Args:
            rows: What the policies come to.
        """
        for claim in self._of_table:
            label = claim.principal.label
            for problem in self._problems(claim):
                yield self._finding(f"the metadata's grant to {label} {problem}", label)
        if not self._of_table:
            return
        # Of whom only the deployment knows, a row may be. Where not even the account is known, any row may.
        unknown = [claim.principal for claim in self._of_table if self._meant(claim.principal) is None]
        for row in rows:
            subject = row.subject
            inside = subject.account == self._table.account
            given = any(access.status in (Status.ALLOWED, Status.OPEN) for access in row.accesses)
            perhaps = any(each.account in (None, subject.account) for each in unknown)
            if given and not inside and not self._about(subject) and not perhaps:
                message = f"{subject.label} has access that no grant in the metadata states, so nobody knows why"
                yield self._finding(message, subject.label)

    def _finding(self, message: str, principal: str) -> Finding:
        return Finding(
            kind=FindingKind.METADATA,
            message=message,
            table=self._table.arn,
            principal=principal,
            place=self._table.place,
        )

    def _about(self, subject: Subject) -> list[GrantClaim]:
        return [claim for claim in self._of_table if _is_about(claim.principal, subject, self._partition)]

    @property
    def _partition(self) -> str:
        return self._table.arn.split(":")[1]

    def _problems(self, claim: GrantClaim) -> Iterator[str]:
        meant = self._meant(claim.principal)
        if meant is None:
            return
        principal, hints = meant
        inside = account_of(principal) == self._table.account
        if inside and self._picture.identity_of(principal) is None:
            # Inside the account its own policies alone may be what allows it, and they stand in no template.
            return
        yield from disagreements(self._search, self._table, claim, principal, hints, any_identity=not inside)

    def _meant(self, claim: PrincipalClaim) -> tuple[str, Mapping[str, str]] | None:
        """The principal of requests that a claim is about; None where only the deployment knows it."""
        iam = f"arn:{self._partition}:iam:"
        stranger = f"{iam}:{STRANGER}:role/{{any}}"
        match claim.principal:
            case Account(account=account):
                return f"{iam}:{account}:role/{{any}}", {}
            case PermissionSet() as people:
                # Of either pattern one role.
                return people.role_patterns(self._partition)[0].replace("?", "a"), {}
            case AwsService(service=service, source_account=account, source_arn=arn):
                return service, {"aws:SourceAccount": account, **({"aws:SourceArn": arn} if arn is not None else {})}
            case Organization(organization=organization):
                return stranger, {_ORGANIZATION: organization}
            case OrganizationalUnit(path=path):
                return stranger, {_ORGANIZATION: path.split("/", 1)[0], _PATHS: path}
            case Role() | User() | ArnIdentity() | RoleSession() | FederatedUser() as somebody:
                return somebody.arn(self._partition), {}
        return None


def _is_about(claim: PrincipalClaim, subject: Subject, partition: str) -> bool:
    match claim.principal:
        case Account(account=account):
            # Somebody in an account that is trusted as a whole.
            return subject.account == account
        case Organization(organization=organization):
            return _is_in(subject, _ORGANIZATION, organization)
        case OrganizationalUnit(path=path):
            return _is_in(subject, _PATHS, path)
        case AwsService(service=service):
            return subject.principal == service
        case PermissionSet() as people:
            patterns = people.role_patterns(partition)
            return any(Glob(tokens(pattern)).matches(subject.principal) for pattern in patterns)
        case Role() | User() | ArnIdentity() | RoleSession() | FederatedUser() as somebody:
            return somebody.arn(partition) == subject.principal
    return False


def _is_in(subject: Subject, key: str, value: str) -> bool:
    """Whether somebody may be of an organization, or of a unit of one, that is trusted as a whole."""
    if subject.kind in ("service", "everybody"):
        return False
    return subject.hints.get(key) == value if subject.kind == "organization" else True
