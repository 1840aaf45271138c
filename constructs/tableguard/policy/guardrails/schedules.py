"""A guardrail for schedules, rules and state machines, such as those that start exports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering, actions_of
from tableguard.policy.lists import texts_of
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.representation import as_call

_SHORTEST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectSchedules(Guardrail):
    """Denies everybody but the administrators to change, stop or delete these schedules, rules and state machines.

    If an export is not started, the backups have a gap that nobody notices. The guardrail does not cover the functions
    and roles that a schedule uses.

    Args:
        names: Names of EventBridge Scheduler schedules and schedule groups, EventBridge rules and Step Functions state
            machines, at least one. A `*` at the end, after at least four characters, stands for the rest of a name. For
            a schedule outside the default group, name the group as well: deleting a group deletes its schedules.
        exempt_principals: Further principals that may do this; none when left out.

    Raises:
        InvalidInputError: No or a malformed name, or an exempt principal is not a role, user or permission set.
    """

    names: Sequence[str]

    costs: ClassVar[str] = "changing or pausing these schedules by hand"

    __repr__ = as_call

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        names = texts_of("the names of ProtectSchedules", self.names)
        for name in names:
            if not re.fullmatch(rf"[\w.-]{{1,80}}|[\w.-]{{{_SHORTEST},79}}\*", str(name), re.ASCII):
                raise InvalidInputError(
                    "a name of ProtectSchedules",
                    value=name,
                    allowed="a name, or at least four characters of one with a * at the end",
                )
        if not names:
            raise InvalidInputError("the names of ProtectSchedules", value=names, allowed="at least one name")
        object.__setattr__(self, "names", names)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        aws = f"arn:{rendering.partition}"
        # Each action has a kind of resource of its own, so one statement for all says no more than it should.
        actions = (
            *actions_of("scheduler", "DeleteSchedule DeleteScheduleGroup UpdateSchedule"),
            *actions_of("events", "DeleteRule DisableRule PutRule PutTargets RemoveTargets"),
            *actions_of("states", "DeleteStateMachine StopExecution UpdateStateMachine"),
        )
        resources = tuple(
            f"{aws}:{rest}{name}"
            for name in self.names
            for rest in (
                "scheduler:*:*:schedule/*/",
                "scheduler:*:*:schedule-group/",
                "events:*:*:rule/",
                "events:*:*:rule/*/",
                "states:*:*:stateMachine:",
            )
        ) + tuple(f"{aws}:states:*:*:execution:{name}:*" for name in self.names)
        return (Protection(sid="ProtectSchedules", actions=actions, resources=resources, clauses=unless),)

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {"names": self.names}
