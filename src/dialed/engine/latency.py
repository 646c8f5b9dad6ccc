"""How long a trained model takes to answer for one sample: measured for each architecture that there is time for."""

from __future__ import annotations

import logging
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
from dialed.events import Built, Measured
from dialed.objectives import LATENCY
from dialed.trial import Member, Outcome, Report, State

__all__ = ["Timed", "seconds_per_sample"]

_log = logging.getLogger("dialed")

SHARE = 0.02
"""Of the time that an engine trains, so much at most goes into latencies that nobody asked for."""

FIRST_GUESS = 0.3
"""Seconds that a first measurement is expected to take: most of it compiles a small model. Later ones are expected to
take as long as the last."""

MOST_PARAMETERS = 50_000_000
"""A larger model is timed only where that is asked for: beside what trains, it could be too much for the memory."""

MOST_SECONDS = 0.1
"""About so long one architecture is called that nobody asked about."""

_ROUNDS, _CALLS, _WARM = 7, 20, 3


class Timed:
    """An engine that tells the latency of the trials' models as well.

    It is measured once for each architecture, of a model as the trial builds it, compiled, on one sample. What it takes
    depends on no weight. Where it is an objective or a constraint (`asked`), every report of a trial has it. Otherwise it
    is measured after the members were trained: of all that a confirmation trains, and of other trials in their order, as
    long as that takes no more than `SHARE` of the time that was spent in training.

    Args:
        engine: Trains the members.
        assignment: What it was given.
        asked: Whether every report must have the latency.
    """

    def __init__(self, engine: Engine, assignment: Assignment, *, asked: bool) -> None:
        self.engine = engine
        self.assignment = assignment
        self.asked = asked
        self._by_trial: dict[int, float] = {}
        self._by_architecture: dict[Hashable, float] = {}
        self._owed: dict[int, Member] = {}
        self._trained = self._spent = 0.0
        self._expected = FIRST_GUESS

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        """As the engine plans."""
        return self.engine.plan(members)

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        """As the engine trains."""
        yield from (self._asked if self.asked else self._unasked)(members, until, on_report)

    def close(self) -> None:
        """Let go of what the engine holds."""
        getattr(self.engine, "close", lambda: None)()

    def _asked(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        by_trial = {member.key.trial: member for member in members}

        def told(progress: Progress) -> bool:
            if isinstance(progress, Report):
                trial = progress.key.trial
                if trial not in self._by_trial:
                    on_report(Measured(trial=trial, latency=self._latency(by_trial[trial])))
                progress = replace(progress, metrics={**progress.metrics, LATENCY: self._by_trial[trial]})
            return on_report(progress)

        yield from self.engine.train(members, until, told)

    def _unasked(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        by_trial, clock = {member.key.trial: member for member in members}, self.assignment.clock

        def told(progress: Progress) -> bool:
            if isinstance(progress, Built) and self._is_owed(progress):
                self._owed[progress.trial] = by_trial[progress.trial]
            return on_report(progress)

        begun = clock.monotonic()
        for outcome in self.engine.train(members, until, told):
            if outcome.state is State.FAILED:
                self._owed.pop(outcome.key.trial, None)
            yield outcome
        self._trained += clock.monotonic() - begun
        finalists = [member for member in by_trial.values() if member.purpose == "confirm"]
        self._pay(finalists, on_report)

    def _is_owed(self, built: Built) -> bool:
        return built.trial not in self._by_trial and (built.parameters or 0) <= MOST_PARAMETERS

    def _pay(self, finalists: Sequence[Member], on_report: OnReport) -> None:
        """Measure what is owed: of the finalists in any case, of others as far as the time goes."""
        first = [member for member in finalists if member.key.trial in self._owed]
        others = [member for trial, member in self._owed.items() if trial not in {m.key.trial for m in first}]
        for place, member in enumerate([*first, *others]):
            spare = SHARE * self._trained - self._spent
            if self.assignment.is_late or (place >= len(first) and self._expected >= spare):
                return
            del self._owed[member.key.trial]
            if self._measure(member):
                on_report(Measured(trial=member.key.trial, latency=self._by_trial[member.key.trial]))

    def _measure(self, member: Member) -> bool:
        """Whether the latency could be measured. What fails here was trained well, so it is said, and costs nothing."""
        clock, known = self.assignment.clock, len(self._by_architecture)
        begun = clock.monotonic()
        try:
            self._latency(member)
        except Exception as error:  # noqa: BLE001 - the user's own code, whatever it raises
            _log.info("The latency of trial %d was not measured: %s", member.key.trial, error)
            return False
        finally:
            took = clock.monotonic() - begun
            self._spent += took
            if len(self._by_architecture) > known:
                self._expected = took
        return True

    def _latency(self, member: Member) -> float:
        trial, recipe = member.key.trial, self.assignment.recipe
        if trial not in self._by_trial:
            with seeded(member.key.seed), values_without_compiling():
                model = recipe.realise(member.values, member.key.seed).model
                build_from(model, recipe.inputs)
                architecture = _architecture(model)
            if architecture not in self._by_architecture:
                inputs, most = _one_sample(model, recipe.inputs), None if self.asked else MOST_SECONDS
                taken = seconds_per_sample(model, inputs, clock=self.assignment.clock, most_seconds=most)
                self._by_architecture[architecture] = taken
            self._by_trial[trial] = self._by_architecture[architecture]
        return self._by_trial[trial]


def seconds_per_sample(model: keras.Model, inputs: Any, *, clock: Clock, most_seconds: float | None = None) -> float:
    """The seconds that `model` takes to answer for `inputs`: of several rounds of calls the quickest, the least disturbed.

    Args:
        model: Built.
        inputs: Arrays, in the structure that it takes; one sample for the latency of a single question.
        clock: Time.
        most_seconds: A slow model is called less often than `_CALLS` times in each round, to keep to about so many
            seconds. Defaults to no limit.
    """
    call, calls = _compiled(model, inputs), _CALLS
    call()
    begun = 0.0 if most_seconds is None else clock.monotonic()
    for _ in range(_WARM - 1):
        call()
    if most_seconds is not None:
        one = (clock.monotonic() - begun) / (_WARM - 1)
        calls = max(min(int(most_seconds / (_ROUNDS * one)), _CALLS), 1) if one > 0 else _CALLS
    rounds = []
    for _ in range(_ROUNDS):
        begun = clock.monotonic()
        for _ in range(calls):
            call()
        rounds.append(clock.monotonic() - begun)
    return min(rounds) / calls


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
