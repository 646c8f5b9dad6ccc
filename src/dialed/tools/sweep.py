"""Training while one number of the optimizer rises from batch to batch: the loss of each batch, exactly.

Two ways to the same curves. With Keras on JAX and a build function, all seeds are lanes of one compiled program: Keras's
own step, mapped over the seeds, in a loop over batches. Everywhere else `train_on_batch`, seed after seed.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dialed.backend import backend_facts
from dialed.engine.assignment import Assignment
from dialed.engine.building import ensure_built
from dialed.engine.data import Data
from dialed.engine.fused.order import BatchOrder, Split, draws_before_training
from dialed.engine.recipe import Recipe, check_compiled
from dialed.engine.samples import Samples
from dialed.engine.seeding import numpy_state, preserved, seeded
from dialed.engine.state import capture, restore
from dialed.errors import DataError
from dialed.tools.numbers import check_number, number_set
from dialed.tools.suggestions import smoothed, until_divergence
from dialed.trial import Objective

__all__ = ["JUDGED_ROWS", "Curves", "Plan", "full_batches", "left_as_it_was", "sweep_build", "sweep_model"]

_log = logging.getLogger("dialed")

Floats = NDArray[np.float64]

PIECES = 20
"""A sweep is run in so many pieces. Between two, the validation loss is taken, and a diverged sweep ends."""

JUDGED_ROWS = 1024
"""Of the validation data so many samples judge each piece: enough for a curve, and cheap beside the training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is swept over.

    Args:
        number: The optimizer's number: "learning_rate", "weight_decay", "momentum", ...
        values: Rising, (steps,).
        batch_size: Samples of a batch.
        smoothing: For noticing divergence: see `suggestions.smoothed`.
    """

    number: str
    values: Floats
    batch_size: int
    smoothing: float

    @property
    def pieces(self) -> list[slice]:
        """The steps in pieces."""
        edges = np.unique(np.linspace(0, len(self.values), PIECES + 1).astype(int))
        return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]

    def is_over(self, losses: Floats) -> bool:
        """Whether every row of `losses`, (seeds, steps so far), has diverged."""
        values = self.values[: losses.shape[1]]
        return all(until_divergence(_known(smoothed(values, row, self.smoothing), row)) < len(row) for row in losses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """What was measured.

    Args:
        losses: The loss of each batch before its step, (seeds, steps); NaN beyond the end of the sweep.
        judged: The validation loss at the end of each piece, (seeds, pieces), NaN likewise; `None` without such data.
        way: How it was trained, for people.
    """

    losses: Floats
    judged: Floats | None
    way: str


def _known(smooth: Floats, losses: Floats) -> Floats:
    """A smooth curve that is as infinite as what it was made of."""
    return np.where(np.isfinite(losses), smooth, np.inf)


def sweep_build(recipe: Recipe, data: Data, plan: Plan, seeds: Sequence[int], values: dict[str, Any]) -> Curves:
    """Sweep over models that `recipe` builds from `values`, one for each of `seeds`.

    Raises:
        InvalidInputError: The model has no such number, or a schedule sets it.
        MemberFailed: The model cannot be built.
    """
    recipe.look_at(data)
    if backend_facts().name == "jax" and data.kind == "arrays":
        from dialed.tools.lanes import NoLanes, sweep_lanes

        try:
            with preserved():
                return sweep_lanes(_assignment(recipe, data), plan, seeds, values)
        except NoLanes as reason:
            _log.info("The sweep trains seed after seed: %s", reason)
    return _together([_alone(recipe, data, plan, seed, values) for seed in seeds], plan)


def sweep_model(model: keras.Model, data: Data, plan: Plan, seeds: Sequence[int]) -> Curves:
    """Sweep with a compiled model, from its present state, once for each of `seeds`: those draw the batches.

    Afterwards the model is as it was, to the last bit: weights, optimizer, metrics, seed generators. So are the random
    generators of the process.
    """
    check_compiled(model)
    ensure_built(model, data.fold(0), plan.batch_size)
    check_number(model, plan.number)
    curves = []
    for seed in seeds:
        with left_as_it_was(model), seeded(seed):
            curves.append(_swept(model, data, plan))
    return _together(curves, plan)


def _assignment(recipe: Recipe, data: Data) -> Assignment:
    from dialed.clock import SystemClock

    objective = Objective(name="loss", direction="min")
    return Assignment(recipe=recipe, data=data, objective=objective, checkpoints=_Nowhere(), clock=SystemClock())


class _Nowhere:
    """Where nothing is kept: a sweep has no checkpoints."""

    def save(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("A sweep keeps no checkpoints: this is a bug in Dialed.")

    load = save


def _alone(recipe: Recipe, data: Data, plan: Plan, seed: int, values: dict[str, Any]) -> tuple[Floats, Floats]:
    with seeded(seed):
        realised = recipe.realise(values, seed, fold=0)
        model, own = realised.model, realised.fold
        if own is not None:  # what a search prepares for it
            data = Data.of(own.x, own.y, sample_weight=own.sample_weight, validation_data=own.validation)
        looks = draws_before_training(model)
        ensure_built(model, data.fold(0), plan.batch_size)
        check_number(model, plan.number)
        return _swept(model, data, plan, looks=looks)


@contextmanager
def left_as_it_was(model: keras.Model) -> Iterator[None]:
    """Whatever is trained inside, a built model has its state back afterwards, and so have the random generators."""
    before = capture(model, (), {})
    metrics = [np.array(keras.ops.convert_to_numpy(v.value)) for v in model.metrics_variables]
    try:
        yield
    finally:
        restore(before, model, ())
        for variable, value in zip(model.metrics_variables, metrics, strict=False):
            variable.assign(value)
        if len(metrics) != len(model.metrics_variables):  # built by the first batch: as good as new
            model.reset_metrics()


def _swept(model: keras.Model, data: Data, plan: Plan, *, looks: bool = False) -> tuple[Floats, Floats]:
    """The losses, and the validation losses, of one model; `looks` says whether `fit` would draw an order in advance."""
    batches = full_batches(data, plan.batch_size, drop_first=looks)
    held_out = _judging(data)
    losses: list[float] = []
    judged: list[float] = []
    with number_set(model, plan.number) as put:
        for piece in plan.pieces:
            for value in plan.values[piece]:
                put(float(value))
                model.reset_metrics()
                logs = model.train_on_batch(*next(batches), return_dict=True)
                losses.append(float(logs["loss"]))
            if held_out is not None:
                model.reset_metrics()
                judged.append(float(model.test_on_batch(*held_out, return_dict=True)["loss"]))
            if not np.isfinite(losses[-1]) or plan.is_over(np.array([losses])):
                break
    return np.array(losses), np.array(judged)


def full_batches(data: Data, batch_size: int, *, drop_first: bool) -> Iterator[tuple[Any, ...]]:
    """Full batches without end, in the order in which `fit` would take them: x, y, weights."""
    fold = data.fold(0)
    if not isinstance(data.training, Samples):
        yield from _stream(fold.x)
        return
    parts = (fold.x, fold.y, fold.sample_weight)
    order = BatchOrder(Split(int(fold.samples or 0), batch_size), shuffle=True, state=numpy_state())
    if drop_first:
        order.drop_first()
    while True:
        for rows in order.split.cut(order.draw())[0]:
            yield tuple(_taken(part, rows) for part in parts)


def _taken(part: Any, rows: Any) -> Any:
    return None if part is None else keras.tree.map_structure(lambda array: array[rows], part)


def _stream(source: Any) -> Iterator[tuple[Any, ...]]:
    """The batches of a dataset, again and again."""
    from keras.src.trainers.data_adapters import get_data_adapter

    while True:
        count = 0
        for batch in get_data_adapter(source).get_numpy_iterator():
            count += 1
            yield tuple(batch)
        if not count:
            raise DataError("`x` must yield at least one batch. Got a dataset without any.")


def _judging(data: Data) -> tuple[Any, ...] | None:
    held_out = data.fold(0).validation
    if held_out is None or not isinstance(held_out, tuple):
        return None
    return tuple(_taken(part, slice(JUDGED_ROWS)) for part in held_out)


def _together(curves: Sequence[tuple[Floats, Floats]], plan: Plan) -> Curves:
    rows = [_filled(losses, len(plan.values)) for losses, _ in curves]
    judged = [_filled(values, len(plan.pieces)) for _, values in curves]
    has_judged = any(len(values) for _, values in curves)
    return Curves(losses=np.array(rows), judged=np.array(judged) if has_judged else None, way="one seed after another")


def _filled(values: Floats, length: int) -> Floats:
    filled = np.full(length, np.nan)
    filled[: len(values)] = values
    return filled
