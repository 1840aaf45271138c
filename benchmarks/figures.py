"""Figures that compare two sides, what was committed of them, and which have become worse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOLERANCE: Final = 0.2
"""How much worse than committed a ratio may be before it counts as a regression."""

COMMITTED: Final = Path(__file__).with_name("figures.json")
_ACCEPT: Final = "run `make bench-accept` to commit the figures of the last run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of both sides, measured in one run.

    Args:
        name: What it is.
        ours: The library's value.
        other: The other side's value.
        unit: The unit of both values.
        against: What the other side is.
        more_is_better: Whether a larger value is the better one. Seconds and megabytes are better when smaller.
        goal: What the ratio must not be worse than, whatever is committed; none when left out.
    """

    name: str
    ours: float
    other: float
    unit: str
    against: str
    more_is_better: bool = False
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over the other side's."""
        return self.ours / self.other

    def worse_than(self, ratio: float) -> bool:
        """Whether its ratio is worse than another one.

        Args:
            ratio: The other ratio.
        """
        return self.ratio < ratio if self.more_is_better else self.ratio > ratio


def complaints(measured: Sequence[Figure], committed: Mapping[str, float]) -> list[str]:
    """What is wrong with measured figures, a line for each.

    Args:
        measured: The figures.
        committed: The ratios to compare them with, by name.
    """
    lines = []
    for figure in measured:
        before = committed.get(figure.name)
        if before is None:
            lines.append(f"{figure.name}: nothing is committed to compare with; {_ACCEPT}")
        elif figure.worse_than(before / (1 + TOLERANCE) if figure.more_is_better else before * (1 + TOLERANCE)):
            lines.append(
                f"{figure.name}: the ratio is {figure.ratio:.3g}, more than {TOLERANCE:.0%} worse than {before:.3g}"
            )
        if figure.goal is not None and figure.worse_than(figure.goal):
            lines.append(f"{figure.name}: the ratio is {figure.ratio:.3g}, and the goal is {figure.goal:.3g}")
    names = {figure.name for figure in measured}
    lines.extend(f"{name}: committed, but not measured; {_ACCEPT}" for name in committed if name not in names)
    return lines


def table(measured: Iterable[Figure]) -> str:
    """The figures for people, at most 80 columns wide.

    Args:
        measured: The figures.
    """
    lines = [f"{'':<34}{'ours':>10}{'other':>10} {'unit':<8}{'ratio':>8}{'goal':>9}"]
    against = ""
    for figure in measured:
        if figure.against != against:
            against = figure.against
            lines.append(f"against {against}:")
        goal = "" if figure.goal is None else f"{'≥' if figure.more_is_better else '≤'} {figure.goal:g}"
        values = f"{figure.ours:>10.4g}{figure.other:>10.4g} {figure.unit:<8}{figure.ratio:>8.3g}{goal:>9}"
        lines.append(f"  {figure.name:<32}{values}")
    return "\n".join(lines)


def to_json(measured: Iterable[Figure]) -> str:
    """The figures for programs.

    Args:
        measured: The figures.
    """
    found = {
        figure.name: {
            "ours": figure.ours,
            "other": figure.other,
            "against": figure.against,
            "unit": figure.unit,
            "ratio": round(figure.ratio, 4),
        }
        for figure in measured
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def ratios(file: Path) -> dict[str, float]:
    """The ratios of a file, by name; none where there is no such file.

    Args:
        file: One that `to_json` or `accept` has written.
    """
    if not file.exists():
        return {}
    found = json.loads(file.read_text())
    return {name: value["ratio"] if isinstance(value, dict) else value for name, value in found.items()}


def accept(run: Path, committed: Path = COMMITTED) -> None:
    """Commit to the ratios of a run.

    Args:
        run: What the run wrote.
        committed: Where the ratios to compare with stand.

    Raises:
        FileNotFoundError: There was no run.
    """
    if not run.exists():
        raise FileNotFoundError(f"{run}: there was no run yet; start one with `make bench`")
    rounded = {name: float(f"{ratio:.3g}") for name, ratio in ratios(run).items()}
    committed.write_text(json.dumps(rounded, indent=2, ensure_ascii=False) + "\n")
