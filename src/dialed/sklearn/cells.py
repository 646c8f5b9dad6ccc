"""What each fold trains on: earlier steps of a pipeline fitted on it, targets encoded, weights worked out.

Candidates with the same earlier steps and the same weights share a cell for each fold. Where a fold needs nothing of its
own, its cell is rows of the whole data, which are checked and uploaded once.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from dialed.errors import InvalidInputError
from dialed.sklearn.base import KerasEstimator
from dialed.sklearn.candidates import identity
from dialed.sklearn.inputs import Prepared

__all__ = ["Cell", "Cells", "assembled", "last_of"]

Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """A fold, prepared.

    `estimator` has noted what the data are; `steps` are the fitted earlier steps. `train` and `held_out` are rows of
    `prepared`: what is trained on, and what `validation_split` keeps apart.
    """

    estimator: KerasEstimator
    steps: Sequence[tuple[str, Any]]
    prepared: Prepared
    train: np.ndarray
    held_out: np.ndarray

    @property
    def key(self) -> Hashable:
        """Equal for cells whose members can be trained together."""
        data = self.prepared
        classes = tuple(tuple(known.tolist()) for known in self.estimator.target_.classes)
        kind = (self.estimator.target_.kind, self.estimator.target_.columns, classes)
        return data.x.shape[1:], data.x.dtype.str, data.weight is None, kind, len(self.held_out) > 0


def last_of(estimator: Any) -> Any:
    """The estimator at the end of a pipeline, or `estimator` itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def assembled(estimator: Any, steps: Sequence[tuple[str, Any]]) -> Any:
    """`estimator` with the fitted `steps` before its last."""
    if steps:
        estimator.steps = [*steps, estimator.steps[-1]]
    return estimator


class Cells:
    """Prepares folds as candidates ask for them.

    Args:
        X: Inputs as they were passed to the search.
        y: Targets.
        splits: The rows of each fold.
        sample_weight: Of all samples, for the last step. Defaults to none.
        judged: Whether cells hold out the other part of their split, instead of what `validation_split` says. Defaults
            to False.
    """

    def __init__(
        self, X: Any, y: Any, splits: Sequence[Split], sample_weight: Any = None, *, judged: bool = False
    ) -> None:
        self.X = X
        self.y = y
        self.splits = splits
        self.sample_weight = sample_weight
        self.judged = judged
        self._made: dict[Hashable, Cell] = {}
        self._whole: dict[Hashable, tuple[KerasEstimator, Prepared] | None] = {}

    def of(self, estimator: Any, params: Mapping[str, Any], fold: int) -> Cell:
        """The cell of a candidate's fold.

        Args:
            estimator: With the candidate's parameters, not fitted.
            params: The candidate's parameters.
            fold: The number of the split.

        Raises:
            Exception: Whatever the earlier steps or the checks of the data raise.
        """
        key = (_data_key(estimator, params), fold)
        if key not in self._made:
            self._made[key] = self._prepared(estimator, key[0], fold)
        return self._made[key]

    def _prepared(self, estimator: Any, key: Hashable, fold: int) -> Cell:
        rows, others = (np.asarray(part) for part in self.splits[fold])
        whole = None if isinstance(estimator, Pipeline) else self._of_all(estimator, key)
        if whole is not None and _has_all_classes(whole[0], whole[1], rows):
            return self._cut(whole[0], (), whole[1], rows, others)
        X, y = _safe_indexing(self.X, rows), _safe_indexing(self.y, rows)
        earlier = None
        if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
            earlier = clone(estimator)[:-1]
            X = earlier.fit_transform(X, y)
        noted = clone(last_of(estimator))
        prepared = noted.prepared(X, y, self._weights(rows))
        count = len(prepared.x)
        if self.judged:
            prepared = self._with_others(noted, earlier, prepared, others)
        steps = () if earlier is None else earlier.steps
        return self._cut(noted, steps, prepared, np.arange(count), np.arange(count, len(prepared.x)))

    def _with_others(self, noted: KerasEstimator, earlier: Any, prepared: Prepared, others: np.ndarray) -> Prepared:
        """`prepared`, and behind it the samples that judge it."""
        X, y = _safe_indexing(self.X, others), _safe_indexing(self.y, others)
        X = X if earlier is None else earlier.transform(X)
        judge = noted.prepared(X, y, self._weights(others), known=noted.target_)
        weights = [part.weight for part in (prepared, judge) if part.weight is not None]
        return Prepared(
            x=np.concatenate([prepared.x, judge.x]),
            codes=np.concatenate([prepared.codes, judge.codes]),
            weight=np.concatenate(weights) if weights else None,
        )

    def _cut(
        self,
        noted: KerasEstimator,
        steps: Sequence[tuple[str, Any]],
        prepared: Prepared,
        rows: np.ndarray,
        others: np.ndarray,
    ) -> Cell:
        """The cell that trains on `rows`, but for what it holds out."""
        held_out = others
        if not self.judged:
            kept = _kept(noted, len(rows))
            rows, held_out = rows[:kept], rows[kept:]
        return Cell(estimator=noted, steps=steps, prepared=prepared, train=rows, held_out=held_out)

    def _of_all(self, estimator: Any, key: Hashable) -> tuple[KerasEstimator, Prepared] | None:
        """All rows prepared at once; `None` where their weights depend on the fold."""
        if key not in self._whole:
            noted = clone(estimator)
            balanced = isinstance(getattr(noted, "class_weight", None), str)
            made = None if balanced else (noted, noted.prepared(self.X, self.y, self._weights(None)))
            self._whole[key] = made
        return self._whole[key]

    def _weights(self, rows: np.ndarray | None) -> Any:
        given = self.sample_weight
        return given if given is None or rows is None else _safe_indexing(given, rows)


def _kept(noted: KerasEstimator, samples: int) -> int:
    """How many of so many samples `validation_split` leaves to train on, as Keras counts."""
    share = noted.routed().to["fit"].get("validation_split") or 0.0
    kept = math.floor(samples * (1.0 - share))
    if not 0 < kept:
        raise InvalidInputError(
            f"`validation_split` must leave samples to train on. Got {share} of {samples:,} samples. Pass a smaller share."
        )
    return kept


def _has_all_classes(noted: KerasEstimator, prepared: Prepared, rows: np.ndarray) -> bool:
    """Whether a fold's samples have all classes, so that an estimator fitted on them alone would know as many."""
    target = noted.target_
    if target.kind == "classes":
        return len(np.unique(prepared.codes[rows])) == len(target.classes[0])
    if target.kind == "several":
        columns = prepared.codes[rows].T
        return all(len(np.unique(c)) == len(known) for c, known in zip(columns, target.classes, strict=True))
    return target.kind == "numbers" or _stays_onehot(target.kind, prepared.codes[rows])


def _stays_onehot(kind: str, rows: np.ndarray) -> bool:
    return (kind == "onehot") == bool((rows.sum(axis=1) == 1).all())


def _data_key(estimator: Any, params: Mapping[str, Any]) -> Hashable:
    """Equal for candidates that train on the same data: those with the same earlier steps and weights."""
    last = last_of(estimator)
    earlier: tuple[Hashable, ...] = ()
    if isinstance(estimator, Pipeline):
        own = f"{estimator.steps[-1][0]}__"
        earlier = tuple((name, identity(params[name])) for name in sorted(params) if not name.startswith(own))
    split = last.routed().to["fit"].get("validation_split")
    return earlier, identity(getattr(last, "class_weight", None)), identity(split)
