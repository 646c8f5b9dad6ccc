"""One search from the command line: load what it names, search, and judge the winner on the test data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialed import backend
from dialed.cli.entry import Interrupted
from dialed.cli.load import Loaded, load_builder, load_data
from dialed.cli.output import note
from dialed.cli.request import SearchRequest
from dialed.cli.stores import exists, say_place
from dialed.errors import InvalidInputError, StudyError
from dialed.space import Float
from dialed.trial import Direction, Objective

if TYPE_CHECKING:
    import keras

    from dialed.analysis import Comparison
    from dialed.study import Preview, Study, Tuner
    from dialed.study.joining import Visit

__all__ = [
    "Result",
    "arguments_of",
    "compare_retrained",
    "going_on",
    "objective_of",
    "preview",
    "say_backend",
    "search",
    "test_metrics",
    "work",
]

VALIDATION_SPLIT = 0.2
"""What is held out where nothing else says what a trial is judged by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A study, and what the winner's metrics are on the test data (`None`: no test data, or no winner)."""

    study: Study
    test: Mapping[str, float] | None


def search(request: SearchRequest, name: str) -> Result:
    """Search under `name`, or go on with the study of that name.

    Raises:
        DialedError: Something cannot be searched on, or the study fails.
        Interrupted: Ctrl-C.
    """
    say_backend()
    with going_on(name, request.store):
        loaded, tuner = _prepared(request, name)
        study = tuner.search(loaded.x_train, loaded.y_train, **arguments_of(request, loaded))
        test = None if study.winner is None else test_metrics(tuner.best_model(), loaded)
    return Result(study=study, test=test)


def work(request: SearchRequest, name: str, *, idle_seconds: float | None) -> Visit:
    """Work for the study of that name while another process runs it."""
    say_backend()
    loaded, tuner = _prepared(request, name)
    arguments = arguments_of(request, loaded)
    return tuner.work(loaded.x_train, loaded.y_train, idle=idle_seconds, say=note, **arguments)


def compare_retrained(study: Study, other: Study, *, repeats: int) -> Comparison:
    """Compare two studies whose winners are trained anew as `dialed run` began the first.

    Raises:
        StudyError: `dialed run` did not begin the study, or it had other data.
    """
    run = study.settings.get("run")
    if not isinstance(run, Mapping) or run.get("kind") != "run":
        raise StudyError(
            f"`--retrain` needs a study whose code and data are in files: one that `dialed run` began. Got '{study.name}', "
            "which was begun otherwise. In Python, `study.compare(other, hypermodel=..., x=..., y=...)` takes them."
        )
    say_backend()
    request = SearchRequest.from_json({**run})
    assert request.data is not None  # `SearchRequest.of` fills it in
    loaded = load_data(request.data, request.target)
    return study.compare(
        other,
        hypermodel=load_builder(request.builder),
        x=loaded.x_train,
        y=loaded.y_train,
        cv=request.cv,
        repeats=repeats,
        **arguments_of(request, loaded),
    )


def preview(request: SearchRequest) -> Preview:
    """The plan of a search; nothing is stored."""
    say_backend()
    loaded, tuner = _prepared(request, "preview")
    return tuner.preview(loaded.x_train, loaded.y_train, **arguments_of(request, loaded))


def test_metrics(model: keras.Model, loaded: Loaded) -> dict[str, float] | None:
    """The metrics of `model` on the test data, which no search has seen; `None` without test data."""
    if loaded.x_test is None:
        return None
    metrics = model.evaluate(loaded.x_test, loaded.y_test, verbose=0, return_dict=True)
    return {name: float(value) for name, value in metrics.items()}


@contextlib.contextmanager
def going_on(name: str, store: str | None) -> Iterator[None]:
    """Turn Ctrl-C into a message that says what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not exists(name, store):
            raise Interrupted("Interrupted before the search began; nothing is kept.") from error
        place = "" if store is None else f" --store {store}"
        raise Interrupted(
            f"Interrupted. The study '{name}' is kept in {say_place(store)}. Go on with it: dialed resume {name}{place}"
        ) from error


def say_backend() -> None:
    """Say which backend Dialed chose, where it had to choose one, and make sure that there is one."""
    backend.check_backend()
    backend.announce(note)


def _prepared(request: SearchRequest, name: str) -> tuple[Loaded, Tuner]:
    from dialed.study import Tuner

    builder = load_builder(request.builder)
    assert request.data is not None  # `SearchRequest.of` fills it in
    loaded = load_data(request.data, request.target)
    for line in loaded.notes:
        note(line)
    tuner = Tuner(
        builder,
        objective_of(request.objective),
        strategy=request.strategy,
        max_trials=request.max_trials,
        max_epochs=request.max_epochs,
        max_time=request.max_time,
        repeats=request.repeats,
        cv=request.cv,
        confirm=request.confirm,
        seed=request.seed,
        name=name,
        store=request.store,
        artifacts=request.artifacts,
        max_parameters=request.max_parameters,
        workers=request.workers,
        max_trial_time=request.max_trial_time,
        worker_memory=request.worker_memory,
    )
    tuner.extra_settings = {"run": {"kind": "run", **request.to_json()}}
    return loaded, tuner


def arguments_of(request: SearchRequest, loaded: Loaded) -> dict[str, Any]:
    """What `Tuner.search` is given besides the data.

    Raises:
        InvalidInputError: A count is tuned as a float.
    """
    made: dict[str, Any] = {"epochs": request.epochs, **request.fit}
    for name in ("batch_size", "patience", "validation_split"):
        if getattr(request, name) is not None:
            made[name] = getattr(request, name)
    for name in ("epochs", "batch_size"):
        if isinstance(made.get(name), Float):
            raise InvalidInputError(f"`{name}` must be tuned in whole numbers. Got {made[name]!r}.")
    judged = made.keys() & {"validation_split", "validation_data"}
    if not judged and request.cv is None and loaded.y_train is not None:
        made["validation_split"] = VALIDATION_SPLIT
    return made


def objective_of(text: str | None) -> str | Objective | None:
    """The metric's name as it is, or with its direction where there is one: "my_metric:max".

    Raises:
        InvalidInputError: It is neither.
    """
    if text is None or ":" not in text:
        return text
    name, _, direction = text.rpartition(":")
    known: dict[str, Direction] = {"min": "min", "max": "max"}
    if direction not in known or not name:
        raise InvalidInputError(
            f"`--objective` must be a metric such as val_accuracy, with :min or :max where its name does not tell which "
            f"way is better. Got '{text}'."
        )
    return Objective(name=name, direction=known[direction])
