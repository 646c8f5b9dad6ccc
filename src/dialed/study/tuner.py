"""`Tuner`: tunes the hyperparameters of a Keras model."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from dialed.backend import announce, backend_facts, check_backend
from dialed.clock import Clock, SystemClock
from dialed.engine.fingerprint import differences, fingerprint
from dialed.engine.hypermodel import overrides_fit
from dialed.errors import InvalidInputError, StudyError
from dialed.executor.on_ray.place import Ray
from dialed.objectives import LATENCY, Constraint
from dialed.observe import Guarded, Observer, display_for
from dialed.search import Manual, PopulationBased, Strategy, strategy_from
from dialed.store import Catalog, Checkpoints, SqlStore, open_catalog, sweep
from dialed.study.arguments import Prepared, SearchArguments
from dialed.study.budget import Budget, parse_seconds
from dialed.study.confirm import Confirmation
from dialed.study.engines import lanes_of, start_early
from dialed.study.executors import workforce_of
from dialed.study.fold_race import check_race
from dialed.study.functions import check_ends, seed_of
from dialed.study.goals import check_goals, constraints_of
from dialed.study.job import Job, new_name, open_store
from dialed.study.joining import Visit
from dialed.study.making import KerasMaker
from dialed.study.preview import Preview, preview_of
from dialed.study.priors import with_priors
from dialed.study.results import Results
from dialed.study.settings import run_settings, say_differences
from dialed.study.study import Study
from dialed.study.visiting import join_search
from dialed.study.warm import Source, WarmStart, sources_of
from dialed.study.wishes import check_enqueued
from dialed.trial import Objective, Trial

if TYPE_CHECKING:
    import keras

    from dialed.analysis import Comparison, Explanation
    from dialed.engine.hypermodel import Hypermodel
    from dialed.engine.jax_worker.process import JaxProcess

__all__ = ["Tuner"]


class Tuner:
    """Finds good hyperparameters for a Keras model, and says how sure it is.

    To choose: whenever there is a function that builds a compiled model. For any other code, `dialed.optimize`.

    Args:
        hypermodel: A function `build(hp)` that returns a compiled model, or a `HyperModel`.
        objective: The metric to improve, such as "val_accuracy", or an `Objective`; or a list of several, to be traded
            against each other (docs/objectives): the first is the score. Defaults to "val_loss".
        constraints: What the winner must keep: `dialed.Constraint` objects, or texts such as "parameters <= 100000".
            Defaults to nothing.
        warm_start: A study, its name in the same store, or a list of these: what they found is known from the start.
            Defaults to none.
        strategy: A name ("auto", "grid", "random", "sobol", ...) or an object of `dialed.strategies`. Defaults to
            "auto".
        max_trials: The most trials. Defaults to no limit.
        max_epochs: The most trained epochs over the whole study. Defaults to no limit.
        max_time: The longest time, in seconds or as "90s", "10m", "2h". Defaults to no limit.
        repeats: How many seeds each trial is trained under. Defaults to 1.
        cv: Folds of a cross-validation: an int or a scikit-learn splitter. Defaults to none.
        race_folds: Whether a trial gets its folds one by one from the third on, and stops where it is clearly worse than
            the best so far on the same folds. Needs `cv` with 4 folds or more. Defaults to False.
        confirm: Whether the search ends by training the finalists and the defaults under fresh seeds. Defaults to
            True.
        engine: "fused" trains members as lanes of compiled programs, on TensorFlow and torch in a process of its own
            with JAX, and leaves to `model.fit` what it cannot; "fit" trains each member with `model.fit`. "auto" is
            "fused", but on TensorFlow and torch only for 8 trials or more. Defaults to "auto".
        compile_cache: Whether the fused engine keeps compiled programs for the next session, in the user's cache folder;
            or the folder to keep them in. A cache that is set up in JAX's own settings is used instead. Defaults to
            True.
        executor: Where members are trained: "inline" in this process, "processes" in others on this machine, "ray" or a
            `dialed.Ray` on a cluster; "auto" is the first for one worker without limits. Defaults to "auto".
        workers: How many processes train (docs/workers). Defaults to 1.
        max_trial_time: A trial that takes longer has failed; in processes, also one that never reports. Defaults to no
            limit.
        worker_memory: The most memory of a worker, in bytes or as "4GB"; one that takes more is ended. Defaults to no
            limit.
        seed: Makes the search repeatable. Defaults to a fresh one, which is recorded.
        name: The study's name. Defaults to a new one made of the date and time.
        store: Where the study is kept: a path, a database URL, or "sqlite:///:memory:". Defaults to `./dialed.db`.
        artifacts: Where checkpoints are kept: a folder, or a URL for fsspec such as "s3://bucket/dialed" (docs/store).
            Defaults to a folder beside the store.
        resume: Whether to go on with a study of that name. Defaults to True.
        observers: Who else sees the events. Defaults to nobody.
        max_parameters: Models with more parameters are failed trials. Defaults to no limit.
        max_latency: The most seconds that the winner may take to answer for one sample; as the constraint "latency <= s".
            Defaults to no limit.
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
        objective: str | Objective | Sequence[str | Objective] | None = None,
        *,
        constraints: Sequence[Constraint | str] = (),
        warm_start: WarmStart = None,
        strategy: str | Strategy = "auto",
        max_trials: int | None = None,
        max_epochs: int | None = None,
        max_time: float | str | None = None,
        repeats: int = 1,
        cv: Any = None,
        race_folds: bool = False,
        confirm: bool = True,
        engine: str = "auto",
        compile_cache: bool | str | os.PathLike[str] = True,
        executor: str | Ray = "auto",
        workers: int = 1,
        max_trial_time: float | str | None = None,
        worker_memory: int | str | None = None,
        seed: int | None = None,
        name: str | None = None,
        store: str | None = None,
        artifacts: str | os.PathLike[str] | None = None,
        resume: bool = True,
        observers: Sequence[Observer] = (),
        max_parameters: int | None = None,
        max_latency: float | None = None,
        max_consecutive_failures: int = 5,
        checkpoint_seconds: float = 30.0,
        checkpoint_bytes: int | None = 2 * 1024**3,
        verbose: int = 1,
        clock: Clock | None = None,
    ) -> None:
        self.hypermodel = hypermodel
        self.objective = objective
        self.constraints = constraints_of(constraints, max_latency=max_latency)
        self.warm_start = warm_start
        self.strategy = strategy_from(strategy)
        self.budget = Budget.of(max_trials, max_epochs, max_time)
        self.repeats = _at_least_one("repeats", repeats)
        self.cv = cv
        self.race_folds = race_folds
        self.confirm_at_end = confirm
        self.engine = _one_of("engine", engine, ("auto", "fit", "fused"))
        self.compile_cache = _folder_or_bool("compile_cache", compile_cache)
        self.workforce = workforce_of(executor, workers, max_trial_time, worker_memory)
        self.seed = seed
        self.name = name
        self.store = store
        self.artifacts = None if artifacts is None else os.fspath(artifacts)
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
        self._sources: Sequence[Source] = ()

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
                `class_weight`, `callbacks`, `shuffle`, ... as in `model.fit`; `patience` (stop a member whose objective
                has not improved for so many epochs); `lr_scaling` (how the learning rate follows a tuned batch size,
                docs/batch-size); `groups` for `cv`; and `prepare` (a function `prepare(hp, x_train, x_valid)` that learns
                from the training part alone, docs/data). Each may be a `dialed.Choice`, `Int`, `Float` or
                `Boolean`, and is then tuned.

        Returns:
            The study, also at `tuner.study`.

        Raises:
            InvalidInputError: What was passed cannot be trained on; nothing has been trained yet.
            StudyError: The study is in use elsewhere, was begun on other terms, or its trials keep failing.
        """
        job = self._open(x, y, arguments)
        job.run(confirm=self.confirm_at_end, enqueue=self._enqueued, warm=self._sources)
        return job.study

    def work(
        self,
        x: Any,
        y: Any = None,
        *,
        idle: float | str | None = None,
        say: Callable[[str], object] = print,
        **arguments: Any,
    ) -> Visit:
        """Train members of the study `name` while another process searches, until that is finished. See docs/workers.

        Call it in a script of its own, or with the same script on another machine, with what `search` is given.

        Args:
            x: As for `search`.
            y: As for `search`.
            idle: Leave after so long without work: seconds, or a text such as "10m". Defaults to waiting for ever.
            say: Called with a sentence for each group of members. Defaults to printing it.
            **arguments: As for `search`.

        Returns:
            How many members this worker was given, and why it left.

        Raises:
            StudyError: There is no such study, it has other terms, or other data.
        """
        return join_search(self, x, y, arguments, idle_seconds=parse_seconds(idle, name="idle"), say=say)

    def preview(self, x: Any, y: Any = None, **arguments: Any) -> Preview:
        """The plan before paying: trials, epochs, programs, memory and time. Takes what `search` takes.

        The first trials are built, to see which could share a program. Nothing is stored, and nothing is trained but a
        few batches of the defaults, for their time.
        """
        prepared = self.prepare(x, y, arguments, seed=self.seed or 0)
        with ExitStack() as stack:
            # Engines want a place for checkpoints; a plan writes none.
            checkpoints = Checkpoints(Path(stack.enter_context(TemporaryDirectory())))
            engine = self.maker(prepared, checkpoints)(lambda: None)
            stack.callback(getattr(engine, "close", lambda: None))
            return preview_of(
                prepared,
                engine=engine,
                budget=self.budget,
                strategy=self.strategy,
                confirm=self.confirm_at_end,
                clock=self.clock,
                workers=self.workforce.workers,
            )

    def confirm(self, top: int = 3, repeats: int = 5) -> Confirmation | None:
        """Train the `top` best trials and the defaults under `repeats` fresh seeds, the same for all.

        Budgets do not apply: this asks for so much, and gets it. What an earlier confirmation trained is kept.

        Returns:
            What the fresh seeds say; `None` when there are not two trials to compare.

        Raises:
            StudyError: There has been no search in this session.
        """
        return self._searched("confirm").confirm(top=_at_least_one("top", top), repeats=_repeats(repeats))

    def explain(
        self, baseline: Literal["default"] | int | Trial | Mapping[str, Any] = "default", *, repeats: int = 8
    ) -> Explanation:
        """Retrain the path from a baseline to the winner, one change at a time, and say what each step brought.

        A model of the trials orders the changes; each configuration on the path is trained under the same fresh seeds,
        as a study of its own beside this one (where an interrupted one goes on). Budgets do not apply.

        Args:
            baseline: Where the path begins: "default", a trial or its number, or values by name. Defaults to "default".
            repeats: Fresh seeds for each configuration. Eight tell single steps among at most six. Defaults to 8.

        Raises:
            SpaceError: The baseline lies outside the space.
            InvalidInputError: The baseline is the winner, or means nothing.
            StudyError: There has been no search in this session, or it found no winner.
        """
        from dialed.analysis import explain

        self._searched("explain")
        return explain(self, baseline, repeats=_repeats(repeats))

    def compare(self, other: Study, *, repeats: int = 8) -> Comparison:
        """Train this study's winner and that of `other` under the same fresh seeds, as last searched, and compare.

        Args:
            other: A study whose winner lies inside the space of this one.
            repeats: Fresh seeds for each winner. Defaults to 8.

        Raises:
            SpaceError: The other winner cannot be rebuilt here; `study.compare(other)` compares what is recorded.
            InvalidInputError: `other` improves another metric.
            StudyError: There has been no search in this session, or a study has no winner.
        """
        from dialed.analysis import compare_retrained

        self._searched("compare")
        return compare_retrained(self, other, repeats=_repeats(repeats))

    def retrain(
        self, configurations: Sequence[Mapping[str, Any]], *, seeds: Sequence[int], name: str, notes: Mapping[str, Any]
    ) -> Study:
        """Train each of `configurations` under each of `seeds` as last searched, as a study of its own, and return it.

        Args:
            configurations: Values of the space; trial i of the new study has those at i.
            seeds: The same for all, so that they are compared in pairs.
            name: Of the new study. One of that name goes on where it stopped.
            notes: What is stored in its settings, as JSON values.
        """
        job, known = self._searched("retrain"), self.results.prepared
        terms = replace(
            known.terms,
            seeds=tuple(seeds),
            max_trials=None,
            max_epochs=None,
            max_seconds=None,
            others=(),
            constraints=(),
        )
        prepared = replace(known, terms=terms, space=job.study.space)
        strategy, budget = Manual(configurations, default_first=False), Budget()
        settings = {**self._settings(prepared, strategy=strategy, budget=budget), **notes}
        store, _ = open_store(job.catalog, name, terms, settings, resume=True)
        beside, _ = self._job_for(job.catalog, store, prepared, settings, strategy=strategy, budget=budget)
        beside.run(confirm=False)
        return beside.study

    def attach(self, catalog: Catalog, store: SqlStore, prepared: Prepared) -> None:
        """Take a study that was searched before for the last one, without searching; see `rebuilding`."""
        strategy, budget = self.strategy, Budget()
        job, checkpoints = self._job_for(catalog, store, prepared, store.settings, strategy=strategy, budget=budget)
        self._job, self._results = job, Results(job.study, prepared, checkpoints)

    def retrained(self, name: str) -> Study | None:
        """The study of that name beside the last one; `None` where there is none."""
        catalog = self._searched("retrained").catalog
        return Study(catalog.open(name)) if catalog.exists(name) else None

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
        """A model that averages the predictions of up to `n` stored models, chosen by their predictions of validation data.

        It begins with the best alone and takes in whichever improves the average most. `model.selection` says which trials
        these are, and the gain over the best alone on rows that did not choose. Where no rows judge all trials (with `cv`,
        or a dataset), the `n` best are averaged, and the gain is not known.

        Args:
            n: The most models. Defaults to 3.
        """
        return self.results.ensemble(_at_least_one("n", n, least=2))

    def summary(self) -> str:
        """The answer as text: the winner, its gain over the defaults, the best trials, failures and cost."""
        return self.study.summary()

    def _open(self, x: Any, y: Any, arguments: Mapping[str, Any]) -> Job:
        process = None
        if not self.workforce.is_elsewhere:  # workers start their own
            own_fit = overrides_fit(self.hypermodel)
            process = start_early(self.engine, x, own_fit=own_fit, max_trials=self.budget.max_trials)
        try:
            return self._made_job(x, y, arguments, process)
        except BaseException:
            if process is not None:
                process.close()
            raise

    def _made_job(self, x: Any, y: Any, arguments: Mapping[str, Any], process: JaxProcess | None) -> Job:
        name = self.name or new_name(self.clock)
        catalog = open_catalog(self.store, clock=self.clock, artifacts=self.artifacts)
        prepared = self.prepare(x, y, arguments, seed=seed_of(catalog, name, self.seed))
        prepared = with_priors(prepared, catalog.open(name).settings.get("space") if catalog.exists(name) else None)
        check_ends(self.budget, self.strategy, prepared.space)
        check_goals(self.strategy, prepared.terms.objectives, prepared.terms.constraints)
        self._sources = sources_of(self.warm_start, catalog, name)
        for values in self._enqueued:
            check_enqueued(values, prepared.space)
        settings = self._settings(prepared, strategy=self.strategy, budget=self.budget)
        store, previous = open_store(catalog, name, prepared.terms, settings, resume=self.resume)
        if "data" in previous:
            say_differences(name, differences(previous["data"], settings["data"]), "data")
            before, now = previous.get("lr_scaling"), settings["lr_scaling"]
            say_differences(name, [f"it was {before!r} and is {now!r} now"] * (before != now), "learning-rate scaling")
        job, checkpoints = self._job_for(
            catalog, store, prepared, settings, strategy=self.strategy, budget=self.budget, process=process
        )
        self._job, self._results = job, Results(job.study, prepared, checkpoints)
        return job

    def _job_for(
        self,
        catalog: Catalog,
        store: SqlStore,
        prepared: Prepared,
        settings: Mapping[str, Any],
        *,
        strategy: Strategy,
        budget: Budget,
        process: JaxProcess | None = None,
    ) -> tuple[Job, Checkpoints]:
        checkpoints = Checkpoints(store.artifacts, byte_budget=self.checkpoint_bytes, clock=self.clock)
        job = Job(
            catalog=catalog,
            store=store,
            space=prepared.space,
            make_engine=self.maker(prepared, checkpoints, process),
            strategy=strategy,
            budget=budget,
            clock=self.clock,
            observers=Guarded([self._display(prepared, budget, store.name), *self.observers]),
            tidy=lambda history: sweep(checkpoints, history),
            settings=settings,
            max_consecutive_failures=self.max_consecutive_failures,
            lanes=lanes_of(self.engine, prepared, strategy),
            workforce=self.workforce,
        )
        return job, checkpoints

    def prepare(self, x: Any, y: Any, arguments: Mapping[str, Any], *, seed: int) -> Prepared:
        """Check what a search is given, and find its space and its terms: all before anything is stored or trained."""
        check_backend()
        if self.verbose:
            announce(lambda line: print(line, file=sys.stderr))
        own_fit = callable(getattr(self.hypermodel, "fit", None))
        prepared = SearchArguments.of(x, y, arguments, own_fit=own_fit).prepare(
            self.hypermodel,
            objective=self.objective,
            constraints=self.constraints,
            cv=self.cv,
            repeats=self.repeats,
            seed=seed,
            budget=self.budget,
            max_parameters=self.max_parameters,
            race_folds=self.race_folds,
        )
        check_race(prepared.terms, self.strategy)
        return prepared.with_changeable() if isinstance(self.strategy, PopulationBased) else prepared

    def _settings(self, prepared: Prepared, *, strategy: Strategy, budget: Budget) -> dict[str, Any]:
        return run_settings(
            terms=prepared.terms,
            budget=budget,
            strategy=strategy,
            space=prepared.space,
            extra={
                "engine": self.engine,
                "backend": backend_facts().name,
                "data": fingerprint(prepared.data),
                "lr_scaling": prepared.recipe.arguments.get("lr_scaling"),
                **self.workforce.settings,
                **self.extra_settings,
            },
        )

    def maker(self, prepared: Prepared, checkpoints: Checkpoints, process: JaxProcess | None = None) -> KerasMaker:
        """What makes the engine of a search, here or elsewhere."""
        return KerasMaker(
            kind=self.engine,
            prepared=prepared,
            checkpoints=checkpoints,
            clock=self.clock,
            checkpoint_seconds=self.checkpoint_seconds,
            compile_cache=self.compile_cache,
            times=LATENCY not in (prepared.probe.metric_names or ()),
            process=process,
        )

    def _display(self, prepared: Prepared, budget: Budget, name: str) -> Observer:
        return display_for(terms=prepared.terms, clock=self.clock, budget=budget, name=name, verbose=self.verbose)

    def _searched(self, what: str) -> Job:
        if self._job is None:
            raise StudyError(f"`{what}` needs a search. Call `search` first; `dialed.load(name)` reads an old study.")
        return self._job


def _at_least_one(name: str, value: Any, *, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInputError(f"The `{name}` must be an int in the range [{least}, inf). Got {value!r}.")
    return value


def _repeats(value: Any) -> int:
    if value == 1 and not isinstance(value, bool):
        raise InvalidInputError(
            "The `repeats` must be 2 or more: one training under one seed says nothing of how much the next would differ, so "
            "there is no interval and no verdict. Got 1. Pass 5 or more for a verdict worth having."
        )
    return _at_least_one("repeats", value, least=2)


def _folder_or_bool(name: str, value: Any) -> bool | str | os.PathLike[str]:
    if isinstance(value, (bool, os.PathLike)) or (isinstance(value, str) and value):
        return value
    raise InvalidInputError(f"The `{name}` must be True, False or the path of a folder. Got {value!r}.")


def _one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        shown = " or ".join(repr(a) for a in allowed)
        raise InvalidInputError(f"The `{name}` must be {shown} in this version. Got {value!r}.")
    return value
