"""Fused lanes against `model.fit`, case by case, in float64. Run as a script; prints one JSON object a line.

Each case is a builder and the values of its lanes, which differ from each other. Both engines train the same members and
write checkpoints; metrics of each epoch and all arrays of the last checkpoints are compared.
"""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import callback_cases
import jax
import keras
import numpy as np
from keras import layers, losses, optimizers, regularizers

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.recipe import Recipe
from dialed.events import Built
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective, Report

FEATURES, CLASSES, EPOCHS, KEPT = 6, 3, 2, 8
RANDOM = np.random.default_rng(0)
SAMPLES, SOME, BATCH = 64, 56, 16
"""All samples make full batches, in training and in validation: two programs to compile for each `fit`, and not five."""
ROWS = RANDOM.normal(size=(SAMPLES, FEATURES))
LABELS = RANDOM.integers(0, CLASSES, SAMPLES)
TARGETS = np.eye(CLASSES)[LABELS]
TOKENS = RANDOM.integers(0, 11, size=(SAMPLES, 5))
PARTIAL = frozenset({"rich", "normalized", "recurrent", "convolutional", "two outputs", "weighted", "many metrics"})
"""The cases whose last batches are not full."""
schedules = optimizers.schedules


def dense(
    *inner: Any, optimizer: Any = "sgd", loss: Any = "categorical_crossentropy", metrics: Any = ("accuracy",)
) -> Any:
    model = keras.Sequential([keras.Input((FEATURES,)), *inner, layers.Dense(CLASSES, activation="softmax")])
    model.compile(optimizer() if callable(optimizer) else optimizer, loss, metrics=list(metrics))
    return model


def plain(optimizer: Any, **options: Any) -> Any:
    return dense(layers.Dense(5, activation="tanh"), optimizer=optimizer, **options)


def layered(*made: Any) -> Any:
    return dense(layers.Dense(5), *made, optimizer=optimizers.SGD(0.1))


def optimized(kind: str, rate: float = 1e-2, **fixed: Any) -> Callable[[Any], Any]:
    """The optimizer `kind` with all the numbers of a lane."""
    return lambda v: plain(getattr(optimizers, kind)(learning_rate=v.pop("lr", rate), **v, **fixed))


def scheduled(kind: str, **fixed: Any) -> Callable[[Any], Any]:
    return lambda v: plain(optimizers.Adam(getattr(schedules, kind)(**v, **fixed)))


def with_loss(kind: str) -> Callable[[Any], Any]:
    return lambda v: dense(layers.Dense(5), optimizer=optimizers.SGD(0.1), loss=getattr(losses, kind)(**v))


def functional(v: dict[str, Any]) -> Any:
    inputs = keras.Input((FEATURES,))
    left = layers.Dense(4, activation="relu", kernel_regularizer=regularizers.L1L2(v["l1"], v["l2"]))(inputs)
    right = layers.LayerNormalization(epsilon=v["epsilon"])(layers.Dense(4)(inputs))
    joined = layers.Dropout(v["rate"])(layers.Add()([left, right * 0.5]))
    model = keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(joined))
    model.compile(optimizers.AdamW(v["lr"], weight_decay=v["decay"]), "categorical_crossentropy", metrics=["accuracy"])
    return model


def recurrent(v: dict[str, Any]) -> Any:
    inner = [layers.Embedding(11, 4), layers.LSTM(3, recurrent_dropout=0.2, dropout=v["rate"]), layers.Dense(CLASSES)]
    model = keras.Sequential([keras.Input((5,), dtype="int32"), *inner, layers.Softmax()])
    model.compile(optimizers.RMSprop(v["lr"]), "categorical_crossentropy")
    return model


def attentive(v: dict[str, Any]) -> Any:
    tokens = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(11, 4)(tokens)
    attended = layers.MultiHeadAttention(2, 2, dropout=v["rate"])(embedded, embedded)
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(embedded + attended))
    model = keras.Model(tokens, layers.Dense(CLASSES, activation="softmax")(pooled))
    model.compile(optimizers.Adam(v["lr"]), "categorical_crossentropy")
    return model


def convolutional(v: dict[str, Any]) -> Any:
    inner = [
        layers.Reshape((FEATURES, 1)),
        layers.Conv1D(3, 3, padding="same", activation="relu"),
        layers.MaxPooling1D(),
    ]
    return dense(*inner, layers.Flatten(), layers.Dropout(v["rate"]), optimizer=optimizers.Adam(v["lr"]))


def branched(v: dict[str, Any]) -> Any:
    inputs = keras.Input((FEATURES,), name="row")
    shared = layers.Dropout(v["rate"])(layers.Dense(4, activation="relu")(inputs))
    outputs = {"class": layers.Dense(CLASSES, activation="softmax")(shared), "size": layers.Dense(1)(shared)}
    model = keras.Model({"row": inputs}, outputs)
    model.compile(
        optimizers.Adam(v["lr"]),
        {"class": "categorical_crossentropy", "size": losses.Huber(v["delta"])},
        loss_weights={"class": 1.0, "size": 0.5},
        metrics={"class": ["accuracy"], "size": ["mae"]},
    )
    return model


def unbuilt(v: dict[str, Any]) -> Any:
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dropout(v["rate"]), layers.Dense(CLASSES)])
    model.compile(optimizers.Adam(v["lr"]), losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


class Slanted(layers.Layer):
    """A user's layer with a number of its own."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def call(self, inputs: Any) -> Any:
        return keras.ops.where(inputs > 0, inputs, inputs * self.slope if self.slope > 0.2 else -inputs)


class Telling(keras.Sequential):
    """A train step of the user's own, in JAX's style, that tells more than its metrics."""

    def train_step(self, state: Any, data: Any) -> Any:
        logs, state = super().train_step(state, data)
        return {**logs, "doubled": 2 * logs["loss"]}, state


class Silent(keras.Sequential):
    """One whose logs have the metrics' names: `fit` then reports the metrics."""

    def train_step(self, state: Any, data: Any) -> Any:
        logs, state = super().train_step(state, data)
        return {name: 0.0 * value for name, value in logs.items()}, state


def stepping(kind: Any) -> Callable[[Any], Any]:
    def build(v: dict[str, Any]) -> Any:
        model = kind([keras.Input((FEATURES,)), layers.Dropout(v["rate"]), layers.Dense(CLASSES, activation="softmax")])
        model.compile(optimizers.SGD(v["lr"]), "categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


def pair(**values: tuple[Any, Any]) -> list[dict[str, Any]]:
    """Two lanes."""
    return [{name: both[i] for name, both in values.items()} for i in range(2)]


ADAM = {"beta_1": (0.9, 0.8), "beta_2": (0.99, 0.999), "epsilon": (1e-7, 1e-5)}
CASES: dict[str, tuple[Callable[[Any], Any], list[dict[str, Any]]]] = {
    "rich": (
        lambda v: dense(
            layers.GaussianNoise(v["noise"]),
            layers.Dense(5, kernel_regularizer=regularizers.L2(v["l2"])),
            layers.LeakyReLU(v["slope"]),
            layers.Dropout(v["rate"]),
            optimizer=optimizers.AdamW(v["lr"], weight_decay=v["decay"], beta_1=v["beta"], clipnorm=v["clip"]),
            loss=losses.CategoricalCrossentropy(label_smoothing=v["smoothing"]),
        ),
        [
            {
                "noise": 0.1 * k,
                "l2": 1e-3 * k,
                "slope": 0.1 * k,
                "rate": 0.2 * k,
                "lr": 1e-2 * k,
                "decay": 1e-2 * k,
                "beta": 0.95 - 0.1 * k,
                "clip": 0.5 * k,
                "smoothing": 0.1 * k,
            }
            for k in (1, 2, 3)
        ],
    ),
    "normalized": (
        lambda v: dense(
            # No bias: before a BatchNormalization no gradient reaches it but rounding, which Adam makes as large as any.
            layers.Dense(5, use_bias=False),
            layers.BatchNormalization(momentum=v["momentum"], epsilon=v["epsilon"]),
            optimizer=optimizers.Adam(v["lr"]),
        ),
        pair(momentum=(0.9, 0.7), epsilon=(1e-3, 1e-2), lr=(1e-2, 3e-2)),
    ),
    "quick": (
        lambda v: dense(
            layers.Dense(5, kernel_regularizer=regularizers.L2(v["l2"])),
            layers.LeakyReLU(v["slope"]),
            layers.Dropout(v["rate"]),
            optimizer=optimizers.AdamW(v["lr"], beta_1=v["beta"]),
            loss=losses.CategoricalCrossentropy(label_smoothing=v["smoothing"]),
        ),
        pair(
            l2=(1e-3, 1e-2), slope=(0.1, 0.3), rate=(0.2, 0.4), lr=(1e-2, 3e-2), beta=(0.9, 0.8), smoothing=(0.1, 0.2)
        ),
    ),
    "SGD": (optimized("SGD"), pair(lr=(1e-2, 1e-1))),
    "SGD momentum": (optimized("SGD", nesterov=True), pair(momentum=(0.5, 0.9), weight_decay=(0.1, 0.2))),
    "Adam": (optimized("Adam"), pair(**ADAM, lr=(1e-2, 3e-2))),
    "Adam amsgrad": (optimized("Adam", amsgrad=True), pair(beta_1=(0.9, 0.7), global_clipnorm=(0.1, 0.2))),
    "AdamW": (optimized("AdamW"), pair(**ADAM, weight_decay=(1e-2, 1e-1))),
    "Adamax": (optimized("Adamax"), pair(**ADAM)),
    "Nadam": (optimized("Nadam"), pair(**ADAM)),
    "Lamb": (optimized("Lamb"), pair(**ADAM)),
    "RMSprop": (optimized("RMSprop"), pair(rho=(0.9, 0.8), momentum=(0.5, 0.9), epsilon=(1e-7, 1e-5))),
    "Adagrad": (optimized("Adagrad"), pair(epsilon=(1e-7, 1e-3), initial_accumulator_value=(0.1, 0.2))),
    "Adadelta": (optimized("Adadelta"), pair(rho=(0.9, 0.8), clipvalue=(0.01, 0.02))),
    "Ftrl": (optimized("Ftrl", 0.1), pair(l1_regularization_strength=(1e-3, 1e-2), beta=(0.1, 0.2))),
    "Lion": (optimized("Lion", 1e-3), pair(beta_1=(0.9, 0.8), weight_decay=(1e-2, 1e-1))),
    "Adafactor": (optimized("Adafactor"), pair(beta_2_decay=(-0.8, -0.5), clip_threshold=(1.5, 0.5))),
    "Muon": (optimized("Muon"), pair(momentum=(0.95, 0.8))),
    "accumulated": (optimized("Adam"), pair(gradient_accumulation_steps=(2, 3))),
    "scaled loss": (optimized("SGD"), pair(loss_scale_factor=(8.0, 128.0), lr=(1e-2, 1e-1))),
    "ExponentialDecay": (
        scheduled("ExponentialDecay"),
        pair(initial_learning_rate=(0.1, 0.2), decay_steps=(2, 3), decay_rate=(0.5, 0.9)),
    ),
    "CosineDecay": (
        scheduled("CosineDecay", warmup_target=0.2),
        pair(initial_learning_rate=(0.1, 0.15), decay_steps=(5, 3), alpha=(0.1, 0.3), warmup_steps=(2, 1)),
    ),
    "CosineDecayRestarts": (
        scheduled("CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=2),
        pair(t_mul=(2.0, 1.0), m_mul=(0.9, 0.5)),
    ),
    "PolynomialDecay": (
        scheduled("PolynomialDecay", initial_learning_rate=0.1),
        pair(decay_steps=(3, 2), end_learning_rate=(0.01, 0.02), power=(1.5, 2.0)),
    ),
    "InverseTimeDecay": (
        scheduled("InverseTimeDecay", initial_learning_rate=0.1),
        pair(decay_steps=(3, 2), decay_rate=(0.5, 0.7)),
    ),
    "AlphaDropout": (lambda v: layered(layers.AlphaDropout(**v)), pair(rate=(0.2, 0.5))),
    "SpatialDropout": (
        lambda v: layered(layers.Reshape((5, 1)), layers.SpatialDropout1D(**v), layers.Flatten()),
        pair(rate=(0.2, 0.5)),
    ),
    "GaussianNoise": (lambda v: layered(layers.GaussianNoise(**v)), pair(stddev=(0.2, 0.5))),
    "LayerNormalization": (lambda v: layered(layers.LayerNormalization(**v)), pair(epsilon=(1e-3, 1e-1))),
    "GroupNormalization": (lambda v: layered(layers.GroupNormalization(-1, **v)), pair(epsilon=(1e-3, 1e-1))),
    "ELU": (lambda v: layered(layers.ELU(**v)), pair(alpha=(0.5, 2.0))),
    "ReLU": (lambda v: layered(layers.ReLU(**v)), pair(max_value=(0.5, 2.0), negative_slope=(0.1, 0.2))),
    "activity": (
        lambda v: layered(layers.ActivityRegularization(**v)),
        pair(l1=(1e-3, 1e-2), l2=(1e-3, 1e-2)),
    ),
    "constraint": (
        lambda v: dense(
            layers.Dense(5, kernel_constraint=keras.constraints.MaxNorm(**v)), optimizer=optimizers.SGD(0.5)
        ),
        pair(max_value=(0.5, 0.2)),
    ),
    "user layer": (lambda v: layered(Slanted(**v)), pair(slope=(0.5, 0.3))),
    "focal": (with_loss("CategoricalFocalCrossentropy"), pair(alpha=(0.25, 0.5), gamma=(2.5, 1.5))),
    "huber": (with_loss("Huber"), pair(delta=(0.1, 0.5))),
    "functional": (
        functional,
        pair(
            l1=(1e-3, 1e-2), l2=(1e-3, 1e-2), epsilon=(1e-3, 1e-2), rate=(0.2, 0.4), lr=(1e-2, 2e-2), decay=(0.1, 0.2)
        ),
    ),
    "recurrent": (recurrent, pair(rate=(0.2, 0.4), lr=(1e-2, 2e-2))),
    "attentive": (attentive, pair(rate=(0.2, 0.4), lr=(1e-2, 2e-2))),
    "convolutional": (convolutional, pair(rate=(0.2, 0.4), lr=(1e-2, 2e-2))),
    "two outputs": (branched, pair(rate=(0.2, 0.4), lr=(1e-2, 2e-2), delta=(0.5, 0.2))),
    "unbuilt": (unbuilt, pair(rate=(0.2, 0.4), lr=(1e-2, 2e-2))),
    "many metrics": (
        lambda v: plain(
            optimizers.SGD(**v),
            metrics=["accuracy", keras.metrics.AUC(), "mae", keras.metrics.F1Score(average="macro")],
        ),
        pair(learning_rate=(1e-2, 1e-1)),
    ),
    "own step": (stepping(Telling), pair(rate=(0.2, 0.4), lr=(1e-2, 1e-1))),
    "own logs": (stepping(Silent), pair(rate=(0.2, 0.4), lr=(1e-2, 1e-1))),
    "GaussianDropout": (lambda v: layered(layers.GaussianDropout(v["rate"])), pair(rate=(0.2, 0.4))),
    "weighted": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    "classes weighted": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    "folds": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    "in order": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    "batch order": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    "seldom validated": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    "smaller than a batch": (optimized("SGD"), pair(lr=(1e-2, 1e-1), momentum=(0.5, 0.6))),
    **{name: (optimized("Adam"), pair(lr=(3e-2, 1e-1), beta_1=(0.9, 0.8))) for name in callback_cases.CALLBACKS},
    "meddling with widths": (
        lambda v: dense(layers.Dense(v["units"], activation="tanh"), optimizer=optimizers.Adam(v["lr"])),
        pair(units=(5, 7), lr=(3e-2, 1e-1)),
    ),
}
UPDATES = frozenset(
    name
    for name in CASES
    if name.startswith(("Ada", "Nadam", "Lamb", "RMS", "Ftrl", "Lion", "Muon", "SGD m", "accum", "scaled", "constr"))
    or name.endswith(("Decay", "Restarts"))
)
"""The cases of optimizers, schedules and constraints."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "classes weighted": {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
    "in order": {"shuffle": False},
    "batch order": {"shuffle": "batch"},
    "seldom validated": {"validation_freq": 2, "validation_batch_size": 5},
    "smaller than a batch": {"batch_size": 2 * SAMPLES},
    **{name: {"callbacks": made} for name, made in callback_cases.CALLBACKS.items()},
}


def data_for(name: str) -> Data:
    count = SOME if name in PARTIAL else SAMPLES
    x, y = (TOKENS if name in ("recurrent", "attentive") else ROWS)[:count], TARGETS[:count]
    if name == "two outputs":
        return Data.of({"row": x}, {"class": y, "size": x[:, :1]}, validation_split=0.25)
    if name == "quick":  # full batches and no validation: one step to compile
        return Data.of(x[: 2 * BATCH], y[: 2 * BATCH])
    if name in UPDATES:  # nothing of them is in a validation
        return Data.of(x, y)
    if name == "folds":
        return Data.of(x, y, cv=2)
    weights = np.linspace(0.5, 2.0, count) if name == "weighted" else None
    return Data.of(x, y, sample_weight=weights, validation_split=0.25)


def members(lanes: list[dict[str, Any]], folds: tuple[int, ...]) -> list[Member]:
    """Two seeds, so that orders and initial weights differ too; as many lanes for each as there are values."""
    keys = [MemberKey(i, 5 + i % 2, fold) for i in range(len(lanes)) for fold in folds]
    return [Member(key=key, values={"lane": key.trial}) for key in keys]


def trained(engine_of: Callable[[Any], Any], team: list[Member], epochs: int) -> Any:
    checkpoints = Checkpoints(Path(tempfile.mkdtemp()))
    metrics: dict[Any, float] = {}
    engines: set[str] = set()

    def on_report(progress: Any) -> bool:
        if isinstance(progress, Report):
            metrics.update({(progress.key, progress.epoch, name): value for name, value in progress.metrics.items()})
        if isinstance(progress, Built):
            engines.add(progress.engine)
        return False

    outcomes = list(engine_of(checkpoints).train(team, epochs, on_report))
    failures = [outcome.message for outcome in outcomes if outcome.message]
    arrays = {}
    metas: dict[Any, Any] = {(outcome.key, "state"): str(outcome.state) for outcome in outcomes}
    for outcome in outcomes:
        for kind, ref in (("last", outcome.last), ("best", outcome.best)):
            if ref is not None:
                loaded, meta = checkpoints.load(ref)
                arrays.update({(outcome.key, kind, name): array for name, array in loaded.items()})
                arrays[outcome.key, kind, "epoch"] = np.array(ref.epoch)
                metas[outcome.key, kind] = meta
    return metrics, arrays, engines, failures, metas


def compared(name: str, *, off_by: float = 0.0) -> dict[str, Any]:
    """One case as a line. `off_by` makes the fused lanes' numbers wrong: the comparison must notice."""
    make, lanes = CASES[name]

    def build_with(factor: float) -> Callable[[Any], Any]:
        def build(hp: Any) -> Any:
            values = lanes[int(hp.Int("lane", 0, len(lanes) - 1))]
            return make({k: v * factor if isinstance(v, float) else v for k, v in values.items()})

        return build

    data = data_for(name)
    arguments = {"batch_size": BATCH, **ARGUMENTS.get(name, {})}
    alone = Recipe(build_with(1.0), arguments)
    together = Recipe(build_with(1.0 + off_by), arguments)
    epochs = callback_cases.EPOCHS if name in callback_cases.CALLBACKS else EPOCHS
    return {"case": name, **both_ways(alone, together, data, members(lanes, data.folds), epochs)}


def both_ways(alone: Recipe, together: Recipe, data: Data, team: list[Member], epochs: int) -> dict[str, Any]:
    """What `team` differs by, between `alone` trained by `model.fit` and `together` in fused lanes."""
    options: dict[str, Any] = {
        "data": data,
        "objective": Objective(name="val_loss", direction="min"),
        "clock": SystemClock(),
    }

    def in_lanes(checkpoints: Checkpoints) -> FusedEngine:
        assignment = Assignment(recipe=together, checkpoints=checkpoints, **options)
        return FusedEngine(assignment, fallback=FitEngine(assignment))

    fit = trained(lambda c: FitEngine(Assignment(recipe=alone, checkpoints=c, **options)), team, epochs)
    fused = trained(in_lanes, team, epochs)
    return {**difference(fit, fused), "engines": sorted(fused[2]), "failures": fused[3] + fit[3]}


def difference(fit: Any, fused: Any) -> dict[str, Any]:
    metrics = max((abs(value - fused[0].get(key, np.inf)) for key, value in fit[0].items()), default=np.inf)
    numbers, equal, texts = 0.0, 0, fit[1].keys() == fused[1].keys()
    for key, array in fit[1].items():
        other = fused[1].get(key)
        if other is None or array.shape != other.shape or array.dtype.kind != other.dtype.kind:
            texts = False
        elif array.dtype.kind == "f" and array.size:
            numbers = max(numbers, float(np.abs(array - other).max()))
            equal += bool(np.array_equal(array, other))
        else:
            texts &= bool(np.array_equal(array, other))
    last = [value for key, value in sorted(fit[0].items(), key=str) if key[1] == EPOCHS and key[2] == "loss"]
    return {
        "metrics": float(metrics),
        "arrays": numbers,
        "bitwise": equal,
        "same": texts and fit[0].keys() == fused[0].keys() and alike(fit[4], fused[4]),
        "epochs": sorted({meta["epoch"] for meta in fit[4].values() if "epoch" in meta}),
        "spread": float(np.ptp(last)),
    }


def alike(one: Any, other: Any) -> bool:
    """Whether what checkpoints say beside arrays is the same, but for the last digits of numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol=1e-9, atol=1e-12))
    return bool(one == other)


def main(names: list[str]) -> None:
    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    for count, name in enumerate(names or list(CASES), start=1):
        case, control = name.removeprefix("control:"), name.startswith("control:")
        line = line_for(case, lambda case=case, c=control: compared(case, off_by=1e-6 * c))
        print(json.dumps({**line, "case": name}), flush=True)
        forget(count)


def forget(count: int) -> None:
    """Empty the caches after every `KEPT` cases: small programs, as of initial values, serve several cases."""
    if count % KEPT == 0:
        jax.clear_caches()


def line_for(case: str, compare: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The line of a case, or what it raised: one case does not stop the others."""
    try:
        return compare()
    except Exception as error:  # noqa: BLE001 - the test that reads the line fails by it
        return {"case": case, "error": "".join(traceback.format_exception(error))[-2000:]}


if __name__ == "__main__":
    main(sys.argv[1:])
