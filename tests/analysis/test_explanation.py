"""Which change made the difference: on scores whose truth is known, and on a real search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from click.testing import CliRunner

import dialed
from dialed.analysis.explanation import explanation_of
from dialed.analysis.path import Change
from dialed.cli import main
from dialed.errors import InvalidInputError, SpaceError
from dialed.trial import Cause, MemberKey, MemberRecord, Objective, State, Trial

MAX = Objective(name="val_accuracy", direction="max")
CONFIGURATIONS = [
    {"a": 0, "b": 0, "c": 0},
    {"a": 1, "b": 0, "c": 0},
    {"a": 1, "b": 1, "c": 0},
    {"a": 1, "b": 1, "c": 1},
]
CHANGES = [
    Change(name=name, before=0, after=1, values=CONFIGURATIONS[place]) for place, name in enumerate("abc", start=1)
]


@dataclass
class Retrained:
    """As much of a study as an explanation reads."""

    trials: list[Trial]
    name: str = "s-explained"


def retrained(table, failed=()):
    """`table[i]` holds the scores of configuration i under each seed."""
    trials = []
    for number, row in enumerate(table):
        members = tuple(
            MemberRecord(key=MemberKey(number, seed, 0), state=State.COMPLETED, score=float(score))
            for seed, score in enumerate(row)
        )
        state = State.FAILED if number in failed else State.COMPLETED
        cause = Cause.NAN if number in failed else None
        trials.append(Trial(number=number, values=CONFIGURATIONS[number], state=state, cause=cause, members=members))
    return Retrained(trials)


def explained(table, *, objective=MAX, failed=()):
    return explanation_of("s", retrained(table, failed), CONFIGURATIONS, CHANGES, winner=7, objective=objective)


def scores(*means, seeds=8, noise=0.01, shared=0.05):
    rng = np.random.default_rng(0)
    common = shared * rng.normal(size=seeds)
    return [mean + common + noise * rng.normal(size=seeds) for mean in means]


def test_the_step_that_made_the_difference_is_found_and_the_others_are_not():
    found = explained(scores(0.5, 0.8, 0.8, 0.8))
    assert [step.significant for step in found.steps] == [True, False, False]
    assert found.steps[0].effect.mean == pytest.approx(0.3, abs=0.02)
    assert "What made the difference: a." in found.sentences


def test_the_simplest_configuration_as_good_as_the_winner_is_named():
    found = explained(scores(0.5, 0.8, 0.8, 0.8))
    assert found.simplest == 1 and found.simplest_values == {"a": 1, "b": 0, "c": 0}
    assert any("is that after 1 change: b, c can stay as they are there" in sentence for sentence in found.sentences)


def test_for_a_loss_an_effect_is_positive_when_it_falls():
    found = explained(scores(0.8, 0.5, 0.5, 0.5), objective=Objective(name="val_loss", direction="min"))
    assert found.total.mean == pytest.approx(0.3, abs=0.02) and found.steps[0].effect.mean > 0.28


def test_few_seeds_say_what_they_cannot_show():
    found = explained(scores(0.5, 0.8, 0.8, 0.8, seeds=5))
    assert not any(step.significant for step in found.steps)
    said = " ".join(found.sentences)
    assert "With 5 seeds and 3 steps no p-value can fall below 0.19: ask for repeats=7 or more" in said


def test_a_configuration_that_failed_leaves_its_neighbours_without_an_effect():
    found = explained(scores(0.5, 0.8, 0.8, 0.9), failed=(1,))
    assert [step.effect is None for step in found.steps] == [True, True, False]
    assert found.total.mean == pytest.approx(0.4, abs=0.02)
    assert "Next to a configuration that failed, no effect can be told: a, b." in found.sentences


def test_the_result_shows_itself():
    found = explained(scores(0.5, 0.8, 0.8, 0.8))
    assert "From the baseline to trial 7 of s" in str(found) and "0 -> 1" in str(found)
    assert "<table" in found._repr_html_()
    assert list(found.to_pandas()["name"]) == ["a", "b", "c"]


keras = pytest.importorskip("keras")
ROWS = np.random.default_rng(0).normal(size=(120, 4)).astype("float32")
LABELS = (ROWS[:, 0] * ROWS[:, 1] > 0).astype("int32")


def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 2, 16, default=2), "relu")])
    model.add(keras.layers.Dense(2, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-4)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    store = str(tmp_path_factory.mktemp("explained") / "e.db")
    tuner = dialed.Tuner(
        build, "val_loss", max_trials=4, strategy="random", confirm=False, seed=1, verbose=0, store=store, name="s"
    )
    tuner.search(ROWS, LABELS, validation_split=0.25, epochs=3, batch_size=16)
    return tuner


@pytest.mark.slow
def test_a_path_is_retrained_as_a_study_of_its_own_and_not_twice(searched, tmp_path):
    """The search's own record stays as it was; asked again, nothing is trained."""
    before = searched.study.record.epochs
    found = searched.explain(repeats=2)
    beside = searched.retrained(found.retrained)
    assert searched.study.record.epochs == before
    assert [dict(t.values) for t in beside.trials] == [dict(c) for c in found.configurations]
    assert len({m.key.seed for t in beside.trials for m in t.members}) == 2
    assert not {m.key.seed for t in beside.trials for m in t.members} & {
        m.key.seed for t in searched.study.trials for m in t.members
    }
    assert searched.explain(repeats=2) == found
    report = searched.study.report(tmp_path / "s.html").read_text(encoding="utf-8")
    assert "Which change made the difference" in report and found.table.rows[-1][3] in report
    shown = CliRunner().invoke(main, ["show", "s", "--explanation", "--store", searched.store])
    assert shown.exit_code == 0 and str(found) in shown.stdout
    assert searched.retrained(found.retrained).record.epochs == beside.record.epochs


@pytest.mark.slow
def test_an_interrupted_explanation_goes_on_where_it_stopped(searched):
    class Stop:
        """Interrupts after the second report, as Ctrl-C does."""

        seen = 0

        def on_event(self, event):
            from dialed.trial import Report

            self.seen += isinstance(event, Report)
            if self.seen == 2:
                raise KeyboardInterrupt

    whole = searched.explain(repeats=3)
    values = {**searched.study.baseline.values, "units": 3}
    searched.observers = (Stop(),)
    with pytest.raises(KeyboardInterrupt):
        searched.explain(values, repeats=3)
    searched.observers = ()
    found = searched.explain(values, repeats=3)
    assert found.scores[-1] == pytest.approx(whole.scores[-1], abs=1e-6)
    assert all(len(row) == 3 for row in found.scores)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("baseline", "error", "message"),
    [
        ({"units": 99}, SpaceError, "`baseline` must lie inside the space, where 'units' is Int.* Got 99"),
        (
            {"unit": 2},
            SpaceError,
            "`baseline` must name hyperparameters of the space: units, learning_rate. Got 'unit'",
        ),
        ("winner", InvalidInputError, "`baseline` must be 'default', a trial or its number .0 to 3., .* Got 'winner'"),
        (17, InvalidInputError, "`baseline` must be 'default', a trial or its number .0 to 3., .* Got 17"),
    ],
)
def test_a_baseline_outside_the_space_is_refused(searched, baseline, error, message):
    with pytest.raises(error, match=message):
        searched.explain(baseline, repeats=2)


@pytest.mark.slow
def test_the_winner_cannot_be_explained_from_itself(searched):
    with pytest.raises(InvalidInputError, match="`baseline` must differ from the winner, trial"):
        searched.explain(searched.study.winner, repeats=2)
