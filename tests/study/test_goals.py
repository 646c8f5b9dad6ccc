"""Several objectives and constraints through a study: what is refused, stored, shown and resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dialed
from dialed.cli.documents import result_document
from dialed.errors import InvalidInputError, StudyError
from dialed.objectives import Constraint
from dialed.study.goals import check_goals, constraints_of, objectives_of
from dialed.study.study import Study
from dialed.trial import Objective

SPACE = {"x": dialed.Float(0.0, 1.0, default=0.5)}


def _both(hp: dialed.HyperParameters) -> dict[str, float]:
    x = hp.Float("x", 0.0, 1.0, default=0.5)
    return {"a": x, "b": 1.0 - x, "size": 100.0 * x}


def _search(store: str, **changed: object) -> Study:
    arguments: dict[str, object] = {
        "direction": ["min", "min"],
        "objective": ["a", "b"],
        "constraints": ["size <= 60"],
        "max_trials": 7,
        "seed": 0,
        "name": "both",
        "store": store,
        "verbose": 0,
        **changed,
    }
    return dialed.optimize(_both, **arguments)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'dialed.db'}"


@pytest.mark.parametrize(
    ("direction", "objective", "found"),
    [
        ("min", None, ["objective"]),
        (["min", "max"], None, ["objective_0", "objective_1"]),
        ("max", ["a", "b"], ["a", "b"]),
        ("min", ["a", Objective("b", "max")], ["a", "b"]),
    ],
)
def test_names_and_directions_make_objectives(direction: object, objective: object, found: list[str]) -> None:
    assert [o.name for o in objectives_of(direction, objective)] == found  # type: ignore[arg-type]


def test_as_many_directions_as_objectives() -> None:
    with pytest.raises(InvalidInputError, match="one for all objectives, or as many as there are. Got 3 for 2"):
        objectives_of(["min", "max", "min"], ["a", "b"])
    with pytest.raises(InvalidInputError, match="must be 'min' or 'max'. Got 'up'"):
        objectives_of("up", None)


@pytest.mark.parametrize("strategy", ["one_at_a_time", "population"])
def test_strategies_that_compare_by_one_number_refuse_several(strategy: str, store: str) -> None:
    with pytest.raises(InvalidInputError, match="must be able to weigh several objectives"):
        _search(store, strategy=strategy)


def test_constraints_that_leave_nothing_are_refused() -> None:
    limits = [Constraint("size", max=3), Constraint("size", min=5)]
    with pytest.raises(InvalidInputError, match="must leave something between them"):
        check_goals(dialed.strategies.Random(), [Objective("a", "min")], limits)


def test_a_function_must_return_all_that_counts(store: str) -> None:
    with pytest.raises(InvalidInputError, match="must return 'recall', an objective or what a constraint is on"):
        _search(store, constraints=["recall >= 0.5"])
    with pytest.raises(InvalidInputError, match="must return a dict with a number for each of 'a', 'b'"):
        dialed.optimize(lambda hp: 1.0, objective=["a", "b"], max_trials=1, verbose=0, store="sqlite:///:memory:")


def test_a_tuple_holds_the_objectives_in_their_order() -> None:
    study = dialed.optimize(
        lambda hp: (hp.Float("x", 0.0, 1.0), 2.0),
        direction=["min", "max"],
        max_trials=2,
        strategy="random",
        verbose=0,
        store="sqlite:///:memory:",
    )
    assert study.trials[0].metrics == {"objective_0": study.trials[0].score, "objective_1": 2.0}


def test_the_study_is_the_same_when_it_is_opened_again(store: str) -> None:
    study = _search(store)
    again = dialed.load("both", store)
    assert again.trials == study.trials and again.best_trials == study.best_trials
    assert again.objectives == (Objective("a", "min"), Objective("b", "min"))
    assert again.constraints == (Constraint("size", max=60.0),)


def test_a_search_that_is_interrupted_decides_as_one_that_is_not(store: str, tmp_path: Path) -> None:
    _search(store, max_trials=8, strategy=dialed.strategies.Bayesian(start=4))
    other = f"sqlite:///{tmp_path / 'other.db'}"
    for trials in (5, 8):
        study = _search(other, max_trials=trials, strategy=dialed.strategies.Bayesian(start=4))
    assert [t.values for t in study.trials] == [t.values for t in dialed.load("both", store).trials]


def test_other_objectives_cannot_go_on_with_a_study(store: str) -> None:
    _search(store, max_trials=2)
    with pytest.raises(StudyError, match=r"was begun with objective='a' \(min\), 'b' \(min\)"):
        _search(store, objective=["a"], direction="min")


def test_the_front_is_told_everywhere(store: str) -> None:
    study = _search(store)
    front = study.front()
    assert len(front) == len(study.best_trials) >= 3
    assert all(trial.metrics["size"] <= 60.0 for trial in front.trials)
    assert front.values == tuple((t.metrics["a"], t.metrics["b"]) for t in front.trials)
    assert "best trade-offs" in study.summary() and "Constraints: size <= 60. Kept by" in study.summary()
    assert str(front).splitlines()[0].split() == ["trial", "a", "b", "values"]
    document = result_document(study)
    assert document["front"] == [t.number for t in front.trials]
    assert document["constraints"] == [{"name": "size", "min": None, "max": 60.0}]


def test_the_hypervolume_is_measured_to_the_worst_that_counts(store: str) -> None:
    front = _search(store, constraints=[], max_trials=2, strategy="sobol").front()
    one = min(t.metrics["a"] for t in front.trials)
    assert front.hypervolume({"a": 2.0, "b": 2.0}) > (2.0 - one) * (1.0 + one) - 1e-9
    with pytest.raises(InvalidInputError, match="must have the worst value that counts of each objective"):
        front.hypervolume({"a": 2.0})


def test_the_table_has_a_column_for_each(store: str) -> None:
    frame = _search(store).to_pandas()
    assert {"b", "size", "feasible", "front"} <= set(frame.columns)
    assert frame["feasible"].tolist() == [row <= 60.0 for row in frame["size"]]


def test_without_a_feasible_trial_there_is_no_winner_and_the_summary_says_why(store: str) -> None:
    study = _search(store, constraints=["size <= -5"], max_trials=3, strategy="random")
    assert study.best_trial is None and study.best_trials == [] and study.best_values == {}
    assert "No trial keeps all constraints (size <= -5), so there is no winner. The nearest is" in " ".join(
        study.summary().split()
    )


def test_asked_trials_are_told_every_objective() -> None:
    study = dialed.create_study(SPACE, direction=["min", "max"], objective=["a", "b"], store="sqlite:///:memory:")
    trial = study.ask()
    assert study.tell(trial, (0.5, 2.0)).metrics == {"a": 0.5, "b": 2.0}
    assert study.tell(study.ask(), {"a": 0.5, "b": float("nan")}).cause == "nan"
    study.close()


def test_a_front_that_bends_suggests_its_knee() -> None:
    def bent(hp: dialed.HyperParameters) -> tuple[float, float]:
        x = hp.Float("x", 0.0, 1.0, default=0.5)
        return x, (1.0 - x) ** 6

    study = dialed.optimize(
        bent,
        direction="min",
        objective=["a", "b"],
        max_trials=12,
        strategy="sobol",
        store="sqlite:///:memory:",
        verbose=0,
    )
    front = study.front()
    assert front.knee is not None and 0.1 < front.knee.metrics["a"] < 0.6
    assert f"The most balanced of them is trial {front.knee.number}" in study.summary()
    assert f"The most balanced of them is trial {front.knee.number}" in str(front)


def test_a_largest_latency_is_a_constraint() -> None:
    assert constraints_of(["size <= 3"], max_latency=0.01) == (
        Constraint("size", max=3.0),
        Constraint("latency", max=0.01),
    )
    for wrong in (0, True, "1ms"):
        with pytest.raises(InvalidInputError, match="`max_latency` must be a number of seconds above 0, such as 0.001"):
            constraints_of([], max_latency=wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_latency_is_measured_where_it_is_asked_for_and_recorded_with_every_trial() -> None:
    keras = pytest.importorskip("keras")

    def build(hp: dialed.HyperParameters) -> object:
        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(hp.Choice("units", [1, 2])), keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    tuner = dialed.Tuner(
        build,
        ["val_loss", dialed.Minimize("parameters")],
        max_latency=10.0,
        max_trials=2,
        strategy="grid",
        store="sqlite:///:memory:",
        verbose=0,
    )
    study = tuner.search(np.zeros((8, 3), "float32"), np.zeros(8, "float32"), validation_split=0.5, epochs=1)
    assert len(study.trials) == 2
    assert all(0.0 < trial.metrics["latency"] < 10.0 for trial in study.trials)
    assert [trial.latency for trial in study.trials] == [trial.metrics["latency"] for trial in study.trials]
    assert study.to_pandas()["latency"].between(0.0, 10.0).all()
    assert "Constraints: latency <= 10. Kept by 2 of 2" in study.summary()
