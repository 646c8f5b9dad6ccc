"""A study's diagnosis: of curves whose truth is known, and of a small real search."""

from __future__ import annotations

import numpy as np
import pytest

import dialed
from dialed.analysis import Kind, diagnosis_of
from dialed.events import Report, TrialStarted
from dialed.search import History, Terms
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.trial import Cause, MemberKey, Objective, Outcome, State

SPACE = Space(
    [
        Hyperparameter("dropout", Float(0.0, 0.5)),
        Hyperparameter("units", Int(16, 256)),
        Hyperparameter("learning_rate", Float(1e-4, 1e-1, sampling="log")),
    ]
)
EPOCHS = np.arange(20)
GOOD = (2.0 * np.exp(-EPOCHS / 2) + 0.3, 2.0 * np.exp(-EPOCHS / 2) + 0.25)
OVERFIT = (2.0 * np.exp(-EPOCHS / 2) + 0.3 + 0.03 * np.maximum(EPOCHS - 6, 0), 2.0 * np.exp(-EPOCHS / 4) + 0.01)
STUCK = (np.full(20, 2.3), np.full(20, 2.3))
POOR = (1.5 * np.exp(-EPOCHS / 2) + 1.7, 1.5 * np.exp(-EPOCHS / 2) + 1.7)


class Recorded:
    """A history and its reports."""

    def __init__(self, name="val_loss", direction="min", seeds=(0,)):
        self.history = History(Terms(objective=Objective(name=name, direction=direction), seeds=seeds))
        self.reports = []

    def add(self, curves, *, failed=None, **values):
        history = self.history
        number, seeds = len(history), history.terms.seeds
        values = {"dropout": 0.25, "units": 100, "learning_rate": 1e-2, **values}
        history.apply(TrialStarted(trial=number, values=values, until=20, epochs=20, seeds=seeds))
        for place, seed in enumerate(seeds):
            key = MemberKey(number, seed, 0)
            for epoch, (validation, training) in enumerate(zip(*curves, strict=True), start=1):
                metrics = {"val_loss": validation + 0.01 * place, "loss": training}
                self.reports.append(Report(key=key, epoch=epoch, metrics=metrics))
                history.apply(self.reports[-1])
            state = State.COMPLETED if failed is None else State.FAILED
            history.apply(Outcome(key=key, state=state, epoch=20, cause=failed))

    def diagnosis(self):
        return diagnosis_of(self.history, SPACE, self.reports, winner=self.history.best_trial)


def test_each_trial_is_called_what_its_curves_are():
    recorded = Recorded()
    for curves in (GOOD, OVERFIT, STUCK, POOR, GOOD):
        recorded.add(curves)
    recorded.add(GOOD, failed=Cause.NAN)
    found = recorded.diagnosis()
    assert [found[n].kinds for n in range(6)] == [
        (Kind.PLATEAU,),
        (Kind.OVERFITTING,),
        (Kind.STUCK,),
        (Kind.UNDERFITTING, Kind.PLATEAU),
        (Kind.PLATEAU,),
        (Kind.DIVERGED,),
    ]


def test_a_winner_that_overfits_is_told_what_the_space_has_against_it():
    recorded = Recorded()
    recorded.add(OVERFIT)
    said = " ".join(recorded.diagnosis().sentences)
    assert "Against overfitting: The space offers `dropout` (0.0 to 0.5, here 0.25), `units`" in said
    assert "it has no hyperparameter for weight decay or epochs" in said


def test_the_gap_has_an_interval_over_seeds_and_none_of_one_training():
    several, single = Recorded(seeds=(1, 2, 3)), Recorded()
    several.add(GOOD)
    single.add(GOOD)
    gap = several.diagnosis()[0].gap
    assert gap.low < 0.06 < gap.high and gap.mean == pytest.approx(0.06, abs=1e-6)
    assert "of one training, so how sure that is cannot be said" in single.diagnosis().sentences[0]


def test_learning_rates_that_did_not_learn_are_told_apart():
    recorded = Recorded()
    for rate in (1e-2, 2e-2, 5e-3, 8e-3, 1.5e-2):
        recorded.add(GOOD, learning_rate=rate)
    for rate in (1e-4, 3e-4):
        recorded.add(STUCK, learning_rate=rate)
    said = " ".join(recorded.diagnosis().sentences)
    assert "Every trial that did not learn had a `learning_rate` below those of the best trials (0.005 to 0.02)" in said
    assert "raise that end of its range beyond 3e-04" in said


def test_a_winner_at_an_edge_is_told_where_to_go_on():
    recorded = Recorded()
    recorded.add(GOOD, units=256)
    found = recorded.diagnosis()
    assert [edge.name for edge in found.edges] == ["units"] and found.edges[0].sentence in found.sentences


def test_the_result_shows_itself():
    recorded = Recorded()
    recorded.add(OVERFIT)
    recorded.add(STUCK)
    found = recorded.diagnosis()
    assert "- 1 of 2 trials: overfitting (trial 1)." not in str(found)
    assert "- 1 of 2 trials: overfitting (trial 0)." in str(found)
    assert "<table" in found._repr_html_()
    assert list(found.to_pandas()["findings"]) == ["overfitting", "stuck"]


def test_an_empty_study_says_so():
    assert Recorded().diagnosis().sentences == ("Nothing was trained yet.",)


@pytest.mark.slow
def test_a_real_search_is_diagnosed(tmp_path):
    """Random labels can only be learnt by heart: a wide network overfits, a vanishing learning rate does not learn."""
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 8)).astype("float32"), rng.integers(0, 2, size=120)

    def build(hp):
        rate = hp.Choice("learning_rate", [1e-2, 1e-7])
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(2, "softmax")])
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return model

    tuner = dialed.Tuner(
        build, "val_loss", strategy="grid", confirm=False, seed=0, verbose=0, store=str(tmp_path / "d.db"), name="noise"
    )
    study = tuner.search(x, y, validation_split=0.3, epochs=40, batch_size=16)
    found = study.diagnose()
    kinds = {t.values["learning_rate"]: found[t.number].kinds for t in study.trials}
    assert Kind.OVERFITTING in kinds[1e-2] and kinds[1e-7] == (Kind.STUCK,)
