"""Whether a family's epochs are compiled loops, or loops in Python over compiled steps: measured where it may matter.

A compiled loop is the faster one nearly always: it needs no call for each batch. The exception are convolutions on a
CPU; whether it applies depends on channels, kernels and what else the model does. Where few lanes train, steps are never
slower than `model.fit` is; where they would train for long, a few batches of both are timed, and the faster is taken.

Measured on two AVX-512 cores, one lane, CPU seconds of 5 epochs after the first with `fit`, in a loop, as steps: two 3x3
convolutions of 64 channels 3.3, 3.9, 3.2; two 7x7 convolutions of 16 channels 1.9, 4.8, 1.7.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import jax
import keras

from dialed.clock import Clock
from dialed.engine.fused.capacity import Plan
from dialed.engine.fused.family import Family
from dialed.engine.fused.lane import Lane
from dialed.engine.fused.padding.buckets import Costs
from dialed.engine.fused.padding.work import multiplications
from dialed.engine.fused.shift import Shift

__all__ = ["convolves", "decide"]

_log = logging.getLogger("dialed")

WORTH_SECONDS = 20.0
"""Estimated training from which on a second compilation, of some 3 seconds, is paid to know the faster mode."""

ENOUGH_LANES = 4
"""Small convolutions of so many lanes in one program are one matrix product each: faster than calls of Python."""

LARGE_STEP = 2e7
"""Multiplications of one lane's step, forward, from which on XLA's own convolutions, outside a loop, are the faster for
any number of lanes. Two 3x3 convolutions of 16 and 32 channels on 28x28 pixels, batch 64 (7e7): CPU milliseconds a step
of one lane 22 in a loop of four lanes, 15 in a loop of one, 13 as steps."""

BATCHES = 4


def decide(family: Family, lanes: Sequence[Lane], plan: Callable[[int], Plan], clock: Clock, costs: Costs) -> None:
    """Set `family.stepwise` for `lanes`, which would train by `plan` in a compiled loop."""
    family.stepwise = family.only_steps
    if family.only_steps:
        return
    size = plan(len(lanes)).size
    if not convolves(family.template.model) or (size >= ENOUGH_LANES and not _is_large(family, lanes[0])):
        return
    if family.faster is None and _seconds(family, lanes, costs) > WORTH_SECONDS:
        looped = _pace(family, lanes[:size], clock)
        family.stepwise = True
        stepped = _pace(family, lanes[:1], clock)
        family.faster = stepped < looped
        _log.debug("%s: %.4f s a batch in a loop, %.4f s as steps", family.name, looped, stepped)
    family.stepwise = family.faster is not False


def _is_large(family: Family, lane: Lane) -> bool:
    return multiplications(family.template.model) * lane.setting.batch_size >= LARGE_STEP


def convolves(model: keras.Model) -> bool:
    """Whether the model has kernels that are moved over an input, and runs where that matters."""
    if jax.default_backend() != "cpu" or len(jax.local_devices()) > 1:
        return False
    return any(len(v.shape) > 2 for layer in model._flatten_layers() for v in layer.trainable_variables)


def _seconds(family: Family, lanes: Sequence[Lane], costs: Costs) -> float:
    samples = sum(lane.setting.training.samples * (lane.run.target - lane.run.epoch) for lane in lanes)
    return costs.training(multiplications(family.template.model), samples)


def _pace(family: Family, lanes: Sequence[Lane], clock: Clock) -> float:
    """Seconds for a batch of one lane, the better of two tries, in the mode that the family is in."""
    shift = Shift(family, lanes, len(lanes), clock=clock)
    tries = [shift.pace(BATCHES) for _ in range(3)]
    return min(tries[1:]) / len(lanes)
