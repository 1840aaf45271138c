"""`tableguard evaluate`: decides requests line by line, from standard input to standard output."""

from __future__ import annotations

import argparse
import gc
import json
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from tableguard.command import Subparsers
    from tableguard.evaluation import Policies
    from tableguard.evaluation.cache import ContentCache

    Known = ContentCache[Policies | None]

_CHUNK_BYTES: Final = 1 << 18
_LONGEST_LINE_BYTES: Final = 16 * 1024 * 1024
_SHOWN: Final = 20
_POLICIES: Final = '"policies":'
_REQUEST: Final = '"request"'
_SPACE: Final = " \t\r\n"
_KNOWN_BYTES: Final = 8 * 1024 * 1024

_DESCRIPTION: Final = """\
Decide requests, offline, as AWS would: one JSON object a line on standard input, one on standard output, in the same
order. A malformed line gives {"id": …, "line": n, "error": …}, the rest is still decided, and the exit status is 1.
"""
_EPILOG: Final = """\
a line:
  {"id": "1",
   "request": {"principal": "arn:aws:iam::111122223333:role/reader", "action": "dynamodb:GetItem",
               "resource": "arn:aws:dynamodb:us-east-1:444455556666:table/orders",
               "resource_account": "444455556666", "context": {"aws:SourceVpce": "vpce-1"}},
   "policies": {"identity": [DOCUMENT, …], "resource": DOCUMENT, "service_control": [[DOCUMENT, …], …],
                "resource_control": [[DOCUMENT, …], …], "boundary": [DOCUMENT, …], "session": [DOCUMENT, …],
                "endpoint": DOCUMENT}}

its answer:
  {"id": "1", "decision": "Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied",
   "because": [{"layer": …, "sid": …, "effect": …}, …]}

"understood": false marks a statement that cannot be understood, and a denial that rests on nothing else. "detail" says
why, with the operator and its key, and "open" names what AWS documents no answer for.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand to the command's parser."""
    parser = subparsers.add_parser(
        "evaluate",
        help="decide requests, one JSON object a line",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decide every line of standard input.

    Answers are written as soon as the input that has arrived is decided, so that another program can talk with it.
    Memory holds one chunk of input and one line of at most 16 MiB, however many lines there are.

    Returns:
        0, or 1 if a line was malformed, or 2 where there is no standard input.
    """
    from tableguard.command import UNUSABLE

    # A process whose standard input was closed before it started has none.
    if sys.stdin is None:
        print("tableguard: standard input is closed. Give a line for each request.", file=sys.stderr)
        return UNUSABLE
    thresholds = gc.get_threshold()
    # Nothing here refers to itself, so looking for such things every few lines is a waste of an eighth of the time.
    gc.set_threshold(50_000, *thresholds[1:])
    try:
        return _decide(sys.stdin.buffer, sys.stdout.buffer)
    finally:
        gc.set_threshold(*thresholds)
        # Python looks for such things once more on its way out, at all that is kept of the policies.
        gc.freeze()


def _decide(source: BinaryIO, output: BinaryIO) -> int:
    known: Known | None = None
    status = 0
    number = 0
    for lines in _lines(source):
        # Not before a line has come: until then all memory is the line's.
        known = known or _known()
        answers: list[str] = []
        for line in lines:
            number += 1
            answer = _answer(line, number, known)
            if "error" in answer:
                status = 1
            answers.append(json.dumps(answer))
        answers.append("")
        output.write("\n".join(answers).encode("ascii"))
        output.flush()
    return status


def _lines(stream: BinaryIO) -> Iterator[list[bytes | None]]:
    """Whole lines, as many as have arrived; None stands for a line that is too long."""
    read = getattr(stream, "read1", stream.read)
    pieces: list[bytes] = []
    length = 0
    while chunk := read(_CHUNK_BYTES):
        *ended, rest = chunk.split(b"\n")
        if ended:
            pieces.append(ended[0])
            length += len(ended[0])
            first = b"".join(pieces) if length <= _LONGEST_LINE_BYTES else None
            yield [first, *ended[1:]]
            pieces, length = [], 0
        length += len(rest)
        if length <= _LONGEST_LINE_BYTES:
            pieces.append(rest)
        else:
            pieces = []
    if length:
        yield [b"".join(pieces) if length <= _LONGEST_LINE_BYTES else None]


def _answer(line: bytes | None, number: int, known: Known) -> dict[str, Any]:
    # Imported here, so that the help of the command does not wait for it.
    from tableguard.evaluation import decision_to_json, evaluate, policies_from_json, request_from_json

    identifier: object = None
    try:
        if line is None:
            raise ValueError(f"the line is longer than {_LONGEST_LINE_BYTES} bytes")
        value, policies = _read(line.decode(), known)
        if not isinstance(value, dict):
            raise ValueError("the line is no JSON object")
        identifier = value.get("id")
        request = request_from_json(value.get("request"))
        if policies is None:
            policies = policies_from_json(value.get("policies"))
        return {"id": identifier, **decision_to_json(evaluate(request, policies))}
    except (ValueError, RecursionError) as error:
        # Neither JSON nor the policies in it can be nested deeper than Python goes.
        message = "the line is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return {"id": identifier, "line": number, "error": message}


def _read(text: str, known: Known) -> tuple[Any, Policies | None]:
    """Read a line, without its policies if they end it and are known from an earlier line.

    Most of a line's text are its policies, and a batch asks much of the same ones. A line is split after its first
    `"policies":`. When the first half becomes an object by adding `null}`, the object is open there and waits for a
    value; when the second half is a value and the closing brace, it is that one. Whatever else a line may be, such as
    one whose request comes last, is read whole, and so is one with an error.
    """
    head, mark, tail = text.partition(_POLICIES)
    # After a backslash, the mark would be the end of some other key.
    split = mark and not head.endswith("\\") and _REQUEST not in tail
    policies = known.of_json(tail) if split else None
    if policies is not None:
        try:
            return _DECODER.decode(f"{head}{mark}null}}"), policies
        except (ValueError, RecursionError):
            pass
    return _DECODER.decode(text), None


def _known() -> Known:
    from tableguard.evaluation.cache import ContentCache

    return ContentCache(_ending, generation_bytes=_KNOWN_BYTES)


def _ending(tail: str) -> Policies | None:
    """Read the policies that end a line, and its closing brace; None if that is not all, or anything is wrong."""
    from tableguard.evaluation import policies_from_json

    tail = tail.lstrip(_SPACE)
    try:
        value, end = _DECODER.raw_decode(tail)
        return policies_from_json(value) if tail[end:].strip(_SPACE) == "}" else None
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated key: IAM does, and of two Effects the wrong one might win."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a JSON object has the same key twice")
    return value


def _no_number(text: str) -> float:
    """Refuse NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError(f"the line is no JSON: it has {text}")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the line has a number that is too large: {text[:_SHOWN]}")
    return value


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number, parse_float=_number)
