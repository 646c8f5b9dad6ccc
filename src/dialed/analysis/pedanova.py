"""PED-ANOVA: a hyperparameter matters as much as its values among the best trials differ from those of all trials.

For one hyperparameter x, with the density p of its values among all trials and q among the best, the Pearson divergence

    D = sum_x p(x) (q(x) / p(x) - 1)^2

is, up to a factor that all hyperparameters share, the variance of "is among the best" that x alone explains. One that is
inactive in some trials is compared where it is active; its share is D times the square of its active part among the
best, which is what the same formula gives for a hyperparameter whose value has no effect while it is inactive. Failed
trials count among all and never among the best.

References:
    Watanabe, Bansal and Hutter 2023, "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary
    subspaces".
    Scott 1992, "Multivariate density estimation" (the bandwidth).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dialed.analysis.observations import Observations, cells_of
from dialed.search.model.layout import Array

__all__ = ["TOP_SHARE", "divergences", "resampled", "shuffled"]

TOP_SHARE = 0.1
"""Which part of the trials counts as the best."""

FEWEST_BEST = 5
"""Fewer trials than these have no density; a study that is too small for that takes a larger part."""

_LEAST_WIDTH = 0.3
"""Of a kernel, in cells: nearly all of it lies within its own cell."""

_CHUNK = 50

Indices = NDArray[np.int64]


def divergences(seen: Observations) -> Array:
    """The divergence of each hyperparameter that varies, shape `(varying,)`."""
    everyone = np.arange(len(seen.losses))[None, :]
    return np.asarray(_divergences(seen, _best(seen.losses[None, :]), everyone)[0])


def resampled(seen: Observations, rng: np.random.Generator, draws: int) -> Array:
    """Divergences of `draws` bootstrap samples of the trials, shape `(draws, varying)`."""
    count = len(seen.losses)
    rows = rng.integers(count, size=(draws, count))
    best = np.take_along_axis(rows, _best(seen.losses[rows]), axis=1)
    return _divergences(seen, best, rows)


def shuffled(seen: Observations, rng: np.random.Generator, draws: int) -> Array:
    """Divergences where the scores are dealt out at random, shape `(draws, varying)`: what chance alone gives."""
    count = len(seen.losses)
    best = rng.permuted(np.tile(np.arange(count), (draws, 1)), axis=1)[:, : _best_count(count)]
    return _divergences(seen, best, np.tile(np.arange(count), (draws, 1)))


def _best_count(count: int) -> int:
    return min(max(int(np.ceil(TOP_SHARE * count)), FEWEST_BEST), max(count // 2, 1))


def _best(losses: Array) -> Indices:
    """The places of the best in each row of `losses`."""
    return np.argsort(losses, axis=1, kind="stable")[:, : _best_count(losses.shape[1])]


def _divergences(seen: Observations, best: Indices, everyone: Indices) -> Array:
    """One row for each draw: `best` and `everyone` hold indices of trials, shape `(draws, ...)`."""
    columns = []
    for index in seen.varying:
        dimension = seen.layout.dimensions[index]
        cells, count = cells_of(dimension, seen.units[:, index])
        top, whole = _counts(cells[best], count), _counts(cells[everyone], count)
        active = top.sum(axis=1) / best.shape[1]
        p, q = (_density(counts, ordered=not dimension.category) for counts in (whole, top))
        columns.append(active**2 * np.sum((q - p) ** 2 / p, axis=1))
    return np.column_stack(columns) if columns else np.zeros((len(best), 0))


def _counts(cells: Indices, count: int) -> Array:
    """How often each cell occurs in each row, shape `(draws, count)`; inactive ones (-1) are not counted."""
    rows = np.broadcast_to(np.arange(len(cells))[:, None], cells.shape)
    flat = (rows * (count + 1) + cells + 1).ravel()
    return np.bincount(flat, minlength=len(cells) * (count + 1)).reshape(len(cells), count + 1)[:, 1:].astype(float)


def _density(counts: Array, *, ordered: bool) -> Array:
    """A probability for each cell: the counts, smeared out where cells are ordered, and one trial spread evenly."""
    total = counts.sum(axis=1, keepdims=True)
    smooth = _smeared(counts) if ordered else counts
    return np.asarray((smooth + 1.0 / counts.shape[1]) / (total + 1.0))


def _smeared(counts: Array) -> Array:
    widths = np.maximum(_bandwidths(counts), _LEAST_WIDTH)
    cells = np.arange(counts.shape[1])
    squared = (cells[:, None] - cells[None, :]) ** 2
    parts = []
    for begin in range(0, len(counts), _CHUNK):
        width = widths[begin : begin + _CHUNK, None, None]
        kernel = np.exp(-0.5 * squared / width**2)
        kernel /= kernel.sum(axis=2, keepdims=True)
        parts.append(np.einsum("bg,bgh->bh", counts[begin : begin + _CHUNK], kernel))
    return np.concatenate(parts)


def _bandwidths(counts: Array) -> Array:
    """Scott's rule, with the quartiles' width where that is smaller, in cells, shape `(draws,)`."""
    total = np.maximum(counts.sum(axis=1), 1.0)
    cells = np.arange(counts.shape[1])
    mean = counts @ cells / total
    spread = np.sqrt(np.sum(counts * (cells - mean[:, None]) ** 2, axis=1) / np.maximum(total - 1.0, 1.0))
    below = np.cumsum(counts, axis=1)
    first, third = (np.argmax(below >= (share * total)[:, None], axis=1) for share in (0.25, 0.75))
    quartiles = (third - first) / 1.34
    return np.asarray(1.059 * np.minimum(spread, quartiles) * total**-0.2)
