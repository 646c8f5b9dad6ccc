"""From a member to a lane: build its model as `fit` would, look at what it needs, and take its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras.src.backend import compute_output_spec

from dialed.clock import Clock
from dialed.engine.building import count_parameters, first_batch, is_built, symbolic
from dialed.engine.data import Data
from dialed.engine.fused.anatomy import Incomparable, dissect
from dialed.engine.fused.division import Candidate
from dialed.engine.fused.eligibility import reason_against_arguments, reason_against_model
from dialed.engine.fused.initial import build_valueless, initial_value
from dialed.engine.fused.lane import HostState, Lane, Setting
from dialed.engine.fused.order import BatchOrder, Split, draws_before_training
from dialed.engine.fused.resident import Resident
from dialed.engine.fused.tracing import shapes_of
from dialed.engine.health import Health
from dialed.engine.keeping import CheckpointStore, Keeper
from dialed.engine.packing import Arrays, unpack
from dialed.engine.protocol import Progress
from dialed.engine.recipe import Realised, Recipe
from dialed.engine.seeding import capture_random, numpy_state, seeded
from dialed.engine.state import Snapshot, check_fits
from dialed.engine.watch import Run
from dialed.events import Built
from dialed.space.domains import Domain
from dialed.trial import Member, Objective

__all__ = ["Boarding", "Unfusable"]


class Unfusable(Exception):
    """A member that `model.fit` must train; the message says why."""


class Boarding:
    """Makes lanes of members.

    Args:
        recipe, data, objective, checkpoints, clock, checkpoint_seconds, deadline: As for the engine.
        resident: The data on the device.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Data,
        resident: Resident,
        *,
        objective: Objective,
        checkpoints: CheckpointStore,
        clock: Clock,
        checkpoint_seconds: float,
        deadline: Callable[[], float | None],
    ) -> None:
        self.recipe = recipe
        self.data = data
        self.resident = resident
        self.objective = objective
        self.checkpoints = checkpoints
        self.clock = clock
        self.checkpoint_seconds = checkpoint_seconds
        self.deadline = deadline

    def lane(self, member: Member, until: int, tell: Callable[[Run, Progress], None]) -> Lane:
        """The lane of `member`.

        Raises:
            Unfusable: `model.fit` must train it.
            MemberFailed: It cannot be built.
            CheckpointError, Unusable: Its checkpoint is missing, damaged or of another model.
        """
        snapshot = None
        if member.checkpoint is not None:
            arrays, meta = self.checkpoints.load(member.checkpoint)
            snapshot = Snapshot(arrays=arrays, meta=meta)
        with seeded(member.key.seed):
            realised = self._realise(member)
            _refuse(reason_against_arguments(realised.arguments) or reason_against_model(realised.model))
            return self._aboard(member, until, tell, realised, snapshot)

    def _realise(self, member: Member) -> Realised:
        """The member's model, its variables without values: those would be computed, and compiled, op by op."""
        made: list[Realised] = []

        def build() -> keras.Model:
            made.append(self.recipe.realise(member.values, member.key.seed))
            return made[0].model

        build_valueless(build)
        return made[0]

    def _aboard(
        self,
        member: Member,
        until: int,
        tell: Callable[[Run, Progress], None],
        realised: Realised,
        snapshot: Snapshot | None,
    ) -> Lane:
        model, setting = realised.model, self._setting(realised, member.key.fold)
        looks = draws_before_training(model)
        self._build_rest(model, member.key.fold, setting.batch_size)
        self.recipe.check_size(model)
        shuffle = realised.arguments.get("shuffle")
        split = Split(setting.training.samples, setting.batch_size)
        order = BatchOrder(split, shuffle=True if shuffle is None else shuffle, state=numpy_state())
        if looks:
            order.drop_first()
        candidate = self._candidate(member, model, setting)
        run = self._run(member, until, realised, tell, snapshot)
        arrays: Arrays = {}
        random = (capture_random(arrays), arrays)
        state = _state_of(model)
        if snapshot is not None:
            check_fits(snapshot, model)
            run.take_up(snapshot.meta)
            state = _state_in(snapshot, state)
            random, order = _random_in(snapshot), _order_in(snapshot, order)
        return Lane(
            member=member,
            candidate=candidate,
            numbers=candidate.anatomy.numbers,
            built=_built(member, realised),
            setting=setting,
            order=order,
            state=state,
            random=random,
            run=run,
            own_end=run.target if run.target < until else None,
        )

    def _build_rest(self, model: keras.Model, fold: int, batch_size: int) -> None:
        """Build what waits for a batch, and the optimizer."""
        if not is_built(model):  # Keras gives values at once to what it builds by a batch
            inputs = symbolic(first_batch(self.data.fold(fold), batch_size)[0])
            compute_output_spec(model, inputs, training=False)

        def build() -> keras.Model:
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
            return model

        build_valueless(build)

    def _setting(self, realised: Realised, fold: int) -> Setting:
        given = realised.arguments
        class_weight = given.get("class_weight")
        training = self.resident.training(fold, class_weight)
        validation = self.resident.validation(fold)
        batch = int(given.get("batch_size") or 32)
        judged = int(given.get("validation_batch_size") or batch)
        frequency = given.get("validation_freq") or 1
        weights = tuple(sorted(class_weight.items())) if class_weight else ()
        counts = (training.samples, validation.samples if validation else 0)
        often = frequency if isinstance(frequency, int) else tuple(frequency)
        return Setting(
            training=training,
            validation=validation,
            batch_size=batch,
            validation_batch_size=judged,
            validation_freq=frequency,
            key=(batch, judged, counts, weights, often),
        )

    def _candidate(self, member: Member, model: keras.Model, setting: Setting) -> Candidate:
        def prepare() -> None:
            rows = shapes_of(setting.training.data, setting.batch_size)
            with seeded(member.key.seed):
                model._symbolic_build(data_batch=rows)

        try:
            return Candidate(model=model, anatomy=dissect(model), prepare=prepare)
        except Incomparable as error:
            raise Unfusable(str(error)) from error

    def _run(
        self,
        member: Member,
        until: int,
        realised: Realised,
        tell: Callable[[Run, Progress], None],
        snapshot: Snapshot | None,
    ) -> Run:
        def say(progress: Progress) -> None:
            tell(run, progress)

        epochs = realised.arguments.get("epochs")
        own = int(epochs) if isinstance(self.recipe.arguments.get("epochs"), Domain) and epochs else until
        run = Run(
            key=member.key,
            objective=self.objective,
            target=min(until, own),
            clock=self.clock,
            tell=say,
            deadline=self.deadline,
            keeper=Keeper(
                self.checkpoints,
                member.key,
                clock=self.clock,
                seconds=self.checkpoint_seconds,
                tell=say,
                last=member.checkpoint if snapshot else None,
            ),
            health=Health(objective=self.objective.name),
            marked=self.clock.monotonic(),
            patience=realised.arguments.get("patience"),
        )
        return run


def _refuse(reason: str) -> None:
    if reason:
        raise Unfusable(reason)


def _built(member: Member, realised: Realised) -> Built:
    return Built(
        trial=member.key.trial,
        values=realised.hp.asked,
        parameters=count_parameters(realised.model),
        engine="fused",
        space=realised.hp.found.to_json(),
    )


def _state_of(model: keras.Model) -> HostState:
    groups = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
    trainable, other, optimizer = ([_value(v) for v in group] for group in groups)
    return trainable, other, optimizer


def _value(variable: Any) -> np.ndarray:
    """What a variable holds, or would begin with: most are made without a value, which would be compiled."""
    return initial_value(variable) if variable._value is None else np.asarray(variable._value)


def _state_in(snapshot: Snapshot, like: HostState) -> HostState:
    parts = zip(("trainable", "other", "optimizer"), like, strict=True)
    trainable, other, optimizer = (
        [np.asarray(snapshot.arrays[f"{part}/{i}"], array.dtype) for i, array in enumerate(group)]
        for part, group in parts
    )
    return trainable, other, optimizer


def _random_in(snapshot: Snapshot) -> tuple[dict[str, Any], Arrays]:
    arrays = {name: array for name, array in snapshot.arrays.items() if name.startswith("random/")}
    return snapshot.meta["random"], arrays


def _order_in(snapshot: Snapshot, order: BatchOrder) -> BatchOrder:
    state = unpack(snapshot.meta["random"]["numpy"], snapshot.arrays)
    return BatchOrder(order.split, shuffle=order.shuffle, state=state)
