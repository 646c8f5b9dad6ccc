"""Labels that a loss cannot mean: backends read them silently, as other classes or as NaN."""

from __future__ import annotations

from typing import Any

from dialed.engine.building import symbolic
from dialed.errors import DataError

__all__ = ["check_labels"]

_SPARSE = ("sparse_categorical_crossentropy",)
_BINARY = ("binary_crossentropy", "binary_focal_crossentropy")


def check_labels(model: Any, batch: tuple[Any, Any, Any], data: Any) -> None:
    """Compare the range of all targets with what each loss of the compiled model takes.

    Args:
        model: Built and compiled.
        batch: x, y and sample weights of one batch.
        data: Has `label_range(output)`.

    Raises:
        DataError: Labels are outside the classes.
    """
    from keras.src.backend import compute_output_spec

    outputs = compute_output_spec(model, symbolic(batch[0]), training=False)
    for part in getattr(model._compile_loss, "_flat_losses", None) or ():
        output = _at(outputs, part.path)
        if output is not None and len(part.path) < 2:
            _check(part.loss, output, data.label_range(part.path[0] if part.path else None), part.path)


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
