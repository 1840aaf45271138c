"""The grants that metadata claims for one table: why somebody has access, and where a claim and the policies differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tableguard.review.access import Status, accesses
from tableguard.review.picture import Picture, Table, account_of
from tableguard.review.report import Finding, FindingKind, Row
from tableguard.review.search import Search
from tableguard.review.stated import Claim, disagreements, read
from tableguard.review.subjects import STRANGER, Subject

_NAMED: Final = re.compile(r"(role|user) (\S+) of (\d{12})", re.ASCII)
_ACCOUNT: Final = re.compile(r"account (\d{12})", re.ASCII)
_SESSION: Final = re.compile(r"session (\S+) of role (\S+) of (\d{12})", re.ASCII)
_FEDERATED: Final = re.compile(r"federated user (\S+) of (\d{12})", re.ASCII)
_PERMISSION_SET: Final = re.compile(r"permission set (\S+) of (\d{12})", re.ASCII)
_SERVICE: Final = re.compile(r"(\S+\.amazonaws\.com(?:\.cn)?) for (\S+)")
_ORGANIZATION: Final = re.compile(r"organization (o-\S+)")
_UNIT: Final = re.compile(r"organizational unit ((o-[^/\s]+)/\S*)")
_OF_ACCOUNT: Final = re.compile(r"of (\d{12})$", re.ASCII)


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
        self._of_table = tuple(map(read, table.stated_grants))
        # A consumer's side says for itself why, too; inside the table's own account it is the only one.
        self._of_consumers = tuple(
            (identity.arn, read(stated))
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
            for problem in self._problems(claim):
                yield self._finding(f"the metadata's grant to {claim.principal} {problem}", claim.principal)
        if not self._of_table:
            return
        unreadable = {_account_in(claim.principal) for claim in self._of_table if self._meant(claim) is None}
        for row in rows:
            subject = row.subject
            inside = subject.account == self._table.account
            given = any(access.status in (Status.ALLOWED, Status.OPEN) for access in row.accesses)
            if given and not inside and not self._about(subject) and subject.account not in unreadable:
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

    def _about(self, subject: Subject) -> list[Claim]:
        return [claim for claim in self._of_table if _is_about(claim, subject)]

    def _problems(self, claim: Claim) -> Iterator[str]:
        meant = self._meant(claim)
        if meant is None:
            return
        principal, hints = meant
        inside = account_of(principal) == self._table.account
        if inside and self._picture.identity_of(principal) is None:
            # Inside the account its own policies alone may be what allows it, and they stand in no template.
            return
        found, _ = accesses(self._search, self._table, principal, hints, any_identity=not inside)
        yield from disagreements(claim, found)

    def _meant(self, claim: Claim) -> tuple[str, Mapping[str, str]] | None:
        """The principal of requests that a claim is about; None where its words do not tell."""
        aws = ":".join(self._table.arn.split(":")[:2])
        text = claim.principal
        if found := _NAMED.fullmatch(text):
            return f"{aws}:iam::{found[3]}:{found[1]}/{found[2]}", {}
        if found := _ACCOUNT.fullmatch(text):
            return f"{aws}:iam::{found[1]}:role/{{any}}", {}
        if found := _SESSION.fullmatch(text):
            return f"{aws}:sts::{found[3]}:assumed-role/{found[2]}/{found[1]}", {}
        if found := _FEDERATED.fullmatch(text):
            return f"{aws}:sts::{found[2]}:federated-user/{found[1]}", {}
        if found := _PERMISSION_SET.fullmatch(text):
            role = f"aws-reserved/sso.amazonaws.com/AWSReservedSSO_{found[1]}_{'a' * 16}"
            return f"{aws}:iam::{found[2]}:role/{role}", {}
        return _beyond_accounts(text, f"{aws}:iam::{STRANGER}:role/{{any}}")


def _beyond_accounts(text: str, stranger: str) -> tuple[str, Mapping[str, str]] | None:
    if found := _SERVICE.fullmatch(text):
        key = "aws:SourceArn" if found[2].startswith("arn:") else "aws:SourceAccount"
        source = account_of(found[2]) or found[2]
        return found[1], {"aws:SourceAccount": source, key: found[2]}
    if found := _ORGANIZATION.fullmatch(text):
        return stranger, {"aws:PrincipalOrgID": found[1]}
    if found := _UNIT.fullmatch(text):
        return stranger, {"aws:PrincipalOrgID": found[2], "aws:PrincipalOrgPaths": found[1]}
    return None


def _is_about(claim: Claim, subject: Subject) -> bool:
    stated = claim.principal
    if stated == subject.label or stated.startswith(f"{subject.label} for "):
        return True
    # Somebody in an account, or an organization, that is trusted as a whole.
    return stated == f"account {subject.account}" or (
        stated.startswith("organization") and subject.kind not in ("service", "everybody")
    )


def _account_in(text: str) -> str | None:
    found = _OF_ACCOUNT.search(text)
    return found[1] if found else None
