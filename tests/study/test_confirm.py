"""The confirmation: fresh paired seeds, honest intervals."""

import numpy as np
import pytest

from dialed.events import MembersAdded, TrialStarted
from dialed.search import History, Terms
from dialed.study.arguments import member_seeds
from dialed.study.budget import Budget
from dialed.study.confirm import (
    MOST_SEEDS,
    confirmation_of,
    fresh_seeds,
    interval,
    members_to_add,
    next_round,
    plan_confirmation,
    reserved,
)
from dialed.study.judge import low_level
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State

MAX = Objective(name="val_accuracy", direction="max")


def history_of(scores, *, objective=MAX, seed=3, epochs=1):
    """A history with one finished trial for each score; the first is that of the defaults."""
    terms = Terms(objective=objective, epochs=epochs, seeds=member_seeds(seed, 1), seed=seed)
    history = History(terms)
    for number, score in enumerate(scores):
        source = "default" if number == 0 else "strategy"
        history.apply(
            TrialStarted(
                trial=number, values={"x": number}, until=epochs, epochs=epochs, seeds=terms.seeds, source=source
            )
        )
        finish(history, MemberKey(number, terms.seeds[0], 0), score)
    return history


def finish(history, key, score):
    until = history.member(key).until
    for epoch in range(1, until + 1):
        history.apply(Report(key=key, epoch=epoch, metrics={history.objective.name: score}, seconds=1.0))
    history.apply(Outcome(key=key, state=State.PAUSED, epoch=until))


def confirm(history, table, *, top=3):
    """Add the members that are needed and finish them with `table[trial][i]` under the i-th fresh seed."""
    repeats = len(next(iter(table.values())))
    seeds = fresh_seeds(history.terms.seed, repeats)
    for event in members_to_add(history, top=top, repeats=repeats):
        history.apply(event)
        for seed in event.seeds:
            finish(history, MemberKey(event.trial, seed, 0), table[event.trial][seeds.index(seed)])
    return confirmation_of(history)


def test_the_seeds_of_a_confirmation_are_never_those_of_the_search():
    for seed in range(50):
        assert not set(fresh_seeds(seed, 10)) & set(member_seeds(seed, 10))


def test_the_finalists_are_the_best_and_the_defaults():
    events = members_to_add(history_of([0.5, 0.9, 0.7, 0.8]), top=2, repeats=3)
    assert [e.trial for e in events] == [1, 3, 0]
    assert all(isinstance(e, MembersAdded) and len(e.seeds) == 3 for e in events)


def test_all_finalists_share_the_same_seeds():
    events = members_to_add(history_of([0.5, 0.9, 0.7]), top=2, repeats=4)
    assert len({e.seeds for e in events}) == 1


def test_confirming_does_not_change_the_scores_of_the_search():
    history = history_of([0.5, 0.9])
    confirm(history, {1: [0.1, 0.2, 0.3], 0: [0.1, 0.1, 0.1]})
    assert [t.score for t in history.trials] == [0.5, 0.9]


def test_a_second_confirmation_keeps_what_the_first_has_trained():
    history = history_of([0.5, 0.9])
    confirm(history, {1: [0.8, 0.9, 0.85], 0: [0.5, 0.6, 0.5]})
    more = members_to_add(history, top=1, repeats=5)
    assert all(e.seeds == fresh_seeds(3, 5)[3:] for e in more)


def test_a_clear_gain_is_called_better_with_its_interval():
    confirmation = confirm(history_of([0.5, 0.9]), {1: [0.90, 0.91, 0.89], 0: [0.50, 0.52, 0.49]})
    assert confirmation.winner == 1
    assert confirmation.gain.mean == pytest.approx(0.3967, abs=1e-3)
    assert confirmation.gain.low > 0
    assert "better than the defaults" in confirmation.sentence


def test_a_small_gain_is_called_not_distinguishable():
    confirmation = confirm(history_of([0.5, 0.9]), {1: [0.50, 0.60, 0.55], 0: [0.55, 0.51, 0.56]})
    assert confirmation.gain.low < 0 < confirmation.gain.high
    assert "not distinguishable from the defaults" in confirmation.sentence


def test_a_runner_up_that_is_as_good_is_named():
    confirmation = confirm(
        history_of([0.1, 0.9, 0.9]), {1: [0.90, 0.91, 0.89], 2: [0.905, 0.90, 0.89], 0: [0.1, 0.12, 0.11]}
    )
    loser = {1, 2} - {confirmation.winner}
    assert f"not distinguishable from trial {loser.pop()}" in confirmation.sentence


def test_defaults_that_win_are_said_to_win():
    confirmation = confirm(history_of([0.5, 0.9]), {1: [0.4, 0.5, 0.45], 0: [0.8, 0.82, 0.81]})
    assert confirmation.winner == 0
    assert confirmation.gain is None
    assert "nothing that was tried beat the defaults" in confirmation.sentence


def test_for_a_loss_the_gain_is_positive_when_it_falls():
    history = history_of([1.0, 0.2], objective=Objective(name="val_loss", direction="min"))
    confirmation = confirm(history, {1: [0.2, 0.21, 0.22], 0: [1.0, 1.1, 0.9]})
    assert confirmation.winner == 1
    assert confirmation.gain.mean == pytest.approx(0.79)


def test_the_probabilities_of_being_the_best_sum_to_one_and_follow_the_means():
    confirmation = confirm(history_of([0.5, 0.9, 0.8]), {1: [0.9, 0.92, 0.94], 2: [0.8, 0.9, 0.85], 0: [0.5, 0.5, 0.6]})
    chances = {f.trial: f.probability_best for f in confirmation.finalists}
    assert sum(chances.values()) == pytest.approx(1.0)
    assert chances[1] > chances[2] > chances[0] - 1e-12


def test_the_interval_is_students():
    from scipy import stats

    values = np.random.default_rng(0).normal(size=7)
    expected = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    assert (interval(values).low, interval(values).high) == pytest.approx(expected)


def test_the_interval_of_the_gain_covers_the_truth_in_about_95_of_100_studies():
    """Coverage over 400 simulated confirmations with shared seed effects: 0.95 within four standard errors."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(400):
        shared = rng.normal(0.0, 0.05, size=5)
        history = history_of([0.5, 0.9])
        table = {1: list(0.7 + shared + rng.normal(0, 0.02, 5)), 0: list(0.6 + shared + rng.normal(0, 0.02, 5))}
        gain = confirm(history, table).gain
        covered += gain.low <= 0.1 <= gain.high
    assert 0.95 - 4 * 0.011 <= covered / 400 <= 0.95 + 4 * 0.011


def test_a_finalist_that_fails_under_a_fresh_seed_is_left_out():
    history = history_of([0.5, 0.9, 0.8])
    for event in members_to_add(history, top=2, repeats=3):
        history.apply(event)
        for i, seed in enumerate(event.seeds):
            key = MemberKey(event.trial, seed, 0)
            if event.trial == 1 and i == 1:
                history.apply(Outcome(key=key, state=State.FAILED, epoch=0, cause=Cause.NAN, message="nan"))
            else:
                finish(history, key, 0.8 + 0.01 * i + event.trial * 0.001)
    assert 1 not in {f.trial for f in confirmation_of(history).finalists}


def test_without_a_second_trial_nothing_is_said():
    assert confirmation_of(history_of([0.5])) is None
    assert plan_confirmation(history_of([0.5]), Budget(), seconds=0.0)[:2] == (0, 0)


def test_without_a_budget_two_fifths_of_the_searched_epochs_begin_a_race_of_three_to_five_seeds():
    assert plan_confirmation(history_of([0.5, 0.6, 0.9]), Budget(max_trials=3), seconds=0.0) == (2, 3, "")
    many = history_of([0.5, *np.linspace(0.6, 0.9, 99)])
    assert plan_confirmation(many, Budget(max_trials=100), seconds=0.0) == (2, 5, "")


def test_an_automatic_confirmation_keeps_to_the_epochs_that_are_left():
    history = history_of([0.5, 0.6, 0.7, 0.9])  # 4 epochs so far; one seed of three contestants takes 3
    assert plan_confirmation(history, Budget(max_epochs=4 + 9), seconds=0.0) == (2, 3, "")
    assert plan_confirmation(history, Budget(max_epochs=4 + 8), seconds=0.0) == (1, 4, "")
    top, repeats, why = plan_confirmation(history, Budget(max_epochs=4 + 5), seconds=0.0)
    assert (top, repeats) == (0, 0)
    assert "too small for 3 fresh seeds of the winner and the defaults" in why


def test_an_automatic_confirmation_keeps_to_the_time_that_is_left():
    history = history_of([0.5, 0.6, 0.7, 0.9])  # 4 epochs
    assert plan_confirmation(history, Budget(max_seconds=19.0), seconds=4.0) == (2, 5, "")
    assert plan_confirmation(history, Budget(max_seconds=11.0), seconds=4.0) == (1, 3, "")
    assert plan_confirmation(history, Budget(max_seconds=9.0), seconds=4.0)[:2] == (0, 0)


@pytest.mark.parametrize(
    ("max_epochs", "search"),
    [
        (100, 75),  # a quarter is kept, more than the nine members of the least confirmation take
        (24, 15),  # nine epochs are kept: three seeds of three contestants
        (16, 10),  # nine would be more than a half; six are kept: three seeds of two
        (10, 10),  # not even that fits into a half: all is for the search
    ],
)
def test_a_search_leaves_what_a_confirmation_takes(max_epochs, search):
    assert reserved(Budget(max_epochs=max_epochs), history_of([0.5]), seconds=1.0).max_epochs == search


def test_time_is_kept_by_the_pace_so_far():
    history = history_of([0.5, 0.9])  # two epochs
    assert reserved(Budget(max_seconds=100.0), history, seconds=2.0).max_seconds == 75.0
    assert reserved(Budget(max_seconds=100.0), history, seconds=10.0).max_seconds == 55.0  # 9 x 5 s
    assert reserved(Budget(max_seconds=100.0), history, seconds=40.0).max_seconds == 100.0  # 6 x 20 s is too much


def test_a_race_goes_on_with_those_who_are_still_in_play():
    """Trial 2 is clearly worse than trial 1; the defaults stay, for the gain is over them."""
    history = history_of([0.5, *np.linspace(0.6, 0.9, 99)])
    best, second = 99, 98
    confirm(history, {best: [0.8, 0.9, 0.85], second: [0.3, 0.41, 0.35], 0: [0.75, 0.86, 0.9]}, top=2)
    more = next_round(history, Budget(max_trials=100), seconds=0.0)
    assert sorted(e.trial for e in more) == [0, best]
    assert all(e.seeds == fresh_seeds(3, 5)[3:] for e in more)


def test_a_race_ends_with_its_part_of_the_budget():
    """Two fifths of 100 epochs, of which 9 are spent: six rounds of two seeds for three contestants are too many."""
    history, rng = history_of([0.5, *np.linspace(0.6, 0.9, 99)]), np.random.default_rng(0)
    confirm(history, {n: list(0.7 + 0.05 * rng.normal(size=3)) for n in (99, 98, 0)}, top=2)
    while more := next_round(history, Budget(max_trials=100), seconds=0.0):
        for event in more:
            for seed in event.seeds:
                finish(history, _added(history, event, seed), 0.7 + 0.05 * rng.normal())
    confirmed = sum(m.epoch for t in history.trials for m in t.confirmations)
    assert 34 < confirmed <= 40
    assert next_round(history, Budget(max_trials=100), seconds=0.0) == []


def _added(history, event, seed):
    """The member of `event` under that seed, once the event is in the history."""
    if not any(m.key.seed == seed for m in history.trial(event.trial).members):
        history.apply(event)
    return MemberKey(event.trial, seed, 0)


def test_a_race_that_is_decided_beyond_doubt_takes_no_more_seeds():
    history = history_of([0.5, *np.linspace(0.6, 0.9, 99)])
    scores = {99: [0.900, 0.901, 0.899, 0.900], 98: [0.5, 0.501, 0.5, 0.499], 0: [0.1, 0.101, 0.1, 0.099]}
    confirm(history, scores, top=2)
    assert next_round(history, Budget(max_epochs=10_000), seconds=0.0) == []


def test_a_race_keeps_to_the_epochs_and_the_time_that_are_left():
    history = history_of([0.5, 0.9])
    confirm(history, {1: [0.5, 0.6, 0.55], 0: [0.55, 0.51, 0.56]})  # 8 epochs by now
    assert len(next_round(history, Budget(max_epochs=8 + 4), seconds=0.0)[0].seeds) == 2
    assert len(next_round(history, Budget(max_epochs=8 + 3), seconds=0.0)[0].seeds) == 1
    assert next_round(history, Budget(max_epochs=8 + 1), seconds=0.0) == []
    assert next_round(history, Budget(max_seconds=9.0), seconds=8.0) == []
    assert next_round(history, Budget(max_seconds=12.0), seconds=8.0) != []


def test_a_race_has_an_end_whatever_the_budget():
    history = history_of([0.5, 0.9])
    rows = np.random.default_rng(0).normal(size=(2, MOST_SEEDS))
    confirm(history, {1: list(rows[0]), 0: list(rows[1])})
    assert next_round(history, Budget(max_epochs=10_000), seconds=0.0) == []


def test_who_left_the_race_does_not_win_and_is_compared_under_the_seeds_it_had():
    history = history_of([0.5, *np.linspace(0.6, 0.9, 99)])
    confirm(history, {99: [0.8, 0.9, 0.85], 98: [0.9, 0.91, 0.93], 0: [0.75, 0.86, 0.9]}, top=2)
    for number in (99, 0):
        for seed in fresh_seeds(3, 5)[3:]:
            event = MembersAdded(trial=number, until=1, seeds=(seed,))
            finish(history, _added(history, event, seed), 0.8 + number * 0.0001)
    confirmation = confirmation_of(history)
    assert confirmation.winner == 99
    assert {f.trial: f.repeats for f in confirmation.finalists} == {99: 5, 98: 3, 0: 5}


def test_the_lead_is_over_the_runner_up():
    scores = {1: [0.90, 0.91, 0.89], 2: [0.85, 0.86, 0.85], 0: [0.1, 0.12, 0.11]}
    confirmation = confirm(history_of([0.1, 0.9, 0.9]), scores)
    assert confirmation.lead.mean == pytest.approx(0.0467, abs=1e-3)
    assert confirmation.gain.mean == pytest.approx(0.79, abs=1e-3)


@pytest.mark.parametrize(("rivals", "part"), [(1, 0.025), (2, 0.0333), (3, 0.0375)])
def test_the_lower_end_of_a_gain_holds_for_the_best_of_all_finalists(rivals, part):
    """Told in n of n + 1 studies of equal configurations, so 5 of 100 of the told ones are this part of all."""
    assert 1 - low_level(rivals) ** rivals == pytest.approx(part, abs=1e-4)


def test_a_gain_over_two_rivals_has_a_lower_lower_end_than_the_same_gain_over_one():
    rows = {1: [0.80, 0.86, 0.83, 0.88], 0: [0.75, 0.76, 0.79, 0.77]}
    alone = confirm(history_of([0.5, 0.9]), rows).gain
    third = confirm(history_of([0.5, 0.9, 0.6]), {**rows, 2: [0.7, 0.7, 0.7, 0.71]}).gain
    assert third.low < alone.low
    assert (third.mean, third.high) == (alone.mean, alone.high)


def test_overlapping_folds_widen_an_interval_by_the_correction_of_nadeau_and_bengio():
    values = np.random.default_rng(0).normal(size=15)
    plain, corrected = interval(values), interval(values, overlap=1 / 4)
    ratio = (corrected.high - corrected.low) / (plain.high - plain.low)
    assert ratio == pytest.approx(((1 / 15 + 1 / 4) / (1 / 15)) ** 0.5)
