"""One compiled program: one epoch of many lanes, and their validation.

The loop over batches is outside, the lanes inside it: `loop(vmap(step))`. So how many batches to train and whether to
validate are plain inputs, the same for all lanes, and one program also trains a few batches for a check.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common.stateless_scope import StatelessScope

from dialed.engine.fused.mesh import LANES, SAME, over_devices
from dialed.engine.fused.order import Split
from dialed.engine.fused.padding.padding import Padding
from dialed.engine.fused.sites import Sites
from dialed.engine.fused.tracing import Batch, State, Step, shapes_of, trace_test, trace_train

__all__ = [
    "Control",
    "Feed",
    "Layout",
    "Logs",
    "Program",
    "Steps",
    "epoch_of",
    "fresh_metrics",
    "rows_of",
    "trace_steps",
]


class Feed(NamedTuple):
    """The data, whole, and which rows make which batch.

    `order` is (full, batch) for all lanes, or (lanes, full, batch) for each; `rest` the same without `full`.
    """

    data: Batch
    order: Any
    rest: Any
    validation: Batch | None
    validation_order: Any
    validation_rest: Any


class Control(NamedTuple):
    """Which full batches to train, from `first` up to before `full`; whether to train the smaller last one; whether to
    validate. An epoch may be trained in pieces: the metrics go on from one to the next.
    """

    first: Any
    full: Any
    rest: Any
    validate: Any


class Logs(NamedTuple):
    """What one epoch measured: one array of shape (lanes,) for each name; the loss of the first batch."""

    training: list[Any]
    validation: list[Any]
    first_loss: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The shapes of a program. `shared` says that all lanes take the samples in the same order, which is cheaper.

    `stepwise` says that its batches are calls from Python. The places are spread over `devices`, evenly.
    """

    lanes: int
    training: Split
    validation: Split | None
    shared: bool
    stepwise: bool = False
    devices: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """A template's steps for the batches of a layout: full and smaller, in training and in validation."""

    train: Step | None
    train_rest: Step | None
    test: Step | None
    test_rest: Step | None
    fresh_metrics: list[np.ndarray]

    @property
    def names(self) -> tuple[str, ...]:
        """What training measures."""
        step = self.train or self.train_rest
        return step.names if step else ()

    @property
    def validation_names(self) -> tuple[str, ...]:
        """What validation measures."""
        step = self.test or self.test_rest
        return step.names if step else ()


def trace_steps(
    model: keras.Model,
    sites: Sites,
    padding: Padding,
    data: Batch,
    training: Split,
    validation: tuple[Batch, Split] | None,
    *,
    traced: Step | None = None,
    convolutions: bool = True,
) -> Steps:
    """Trace what an epoch needs. The model's loss and metrics must be built.

    `traced` is its step for a full batch of training, if that is known already. `convolutions` says whether they are
    replaced.
    """

    def train(rows: int) -> Step | None:
        if traced is not None and rows == training.batch_size:
            return traced
        if not rows:
            return None
        return trace_train(model, sites, shapes_of(data, rows), padding, convolutions=convolutions)

    def test(rows: int) -> Step | None:
        if not rows or validation is None:
            return None
        return trace_test(model, sites, shapes_of(validation[0], rows), padding, convolutions=convolutions)

    judged = validation[1] if validation else Split(0, 1)
    return Steps(
        train=train(training.batch_size if training.full else 0),
        train_rest=train(training.rest),
        test=test(judged.batch_size if judged.full else 0),
        test_rest=test(judged.rest),
        fresh_metrics=fresh_metrics(model),
    )


def fresh_metrics(model: keras.Model) -> list[np.ndarray]:
    """The values of the metrics' variables at the beginning of an epoch."""
    with StatelessScope() as scope:
        model.reset_metrics()
    values = [scope.get_current_value(v) for v in model.metrics_variables]
    pairs = zip(values, model.metrics_variables, strict=True)
    return [
        np.asarray(v.value if value is None else value, keras.backend.standardize_dtype(v.dtype)) for value, v in pairs
    ]


def epoch_of(steps: Steps, layout: Layout) -> Any:
    """The function that a program compiles: (state, numbers, feed, control) -> (state, logs)."""

    def epoch(state: State, numbers: Any, feed: Feed, control: Control) -> tuple[State, Logs]:
        state = _with_fresh_metrics(state, steps, layout.lanes, where=control.first == 0)
        state, training, first = _train(state, numbers, feed, control, steps, layout)

        def judge(state: State) -> tuple[State, list[Any]]:
            return _validate(state, numbers, feed, steps, layout)

        if layout.validation is None:
            return state, Logs(training, [], first)
        zeros = _zeros(steps.test or steps.test_rest, layout.lanes)
        state, validation = jax.lax.cond(control.validate, judge, lambda state: (state, zeros), state)
        return state, Logs(training, validation, first)

    return epoch


def _train(
    state: State, numbers: Any, feed: Feed, control: Control, steps: Steps, layout: Layout
) -> tuple[State, list[Any], Any]:
    logs = _zeros(steps.train or steps.train_rest, layout.lanes)
    first = jnp.zeros((layout.lanes,), logs[0].dtype)
    if steps.train is not None:
        full = _over_lanes(steps.train, layout)

        def one(i: Any, carry: Any) -> Any:
            state, _, first = carry
            logs, state = full(state, rows_of(feed.data, _nth(feed.order, i, layout)), numbers)
            return state, logs, jnp.where(i == 0, logs[0], first)

        state, logs, first = jax.lax.fori_loop(control.first, control.full, one, (state, logs, first))
    if steps.train_rest is not None:
        rest = _over_lanes(steps.train_rest, layout)

        def last(carry: Any) -> Any:
            state, _, first = carry
            logs, state = rest(state, rows_of(feed.data, feed.rest), numbers)
            return state, logs, jnp.where(control.full == 0, logs[0], first)

        state, logs, first = jax.lax.cond(control.rest, last, lambda carry: carry, (state, logs, first))
    return state, logs, first


def _validate(state: State, numbers: Any, feed: Feed, steps: Steps, layout: Layout) -> tuple[State, list[Any]]:
    trainable, other, optimizer, metrics = _with_fresh_metrics(state, steps, layout.lanes)
    judged = (trainable, other, metrics)
    logs = _zeros(steps.test or steps.test_rest, layout.lanes)
    assert feed.validation is not None and layout.validation is not None
    data = feed.validation
    if steps.test is not None:
        full = _over_lanes(steps.test, layout)

        def one(i: Any, carry: Any) -> Any:
            judged, _ = carry
            logs, judged = full(judged, rows_of(data, _nth(feed.validation_order, i, layout)), numbers)
            return judged, logs

        judged, logs = jax.lax.fori_loop(0, layout.validation.full, one, (judged, logs))
    if steps.test_rest is not None:
        rest = _over_lanes(steps.test_rest, layout)
        logs, judged = rest(judged, rows_of(data, feed.validation_rest), numbers)
    trainable, other, metrics = judged
    return (trainable, other, optimizer, metrics), logs


def _over_lanes(step: Step, layout: Layout) -> Any:
    return jax.vmap(step, in_axes=(0, None if layout.shared else 0, 0))


def _nth(order: Any, i: Any, layout: Layout) -> Any:
    return jax.lax.dynamic_index_in_dim(order, i, axis=0 if layout.shared else 1, keepdims=False)


def rows_of(data: Batch, rows: Any) -> Batch:
    """The rows of all lanes, (batch, ...), or of each, (lanes, batch, ...)."""
    taken: Batch = jax.tree.map(lambda a: a.at[rows].get(mode="promise_in_bounds"), data)
    return taken


def _with_fresh_metrics(state: State, steps: Steps, lanes: int, where: Any = True) -> State:
    trainable, other, optimizer, metrics = state
    fresh = [jnp.broadcast_to(jnp.asarray(v), (lanes, *v.shape)) for v in steps.fresh_metrics]
    return trainable, other, optimizer, [jnp.where(where, new, old) for new, old in zip(fresh, metrics, strict=True)]


def _zeros(step: Step | None, lanes: int) -> list[Any]:
    assert step is not None
    avals = step.program.out_avals[: len(step.names)]
    return [jnp.zeros((lanes, *a.shape), a.dtype) for a in avals]


def _options() -> dict[str, str | bool] | None:
    """On a CPU, one level of optimisation less than XLA's own choice.

    A fifth to a half of the time to compile is saved (transformer 4.9 to 2.1 CPU seconds), and epochs are as fast and give
    the same numbers: measured for perceptrons, LSTMs, transformers and convolutions.
    """
    return {"xla_backend_optimization_level": "2"} if jax.default_backend() == "cpu" else None


def _spread(steps: Steps, layout: Layout) -> Any:
    """`epoch_of`, by each device for its part of the lanes."""
    if layout.devices == 1:
        return epoch_of(steps, layout)
    each = SAME if layout.shared else LANES
    part = epoch_of(steps, replace(layout, lanes=layout.lanes // layout.devices, devices=1))
    return over_devices(
        part, takes=(LANES, LANES, Feed(SAME, each, each, SAME, each, each), SAME), gives=(LANES, LANES)
    )


class Program:
    """An epoch that can be compiled; run only once it is.

    Args:
        steps: What its lanes do.
        layout: Its shapes.
        state, numbers, feed: Examples of its inputs: arrays, or shapes.
    """

    def __init__(self, steps: Steps, layout: Layout, state: State, numbers: Any, feed: Feed) -> None:
        self.steps = steps
        self.layout = layout
        function = jax.jit(_spread(steps, layout), donate_argnums=0)
        self._lowered: Any = function.lower(state, numbers, feed, self.control(validate=True))
        self._compiled: Any = None

    def compile(self) -> Program:
        """Compile, in any thread."""
        self._compiled, self._lowered = self._lowered.compile(compiler_options=_options()), None
        return self

    @cached_property
    def working_bytes(self) -> int:
        """What a run takes on the device beside its inputs, as the compiler says; 0 where it does not say."""
        told = self._compiled.memory_analysis()  # takes milliseconds
        if told is None:
            return 0
        return max(0, int(told.temp_size_in_bytes + told.output_size_in_bytes - told.alias_size_in_bytes))

    def control(self, *, validate: bool, batches: int | None = None) -> Control:
        """A whole epoch, or its first full `batches`."""
        full = self.layout.training.full if batches is None else batches
        return Control(np.int32(0), np.int32(full), np.bool_(batches is None), np.bool_(validate))

    def piece(self, first: int, until: int) -> Control:
        """The full batches from `first` up to before `until`."""
        return Control(np.int32(first), np.int32(until), np.bool_(False), np.bool_(False))

    def last_piece(self, first: int, *, validate: bool) -> Control:
        """What is left of an epoch from the full batch `first` on."""
        return Control(np.int32(first), np.int32(self.layout.training.full), np.bool_(True), np.bool_(validate))

    def run(self, state: State, numbers: Any, feed: Feed, control: Control) -> tuple[State, Logs]:
        """Train. `state` is used up: it must not be read afterwards."""
        result: tuple[State, Logs] = self._compiled(state, numbers, feed, control)
        return result
