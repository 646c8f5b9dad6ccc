"""The summary tells who won, by how much and at what cost, and never more than is known."""

from dataclasses import dataclass
from typing import Any

import pytest

from dialed.observe.progress import BudgetView
from dialed.observe.summary import summary_text
from dialed.search.history import History, Terms
from dialed.trial import Cause


@dataclass(frozen=True, kw_only=True)
class Interval:
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Finalist(Interval):
    trial: int
    repeats: int
    probability_best: float


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    finalists: tuple[Finalist, ...]
    winner: int
    gain: Interval | None
    sentence: str


def finalist(trial: int, mean: float, probability: float) -> Finalist:
    return Finalist(trial=trial, mean=mean, low=mean - 0.01, high=mean + 0.01, repeats=5, probability_best=probability)


def flat(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


@pytest.fixture
def history(terms: Terms, story: Any) -> History:
    return History(terms, story.three_trials())


def test_the_whole_answer(history: History) -> None:
    assert summary_text(history, name="mnist").splitlines() == [
        "mnist: val_accuracy, higher is better",
        "",
        "Winner: trial 1, val_accuracy 0.9500 at epoch 3 of 3.",
        "This score chose the winner, so it flatters it: `confirm` asks fresh seeds.",
        "Gain over the defaults: +0.0500, from 0.9000 in trial 0 to 0.9500.",
        "",
        "   hyperparameter  winner  default",
        "*  learning_rate   0.0031    0.001",
        "   units               64       64",
        "*  activation        tanh     relu",
        "",
        "Best trials:",
        "  trial  val_accuracy  epochs   time  unlike the defaults",
        "      1        0.9500       3  1.5 s  learning_rate=0.0031 activation=tanh",
        "      0        0.9000       3  1.5 s  defaults",
        "",
        "3 trials: 2 completed, 1 failed.",
        "  1 nan (trial 2): The loss is nan.",
        "    Lower the upper end of the learning rate, clip gradients (`clipnorm=1.0`),",
        "    and look for NaN in the data.",
        "",
        "Trained: 2 trials by model.fit.",
        "Used: 3 of 4 trials, 6 of 12 epochs, 12 s.",
    ]


def test_a_lower_loss_is_a_positive_gain(terms_of: Any, story: Any) -> None:
    story.objective = "val_loss"
    events = [*story.completed(0, score=0.5), *story.completed(1, {"units": 8}, score=0.4)]
    text = summary_text(History(terms_of(epochs=3), events))
    assert "Winner: trial 1, val_loss 0.3800 at epoch 1 of 3." in text
    assert "Gain over the defaults: +0.1000, from 0.4800 in trial 0 to 0.3800." in text
    assert flat(text).index("1 0.3800 3 1.5 s units=8") < flat(text).index("0 0.4800 3 1.5 s defaults")


def test_defaults_that_win_are_no_gain(terms: Terms, story: Any) -> None:
    events = [*story.completed(0, score=0.9), *story.completed(1, {"units": 8}, score=0.8)]
    text = summary_text(History(terms, events))
    assert "These are the defaults: nothing that was tried is better." in text
    assert "Gain" not in text


def test_without_the_defaults_there_is_no_gain(terms: Terms, story: Any) -> None:
    untried = summary_text(History(terms, story.completed(1, {"units": 8}, score=0.8)))
    assert "The defaults were not tried, so there is no gain to tell." in untried
    failed = summary_text(History(terms, [story.start(0), story.failed(0), *story.completed(1, score=0.8)]))
    assert "The defaults (trial 0) failed (nan), so there is no gain to tell." in failed


def test_a_study_without_trials_or_scores_says_so(terms: Terms, story: Any) -> None:
    assert summary_text(History(terms), name="mnist") == "mnist: no trial yet."
    text = summary_text(History(terms, [story.start(0), story.failed(0, Cause.BUILD, "ValueError: units")]))
    assert "No trial has a score, so there is no winner." in text
    assert "1 build (trial 0): ValueError: units" in text
    assert "Winner" not in text


def test_fresh_seeds_judge_the_winner(history: History) -> None:
    confirmation = Confirmation(
        finalists=(finalist(1, 0.94, 0.93), finalist(0, 0.9, 0.07)),
        winner=1,
        gain=Interval(mean=0.04, low=0.01, high=0.07),
        sentence="Trial 1 is better than the defaults.",
    )
    text = flat(summary_text(history, confirmation=confirmation))
    assert (
        "Winner: trial 1, val_accuracy 0.9400 under 5 fresh seeds (95 % interval 0.9300 to 0.9500); "
        "0.9500 in the search." in text
    )
    assert "Gain over the defaults under fresh seeds: +0.0400 (95 % interval +0.0100 to +0.0700)." in text
    assert "Fresh seeds: Trial 1 is better than the defaults." in text
    assert "1 0.9400 0.9300 to 0.9500 5 93 %" in text
    assert "flatters" not in text
    assert "from 0.9000 in trial 0" not in text  # the lucky scores no longer tell the gain


def test_another_winner_under_fresh_seeds_is_explained(history: History) -> None:
    finalists = (finalist(0, 0.91, 0.6), finalist(1, 0.9, 0.4))
    confirmation = Confirmation(finalists=finalists, winner=0, gain=None, sentence="")
    text = flat(summary_text(history, confirmation=confirmation))
    assert "Winner: trial 0" in text
    assert "The best score of the search was that of trial 1 (0.9500); fresh seeds prefer the winner." in text
    assert "These are the defaults" in text


def test_a_score_over_repeats_has_its_spread(terms_of: Any, story: Any) -> None:
    events = [story.start(0, seeds=(1, 2))]
    for seed, score in ((1, 0.9), (2, 0.8)):
        events += [story.report(0, 1, score, seed=seed), story.done(0, seed=seed)]
    text = flat(summary_text(History(terms_of("val_accuracy", "max", epochs=3, seeds=(1, 2)), events)))
    assert "val_accuracy 0.8500 ± 0.0707 (mean and standard deviation of 2 members)." in text


def test_a_gap_between_training_and_validation_is_told_with_what_helps(history: History) -> None:
    text = summary_text(history, gaps={1: (0.999, 0.90), 0: (0.91, 0.9)})
    assert "      1    0.9990      0.9000  overfits" in text
    assert "      0    0.9100      0.9000\n" in text
    assert "More dropout or weight decay" in text


def test_no_gap_is_no_advice(history: History) -> None:
    assert "dropout" not in summary_text(history, gaps={1: (0.951, 0.95)})
    assert "Training against validation" not in summary_text(history)


def test_overfitting_of_a_loss_is_the_other_way_round(terms_of: Any, story: Any) -> None:
    story.objective = "val_loss"
    history = History(terms_of(epochs=3), [*story.completed(0, score=0.5)])
    assert "overfits" in summary_text(history, gaps={0: (0.2, 0.48)})
    assert "overfits" not in summary_text(history, gaps={0: (0.6, 0.48)})


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_comes_with_what_to_do(cause: Cause, terms: Terms, story: Any) -> None:
    lines = summary_text(History(terms, [story.start(0), story.failed(0, cause, "why")])).splitlines()
    place = lines.index(f"  1 {cause} (trial 0): why")
    assert lines[place + 1].startswith("    ")
    assert lines[place + 1].strip()


def test_many_failures_of_one_cause_are_one_entry(terms: Terms, story: Any) -> None:
    events = [event for n in range(8) for event in (story.start(n), story.failed(n))]
    text = summary_text(History(terms, events))
    assert "8 nan (trials 0, 1, 2, 3, 4, ...): The loss is nan." in text


def test_the_budget_given_is_the_one_told(history: History) -> None:
    text = summary_text(history, budget=BudgetView(max_seconds=600))
    assert text.endswith("Used: 3 trials, 6 epochs, 12 s of 10 min.")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_asked(width: int, terms: Terms, story: Any) -> None:
    values = {f"a_hyperparameter_{i}": "a long value " * 5 for i in range(5)}
    events = [*story.completed(0, score=0.9), *story.completed(1, values, score=0.95)]
    events += [story.start(2), story.failed(2, message="word " * 60)]
    confirmation = Confirmation(finalists=(finalist(1, 0.94, 0.9),), winner=1, gain=None, sentence="word " * 40)
    text = summary_text(History(terms, events), confirmation=confirmation, gaps={1: (0.99, 0.5)}, width=width)
    assert max(len(line) for line in text.splitlines()) <= width


def test_programs_lanes_and_reasons_are_told(terms: Terms, story: Any) -> None:
    history = History(terms)
    engines = ["fused-1", "fused-1", "fit: the data are a generator, not arrays"]
    for number, engine in enumerate(engines):
        for event in (story.start(number), story.built(number, engine=engine), story.report(number, 1, 0.5)):
            history.apply(event)
    text = summary_text(history)
    assert "Trained: 2 trials as 2 lanes of 1 program,\n" in text
    assert "\n  1 trial by model.fit: the data are a generator, not arrays.\nUsed:" in text


def test_of_many_reasons_the_most_frequent_are_told(terms: Terms, story: Any) -> None:
    history = History(terms)
    for number in range(9):
        engine = f"fit: reason {max(number - 1, 0)}"
        for event in (story.start(number), story.built(number, engine=engine), story.report(number, 1, 0.5)):
            history.apply(event)
    text = summary_text(history)
    assert "Trained: 2 trials by model.fit: reason 0,\n" in text
    assert "and 2 more reasons.\nUsed:" in text
