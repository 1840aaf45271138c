"""Who makes a request, and what follows from that for its context.

Sources: IAM User Guide, "AWS JSON policy elements: Principal", "AWS global condition context keys" (Properties of the
principal) and the table of principal key values in "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from tableguard.evaluation.arns import split_arn
from tableguard.policy.errors import InvalidInputError

PRINCIPAL_ARN: Final = "aws:principalarn"
ANONYMOUS: Final = "anonymous"
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_NAME = re.compile(r"[^\s*?:]+")
_SERVICE_LINKED: Final = ":role/aws-service-role/"


class CallerKind(enum.Enum):
    """The kinds of principal that can make a request."""

    ROOT = "account root user"
    USER = "IAM user"
    ROLE = "session of a role, by the role's ARN"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user session"
    SERVICE = "AWS service"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal that makes a request.

    Args:
        kind: What it is.
        text: The principal as it was given: an ARN, a service's host name, or "anonymous".
        partition: The ARN's partition; None for services and anonymous callers.
        account: The account it belongs to; None likewise.
        name: The last part of its name: of the user, the role, or the federated user.
        service_linked: Whether the principal's own ARN is that of a service-linked role.
        implied: What follows from it for the context, in lower-case keys.
    """

    kind: CallerKind
    text: str
    partition: str | None = None
    account: str | None = None
    name: str = ""
    service_linked: bool = False
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def stated_role(self, context: Mapping[str, tuple[str, ...]]) -> str | None:
        """The ARN of the role behind a role session, when the context tells it.

        A session's ARN leaves out the role's path. The context's aws:PrincipalArn is believed when it names a role of
        the same account and name.
        """
        for stated in context.get(PRINCIPAL_ARN, ()):
            segments = split_arn(stated)
            if segments and segments[:5] == ("arn", self.partition, "iam", "", self.account):
                kind, _, path = segments[5].partition("/")
                if kind == "role" and path.rpartition("/")[2] == self.name:
                    return stated
        return None


def is_account(text: object) -> bool:
    """Whether it is a 12-digit account id."""
    return isinstance(text, str) and _ACCOUNT.fullmatch(text) is not None


def is_service_linked(role_arn: str) -> bool:
    """Whether it is the ARN of a service-linked role; only IAM's own path says so, never a name."""
    return _SERVICE_LINKED in role_arn


@lru_cache(maxsize=4096)
def parse_caller(text: str) -> Caller:
    """Read a principal.

    Raises:
        InvalidInputError: If it is no principal that can make a request.
    """
    if text == ANONYMOUS:
        implied = {"aws:principaltype": "Anonymous", "aws:principalaccount": ANONYMOUS, "aws:userid": ANONYMOUS}
        return Caller(CallerKind.ANONYMOUS, text, implied=_values(implied))
    if _HOST.fullmatch(text):
        implied = {"aws:principalisawsservice": "true", "aws:principalservicename": text}
        implied["aws:principalservicenameslist"] = text
        return Caller(CallerKind.SERVICE, text, implied=_values(implied))
    segments = split_arn(text)
    if segments is None or not is_account(segments[4]) or segments[3] or not segments[1].startswith("aws"):
        raise _invalid(text)
    _, partition, service, _, account, resource = segments
    kind, _, path = resource.partition("/")
    implied = {"aws:principalaccount": account, "aws:principalisawsservice": "false", PRINCIPAL_ARN: text}
    if service == "iam" and resource == "root":
        implied |= {"aws:principaltype": "Account", "aws:userid": account}
        return Caller(CallerKind.ROOT, text, partition, account, "root", implied=_values(implied))
    if not path or not all(map(_NAME.fullmatch, path.split("/"))):
        raise _invalid(text)
    if service == "iam" and kind == "user":
        name = path.rpartition("/")[2]
        implied |= {"aws:principaltype": "User", "aws:username": name}
        return Caller(CallerKind.USER, text, partition, account, name, implied=_values(implied))
    if service == "iam" and kind == "role":
        implied |= {"aws:principaltype": "AssumedRole"}
        name, linked = path.rpartition("/")[2], is_service_linked(text)
        return Caller(CallerKind.ROLE, text, partition, account, name, linked, _values(implied))
    if service == "sts" and kind == "assumed-role" and path.count("/") == 1:
        # The key holds the role's ARN, and its path cannot be seen from here.
        del implied[PRINCIPAL_ARN]
        implied |= {"aws:principaltype": "AssumedRole"}
        return Caller(
            CallerKind.ROLE_SESSION, text, partition, account, path.partition("/")[0], implied=_values(implied)
        )
    if service == "sts" and kind == "federated-user" and "/" not in path:
        implied |= {"aws:principaltype": "FederatedUser", "aws:userid": f"{account}:{path}"}
        return Caller(CallerKind.FEDERATED_USER, text, partition, account, path, implied=_values(implied))
    raise _invalid(text)


def _values(implied: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    return {key: (value,) for key, value in implied.items()}


def _invalid(text: str) -> InvalidInputError:
    return InvalidInputError(
        "the principal of a Request",
        value=text,
        allowed="the ARN of an account's root, a user, a role, a role session or a federated user; the host name of an"
        " AWS service; or 'anonymous'",
        fix="For example arn:aws:iam::111122223333:role/reader, or replication.dynamodb.amazonaws.com.",
    )
