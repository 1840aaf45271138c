"""What the roles of restores, drills and canaries may do, and what they may not."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.backup.canary import Canary, CanaryWriter
from tableguard.backup.restore_drill import RestoreDrill
from tableguard.backup.table_restore import TableRestore
from tableguard.policy.evaluation import Document, Place, Request, evaluate
from tests.unit.backup.restore.support import (
    NEW,
    REGION,
    SEALED,
    SOURCE,
    VAULT,
    Json,
    restore,
    vault_stack,
)
from tests.unit.tables.support import OWNER, resolved, stack, table_v2

TAG = "tableguard:restore"
OURS = {f"aws:ResourceTag/{TAG}": "an execution"}
INCOMPLETE = {**OURS, "aws:ResourceTag/tableguard:restore-state": "incomplete"}
OTHER = f"arn:aws:dynamodb:{REGION}:{VAULT}:table/orders"
SEALED_FILE = f"arn:aws:s3:::{SEALED.bucket}/exports/{OWNER}/{REGION}/orders/01/f.json.gz"
CATALOGUE = f"arn:aws:s3:::{SEALED.bucket}/catalogue/{OWNER}/{REGION}/orders/e.json"


class Roles:
    """The identity policies of a synthesized stack, by the path of the role's logical id."""

    def __init__(self, scope: cdk.Stack) -> None:
        self.account = scope.account
        self.template: Json = dict(Template.from_stack(scope).to_json())

    def policies(self, role: str) -> list[Json]:
        (name,) = [
            name
            for name, each in self.template["Resources"].items()
            if each["Type"] == "AWS::IAM::Role" and name[:-8] == role
        ]
        return [
            resolved(each["Properties"]["PolicyDocument"], account=self.account)
            for each in self.template["Resources"].values()
            if each["Type"] == "AWS::IAM::Policy" and {"Ref": name} in each["Properties"]["Roles"]
        ]

    def may(self, role: str, action: str, resource: str, **context: Any) -> bool:
        return any(_matches(s, action, resource, context) for p in self.policies(role) for s in p["Statement"])
