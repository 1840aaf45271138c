"""The command `tableguard evaluate`, as a program: order, errors, exit status, streaming, memory, start-up time."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import tableguard
from tableguard.command import main
from tests import waiting

LIBRARY = str(Path(tableguard.__file__).parents[1])
COMMAND = [sys.executable, "-m", "tableguard.command"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": LIBRARY, "PYTHONUNBUFFERED": ""}
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
ALLOW = {"Sid": "Reads", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}
IDENTITY = {"identity": [{"Version": "2012-10-17", "Statement": [ALLOW]}]}


def line(identifier: object, action: str = "dynamodb:GetItem", **more: Any) -> str:
    request = {"principal": "arn:aws:iam::111122223333:role/reader", "action": action, "resource": TABLE}
    return json.dumps({"id": identifier, "request": request, "policies": IDENTITY, **more})


Ran: TypeAlias = tuple[int, list[dict[str, Any]], str]
"""The exit status, the answers, and what was said beside them."""


def program(text: str) -> Ran:
    """The command in a process of its own, as a shell runs it."""
    done = subprocess.run(
        [*COMMAND, "evaluate"], input=text.encode(), capture_output=True, check=False, env=ENVIRONMENT
    )
    return done.returncode, [json.loads(each) for each in done.stdout.splitlines()], done.stderr.decode()


def run(text: str | bytes) -> Ran:
    """The same in this process: importing the library takes longer than the answers."""
    given = text if isinstance(text, bytes) else text.encode()
    with pytest.MonkeyPatch.context() as patch:
        output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        patch.setattr(sys, "stdout", output)
        patch.setattr(sys, "stderr", errors)
        status = main(["evaluate"])
    output.seek(0)
    return status, [json.loads(each) for each in output], errors.getvalue()


@pytest.mark.parametrize(("text", "status"), [(line("1"), 0), (f"{line('1')}\nnonsense", 1), ("", 0)])
def test_the_program_says_what_main_does(text: str, status: int) -> None:
    ran = program(text)
    assert ran == run(text)
    assert ran[0] == status


def test_answers_keep_the_order_and_the_ids_of_the_lines() -> None:
    lines = [line(str(number), "dynamodb:GetItem" if number % 2 else "dynamodb:PutItem") for number in range(500)]
    status, answers, errors = run("\n".join(lines))
    assert (status, errors) == (0, "")
    assert [answer["id"] for answer in answers] == [str(number) for number in range(500)]
    assert {answer["decision"] for answer in answers[1::2]} == {"Allowed"}
    assert {answer["decision"] for answer in answers[::2]} == {"ImplicitlyDenied"}


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_an_answer_names_the_operator_for_which_aws_documents_no_answer(effect: str) -> None:
    condition = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
    asked = {"Sid": "Tagged", "Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}
    own = [asked] if effect == "Allow" else [ALLOW, asked]
    status, (answer,), _ = run(line("1", policies={"identity": [{"Version": "2012-10-17", "Statement": own}]}))
    assert status == 0
    assert answer["decision"] == ("ImplicitlyDenied" if effect == "Allow" else "ExplicitlyDenied")
    assert answer["understood"] is False
    (reason,) = [each for each in answer["because"] if each["sid"] == "Tagged"]
    assert (reason["understood"], reason["open"]) == (False, "for-any-value-if-exists")
    assert reason["detail"].startswith("ForAnyValue:StringEqualsIfExists aws:TagKeys: the request lacks the key")


def test_an_answer_gives_the_decision_and_its_reasons() -> None:
    deny = {"Sid": "Restriction", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    policies = {**IDENTITY, "resource": {"Version": "2012-10-17", "Statement": deny}}
    status, answers, _ = run(line("1") + "\n" + line("2", policies=policies) + "\n" + line("3", policies=None) + "\n")
    assert status == 0
    assert answers[0] == {
        "id": "1",
        "decision": "Allowed",
        "because": [{"layer": "identity", "sid": "Reads", "effect": "Allow", "statement": 0}],
    }
    assert answers[1]["because"] == [{"layer": "resource", "sid": "Restriction", "effect": "Deny", "statement": 0}]
    assert [(reason["layer"], reason["effect"]) for reason in answers[2]["because"]] == [
        ("identity", None),
        ("resource", None),
    ]


POLICIES = json.dumps(IDENTITY)
DENIED = json.dumps({"identity": [{"Version": "2012-10-17", "Statement": [{**ALLOW, "Effect": "Deny"}]}]})
ASKED = json.loads(line("1"))["request"]
REQUEST = json.dumps(ASKED)
QUOTED = json.dumps({**ASKED, "context": {"aws:X": ' "policies": null}'}})
INSIDE = json.dumps({**ASKED, "policies": None})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{{"request": {REQUEST}, "policies": {POLICIES}, "id": 1}}', "Allowed"),
        (f'{{"policies": {POLICIES}, "request": {REQUEST}, "id": 1}}', "Allowed"),
        (f'{{"id": 1, "request": {REQUEST},"policies":{POLICIES} }} \r', "Allowed"),
        (f'{{"id": 1, "request": {QUOTED}, "policies": {POLICIES}}}', "Allowed"),
        (f'{{"id": 1, "request": {REQUEST}, "policies": {DENIED}}}', "ExplicitlyDenied"),
        (f'{{"id": 1, "request": {REQUEST}, "x": "\\"policies\\":", "policies": {DENIED}}}', "ExplicitlyDenied"),
        (f'{{"id": 1, "request": {REQUEST}, "policies": null}}', "ImplicitlyDenied"),
        (f'{{"id": 1, "request": {REQUEST}, "x\\"policies": {POLICIES}}}', "ImplicitlyDenied"),
        (f'{{"policies" : null, "request": {REQUEST}, "x\\"policies": {POLICIES}}}', "ImplicitlyDenied"),
        (f'{{"id": 1, "request": {REQUEST}}}', "ImplicitlyDenied"),
        (f'{{"id": 1, "request": {INSIDE}, "policies": {POLICIES}}}', None),
        (f'{{"id": 1, "request": {REQUEST}, "policies": {POLICIES}', None),
        (f'{{"id": 1, "request": {REQUEST}, "policies": {POLICIES}}}}}', None),
        (f'{{"id": 1, "request": {REQUEST}, "policies": {POLICIES}}} {{}}', None),
        (f'{{"id": 1, "request": {REQUEST}, "policies": {POLICIES}, "policies": {DENIED}}}', None),
        (f'{{"policies": {POLICIES}, "id": 1, "request": {REQUEST}, "policies": {POLICIES}}}', None),
        (f'{{"id": 1, "id": 2, "request": {REQUEST}, "policies": {POLICIES}}}', None),
        (f'{{"id": 1, "request": {{{REQUEST}, "policies": {POLICIES}}}', None),
        (f'{{"id": 1, "request": [{REQUEST}, "policies": {POLICIES}}}', None),
        (f'["id", 1, "request", {REQUEST}, "policies": {POLICIES}}}', None),
        (f'{{"id": 1, "request": {REQUEST}, "x": "\\"policies": {POLICIES}}}', None),
        (f'{{"id": 1, "request": {REQUEST} "policies": {POLICIES}}}', None),
        (f'"policies": {POLICIES}}}', None),
    ],
)
def test_the_policies_of_a_line_are_read_alike_wherever_they_stand_and_whatever_came_before(
    text: str, expected: str | None
) -> None:
    before = [line(0), line(0, policies=json.loads(DENIED))]
    status, answers, _ = run("\n".join([*before, text, text, *before]))
    assert [answer.get("decision") for answer in answers[:2]] == ["Allowed", "ExplicitlyDenied"]
    assert [answer.get("decision") for answer in answers[2:4]] == [expected, expected]
    assert [answer.get("decision") for answer in answers[4:]] == ["Allowed", "ExplicitlyDenied"]
    assert [answer["line"] for answer in answers if "error" in answer] == ([] if expected else [3, 4])
    assert status == (0 if expected else 1)


def test_all_layers_of_a_line_are_read() -> None:
    shut = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    named = {"Version": "2012-10-17", "Statement": {**shut["Statement"], "Principal": "*"}}  # type: ignore[dict-item]
    layers: dict[str, Any] = {
        "identity": [shut],
        "resource": named,
        "service_control": [[shut]],
        "resource_control": [[named]],
        "boundary": [shut],
        "session": [shut],
        "endpoint": named,
    }
    for layer, value in layers.items():
        _, answers, _ = run(line(layer, policies={**IDENTITY, layer: value}))
        assert answers[0]["decision"] == "ExplicitlyDenied"
        assert answers[0]["because"][0]["layer"] == layer


def test_a_deny_that_is_not_understood_says_so() -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bogus": {"aws:x": "y"}}}
    _, answers, _ = run(line("1", policies={"identity": [*IDENTITY["identity"], {"Statement": deny}]}))
    assert answers[0]["decision"] == "ExplicitlyDenied"
    assert answers[0]["understood"] is False
    assert answers[0]["because"][0]["understood"] is False
    assert "Bogus" in answers[0]["because"][0]["detail"]


MALFORMED = [
    ("", None),
    ("nonsense", None),
    ("[]", None),
    ("null", None),
    ("{", None),
    ('{"id": "7"}', "7"),
    ('{"id": "7", "request": null}', "7"),
    ('{"id": "7", "request": {}}', "7"),
    ('{"id": "7", "id": "8", "request": {}}', None),
    (line("7", policies=[]), "7"),
    (line("7", policies={"identiy": []}), "7"),
    (line("7", policies={"identity": {}}), "7"),
    (line("7", request={"principal": "x", "action": "dynamodb:GetItem", "resource": TABLE}), "7"),
    (line("7").replace('"action"', '"actoin"'), "7"),
    ("[" * 100_000, None),
    ('{"id": 1' + "0" * 5000 + "}", None),
    ('{"id": "\\ud800"}', "\ud800"),
    (line("7").replace('"7"', "NaN"), None),
    (line("7").replace('"7"', "-Infinity"), None),
    (line("7").replace('"7"', "1e999"), None),
]


@pytest.mark.parametrize(("text", "identifier"), MALFORMED)
def test_a_malformed_line_is_reported_and_the_rest_is_decided(text: str, identifier: str | None) -> None:
    status, answers, errors = run(f"{line('1')}\n{text}\n{line('3')}\n")
    assert (status, errors) == (1, "")
    assert [answers[0]["decision"], answers[2]["decision"]] == ["Allowed", "Allowed"]
    assert answers[1].keys() == {"id", "line", "error"}
    assert (answers[1]["id"], answers[1]["line"]) == (identifier, 2)
    assert answers[1]["error"]


def test_bytes_that_are_no_text_are_a_malformed_line() -> None:
    status, answers, _ = run(b"\xff\xfe\n" + line("2").encode())
    assert status == 1
    assert [answers[0]["line"], answers[1]["decision"]] == [1, "Allowed"]


def test_a_closed_standard_input_is_unusable() -> None:
    given = " ".join(map(shlex.quote, COMMAND))
    done = subprocess.run(["/bin/sh", "-c", f"{given} evaluate <&-"], capture_output=True, check=False, env=ENVIRONMENT)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"tableguard: standard input is closed. Give a line for each request.\n"


def test_no_input_is_fine() -> None:
    assert run("") == (0, [], "")


def test_a_line_without_end_is_refused() -> None:
    endless = b'{"id": "' + b"x" * (20 * 1024 * 1024) + b'"}\n'
    status, answers, _ = run(endless + line("2").encode())
    assert status == 1
    assert "longer" in answers[0]["error"]
    assert answers[1]["decision"] == "Allowed"


def test_an_answer_comes_before_the_next_line_is_asked() -> None:
    with subprocess.Popen(
        [*COMMAND, "evaluate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin
        assert process.stdout
        for number in range(3):
            process.stdin.write(line(number).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert waiting.ended(process) == 0


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    text = (line("1") + "\n").encode() * 20_000
    with subprocess.Popen(
        [*COMMAND, "evaluate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        try:
            process.stdin.write(text)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert waiting.ended(process) == 141
        assert process.stderr.read() == b""


def test_an_interrupt_ends_the_command_quietly() -> None:
    with subprocess.Popen(
        [*COMMAND, "evaluate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(line("1").encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert waiting.ended(process) == 130
        assert process.stderr.read() == b""


PEAK = """
import sys, tracemalloc
from tableguard.command import main
tracemalloc.start()
main(["evaluate"])
print(tracemalloc.get_traced_memory()[1], file=sys.stderr)
"""


def peak(given: bytes) -> int:
    """The most memory that the command takes for an input, in bytes."""
    done = subprocess.run([sys.executable, "-c", PEAK], input=given, capture_output=True, check=True, env=ENVIRONMENT)
    return int(done.stderr)


def test_memory_does_not_grow_with_the_number_of_lines() -> None:
    few, many = ("\n".join(line(number) for number in range(count)).encode() for count in (2_000, 10_000))
    assert peak(many) < peak(few) * 1.1


def test_memory_does_not_grow_with_a_line_without_end() -> None:
    assert peak(b"x" * 80 * 1024 * 1024) < 20 * 1024 * 1024


def test_help_comes_at_once_and_without_aws_cdk() -> None:
    script = (
        "import sys\n"
        "from tableguard.command import main\n"
        "status = main(['--help'])\n"
        "assert not {'aws_cdk', 'jsii', 'constructs', 'tableguard.policy'} & sys.modules.keys()\n"
        "sys.exit(status)\n"
    )
    times = []
    for _ in range(3):
        # The processor's time: what a busy machine adds is not the command's.
        before = os.times()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=ENVIRONMENT)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert b"evaluate" in done.stdout
    assert min(times) < 0.3


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["nonsense"], 2), (["evaluate", "x"], 2), (["--help"], 0)])
def test_arguments_that_cannot_be_used_end_with_status_2(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert "usage: tableguard" in (captured.out if status == 0 else captured.err)
