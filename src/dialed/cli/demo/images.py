"""The images of the demo: scikit-learn's digits, or a file like MNIST's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from dialed.cli.load import Loaded, load_npz
from dialed.errors import DataError

__all__ = ["Images"]

_TESTED = 0.2  # of scikit-learn's digits, which come without a test set
_SMALL = 10_000
"""Below so many training images, an epoch has so few steps that more epochs and smaller batches are worth it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Images:
    """Images of shape (samples, height, width) or (samples, height, width, channels), and labels (samples,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @classmethod
    def digits(cls) -> Self:
        """Scikit-learn's 1,797 handwritten digits of 8 by 8 pixels, always split the same way."""
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        x, y = load_digits(return_X_y=True)
        images = x.reshape(-1, 8, 8).astype("float32")
        split = train_test_split(images, y, test_size=_TESTED, stratify=y, random_state=0)
        return cls(x_train=split[0], x_test=split[1], y_train=split[2], y_test=split[3])

    @classmethod
    def of_file(cls, path: str) -> Self:
        """Images of an .npz file with `x_train`, `y_train`, `x_test` and `y_test`.

        Raises:
            DataError: They are not images with labels.
        """
        loaded = load_npz(path)
        _check(path, loaded)
        return cls(
            x_train=loaded.x_train,
            y_train=loaded.y_train.reshape(-1),
            x_test=loaded.x_test,
            y_test=loaded.y_test.reshape(-1),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        return tuple(self.x_train.shape[1:])

    @property
    def brightest(self) -> float:
        """The largest pixel value."""
        return float(self.x_train.max()) or 1.0

    @property
    def classes(self) -> int:
        """How many labels there are: 0 to the largest."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    @property
    def epochs(self) -> int:
        """Epochs for a trial of a few seconds on two slow cores."""
        return 20 if len(self.x_train) < _SMALL else 5

    @property
    def batch_sizes(self) -> list[int]:
        """The batch sizes to choose from."""
        return [32, 64, 128] if len(self.x_train) < _SMALL else [64, 128, 256]

    def describe(self) -> str:
        """For people."""
        size = " x ".join(str(side) for side in self.shape)
        return f"{len(self.x_train):,} images of {size} pixels to search with, {len(self.x_test):,} to test the winner"


def _check(path: str, loaded: Loaded) -> None:
    for name in ("x_train", "x_test"):
        _check_images(path, name, getattr(loaded, name))
    for name in ("y_train", "y_test"):
        _check_labels(path, name, getattr(loaded, name))


def _check_images(path: str, name: str, array: Any) -> None:
    if array is None:
        raise DataError(f"'{path}' must hold `{name}` for the demo. Got none. `dialed run` does without test data.")
    if array.ndim not in (3, 4) or array.shape[0] == 0 or array.dtype.kind not in "uif":
        raise DataError(
            f"`{name}` in '{path}' must be images of shape (samples, height, width) or (samples, height, width, "
            f"channels). Got {array.dtype} of shape {array.shape}. `dialed run` takes any data, with your own model."
        )


def _check_labels(path: str, name: str, array: Any) -> None:
    if array.dtype.kind not in "ui" or array.size != len(array) or array.size == 0 or array.min() < 0:
        raise DataError(
            f"`{name}` in '{path}' must be labels 0, 1, 2, ..., one for each image. Got {array.dtype} of shape "
            f"{array.shape}. `dialed run` takes any data, with your own model."
        )
