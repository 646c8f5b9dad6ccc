"""From a member to a lane: build its model as `fit` would, look at what it needs, and take its state."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras.src.backend import compute_output_spec

from dialed.engine.assignment import Assignment
from dialed.engine.building import count_parameters, first_batch, is_built, symbolic
from dialed.engine.failures import MemberFailed
from dialed.engine.fused.anatomy import Incomparable, dissect, unlike_any_other
from dialed.engine.fused.callbacks.company import Company, Resumed, Stage
from dialed.engine.fused.callbacks.directions import Directions
from dialed.engine.fused.callbacks.view import View
from dialed.engine.fused.division import Candidate
from dialed.engine.fused.eligibility import reason_against_arguments, reason_against_model
from dialed.engine.fused.generators import Generators
from dialed.engine.fused.initial import build_valueless, initial_value, values_from_numpy
from dialed.engine.fused.lane import HostState, Lane, Setting
from dialed.engine.fused.order import BatchOrder, Split, draws_before_training
from dialed.engine.fused.padding.axes import Unpaddable
from dialed.engine.fused.padding.slots import Slots
from dialed.engine.fused.resident import Resident
from dialed.engine.fused.tracing import shapes_of
from dialed.engine.normalizing import adapt, normalizes
from dialed.engine.packing import Arrays, unpack
from dialed.engine.protocol import Progress
from dialed.engine.recipe import Realised
from dialed.engine.seeding import capture_random, numpy_state, seeded
from dialed.engine.state import Snapshot, check_fits
from dialed.engine.takeover import taken_over
from dialed.engine.watch import Run
from dialed.events import Built
from dialed.space.domains import Domain
from dialed.trial import Member, Values

__all__ = ["Boarding", "Unfusable"]


_log = logging.getLogger("dialed")


class Unfusable(Exception):
    """A member that `model.fit` must train; the message says why."""


class Boarding:
    """Makes lanes of members.

    Args:
        assignment: As for the engine.
        resident: The data on the device.
    """

    def __init__(self, assignment: Assignment, resident: Resident) -> None:
        self.assignment = assignment
        self.resident = resident
        self._directions = Directions()

    def lane(self, member: Member, until: int, tell: Callable[[Run, Progress], None]) -> Lane:
        """The lane of `member`.

        Raises:
            Unfusable: `model.fit` must train it.
            MemberFailed: It cannot be built.
            CheckpointError, Unusable: Its checkpoint is missing, damaged or of another model.
        """
        snapshot = None
        if member.checkpoint is not None:
            arrays, meta = self.assignment.checkpoints.load(member.checkpoint)
            snapshot = taken_over(Snapshot(arrays=arrays, meta=meta), self.assignment, member)
        with seeded(member.key.seed):
            realised = self._realise(member)
            _refuse(reason_against_arguments(realised.arguments) or reason_against_model(realised.model))
            return self._aboard(member, until, tell, realised, snapshot)

    def _realise(self, member: Member) -> Realised:
        """The member's model, its variables without values: those would be computed, and compiled, op by op."""
        made: list[Realised] = []

        def build() -> keras.Model:
            made.append(self.assignment.recipe.realise(member.values, member.key.seed, fold=member.key.fold))
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
        self.assignment.recipe.check_size(model)
        shuffle = realised.arguments.get("shuffle")
        split = Split(setting.training.samples, setting.batch_size)
        order = BatchOrder(split, shuffle=True if shuffle is None else shuffle, state=numpy_state())
        if looks:
            order.drop_first()
        candidate = self._candidate(member, model, setting)
        run = self._run(member, until, realised, tell, snapshot)
        arrays: Arrays = {}
        fresh = Generators(seed=member.key.seed, order=order, state=capture_random(arrays), arrays=arrays)
        state, generators = _state_of(model), fresh
        if snapshot is not None:
            check_fits(snapshot, model)
            run.take_up(snapshot.meta)
            state, generators = _state_in(snapshot, state), _generators_in(snapshot, fresh)
        company = None
        if callbacks := realised.arguments.get("callbacks"):
            company = Company(
                callbacks,
                _view(candidate),
                stage=_stage(run, setting),
                generators=generators,
                directions=self._directions,
                digest=candidate.anatomy.digest,
            )
            if snapshot is not None:
                company.resumed = Resumed(snapshot=snapshot, generators=fresh)
        return Lane(
            member=member,
            candidate=candidate,
            numbers=candidate.anatomy.numbers,
            built=_built(member, realised),
            setting=setting,
            order=generators.order,
            state=state,
            generators=generators,
            run=run,
            company=company,
            own_end=run.target if run.target < until else None,
        )

    def standing_for(self, lane: Lane, values: Values) -> Candidate:
        """A wider model that stands for `lane`: built by the same function from `values`, under the lane's seed.

        Raises:
            Unpaddable: `values` make no model of the lane's structure.
        """
        slots, member = Slots(), replace(lane.member, values=dict(values))
        try:
            with seeded(member.key.seed):
                model = self._realise(member).model
                self._build_rest(model, member.key.fold, lane.setting.batch_size, slots)
                candidate = self._candidate(member, model, lane.setting)
        except (MemberFailed, Unfusable) as error:
            raise Unpaddable(f"the widest model cannot be built: {error}") from error
        assert lane.candidate is not None
        if candidate.anatomy.outline != lane.candidate.anatomy.outline:
            raise Unpaddable("the widest model has another structure")
        return replace(candidate, owners=slots.owners(model.optimizer.variables, model.trainable_variables))

    def _build_rest(self, model: keras.Model, fold: int, batch_size: int, slots: Slots | None = None) -> None:
        """Build what waits for a batch, and the optimizer."""
        if not is_built(model):  # Keras gives values at once to what it builds by a batch
            inputs = symbolic(first_batch(self.assignment.data.fold(fold), batch_size)[0])
            compute_output_spec(model, inputs, training=False)

        def build() -> keras.Model:
            if not model.optimizer.built:
                with slots.watching(model.optimizer) if slots else nullcontext():
                    model.optimizer.build(model.trainable_variables)
            return model

        build_valueless(build)
        if normalizes(model):
            data = self.assignment.data
            adapt(model, data.fold(fold).x, again=bool(data.cross_validation))

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
            key=(batch, judged, counts, weights, often, self._apart(realised.model, fold)),
        )

    def _apart(self, model: keras.Model, fold: int) -> int | None:
        """The fold, where its lanes need a program of their own: it holds the data as prepared, or what a layer learnt of
        them."""
        data = self.assignment.data
        return fold if data.preparation is not None or (data.cross_validation and normalizes(model)) else None

    def _candidate(self, member: Member, model: keras.Model, setting: Setting) -> Candidate:
        def prepare() -> None:
            rows = shapes_of(setting.training.data, setting.batch_size)
            with seeded(member.key.seed):
                model._symbolic_build(data_batch=rows)

        try:
            return Candidate(model=model, anatomy=dissect(model), prepare=prepare)
        except Incomparable as error:  # a program of its own is still faster than a loop in Python
            _log.info("Trial %d shares no program: %s", member.key.trial, error)
            return Candidate(model=model, anatomy=unlike_any_other(), prepare=prepare)

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
        own = int(epochs) if isinstance(self.assignment.recipe.arguments.get("epochs"), Domain) and epochs else until
        run = Run.of(self.assignment, member, min(until, own), say, is_continued=snapshot is not None)
        run.patience = realised.arguments.get("patience")
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


def _generators_in(snapshot: Snapshot, fresh: Generators) -> Generators:
    random, like = snapshot.meta["random"], fresh.order
    return Generators(
        seed=fresh.seed,
        order=BatchOrder(like.split, shuffle=like.shuffle, state=unpack(random["numpy"], snapshot.arrays)),
        state=random,
        arrays={name: array for name, array in snapshot.arrays.items() if name.startswith("random/")},
    )


def _view(candidate: Candidate) -> View:
    def prepare() -> None:
        with values_from_numpy():
            candidate.prepare()

    return View(candidate.model, prepare)


def _stage(run: Run, setting: Setting) -> Stage:
    judged = setting.validation
    return Stage(
        epochs=run.target,
        steps=Split(setting.training.samples, setting.batch_size).steps,
        validation_steps=Split(judged.samples, setting.validation_batch_size).steps if judged else 0,
    )
