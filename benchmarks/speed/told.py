"""The table, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from speed.measure import Result, Seconds

__all__ = ["met", "table", "where_time_goes"]

_HEAD = ("row", "stock", "cold", "warm", "cold ratio", "warm ratio", "goal", "met")
_PARTS = (
    ("look at the model and the space", "study/arguments.py", "prepare"),
    ("build models, take states", "fused/boarding.py", "lane"),
    ("divide (trace, compare)", "fused/division.py", "divide"),
    ("trace the steps of an epoch", "fused/family.py", "steps"),
    ("compile, or read compiled programs", "jax/_src/compiler.py", "compile_or_get_cached"),
    ("canary", "fused/canary.py", "disagreement"),
    ("train epochs, wait for the device", "fused/crew.py", "epoch"),
    ("take in epochs: reports, checkpoints", "fused/lane.py", "end_epoch"),
    ("store: append events", "store/sql.py", "append"),
)
"""Parts of Dialed's side and the functions that do them. Some are inside others."""


def met(result: Result) -> str:
    """Whether the goals are reached: "yes", "no", or by which of the two clocks."""
    reached = [
        all(stock / ours >= goal for ours, goal in zip(times, result.goal, strict=True))
        for stock, times in (
            (result.stock.cpu, (result.cold.cpu, result.warm.cpu)),
            (result.stock.wall, (result.cold.wall, result.warm.wall)),
        )
    ]
    return {(True, True): "yes", (False, False): "no", (True, False): "CPU only", (False, True): "wall only"}[
        (reached[0], reached[1])
    ]


def table(results: Sequence[Result]) -> list[str]:
    """The rows, CPU seconds / seconds of the wall clock, and below each what its comparison says."""
    rows = [_HEAD, *(_row(result) for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [line for result in results for line in _notes(result)]
    return ["CPU seconds / wall seconds; ratios are stock / Dialed", "", *lines, "", *notes]


def _row(result: Result) -> tuple[str, ...]:
    cold, warm = result.goal
    return (
        result.name,
        _pair(result.stock) + ("" if result.stock_trained == result.trials else " *"),
        _pair(result.cold),
        _pair(result.warm),
        _ratio(result.stock, result.cold),
        _ratio(result.stock, result.warm),
        f"{cold:.3g} / {warm:.3g}",
        met(result),
    )


def _notes(result: Result) -> Iterable[str]:
    yield f"{result.name}: {result.title}; stock is {result.stock_how}"
    if result.stock_trained != result.trials:
        factor = result.trials / result.stock_trained
        yield (
            f"  * stock trained {result.stock_trained} of {result.trials} trials (1 in {factor:.3g}); each other one "
            "counts as the mean of the later half of them"
        )
    winner = "the same winner" if result.same_winner else "ANOTHER WINNER"
    ranks = f"{result.alike} of {len(result.differences)} ranks equal"
    middle, largest = median(result.differences), max(result.differences)
    yield f"  {winner}, {ranks}; relative differences of scores: median {middle:.1e}, largest {largest:.1e}"
    yield f"  trials trained: {_engines(result.engines)}"
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in result.stages.items())
    yield f"  JAX's own work when cold, wall seconds: {stages or 'none'}"
    yield "  imports, not counted: " + ", ".join(f"{side} {_pair(cost)}" for side, cost in result.imports.items())
    yield from (f"  failed: {failure}" for failure in result.failures)


def _engines(engines: Mapping[str, int]) -> str:
    """How many trials shared how many programs, and who trained the others."""
    fused = [count for engine, count in engines.items() if engine.startswith("fused-")]
    told = [f"{sum(fused)} in {len(fused)} program{'' if len(fused) == 1 else 's'}"] if fused else []
    told += [f"{count} by {name}" for name, count in sorted(engines.items()) if name and not name.startswith("fused-")]
    return "; ".join(told + ([f"{engines['']} not at all"] if engines.get("") else []))


def where_time_goes(result: Result, *, most: int = 15) -> list[str]:
    """The parts of Dialed's side under the profiler (which slows Python down), and the functions that take longest."""
    lines = [f"{result.name}: where the time goes, seconds under the profiler"]
    for part, file, function in _PARTS:
        found: list[Any] = [entry for entry in result.profile if _is(entry[0], file, function)]
        if found:
            lines.append(f"  {sum(e[3] for e in found):8.2f}  {part} ({sum(e[1] for e in found)} calls)")
    lines.append("  of their own:")
    longest = sorted(result.profile, key=lambda entry: -entry[2])[:most]
    return [*lines, *(f"  {own:8.2f}  {place} ({calls} calls)" for place, calls, own, _ in longest)]


def _is(place: str, file: str, function: str) -> bool:
    where, _, name = place.rpartition(" ")
    return name == function and where.rpartition(":")[0].endswith(file)


def _pair(seconds: Seconds) -> str:
    return f"{seconds.cpu:.2f} / {seconds.wall:.2f}"


def _ratio(stock: Seconds, ours: Seconds) -> str:
    return f"{stock.cpu / ours.cpu:.1f} / {stock.wall / ours.wall:.1f}"
