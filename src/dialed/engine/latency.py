"""How long a trained model takes to answer for one sample, measured where that is an objective or a constraint."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from dialed.clock import Clock
from dialed.engine.assignment import Assignment
from dialed.engine.building import build_from, values_without_compiling
from dialed.engine.protocol import Batch, Engine, OnReport, Progress
from dialed.engine.seeding import seeded
from dialed.objectives import LATENCY
from dialed.trial import Member, Outcome, Report

__all__ = ["Timed", "seconds_per_sample"]

_ROUNDS, _CALLS, _WARM = 7, 20, 3


class Timed:
    """An engine whose reports tell the latency of the trial's model as well.

    It is measured once for each architecture, at the first report of a trial that has it: of a model as the trial builds it,
    compiled, on one sample. What it takes depends on no weight.

    Args:
        engine: Trains the members.
        assignment: What it was given.
    """

    def __init__(self, engine: Engine, assignment: Assignment) -> None:
        self.engine = engine
        self.assignment = assignment
        self._by_trial: dict[int, float] = {}
        self._by_architecture: dict[Hashable, float] = {}

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        """As the engine plans."""
        return self.engine.plan(members)

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        """As the engine trains."""
        by_trial = {member.key.trial: member for member in members}

        def told(progress: Progress) -> bool:
            if isinstance(progress, Report):
                latency = self._latency(by_trial[progress.key.trial])
                progress = replace(progress, metrics={**progress.metrics, LATENCY: latency})
            return on_report(progress)

        yield from self.engine.train(members, until, told)

    def close(self) -> None:
        """Let go of what the engine holds."""
        getattr(self.engine, "close", lambda: None)()

    def _latency(self, member: Member) -> float:
        trial, recipe = member.key.trial, self.assignment.recipe
        if trial not in self._by_trial:
            with seeded(member.key.seed), values_without_compiling():
                model = recipe.realise(member.values, member.key.seed).model
                build_from(model, recipe.inputs)
                architecture = _architecture(model)
            if architecture not in self._by_architecture:
                inputs = _one_sample(model, recipe.inputs)
                self._by_architecture[architecture] = seconds_per_sample(model, inputs, clock=self.assignment.clock)
            self._by_trial[trial] = self._by_architecture[architecture]
        return self._by_trial[trial]


def seconds_per_sample(model: keras.Model, inputs: Any, *, clock: Clock) -> float:
    """The seconds that `model` takes to answer for `inputs`: of several rounds of calls the quickest, the least disturbed.

    Args:
        model: Built.
        inputs: Arrays, in the structure that it takes; one sample for the latency of a single question.
        clock: Time.
    """
    call = _compiled(model, inputs)
    for _ in range(_WARM):
        call()
    rounds = []
    for _ in range(_ROUNDS):
        begun = clock.monotonic()
        for _ in range(_CALLS):
            call()
        rounds.append(clock.monotonic() - begun)
    return min(rounds) / _CALLS


def _compiled(model: keras.Model, inputs: Any) -> Callable[[], object]:
    match keras.backend.backend():
        case "jax":
            return _with_jax(model, inputs)
        case "tensorflow":
            import tensorflow as tf

            function, given = tf.function(lambda x: model(x, training=False)), _tensors(inputs)
            return lambda: keras.tree.map_structure(lambda part: part.numpy(), function(given))
        case _:
            import torch

            model.eval()
            given = _tensors(inputs)

            def answer() -> object:
                with torch.no_grad():
                    return keras.tree.map_structure(lambda part: part.cpu(), model(given, training=False))

            return answer


def _with_jax(model: keras.Model, inputs: Any) -> Callable[[], object]:
    import jax

    state = [
        [jax.device_put(np.zeros(v.shape, v.dtype)) for v in group]
        for group in (model.trainable_variables, model.non_trainable_variables)
    ]
    given = _tensors(inputs)
    function = jax.jit(lambda one, other, x: model.stateless_call(one, other, x, training=False)[0])
    return lambda: jax.block_until_ready(function(*state, given))  # type: ignore[no-untyped-call]


def _tensors(inputs: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)


def _one_sample(model: keras.Model, known: Any) -> Any:
    """Zeros in the shape of one sample: of the model's own inputs, or of the data where it says less."""
    own = getattr(model, "inputs", None)
    whole = own is not None and all(None not in tensor.shape[1:] for tensor in own)
    like = (model.input if not isinstance(model, keras.Sequential) else own[0]) if whole and own else known
    return keras.tree.map_structure(
        lambda t: np.zeros((1, *t.shape[1:]), keras.backend.standardize_dtype(t.dtype)), like
    )


def _architecture(model: keras.Model) -> Hashable:
    """What the latency depends on, as far as a description tells: all but the numbers that leave shapes alone count."""
    shapes = tuple(tuple(variable.shape) for variable in model.variables)
    kinds = tuple((type(layer).__name__, str(getattr(layer, "activation", ""))) for layer in model._flatten_layers())
    settings = tuple(
        str(getattr(layer, name, ""))
        for layer in model._flatten_layers()
        for name in ("strides", "pool_size", "padding")
    )
    return kinds, shapes, settings
