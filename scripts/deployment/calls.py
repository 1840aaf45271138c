"""Calls the deployed functions, and looks whether their requests have reached the table of the other account."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.deployment.accounts import Accounts
from scripts.deployment.plan import Json, Place
from scripts.deployment.report import Report
from scripts.deployment.wanted import Resource, Wanted

_PAUSE = 3.0  # seconds between attempts
_KEY = {"category": "books", "item": "atlas"}


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls the functions of an organization.

    Args:
        accounts: The accounts.
        wanted: What is deployed.
        table: The ARN of the table.
        patience: For how many seconds a policy may take until it is in force everywhere.
        report: Hears of the checks.
    """

    accounts: Accounts
    wanted: Wanted
    table: str
    patience: float
    report: Report

    def check(self) -> None:
        """Write an item from one account, and read it from the others."""
        functions = {
            each.stack.name: each
            for each in self.wanted.resources
            # Those of backups are called by their state machines.
            if each.kind == "AWS::Lambda::Function" and "TABLE_ARN" in each.properties["environment"]
        }
        writer, etl = functions.pop("Writer"), functions.pop("Etl")
        private = functions.pop("PrivateWorkload")
        region, owner, name = self.table.split(":")[3], self.table.split(":")[4], self.table.rpartition("/")[2]

        written = self._answer(writer, _KEY)
        item = {key: {"S": value} for key, value in written.items()} if "category" in written else None
        self._equal(f"the writer puts an item from account {writer.place[0]}", written.get("item"), _KEY["item"])
        self._equal(f"that item is in the table of account {owner}", self._item((owner, region), name), item)
        for function in (writer, etl, *functions.values()):
            if function.place[0] != owner:
                here = self.accounts.client("dynamodb", (function.place[0], region)).list_tables()["TableNames"]
                what = f"account {function.place[0]} has no such table of its own"
                self._equal(what, [table for table in here if table == name], [])
        for stack, function in functions.items():
            found = self._answer(function, _KEY)
            what = f"{stack} reads that item from account {function.place[0]}, {function.place[1]}"
            self._equal(what, found, {"item": item})
        loaded = self._answer(etl, {"category": _KEY["category"], "since": "2000-01-01T00:00:00+00:00"})
        what = f"the ETL finds it in the index and in the stream from account {etl.place[0]}"
        self.report.check(what, [] if loaded.get("items", 0) and loaded.get("changes", 0) else [f"it says {loaded}"])

        found = self._answer(private, _KEY)
        self._equal("the private function finds its table empty, from inside its VPC", found, {"item": None})

    def _item(self, place: Place, table: str) -> Any:
        key = {name: {"S": value} for name, value in _KEY.items()}
        return self.accounts.client("dynamodb", place).get_item(TableName=table, Key=key).get("Item")

    def _answer(self, function: Resource, event: Json) -> Json:
        client = self.accounts.client("lambda", function.place)

        def invoke() -> Json | None:
            done = client.invoke(FunctionName=function.physical_id, Payload=json.dumps(event).encode())
            answer: Json = json.loads(done["Payload"].read())
            return None if "FunctionError" in done else answer

        return _retried(invoke, self.patience) or {"problem": "the function has failed; its log says why"}

    def _equal(self, what: str, found: Any, expected: Any) -> None:
        self.report.check(what, [] if found == expected else [f"expected {expected}, got {found}"])


def _retried(attempt: Callable[[], Json | None], patience: float) -> Json | None:
    end = time.monotonic() + patience
    while (answer := attempt()) is None and time.monotonic() < end:
        time.sleep(_PAUSE)
    return answer
