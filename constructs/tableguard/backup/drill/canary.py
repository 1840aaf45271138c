"""An item that an independent writer renews, so that a drill can tell a living backup from a well-kept old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_scheduler as scheduler
from constructs import Construct

from tableguard.aws.partitions import dns_suffix_of
from tableguard.backup.perimeter_checks import PerimeterCheck
from tableguard.backup.service_trust import own_service
from tableguard.policy import InvalidInputError, Role, TableReference, names
from tableguard.policy.documents import VERSION, Json
from tableguard.policy.perimeter import Exemption, RestrictedActions
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.attachment.policies import TablePolicies

WRITTEN_AT: Final = "written_at"
# EventBridge Scheduler user guide, "Adding context attributes": the moment that was scheduled, as 2026-11-22T10:00:00Z.
_SCHEDULED: Final = "<aws.scheduler.scheduled-time>"
_TYPES: Final = ("S", "N")
_PUT: Final = RestrictedActions.on_table("PutItem")
_MOST_ATTRIBUTES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The item that a drill looks for.

    Args:
        key: Its whole key as DynamoDB JSON, with the table's own attributes: {"pk": {"S": "tableguard#canary"}}. Text
            or numbers. No other item may have its partition key.
        every_minutes: How often it is written, 1 to 1,440 minutes.

    Raises:
        InvalidInputError: It is no such key, or no such number.
    """

    key: Mapping[str, Mapping[str, str]]
    every_minutes: int = 5

    def __post_init__(self) -> None:
        key: object = self.key
        if (
            not isinstance(key, Mapping)
            or not 1 <= len(key) <= _MOST_ATTRIBUTES
            or not all(map(_is_value, key.values()))
        ):
            raise InvalidInputError(
                "the key of a Canary", value=key, allowed='the item\'s key, such as {"pk": {"S": "tableguard#canary"}}'
            )
        if WRITTEN_AT in self.key:
            raise InvalidInputError(
                "the key of a Canary", value=key, allowed=f"attributes other than {WRITTEN_AT!r}, which says when"
            )
        if type(self.every_minutes) is not int or not 1 <= self.every_minutes <= 24 * 60:
            raise InvalidInputError("every_minutes of a Canary", value=self.every_minutes, allowed="1 to 1,440")

    @property
    def as_json(self) -> Json:
        """The key as DynamoDB JSON."""
        return {name: dict(value) for name, value in self.key.items()}


def _is_value(value: object) -> bool:
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    ((kind, text),) = value.items()
    return kind in _TYPES and isinstance(text, str) and bool(text)


class CanaryWriter(Construct):
    """Writes the canary into a table in use. EventBridge Scheduler writes it directly, without a function.

    Its role may put this one item and nothing else. Create it in the table's account, independently of exports and
    vault.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: AnyTable,
        canary: Canary,
        partition_key: str | None = None,
        role_name: str | None = None,
    ) -> None:
        """Write the canary.

        Args:
            scope: The parent construct, in a stack of the table's account.
            construct_id: The construct's id, unique below its parent.
            table: The table, of this app.
            canary: The item.
            partition_key: Which attribute of the canary's key is the partition key. Read from the table when left out.
            role_name: The name of the role that writes; one that CloudFormation chooses when left out.

        Raises:
            InvalidInputError: The key is not that of the table.
        """
        super().__init__(scope, construct_id)
        resource = TablePolicies.of(
            table_resource(
                unwrapped(table), "CanaryWriter", instead=lambda _: Instead(table=None, stream=None, besides="")
            )
        ).table_resource
        facts = resource.facts()
        keys = facts.key_attributes[""]
        if set(keys) != set(canary.key):
            raise InvalidInputError(
                f"the key of the canary of {self.node.path}",
                value=sorted(canary.key),
                allowed=f"the key of {resource.path}: {', '.join(keys)}",
            )
        self._table = resource.reference(facts)
        stack = cdk.Stack.of(self)
        for part, theirs, ours in (
            ("account", self._table.account, stack.account),
            ("region", self._table.region, stack.region),
        ):
            if theirs != ours and not is_unresolved(f"{theirs}{ours}"):
                raise InvalidInputError(
                    f"the table of {self.node.path}",
                    value=f"{resource.path} of {part} {theirs}",
                    allowed=f"a table of {part} {ours}, the stack's: EventBridge Scheduler writes nowhere else",
                )
        if role_name is not None:
            names.role_name("the role_name of a CanaryWriter", role_name)
        self._role_name = role_name
        leading = canary.key[partition_key or keys[0]]
        ((_, value),) = leading.items()
        self._role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            description=f"Writes the canary of {self._table.label}",
            assumed_by=own_service(self, "scheduler.amazonaws.com"),
        )
        self._role.attach_inline_policy(
            iam.Policy(
                self, "Writes", document=iam.PolicyDocument.from_json(_writing(self._table, value, keyed=facts.key))
            )
        )
        self.node.add_validation(
            PerimeterCheck(
                self.node.path,
                resource=resource.resource,
                needed=_PUT,
                identity=ArnIdentity(
                    account=stack.account, principal_arn=self._role.role_arn, described_as=self._role.node.path
                )
                if role_name is None
                else Role(account=self._table.account, name=role_name),
                partition=self._table.partition_id,
                caller="EventBridge Scheduler",
                fix="Pass role_name=… to the writer, and add writer.exemption(reason=…) to the perimeter's exemptions.",
            )
        )
        item: dict[str, Any] = {**canary.as_json, WRITTEN_AT: {"S": _SCHEDULED}}
        self._schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"Writes the canary of {self._table.label}",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression=f"rate({canary.every_minutes} minute{'' if canary.every_minutes == 1 else 's'})",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{stack.partition}:scheduler:::aws-sdk:dynamodb:putItem",
                role_arn=self._role.role_arn,
                input=stack.to_json_string({"TableName": self._table.name, "Item": item}),
                # An old one is of no use: the next is due.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=max(60, canary.every_minutes * 60), maximum_retry_attempts=5
                ),
            ),
        )

    @property
    def role(self) -> iam.Role:
        """The role that writes."""
        return self._role

    @property
    def schedule(self) -> scheduler.CfnSchedule:
        """The schedule."""
        return self._schedule

    def exemption(self, reason: str) -> Exemption:
        """What a perimeter around the table has to let through, so that the canary can be written.

        Args:
            reason: Why, for whoever reviews the perimeter.

        Raises:
            InvalidInputError: The name of its role is CloudFormation's to choose.
        """
        if self._role_name is None:
            raise InvalidInputError(
                f"the role_name of {self.node.path}", value=None, allowed="a name, since the perimeter names the role"
            )
        role = Role(account=self._table.account, name=self._role_name)
        return Exemption(principal=role, actions=_PUT, reason=reason)


def _writing(table: TableReference, leading: str, *, keyed: Any) -> Json:
    put: Json = {
        "Effect": "Allow",
        "Action": "dynamodb:PutItem",
        "Resource": table.arn,
        "Condition": {
            # Without the second, a request that carries no keys would pass the first.
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [leading]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    }
    if keyed is None:
        return {"Version": VERSION, "Statement": [put]}
    use: Json = {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": _key_arn(table, keyed),
        "Condition": {
            "StringEquals": {"kms:ViaService": f"dynamodb.{table.region}.{dns_suffix_of(table.partition_id)}"}
        },
    }
    return {"Version": VERSION, "Statement": [put, use]}


def _key_arn(table: TableReference, key: Any) -> str:
    """The key as a policy names it: as the template does, or all keys of the account where it names an alias or id."""
    if not isinstance(key, str):
        return cdk.Token.as_string(key)
    return key if key.startswith("arn:") and ":key/" in key else table.key_resource
