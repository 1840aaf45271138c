"""The names of what seals, so that the policies of the vault's account can tell it from everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tableguard.aws.limits import ROLE_NAME
from tableguard.policy.principals import Role

METRICS: Final = "tableguard/sealing"
"""The namespace of the metrics of what was sealed, which nothing else writes: an SCP tells metrics apart by no more."""
_PARTS: Final = ("machine", "sweeper", "event", "clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingNames:
    """What a vault's sealing is called: everything begins with the name of the role that its functions run as.

    Args:
        role: The role of the functions.
    """

    role: Role

    @staticmethod
    def longest(*steps: str) -> int:
        """How long the name of the role may be.

        Args:
            steps: The functions.
        """
        return ROLE_NAME.most - 1 - max(map(len, (*_PARTS, *steps)))

    @property
    def machine(self) -> str:
        """The name of the role that the machine which seals runs as."""
        return self._named("machine")

    @property
    def sweeper(self) -> str:
        """The name of the role that the machine runs as which looks for what is not sealed."""
        return self._named("sweeper")

    @property
    def event(self) -> str:
        """The name of the role that starts the machine when an export arrives."""
        return self._named("event")

    @property
    def clock(self) -> str:
        """The name of the role that starts the sweeper."""
        return self._named("clock")

    def function(self, step: str) -> str:
        """The name of a function.

        Args:
            step: What it does.
        """
        return self._named(step)

    def machines(self, partition: str) -> str:
        """A pattern of the ARNs of all roles but the functions' own.

        Args:
            partition: Their partition.
        """
        return f"{self.role.arn(partition)}-*"

    def functions(self, partition: str) -> str:
        """A pattern of the functions' ARNs, in whichever region, versions and aliases included.

        Args:
            partition: Their partition.
        """
        return f"arn:{partition}:lambda:*:{self.role.account}:function:{self.role.name}-*"

    def _named(self, part: str) -> str:
        return f"{self.role.name}-{part}"
