"""What counts as a regression of a benchmark, and what is said of it."""

import json
from pathlib import Path

import pytest

from benchmarks.figures import COMMITTED, Figure, accept, complaints, ratios, table, to_json
from tests.project.machine import ROOT


def figure(ratio: float, *, name: str = "time", more_is_better: bool = False, goal: float | None = None) -> Figure:
    return Figure(
        name=name, ours=ratio, other=1.0, unit="s", against="by hand", more_is_better=more_is_better, goal=goal
    )


@pytest.mark.parametrize(
    ("ratio", "more_is_better", "regressed"),
    [
        (0.50, False, False),
        (0.30, False, False),
        (0.59, False, False),
        (0.61, False, True),
        (0.50, True, False),
        (0.80, True, False),
        (0.42, True, False),
        (0.41, True, True),
    ],
)
def test_a_ratio_that_is_over_a_fifth_worse_is_a_regression(
    ratio: float, more_is_better: bool, regressed: bool
) -> None:
    found = complaints([figure(ratio, more_is_better=more_is_better)], {"time": 0.5})

    expected = [f"time: the ratio is {ratio:.3g}, more than 20% worse than 0.5"] if regressed else []
    assert found == expected


@pytest.mark.parametrize(
    ("ratio", "more_is_better", "missed"), [(0.6, False, False), (0.61, False, True), (0.59, True, True)]
)
def test_a_goal_that_is_missed_is_said_whatever_is_committed(ratio: float, more_is_better: bool, missed: bool) -> None:
    found = complaints([figure(ratio, more_is_better=more_is_better, goal=0.6)], {"time": ratio})

    assert found == ([f"time: the ratio is {ratio:.3g}, and the goal is 0.6"] if missed else [])


def test_a_figure_that_nothing_is_committed_for_is_said() -> None:
    (line,) = complaints([figure(0.5)], {})

    assert line.startswith("time: nothing is committed to compare with; run `make bench-accept`")


def test_a_committed_figure_that_is_not_measured_is_said() -> None:
    (line,) = complaints([figure(0.5)], {"time": 0.5, "memory": 1.0})

    assert line.startswith("memory: committed, but not measured")


def test_accepting_a_run_leaves_nothing_to_complain_of(tmp_path: Path) -> None:
    measured = [figure(0.54321), figure(2.0, name="accounts", more_is_better=True)]
    run, committed = tmp_path / "bench.json", tmp_path / "figures.json"
    run.write_text(to_json(measured))
    accept(run, committed)

    assert json.loads(committed.read_text()) == {"time": 0.543, "accounts": 2.0}
    assert complaints(measured, ratios(committed)) == []


def test_accepting_without_a_run_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="start one with `make bench`"):
        accept(tmp_path / "bench.json", tmp_path / "figures.json")


def test_the_table_fits_80_columns() -> None:
    names = json.loads(COMMITTED.read_text())
    text = table([figure(1234.5678, name=name, goal=0.6, more_is_better=True) for name in names])

    assert max(map(len, text.splitlines())) <= 80
    assert all(name in text for name in names)


def test_the_run_is_left_out_of_the_repository() -> None:
    assert "build/" in (ROOT / ".gitignore").read_text().splitlines()
