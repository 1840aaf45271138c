"""AWS CDK constructs that share DynamoDB tables across accounts, and show who may do what.

The names below are the public API. They are imported when they are first used, so that the language and the review work
without the AWS CDK and Node, and the command line answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tableguard.policy import (
        Access,
        Account,
        Attributes,
        AwsService,
        Clause,
        Condition,
        Exemption,
        FederatedUser,
        Fenced,
        Forwarding,
        FromNetwork,
        FromVpc,
        FromVpcEndpoint,
        FromVpcsOfAccount,
        FromVpcsOfOrganization,
        InOrganization,
        InvalidInputError,
        LambdaPoller,
        LeadingKeys,
        Limit,
        Limits,
        Organization,
        OrganizationalUnit,
        Perimeter,
        PermissionSet,
        PolicyTooLargeError,
        Principal,
        PublicPolicyError,
        Role,
        RoleOfEveryAccount,
        RoleSession,
        ServiceLinkedRole,
        TableGrant,
        TableguardError,
        TableReference,
        User,
    )
    from tableguard.review.rules import EveryGrantEnds, KeepsAccess, NobodyCan, OnlyAccounts, OnlyFrom
    from tableguard.tables.consumer_access import ConsumerAccess
    from tableguard.tables.consumer_role import ConsumerRole
    from tableguard.tables.cross_account_table import CrossAccountTable
    from tableguard.tables.table_access import TableAccess
    from tableguard.validation import TableguardRules

_MODULES: Final = {
    "ConsumerAccess": "tableguard.tables.consumer_access",
    "ConsumerRole": "tableguard.tables.consumer_role",
    "CrossAccountTable": "tableguard.tables.cross_account_table",
    "EveryGrantEnds": "tableguard.review.rules",
    "KeepsAccess": "tableguard.review.rules",
    "NobodyCan": "tableguard.review.rules",
    "OnlyAccounts": "tableguard.review.rules",
    "OnlyFrom": "tableguard.review.rules",
    "TableAccess": "tableguard.tables.table_access",
    "TableguardRules": "tableguard.validation",
}

__all__ = [
    "Access",
    "Account",
    "Attributes",
    "AwsService",
    "Clause",
    "Condition",
    "ConsumerAccess",
    "ConsumerRole",
    "CrossAccountTable",
    "EveryGrantEnds",
    "Exemption",
    "FederatedUser",
    "Fenced",
    "Forwarding",
    "FromNetwork",
    "FromVpc",
    "FromVpcEndpoint",
    "FromVpcsOfAccount",
    "FromVpcsOfOrganization",
    "InOrganization",
    "InvalidInputError",
    "KeepsAccess",
    "LambdaPoller",
    "LeadingKeys",
    "Limit",
    "Limits",
    "NobodyCan",
    "OnlyAccounts",
    "OnlyFrom",
    "Organization",
    "OrganizationalUnit",
    "Perimeter",
    "PermissionSet",
    "PolicyTooLargeError",
    "Principal",
    "PublicPolicyError",
    "Role",
    "RoleOfEveryAccount",
    "RoleSession",
    "ServiceLinkedRole",
    "TableAccess",
    "TableGrant",
    "TableReference",
    "TableguardError",
    "TableguardRules",
    "User",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_MODULES.get(name, "tableguard.policy")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
