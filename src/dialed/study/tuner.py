"""`Tuner`: tunes the hyperparameters of a Keras model."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dialed.backend import announce, check_backend
from dialed.clock import Clock, SystemClock
from dialed.engine.fingerprint import differences, fingerprint
from dialed.engine.protocol import Engine
from dialed.errors import InvalidInputError, StudyError
from dialed.observe import Guarded, Observer, display_for
from dialed.search import Strategy, strategy_from
from dialed.store import Checkpoints, open_catalog, sweep
from dialed.study.arguments import Prepared, SearchArguments
from dialed.study.budget import Budget
from dialed.study.confirm import Confirmation
from dialed.study.functions import check_ends, seed_of
from dialed.study.job import Deadline, Job, new_name, open_store
from dialed.study.preview import Preview, preview_of
from dialed.study.results import Results
from dialed.study.settings import run_settings, say_differences
from dialed.study.study import Study, check_enqueued
from dialed.trial import Objective, Trial

if TYPE_CHECKING:
    import keras

    from dialed.engine.hypermodel import Hypermodel

__all__ = ["Tuner"]

LANES = 32
"""Members that the fused engine is given at once: more cost little time each, but decide less often."""


class Tuner:
    """Finds good hyperparameters for a Keras model, and says how sure it is.

    To choose: whenever there is a function that builds a compiled model. For any other code, `dialed.optimize`.

    Args:
        hypermodel: A function `build(hp)` that returns a compiled model, or a `HyperModel`.
        objective: The metric to improve, such as "val_accuracy", or an `Objective`. Defaults to "val_loss".
        strategy: A name ("auto", "grid", "random", "sobol", ...) or an object of `dialed.strategies`. Defaults to
            "auto".
        max_trials: The most trials. Defaults to no limit.
        max_epochs: The most trained epochs over the whole study. Defaults to no limit.
        max_time: The longest time, in seconds or as "90s", "10m", "2h". Defaults to no limit.
        repeats: How many seeds each trial is trained under. Defaults to 1.
        cv: Folds of a cross-validation: an int or a scikit-learn splitter. Defaults to none.
        confirm: Whether the search ends by training the finalists and the defaults under fresh seeds. Defaults to
            True.
        engine: "fit" trains each member with `model.fit`; "fused" trains members that differ only in numbers as lanes
            of one compiled program, and leaves to `model.fit` what it cannot; it is new. "auto" is "fit" in this
            version. Defaults to "auto".
        executor: "auto" or "inline". Defaults to "auto".
        workers: How many processes train. This version trains in one. Defaults to 1.
        seed: Makes the search repeatable. Defaults to a fresh one, which is recorded.
        name: The study's name. Defaults to a new one made of the date and time.
        store: Where the study is kept: a path, a database URL, or "sqlite:///:memory:". Defaults to `./dialed.db`.
        resume: Whether to go on with a study of that name. Defaults to True.
        observers: Who else sees the events. Defaults to nobody.
        max_parameters: Models with more parameters are failed trials. Defaults to no limit.
        max_consecutive_failures: So many broken trials in a row end the study. Defaults to 5.
        checkpoint_seconds: A member's whole state is saved when so many seconds have passed since it last was, and
            always at its end. Defaults to 30.
        checkpoint_bytes: What the checkpoints of the study may take on disk; the best trials and those that may go
            on are kept in any case. Defaults to 2 GiB.
        verbose: 0 shows nothing, 1 the progress. Defaults to 1.

    Raises:
        InvalidInputError: An argument cannot mean anything.
    """

    def __init__(
        self,
        hypermodel: Hypermodel,
        objective: str | Objective | None = None,
        *,
        strategy: str | Strategy = "auto",
        max_trials: int | None = None,
        max_epochs: int | None = None,
        max_time: float | str | None = None,
        repeats: int = 1,
        cv: Any = None,
        confirm: bool = True,
        engine: str = "auto",
        executor: str = "auto",
        workers: int = 1,
        seed: int | None = None,
        name: str | None = None,
        store: str | None = None,
        resume: bool = True,
        observers: Sequence[Observer] = (),
        max_parameters: int | None = None,
        max_consecutive_failures: int = 5,
        checkpoint_seconds: float = 30.0,
        checkpoint_bytes: int | None = 2 * 1024**3,
        verbose: int = 1,
        clock: Clock | None = None,
    ) -> None:
        self.hypermodel = hypermodel
        self.objective = objective
        self.strategy = strategy_from(strategy)
        self.budget = Budget.of(max_trials, max_epochs, max_time)
        self.repeats = _at_least_one("repeats", repeats)
        self.cv = cv
        self.confirm_at_end = confirm
        self.engine = _one_of("engine", engine, ("auto", "fit", "fused"))
        self.executor = _one_of("executor", executor, ("auto", "inline"))
        self.workers = _one_of("workers", workers, (1,))
        self.seed = seed
        self.name = name
        self.store = store
        self.resume = resume
        self.observers = tuple(observers)
        self.max_parameters = max_parameters
        self.max_consecutive_failures = _at_least_one("max_consecutive_failures", max_consecutive_failures)
        self.checkpoint_seconds = checkpoint_seconds
        self.checkpoint_bytes = checkpoint_bytes
        self.verbose = verbose
        self.clock = clock or SystemClock()
        self.extra_settings: Mapping[str, Any] = {}
        self._enqueued: list[Mapping[str, Any]] = []
        self._job: Job | None = None
        self._results: Results | None = None

    def enqueue(self, values: Mapping[str, Any]) -> None:
        """Try `values` right after the defaults; what is left out gets its default.

        Values that are enqueued again in a later session of the same study are not tried a second time.
        """
        self._enqueued.append(dict(values))

    def search(self, x: Any, y: Any = None, **arguments: Any) -> Study:
        """Search, and return the study.

        Args:
            x: Inputs as `model.fit` takes them: arrays, `tf.data.Dataset`, torch `DataLoader`, `PyDataset`.
            y: Targets, where `x` does not hold them. Defaults to None.
            **arguments: `epochs`, `batch_size`, `validation_data`, `validation_split`, `sample_weight`,
                `class_weight`, `callbacks`, `shuffle`, ... as in `model.fit`, and `patience` (stop a member whose
                objective has not improved for so many epochs). Each may be a `dialed.Choice`, `Int`, `Float` or
                `Boolean`, and is then tuned.

        Returns:
            The study, also at `tuner.study`.

        Raises:
            InvalidInputError: What was passed cannot be trained on; nothing has been trained yet.
            StudyError: The study is in use elsewhere, was begun on other terms, or its trials keep failing.
        """
        job = self._open(x, y, arguments)
        job.run(confirm=self.confirm_at_end, enqueue=self._enqueued)
        return job.study

    def preview(self, x: Any, y: Any = None, **arguments: Any) -> Preview:
        """The plan before paying: trials, epochs, programs, memory and time. Takes what `search` takes.

        Nothing is stored and nothing is trained but a few batches of the defaults, for their time.
        """
        prepared = self._prepare(x, y, arguments, seed=self.seed or 0)
        return preview_of(
            prepared, budget=self.budget, strategy=self.strategy, confirm=self.confirm_at_end, clock=self.clock
        )

    def confirm(self, top: int = 3, repeats: int = 5) -> Confirmation | None:
        """Train the `top` best trials and the defaults under `repeats` fresh seeds, the same for all.

        Budgets do not apply: this asks for so much, and gets it. What an earlier confirmation trained is kept.

        Returns:
            What the fresh seeds say; `None` when there are not two trials to compare.

        Raises:
            StudyError: There has been no search in this session.
        """
        return self._searched("confirm").confirm(
            top=_at_least_one("top", top), repeats=_at_least_one("repeats", repeats, least=2)
        )

    @property
    def study(self) -> Study:
        """The study of the last search. Raises `StudyError` before there is one."""
        return self._searched("study").study

    @property
    def results(self) -> Results:
        """Models and values of the best trials."""
        self._searched("results")
        assert self._results is not None  # set with the job
        return self._results

    def best_model(self) -> keras.Model:
        """The winner with the weights of its best epoch, on the backend in use."""
        return self.results.models(1)[0]

    def best_models(self, n: int = 1) -> list[keras.Model]:
        """The `n` best trials' models, the winner first, each with the weights of its best epoch."""
        return self.results.models(_at_least_one("n", n))

    def best_values(self) -> dict[str, Any]:
        """The winner's values."""
        return self.study.best_values

    def best_trials(self, n: int = 1) -> list[Trial]:
        """The `n` best trials, the winner first."""
        return self.results.trials(_at_least_one("n", n))

    def refit(self, x: Any, y: Any = None, **arguments: Any) -> keras.Model:
        """Train the winner's values anew on `x` and `y`, for as many epochs as its best epoch took.

        Args:
            x: Inputs, usually all there are: training and validation data together.
            y: Targets. Defaults to None.
            **arguments: Override what the search was given (`epochs`, `batch_size`, `callbacks`, ...).
        """
        return self.results.refit(x, y, **arguments)

    def ensemble(self, n: int = 3) -> keras.Model:
        """A model that averages the predictions of the `n` best trials."""
        return self.results.ensemble(_at_least_one("n", n, least=2))

    def summary(self) -> str:
        """The answer as text: the winner, its gain over the defaults, the best trials, failures and cost."""
        return self.study.summary()

    def _open(self, x: Any, y: Any, arguments: Mapping[str, Any]) -> Job:
        name = self.name or new_name(self.clock)
        catalog = open_catalog(self.store, clock=self.clock)
        prepared = self._prepare(x, y, arguments, seed=seed_of(catalog, name, self.seed))
        check_ends(self.budget, self.strategy, prepared.space)
        for values in self._enqueued:
            check_enqueued(values, prepared.space)
        settings = self._settings(prepared)
        store, previous = open_store(catalog, name, prepared.terms, settings, resume=self.resume)
        if "data" in previous:
            say_differences(name, differences(previous["data"], settings["data"]), "data")
        checkpoints = Checkpoints(store.artifacts, byte_budget=self.checkpoint_bytes, clock=self.clock)
        job = Job(
            catalog=catalog,
            store=store,
            space=prepared.space,
            make_engine=lambda deadline: self._engine(prepared, checkpoints, deadline),
            strategy=self.strategy,
            budget=self.budget,
            clock=self.clock,
            observers=Guarded([self._display(prepared, name), *self.observers]),
            tidy=lambda history: sweep(checkpoints, history),
            settings=settings,
            max_consecutive_failures=self.max_consecutive_failures,
            lanes=LANES if self.engine == "fused" else 1,
        )
        self._job, self._results = job, Results(job.study, prepared, checkpoints)
        return job

    def _prepare(self, x: Any, y: Any, arguments: Mapping[str, Any], *, seed: int) -> Prepared:
        check_backend()
        if self.verbose:
            announce(lambda line: print(line, file=sys.stderr))
        own_fit = callable(getattr(self.hypermodel, "fit", None))
        return SearchArguments.of(x, y, arguments, own_fit=own_fit).prepare(
            self.hypermodel,
            objective=self.objective,
            cv=self.cv,
            repeats=self.repeats,
            seed=seed,
            budget=self.budget,
            max_parameters=self.max_parameters,
        )

    def _settings(self, prepared: Prepared) -> dict[str, Any]:
        return run_settings(
            terms=prepared.terms,
            budget=self.budget,
            strategy=self.strategy,
            space=prepared.space,
            extra={"engine": self.engine, "data": fingerprint(prepared.data), **self.extra_settings},
        )

    def _engine(self, prepared: Prepared, checkpoints: Checkpoints, deadline: Deadline) -> Engine:
        from dialed.engine.fit import FitEngine  # imports Keras

        options: dict[str, Any] = {
            "objective": prepared.terms.objective,
            "checkpoints": checkpoints,
            "clock": self.clock,
            "checkpoint_seconds": self.checkpoint_seconds,
            "deadline": deadline,
        }
        fit = FitEngine(prepared.recipe, prepared.data, **options)
        if self.engine != "fused":
            return fit
        from dialed.engine.fused.engine import FusedEngine

        return FusedEngine(prepared.recipe, prepared.data, fallback=fit, **options)

    def _display(self, prepared: Prepared, name: str) -> Observer:
        return display_for(terms=prepared.terms, clock=self.clock, budget=self.budget, name=name, verbose=self.verbose)

    def _searched(self, what: str) -> Job:
        if self._job is None:
            raise StudyError(f"`{what}` needs a search. Call `search` first; `dialed.load(name)` reads an old study.")
        return self._job


def _at_least_one(name: str, value: Any, *, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInputError(f"The `{name}` must be an int in the range [{least}, inf). Got {value!r}.")
    return value


def _one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        shown = " or ".join(repr(a) for a in allowed)
        raise InvalidInputError(f"The `{name}` must be {shown} in this version. Got {value!r}.")
    return value
