"""`FromOptuna` keeps the rules of strategies, and asks Optuna with all that Dialed knows."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from dialed.errors import InvalidInputError, MissingDependencyError
from dialed.search import ASHA, History, Start, Terms, generator
from dialed.search.from_optuna import FromOptuna
from dialed.space import Boolean, Choice, Fixed, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.testing.strategies import Check, strategy_checks
from dialed.trial import Objective, Values

SAMPLERS: dict[str, Callable[[], BaseSampler]] = {
    "tpe": lambda: TPESampler(n_startup_trials=3, n_ei_candidates=4),
    "random": RandomSampler,
}
EVERYTHING = Space(
    [
        Hyperparameter("choice", Choice(["a", "b", None])),
        Hyperparameter("equal", Choice([1, True])),
        Hyperparameter("ordered", Choice([16, 32, 128])),
        Hyperparameter("flag", Boolean()),
        Hyperparameter("fixed", Fixed(7)),
        Hyperparameter("one", Choice(["only"])),
        Hyperparameter("count", Int(1, 9)),
        Hyperparameter("even", Int(0, 10, step=2)),
        Hyperparameter("power", Int(1, 64, step=2, sampling="log")),
        Hyperparameter("wide", Int(1, 1000, sampling="log")),
        Hyperparameter("real", Float(-1.0, 1.0)),
        Hyperparameter("rate", Float(1e-5, 1e-1, sampling="log")),
        Hyperparameter("tenth", Float(0.0, 0.5, step=0.1)),
        Hyperparameter("beta", Float(0.9, 0.999, sampling="reverse_log")),
    ]
)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("check", strategy_checks(), ids=lambda check: check.__name__)
def test_it_keeps_the_rules(check: Check, name: str) -> None:
    check(lambda space: FromOptuna(SAMPLERS[name]()))


def test_every_kind_of_hyperparameter_is_suggested() -> None:
    history = simulate(FromOptuna(TPESampler(n_startup_trials=5)), EVERYTHING, _sum, max_trials=25, seed=2)
    for trial in history.trials:
        assert EVERYTHING.contains(trial.values)
        assert EVERYTHING.restrict(trial.values) == trial.values
    assert {type(trial.values["equal"]) for trial in history.trials} == {int, bool}
    assert len({trial.values["beta"] for trial in history.trials}) > 20


def test_the_sampler_sees_the_trials_as_they_ended() -> None:
    seen = _Looker()

    def objective(values: Values) -> list[float]:
        if values["x"] > 0.8:  # type: ignore[operator]
            raise RuntimeError("too large")
        return [1.0 - float(values["x"]) * epoch / 9 for epoch in range(1, 10)]  # type: ignore[arg-type]

    space = Space([Hyperparameter("x", Float(0.0, 1.0))])
    terms = Terms(objective=Objective(name="loss", direction="min"), epochs=9, max_trials=20)
    Simulation(ASHA(sampler=FromOptuna(seen)), space, objective, terms=terms, free=2).run()
    last = _Looker.last
    states = {trial.state for trial in last}
    assert states == {TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED, TrialState.RUNNING}
    assert {trial.last_step for trial in last if trial.state is TrialState.PRUNED} <= {1, 3}
    assert all(trial.value == trial.intermediate_values[trial.last_step] for trial in last if trial.last_step)


def test_a_maximised_objective_is_shown_as_a_loss() -> None:
    space = Space([Hyperparameter("x", Float(0.0, 1.0))])
    terms = Terms(objective=Objective(name="accuracy", direction="max"), max_trials=30)
    history = Simulation(FromOptuna(TPESampler()), space, lambda v: float(v["x"]), terms=terms).run()  # type: ignore[arg-type]
    assert history.best_trial is not None
    assert history.best_trial.score is not None
    assert history.best_trial.score > 0.97


def test_it_finds_what_tpe_finds() -> None:
    """Through Dialed, TPE is as good as in Optuna: far better than chance on a bowl."""
    space = Space([Hyperparameter(name, Float(-1.0, 1.0)) for name in "abc"])
    best = [
        simulate(FromOptuna(sampler()), space, _bowl, max_trials=60, seed=seed).best_trial.score  # type: ignore[union-attr]
        for sampler in (TPESampler, RandomSampler)
        for seed in range(3)
    ]
    assert np.mean(best[:3]) < 0.6 * np.mean(best[3:])  # type: ignore[arg-type]


def test_its_own_seed_and_use_elsewhere_change_nothing() -> None:
    """The study's seed counts. A sampler that was used before is seeded like a new one."""
    space = Space([Hyperparameter("x", Float(0.0, 1.0))])
    used = TPESampler(seed=5)
    used_study = optuna.create_study(sampler=used)
    used_study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    tried = [
        [t.values["x"] for t in simulate(FromOptuna(s), space, _bowl, max_trials=15, seed=1).trials]
        for s in (TPESampler(), TPESampler(seed=3), used)
    ]
    assert tried[0] == tried[1] == tried[2]


def test_samplers_inside_samplers_are_seeded_too() -> None:
    space = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        samplers = [PartialFixedSampler({"y": 0.5}, RandomSampler()) for _ in range(2)]
    tried = [[t.values for t in simulate(FromOptuna(s), space, _bowl, max_trials=6).trials] for s in samplers]
    assert tried[0] == tried[1]
    assert all(values["y"] == 0.5 for values in tried[0][1:])


def test_optuna_announces_nothing(caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
    try:
        simulate(FromOptuna(RandomSampler()), Space([Hyperparameter("x", Float(0.0, 1.0))]), _bowl, max_trials=3)
    finally:
        optuna.logging.disable_propagation()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    assert not caplog.records


def test_it_can_be_written_down() -> None:
    assert repr(FromOptuna(TPESampler())) == "FromOptuna(TPESampler)"


def test_places_are_filled_with_different_configurations() -> None:
    space = Space([Hyperparameter("x", Int(0, 9))])
    history = History(Terms(objective=Objective(name="loss", direction="min")))
    decisions = FromOptuna(TPESampler()).decide(space, history, generator(history), 10)
    assert sorted(d.values["x"] for d in decisions if isinstance(d, Start)) == list(range(10))  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("sampler", "instead"),
    [
        (optuna.samplers.NSGAIISampler(), "Bayesian"),
        (optuna.samplers.GridSampler({"x": [1]}), "Grid"),
    ],
)
def test_samplers_that_keep_notes_in_a_study_are_refused(sampler: BaseSampler, instead: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"`sampler` must read all.*strategies.{instead}\(\)"):
        FromOptuna(sampler)


@pytest.mark.parametrize("wrong", ["tpe", TPESampler, None])
def test_what_is_no_sampler_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match="`sampler` must be an object of optuna.samplers"):
        FromOptuna(wrong)


def test_without_optuna_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialed.search.from_optuna.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dialed\[optuna\]'"):
        FromOptuna(TPESampler())
    for name in [name for name in sys.modules if name.split(".")[:2] == ["dialed", "optuna"]]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDependencyError, match="needs the package optuna"):
        import dialed.optuna  # noqa: F401


class _Looker(RandomSampler):
    """Notes the largest study that it was shown."""

    last: list[optuna.trial.FrozenTrial] = []  # noqa: RUF012 - on the class: what is asked are copies

    def infer_relative_search_space(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
        _Looker.last = [t for t in study.trials if t.number != trial.number]
        return super().infer_relative_search_space(study, trial)


def _bowl(values: Values) -> float:
    return sum((float(value) - 0.3) ** 2 for value in values.values())  # type: ignore[arg-type]


def _sum(values: Values) -> float:
    return float(values["count"]) + float(values["rate"])  # type: ignore[arg-type]
