"""The data: drawn for the tables of numbers, read from .npz files for pictures and texts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Arrays", "pictures", "table", "texts"]

LENGTH = 80
"""Words of a text; longer ones keep their end, shorter ones are filled with 0 before it, as Keras's examples do."""

_TOO_FEW = "The data must have at least {:,} samples. Got {:,}. Use --quick for small files."


class Arrays(NamedTuple):
    """Training data, (samples, ...), and validation data."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray


def table(samples: int, held_out: int, *, features: int = 20) -> Arrays:
    """A regression that no linear model solves: the product of two features, with noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples + held_out, features)).astype("float32")
    y = (x[:, :1] * x[:, 1:2] + 0.1 * rng.normal(size=(len(x), 1))).astype("float32")
    return _parted(x, y, samples, held_out)


def pictures(path: Path, samples: int, held_out: int, *, channels: bool) -> Arrays:
    """Grey pictures scaled to 1: rows of pixels, or (height, width, 1) with `channels`."""
    with np.load(path, allow_pickle=False) as file:
        x, y = file["x_train"], file["y_train"].astype("int32")
    x = x[: samples + held_out].astype("float32") / 255.0
    return _parted(x[..., None] if channels else x.reshape(len(x), -1), y, samples, held_out)


def texts(path: Path, samples: int, held_out: int) -> Arrays:
    """Texts as `LENGTH` numbers of words, (samples, LENGTH)."""
    with np.load(path, allow_pickle=False) as file:
        tokens, offsets, y = file["train_tokens"], file["train_offsets"], file["y_train"].astype("float32")
    count = samples + held_out
    if len(y) < count:
        raise ValueError(_TOO_FEW.format(count, len(y)))
    x = np.zeros((count, LENGTH), "int32")
    for row, (start, end) in enumerate(pairwise(offsets[: count + 1])):
        words = tokens[start:end][-LENGTH:]
        x[row, LENGTH - len(words) :] = words
    return _parted(x, y[:count, None], samples, held_out)


def _parted(x: np.ndarray, y: np.ndarray, samples: int, held_out: int) -> Arrays:
    end = samples + held_out
    if len(x) < end:
        raise ValueError(_TOO_FEW.format(end, len(x)))
    return Arrays(x[:samples], y[:samples], x[samples:end], y[samples:end])
