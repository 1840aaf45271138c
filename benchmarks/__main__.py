"""Measures the library against what stands in for it without it, as ratios: `make bench`.

Both sides in one run, each in a process of its own, taking turns; medians. A ratio that is more than 20 % worse than
the committed one, or that misses its goal, is exit status 1. `make bench-accept` commits the ratios of the last run.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.bench_synth import difference
from benchmarks.figures import COMMITTED, Figure, accept, complaints, ratios, table, to_json
from benchmarks.processes import ROOT, called, waited

RUN: Final = ROOT / "build" / "bench.json"
_ROUNDS: Final = 5
_ROUNDS_OF_THE_LARGEST: Final = 3  # half a minute each
_TABLES: Final = 100
_BUSY: Final = 2.5  # times that a process waited longer than the work took; 1.5 on an idle machine

_UNITS: Final = {"seconds": "s", "processor": "s cpu", "megabytes": "MB"}

Values = dict[str, float]


def main() -> int:
    """Measure, print, compare.

    Returns:
        0, or 1 where something has become worse.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept", action="store_true", help="commit the ratios of the last run; measures nothing")
    if parser.parse_args().accept:
        accept(RUN)
        return 0
    start = time.perf_counter()
    measured = [figure for part in (synthesis, fitting, starting, deciding, reviewing) for figure in part()]
    RUN.parent.mkdir(exist_ok=True)
    RUN.write_text(to_json(measured))
    found = complaints(measured, ratios(COMMITTED))
    lines = [table(measured), "", *found, f"{time.perf_counter() - start:.0f} s, in {RUN.relative_to(ROOT)}"]
    sys.stdout.write("\n".join((*lines, "")))
    return int(bool(found))


def synthesis() -> Iterator[Figure]:
    """Construct and synthesize tables with ten grants each, by the library and by hand."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = {side: Path(scratch) / side for side in ("library", "by hand")}
        for side, folder in folders.items():
            called(f"bench_synth.figures({side!r}, {_TABLES}, {str(folder)!r})")
        differs = difference(folders["library"], folders["by hand"], _TABLES)
    if differs:
        raise AssertionError(f"The two sides do not do the same: {differs}")
    sizes = {1: _ROUNDS, 10: _ROUNDS, _TABLES: _ROUNDS, 400: _ROUNDS_OF_THE_LARGEST}
    found = {size: _sides(size, rounds) for size, rounds in sizes.items()}
    ours, hand, floor = (found[_TABLES][side] for side in ("library", "by hand", "without grants"))
    against = f"a TableV2, a Key and statements by hand, {_TABLES} tables of 10 grants"
    yield _figure("time", (ours, hand), "seconds", against, goal=0.6)
    yield _figure("processor, Python and Node", (ours, hand), "processor", against)
    yield _figure("peak memory, Python and Node", (ours, hand), "megabytes", against, goal=1.0)
    for before, size in zip(sizes, [10, _TABLES, 400], strict=False):
        values = [
            (found[size][side]["processor"] - found[before][side]["processor"]) * 1000 / (size - before)
            for side in ("library", "by hand")
        ]
        yield Figure(
            name=f"one more table, up to {size}", ours=values[0], other=values[1], unit="ms cpu", against=against
        )
    if floor["seconds"] > _BUSY * floor["processor"]:
        sys.stdout.write("The machine is busy with something else: the times of this run are worth little.\n")
    yield _figure("time, over the floor", (ours, floor), "seconds", "a TableV2 and a Key without any grant")


def _sides(size: int, rounds: int) -> dict[str, Values]:
    names = ("library", "by hand", "without grants") if size == _TABLES else ("library", "by hand")
    calls = {side: functools.partial(called, f"bench_synth.figures({side!r}, {size})") for side in names}
    return _medians(calls, rounds)


def fitting() -> Iterator[Figure]:
    """How many consumers fit into one table policy. Nothing here depends on the machine, so once is enough."""
    found = called("bench_fit.figures()")
    for against, other in (
        ("grants.read_data of TableV2, with the flags of cdk init", "grants with flags"),
        ("grants.read_data of TableV2, without flags", "grants"),
    ):
        for kind, ours in (("accounts", "library"), ("roles", "library"), ("roles", "library by name")):
            yield Figure(
                name=f"{kind}{ours.removeprefix('library')}, {'flags' if 'flags' in other else 'no flags'}",
                ours=found[f"{kind}, {ours}"],
                other=found[f"{kind}, {other}"],
                unit="fit",
                against=against,
                more_is_better=True,
            )


def starting() -> Iterator[Figure]:
    """How long the library and the command take to start, as whole processes."""
    commands = {
        "import tableguard": ("-c", "import aws_cdk, tableguard"),
        "import aws_cdk": ("-c", "import aws_cdk"),
        "tableguard --help": ("-m", "tableguard.command", "--help"),
        "python": ("-c", "pass"),
    }
    calls = {name: functools.partial(_waited, command) for name, command in commands.items()}
    found = _medians(calls, 2 * _ROUNDS + 1)
    for ours, other in (("import tableguard", "import aws_cdk"), ("tableguard --help", "python")):
        yield _figure(ours, (found[ours], found[other]), "seconds", other)


def _waited(command: tuple[str, ...]) -> Values:
    return {"seconds": waited(*command)}


def deciding() -> Iterator[Figure]:
    """Decisions over 1,000 different sets of policies."""
    calls = {
        "decisions": functools.partial(called, "bench_decisions.decisions(0)"),
        "yardstick": functools.partial(called, "yardstick.figures()"),
    }
    found = _medians(calls, _ROUNDS)
    for name, label in (("decisions a second", ""), ("the same, policies read again each time", ", read anew")):
        yield Figure(
            name=f"1,000 decisions{label}",
            ours=1000 / found["decisions"][name],
            other=found["yardstick"]["processor"],
            unit="s cpu",
            against="a fixed piece of plain Python",
        )


def reviewing() -> Iterator[Figure]:
    """The review of 100 tables and 300 principals."""
    calls = {
        "review": functools.partial(called, "bench_review.figures()"),
        "yardstick": functools.partial(called, "yardstick.figures()"),
    }
    found = _medians(calls, _ROUNDS)
    against = "a fixed piece of plain Python"
    sides = found["review"], found["yardstick"]
    yield _figure("review, processor", sides, "processor", against)
    yield _figure("review, peak memory", sides, "megabytes", against)


def _figure(name: str, sides: tuple[Values, Values], value: str, against: str, *, goal: float | None = None) -> Figure:
    ours, other = (side[value] for side in sides)
    return Figure(name=name, ours=ours, other=other, unit=_UNITS[value], against=against, goal=goal)


def _medians(calls: Mapping[str, Callable[[], Values]], rounds: int) -> dict[str, Values]:
    """Medians of every value of every side, the sides taking turns."""
    found: dict[str, list[Values]] = {side: [] for side in calls}
    for _ in range(rounds):
        for side, call in calls.items():
            found[side].append(call())
    return {
        side: {name: statistics.median(each[name] for each in values) for name in values[0]}
        for side, values in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
