"""What was checked, one line each, as it happens."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_WIDTH = 80


@dataclass
class Report:
    """Collects the outcome of every check and prints it.

    Args:
        show: Takes each line to print; `print` when left out.
    """

    show: Callable[[str], object] = print
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def section(self, title: str) -> None:
        """Begin the checks of one step."""
        self.show(f"\n{title}")

    def progress(self, what: str) -> None:
        """Say what is under way."""
        self._say("  ..      ", what)

    def note(self, what: str) -> None:
        """Say what is no check."""
        self._say("          ", what)

    def check(self, what: str, problems: Iterable[str] = ()) -> bool:
        """Record a check.

        Args:
            what: What was checked, as a statement that is true when it went well.
            problems: Why it is not; none when it is.

        Returns:
            Whether it is true.
        """
        found = list(problems)
        (self.failed if found else self.passed).append(what)
        self._say("  FAILED  " if found else "  ok      ", what)
        for problem in found:
            self._say("            ", problem)
        return not found

    def check_silently(self, what: str, checks: Callable[[Report], object]) -> bool:
        """Make several checks, and tell of them in one line if all is well.

        Args:
            what: What they are about.
            checks: Makes them, with a report of its own.
        """
        own = Report(show=lambda _line: None)
        checks(own)
        return self.check(
            f"{what}: {len(own.passed)} checks", own.failed or ([] if own.passed else ["no check at all"])
        )

    def total(self) -> str:
        """How many checks there were, and how many failed."""
        return f"{len(self.passed) + len(self.failed)} checks, {len(self.failed)} failed"

    def _say(self, indent: str, what: str) -> None:
        wrapped = textwrap.wrap(what, _WIDTH - len(indent), break_on_hyphens=False) or [""]
        self.show(indent + wrapped[0])
        for line in wrapped[1:]:
            self.show(" " * len(indent) + line)
