"""Grants, perimeters and guardrails as value objects, in pure Python without aws_cdk.

A `TableGrant` says who may do what with a table, under which conditions, and why. It renders the statements of all
policies that the access needs.
"""

from __future__ import annotations

from tableguard.aws.dynamodb import ACTIONS, Action, Resource, ResourcePolicySupport
from tableguard.policy.access import Access
from tableguard.policy.collectives import AwsService, Organization, OrganizationalUnit
from tableguard.policy.conditions import Clause, Condition, InOrganization
from tableguard.policy.documents import AllowStatement, document, merged, minified
from tableguard.policy.errors import (
    InvalidInputError,
    PolicyTooLargeError,
    PublicPolicyError,
    TableguardError,
)
from tableguard.policy.fine_grained import Attributes, LeadingKeys
from tableguard.policy.grants import TableGrant
from tableguard.policy.limits import Limit, Limits, check_size, measured
from tableguard.policy.networks import (
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    FromVpcsOfAccount,
    FromVpcsOfOrganization,
)
from tableguard.policy.perimeter import (
    Exemption,
    Forwarding,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
    RoleOfEveryAccount,
    ServiceLinkedRole,
)
from tableguard.policy.principals import Account, FederatedUser, PermissionSet, Principal, Role, RoleSession, User
from tableguard.policy.public_access import check_not_public
from tableguard.policy.tables import TableReference

__all__ = [
    "ACTIONS",
    "Access",
    "Account",
    "Action",
    "AllowStatement",
    "Attributes",
    "AwsService",
    "Clause",
    "Condition",
    "Exemption",
    "FederatedUser",
    "Forwarding",
    "FromNetwork",
    "FromVpc",
    "FromVpcEndpoint",
    "FromVpcsOfAccount",
    "FromVpcsOfOrganization",
    "InOrganization",
    "InvalidInputError",
    "LambdaPoller",
    "LeadingKeys",
    "Limit",
    "Limits",
    "Organization",
    "OrganizationalUnit",
    "Perimeter",
    "PermissionSet",
    "PolicyTooLargeError",
    "Principal",
    "PublicPolicyError",
    "Resource",
    "ResourcePolicySupport",
    "RestrictedActions",
    "Role",
    "RoleOfEveryAccount",
    "RoleSession",
    "ServiceLinkedRole",
    "TableGrant",
    "TableReference",
    "TableguardError",
    "User",
    "check_not_public",
    "check_size",
    "document",
    "measured",
    "merged",
    "minified",
]
