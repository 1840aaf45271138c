"""Only some regions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering
from tableguard.policy.lists import texts_of
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered

GLOBAL_SERVICES: Final = (
    "account:*", "artifact:*", "aws-marketplace:*", "billing:*", "budgets:*", "ce:*", "cloudfront:*",
    "consolidatedbilling:*", "cur:*", "ec2:DescribeRegions", "freetier:*", "globalaccelerator:*", "health:*", "iam:*",
    "invoicing:*", "networkmanager:*", "organizations:*", "payments:*", "pricing:*", "route53:*", "route53domains:*",
    "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets", "s3:PutAccountPublicAccessBlock", "savingsplans:*",
    "shield:*", "signin:*", "sts:*", "support:*", "supportplans:*", "sustainability:*", "tax:*", "trustedadvisor:*",
    "waf:*",
)  # fmt: skip
"""Services without a region of their own: their endpoint is in one region for the whole partition, whoever calls.

Source: AWS general reference, "Service endpoints and quotas"; Organizations user guide, "Deny access to AWS based on
the requested AWS Region". STS stands here because a session of an allowed region may be asked for at any endpoint, and
because a root session that puts a mistake right is; IAM and sign-in, because a root password is set there. Not here,
though some use them from us-east-1: ACM and WAF for CloudFront, KMS, CloudTrail, EventBridge for events of IAM."""

_NEEDED: Final = frozenset({"iam:*", "signin:*", "sts:*"})
_RECOVERY: Final = "dynamodb:DeleteResourcePolicy"


@dataclass(frozen=True, slots=True, init=False)
class OnlyRegions(Guardrail):
    """Denies requests to other regions than these, except to global services.

    It tests the region that a request is sent to, so it does not deny what a service itself copies to another region
    (replicas of tables and buckets, copies of backups). `ProtectTables` denies replicas to all but the administrators.

    The guardrail also applies to the administrators. Exempt the deployment role if it works in other regions, such as
    for rules for the events of IAM in us-east-1.

    Args:
        regions: The allowed regions, at least one.
        exempt_actions: Actions that are allowed in every region, with their service prefix. When left out,
            `GLOBAL_SERVICES` of `tableguard.policy.guardrails`. The argument replaces that list: to add an action, pass
            `exempt_actions=(*GLOBAL_SERVICES, "wafv2:*")`. The list must have "iam:*", "signin:*" and "sts:*".
        exempt_principals: Principals that may work in every region; none when left out.

    Raises:
        InvalidInputError: No region, a malformed region or action, or `exempt_actions` without one of the three that
            are needed for sign-in and recovery.
    """

    regions: tuple[str, ...]
    exempt_actions: tuple[str, ...] = field(kw_only=True)

    exempts_administrators: ClassVar[bool] = False
    costs: ClassVar[str] = "every regional service elsewhere, the console's home region included"

    __repr__ = as_call

    def __init__(
        self,
        *regions: str,
        exempt_actions: Sequence[str] = GLOBAL_SERVICES,
        exempt_principals: Sequence[IamPrincipal] = (),
    ) -> None:
        if not regions:
            raise InvalidInputError("the regions of OnlyRegions", value=(), allowed="at least one region")
        checked = ordered(names.region("a region of OnlyRegions", region) for region in regions)
        object.__setattr__(self, "regions", checked)
        listed = texts_of("exempt_actions of OnlyRegions", exempt_actions)
        for action in listed:
            if not re.fullmatch(r"[a-z0-9-]+:(\*|[A-Za-z]+\*?)", str(action), re.ASCII):
                raise InvalidInputError(
                    "an exempt action of OnlyRegions", value=action, allowed='an action such as "wafv2:*"'
                )
        if not set(listed) >= _NEEDED:
            raise InvalidInputError(
                "exempt_actions of OnlyRegions",
                value=listed,
                allowed=f"at least {', '.join(sorted(_NEEDED))}: without them nobody can work with IAM or sign in from "
                "outside their own regions, the root user that recovers a table included",
                fix="What is given replaces the list: to add to it, exempt_actions=(*GLOBAL_SERVICES, …), with "
                "GLOBAL_SERVICES of tableguard.policy.guardrails.",
            )
        object.__setattr__(self, "exempt_actions", ordered(listed))
        object.__setattr__(self, "exempt_principals", exempt_principals)
        Guardrail.__post_init__(self)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        elsewhere = Clause("StringNotEquals", "aws:RequestedRegion", self.regions)
        return (
            DenyStatement(
                sid="OnlyRegions",
                but_actions=(*self.exempt_actions, _RECOVERY),
                clauses=(elsewhere, *rendering.unless(self.exempt_principals)),
            ),
            # A table of a region that was allowed once, or is by mistake not: its policy can still be deleted.
            DenyStatement(
                sid="OnlyRegionsPolicies",
                actions=(_RECOVERY,),
                clauses=(elsewhere, *rendering.unless(self.exempt_principals, root=True)),
            ),
        )

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {"regions": self.regions, "exempt_actions": sorted(set(self.exempt_actions) - set(GLOBAL_SERVICES))}
