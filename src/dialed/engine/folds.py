"""Cross-validation: which samples each fold trains on, and which it is judged by."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialed.errors import DataError, InvalidInputError

__all__ = ["Fold", "class_codes", "make_folds"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """Indices of the samples that a fold trains on, and of those that judge it: none where it is judged elsewhere."""

    train: np.ndarray
    test: np.ndarray

    @property
    def judges(self) -> bool:
        """Whether there are samples to judge by."""
        return len(self.test) > 0


def make_folds(cv: Any, *, samples: int, y: Any = None, groups: Any = None, seed: int = 0) -> tuple[Fold, ...]:
    """The folds of `cv`, the same for the same arguments.

    An int shuffles the samples with `seed` before it cuts them, because data are often stored class by class; folds
    keep the share of each class where `y` holds classes, and keep groups whole where there are `groups`. A splitter
    that draws at random without a `random_state` of its own gets `seed`, or a resumed study would see other folds.

    Args:
        cv: The number of folds, a scikit-learn splitter, or pairs of (train, test) indices.
        samples: The number of samples.
        y: The targets, where there is one array of them. Defaults to None.
        groups: One label per sample; samples of a group stay together. Defaults to None.
        seed: Of the shuffling. Defaults to 0.

    Raises:
        InvalidInputError: `cv` or `groups` mean nothing.
        DataError: The folds do not fit the data.
    """
    groups = _checked_groups(groups, samples)
    codes = class_codes(y)
    splitter = _splitter(cv, samples, codes, groups, seed)
    target = codes if codes is not None and y.ndim == 2 else y  # scikit-learn's splitters know no one-hot classes
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            pairs = list(splitter.split(np.zeros((samples, 1)), target, groups))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"`cv` must give pairs of (train, test) indices of the data. Got {cv!r:.80}, which says: {error}"
        ) from error
    if not pairs:
        raise InvalidInputError(f"`cv` must give at least one fold. Got none from {cv!r}.")
    return tuple(_fold(i, pair, samples) for i, pair in enumerate(pairs))


def class_codes(y: Any) -> np.ndarray | None:
    """The class of each sample as integers from 0, shape (samples,); `None` where `y` does not hold classes.

    Classes are integers or booleans of shape (samples,) or (samples, 1), or rows of which exactly one entry is 1.
    """
    if not isinstance(y, np.ndarray) or y.ndim > 2:
        return None
    if y.ndim == 2 and y.shape[1] > 1:
        one_hot = bool(((y == 0) | (y == 1)).all()) and bool((y.sum(axis=1) == 1).all())
        return np.argmax(y, axis=1) if one_hot else None
    if y.dtype.kind not in "biu":
        return None
    return np.unique(y.ravel(), return_inverse=True)[1]


def _splitter(cv: Any, samples: int, codes: np.ndarray | None, groups: np.ndarray | None, seed: int) -> Any:
    from sklearn.model_selection import check_cv  # type: ignore[import-untyped, unused-ignore]

    if isinstance(cv, (int, np.integer)) and not isinstance(cv, (bool, np.bool_)):
        return _counted(int(cv), samples, codes, groups, seed)
    if isinstance(cv, (bool, np.bool_, float, str, bytes)) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise InvalidInputError(
            "`cv` must be a number of folds, a scikit-learn splitter, or pairs of (train, test) indices. "
            f"Got {cv!r}. Pass `cv=5`, for example."
        )
    return check_cv(_seeded(cv, seed))


def _counted(folds: int, samples: int, codes: np.ndarray | None, groups: np.ndarray | None, seed: int) -> Any:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    if not 2 <= folds <= samples:
        raise InvalidInputError(
            f"`cv` must be an int in the range [2, {samples}], the number of samples. Got {folds}. "
            "Pass `validation_split` for a single split."
        )
    # A count of classes near that of the samples is a quantity (an age, a price), or too rare to spread over folds.
    classes = codes is not None and (int(codes.max()) + 1) * folds <= samples
    if groups is not None:
        return StratifiedGroupKFold(folds, shuffle=True, random_state=seed) if classes else GroupKFold(folds)
    return (StratifiedKFold if classes else KFold)(folds, shuffle=True, random_state=seed)


def _seeded(cv: Any, seed: int) -> Any:
    draws = getattr(cv, "shuffle", True) and getattr(cv, "random_state", 0) is None
    if not draws:
        return cv
    cv = copy.copy(cv)
    cv.random_state = seed
    return cv


def _checked_groups(groups: Any, samples: int) -> np.ndarray | None:
    if groups is None:
        return None
    made = np.asarray(groups)
    if made.shape != (samples,):
        raise DataError(
            f"`groups` must be one label for each of the {samples:,} samples. Got shape {made.shape}. "
            "Pass the group of each sample in the order of `x`."
        )
    return made


def _fold(number: int, pair: Any, samples: int) -> Fold:
    train, test = pair
    fold = Fold(train=_indices(number, "train", train, samples), test=_indices(number, "test", test, samples))
    trained = np.zeros(samples, bool)
    trained[fold.train] = True
    shared = fold.test[trained[fold.test]]
    if len(shared):
        raise DataError(
            f"`cv` must not train on what it tests with. Got {len(shared):,} samples in both parts of fold {number}, "
            f"sample {int(shared[0])} among them. Check the pairs of indices."
        )
    return fold


def _indices(number: int, part: str, given: Any, samples: int) -> np.ndarray:
    made = np.asarray(given)
    if made.dtype.kind == "b" and made.shape == (samples,):
        made = np.flatnonzero(made)
    if made.ndim != 1 or made.size == 0 or made.dtype.kind not in "iu":
        raise DataError(
            f"`cv` must give at least one index to each part of a fold. Got {made.dtype} of shape {made.shape} for "
            f"the {part} part of fold {number}. Pass arrays of integers."
        )
    if made.min() < 0 or made.max() >= samples:
        raise DataError(
            f"`cv` must give indices in the range [0, {samples - 1}]. Got {int(made.min())} to {int(made.max())} in "
            f"the {part} part of fold {number}."
        )
    return made.astype(np.int32 if samples < 2**31 else np.int64)
