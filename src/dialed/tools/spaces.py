"""Ready spaces: lines of a build function with ranges, scales and defaults that are good for most models.

Each asks `hp` for what it needs and returns what Keras takes. The defaults are those of Keras or of the paper that is
named, so the first trial is the baseline that you would have had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from dialed.engine.scaling import Rule, scale_learning_rate
from dialed.errors import InvalidInputError
from dialed.space import HyperParameters

__all__ = [
    "Regularisation",
    "activation",
    "augmentation",
    "batch_and_rate",
    "dense_stack",
    "initializer",
    "optimizer",
    "regularisation",
]

OPTIMIZERS = ("adam", "sgd", "adamw", "rmsprop", "nadam", "lion")
ACTIVATIONS = ("relu", "gelu", "silu", "elu", "tanh")
INITIALIZERS = ("glorot_uniform", "he_normal", "lecun_normal", "orthogonal")
REFERENCE_BATCH = 32


def optimizer(
    hp: HyperParameters,
    *,
    kinds: Sequence[str] = ("adam", "sgd", "adamw"),
    learning_rate: Any = None,
    weight_decay: float | None = None,
) -> keras.optimizers.Optimizer:
    """An optimizer with its own learning rate, momentum and weight decay.

    Each kind has a learning rate of its own, since good ones differ a hundredfold: SGD's lie around 0.01 to 0.1, Adam's
    around 0.001, Lion's a tenth of that (Chen and others 2023).

    Args:
        hp: The trial's hyperparameters.
        kinds: Out of "adam", "sgd", "adamw", "rmsprop", "nadam", "lion"; the first is the default. Defaults to
            "adam", "sgd" and "adamw".
        learning_rate: A number or a schedule for all kinds. Defaults to None: a hyperparameter for each.
        weight_decay: From `regularisation(hp).weight_decay`, for "adam", "sgd", "rmsprop" and "nadam". Defaults to
            None.

    Raises:
        InvalidInputError: An unknown kind.
    """
    _check_known("kinds", kinds, OPTIMIZERS)
    kind = str(hp.Choice("optimizer", list(kinds)))
    with hp.conditional_scope("optimizer", [kind]):
        rate = _rate(hp, kind) if learning_rate is None else learning_rate
        match kind:
            case "sgd":
                momentum = hp.Float("sgd_momentum", 0.01, 0.3, sampling="log", default=0.1)
                nesterov = hp.Boolean("sgd_nesterov", default=True)
                return keras.optimizers.SGD(rate, momentum=1.0 - momentum, nesterov=nesterov, weight_decay=weight_decay)
            case "adamw":
                decay = hp.Float("adamw_weight_decay", 1e-5, 0.3, sampling="log", default=0.004)
                return keras.optimizers.AdamW(rate, weight_decay=decay)
            case "lion":
                decay = hp.Float("lion_weight_decay", 1e-4, 1.0, sampling="log", default=0.04)
                return keras.optimizers.Lion(rate, weight_decay=decay)
            case "rmsprop":
                return keras.optimizers.RMSprop(rate, weight_decay=weight_decay)
            case "nadam":
                return keras.optimizers.Nadam(rate, weight_decay=weight_decay)
    return keras.optimizers.Adam(rate, weight_decay=weight_decay)


_RATES = {"sgd": (1e-3, 1.0, 1e-2), "lion": (1e-5, 1e-2, 1e-4)}


def _rate(hp: HyperParameters, kind: str) -> float:
    low, high, default = _RATES.get(kind, (1e-4, 3e-2, 1e-3))
    return float(hp.Float(f"{kind}_learning_rate", low, high, sampling="log", default=default))


def dense_stack(hp: HyperParameters, x: Any, *, most_layers: int = 3, most_units: int = 512) -> Any:
    """A stack of dense layers on `x`, each followed by dropout; returns what the last gives.

    One width for all layers: on tabular data and small images it does as well as one each, with fewer numbers to find
    (Bengio 2012, "Practical recommendations for gradient-based training of deep architectures").

    Args:
        hp: The trial's hyperparameters.
        x: A tensor of Keras, as from `keras.Input`.
        most_layers: The deepest. Defaults to 3.
        most_units: The widest. Defaults to 512.
    """
    units = hp.Int("units", 16, most_units, sampling="log", default=min(128, most_units))
    kind, start, kept = activation(hp), initializer(hp), regularisation(hp, weight_decay=False)
    for _ in range(hp.Int("layers", 1, most_layers, default=min(2, most_layers))):
        x = keras.layers.Dense(units, kind, kernel_initializer=start, kernel_constraint=kept.constraint())(x)
        x = keras.layers.Dropout(kept.dropout)(x)
    return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Regularisation:
    """What keeps a model from learning its data by heart.

    Args:
        dropout: The rate, for layers of dropout.
        max_norm: The largest norm of a unit's weights; None for no limit.
        weight_decay: For the optimizer; None where it was not asked for.
        label_smoothing: For `keras.losses.CategoricalCrossentropy`; 0.0 where it was not asked for.
    """

    dropout: float
    max_norm: float | None
    weight_decay: float | None = None
    label_smoothing: float = 0.0

    def constraint(self) -> keras.constraints.Constraint | None:
        """A fresh constraint for a layer's kernel; None without a limit."""
        return None if self.max_norm is None else keras.constraints.MaxNorm(self.max_norm)


def regularisation(hp: HyperParameters, *, weight_decay: bool = True, label_smoothing: bool = False) -> Regularisation:
    """Dropout together with a limit on the weights' norm, weight decay, label smoothing.

    Dropout and max-norm belong together: the limit lets the rate be high without the weights running away (Srivastava
    and others 2014, who use 3 to 4; 2 to 5 is the range here). The defaults are what Keras does: none of it.

    Args:
        hp: The trial's hyperparameters.
        weight_decay: Whether to ask for it. Defaults to True.
        label_smoothing: Whether to ask for it. Defaults to False.
    """
    dropout = hp.Float("dropout", 0.0, 0.6)
    limited = hp.Boolean("max_norm")
    norm: float | None = None
    if limited:
        with hp.conditional_scope("max_norm", [True]):
            norm = hp.Float("max_norm_value", 2.0, 5.0, default=3.0)
    return Regularisation(
        dropout=dropout,
        max_norm=norm,
        weight_decay=hp.Float("weight_decay", 1e-6, 1e-2, sampling="log", default=1e-6) if weight_decay else None,
        label_smoothing=hp.Float("label_smoothing", 0.0, 0.2) if label_smoothing else 0.0,
    )


def activation(hp: HyperParameters, *, kinds: Sequence[str] = ACTIVATIONS) -> str:
    """The name of an activation: "relu" by default, beside "gelu", "silu", "elu" and "tanh"."""
    return str(hp.Choice("activation", list(kinds)))


def initializer(hp: HyperParameters, *, kinds: Sequence[str] = INITIALIZERS) -> str:
    """The name of an initialiser: Keras's default, those of He and LeCun, and an orthogonal one."""
    return str(hp.Choice("initializer", list(kinds)))


def augmentation(hp: HyperParameters, *, flip: bool = True) -> keras.Sequential:
    """Layers that shift, turn, zoom and mirror images, each by a tuned amount; nothing by default.

    Args:
        hp: The trial's hyperparameters.
        flip: Whether mirroring is asked for: not for digits or text. Defaults to True.
    """
    shift, turn, zoom = hp.Float("shift", 0.0, 0.2), hp.Float("rotation", 0.0, 0.1), hp.Float("zoom", 0.0, 0.2)
    layers: list[Any] = [
        keras.layers.RandomTranslation(shift, shift),
        keras.layers.RandomRotation(turn),
        keras.layers.RandomZoom(zoom),
    ]
    if flip and hp.Boolean("mirror"):
        layers.append(keras.layers.RandomFlip("horizontal"))
    return keras.Sequential(layers, name="augmentation")


def batch_and_rate(
    hp: HyperParameters, *, batch_size: int, rule: Rule = "sqrt", low: float = 1e-4, high: float = 3e-2
) -> float:
    """A learning rate for `batch_size` whose hyperparameter is that of a batch of 32: the two are tuned independently.

    Args:
        hp: The trial's hyperparameters.
        batch_size: Of this trial: `hp.Choice("batch_size", [32, 64, 128])` with `search(batch_size=...)` of that name.
        rule: As in `dialed.scale_learning_rate`: "sqrt" for Adam and its family, "linear" for SGD. Defaults to "sqrt".
        low: The lowest rate at a batch of 32. Defaults to 1e-4.
        high: The highest. Defaults to 3e-2.

    References:
        Malladi and others 2022, "On the SDEs and scaling rules for adaptive gradient algorithms".
    """
    default = min(max(1e-3, low), high)
    rate = float(hp.Float("learning_rate", low, high, sampling="log", default=default))
    return scale_learning_rate(rate, REFERENCE_BATCH, int(batch_size), rule=rule)


def _check_known(name: str, kinds: Sequence[str], known: Sequence[str]) -> None:
    unknown = [kind for kind in kinds if kind not in known]
    if unknown or isinstance(kinds, str) or not kinds:
        raise InvalidInputError(
            f"The `{name}` must be a list of names out of {', '.join(map(repr, known))}. Got {kinds!r}."
        )
