"""Targets as a model wants them, and its outputs as scikit-learn wants them.

Labels of any kind become whole numbers from 0. Whether the model gets those, or one column for each class, follows from
its loss and its outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from dialed.errors import DataError

__all__ = ["Form", "Target", "form_of"]

Kind = Literal["classes", "onehot", "multilabel", "several", "numbers"]
Form = Literal["plain", "onehot", "columns"]
"""How a model wants its targets: as they are encoded, one column a class, or one array for each of its outputs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """What the targets of a fit are.

    `kind` is "classes" (a label a sample), "onehot" (rows with exactly one 1), "multilabel" (rows of 0 and 1),
    "several" (a label a sample and output) or "numbers". `classes` has one sorted array of labels for each output,
    `columns` the number of columns of y (0 where it has one axis or one column).
    """

    kind: Kind
    classes: tuple[np.ndarray, ...]
    columns: int

    @classmethod
    def of_classes(cls, y: np.ndarray, known: Sequence[Any] | None = None) -> Self:
        """The target of a classifier.

        Args:
            y: Labels of shape (samples,) or (samples, outputs).
            known: All labels there are. Defaults to those in `y`.

        Raises:
            DataError: There is one class only.
        """
        columns = y.shape[1] if y.ndim > 1 and y.shape[1] > 1 else 0
        if not columns:
            classes = np.unique(y if known is None else np.asarray(known))
            if len(classes) < 2:
                raise DataError(
                    f"`y` must hold at least two classes. Got {len(classes)} class: {classes.tolist()}. "
                    "Check how the samples were chosen; a stratified split keeps all classes."
                )
            return cls(kind="classes", classes=(classes,), columns=0)
        if y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all()):
            whole = bool((y.sum(axis=1) == 1).all())
            return cls(kind="onehot" if whole else "multilabel", classes=(np.arange(columns),), columns=columns)
        return cls(kind="several", classes=tuple(np.unique(column) for column in y.T), columns=columns)

    @classmethod
    def of_numbers(cls, y: np.ndarray) -> Self:
        """The target of a regressor: numbers of shape (samples,) or (samples, outputs)."""
        return cls(kind="numbers", classes=(), columns=y.shape[1] if y.ndim > 1 and y.shape[1] > 1 else 0)

    def encoded(self, y: np.ndarray) -> np.ndarray:
        """`y` as numbers: whole ones for labels.

        Raises:
            DataError: There is a label that was not known.
        """
        import keras

        y = y if self.columns else y.ravel()
        if self.kind == "numbers":
            return y.astype(keras.config.floatx())
        if self.kind in ("onehot", "multilabel"):
            return y.astype(np.int32)
        if self.kind == "classes":
            return _codes(y, self.classes[0])
        return np.stack([_codes(column, known) for column, known in zip(y.T, self.classes, strict=True)], axis=1)

    def for_model(self, codes: np.ndarray, form: Form) -> Any:
        """What `model.fit` takes for what `encoded` returned."""
        match form:
            case "onehot":
                return np.eye(len(self.classes[0]), dtype=np.float32)[codes]
            case "columns":
                return [np.ascontiguousarray(column) for column in codes.T]
            case _:
                return codes

    def labels(self, choices: np.ndarray) -> np.ndarray:
        """Labels for what was chosen: codes of shape (samples,) or (samples, outputs), or rows of 0 and 1."""
        if self.kind == "classes":
            return np.asarray(self.classes[0][choices])
        if self.kind == "several":
            return np.stack([known[column] for known, column in zip(self.classes, choices.T, strict=True)], axis=1)
        return choices

    def like(self, other: Target) -> bool:
        """Whether models for one are models for the other."""
        return (
            self.kind == other.kind
            and self.columns == other.columns
            and len(self.classes) == len(other.classes)
            and all(np.array_equal(a, b) for a, b in zip(self.classes, other.classes, strict=True))
        )


def _codes(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    codes = np.searchsorted(classes, y)
    wrong = classes[np.minimum(codes, len(classes) - 1)] != y
    if wrong.any():
        raise DataError(
            f"`y` must hold classes that are known: {classes.tolist()}. Got {y[wrong][0]!r}. "
            "Pass all `classes` to the first `partial_fit`, or to `fit` data that hold them all."
        )
    return codes.astype(np.int32)


def form_of(target: Target, model: Any) -> Form:
    """How `model` wants the targets, by its loss and the shapes of its outputs."""
    if target.kind == "several" or (target.columns and _outputs(model) > 1):
        return "columns" if _outputs(model) > 1 else "plain"
    if target.kind != "classes":
        return "plain"
    name, is_kerass = _loss_name(model)
    if name.startswith("sparse"):
        return "plain"
    width = _width(model)
    wide = width > 1 if width is not None else name.startswith("categorical")
    return "onehot" if is_kerass and wide else "plain"


def _outputs(model: Any) -> int:
    return len(getattr(model, "outputs", None) or [None])


def _width(model: Any) -> int | None:
    """Columns of the output; `None` where the model has not been built."""
    outputs = getattr(model, "outputs", None)
    return None if not outputs else int(outputs[0].shape[-1] or 1)


def _loss_name(model: Any) -> tuple[str, bool]:
    """The loss in lower case with underscores, and whether it is one of Keras's own."""
    import keras

    loss = model.loss
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    if loss is None or isinstance(loss, (list, tuple, dict)):
        return "", False
    found = keras.losses.get(loss)
    name = getattr(found, "__name__", None) or type(found).__name__
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    home = getattr(found, "__module__", "") or ""
    return snake, home.split(".")[0] == "keras"
