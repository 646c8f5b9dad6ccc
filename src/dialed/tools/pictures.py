"""Pictures of what the tools found, by Matplotlib, which is optional."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dialed.tools.batches.finding import BatchSizes
    from dialed.tools.lr_range import RangeTest
    from dialed.tools.noise import NoiseScale
    from dialed.tools.optimizers.comparing import OptimizerComparison

__all__ = ["draw_batch_sizes", "draw_noise_scale", "draw_optimizers", "draw_range_test", "new_axes"]

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#999999"
"""Of Okabe and Ito's colours, which are told apart by everybody."""


def new_axes(*, width: float = 7.0, height: float = 4.2) -> Any:
    """A new figure's axes.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            'Drawing needs Matplotlib, which is not installed. Install it with `pip install "dialed[plots]"`.'
        ) from error
    if "matplotlib.pyplot" in sys.modules:  # a notebook, or a user who will call `show`
        return sys.modules["matplotlib.pyplot"].subplots(figsize=(width, height), layout="constrained")[1]
    return Figure(figsize=(width, height), layout="constrained").subplots()


def draw_range_test(test: RangeTest, ax: Axes | None = None) -> Axes:
    """The losses of all seeds, the smooth mean, the suggestion with its interval, and the range for a search."""
    axes: Axes = new_axes() if ax is None else ax
    for row in test.losses:
        axes.plot(test.values, row, color=GREY, linewidth=0.6, alpha=0.7)
    shown = np.isfinite(test.curve)
    axes.plot(test.values[shown], test.curve[shown], color=BLUE, linewidth=2.0, label="mean of the seeds, smooth")
    if test.validation is not None:
        axes.plot(*test.validation, color=BLUE, linestyle=":", marker=".", label="validation")
    if test.suggestion is not None:
        axes.axvline(test.suggestion, color=ORANGE, linewidth=1.6, label=f"suggestion {test.suggestion:.2g}")
    if test.interval is not None:
        axes.axvspan(*test.interval, color=ORANGE, alpha=0.18, linewidth=0, label="its 95 % interval")
    if test.range is not None:
        axes.axvspan(*test.range, color=BLUE, alpha=0.08, linewidth=0, label="range for a search")
    axes.set_xscale("log")
    axes.set_ylim(*_limits(test))
    axes.set_xlabel(f"{test.number.replace('_', ' ')} (log scale)")
    axes.set_ylabel("loss of the batch")
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def draw_noise_scale(found: NoiseScale, ax: Axes | None = None) -> Axes:
    """What a batch size costs, in steps and in samples, as multiples of the least (McCandlish and others 2018)."""
    assert found.value is not None
    axes: Axes = new_axes() if ax is None else ax
    sizes = np.geomspace(max(found.value / 64, 1.0), found.value * 64, 200)
    axes.plot(sizes, 1 + found.value / sizes, color=BLUE, linewidth=2.0, label="steps, as multiples of the fewest")
    axes.plot(sizes, 1 + sizes / found.value, color=GREEN, linewidth=2.0, label="samples, as multiples of the fewest")
    axes.axvline(found.value, color=ORANGE, linewidth=1.6, label=f"critical batch size {found.value:.3g}")
    if found.interval is not None:
        axes.axvspan(*found.interval, color=ORANGE, alpha=0.18, linewidth=0, label="its 95 % interval")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlim(sizes[0], sizes[-1])
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.set_xlabel("batch size (log scale)")
    axes.set_ylabel("cost of the training (log scale)")
    axes.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def draw_batch_sizes(found: BatchSizes, ax: Axes | None = None) -> Axes:
    """The throughput of each size, what is within 5 % of the best, the suggestion and the noise scale."""
    axes: Axes = new_axes() if ax is None else ax
    sizes = [row["batch_size"] for row in found.table]
    speeds = [row["samples_per_second"] for row in found.table]
    axes.plot(sizes, speeds, color=BLUE, linewidth=2.0, marker="o", markersize=4, label="samples per second")
    axes.axhspan(0.95 * max(speeds), max(speeds), color=GREEN, alpha=0.15, linewidth=0, label="within 5 % of the best")
    if found.suggestion is not None:
        axes.axvline(found.suggestion, color=ORANGE, linewidth=1.6, label=f"suggestion {found.suggestion:,}")
    if found.noise_scale is not None and sizes[0] <= found.noise_scale <= 2 * sizes[-1]:
        label = f"noise scale {found.noise_scale:,.0f}"
        axes.axvline(found.noise_scale, color=GREY, linewidth=1.2, linestyle="--", label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes)
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("batch size (log scale)")
    axes.set_ylabel("samples per second")
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def draw_optimizers(found: OptimizerComparison, ax: Axes | None = None) -> Axes:
    """The mean of each with its interval, single trainings as dots; the best above, those tied with it in its colour."""
    shown = [s for s in found.standings if s.mean is not None]
    axes: Axes = new_axes(height=1.2 + 0.34 * len(shown)) if ax is None else ax
    for place, standing in enumerate(reversed(shown)):
        colour = BLUE if standing.is_tied else GREY
        axes.plot(standing.scores, [place - 0.25] * len(standing.scores), "o", color=colour, markersize=3, mew=0)
        if standing.interval is not None:
            axes.plot(standing.interval, [place, place], color=colour, linewidth=2.0)
        axes.plot([float(np.mean(standing.scores))], [place], "D", color=colour, markersize=6)
    named = [
        standing.name + ("" if standing.learning_rate is None else f"  {standing.learning_rate:.2g}")
        for standing in reversed(shown)
    ]
    axes.set_yticks(range(len(shown)), named)
    axes.set_xlabel(f"{found.objective} after {found.epochs} epochs: mean, 95 % interval, single trainings")
    axes.set_title("blue: not distinguishable from the best", fontsize="small", loc="left")
    axes.grid(axis="x", linewidth=0.4, color=GREY, alpha=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def plain(value: float, _: float = 0.0) -> str:
    """A power of two as people write it."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _limits(test: RangeTest) -> tuple[float, float]:
    """The curve up to its explosion, not the explosion."""
    curve = test.curve[np.isfinite(test.curve)]
    low, first = float(curve.min()), float(curve[0])
    span = max(first - low, 0.1 * abs(first), 1e-9)
    return low - 0.25 * span, first + 0.75 * span
