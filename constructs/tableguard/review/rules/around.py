"""The rule that looks for ways around a restriction of people: a person who becomes an application.

DynamoDB sees the role, not who is in it. So a table that denies people its items keeps nobody out who may assume a role
that reads them, pass that role to a service that runs code, or change who may assume it; directly, or by way of other
roles.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws.dynamodb import ACTIONS, Resource
from tableguard.evaluation import DocumentLocation
from tableguard.policy import Access, InvalidInputError, Role
from tableguard.policy.perimeter.restricted_actions import Side, restricted_at
from tableguard.review.rules.deciding import Deciding
from tableguard.review.rules.detours import Detours, Found
from tableguard.review.rules.doubts import FAILS_NO_RULE
from tableguard.review.rules.rule import Failure, Rule, RuleOutcome
from tableguard.review.rules.scene import Scene
from tableguard.review.rules.wording import place_in_words

_ON_TABLE: Final = restricted_at(Side.TABLE, settings=False)

DATA: Final = Access(
    "the data",
    (
        Access.on_table(*_ON_TABLE)
        | Access.on_index(*(name for name in _ON_TABLE if Resource.INDEX in ACTIONS[name].resources))
        | Access.on_stream(*restricted_at(Side.STREAM, settings=False))
    ).permissions,
)
"""Items, the stream, what moves them out, and the policies in their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWayAround(Rule):
    """No person can become an application that reaches the data: the ways around `NoHumanAccess`.

    An application's role is one that a template makes, that is no person's, and that may do something of what
    `NoHumanAccess` denies people: read or write items, read the stream, move data out, open the table. People are the
    users and Identity Center roles of the assembly, roles that trust a SAML provider, the `sign_in_roles`, and whoever
    signs in to an account that a role's trust policy trusts as a whole. Looked for are those who may assume the role
    (sts:AssumeRole), pass it to a service (iam:PassRole) or change its trust policy (iam:UpdateAssumeRolePolicy), by
    way of other roles as well. Not looked for: changing the code of a function, or the image of a container, that runs
    as the role already.

    Make it acknowledgeable, so that a way that has to be there can be accepted with a reason, one by one:
    `TableguardRules([NoWayAround()], acknowledgeable=["no-way-around"])`.

    Args:
        sign_in_roles: Roles that people sign in with other than by Identity Center, as in `NoHumanAccess`.
        access: What makes a role an application's; whatever `NoHumanAccess` denies people when left out.

    Raises:
        InvalidInputError: A wrong type.
    """

    kind: ClassVar[str] = "no-way-around"

    sign_in_roles: Sequence[Role] = ()
    access: Access = DATA

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        for role in self.sign_in_roles:
            if not isinstance(role, Role):
                raise InvalidInputError("a sign_in_role of a NoWayAround", value=role, allowed="a Role")
        object.__setattr__(self, "sign_in_roles", tuple(self.sign_in_roles))
        if not isinstance(self.access, Access):
            raise InvalidInputError("the access of a NoWayAround", value=self.access, allowed="an Access")

    @property
    def description(self) -> str:
        return "No person can become an application that reaches the data"

    def check(self, deciding: Deciding, today: dt.date, budget: int) -> RuleOutcome:
        picture = deciding.picture
        scene = Scene(picture, today)
        tables = tuple(scene.tables_of(self.tables))
        missing = (f"Nothing was tried for {said}: no template makes it" for said in dict.fromkeys(scene.missing))
        detours = Detours(picture, scene, tables, self.access, self.sign_in_roles)
        found = [*(Found(what, (), DocumentLocation()) for what in missing), *detours.found()]
        failures = [
            *(
                Failure(rule=self, what=each.what, principals=each.people, place=each.place, rests_on=each.rests_on)
                for each in found
            ),
            *(
                Failure(
                    rule=self,
                    what=f"Not known: {place_in_words(each.place)}: {each.what}",
                    place=each.place,
                    rests_on=(each.source,),
                )
                for each in picture.unknowns
                if each.kind not in FAILS_NO_RULE
            ),
        ]
        return RuleOutcome(detours.tried, tuple(failures))
