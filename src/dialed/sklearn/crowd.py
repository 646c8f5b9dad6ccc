"""Candidates times folds as members of one engine, and what it made of each."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.building import values_without_compiling
from dialed.engine.data import Data
from dialed.engine.folds import Fold
from dialed.engine.protocol import Engine
from dialed.engine.recipe import Recipe
from dialed.engine.samples import Samples
from dialed.engine.seeding import seeded
from dialed.sklearn.base import KerasEstimator
from dialed.sklearn.candidates import CandidateModel, identity, shared_arguments
from dialed.sklearn.cells import Cell
from dialed.sklearn.compiling import made_callbacks
from dialed.sklearn.courses import Arrival, Course, run
from dialed.sklearn.targets import Form, form_of
from dialed.store import Checkpoints
from dialed.study.engines import make_engine
from dialed.trial import Cause, MemberKey, Objective, State, Values

__all__ = ["Place", "Trained", "joined", "reason_alone", "train"]

_TOGETHER = 128
"""Members that are handed over at once: their models are built first, and wait in memory."""

_UNDERSTOOD = ("batch_size", "callbacks", "epochs", "shuffle", "validation_batch_size", "validation_freq")
_SET_ASIDE = ("validation_split", "verbose")
_KNOWN_ENDS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.EarlyStopping,  # its best weights are in the checkpoint: `predicting` puts them in place
)

_TOLD_NOTHING = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.TerminateOnNaN,
)
"""What they do depends on the epochs so far, not on how many are to come, and they write no files."""

_NOT_MEASURED = Objective(name="score", direction="max")
"""Scores are worked out from predictions, after training: the engine need not keep the weights of a best epoch."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A candidate in a fold: its numbers, its last step with the candidate's parameters, and its data.

    `params` are the last step's parameters before they were cloned: equal objects are the same there.
    """

    candidate: int
    fold: int
    estimator: KerasEstimator
    cell: Cell
    seed: int
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """What became of a place.

    `arrays` and `meta` are its checkpoint after its last epoch; `arrays` is `None` where it must be trained alone.
    """

    place: Place
    arrays: Mapping[str, Any] | None
    meta: Mapping[str, Any]
    history: Mapping[str, list[float]]
    seconds: float
    ended_in_nan: bool = False


def train(places: Sequence[Place]) -> Iterator[Trained]:
    """Train all places, those that can share an engine together; yield each as it ends."""
    groups: dict[Hashable, list[Place]] = {}
    for place in places:
        groups.setdefault(_group_key(place), []).append(place)
    for group in groups.values():
        yield from _train_group(group)


def _group_key(place: Place) -> Hashable:
    """Equal for places that one recipe can make, and one array of data can hold."""
    arguments = _arguments(place)
    apart = {name: value for name, value in arguments.items() if name != "callbacks" and not _is_whole(value)}
    callbacks = {name: value for name, value in place.params.items() if "callbacks" in name}
    told = [{name: given[name] for name in sorted(given)} for given in (apart, callbacks)]
    return place.cell.key, identity(told), frozenset(arguments)


def reason_alone(estimator: KerasEstimator) -> str:
    """Why a candidate must be trained by itself; empty where an engine trains it just as `fit` would."""
    routed = estimator.routed().to
    given = {name for name, value in routed["fit"].items() if value is not None}
    unknown = sorted(given - {*_UNDERSTOOD, *_SET_ASIDE})
    if unknown:
        return f"`{unknown[0]}` is only for `model.fit`"
    for callback in made_callbacks(routed["fit"].get("callbacks"), routed["callbacks"]) or ():
        kind = type(callback)
        if kind.on_train_end is not keras.callbacks.Callback.on_train_end and kind not in _KNOWN_ENDS:
            return f"{kind.__name__} may change the model at the end of its training"
    return ""


def _arguments(place: Place) -> dict[str, Any]:
    samples = len(place.cell.train) + len(place.cell.held_out)
    made = place.estimator.fit_arguments(samples)
    return {name: value for name, value in made.items() if name not in _SET_ASIDE}


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _train_group(places: Sequence[Place]) -> Iterator[Trained]:
    numbers = {place.candidate: place for place in places}  # one place stands for each candidate
    row_of = {candidate: row for row, candidate in enumerate(numbers)}
    arguments = [_arguments(place) for place in numbers.values()]
    form = next((found for place in numbers.values() if (found := _form(place)) is not None), None)
    if form is None:  # nothing can be built: trained alone, each says why
        yield from (Trained(place=place, arrays=None, meta={}, history={}, seconds=0.0) for place in places)
        return
    hypermodel = CandidateModel(places[0].estimator, [place.params for place in numbers.values()], form)
    cells = list({id(place.cell): place.cell for place in places}.values())
    data = joined(cells, form)
    values = [
        {**taken, **{n: v for n, v in given.items() if _is_whole(v)}}
        for taken, given in zip(hypermodel.values, arguments, strict=True)
    ]
    rows = [row_of[place.candidate] for place in places]
    courses = _courses(
        places,
        [cells.index(place.cell) for place in places],
        [values[row] for row in rows],
        [int(arguments[row]["epochs"]) for row in rows],
    )
    yield from _run(Recipe(hypermodel, shared_arguments(arguments)), data, courses)


def _courses(
    places: Sequence[Place], folds: Sequence[int], values: Sequence[Values], epochs: Sequence[int]
) -> list[Course[Place]]:
    """Which places one training serves: those of a fold and a seed whose values differ in `epochs` alone."""
    alike: dict[Hashable, list[int]] = {}
    for row, place in enumerate(places):
        rest = {name: value for name, value in values[row].items() if name != "epochs"}
        beginning = (folds[row], place.seed, identity(rest))
        alike.setdefault(beginning if _may_stop(place) else row, []).append(row)
    courses = []
    for rows in alike.values():
        longest = max(rows, key=lambda row: epochs[row])
        key = MemberKey(places[longest].candidate, places[longest].seed, folds[longest])
        ends = sorted({epochs[row] for row in rows})
        stops = {end: [places[row] for row in rows if epochs[row] == end] for end in ends}
        courses.append(Course(key=key, values=values[longest], stops=stops))
    return courses


def _may_stop(place: Place) -> bool:
    """Whether a training may be stopped and go on, and know nothing of how long it is to be."""
    routed = place.estimator.routed().to
    callbacks = made_callbacks(routed["fit"].get("callbacks"), routed["callbacks"]) or ()
    return all(type(callback) in _TOLD_NOTHING for callback in callbacks)


def joined(cells: Sequence[Cell], form: Any) -> Data:
    """The arrays of all cells behind each other; those that several cells share once."""
    blocks = list({id(cell.prepared): cell.prepared for cell in cells}.values())
    starts = dict(zip(map(id, blocks), np.cumsum([0, *(len(b.x) for b in blocks)]), strict=False))
    target = cells[0].estimator.target_
    weights = [block.weight for block in blocks if block.weight is not None]
    samples = Samples(
        x=_joined([block.x for block in blocks]),
        y=target.for_model(_joined([block.codes for block in blocks]), form),
        sample_weight=_joined(weights) if weights else None,
    )
    folds = tuple(
        Fold(train=cell.train + starts[id(cell.prepared)], test=cell.held_out + starts[id(cell.prepared)])
        for cell in cells
    )
    return Data(training=samples, cross_validation=folds)


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _run(recipe: Recipe, data: Data, courses: Sequence[Course[Place]]) -> Iterator[Trained]:
    until = max(epochs for course in courses for epochs in course.stops)
    with _engine(recipe, data, len(courses)) as (engine, checkpoints):
        for start in range(0, len(courses), _TOGETHER):
            together = courses[start : start + _TOGETHER]
            for arrival in run(engine, together, until, forget=checkpoints.delete):
                yield _trained(arrival, checkpoints)


def _trained(arrival: Arrival[Place], checkpoints: Checkpoints) -> Trained:
    outcome = arrival.outcome
    arrays: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] = {}
    if outcome.state is not State.FAILED and outcome.last is not None:
        arrays, meta = checkpoints.load(outcome.last)
    return Trained(
        place=arrival.place,
        arrays=arrays,
        meta=meta,
        history=arrival.history,
        seconds=arrival.seconds,
        ended_in_nan=outcome.cause is Cause.NAN,
    )


@contextmanager
def _engine(recipe: Recipe, data: Data, members: int) -> Iterator[tuple[Engine, Checkpoints]]:
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder))
        assignment = Assignment(
            recipe=recipe,
            data=data,
            objective=_NOT_MEASURED,
            checkpoints=checkpoints,
            clock=SystemClock(),
            checkpoint_seconds=math.inf,
        )
        engine = make_engine("auto", assignment, max_trials=members, compile_cache=True)
        try:
            yield engine, checkpoints
        finally:
            getattr(engine, "close", lambda: None)()


def _form(place: Place) -> Form | None:
    """How a place's model wants its targets; `None` where it cannot be built."""
    place.estimator.take_notes(place.cell.estimator)
    try:
        with values_without_compiling(), seeded(place.seed):
            return form_of(place.cell.estimator.target_, place.estimator.made_model())
    except Exception:  # noqa: BLE001 - whatever building raises is told where this member fails
        return None
