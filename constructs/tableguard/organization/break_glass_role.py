"""The break-glass role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from tableguard.policy import InvalidInputError, Limit, Limits, Role, TableReference, check_size
from tableguard.policy.break_glass import (
    BreakGlassAccess,
    TrustedPrincipal,
    UsersWithMfa,
    caller_policy,
    checked_assumed_by,
    permissions,
    trust_policy,
)
from tableguard.policy.conditions import Until
from tableguard.policy.documents import Json
from tableguard.policy.metadata import METADATA_KEY, break_glass_metadata
from tableguard.policy.perimeter import Exemption, RestrictedActions
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.clock import today

TRUST_LIMIT: Final = Limit("trust policy", 2_048, "characters", "IAM user guide, IAM and STS quotas")
_ONE_HOUR: Final = 3600
_POLICY_NAME: Final = "BreakGlass"


class BreakGlassRole(Construct):
    """Makes a role that people assume in an emergency, for one hour at a time.

    Make the role in every account whose tables it is for, and a `BreakGlassAlarm` in every enabled Region of these
    accounts. The role has a fixed name at the path "/", so that exemptions, alarms and people can name it and the
    console can switch to it. A Deny in its policy covers everything else: no policy attached elsewhere, and no grant,
    can let the role do more. docs/break-glass.md is the procedure for the people on call.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role_name: str,
        assumed_by: Sequence[TrustedPrincipal],
        reason: str,
        access: BreakGlassAccess = BreakGlassAccess.SETTINGS,
        tables: Sequence[TableReference] = (),
        until: dt.date | None = None,
        limits: Limits | None = None,
        trust_limit: Limit = TRUST_LIMIT,
    ) -> None:
        """Make an emergency role.

        Args:
            scope: The parent construct, in a stack of the tables' account.
            construct_id: The construct's id, unique below its parent.
            role_name: The role's name, 1 to 64 characters.
            assumed_by: Who may assume the role: `UsersWithMfa`, `PermissionSet`, or better both.
            reason: What the role is for. It is written to the template's metadata and the role's description.
            access: What the role may do: `BreakGlassAccess.SETTINGS` when left out, `SETTINGS_AND_TTL` or `FULL`.
            tables: The tables that the role may work on; every table of the account when left out.
            until: The last day (in UTC) on which the role can be assumed and used, or a moment with a time zone. Open
                sessions lose access then, too. No end when left out.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.
            trust_limit: The limit of the role's trust policy; 2,048 characters when left out.

        Raises:
            InvalidInputError: `assumed_by` is empty, wrong, or has users of the role's own account; a table is of
                another account; there is no reason; or the name is malformed.
            PolicyTooLargeError: A policy is over its limit.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._assumed_by = checked_assumed_by(assumed_by)
        self._principal = Role(account=stack.account, name=role_name)
        self._access = access
        self._reason = reason
        self._partition = stack.partition
        self._check(access, tables)
        trust = trust_policy(self._assumed_by, partition=stack.partition, until=until)
        policy = permissions(access, account=stack.account, partition=stack.partition, tables=tables, until=until)
        fewer = "To make it fit: name fewer callers, users or tables, or leave the tables out for all of the account."
        check_size(trust, trust_limit, owner=self.node.path, fix=fewer)
        check_size(policy, (limits or Limits()).inline, owner=self.node.path, fix=fewer)
        self._role = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            # IAM takes 1,000 characters of Latin-1.
            description=f"Break glass: {reason}".encode("latin-1", "replace").decode("latin-1")[:1000],
            assume_role_policy_document=trust,
            policies=[iam.CfnRole.PolicyProperty(policy_name=_POLICY_NAME, policy_document=policy)],
            max_session_duration=_ONE_HOUR,
        )
        said = break_glass_metadata(access, assumed_by=self._assumed_by, reason=reason, until=until)
        self._role.add_metadata(METADATA_KEY, said)
        if until is not None and Until(until).is_over(today(self)):
            cdk.Annotations.of(self).add_warning_v2(
                "tableguard:break-glass-is-over",
                f"The break-glass role {role_name} ({reason}) is over since {until}. Nobody can assume it: remove it.",
            )

    @property
    def role(self) -> iam.CfnRole:
        """The role's resource."""
        return self._role

    @property
    def principal(self) -> Role:
        """The role, for rules, grants and assertions, and for `administrators` of an SCP or a perimeter.

        Even as an administrator it can change no role, since its own policy denies everything in IAM.
        """
        return self._principal

    @property
    def role_arn(self) -> str:
        """The role's ARN, built from its name, so that it creates no reference between stacks."""
        return self._principal.arn(self._partition)

    @property
    def exemption(self) -> Exemption:
        """The role's exemption for `Perimeter(exemptions=[…])`, so that it works from any network in an emergency.

        Most perimeters leave settings open; then the exemption of a role for settings allows nothing more, but an SCP
        still protects the role from changes. Guardrails such as `ProtectTables` deny the role its work all the same:
        make it one of their administrators as well.
        """
        restricted = (
            RestrictedActions.ALL | RestrictedActions.SETTINGS if self._access.data else RestrictedActions.SETTINGS
        )
        return Exemption(principal=self._principal, actions=restricted, reason=self._reason)

    @property
    def caller_policy(self) -> Json:
        """The identity policy that the users, or the permission set, need to assume the role."""
        return caller_policy(self.role_arn)

    def _check(self, access: object, tables: Sequence[TableReference]) -> None:
        account = self._principal.account
        if not isinstance(access, BreakGlassAccess):
            raise InvalidInputError(
                f"the access of {self.node.path}",
                value=access,
                allowed="BreakGlassAccess.SETTINGS, SETTINGS_AND_TTL or FULL",
            )
        if not isinstance(self._reason, str) or not self._reason.strip():
            raise InvalidInputError(f"the reason of {self.node.path}", value=self._reason, allowed="why it is there")
        for trusted in self._assumed_by:
            if isinstance(trusted, UsersWithMfa) and trusted.account == account:
                raise InvalidInputError(
                    f"the assumed_by of {self.node.path}",
                    value=trusted.label,
                    allowed=f"users of another account than {account}, one that holds nothing else",
                    fix="In their own account, an administrator could create new credentials for these users.",
                )
        for table in tables:
            if not isinstance(table, TableReference):
                raise InvalidInputError(
                    f"a table of {self.node.path}", value=table, allowed="a TableReference", fix="Pass its .reference."
                )
            if table.account != account and not (is_unresolved(table.account) or is_unresolved(account)):
                raise InvalidInputError(
                    f"a table of {self.node.path}",
                    value=table.label,
                    allowed=f"tables of {account}, the account of the role",
                    fix="Make a role in the table's account.",
                )
