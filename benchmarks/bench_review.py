"""How long the review of a large organization takes, and how much memory: `python benchmarks/bench_review.py`.

100 tables in ten accounts and 300 principals in thirty, a tenth of them administrators of a data account. Every table
is shared with principals of other accounts, half of the tables only through VPC endpoints, a fifth of the grants with
an end. Exit status 1 beyond 10 s or 500 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tableguard.command import main as command

TABLES: Final = 100
PRINCIPALS: Final = 300
MOST_SECONDS: Final = 10.0
MOST_MEGABYTES: Final = 500.0
_REGION: Final = "eu-west-1"
_READ: Final = [
    f"dynamodb:{name}" for name in ("BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query")
]
_WRITE: Final = [f"dynamodb:{name}" for name in ("DeleteItem", "PutItem", "UpdateItem")]
_READERS_OF_EACH: Final = 9

Json = dict[str, Any]


def main() -> int:
    """Generate an assembly, review it with the command, and print what that took.

    Returns:
        0, or 1 beyond the limits.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", metavar="FOLDER", help="write the assembly there, and leave it")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(args.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        write(folder)
        seconds, rows, status = reviewed(folder)
    # Linux counts in kilobytes. The peak is that of the whole process, Python included.
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    measured = (
        f"{'tables':<12}{TABLES:>8}",
        f"{'principals':<12}{PRINCIPALS:>8}",
        f"{'rows':<12}{rows:>8}",
        f"{'seconds':<12}{seconds:>8.2f}   at most {MOST_SECONDS:g}",
        f"{'megabytes':<12}{megabytes:>8.0f}   at most {MOST_MEGABYTES:g}",
    )
    sys.stdout.write("\n".join((*measured, "")))
    return int(seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES or status != 0)


def figures() -> dict[str, float]:
    """Seconds of the processor and the peak of memory in megabytes, that of the whole process, Python included."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder)
        seconds, rows, _ = reviewed(folder)
    # Linux counts in kilobytes.
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"processor": seconds, "megabytes": megabytes, "rows": rows}


def reviewed(folder: Path) -> tuple[float, int, int]:
    """Seconds, rows of all matrices, and the exit status of the review.

    Args:
        folder: The assembly.
    """
    # The processor's time: the review runs in one thread, and other work on the machine is none of it.
    start = time.process_time()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = command(["review", str(folder), "--today", "2026-11-21", "--format", "json"])
    seconds = time.process_time() - start
    return seconds, sum(len(table["principals"]) for table in json.loads(output.getvalue())["tables"]), status


def write(folder: Path) -> None:
    """Write the assembly.

    Args:
        folder: Where to.
    """
    folder.mkdir(exist_ok=True)
    readers = {table: [reader(table, number) for number in range(_READERS_OF_EACH)] for table in range(TABLES)}
    templates: dict[str, tuple[str, Json]] = {}
    for account in range(10):
        tables = range(account, TABLES, 10)
        resources = {f"Table{table}": made_table(table, readers[table]) for table in tables}
        resources |= {f"Key{table}": key(data_account(table), readers[table]) for table in tables}
        resources |= {f"Admin{number}": administrator(account, number) for number in range(3)}
        templates[f"Data{account}"] = (data_account(account), {"Resources": resources})
    for account in range(30):
        numbers = range(account, PRINCIPALS - 30, 30)
        resources = {f"Role{number}": consumer(number, readers) for number in numbers}
        templates[f"Consumer{account}"] = (consumer_account(account), {"Resources": resources})
    artifacts = {}
    for name, (account_id, template) in templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{account_id}/{_REGION}",
            "properties": {"templateFile": f"{name}.template.json"},
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))


def data_account(table: int) -> str:
    """The account of a table."""
    return f"1111000000{table % 10:02}"


def consumer_account(principal: int) -> str:
    """The account of a principal."""
    return f"2222000000{principal % 30:02}"


def reader(table: int, number: int) -> int:
    """The number of a principal that reads a table."""
    return (table * 7 + number * 31) % (PRINCIPALS - 30)


def role_arn(principal: int) -> str:
    """The ARN of a principal."""
    return f"arn:aws:iam::{consumer_account(principal)}:role/service-{principal}"


def table_arn(table: int) -> str:
    """The ARN of a table."""
    return f"arn:aws:dynamodb:{_REGION}:{data_account(table)}:table/table-{table}"


def made_table(table: int, readers: list[int]) -> Json:
    """A table with a statement for each reader, and a restriction around half of the tables."""
    arn = table_arn(table)
    statements: list[Json] = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": consumer_account(each)},
            "Action": _READ if number % 3 else [*_READ, *_WRITE],
            "Resource": [arn, f"{arn}/index/*"],
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": role_arn(each)},
                **({} if number % 5 else {"DateLessThan": {"aws:CurrentTime": "2027-08-01T00:00:00Z"}}),
            },
        }
        for number, each in enumerate(readers)
    ]
    if table % 2:
        statements.append(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": [*_READ, *_WRITE, "dynamodb:Scan"],
                "Resource": [arn, f"{arn}/index/*"],
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1a2b3c4d", "vpce-5e6f7a8b"]},
                    "BoolIfExists": {"aws:ViaAWSService": "false"},
                    "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{data_account(table)}:role/cdk-*"},
                },
            }
        )
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": f"table-{table}",
            "GlobalSecondaryIndexes": [{"IndexName": "by-date"}, {"IndexName": "by-owner"}],
            "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            "SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": {"Fn::GetAtt": [f"Key{table}", "Arn"]}},
            "ResourcePolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
        },
    }


def key(account: str, readers: list[int]) -> Json:
    """The key of a table."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": sorted({consumer_account(each) for each in readers})},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": [role_arn(each) for each in readers]}},
        },
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}


def consumer(principal: int, readers: dict[int, list[int]]) -> Json:
    """A role that reads the tables that name it."""
    statements: list[Json] = []
    for table, those in readers.items():
        if principal in those:
            writes = those.index(principal) % 3 == 0
            arn = table_arn(table)
            actions = [*_READ, *_WRITE] if writes else _READ
            statements.append({"Effect": "Allow", "Action": actions, "Resource": [arn, f"{arn}/index/*"]})
    statements.append({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": f"arn:aws:kms:{_REGION}:*:key/*"})
    return role(f"service-{principal}", statements)


def administrator(account: int, number: int) -> Json:
    """A role that may do anything in a data account."""
    return role(f"admin-{account}-{number}", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])


def role(name: str, statements: list[Json]) -> Json:
    """A role with one inline policy."""
    document = {"Version": "2012-10-17", "Statement": statements}
    policies = [{"PolicyName": "access", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "Policies": policies}}


if __name__ == "__main__":
    sys.exit(main())
