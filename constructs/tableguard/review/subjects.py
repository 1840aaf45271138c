"""Who could be let in to a table: everybody whom its policies name, and every identity whose policies reach it.

A superset: whether somebody gets in, the evaluation decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tableguard.aws.permission_sets import permission_set_of
from tableguard.evaluation import Document
from tableguard.policy.wildcards import Glob, tokens
from tableguard.review.picture import Identity, Picture, Table, account_of
from tableguard.review.sentences import Sentence, Shelf, Test, texts

# Stands for an account that nobody named.
STRANGER: Final = "999999999999"
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_ROOT: Final = re.compile(r"arn:[^:]+:iam::(\d{12}):root", re.ASCII)
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_COLONS: Final = 5
_MANY: Final = ("account", "organization", "everybody")
_DYNAMODB: Final = re.compile(r"dynamodb:|[a-z]*[*?]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Somebody who could be let in.

    Args:
        principal: The principal of requests that stand for it.
        label: What a reader calls it.
        kind: "role", "user", "role session", "federated user", "service", "account", "organization" or "everybody".
        account: Its account; None where it has none, or any.
        identity: What the picture holds of it.
        hints: What the context of its requests holds for certain, such as its organization.
        named: Whether a policy of the table names exactly it.
    """

    principal: str
    label: str
    kind: str
    account: str | None
    identity: Identity | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    named: bool = False

    @property
    def many(self) -> bool:
        """Whether it stands for many principals."""
        return self.kind in _MANY or (self.identity is None and not self.named)


def subjects(picture: Picture, table: Table, shelf: Shelf, reach: ReachableTables) -> tuple[Subject, ...]:
    """Everybody who could be let in to a table, in a fixed order.

    Args:
        picture: The picture.
        table: The table.
        shelf: The statements of the picture's documents.
        reach: What the picture's identities reach.
    """
    found: dict[tuple[str, str], Subject] = {}
    for sentence in _allows(table, shelf):
        for subject in _named_by(sentence, picture, table):
            found.setdefault((subject.principal, subject.label), subject)
    covered = [sentence for sentence in _allows(table, shelf) if _covers_many(sentence)]
    for identity in reach.of(table):
        inside = identity.account == table.account
        if inside or any(_may_cover(sentence, identity) for sentence in covered) or reach.names(identity, table):
            subject = _identity(identity)
            found.setdefault((subject.principal, subject.label), subject)
    return tuple(sorted(found.values(), key=lambda each: (each.kind in ("account", "organization"), each.label)))


def allowed_by(picture: Picture, table: Table, shelf: Shelf) -> Iterator[tuple[Sentence, tuple[Subject, ...]]]:
    """The Allows of a table's policies, each with everybody whom it names and a request can stand for.

    Args:
        picture: The picture.
        table: The table.
        shelf: The statements of the picture's documents.
    """
    for sentence in _allows(table, shelf):
        yield sentence, tuple(_named_by(sentence, picture, table))


def without_stand_in(sentence: Sentence) -> Iterator[str]:
    """The principals of an Allow that no request can stand for: ids, identity providers, patterns that are no ARNs.

    Args:
        sentence: A statement of a table's policy.
    """
    pins = _pinned(sentence, "aws:principalarn")
    for kind, value in principals_of(sentence):
        if kind == "AWS" and (value == "*" or account_in(value)):
            yield from (pin for pin in pins if pin.count(":") < _COLONS)
        elif kind != "Service" and not (kind == "AWS" and value.startswith("arn:")):
            yield value


class ReachableTables:
    """Which tables the identities of a picture may reach, as far as their own policies go.

    Args:
        picture: The picture.
        shelf: The statements of its documents.
    """

    def __init__(self, picture: Picture, shelf: Shelf) -> None:
        self._globs: dict[str, Glob] = {}
        self._patterns = [(identity, tuple(self._reached(identity, shelf))) for identity in picture.identities]

    def of(self, table: Table) -> Iterator[Identity]:
        """The identities with an Allow that may be about a table."""
        for identity, patterns in self._patterns:
            if any(self._fits(pattern, resource) for pattern in patterns for resource in table.resources):
                yield identity

    def names(self, identity: Identity, table: Table) -> bool:
        """Whether an Allow of an identity names the table's account and table, not just all of them."""
        patterns = next(patterns for each, patterns in self._patterns if each is identity)
        return any(
            names_table(pattern, table) and any(self._fits(pattern, resource) for resource in table.resources)
            for pattern in patterns
        )

    def _reached(self, identity: Identity, shelf: Shelf) -> Iterator[str]:
        for document in identity.documents:
            for sentence in shelf.sentences(document):
                if sentence.denies or not about_tables(sentence):
                    continue
                yield from sentence.resources if "Resource" in sentence.source else ("*",)

    def _fits(self, pattern: str, resource: str) -> bool:
        glob = self._globs.get(pattern)
        if glob is None:
            glob = self._globs[pattern] = Glob(tokens(_VARIABLE.sub("*", pattern)))
        return glob.matches(resource)


def names_table(pattern: str, table: Table) -> bool:
    """Whether a resource pattern names a table's account, and more of its name than a wildcard.

    Args:
        pattern: A pattern of an identity policy.
        table: The table.
    """
    name = pattern.split(":", 5)[-1].removeprefix("table/").partition("/")[0]
    return account_of(pattern) == table.account and name.strip("*?") != ""


def may_name(pattern: str, table: Table) -> bool:
    """Whether a resource pattern may name a table whose name CloudFormation chooses: stack, logical id, random letters.

    Args:
        pattern: A pattern of an identity policy.
        table: The table.
    """
    region, account = (pattern.split(":", 5) + [""] * 5)[3:5]
    chosen = "{" in table.name and table.place.logical_id is not None
    return chosen and (region, account) == (table.region, table.account) and f"-{table.place.logical_id}-" in pattern


def about_tables(sentence: Sentence) -> bool:
    """Whether a statement may be about tables: its actions are DynamoDB's, or cannot be told.

    Args:
        sentence: A statement.
    """
    if "NotAction" in sentence.source:
        return True
    actions = texts(sentence.source.get("Action"))
    return not actions or any(_DYNAMODB.match(action) for action in actions)


def _allows(table: Table, shelf: Shelf) -> Iterator[Sentence]:
    for document in _documents(table):
        yield from (sentence for sentence in shelf.sentences(document) if not sentence.denies)


def _documents(table: Table) -> Iterable[Document]:
    return [document for document in (table.policy, table.stream_policy) if document is not None]


def _named_by(sentence: Sentence, picture: Picture, table: Table) -> Iterator[Subject]:
    """Everybody whom an Allow names."""
    pins = _pinned(sentence, "aws:principalarn")
    for kind, value in principals_of(sentence):
        if kind == "Service":
            yield Subject(principal=value, label=value, kind="service", account=None, named=True)
        elif kind == "AWS" and (value == "*" or account_in(value)):
            account = None if value == "*" else account_in(value)
            if pins:
                yield from (s for pin in pins for s in _pinned_by(pin, account, picture))
            elif account is not None:
                yield from () if account == table.account else (_account(account, table),)
            else:
                yield from _anybody(sentence, table)
        elif kind == "AWS" and value.startswith("arn:"):
            yield _by_arn(value, picture)


def principals_of(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """The principals that a statement names, each with its kind: "AWS", "Service" or another.

    Args:
        sentence: A statement of a resource's policy.
    """
    element = sentence.source.get("Principal")
    if element == "*":
        yield "AWS", "*"
    for kind, value in element.items() if isinstance(element, Mapping) else ():
        yield from ((str(kind), text) for text in texts(value))


def accounts_named(sentence: Sentence) -> tuple[str, ...]:
    """The accounts that a statement names as a whole.

    Args:
        sentence: A statement of a resource's policy.
    """
    found = (account_in(value) for kind, value in principals_of(sentence) if kind == "AWS")
    return tuple(account for account in found if account is not None)


def _pinned(sentence: Sentence, key: str) -> tuple[str, ...]:
    """The values that a positive condition limits a key to."""
    for test in sentence.tests:
        if test.low_key == key and not test.negated and is_limit(test):
            return test.values
    return ()


def is_limit(test: Test) -> bool:
    """Whether a condition fails for requests that lack its key.

    Args:
        test: The condition.
    """
    return test.base != "Null" and not test.operator.endswith("IfExists") and not test.operator.startswith("ForAll")


def account_in(value: str) -> str | None:
    """The account that a principal names as a whole; None where it names something else.

    Args:
        value: An account's id, or the ARN of its root, or anything else.
    """
    if _ACCOUNT.fullmatch(value):
        return value
    root = _ROOT.fullmatch(value)
    return root[1] if root else None


def _pinned_by(pin: str, account: str | None, picture: Picture) -> Iterator[Subject]:
    """Whom a value of aws:PrincipalArn stands for."""
    owner = account_of(pin)
    if account is not None and owner not in (account, "*", ""):
        return
    if not set("*?") & set(pin) and "${" not in pin:
        yield _by_arn(pin, picture)
        return
    glob = Glob(tokens(_VARIABLE.sub("*", pin)))
    yield from (_identity(each, named=True) for each in picture.identities if glob.matches(each.arn))
    parts = _VARIABLE.sub("any", pin).split(":", 5)
    if len(parts) == 6:  # noqa: PLR2004 - an ARN has six parts
        parts[1] = "aws" if "*" in parts[1] else parts[1]
        parts[4] = parts[4] if _ACCOUNT.fullmatch(parts[4]) else account or STRANGER
        parts[5] = parts[5].replace("*", "any").replace("?", "a")
        known = account or (owner if owner and _ACCOUNT.fullmatch(owner) else None)
        yield Subject(principal=":".join(parts), label=_label_of_pattern(pin), kind="role", account=known)


def _label_of_pattern(pin: str) -> str:
    parts = pin.split(":", 5)
    found = permission_set_of(pin)
    if found is not None:
        return f"permission set {found[1]} of {found[0]}"
    kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("principals", "", pin)  # noqa: PLR2004
    return f"{kind}s {name} of {parts[4] if len(parts) > 4 else '*'}"  # noqa: PLR2004


def _anybody(sentence: Sentence, table: Table) -> Iterator[Subject]:
    accounts = _pinned(sentence, "aws:principalaccount")
    if accounts:
        yield from (_account(each, table) for each in accounts if each != table.account)
        return
    stranger = f"{_partition(table)}:iam::{STRANGER}:role/{{any}}"
    paths = _pinned(sentence, "aws:principalorgpaths")
    organizations = _pinned(sentence, "aws:principalorgid")
    if paths:
        hint = {"aws:PrincipalOrgID": organizations[0]} if organizations else {}
        for path in paths:
            yield Subject(
                principal=stranger,
                label=f"organizational unit {path.rstrip('*')}",
                kind="organization",
                account=None,
                hints={**hint, "aws:PrincipalOrgPaths": path.replace("*", "")},
            )
    elif organizations:
        for each in organizations:
            hints = {"aws:PrincipalOrgID": each}
            label = f"organization {each}"
            yield Subject(principal=stranger, label=label, kind="organization", account=None, hints=hints)
    else:
        yield Subject(principal=stranger, label="everybody", kind="everybody", account=None)


def _account(account: str, table: Table) -> Subject:
    arn = f"{_partition(table)}:iam::{account}:role/{{any}}"
    return Subject(principal=arn, label=f"account {account}", kind="account", account=account, named=True)


def _partition(table: Table) -> str:
    return ":".join(table.arn.split(":")[:2])


def _by_arn(arn: str, picture: Picture) -> Subject:
    identity = picture.identity_of(arn)
    return Subject(
        principal=arn,
        label=label_of(arn),
        kind=kind_of(arn),
        account=account_of(arn),
        identity=identity,
        hints=identity.tag_keys if identity is not None else {},
        named=True,
    )


def _identity(identity: Identity, *, named: bool = False) -> Subject:
    return Subject(
        principal=identity.arn,
        label=label_of(identity.arn),
        kind=identity.kind,
        account=identity.account,
        identity=identity,
        hints=identity.tag_keys,
        named=named,
    )


def kind_of(arn: str) -> str:
    """What kind of principal an ARN names: "role", "user", "role session", "federated user", or as the ARN says it.

    Args:
        arn: Its ARN.
    """
    kind = arn.split(":", 5)[5].partition("/")[0]
    return {"assumed-role": "role session", "federated-user": "federated user"}.get(kind, kind)


def label_of(arn: str) -> str:
    """What a reader calls a principal; the words that grants have in templates' metadata.

    Args:
        arn: Its ARN, a service's host name, or "anonymous".
    """
    parts = arn.split(":", 5)
    if not arn.startswith("arn:") or len(parts) < 6:  # noqa: PLR2004 - as above
        return arn
    kind, _, name = parts[5].partition("/")
    if kind == "assumed-role":
        role, _, session = name.partition("/")
        return f"session {session} of role {role} of {parts[4]}"
    if kind == "federated-user":
        return f"federated user {name} of {parts[4]}"
    return f"account {parts[4]}" if kind == "root" else f"{kind} {name} of {parts[4]}"


def _covers_many(sentence: Sentence) -> bool:
    return any(value == "*" or account_in(value) for kind, value in principals_of(sentence) if kind == "AWS")


def _may_cover(sentence: Sentence, identity: Identity) -> bool:
    """Whether a statement for an account or for everybody may be for an identity, too."""
    pins = _pinned(sentence, "aws:principalarn")
    if pins and not any(Glob(tokens(_VARIABLE.sub("*", pin))).matches(identity.arn) for pin in pins):
        return False
    return any(value == "*" or account_in(value) == identity.account for _, value in principals_of(sentence))
