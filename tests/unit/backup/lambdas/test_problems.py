"""What stopped the workers of a map is told by the machine, and nothing of an item is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, FlexibleChecksumError
from botocore.response import StreamingBody

from tableguard.backup.lambdas import clients, point_in_time, problems, restore, seal
from tableguard.backup.lambdas.errors import Damaged, NotAllowed, NotYetComplete, Rejected, Throttled, Unfinished
from tableguard.backup.lambdas.storage import CHUNK
from tests.unit.backup.aws import S3, DynamoDB, RefusalError
from tests.unit.backup.conftest import Context
from tests.unit.backup.exports import PREFIX, SOURCE, TABLE, Export, full_line, item
from tests.unit.backup.flow import digests, load_all, plan, seal_all, stored

MAP = {"Error": "States.ExceedToleratedFailureThreshold", "Cause": "The specified threshold was exceeded"}
FILES = [[full_line(item(f"{name}{number}")) for name in "ab"] for number in range(5)]


def notes(s3: S3) -> list[str]:
    return [version.key for version in s3.buckets["work"].versions if "/problems/" in version.key]


def restoring(execution: str = "restore-1") -> dict[str, str]:
    return restore.problem({**MAP, "execution": execution}, Context())


def sealing(export: Export, execution: str = "seal-1") -> dict[str, str]:
    return seal.problem({**export.event, **MAP, "execution": execution}, Context())


def copied(s3: S3, export: Export, execution: str = "seal-1") -> None:
    """Every file, whatever becomes of the others."""
    for work in stored(s3, "work", seal.open(export.event, Context())["work_key"]):
        with suppress(Rejected, ClientError, KeyError):
            seal.copy({**work, "execution": execution}, Context())


def test_a_damaged_file_is_told_with_its_name(s3: S3, dynamodb: DynamoDB) -> None:
    seal_all(s3, Export(1, FILES, 0).arrive(s3))
    planned = plan()
    (file, *_) = stored(s3, "work", planned["steps"][0]["key"])
    (version,) = [each for each in s3.buckets["sealed"].versions if each.key == file["key"]]
    version.body = b"else"
    with pytest.raises(Damaged):
        load_all(s3, planned)
    told = restoring()
    assert told["Error"] == "Damaged"
    assert file["key"] in told["Cause"]
    assert told["Cause"].endswith("is not what was sealed: nothing of it is written.")
    assert restoring("restore-2") == MAP  # another execution has had no problem


def test_a_file_that_the_client_finds_altered_is_damaged(
    s3: S3, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client compares what it has read with the checksum that S3 has kept, before the whole is known here."""
    seal_all(s3, Export(1, FILES, 0).arrive(s3))
    planned = plan()
    (file, *_) = stored(s3, "work", planned["steps"][0]["key"])

    def differs(*_: Any) -> bytes:
        raise FlexibleChecksumError(error_msg="Expected checksum other")

    read = StreamingBody.read
    monkeypatch.setattr(StreamingBody, "read", lambda body, amt=None: differs() if amt == CHUNK else read(body, amt))
    with pytest.raises(Damaged):
        load_all(s3, planned)
    told = restoring()
    assert told["Error"] == "Damaged"
    assert file["key"] in told["Cause"]
    assert dynamodb.count("BatchWriteItem") == 0


def test_a_file_of_an_export_that_cannot_be_measured_is_told_with_its_name(s3: S3) -> None:
    export = Export(1, FILES[:2], 0)
    for key, body in export.objects().items():
        s3.put("sealed", key, body)
    key = next(iter(export.data))
    (version,) = [each for each in s3.buckets["sealed"].versions if each.key == key]
    version.body = (version.body or b"")[:-9]
    event = {"source": SOURCE, "export": f"{TABLE}/export/{export.id}", "execution": "restore-1"}
    first, second = stored(s3, "work", point_in_time.begin(event, Context())["work_key"])
    point_in_time.measure(second, Context())
    with pytest.raises(Rejected):
        point_in_time.measure(first, Context())
    told = restoring()
    assert told["Error"] == "Rejected"
    assert told["Cause"].startswith(f"{key}: none of its 1 versions has the MD5")
    assert restoring("restore-2") == MAP


def test_a_segment_that_cannot_be_read_is_told_by_its_number_and_nothing_of_an_item(
    s3: S3, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(operation: str, _request: dict[str, Any]) -> None:
        if operation == "Scan":
            raise RefusalError("AccessDeniedException")

    dynamodb.before = refuse
    with pytest.raises(NotAllowed):
        digests(3)
    refused = "Scan on new is not allowed: its tags or the policies say so."
    assert restoring() == {"Error": "NotAllowed", "Cause": refused}

    def quotes(*_: Any, **__: Any) -> None:
        raise KeyError("secret of an item")

    monkeypatch.setattr("tableguard.backup.lambdas.comparing.digest_segment", quotes)
    with pytest.raises(KeyError):
        digests(1)
    assert restoring() == {"Error": "KeyError", "Cause": "segment 0: the log of the function says more."}


def test_a_measurement_or_a_segment_without_an_execution_is_refused(s3: S3, dynamodb: DynamoDB) -> None:
    with pytest.raises(ValueError, match="name of its execution"):
        restore.digest({"table": "new", "segment": 0, "segments": 1, "start": None, "count": 0}, Context())
    with pytest.raises(ValueError, match="name of its execution"):
        point_in_time.measure({"key": "k", "work": "restore-1/"}, Context())


def test_where_no_worker_has_said_anything_the_map_is_told(s3: S3) -> None:
    export = Export(1, FILES, 0).arrive(s3)
    copied(s3, export)
    assert (restoring(), sealing(export)) == (MAP, MAP)


def test_a_refusal_is_told_unless_there_is_another_problem(s3: S3) -> None:
    """It is tried again, as a role is let by the tags of a new table, and has passed if anything else was met."""
    folder = problems.folder_of("restore-1/", "restore-1")
    for name, error in (("a", NotAllowed("a is refused")), ("b", Damaged("b is damaged"))):
        with pytest.raises(type(error)), problems.noted(clients.s3(), "work", folder, name):
            raise error
        assert restoring() == {"Error": type(error).__name__, "Cause": str(error)}


def test_what_is_tried_again_is_no_problem(s3: S3, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    export = Export(1, FILES, 0).arrive(s3)
    seal_all(s3, export)
    for error in (Throttled, Unfinished, NotYetComplete):

        def fails(*_: Any, error: type[Exception] = error, **__: Any) -> None:
            raise error("later")

        monkeypatch.setattr("tableguard.backup.lambdas.loading.load_file", fails)
        with pytest.raises(error):
            load_all(s3, plan())
    assert notes(s3) == []


def test_the_first_few_files_that_are_refused_are_told_and_how_many_more(s3: S3) -> None:
    export = Export(1, FILES, 0)
    for key in export.data:
        export.data[key] = export.data[key][:-9]
    copied(s3, export.arrive(s3))
    told = sealing(export)
    assert told["Error"] == "Rejected"
    assert [key in told["Cause"] for key in export.data] == [True, True, True, False, False]
    assert told["Cause"].endswith("; and 2 more")
    assert sealing(export, "seal-2") == MAP


def test_an_error_of_a_service_is_told_by_its_code_and_every_other_by_its_name_alone(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = Export(1, FILES[:2], 0).arrive(s3)

    def refuse(operation: str, request: dict[str, Any]) -> None:
        if operation == "CopyObject" and request["Key"].endswith(next(iter(export.data)).rpartition("/")[2]):
            raise RefusalError("AccessDenied", 403)

    s3.before = refuse
    copied(s3, export)
    assert sealing(export) == {"Error": "AccessDenied", "Cause": "0: CopyObject was answered with AccessDenied."}

    def fails(*_: Any, **__: Any) -> None:
        raise KeyError("secret of an item")

    monkeypatch.setattr("tableguard.backup.lambdas.copying.find", fails)
    copied(s3, export, "seal-2")
    told = sealing(export, "seal-2")
    # The second file was sealed before, so that nothing is wrong with it.
    assert told == {"Error": "KeyError", "Cause": "0: the log of the function says more."}


def test_a_copy_that_came_about_in_another_attempt_is_no_problem(s3: S3) -> None:
    export = Export(1, FILES[:1], 0).arrive(s3)

    def refuse(operation: str, _request: dict[str, Any]) -> None:
        if operation == "CopyObject":
            raise RefusalError("AccessDenied", 403)

    (work,) = stored(s3, "work", seal.open(export.event, Context())["work_key"])
    s3.before = refuse
    copied(s3, export)
    assert sealing(export)["Error"] == "AccessDenied"
    s3.before = lambda _operation, _request: None
    seal.copy({**work, "execution": "seal-1"}, Context())
    assert sealing(export) == MAP


def test_the_error_itself_is_raised_when_the_note_cannot_be_written(s3: S3) -> None:
    export = Export(1, FILES[:1], 0)
    export.data = {key: body[:-9] for key, body in export.data.items()}
    (work,) = stored(s3, "work", seal.open(export.arrive(s3).event, Context())["work_key"])

    def refuse(operation: str, request: dict[str, Any]) -> None:
        if operation == "PutObject" and "/problems/" in request["Key"]:
            raise RefusalError("AccessDenied", 403)

    s3.before = refuse
    with pytest.raises(Rejected, match="cut short or altered"):
        seal.copy({**work, "execution": "seal-1"}, Context())
    assert stored(s3, "work", f"{PREFIX}/{export.id}/rejected.json")


@pytest.mark.parametrize("execution", [None, "", "../other", 7])
def test_an_event_says_of_which_execution_it_is(s3: S3, execution: object) -> None:
    export = Export(1, FILES, 0).arrive(s3)
    with pytest.raises(ValueError, match="name of its execution"):
        restore.problem({**MAP, "execution": execution}, Context())
    with pytest.raises(ValueError, match="name of its execution"):
        seal.problem({**export.event, **MAP, "execution": execution}, Context())
