"""Guardrails: deny statements for an organization's accounts, which the accounts' own policies cannot override."""

from __future__ import annotations

from tableguard.policy.guardrails.backups import ProtectBackups
from tableguard.policy.guardrails.boundary import ForceBoundary
from tableguard.policy.guardrails.ec2 import NoEc2
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering
from tableguard.policy.guardrails.keys import ProtectKeys
from tableguard.policy.guardrails.membership import StayInOrganization
from tableguard.policy.guardrails.regions import GLOBAL_SERVICES, OnlyRegions
from tableguard.policy.guardrails.rendered import Control
from tableguard.policy.guardrails.schedules import ProtectSchedules
from tableguard.policy.guardrails.tables import ProtectTables, TablePart
from tableguard.policy.guardrails.trails import ProtectTrails
from tableguard.policy.guardrails.vaults import VaultGuardrail

__all__ = [
    "GLOBAL_SERVICES",
    "Control",
    "ForceBoundary",
    "Guardrail",
    "NoEc2",
    "OnlyRegions",
    "ProtectBackups",
    "ProtectKeys",
    "ProtectSchedules",
    "ProtectTables",
    "ProtectTrails",
    "Rendering",
    "StayInOrganization",
    "TablePart",
    "VaultGuardrail",
]
