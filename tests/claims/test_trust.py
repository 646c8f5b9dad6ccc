"""What a confirmation promises, over thousands of simulated studies: few false alarms, honest intervals, real gains found.

The simulation (`benchmarks/trust_races.py`) does by arrays what `Job` does to one study; the first two tests hold it to
the verdict, and the verdict to a study that is told event by event.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dialed.analysis.paired import holm, sign_flip_p
from dialed.events import TrialStarted
from dialed.search import History, Terms
from dialed.study.budget import Budget
from dialed.study.confirm import (
    AUTOMATIC_TOP,
    BESIDES,
    LEAST_REPEATS,
    MOST_REPEATS,
    MOST_SEEDS,
    ROUND,
    confirmation_of,
    fresh_seeds,
    members_to_add,
    next_round,
    plan_confirmation,
    reserved,
    scores_of,
)
from dialed.study.judge import clearly_first, in_play, interval, verdict
from dialed.trial import MemberKey, Objective, Outcome, Report, State

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MAX = Objective(name="score", direction="max")
DEFAULTS = 0
SEARCHED = 1
STUDIES = 4000
NOISE = 0.5**0.5
PACE = 0.25
JUDGED = {"objective": MAX, "baseline": DEFAULTS}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield


def told(rng, means, **length):
    """What studies of these true means, shape `(studies, contestants)`, the defaults first, say at their end."""
    from trust_races import fresh_scores, raced

    return raced(fresh_scores(rng, np.asarray(means, dtype=float)), **(length or {"searched": 100}))


def one_by_one(fresh, *, trainings):
    """The verdict on scores of shape `(contestants, seeds)` after so many trainings, by the same functions as in `Job`."""
    seeds = int(np.clip(trainings / len(fresh), LEAST_REPEATS, MOST_REPEATS))
    rows = {number: {seed: fresh[number, [seed]] for seed in range(seeds)} for number in range(len(fresh))}
    spent = seeds * len(fresh)
    while not clearly_first(rows, objective=MAX, baseline=DEFAULTS):
        racing = in_play(rows, objective=MAX, baseline=DEFAULTS)
        count = min(ROUND, MOST_SEEDS - seeds, int((trainings - spent) / len(racing)))
        if count < 1:
            break
        for number in racing:
            rows[number].update({seed: fresh[number, [seed]] for seed in range(seeds, seeds + count)})
        seeds, spent = seeds + count, spent + count * len(racing)
    return verdict(rows, objective=MAX, baseline=DEFAULTS)


def begin(history, number, score):
    source = "default" if number == DEFAULTS else "strategy"
    history.apply(TrialStarted(trial=number, values={"x": number}, until=1, epochs=1, seeds=(SEARCHED,), source=source))
    finish(history, MemberKey(number, SEARCHED, 0), score)


def finish(history, key, score):
    history.apply(Report(key=key, epoch=1, metrics={MAX.name: score}))
    history.apply(Outcome(key=key, state=State.COMPLETED, epoch=1))


def test_a_race_by_arrays_is_the_race_of_a_study():
    from trust_races import fresh_scores, raced

    rng = np.random.default_rng(7)
    fresh = fresh_scores(rng, rng.normal(size=(60, 3)))
    by_arrays = raced(fresh, searched=100)
    for i, scores in enumerate(fresh):
        said = one_by_one(scores, trainings=BESIDES * 100)
        assert said.winner == by_arrays.winner[i]
        if said.gain is not None:
            ends = (by_arrays.mean[i], by_arrays.low[i], by_arrays.high[i])
            assert (said.gain.mean, said.gain.low, said.gain.high) == pytest.approx(ends)


@pytest.mark.parametrize(
    ("budget", "trainings"),
    [
        (Budget(max_trials=60), BESIDES * 60),
        (Budget(max_epochs=100), 25),
        (Budget(max_seconds=100 * PACE), 25),
        (Budget(max_epochs=100, max_seconds=90 * PACE), 23),
    ],
    ids=["trials", "epochs", "time", "both"],
)
def test_the_race_of_a_study_is_the_same_event_by_event(budget, trainings):
    """Five studies. Trials 1 and 2 are the best. Time is virtual: an epoch takes `PACE` seconds."""
    from trust_races import fresh_scores

    rng = np.random.default_rng(4)
    for fresh in fresh_scores(rng, np.array([[0.0, *rng.normal(size=2)] for _ in range(5)])):
        history = History(Terms(objective=MAX, seeds=(SEARCHED,)))
        searched = 0
        while has_room(budget, history):
            begin(history, searched, {0: 0.0, 1: 2.0, 2: 1.0}.get(searched, -1.0))
            searched += 1
        top, repeats, _ = plan_confirmation(history, budget, seconds=PACE * history.epochs)
        added = members_to_add(history, top=top, repeats=repeats)
        seeds = fresh_seeds(history.terms.seed, MOST_SEEDS)
        while added:
            for event in added:
                history.apply(event)
                for seed in event.seeds:
                    finish(history, MemberKey(event.trial, seed, 0), fresh[event.trial, seeds.index(seed)])
            added = next_round(history, budget, seconds=PACE * history.epochs)
        assert confirmation_of(history) == one_by_one(fresh, trainings=trainings)
        assert trainings - 3 < history.epochs - searched <= trainings or len(in_play(scores_of(history), **JUDGED)) < 3


def has_room(budget, history):
    """Whether the search may train one more epoch, within what is not kept for the confirmation."""
    limits = reserved(budget, history, seconds=PACE * history.epochs)
    epochs = [limits.max_trials, limits.max_epochs, limits.max_seconds and limits.max_seconds / PACE]
    return all(limit is None or history.epochs + 1 <= limit for limit in epochs)


@pytest.mark.parametrize("finalists", [1, AUTOMATIC_TOP, 3])
def test_among_100_equal_configurations_a_winner_is_called_better_in_at_most_6_of_100_studies(finalists):
    """The search's luckiest are finalists, and luck says nothing of fresh seeds. Where a gain over the defaults is told,
    its interval holds the truth, 0, in 93 to 97 of 100."""
    said = told(np.random.default_rng(0), np.zeros((STUDIES, 1 + finalists)))
    assert said.called_better.mean() <= 0.06
    assert 0.93 <= said.covers(0.0)[said.told].mean() <= 0.97


def test_the_intervals_of_the_gains_that_are_told_cover_the_truth_in_93_to_97_of_100_studies():
    """Studies whose finalists truly differ, each time by other amounts."""
    rng = np.random.default_rng(6)
    means = np.c_[np.zeros(STUDIES), rng.normal(0.5, 1.0, size=(STUDIES, AUTOMATIC_TOP))]
    said = told(rng, means)
    assert said.told.mean() > 0.6
    assert 0.93 <= said.covers(means[np.arange(STUDIES), said.winner])[said.told].mean() <= 0.97


@pytest.mark.parametrize("other", [0.0, 0.5, 1.0])
def test_intervals_cover_the_truth_whatever_the_second_finalist_is_worth(other):
    means = np.tile([0.0, 1.0, other], (STUDIES, 1))
    said = told(np.random.default_rng(8), means)
    assert 0.93 <= said.covers(means[0][said.winner])[said.told].mean() <= 0.97


@pytest.mark.parametrize("length", [{"searched": 100}, {"budget": 150}], ids=["trials", "epochs or time"])
def test_a_real_difference_of_one_standard_deviation_is_found_in_9_of_10_studies(length):
    """After 100 trials a confirmation takes at most two fifths as much again; a budget in epochs or time for 150 trainings
    leaves it a quarter."""
    said = told(np.random.default_rng(1), np.tile([0.0, 1.0, 0.0], (STUDIES, 1)), **length)
    assert (said.called_better & (said.winner == 1)).mean() >= 0.9
    assert said.spent.max() <= 40


@pytest.mark.parametrize("budget", [100, 150])
def test_with_a_budget_in_epochs_or_time_equal_configurations_are_told_apart_in_at_most_6_of_100_studies(budget):
    said = told(np.random.default_rng(0), np.zeros((STUDIES, 1 + AUTOMATIC_TOP)), budget=budget)
    assert said.called_better.mean() <= 0.06
    assert 0.93 <= said.covers(0.0)[said.told].mean() <= 0.97


def test_the_probability_of_being_the_best_is_what_it_says():
    """Two finalists whose true difference is drawn anew each time: of those called best with 60 to 90 %, as many are."""
    rng, said, true = np.random.default_rng(2), [], []
    for _ in range(800):
        gap = rng.normal()
        rows = {n: {seed: np.array([gap * n + NOISE * rng.normal()]) for seed in range(5)} for n in range(2)}
        first = max(verdict(rows, objective=MAX, baseline=DEFAULTS).finalists, key=lambda f: f.probability_best)
        said.append(first.probability_best)
        true.append((gap > 0) == (first.trial == 1))
    said, true = np.array(said), np.array(true)
    middle = (said > 0.6) & (said < 0.9)
    assert true[middle].mean() == pytest.approx(said[middle].mean(), abs=0.06)


def test_intervals_over_folds_cover_the_truth_where_plain_ones_are_far_too_narrow():
    """Five folds of data that differ from study to study: what a fold's test set shares with the training sets of the
    others is noise that plain intervals take for signal. Means over 2,000 studies of a model that predicts the mean."""
    rng, plain, corrected = np.random.default_rng(3), 0, 0
    for _ in range(2000):
        y = rng.normal(size=60)
        scores = []
        for _ in range(3):
            folds = rng.permutation(60).reshape(5, 12)
            scores += [np.mean((y[f] - np.delete(y, f).mean()) ** 2) - 1 - 1 / 48 for f in folds]
        plain += interval(scores).low <= 0 <= interval(scores).high
        of = interval(scores, overlap=0.25)
        corrected += of.low <= 0 <= of.high
    assert plain / 2000 < 0.85
    assert 0.93 <= corrected / 2000 <= 0.985


def test_on_a_path_without_effects_one_step_is_called_significant_in_at_most_5_of_100():
    """2,000 paths of four steps, eight seeds: neighbouring differences share a configuration."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(2000):
        steps = np.diff(rng.normal(size=(5, 8)), axis=0)
        alarms += min(holm([sign_flip_p(step) for step in steps])) < 0.05
    assert alarms / 2000 <= 0.05 + 2 * (0.05 * 0.95 / 2000) ** 0.5
