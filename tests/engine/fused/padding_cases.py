"""Narrow lanes in wide programs against `model.fit`, layer by layer, in float64. Run as a script; prints JSON lines.

Each case is a builder with tuned widths and the values of its lanes. The comparison is that of `exactness_cases.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import exactness_cases as exactness
import jax
import keras
import numpy as np
from keras import layers, optimizers, regularizers

from dialed.engine.data import Data
from dialed.engine.recipe import Recipe
from dialed.trial import Member, MemberKey

CLASSES = exactness.CLASSES
RANDOM = np.random.default_rng(1)
ROWS = exactness.ROWS
IMAGES = RANDOM.normal(size=(exactness.SAMPLES, 6, 6, 2))
SERIES = RANDOM.normal(size=(exactness.SAMPLES, 5, 3))
TOKENS = exactness.TOKENS
PARTIAL = frozenset({"layer Dropout", "convolutions", "chosen activations", "LSTM", "both ways"})
"""The cases whose last batches are not full."""
Build = Callable[[Any], Any]


def ended(model: Any, optimizer: Any = None, metrics: Any = ("accuracy",)) -> Any:
    model.compile(optimizer or optimizers.Adam(1e-2), "categorical_crossentropy", metrics=list(metrics))
    return model


def stacked(*inner: Any, shape: Any = (exactness.FEATURES,), optimizer: Any = None, dtype: Any = None) -> Any:
    made = [keras.Input(shape, dtype=dtype), *inner, layers.Dense(CLASSES, activation="softmax")]
    return ended(keras.Sequential(made), optimizer)


def units(hp: Any, name: str = "units", low: int = 2, high: int = 8) -> int:
    return int(hp.Int(name, low, high))


def with_activation(name: str) -> Build:
    return lambda hp: stacked(layers.Dense(units(hp), activation=name), layers.Dense(units(hp, "b"), activation="tanh"))


def with_layer(make: Callable[[Any], Any]) -> Build:
    return lambda hp: stacked(layers.Dense(units(hp)), make(hp), layers.Dense(units(hp, "b"), activation="relu"))


def batch_normalized(hp: Any) -> Any:
    """The bias before a batch's statistics has no gradient but rounding, which Adam makes as large as any other."""
    return stacked(
        layers.Dense(units(hp), use_bias=False),
        layers.BatchNormalization(),
        layers.Dense(units(hp, "b"), activation="relu"),
    )


def with_optimizer(make: Callable[[Any], Any]) -> Build:
    return lambda hp: stacked(
        layers.Dense(units(hp), activation="tanh", kernel_regularizer=regularizers.L1L2(1e-3, 1e-3)),
        layers.Dense(units(hp, "b"), activation="relu", kernel_constraint="max_norm"),
        optimizer=make(hp),
    )


def chosen_activations(hp: Any) -> Any:
    chosen = hp.Choice("activation", ["relu", "tanh", "sigmoid", "exponential", "gelu"])
    return stacked(layers.Dense(units(hp), activation=chosen), layers.Activation(chosen), layers.Dense(4))


def images(*inner: Any) -> Any:
    return stacked(*inner, shape=(6, 6, 2))


def convolutions(hp: Any) -> Any:
    return images(
        layers.Conv2D(units(hp), int(hp.Choice("kernel", [3, 5])), padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.SpatialDropout2D(0.3),
        layers.Conv2D(units(hp, "b"), 2, activation="sigmoid"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(units(hp, "c"), activation="relu"),
    )


def depthwise(hp: Any) -> Any:
    return images(
        layers.Conv2D(units(hp), 1, use_bias=False),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=int(hp.Int("multiplier", 1, 2)), activation="relu"),
        layers.SeparableConv2D(units(hp, "b"), 3, activation="tanh"),
        layers.UpSampling2D(),
        layers.GlobalAveragePooling2D(),
    )


def reshaped(hp: Any) -> Any:
    return stacked(
        layers.Reshape((-1, 2)),
        layers.Conv1D(units(hp), 1),
        layers.Permute((2, 1)),
        layers.PReLU(),
        layers.Reshape((-1,)),
        layers.Dense(4),
    )


def repeated(hp: Any) -> Any:
    return stacked(layers.Dense(units(hp)), layers.RepeatVector(3), layers.Conv1D(4, 2), layers.GlobalMaxPooling1D())


def recurrent(kind: str, **fixed: Any) -> Build:
    def build(hp: Any) -> Any:
        inner = getattr(layers, kind)(units(hp), return_sequences=True, **fixed)
        return stacked(inner, getattr(layers, kind)(units(hp, "b")), shape=(5, 3))

    return build


def both_ways(hp: Any) -> Any:
    embedding = layers.Embedding(11, units(hp, "e"), mask_zero=True)
    inner = layers.Bidirectional(layers.LSTM(units(hp), return_sequences=True))
    steps = layers.TimeDistributed(layers.Dense(units(hp, "b"), activation="tanh"))
    return stacked(embedding, inner, steps, layers.GRU(3), shape=(5,), dtype="int32")


def attentive(hp: Any) -> Any:
    tokens = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(11, units(hp, "e"))(tokens)
    heads, width = int(hp.Int("heads", 1, 3)), int(hp.Int("key_dim", 1, 4))
    attended = layers.MultiHeadAttention(heads, width, dropout=0.2)(embedded, embedded)
    joined = layers.LayerNormalization()(layers.Add()([embedded, attended]))
    again = layers.MultiHeadAttention(heads, width)(joined, joined)
    inner = layers.Dense(units(hp, "f"), activation="gelu")(again * 0.5)
    pooled = layers.GlobalAveragePooling1D()(inner)
    return ended(keras.Model(tokens, layers.Dense(CLASSES, activation="softmax")(pooled)))


def grouped(hp: Any) -> Any:
    width = 4 * int(hp.Int("units", 1, 3))
    return images(
        layers.Conv2D(width, 1, use_bias=False),
        layers.GroupNormalization(4),
        layers.UnitNormalization(),
        layers.Flatten(),
    )


def two(**values: tuple[Any, ...]) -> list[dict[str, Any]]:
    count = len(next(iter(values.values())))
    return [{name: each[i] for name, each in values.items()} for i in range(count)]


DENSE = two(units=(3, 8), b=(7, 2))
ACTIVATIONS = ("sigmoid", "softplus", "exponential", "hard_sigmoid", "elu", "gelu", "selu")
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda hp: optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.5),
    "AdamW": lambda hp: optimizers.AdamW(float(hp.Float("rate", 1e-3, 1e-1)), weight_decay=0.1, global_clipnorm=0.5),
    "Nadam": lambda hp: optimizers.Nadam(1e-2),
    "Adamax": lambda hp: optimizers.Adamax(1e-2),
    "RMSprop": lambda hp: optimizers.RMSprop(1e-2, centered=True, momentum=0.5),
    "Adagrad": lambda hp: optimizers.Adagrad(1e-1),
    "Adadelta": lambda hp: optimizers.Adadelta(1.0),
    "Lion": lambda hp: optimizers.Lion(1e-3),
    "Lamb": lambda hp: optimizers.Lamb(1e-2),
    "scaled": lambda hp: optimizers.LossScaleOptimizer(optimizers.Adam(1e-2)),
}
LAYERS: dict[str, Callable[[Any], Any]] = {
    "LayerNormalization": lambda hp: layers.LayerNormalization(),
    "LayerNormalization bare": lambda hp: layers.LayerNormalization(center=False, scale=False),
    "RMSNormalization": lambda hp: layers.RMSNormalization(),
    "Dropout": lambda hp: layers.Dropout(float(hp.Float("dropout", 0.1, 0.6))),
    "GaussianNoise": lambda hp: layers.GaussianNoise(0.3),
    "GaussianDropout": lambda hp: layers.GaussianDropout(0.3),
    "AlphaDropout": lambda hp: layers.AlphaDropout(0.3),
    "Rescaling": lambda hp: layers.Rescaling(0.5, offset=1.0),
    "LeakyReLU": lambda hp: layers.LeakyReLU(0.2),
}
CASES: dict[str, tuple[Build, list[dict[str, Any]], Any]] = {
    **{f"activation {name}": (with_activation(name), DENSE, ROWS) for name in ACTIVATIONS},
    **{f"layer {name}": (with_layer(make), DENSE, ROWS) for name, make in LAYERS.items()},
    **{f"optimizer {name}": (with_optimizer(make), DENSE, ROWS) for name, make in OPTIMIZERS.items()},
    "layer BatchNormalization": (batch_normalized, DENSE, ROWS),
    "chosen activations": (
        chosen_activations,
        two(units=(3, 8, 5, 2, 4), activation=("relu", "tanh", "sigmoid", "exponential", "gelu")),
        ROWS,
    ),
    "convolutions": (convolutions, two(units=(3, 5, 2), kernel=(3, 5, 3), b=(2, 4, 5), c=(4, 3, 5)), IMAGES),
    "depthwise": (depthwise, two(units=(3, 2, 4), multiplier=(1, 2, 2), b=(4, 3, 2)), IMAGES),
    "reshaped": (reshaped, two(units=(3, 2, 4)), ROWS),
    "repeated": (repeated, two(units=(3, 2, 4)), ROWS),
    "grouped": (grouped, two(units=(1, 3, 2)), IMAGES),
    "LSTM": (recurrent("LSTM", dropout=0.2, recurrent_dropout=0.2), two(units=(3, 2, 4), b=(4, 2, 3)), SERIES),
    "GRU": (recurrent("GRU", dropout=0.2, recurrent_dropout=0.2), two(units=(3, 2, 4), b=(4, 2, 3)), SERIES),
    "both ways": (both_ways, two(e=(2, 4, 3), units=(3, 2, 4), b=(4, 2, 3)), TOKENS),
    "attentive": (attentive, two(e=(2, 4, 4), heads=(1, 3, 2), key_dim=(4, 2, 1), f=(4, 2, 3)), TOKENS),
}


def compared(name: str) -> dict[str, Any]:
    """One case as a line."""
    build, lanes, x = CASES[name]
    count = exactness.SOME if name in PARTIAL else exactness.SAMPLES
    judged = {} if name.startswith("optimizer") else {"validation_split": 0.25}  # an optimizer has no part in it
    data = Data.of(x[:count], exactness.TARGETS[:count], **judged)
    team = [Member(key=MemberKey(i, 5 + i % 2, 0), values=values) for i, values in enumerate(lanes)]
    recipe = Recipe(build, {"batch_size": exactness.BATCH})
    return {"case": name, **exactness.both_ways(recipe, recipe, data, team, exactness.EPOCHS)}


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    for count, wanted in enumerate(sys.argv[1:] or CASES, start=1):
        print(json.dumps(exactness.line_for(wanted, lambda case=wanted: compared(case))), flush=True)
        exactness.forget(count)
