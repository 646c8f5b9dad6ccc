"""The data of one search: checked once, before any training, and cut into what each fold trains on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import numpy as np

from dialed.engine.arrays import Array, Structure, is_sparse, leaves
from dialed.engine.datasets import Kind, Stream, is_stream, kind_of
from dialed.engine.folds import Fold, make_folds
from dialed.engine.preparing import Preparation, Prepare
from dialed.engine.samples import LabelRange, Samples, label_range
from dialed.errors import DataError, InvalidInputError
from dialed.space import HyperParameters

__all__ = ["Data", "FoldData"]

Source: TypeAlias = Samples | Stream


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldData:
    """What one fold trains on, as `model.fit` takes it.

    Pass `x`, `y`, `sample_weight` under their names and `validation` as `validation_data`. `samples` and
    `validation_samples` are `None` where a dataset does not say (and where there is no validation).
    """

    x: Any
    y: Any
    sample_weight: Any
    validation: Any
    samples: int | None
    validation_samples: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Data:
    """The data of one search. Make one with `Data.of`.

    Args:
        training: What there is to train on, before anything is held out.
        validation: What was passed as `validation_data`. Defaults to None.
        split_at: The first sample that `validation_split` holds out. Defaults to None, where nothing is held out.
        cross_validation: The folds of `cv`. Defaults to none.
        preparation: Prepares the inputs of each fold. Defaults to none.
    """

    training: Source
    validation: Source | None = None
    split_at: int | None = None
    cross_validation: tuple[Fold, ...] = ()
    preparation: Preparation | None = None
    _kept: dict[int, FoldData] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        x: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        validation_data: Any = None,
        validation_split: float | None = 0.0,
        cv: Any = None,
        groups: Any = None,
        seed: int = 0,
        check_finite: bool = True,
        prepare: Prepare | None = None,
    ) -> Self:
        """Check the data of a search.

        Args:
            x: Inputs, as `model.fit` takes them: arrays of shape (samples, ...), alone or in lists, tuples and dicts,
                or a `tf.data.Dataset`, a torch `DataLoader`, a `keras.utils.PyDataset`.
            y: Targets, (samples, ...), where `x` does not hold them. Defaults to None.
            sample_weight: How much each sample counts, (samples,) or as `y`. Defaults to None.
            validation_data: (x, y) or (x, y, sample_weight), or a dataset. Defaults to None.
            validation_split: The share of the samples at the end that is held out. Defaults to 0.0.
            cv: A number of folds, a scikit-learn splitter, or pairs of indices. Defaults to None.
            groups: The group of each sample, (samples,), for `cv`. Defaults to None.
            seed: Shuffles the samples before an int `cv` cuts them. Defaults to 0.
            check_finite: Whether NaN and infinity are refused. Defaults to True.
            prepare: `prepare(hp, x_train, x_valid)` returns both parts, prepared. Defaults to None.

        Raises:
            DataError: The data cannot be trained on.
            InvalidInputError: The arguments contradict each other.

        Example:
            >>> import numpy as np
            >>> from dialed.engine.data import Data
            >>> data = Data.of(np.zeros((10, 3)), np.arange(10) % 2, validation_split=0.2)
            >>> data.fold(0).samples, data.fold(0).validation_samples
            (8, 2)
        """
        share = _checked_share(validation_split)
        _check_together(validation_data=validation_data, share=share, cv=cv, groups=groups)
        held_out = None if validation_data is None else _validation(validation_data, check_finite=check_finite)
        preparation = None if prepare is None else Preparation(function=prepare, check_finite=check_finite)
        if is_stream(x):
            _check_alone(kind_of(x), y=y, sample_weight=sample_weight, share=share, cv=cv, prepare=prepare)
            return cls(training=Stream.of(x, "x"), validation=held_out)
        samples = Samples.of(x, y, sample_weight, check_finite=check_finite and prepare is None)
        if preparation is not None and isinstance(held_out, Stream):
            _check_alone(held_out.kind, name="validation_data", prepare=prepare)
        if isinstance(held_out, Samples):
            _check_alike(samples, held_out)
        only_y = _output(samples.y, None)  # several outputs have no classes in common
        folds = () if cv is None else make_folds(cv, samples=len(samples), y=only_y, groups=groups, seed=seed)
        split_at = _split_at(len(samples), share) if share else None
        return cls(
            training=samples, validation=held_out, split_at=split_at, cross_validation=folds, preparation=preparation
        )

    @property
    def kind(self) -> Kind:
        """What `x` is."""
        return "arrays" if isinstance(self.training, Samples) else self.training.kind

    @property
    def folds(self) -> tuple[int, ...]:
        """The indices of the folds; `(0,)` without cross-validation."""
        return tuple(range(len(self.cross_validation))) or (0,)

    @property
    def has_validation(self) -> bool:
        """Whether every fold is judged by samples that it does not train on."""
        return self.validation is not None or self.split_at is not None or any(f.judges for f in self.cross_validation)

    @property
    def bytes(self) -> int | None:
        """The memory of the arrays, folds not counted; `None` where `x` is a dataset."""
        if isinstance(self.training, Stream):
            return None
        return self.training.bytes + (self.validation.bytes if isinstance(self.validation, Samples) else 0)

    def fold(self, index: int, hp: HyperParameters | None = None) -> FoldData:
        """What fold `index` trains on.

        A fold of a cross-validation is a copy; the last one asked for is kept, earlier ones are let go. All else
        shares the memory of what was passed.

        Args:
            index: Which fold.
            hp: The values that a preparation may depend on. Defaults to those it has by default.

        Raises:
            IndexError: There is no such fold.
        """
        if index not in self.folds:
            raise IndexError(f"The fold must be one of {self.folds}. Got {index}.")
        if self.preparation is not None:
            return self.preparation.fold(index, self._cut, HyperParameters() if hp is None else hp)
        kept = self._kept.get(index)
        if kept is None:
            self._kept.clear()
            kept = self._kept[index] = self._cut(index)
        return kept

    def _cut(self, index: int) -> FoldData:
        if isinstance(self.training, Stream):
            return _fold_data(self.training, self.validation)
        if self.cross_validation:
            fold = self.cross_validation[index]
            return _fold_data(self.training.rows(fold.train), self.training.rows(fold.test) if fold.judges else None)
        if self.split_at is not None:
            first, last = slice(0, self.split_at), slice(self.split_at, None)
            return _fold_data(self.training.rows(first), self.training.rows(last))
        return _fold_data(self.training, self.validation)

    def label_range(self, output: str | int | None = None) -> LabelRange | None:
        """The range of the targets, those of the validation data too.

        Args:
            output: The key or the position of the output, where there are several. Defaults to None.

        Returns:
            The range; `None` where there is no such array of targets.
        """
        sources = (self.training, self.validation)
        arrays = [_output(s.y, output) for s in sources if isinstance(s, Samples)]
        ranges = [label_range(array) for array in arrays if array is not None and not is_sparse(array)]
        if not ranges:
            return None
        return LabelRange(min(r.low for r in ranges), max(r.high for r in ranges), all(r.whole for r in ranges))

    def describe(self) -> str:
        """For people: how much of what, and what is held out."""
        what = self.training.describe() if isinstance(self.training, Stream) else _described(self.training)
        return what + self._held_out()

    def _held_out(self) -> str:
        match self.validation:
            case Samples():
                return f"; validated on {len(self.validation):,} others"
            case Stream():
                return f"; validated on {self.validation.describe()}"
        if isinstance(self.training, Samples) and self.split_at is not None:
            return f"; the last {len(self.training) - self.split_at:,} held out for validation"
        if self.cross_validation:
            return f"; cross-validated in {len(self.cross_validation)} folds"
        return "; no validation data"


def _fold_data(training: Source, validation: Source | None) -> FoldData:
    made = training if isinstance(training, Samples) else None
    return FoldData(
        x=training.x if isinstance(training, Samples) else training.source,
        y=made.y if made else None,
        sample_weight=made.sample_weight if made else None,
        validation=validation.as_tuple() if isinstance(validation, Samples) else getattr(validation, "source", None),
        samples=_count(training),
        validation_samples=None if validation is None else _count(validation),
    )


def _count(source: Source) -> int | None:
    return len(source) if isinstance(source, Samples) else source.samples


def _described(samples: Samples) -> str:
    parts = [f"{name} {tuple(array.shape[1:])} {array.dtype}" for name, array in samples.arrays()]
    return f"{len(samples):,} samples of {', '.join(parts)}"


def _output(y: Structure, output: str | int | None) -> Array | None:
    if output is None:
        found = [array for _, array in leaves(y, "y")]
        return found[0] if len(found) == 1 else None
    if isinstance(y, Mapping):
        return y.get(output)
    if isinstance(y, (list, tuple)) and isinstance(output, int) and output < len(y):
        return y[output]
    return None


def _checked_share(share: Any) -> float:
    """`validation_split` as a number; 0.0 where nothing is held out."""
    if share is None or (not isinstance(share, bool) and isinstance(share, (int, float)) and share == 0):
        return 0.0
    if isinstance(share, bool) or not isinstance(share, (float, int, np.floating)) or not 0.0 < share < 1.0:
        raise InvalidInputError(
            f"`validation_split` must be a float in the range (0, 1), the share of the samples that is held out. Got "
            f"{share!r}. Pass 0.2 to hold out the last fifth."
        )
    return float(share)


def _split_at(samples: int, share: float) -> int:
    """Where Keras cuts: the training part is rounded down, the rest is held out."""
    split_at = math.floor(samples * (1.0 - share))
    if split_at in (0, samples):
        part = "for training" if split_at == 0 else "for validation"
        raise DataError(
            f"`validation_split` must leave samples on both sides. Got {share} of {samples:,} samples, which leaves "
            f"none {part}. Pass more data or another share, or `cv` for small data."
        )
    return split_at


def _check_together(*, validation_data: Any, share: float, cv: Any, groups: Any) -> None:
    given = [
        name
        for name, is_given in (
            ("cv", cv is not None),
            ("validation_data", validation_data is not None),
            ("validation_split", share > 0.0),
        )
        if is_given
    ]
    if len(given) > 1:
        names = " and ".join(f"`{name}`" for name in given)
        raise InvalidInputError(
            f"At most one of `cv`, `validation_data` and `validation_split` may say what a trial is judged by. Got "
            f"{names}. Keep one of them."
        )
    if groups is not None and cv is None:
        raise InvalidInputError("`groups` must come with `cv`, which keeps them whole. Got no `cv`. Pass `cv=5`.")


def _check_alone(
    kind: Kind,
    *,
    name: str = "x",
    y: Any = None,
    sample_weight: Any = None,
    share: float = 0.0,
    cv: Any = None,
    prepare: Any = None,
) -> None:
    """Refuse what a dataset must bring itself, and what would need its samples one by one."""
    if prepare is not None:
        raise InvalidInputError(
            f"`prepare` must have arrays to work on. Got a dataset ({kind}) as `{name}`. Prepare it with its own `map`, or "
            "put a `Normalization` layer into the model."
        )
    for part, given in (("y", y is not None), ("sample_weight", sample_weight is not None)):
        if given:
            raise InvalidInputError(
                f"`{part}` must come from the dataset itself where `x` is one ({kind}). Got both. "
                f"Let the dataset give (x, y) or (x, y, sample_weight), and leave out `{part}`."
            )
    for part, given in (("cv", cv is not None), ("validation_split", share > 0.0)):
        if given:
            raise InvalidInputError(
                f"`{part}` must have arrays to cut. Got a dataset ({kind}) as `x`. Pass arrays, or a second dataset "
                "as `validation_data`."
            )


def _validation(given: Any, *, check_finite: bool) -> Source:
    if is_stream(given, "validation_data"):
        return Stream.of(given, "validation_data")
    if not isinstance(given, (tuple, list)) or not 1 <= len(given) <= 3:
        raise DataError(
            "`validation_data` must be (x, y) or (x, y, sample_weight), or a dataset. Got "
            f"{_shape_of(given)}. Pass `validation_data=(x_val, y_val)`."
        )
    x, y, sample_weight = (*given, None, None)[:3]
    return Samples.of(x, y, sample_weight, name="validation_data: ", check_finite=check_finite)


def _shape_of(given: Any) -> str:
    if isinstance(given, (tuple, list)):
        return f"a {type(given).__name__} of {len(given)}"
    shape = getattr(given, "shape", None)
    return type(given).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")


def _check_alike(training: Samples, validation: Samples) -> None:
    """Refuse validation data of another structure, or inputs with another number of axes."""
    ours = {name: array.ndim for name, array in training.arrays() if not name.startswith("sample_weight")}
    theirs = {name: array.ndim for name, array in validation.arrays() if not name.startswith("sample_weight")}
    if ours.keys() != theirs.keys():
        raise DataError(
            "`validation_data` must have the structure of the training data. Got "
            f"{', '.join(theirs)} for validation and {', '.join(ours)} for training. Pass the same inputs and targets."
        )
    for name, axes in ours.items():
        if name.startswith("x") and theirs[name] != axes:
            raise DataError(
                f"`validation_data` must have the axes of the training data. Got {theirs[name]} axes for validation "
                f"and {axes} for training in `{name}`. Prepare both the same way."
            )
