"""`optimize`: the same search for any Python function; `create_study`: the same without giving up the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dialed.clock import Clock, SystemClock
from dialed.engine.function import Function
from dialed.errors import InvalidInputError
from dialed.events import SpaceSet
from dialed.executor.on_ray.place import Ray
from dialed.objectives import Constraint
from dialed.observe import Guarded, Observer, display_for
from dialed.search import Auto, PopulationBased, Random, Sobol, Strategy, Terms, strategy_from
from dialed.space import Domain, Hyperparameter, Space
from dialed.store import Catalog, SqlStore, open_catalog
from dialed.study.arguments import member_seeds
from dialed.study.budget import Budget
from dialed.study.executors import Workforce, workforce_of
from dialed.study.goals import check_goals, objectives_of
from dialed.study.job import Job, new_name, open_store
from dialed.study.joining import Joining, Visit
from dialed.study.making import FunctionMaker
from dialed.study.origins import origin_of
from dialed.study.settings import run_settings
from dialed.study.study import Study
from dialed.study.warm import WarmStart, sources_of, warm_events
from dialed.trial import Direction, Objective

__all__ = ["create_study", "join_function", "load", "optimize"]


def optimize(
    function: Function,
    *,
    direction: Direction | str | Sequence[str] = "min",
    objective: str | Objective | Sequence[str | Objective] | None = None,
    constraints: Sequence[Constraint | str] = (),
    warm_start: WarmStart = None,
    space: Space | Mapping[str, Domain] | None = None,
    epochs: int = 1,
    strategy: str | Strategy = "auto",
    max_trials: int | None = None,
    max_epochs: int | None = None,
    max_time: float | str | None = None,
    repeats: int = 1,
    confirm: bool = False,
    executor: str | Ray = "auto",
    workers: int = 1,
    max_trial_time: float | str | None = None,
    worker_memory: int | str | None = None,
    seed: int | None = None,
    name: str | None = None,
    store: str | None = None,
    resume: bool = True,
    observers: Sequence[Observer] = (),
    max_consecutive_failures: int = 5,
    verbose: int = 1,
    clock: Clock | None = None,
) -> Study:
    """Search over any Python function, and return the study.

    To choose: for code that is not a Keras build function. The budgets and options mean what they mean in `Tuner`,
    `workers` and its like too: several call the function in processes of their own.

    Args:
        function: Takes `hp`, asks it for values, returns the objective or a dict of metrics. `hp.report(step,
            metrics)` tells intermediate results, and returns True when the function should return at once.
        direction: "min" or "max"; a list with several objectives. Defaults to "min".
        objective: Which of the returned metrics counts. A list names several, to be traded against each other; the
            first is the score. Defaults to the number that is returned, or "objective".
        constraints: What the winner must keep: `dialed.Constraint` objects, or texts such as "size <= 100". Defaults to
            nothing.
        warm_start: Studies, or their names in the same store, whose trials are known from the start. Defaults to none.
        space: The space, where it is known beforehand; the function may then read `hp.values`. Defaults to what the
            function asks for: it is met as the trials run, the first of them with the default values.
        epochs: Steps of a full training, for strategies that stop early. Defaults to 1.

    Raises:
        InvalidInputError: An argument cannot mean anything, or the function breaks its contract.
        StudyError: The study is in use elsewhere, or its trials keep failing.

    Example:
        >>> import dialed
        >>> study = dialed.optimize(
        ...     lambda hp: (hp.Float("x", -2.0, 2.0) - 1.0) ** 2,
        ...     max_trials=10, seed=0, store="sqlite:///:memory:", verbose=0,
        ... )
        >>> len(study.trials)
        10
    """
    clock = clock or SystemClock()
    budget = Budget.of(max_trials, max_epochs, max_time)
    workforce = workforce_of(executor, workers, max_trial_time, worker_memory)
    chosen = strategy_from(strategy)
    check_no_copies(chosen, epochs)
    known = space_of(space)
    catalog = open_catalog(store, clock=clock)
    name = name or new_name(clock)
    objectives, limits = objectives_of(direction, objective), tuple(Constraint.of(c) for c in constraints)
    check_goals(chosen, objectives, limits)
    terms = _terms(catalog, name, objectives, limits, epochs=epochs, repeats=repeats, seed=seed, budget=budget)
    sources = sources_of(warm_start, catalog, name)
    settings = run_settings(
        terms=terms,
        budget=budget,
        strategy=chosen,
        space=known,
        extra=_extra(function, workforce, given_space=space is not None),
    )
    record, _ = open_store(catalog, name, terms, settings, resume=resume)
    check_ends(budget, chosen, known)
    job = Job(
        catalog=catalog,
        store=record,
        space=known,
        make_engine=FunctionMaker(
            function=function,
            objective=terms.objective,
            others=tuple(other.name for other in terms.others),
            constrained=tuple(constraint.name for constraint in limits),
            clock=clock,
            given_space=space is not None,
        ),
        strategy=chosen,
        budget=budget,
        clock=clock,
        observers=Guarded(
            [display_for(terms=terms, clock=clock, budget=budget, name=name, verbose=verbose), *observers]
        ),
        settings=settings,
        max_consecutive_failures=max_consecutive_failures,
        workforce=workforce,
    )
    job.run(confirm=confirm, warm=sources)
    return job.study


def _extra(function: Function, workforce: Workforce, *, given_space: bool) -> dict[str, object]:
    """What is stored with a session besides: who trains, and where a worker elsewhere finds the function."""
    code = {**origin_of(function), "given_space": given_space}
    return {"engine": "function", "code": code, **workforce.settings}


def join_function(
    store: SqlStore,
    function: Function,
    *,
    clock: Clock,
    idle_seconds: float | None = None,
    say: Callable[[str], object] = print,
) -> Visit:
    """Work for a study of `optimize` that another process drives, by calling `function`."""
    terms = store.terms
    maker = FunctionMaker(
        function=function,
        objective=terms.objective,
        others=tuple(other.name for other in terms.others),
        constrained=tuple(constraint.name for constraint in terms.constraints),
        clock=clock,
        given_space=bool(store.settings["code"]["given_space"]),
    )
    return Joining(store=store, make_engine=maker, lanes=1, clock=clock, idle_seconds=idle_seconds, say=say).work()


def create_study(
    space: Space | Mapping[str, Domain],
    *,
    direction: Direction | str | Sequence[str] = "min",
    objective: str | Objective | Sequence[str | Objective] | None = None,
    constraints: Sequence[Constraint | str] = (),
    warm_start: WarmStart = None,
    strategy: str | Strategy = "auto",
    max_trials: int | None = None,
    seed: int | None = None,
    name: str | None = None,
    store: str | None = None,
    resume: bool = True,
    clock: Clock | None = None,
) -> Study:
    """Make a study to `ask` and `tell`, or open the one of that name to go on with it.

    To choose: when your own code must keep the loop. Otherwise `Tuner` or `optimize`.

    Args:
        space: Hyperparameters by name, such as `{"x": dialed.Float(0.0, 1.0)}`.
        direction: "min" or "max"; a list with several objectives. Defaults to "min".
        objective: The metric that counts when `tell` is given a dict; a list with several. Defaults to "objective".

    The other arguments mean what they mean in `Tuner`.

    Example:
        >>> import dialed
        >>> study = dialed.create_study({"x": dialed.Int(1, 3)}, store="sqlite:///:memory:")
        >>> trial = study.ask()
        >>> study.tell(trial, 0.5).score
        0.5
    """
    clock = clock or SystemClock()
    budget = Budget.of(max_trials, None, None)
    chosen, known = strategy_from(strategy), space_of(space)
    catalog = open_catalog(store, clock=clock)
    name = name or new_name(clock)
    objectives, limits = objectives_of(direction, objective), tuple(Constraint.of(c) for c in constraints)
    check_goals(chosen, objectives, limits)
    terms = _terms(catalog, name, objectives, limits, epochs=1, repeats=1, seed=seed, budget=budget)
    sources = sources_of(warm_start, catalog, name)
    settings = run_settings(terms=terms, budget=budget, strategy=chosen, space=known, extra={"engine": "tell"})
    record, _ = open_store(catalog, name, terms, settings, resume=resume)
    study = Study(record, strategy=chosen)
    if study.space != known:
        record.append([SpaceSet(space=known.to_json())])
    record.append(warm_events(study.record, known, sources))
    return study


def load(name: str, store: str | None = None, *, strategy: str | Strategy = "auto") -> Study:
    """Open a study that exists: to read it, or to go on with it by `ask` and `tell`.

    Args:
        name: The study's name.
        store: Where it is kept. Defaults to `./dialed.db`.
        strategy: Chooses what `ask` gives. Defaults to "auto".

    Raises:
        StudyError: There is no study of that name.
    """
    return Study(open_catalog(store).open(name), strategy=strategy)


def space_of(space: Space | Mapping[str, Domain] | None) -> Space:
    """A `Space` of whatever the user gave; empty for `None`, and grown by what the first trial asks for."""
    if space is None:
        return Space(())
    if isinstance(space, Space):
        return space
    for name, domain in space.items():
        if not isinstance(domain, Domain):
            raise InvalidInputError(
                f"The `space` must map names to `dialed.Choice`, `Int`, `Float`, `Boolean` or `Fixed`. "
                f"Got {domain!r} for '{name}'."
            )
    return Space(Hyperparameter(name=name, domain=domain) for name, domain in space.items())


def check_no_copies(strategy: Strategy, epochs: int) -> None:
    """Refuse a strategy that copies states, for code whose state nobody can copy."""
    if isinstance(strategy, PopulationBased) and epochs > 1:
        raise InvalidInputError(
            "The `strategy` of a plain function must not copy the state of trainings: a function has none that could be "
            f"copied. Got {strategy!r}. Take 'bayesian' or 'asha', or search a Keras model with `dialed.Tuner`."
        )


def check_ends(budget: Budget, strategy: Strategy, space: Space) -> None:
    """Raise `InvalidInputError` for a search that nothing would ever end."""
    size = space.size()
    endless = isinstance(strategy, (Auto, Random, Sobol)) and (len(space) == 0 or size is None or size > 10_000)
    if budget.unlimited and endless:
        raise InvalidInputError(
            "One of `max_trials`, `max_epochs` and `max_time` must be given for a search that does not end by "
            f"itself. Got none for {strategy!r} on a space of {size or 'endlessly many'} configurations. "
            "Pass for example max_time='10m'."
        )


def _terms(
    catalog: Catalog,
    name: str,
    objectives: Sequence[Objective],
    constraints: tuple[Constraint, ...],
    *,
    epochs: int,
    repeats: int,
    seed: int | None,
    budget: Budget,
) -> Terms:
    seed = seed_of(catalog, name, seed)
    return Terms(
        objective=objectives[0],
        others=tuple(objectives[1:]),
        constraints=constraints,
        epochs=epochs,
        seeds=member_seeds(seed, repeats),
        seed=seed,
        max_trials=budget.max_trials,
        max_epochs=budget.max_epochs,
        max_seconds=budget.max_seconds,
    )


def seed_of(catalog: Catalog, name: str, seed: int | None) -> int:
    """The seed to use: the one given, else that of the study of that name, else a fresh one."""
    if seed is not None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise InvalidInputError(f"The `seed` must be an int in the range [0, inf) or None. Got {seed!r}.")
        return int(seed)
    if catalog.exists(name):
        return catalog.open(name).terms.seed
    return int(np.random.SeedSequence().generate_state(1)[0])
