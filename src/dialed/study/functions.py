"""`optimize`: the same search for any Python function; `create_study`: the same without giving up the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dialed.clock import Clock, SystemClock
from dialed.engine.function import Function, FunctionEngine
from dialed.errors import InvalidInputError
from dialed.events import SpaceSet
from dialed.observe import Guarded, Observer, display_for
from dialed.search import Auto, Random, Sobol, Strategy, Terms, strategy_from
from dialed.space import Domain, Hyperparameter, Space
from dialed.store import Catalog, open_catalog
from dialed.study.arguments import member_seeds
from dialed.study.budget import Budget
from dialed.study.job import Job, new_name, open_store
from dialed.study.settings import run_settings
from dialed.study.study import Study
from dialed.trial import Direction, Objective

__all__ = ["create_study", "load", "optimize"]


def optimize(
    function: Function,
    *,
    direction: Direction | str = "min",
    objective: str | None = None,
    space: Space | Mapping[str, Domain] | None = None,
    epochs: int = 1,
    strategy: str | Strategy = "auto",
    max_trials: int | None = None,
    max_epochs: int | None = None,
    max_time: float | str | None = None,
    repeats: int = 1,
    confirm: bool = False,
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

    To choose: for code that is not a Keras build function. The budgets and options mean what they mean in `Tuner`.

    Args:
        function: Takes `hp`, asks it for values, returns the objective or a dict of metrics. `hp.report(step,
            metrics)` tells intermediate results, and returns True when the function should return at once.
        direction: "min" or "max". Defaults to "min".
        objective: Which of the returned metrics counts. Defaults to the number that is returned, or "objective".
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
    chosen = strategy_from(strategy)
    known = space_of(space)
    catalog = open_catalog(store, clock=clock)
    name = name or new_name(clock)
    terms = _terms(catalog, name, direction, objective, epochs=epochs, repeats=repeats, seed=seed, budget=budget)
    settings = run_settings(terms=terms, budget=budget, strategy=chosen, space=known, extra={"engine": "function"})
    record, _ = open_store(catalog, name, terms, settings, resume=resume)
    check_ends(budget, chosen, known)
    job = Job(
        catalog=catalog,
        store=record,
        space=known,
        make_engine=lambda _: FunctionEngine(
            function, objective=terms.objective, clock=clock, given_space=space is not None
        ),
        strategy=chosen,
        budget=budget,
        clock=clock,
        observers=Guarded(
            [display_for(terms=terms, clock=clock, budget=budget, name=name, verbose=verbose), *observers]
        ),
        settings=settings,
        max_consecutive_failures=max_consecutive_failures,
    )
    job.run(confirm=confirm)
    return job.study


def create_study(
    space: Space | Mapping[str, Domain],
    *,
    direction: Direction | str = "min",
    objective: str | None = None,
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
        direction: "min" or "max". Defaults to "min".
        objective: The metric that counts when `tell` is given a dict. Defaults to "objective".

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
    terms = _terms(catalog, name, direction, objective, epochs=1, repeats=1, seed=seed, budget=budget)
    settings = run_settings(terms=terms, budget=budget, strategy=chosen, space=known, extra={"engine": "tell"})
    record, _ = open_store(catalog, name, terms, settings, resume=resume)
    study = Study(record, strategy=chosen)
    if study.space != known:
        record.append([SpaceSet(space=known.to_json())])
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
    direction: str,
    objective: str | None,
    *,
    epochs: int,
    repeats: int,
    seed: int | None,
    budget: Budget,
) -> Terms:
    seed = seed_of(catalog, name, seed)
    return Terms(
        objective=Objective(name=objective or "objective", direction=_direction(direction)),
        epochs=epochs,
        seeds=member_seeds(seed, repeats),
        seed=seed,
        max_trials=budget.max_trials,
        max_epochs=budget.max_epochs,
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


def _direction(direction: str) -> Direction:
    known: dict[str, Direction] = {"min": "min", "minimize": "min", "max": "max", "maximize": "max"}
    if direction not in known:
        raise InvalidInputError(f"The `direction` must be 'min' or 'max'. Got {direction!r}.")
    return known[direction]
