"""Replaying N changes is N times the work of one, and a worker needs no more memory for a larger file.

Work is counted, as requests and bytes: a busy machine changes times and leaves counts alone. The library's functions do
the work; the extension counts, and the emulator says how much memory their processes had.
"""

from __future__ import annotations

from collections import Counter

from tests.integration.backup import organization as org
from tests.integration.backup.flow import Flow
from tests.integration.backup.items import make

SIZES = (500, 2_000, 8_000)  # changes, each more in an increment of its own
TOLERANCE = 0.15
MIB = 1024  # in KiB
READERS = (f"{org.SEALING}-copy", "RestoreLoad")  # parts of the names of the functions that read files


def test_the_work_of_a_replay_grows_with_the_number_of_changes(flow: Flow) -> None:
    flow.advance(minutes=30)
    flow.export()
    first = 0
    for size in SIZES:
        flow.write([make(number) for number in range(first, first + size)])
        first += size
        flow.advance(hours=1)
        flow.export()
    entries = flow.sealed(1 + len(SIZES))

    work: list[tuple[int, Counter[str]]] = []
    changes = 0
    for size, entry in zip(SIZES, entries[1:], strict=True):
        changes += size
        before, ran = Counter(flow.controls.requests()), len(flow.controls.invocations())
        flow.restore(f"{org.RESTORED}of-{changes}", until=entry["export"]["to"])
        done = Counter(flow.controls.requests()) - before
        loads = [each for each in flow.controls.invocations()[ran:] if "RestoreLoad" in each["function"]]
        work.append((changes, done))
        print(  # noqa: T201  the figures of this machine, shown with -s
            f"{changes} changes: {done['dynamodb:BatchWriteItem']} BatchWriteItem, {done['dynamodb:Scan']} Scan, "
            f"{done['bytes:s3:GetObjectVersion']} bytes read, {sum(each['seconds'] for each in loads):.1f} s of loading"
        )

    # A batch takes 25, and the last one of each file fewer: a few requests more than the least.
    for changes, done in work:
        assert changes / 25 <= done["dynamodb:BatchWriteItem"] <= changes / 25 + 4 * len(SIZES)
    for kind in ("dynamodb:BatchWriteItem", "bytes:s3:GetObjectVersion"):
        (small, little), *_, (large, much) = work
        each, each_of_many = little[kind] / small, much[kind] / large
        assert each_of_many <= each * (1 + TOLERANCE), kind
    # Each file is read twice: whole, for its checksum, before anything of it is written.
    total = sum(row["bytes"] for entry in entries for row in entry["files"])
    read = work[-1][1]["bytes:s3:GetObjectVersion"]
    assert 2 * total <= read <= 2.1 * total


def test_a_worker_needs_no_more_memory_for_a_larger_file(flow: Flow) -> None:
    payload = "0123456789abcdef" * 1_250  # 20 KB
    flow.advance(minutes=30)
    flow.export()
    peaks: list[dict[str, int]] = []
    largest: list[int] = []
    first = 0
    for count in (300, 2_400):
        flow.write([{**make(number), "payload": {"S": payload}} for number in range(first, first + count)])
        first += count
        flow.advance(hours=1)
        flow.export()
        entry = flow.sealed(2 + len(peaks))[-1]
        flow.restore(f"{org.RESTORED}with-{first}", until=entry["export"]["to"])
        peaks.append(_peaks(flow))
        largest.append(max(row["records"] for row in entry["files"]) * len(payload))

    small, large = peaks
    print({step: f"{small[step] // MIB} -> {large[step] // MIB} MiB" for step in small}, largest)  # noqa: T201
    assert small.keys() == large.keys() == {*READERS}
    assert largest[1] - largest[0] > 12 * MIB * 1024
    for step, peak in large.items():
        assert peak - small[step] < 8 * MIB, (step, small[step], peak)


def _peaks(flow: Flow) -> dict[str, int]:
    """The most memory that the processes which read files have had, in KiB."""
    found: dict[str, int] = {}
    for each in flow.controls.invocations():
        for step in READERS:
            if step in each["function"] and each["peak_kib"]:
                found[step] = max(found.get(step, 0), each["peak_kib"])
    return found
