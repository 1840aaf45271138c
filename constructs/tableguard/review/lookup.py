"""Finds what somebody means by a principal, an action or a resource, or says what it may be."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Final

from tableguard.aws.dynamodb import ACTIONS
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.names import suggestion
from tableguard.review.picture import Picture, Table, account_of
from tableguard.review.subjects import label_of

_PLACEHOLDERS: Final = (
    "A role, user or table that CloudFormation names is written with a placeholder, {STACK.LOGICALID}, quoted for the"
    " shell: 'arn:aws:iam::111122223333:role/{Data.Reader}', or just '{Data.Reader}'."
)
_SHOWN: Final = 8
_CLOSE: Final = 0.75


def principal(text: str, picture: Picture) -> str:
    """The principal that a text means: an ARN, a service's host name, "anonymous", or the name of a role or user.

    Args:
        text: What somebody wrote.
        picture: The picture.

    Raises:
        InvalidInputError: It means none, or several.
    """
    if text.startswith("arn:") or text == "anonymous" or text.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return text
    found = [
        each.arn
        for each in picture.identities
        if text in (each.name, each.name.rpartition("/")[2], label_of(each.arn), each.name.strip("{}"))
    ]
    if len(found) == 1:
        return found[0]
    names = [each.name for each in picture.identities]
    raise InvalidInputError(
        "--principal",
        value=text,
        allowed="the ARN of a role, user, session or account root, a service's host name, or the name of a role or user"
        " in the templates",
        fix=_instead(text, found, names, _PLACEHOLDERS),
    )


def action(text: str) -> str:
    """The action that a text means, with its service.

    Args:
        text: "dynamodb:GetItem", or "GetItem".

    Raises:
        InvalidInputError: DynamoDB has no such action.
    """
    service, colon, name = text.rpartition(":")
    if colon and service.lower() != "dynamodb":
        return text
    known = {each.lower(): each for each in ACTIONS}
    if name.lower() in known:
        return f"dynamodb:{known[name.lower()]}"
    raise InvalidInputError(
        "--action", value=text, allowed='an action of DynamoDB, such as "GetItem"', fix=suggestion(name, ACTIONS)
    )


def resource(text: str, picture: Picture) -> str:
    """The ARN that a text means: an ARN, or TABLE, TABLE/index/INDEX or TABLE/stream with a table's name.

    Args:
        text: What somebody wrote.
        picture: The picture.

    Raises:
        InvalidInputError: It means none, or several, or a table that stands in no template.
    """
    if text.startswith("arn:"):
        table = picture.table_of(text)
        if table is None and ":dynamodb:" in text:
            raise _no_table(text, [each.arn for each in picture.tables])
        return text if table is None else _with_stream_label(text, table)
    name, _, below = text.partition("/")
    found = [table for table in picture.tables if name in (table.name, table.name.strip("{}"))]
    if len(found) != 1:
        raise _no_table(text, [table.name for table in picture.tables], [table.arn for table in found])
    (table,) = found
    if below.startswith("stream"):
        return table.stream_arn
    index = below.removeprefix("index/")
    if below and index not in table.indexes:
        raise InvalidInputError(
            "--resource",
            value=text,
            allowed=f"{name}, {name}/index/INDEX or {name}/stream",
            fix=suggestion(index, table.indexes),
        )
    return f"{table.arn}/index/{index}" if below else table.arn


def near_miss(arn: str, picture: Picture) -> str | None:
    """Whom somebody may have meant by the ARN of a principal that no template makes; None where nobody is close.

    Args:
        arn: The ARN.
        picture: The picture.
    """
    if picture.identity_of(arn) is not None or account_of(arn) is None or "assumed-role" in arn:
        return None
    head, _, name = arn.partition("/")
    known = {each.name: each.arn for each in picture.identities if each.arn.startswith(f"{head}/")}
    close = difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE)
    return known[close[0]] if close else None


def _with_stream_label(text: str, table: Table) -> str:
    """A stream's ARN ends in the moment at which it was enabled, which no template tells: one stands for all."""
    return table.stream_arn if text.startswith(f"{table.arn}/stream/") else text


def _no_table(text: str, known: Collection[str], several: Collection[str] = ()) -> InvalidInputError:
    allowed = "the ARN or name of a table in the templates, with /index/NAME or /stream for a part of it"
    fix = _instead(text, several, known, _PLACEHOLDERS)
    return InvalidInputError("--resource", value=text, allowed=allowed, fix=fix)


def _instead(text: str, several: Collection[str], known: Collection[str], otherwise: str) -> str:
    if several:
        return f"Several are called that; say which: {', '.join(several)}."
    close = suggestion(text, known)
    if close:
        return close
    listed = ", ".join(list(known)[:_SHOWN])
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"There are: {listed}{more}. {otherwise}" if known else otherwise
