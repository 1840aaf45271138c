"""How many requests the evaluator decides in a second: `python benchmarks/bench_decisions.py`.

1,000 different sets of policies, ten statements in each, one to three conditions in each statement; 40 requests to each
set, none like another. Most sets hold an identity and a resource policy, the others service control policies, a
boundary or an endpoint policy as well. Through the Python API, where each set is read once, which counts, and through
the command, where every line carries its policies in full. Exit status 1 below 20,000 decisions or 10,000 lines a
second, or when the command's help takes longer than 0.3 s.
"""

from __future__ import annotations

import collections
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tableguard.evaluation import Outcome, Policies, Request, evaluate

SETS: Final = 1_000
REQUESTS: Final = 40
LEAST_DECISIONS: Final = 20_000
LEAST_LINES: Final = 10_000
MOST_HELP_SECONDS: Final = 0.3

_PASSES: Final = 3
_LINES_OF_EACH: Final = 20
_OWNER: Final = "111122223333"
_REGION: Final = "eu-west-1"
_READ: Final = ["BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query"]
_WRITE: Final = ["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"]
_STREAM: Final = ["DescribeStream", "GetRecords", "GetShardIterator"]
_SETTINGS: Final = ["UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups"]
# Readers and writers ask the most; the last of these no statement speaks of.
_ASKED: Final = [*_READ, *_READ, *_WRITE, "Scan", *_STREAM[:2], "DeleteTable", "PartiQLSelect"]
_FULL_ACCESS: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}

Json = dict[str, Any]


def main() -> int:
    """Measure, and print the figures.

    Returns:
        0, or 1 beyond the limits.
    """
    found = figures()
    least = {"decisions a second": LEAST_DECISIONS, "lines a second": LEAST_LINES}
    for name, value in found.items():
        limit = next((f"   at least {least[kind]:,}" for kind in least if name.startswith(kind)), "")
        limit = f"   at most {MOST_HELP_SECONDS:g}" if name == "seconds of help" else limit
        sys.stdout.write(f"{name:<44}{value:>10,.2f}{limit}\n")
    slow = any(found[name] < least[kind] for name in found for kind in least if name.startswith(kind))
    return int(slow or found["seconds of help"] > MOST_HELP_SECONDS)


def figures() -> dict[str, float]:
    """All figures, by name. Rates are medians of three passes, each with policies that nothing has seen before."""
    passes = [decisions(seed) for seed in range(_PASSES)]
    found = {name: statistics.median(each[name] for each in passes) for name in passes[0]}
    with tempfile.TemporaryDirectory() as folder:
        for order in ("grouped", "interleaved"):
            file = Path(folder) / "requests.ndjson"
            size = write(file, interleaved=order == "interleaved")
            found["bytes of a line"] = size / (SETS * _LINES_OF_EACH)
            found[f"lines a second, {order}"] = statistics.median(lines(file) for _ in range(_PASSES))
    command = [sys.executable, "-m", "tableguard.command", "--help"]
    found["seconds of help"] = waited(command)
    found["seconds of a bare interpreter"] = waited([sys.executable, "-c", "pass"])
    return found


def decisions(seed: int) -> dict[str, float]:
    """Decisions a second through the Python API, and the share of each outcome in percent.

    Args:
        seed: Another one gives other policies and requests.
    """
    rng = random.Random(seed)
    count = SETS * REQUESTS
    outcomes: collections.Counter[Outcome] = collections.Counter()
    asked = [(policies, list(requests(rng, number))) for number, policies in sets(rng, 2 * SETS * seed)]
    # The processor's time: the evaluation runs in one thread, and other work on the machine is none of it.
    start = time.process_time()
    for policies, each in asked:
        held = Policies(**policies)
        for request in each:
            outcomes[evaluate(Request(**request), held).outcome] += 1
    once = time.process_time() - start

    asked = [(policies, list(requests(rng, number))) for number, policies in sets(rng, 2 * SETS * seed + SETS)]
    start = time.process_time()
    for policies, each in asked:
        for request in each:
            evaluate(Request(**request), Policies(**policies))
    anew = time.process_time() - start
    return {
        "decisions a second": count / once,
        "the same, policies read again each time": count / anew,
        **{f"percent {outcome.value}": 100 * outcomes[outcome] / count for outcome in Outcome},
    }


def lines(file: Path) -> float:
    """Lines a second through the command, its start included.

    Args:
        file: The lines.
    """
    before = _children()
    with file.open("rb") as source:
        command = [sys.executable, "-m", "tableguard.command", "evaluate"]
        subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, check=True, env=_environment())
    return SETS * _LINES_OF_EACH / (_children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def waited(command: list[str]) -> float:
    """Seconds until a command has answered, as its user waits for them: the median of some runs."""
    seconds = []
    for _ in range(2 * _PASSES + 1):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=_environment())
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def write(file: Path, *, interleaved: bool) -> int:
    """Write the lines for the command.

    Args:
        file: Where to.
        interleaved: Whether each line asks of another set than the one before, instead of a set's lines in a row.

    Returns:
        The size in bytes.
    """
    rng = random.Random(_PASSES)
    found = [(policies, list(requests(rng, number))[:_LINES_OF_EACH]) for number, policies in sets(rng, 0)]
    order: Iterable[tuple[int, int]]
    if interleaved:
        order = ((each, number) for number in range(_LINES_OF_EACH) for each in range(SETS))
    else:
        order = ((each, number) for each in range(SETS) for number in range(_LINES_OF_EACH))
    with file.open("w") as output:
        for each, number in order:
            policies, asked = found[each]
            line = {"id": f"{each}-{number}", "request": asked[number], "policies": policies}
            output.write(json.dumps(line) + "\n")
    return file.stat().st_size


def sets(rng: random.Random, start: int) -> Iterator[tuple[int, Json]]:
    """The sets of policies, with their numbers."""
    for number in range(start, start + SETS):
        kind = number % 10
        layers: Json = {}
        own = 6
        if kind in (0, 1):
            layers["service_control"] = [[document(_FULL_ACCESS)], [document(_FULL_ACCESS, restriction(rng, number))]]
            own -= 1
        if kind in (1, 2):
            allowed = [statement(rng, number, "Allow", f"{table_arn(number)}*", [*_READ, *_WRITE, "Scan"])]
            layers["boundary"] = [document(*allowed)]
            own -= 1
        if kind in (3, 4):
            layers["endpoint"] = document(
                {**statement(rng, number, "Allow", "*", ["*"]), "Principal": "*"},
            )
            own -= 1
        layers["identity"] = [document(*(identity_statement(rng, number, each) for each in range(own)))]
        layers["resource"] = document(*(resource_statement(rng, number, each) for each in range(4)))
        yield number, layers


def document(*statements: Json) -> Json:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def identity_statement(rng: random.Random, number: int, each: int) -> Json:
    """A statement of an identity policy: mostly about the set's own table, else about another."""
    table = number if rng.random() < 0.7 else number + rng.randrange(1, 50)
    effect = "Deny" if each == 4 else "Allow"
    actions = rng.choice([_READ, _READ, [*_READ, *_WRITE], _WRITE, ["Get*", "Query"], _STREAM, _SETTINGS])
    if effect == "Deny":
        actions = rng.choice([_SETTINGS, ["Delete*"], ["Scan", "PartiQLSelect"]])
    arn = table_arn(table)
    where: Any = rng.choice([[arn, f"{arn}/index/*"], arn, f"{arn}*", f"{arn.replace(_OWNER, '*')}/stream/*"])
    return statement(rng, number, effect, where, actions)


def resource_statement(rng: random.Random, number: int, each: int) -> Json:
    """A statement of the table's policy: grants to the principal or its account, and a restriction around all."""
    if each == 3:
        return {**restriction(rng, number), "Principal": "*"}
    named = {"AWS": rng.choice([role_arn(number), consumer(number), role_arn(number + each), consumer(number + 1)])}
    arn = table_arn(number)
    actions = rng.choice([_READ, [*_READ, *_WRITE], ["*"]])
    return {**statement(rng, number, "Allow", [arn, f"{arn}/index/*"], actions), "Principal": named}


def statement(rng: random.Random, number: int, effect: str, where: Any, actions: list[str]) -> Json:
    """A statement with one to three conditions."""
    condition: dict[str, Json] = {}
    for operator, key, value in rng.sample(conditions(rng, number), rng.choice([1, 2, 2, 3])):
        condition.setdefault(operator, {})[key] = value
        if operator == "ForAllValues:StringLike":
            condition.setdefault("Null", {})[key] = "false"
    return {
        "Sid": f"S{number}{rng.randrange(10_000)}",
        "Effect": effect,
        "Action": [f"dynamodb:{action}" for action in actions],
        "Resource": where,
        "Condition": condition,
    }


def restriction(rng: random.Random, number: int) -> Json:
    """A Deny for whoever comes from elsewhere."""
    return {
        "Sid": f"Restriction{number}",
        "Effect": "Deny",
        "Action": [f"dynamodb:{action}" for action in [*_READ, *_WRITE, "Scan"]],
        "Resource": rng.choice([[table_arn(number), f"{table_arn(number)}/index/*"], "*"]),
        "Condition": {
            "StringNotEqualsIfExists": {"aws:SourceVpce": [vpce(number), vpce(number + 1)]},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
            "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{_OWNER}:role/cdk-*"},
        },
    }


def conditions(rng: random.Random, number: int) -> list[tuple[str, str, Any]]:
    """Conditions to choose from: operator, key and values. Most of them hold for most of the set's requests."""
    leading = rng.choice([[f"tenant-{number}-*"], [f"tenant-{number}-*", "shared-*"], ["${aws:PrincipalTag/team}-*"]])
    return [
        ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("StringEquals", "aws:PrincipalTag/team", [f"team-{number}", "platform"]),
        ("StringEquals", "aws:SourceVpce", [vpce(number), vpce(number + 1)]),
        ("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}"),
        ("StringLike", "aws:PrincipalTag/team", f"team-{number}*"),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{consumer(number)}:role/service-*"),
        ("ArnEquals", "aws:PrincipalArn", [role_arn(number), role_arn(number + 1)]),
        ("ForAllValues:StringLike", "dynamodb:LeadingKeys", leading),
        ("ForAllValues:StringEquals", "dynamodb:Attributes", ["pk", "sk", "name", "price", f"field-{number}"]),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", f"192.0.2.{number % 256}/32"]),
        ("NotIpAddress", "aws:SourceIp", f"203.0.113.{number % 256}/32"),
        ("DateLessThan", "aws:CurrentTime", f"20{27 + number % 3}-{1 + number % 12:02}-01T00:00:00Z"),
        ("DateGreaterThan", "aws:CurrentTime", f"2026-{1 + number % 12:02}-01T00:00:00Z"),
        ("Null", "aws:TokenIssueTime", "true"),
        ("Bool", "aws:SecureTransport", "true"),
        ("StringNotEqualsIfExists", "aws:RequestedRegion", ["us-east-1", "us-west-2"]),
        ("NumericLessThanEquals", "dynamodb:EnclosingOperationSize", str(10 + number % 50)),
    ]


def requests(rng: random.Random, number: int) -> Iterator[Json]:
    """Requests to a set, no two of all sets alike: the time and the keys that are read differ."""
    for each in range(REQUESTS):
        arn = table_arn(number if rng.random() < 0.9 else number + rng.randrange(1, 50))
        stranger = rng.random() < 0.2
        name = number + rng.randrange(2, 9) if stranger else number
        context: Json = {
            "aws:PrincipalOrgID": "o-a1b2c3d4e5",
            "aws:PrincipalTag/team": f"team-{name}",
            "aws:ResourceTag/team": f"team-{number}",
            "aws:SourceVpce": vpce(name),
            "aws:SourceIp": f"10.{number % 256}.{each}.{rng.randrange(256)}",
            "aws:CurrentTime": f"2026-11-{1 + number % 28:02}T{each % 24:02}:{rng.randrange(60):02}:{number % 60:02}Z",
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": _REGION,
            "dynamodb:LeadingKeys": [f"tenant-{number}-{each}-{item}" for item in range(rng.randrange(1, 4))],
            "dynamodb:Attributes": ["pk", "sk", "name"][: 1 + each % 3],
            "dynamodb:EnclosingOperationSize": str(rng.randrange(20)),
        }
        principal = role_arn(name)
        if each % 4 == 3:
            context["aws:PrincipalArn"] = principal
            principal = f"arn:aws:sts::{consumer(name)}:assumed-role/service-{name}/session-{number}-{each}"
        resource_arn = f"{arn}/index/by-date" if each % 5 == 4 else arn
        action = f"dynamodb:{_ASKED[rng.randrange(len(_ASKED))]}"
        yield {"principal": principal, "action": action, "resource": resource_arn, "context": context}


def table_arn(number: int) -> str:
    """The ARN of a table."""
    return f"arn:aws:dynamodb:{_REGION}:{_OWNER}:table/table-{number}"


def consumer(number: int) -> str:
    """The account of a set's principal: every second one shares the table's."""
    return _OWNER if number % 2 else f"2222{number:08}"


def role_arn(number: int) -> str:
    """The ARN of a set's principal."""
    return f"arn:aws:iam::{consumer(number)}:role/service-{number}"


def vpce(number: int) -> str:
    """A VPC endpoint."""
    return f"vpce-{number:08x}"


if __name__ == "__main__":
    sys.exit(main())
