"""From what a classifier's model says to probabilities, margins and choices."""

from __future__ import annotations

from typing import Any

import numpy as np

from dialed.sklearn.targets import Target

__all__ = ["chosen", "margins", "means_margins", "probabilities"]


def means_margins(model: Any, *, hinge_only: bool = False) -> bool:
    """Whether outputs are margins: of a hinge loss, or, unless `hinge_only`, logits."""
    return _is_hinge(model) or (not hinge_only and _from_logits(model))


def probabilities(outputs: Any, model: Any, target: Target) -> Any:
    """The probability of each class, (samples, classes); a list of such arrays for several outputs."""
    if isinstance(outputs, list):
        return [_probabilities(output, model, sums_to_one=True) for output in outputs]
    return _probabilities(outputs, model, sums_to_one=target.kind != "multilabel")


def margins(outputs: np.ndarray, target: Target) -> np.ndarray:
    """The outputs themselves, (samples, classes), or (samples,) for two classes."""
    if len(target.classes[0]) > 2:
        return outputs
    difference: np.ndarray = outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs.reshape(len(outputs))
    return difference


def chosen(outputs: Any, model: Any, target: Target) -> np.ndarray:
    """What is predicted: codes (samples,) or (samples, outputs), or rows of 0 and 1."""
    if isinstance(outputs, list):
        return np.stack([_most(output, model) for output in outputs], axis=1)
    match target.kind:
        case "onehot":
            return np.asarray(np.eye(target.columns, dtype=np.int64)[outputs.argmax(axis=1)])
        case "multilabel":
            return np.asarray(probabilities(outputs, model, target) > 0.5, np.int64)
        case "several":
            return np.asarray(np.rint(outputs), np.int64)
        case _:
            return _most(outputs, model)


def _most(output: np.ndarray, model: Any) -> np.ndarray:
    if output.ndim > 1 and output.shape[1] > 1:
        return np.asarray(output.argmax(axis=1))
    single = output.reshape(len(output))
    return (single > (0.0 if means_margins(model) else 0.5)).astype(np.int64)


def _probabilities(output: np.ndarray, model: Any, *, sums_to_one: bool) -> np.ndarray:
    output = output.reshape(len(output), -1).astype(np.float64 if _from_logits(model) else output.dtype)
    if output.shape[1] == 1 or not sums_to_one:
        found = 1.0 / (1.0 + np.exp(-output)) if _from_logits(model) else output
        return np.concatenate([1.0 - found, found], axis=1) if output.shape[1] == 1 else found
    if not _from_logits(model):
        return output
    powers = np.exp(output - output.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _losses(model: Any) -> list[Any]:
    loss = model.loss
    return list(loss.values()) if isinstance(loss, dict) else list(loss) if isinstance(loss, (list, tuple)) else [loss]


def _from_logits(model: Any) -> bool:
    return any(getattr(loss, "from_logits", False) for loss in _losses(model))


def _is_hinge(model: Any) -> bool:
    names = [
        loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__) for loss in _losses(model)
    ]
    return any("hinge" in str(name).lower() for name in names)
