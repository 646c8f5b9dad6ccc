"""Labels that a loss cannot mean: backends read them silently, as other classes or as NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dialed.engine.building import symbolic
from dialed.engine.folds import Fold, class_codes
from dialed.errors import DataError

__all__ = ["check_classes", "check_labels"]

_SPARSE = ("sparse_categorical_crossentropy",)
_CLASSES = (*_SPARSE, "categorical_crossentropy", "categorical_focal_crossentropy")
_BINARY = ("binary_crossentropy", "binary_focal_crossentropy")


def check_labels(model: Any, batch: tuple[Any, Any, Any], data: Any) -> None:
    """Compare the range of all targets with what each loss of the compiled model takes.

    Args:
        model: Built and compiled.
        batch: x, y and sample weights of one batch.
        data: Has `label_range(output)`, and perhaps `training` and `cross_validation`.

    Raises:
        DataError: Labels are outside the classes.
    """
    from keras.src.backend import compute_output_spec

    outputs = compute_output_spec(model, symbolic(batch[0]), training=False)
    for part in getattr(model._compile_loss, "_flat_losses", None) or ():
        output = _at(outputs, part.path)
        if output is not None and len(part.path) < 2:
            _check(part.loss, output, data.label_range(part.path[0] if part.path else None), part.path)
            if getattr(getattr(part.loss, "fn", None), "__name__", "") in (*_CLASSES, *_BINARY) and not part.path:
                check_classes(
                    getattr(data, "cross_validation", ()), getattr(getattr(data, "training", None), "y", None)
                )


def check_classes(folds: Sequence[Fold], y: Any) -> None:
    """Refuse folds that are judged by a class that they cannot have learnt.

    Args:
        folds: Of a cross-validation; none where there is none.
        y: All targets.

    Raises:
        DataError: A class of the samples that judge a fold is missing from those that it trains on.
    """
    codes = class_codes(y) if folds else None
    if codes is None:
        return
    for number, fold in enumerate(folds):
        unknown = np.setdiff1d(codes[fold.test], codes[fold.train])
        if len(unknown):
            first = int(fold.test[np.argmax(codes[fold.test] == unknown[0])])
            count = int((codes == unknown[0]).sum())
            raise DataError(
                f"`cv` must leave samples of every class to train on. Got none of the class of sample {first} (it has "
                f"{count:,} in all) in the training part of fold {number}, which is judged by it. Leave so rare a class out "
                "or join it with another; for samples stored class by class pass an int, which shuffles them."
            )


def _check(loss: Any, output: Any, found: Any, path: tuple[Any, ...]) -> None:
    name = getattr(getattr(loss, "fn", None), "__name__", "")
    settings = getattr(loss, "_fn_kwargs", {})
    if found is None or settings.get("ignore_class") is not None:
        return
    label = "`y`" + "".join(f"[{key!r}]" for key in path)
    classes = output.shape[settings.get("axis", -1)] if name in _SPARSE else None
    if classes is not None and not (found.whole and found.low >= 0 and found.high < classes):
        raise DataError(
            f"{label} must hold classes from 0 to {classes - 1}, one for each of the {classes} units of the last layer, "
            f"as the loss {name} counts them. Got labels from {found.low:g} to {found.high:g}. Number the classes from "
            "0, or change the number of units."
        )
    if name in _BINARY and not (found.low >= 0 and found.high <= 1):
        raise DataError(
            f"{label} must hold labels from 0 to 1 for the loss {name}. Got labels from {found.low:g} to "
            f"{found.high:g}. Name the two classes 0 and 1."
        )


def _at(outputs: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        try:
            outputs = outputs[key]
        except (KeyError, IndexError, TypeError):  # Keras also takes losses by the names of output layers
            return None
    return outputs if hasattr(outputs, "shape") else None
