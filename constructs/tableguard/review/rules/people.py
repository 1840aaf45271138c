"""Who a rule asks about: everybody in the picture, and outsiders that are made up to try what nobody thought of.

Outsiders and everybody whose identity policies are somebody else's to write may hold policies that allow everything:
what denies them must stand on the table's side.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tableguard.aws.partitions import partition_of
from tableguard.aws.permission_sets import sample_role
from tableguard.evaluation import Document, DocumentLocation
from tableguard.evaluation.condition_tests import Test as ConditionTest
from tableguard.evaluation.conditions import compile_condition
from tableguard.policy import AwsService, Clause, Principal
from tableguard.policy.wildcards import compact, fits
from tableguard.review.decide import ANY_IDENTITY
from tableguard.review.picture import Identity, Picture
from tableguard.review.samples import Context
from tableguard.review.sentences import Shelf

ANONYMOUS: Final = "anonymous"
_NO_ACCOUNT: Final = "000000000000"

# Services that DynamoDB accepts in a policy, and one that runs customers' code.
_SERVICES: Final = (
    "glue.amazonaws.com",
    "lambda.amazonaws.com",
    "redshift.amazonaws.com",
    "replication.dynamodb.amazonaws.com",
)
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_UNIT: Final = re.compile(r"(o-[a-z0-9]{10,32})/r-[a-z0-9]{4,32}/(?:ou-[a-z0-9-]+/)*")
_IDENTITY: Final = re.compile(r"arn:[a-z*?-]+:iam::([0-9*?]*):(role|user)/([^\s\"\\]+)")
_SESSION: Final = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):(assumed-role|federated-user)/([^\s\"\\*?]+)")
_TAIL: Final = re.compile(r"(?:^|[:*?])(role|user)/(.+)$")
_HOST: Final = re.compile(r"\"([a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?)\"")
_SPARE_ACCOUNTS: Final = range(999_999_999_999, 0, -111_111_111)
"""More than policies have room to name: 9,000."""
_OTHER_ORGANIZATION: Final = "o-0therorganization"
_OWN_ORGANIZATION: Final = "o-0wn0rganization0"
_SSO: Final = f"role/{sample_role('AdministratorAccess')}"
_NAME: Final = re.compile(r"[\w+=,.@{}-]+(?:/[\w+=,.@{}-]+)*", re.ASCII)
_ROLE_AND_SESSION: Final = 2
_KINDS: Final = (
    ("root", "the root user"),
    ("role/outsider", "a role that no template makes"),
    ("user/outsider", "a user that no template makes"),
    (_SSO, "an administrator who signs in with Identity Center (SSO)"),
    ("role/break-glass", "a break-glass role"),
)


_WHO: Final = ("aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:username")


@dataclass(frozen=True, slots=True)
class TriedCaller:
    """Somebody to ask about.

    Args:
        principal: The ARN, the service's host name, or "anonymous".
        label: Who that is, in words.
        account: The account; None for services and anonymous callers.
        facts: What the request's context says of the caller, whatever the caller wants.
        identity: The role or user of the picture; None for somebody made up.
        named: Whether it matters what the caller is called: anybody else of the same kind is asked about as well.
    """

    principal: str
    label: str
    account: str | None = None
    facts: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    identity: Identity | None = None
    named: bool = False

    def is_in(self, principals: Iterable[Principal], context: Context) -> bool:
        """Whether one of the principals covers the caller.

        Args:
            principals: Principals of this library. A service counts for the account, and the resource, on whose behalf
                it may call.
            context: The context of the request, keys in lower case.
        """
        return any(self._is(principal, context) for principal in principals)

    def _is(self, principal: Principal, context: Context) -> bool:
        if isinstance(principal, AwsService):
            if self.principal != principal.service:
                return False
        elif self.account is None or principal.home not in (None, self.account):
            return False
        partition = self.principal.split(":")[1] if self.account is not None else "aws"
        trust = principal.trust(partition=partition, owner=_NO_ACCOUNT, named=False)
        if trust.value.startswith("arn:"):
            return self.principal == trust.value
        facts = {key.lower(): (value,) if isinstance(value, str) else value for key, value in self.facts.items()}
        who = {
            "aws:principalarn": facts.get("aws:principalarn", (self.principal,)),
            "aws:principalaccount": (self.account or ANONYMOUS,),
        }
        return holds(trust.clauses, {**context, **facts, **who})


def holds(clauses: Iterable[Clause], context: Context) -> bool:
    """Whether all clauses hold in a context.

    Args:
        clauses: The clauses.
        context: The context, keys in lower case.
    """
    return all(test.holds(context) is True for test in compiled(clauses))


def compiled(clauses: Iterable[Clause]) -> tuple[ConditionTest, ...]:
    """Clauses made ready for many contexts.

    Args:
        clauses: The clauses.
    """
    return tuple(
        test
        for clause in clauses
        for test in compile_condition({clause.operator: {clause.key: list(clause.values)}}, variables=True)
    )


def everybody(picture: Picture) -> tuple[TriedCaller, ...]:
    """The roles and users of a picture, and outsiders made up for it.

    The outsiders: in every account of the picture, every account that a policy names, another account of the
    organization, one of each organizational unit that a policy names, and one of another organization, the root user,
    a role, a user, an Identity Center administrator and a break-glass role; whoever a policy names; a role or user of
    the same name as a named one in other accounts; AWS services; and an anonymous caller.

    Args:
        picture: The picture.
    """
    made_up = _Outsiders(picture)
    found: dict[str, TriedCaller] = {}
    for identity in picture.identities:
        label = f"{identity.kind} {identity.name} of {identity.account}"
        facts = made_up.facts_of(identity.account)
        found[identity.arn] = TriedCaller(identity.arn, label, identity.account, facts, identity, named=True)
    for caller in made_up.callers():
        found.setdefault(caller.principal, caller)
    return (*found.values(), *(other for caller in found.values() for other in made_up.elsewhere(caller)))


class Names:
    """The roles and users that documents name, by their ARNs or by patterns.

    Args:
        documents: The documents.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        listed = tuple(documents)
        text = "\n".join(json.dumps(document.source, default=str) for document in listed)
        self._patterns = tuple({compact(found[0]) for found in _IDENTITY.finditer(text)})
        # A condition on a name that is no whole ARN could be about anybody.
        self._anybody = any(key in text.lower() for key in ("aws:username", "aws:userid", "${")) or any(
            test.low_key == "aws:principalarn" and not all(map(_IDENTITY.fullmatch, test.values))
            for document in listed
            for sentence in Shelf().sentences(document)
            for test in sentence.tests
        )

    def have(self, caller: TriedCaller) -> bool:
        """Whether one of them may be the caller.

        Args:
            caller: The caller.
        """
        return self._anybody or any(fits(pattern, caller.principal) for pattern in self._patterns)


def opened(picture: Picture) -> Picture:
    """The picture with identity policies that allow everything, within the boundaries that it knows.

    Args:
        picture: The picture.
    """
    identities = (replace(each, documents=(*each.documents, *ANY_IDENTITY)) for each in picture.identities)
    return replace(picture, identities=tuple(identities))


def without(picture: Picture, places: Collection[DocumentLocation]) -> Picture:
    """The picture without the identity policies that stand in some places.

    Args:
        picture: The picture.
        places: The places.
    """
    identities = (
        replace(each, documents=tuple(document for document in each.documents if document.place not in places))
        for each in picture.identities
    )
    return replace(picture, identities=tuple(identities)) if places else picture


def documents_of(picture: Picture) -> Iterator[Document]:
    """Every policy document of a picture.

    Args:
        picture: The picture.
    """
    for table in picture.tables:
        yield from (each for each in (table.policy, table.stream_policy) if each is not None)
    for identity in picture.identities:
        yield from (*identity.documents, *identity.boundary)
    yield from (policy.document for policy in picture.organization_policies)
    yield from (key.policy for key in picture.keys if key.policy is not None)
    yield from (endpoint.policy for endpoint in picture.endpoints if endpoint.policy is not None)


class _Outsiders:
    """Made up from what the policies of a picture say."""

    def __init__(self, picture: Picture) -> None:
        documents = tuple(documents_of(picture))
        text = "\n".join(json.dumps(document.source, default=str) for document in documents)
        self._picture = picture
        self._patterns = _patterns(documents)
        self._partition = partition_of(picture.tables[0].region) if picture.tables else "aws"
        owners = {table.account for table in picture.tables}
        self._known = sorted({*picture.accounts, *owners, *(each.account for each in picture.identities)})
        self._named = sorted(set(_ACCOUNT.findall(text)) - set(self._known))
        organizations = sorted(set(_ORGANIZATION.findall(text)))
        self._organization = organizations[0] if organizations else _OWN_ORGANIZATION
        spare = (
            account for account in map("{:012d}".format, _SPARE_ACCOUNTS) if account not in {*self._known, *self._named}
        )
        self._member, self._foreign = next(spare), next(spare)
        self._others = dict(zip(organizations[1:], spare, strict=False))
        units = sorted({match[0]: match[1] for match in _UNIT.finditer(text)}.items())
        self._units = list(zip(units, spare, strict=False))
        self._organizations, self._unit_paths = organizations, units
        self._arns = sorted({*_IDENTITY.findall(text), *self._named_in_part()})
        self._session_arns = {match[0]: match for match in _SESSION.finditer(text)}
        self._hosts = sorted({*_HOST.findall(text), *_SERVICES})

    def facts_of(self, account: str) -> Mapping[str, str | tuple[str, ...]]:
        """The organization of an account: accounts of the assembly are taken to be in the one that policies name."""
        if account in self._known or account == self._member:
            return {
                "aws:PrincipalOrgID": self._organization,
                "aws:PrincipalOrgPaths": (f"{self._organization}/r-0000/",),
            }
        if account == self._foreign:
            other = _OTHER_ORGANIZATION
            return {"aws:PrincipalOrgID": other, "aws:PrincipalOrgPaths": (f"{other}/r-0000/",)}
        return {}

    def elsewhere(self, caller: TriedCaller) -> Iterator[TriedCaller]:
        """The same caller, if its account is named somewhere, in each organization and unit that policies name."""
        if caller.account not in self._known and caller.account not in self._named:
            return
        for organization in self._organizations:
            if caller.facts.get("aws:PrincipalOrgID") != organization:
                yield _belonging(caller, organization, organization)
        for path, organization in self._unit_paths:
            yield _belonging(caller, path, organization)

    def callers(self) -> Iterator[TriedCaller]:
        for account in self._known:
            yield from self._of(account, "in the assembly")
        for account in self._named:
            yield from self._of(account, "named in a policy")
        yield from self._of(self._member, "another account of the organization")
        yield from self._of(self._foreign, "an account of another organization")
        for organization, account in self._others.items():
            yield from self._of(account, f"an account of {organization}", {"aws:PrincipalOrgID": organization})
        for (path, organization), account in self._units:
            facts = {"aws:PrincipalOrgID": organization, "aws:PrincipalOrgPaths": (path,)}
            yield from self._of(account, f"an account in {path}", facts)
        yield from self._namesakes()
        yield from self._sessions()
        yield from self._fitting()
        for host in self._hosts:
            yield TriedCaller(host, f"made up: the service {host}")
        yield TriedCaller(ANONYMOUS, "made up: an anonymous caller")

    def _of(
        self, account: str, where: str, facts: Mapping[str, str | tuple[str, ...]] | None = None
    ) -> Iterator[TriedCaller]:
        for path, what in _KINDS:
            known = self.facts_of(account) if facts is None else facts
            arn = f"arn:{self._partition}:iam::{account}:{path}"
            yield TriedCaller(arn, f"made up: {what} in {account} ({where})", account, known)

    def _named_in_part(self) -> Iterator[tuple[str, str, str]]:
        """The names in conditions on a principal's ARN that are no whole ARNs, or on a user's name."""
        for value in self._patterns["aws:principalarn"]:
            tail = _TAIL.search(value)
            if tail is not None and not _IDENTITY.fullmatch(value):
                yield "", tail[1], tail[2]
        yield from (("", "user", value) for value in self._patterns["aws:username"])

    def _sessions(self) -> Iterator[TriedCaller]:
        """The sessions that policies name: no role's ARN stands for them."""
        for arn, (account, kind, name) in ((arn, match.groups()) for arn, match in self._session_arns.items()):
            said = name.split("/")
            role = f"arn:{arn.split(':')[1]}:iam::{account}:role/{said[0]}"
            if kind == "assumed-role" and len(said) == _ROLE_AND_SESSION and all(map(_NAME.fullmatch, said)):
                identity = self._picture.identity_of(arn)
                facts = {**self.facts_of(account), "aws:PrincipalArn": identity.arn if identity else role}
                yield TriedCaller(arn, f"made up: the session {name} in {account}", account, facts, identity)
            elif kind == "federated-user" and _NAME.fullmatch(name):
                yield TriedCaller(
                    arn, f"made up: the federated user {name} in {account}", account, self.facts_of(account)
                )

    def _fitting(self) -> Iterator[TriedCaller]:
        """Accounts and organizations that fit a pattern in a condition."""
        for pattern in self._patterns["aws:principalaccount"]:
            account = _filled(pattern, "0", 12)
            if _ACCOUNT.fullmatch(account) and pattern != account:
                yield from self._of(account, f"fits {pattern}")
        for pattern in self._patterns["aws:principalorgid"]:
            if "*" in pattern or "?" in pattern:
                organization = _filled(pattern, "0", 12)
                account = f"{zlib.crc32(pattern.encode()):012d}"
                yield from self._of(account, f"an account of {organization}", {"aws:PrincipalOrgID": organization})

    def _namesakes(self) -> Iterator[TriedCaller]:
        for said, kind, pattern in self._arns:
            name = pattern.replace("*", "x").replace("?", "0")
            if not _NAME.fullmatch(name):
                continue
            account = _filled(said, "0", 12)
            if _ACCOUNT.fullmatch(account):
                yield self._namesake(account, kind, name, "named in a policy")
            if said != account:
                # A pattern fits accounts that are known, too, and what binds those alone is got round only there.
                for known in (each for each in (*self._known, *self._named) if fits(compact(said or "*"), each)):
                    yield self._namesake(known, kind, name, "fits a pattern")
            yield self._namesake(self._member, kind, name, "of another account of the organization")
            yield self._namesake(self._foreign, kind, name, "of another organization")

    def _namesake(self, account: str, kind: str, name: str, where: str) -> TriedCaller:
        arn = f"arn:{self._partition}:iam::{account}:{kind}/{name}"
        label = f"made up: a {kind} called {name} in {account} ({where})"
        return TriedCaller(arn, label, account, self.facts_of(account), named=True)


def _belonging(caller: TriedCaller, path: str, organization: str) -> TriedCaller:
    """The caller as a member of an organization's unit, or of an organization."""
    paths = (path,) if "/" in path else (f"{organization}/r-0000/",)
    facts = {**caller.facts, "aws:PrincipalOrgID": organization, "aws:PrincipalOrgPaths": paths}
    return replace(caller, label=f"{caller.label}, if in {path}", facts=facts)


def _patterns(documents: Iterable[Document]) -> Mapping[str, tuple[str, ...]]:
    """What conditions compare the keys with that say who the caller is."""
    shelf = Shelf()
    found: dict[str, dict[str, None]] = {key: {} for key in _WHO}
    for document in documents:
        for sentence in shelf.sentences(document):
            for test in sentence.tests:
                if test.low_key in found and test.base not in ("Null", "Bool"):
                    found[test.low_key] |= dict.fromkeys(value for value in test.values if "${" not in value)
    return {key: tuple(sorted(values)) for key, values in found.items()}


def _filled(pattern: str, filler: str, length: int) -> str:
    """A text of a length, if possible, that fits a pattern."""
    plain = pattern.replace("?", filler)
    missing = max(0, length - len(plain.replace("*", "")))
    return plain.replace("*", filler * missing, 1).replace("*", "")
