"""How a test sets the emulator's clock, lets things go wrong, and switches what decides: its side of `control`."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from tests import waiting

T = TypeVar("T")


class Running(Protocol):
    """An emulator that runs."""

    @property
    def endpoint(self) -> str:
        """Where it answers."""


class Controls:
    """What is to be otherwise in an emulator.

    Args:
        emulator: The emulator, running.
    """

    def __init__(self, emulator: Running) -> None:
        self._emulator = emulator

    def shift(self, later: dt.timedelta) -> None:
        """Let it be so much later than it is; less than before puts the clock back."""
        self._ask("clock", {"offset": later.total_seconds()})

    def now(self) -> dt.datetime:
        """What time it is in there."""
        return dt.datetime.fromtimestamp(self._ask("clock", {})["now"], dt.UTC)

    def inject(
        self,
        api: str,
        do: str,
        *when: str,
        times: int = 1,
        code: str | None = None,
        seconds: float = 0.0,
        after: int = 0,
    ) -> str:
        """Let something go wrong, as `faults` says; the number tells it from others in `hits`."""
        said = {"api": api, "do": do, "when": when, "times": times, "code": code, "seconds": seconds, "after": after}
        return str(self._ask("inject", said)["number"])

    def hits(self) -> dict[str, int]:
        """How often each fault has done something, by its number."""
        told: dict[str, int] = self._ask("hits", {})["hits"]
        return told

    def forget(self) -> None:
        """Let nothing go wrong any more."""
        self._ask("forget", {})

    def fill(self, table: str, items: Sequence[Mapping[str, Any]], remove: Sequence[Mapping[str, Any]] = ()) -> int:
        """Put items into the table of this ARN without requests, which are slow, and remove those of other keys.

        Returns:
            How many are in there then.
        """
        return int(self._ask("fill", {"table": table, "items": items, "remove": remove})["count"])

    def bind_s3(self, *, on: bool) -> None:
        """Let tableguard decide requests to S3 and replication, or the emulator."""
        self._ask("binding", {"s3": on})

    def refusals(self) -> list[str]:
        """What the extension has refused in the background, where nobody was answered: replication."""
        told: list[str] = self._ask("refusals", {})["refusals"]
        return told

    @contextlib.contextmanager
    def rotten(self, bucket: str, key: str, do: str) -> Iterator[None]:
        """Let the storage under S3 "alter" or "lose" an object, which no request could; it heals afterwards."""
        self._ask("rot", {"bucket": bucket, "key": key, "do": do})
        try:
            yield
        finally:
            self._ask("rot", {"bucket": bucket, "key": key, "do": "heal"})

    def failures(self) -> list[str]:
        """What schedules have asked an API for in vain, in the background as well."""
        told: list[str] = self._ask("failures", {})["failures"]
        return told

    def restored(self, account: str, region: str, plan: str | None, resources: Sequence[str], **detail: Any) -> None:
        """Let AWS Backup tell EventBridge that a restore job has ended, which a restore testing plan has started.

        Args:
            account: Where.
            region: Where.
            plan: The plan's ARN; None where somebody has started the job.
            resources: What the event is about: the backup.
            **detail: The event's detail, with the plan and the completion aside.
        """
        said = {"account": account, "region": region, "plan": plan, "resources": list(resources), "detail": detail}
        self._ask("restored", said)

    def validations(self, job: str) -> list[dict[str, Any]]:
        """What AWS Backup was told of the table that a job has restored, the first first."""
        told: list[dict[str, Any]] = self._ask("validations", {"job": job})["results"]
        return told

    def requests(self) -> dict[str, int]:
        """How many requests DynamoDB and S3 have had since the start, as `counting` names them."""
        told: dict[str, int] = self._ask("requests", {})["requests"]
        return told

    def steps(self) -> int:
        """How much has gone on by itself: a number that grows while executions, functions or stacks get on."""
        return int(self._ask("steps", {})["steps"])

    def until(self, found: Callable[[], T], what: Callable[[], str]) -> T:
        """Wait until something is found, for as long as anything goes on in there.

        Args:
            found: Says what is waited for, or nothing that is true.
            what: Says what was waited for, and what is there instead.

        Raises:
            StillError: Nothing goes on any more.
            URLError: The emulator has ended.
        """
        return waiting.until(found, self.steps, what)

    def stack_at(self, cloudformation: Any, stack: str, status: str) -> None:
        """Wait until a stack is where it was to get to.

        Args:
            cloudformation: A client of its account.
            stack: Its id, which it has also when it is deleted.
            status: Where to.

        Raises:
            AssertionError: It ends elsewhere.
        """

        def end() -> str | None:
            found = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
            return None if found.endswith("_IN_PROGRESS") else found

        found = self.until(end, lambda: f"the stack {stack}, {status}")
        assert found == status, cloudformation.describe_stack_events(StackName=stack)["StackEvents"]

    def invocations(self) -> list[dict[str, Any]]:
        """Each run of a function: its name, how long it took, and the most memory its process has had, in KiB."""
        told: list[dict[str, Any]] = self._ask("invocations", {})["invocations"]
        return told

    def _ask(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310
            f"{self._emulator.endpoint}/_tableguard/{name}", json.dumps(said).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told
