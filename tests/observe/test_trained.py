"""How trials were trained is counted from what their engines said."""

import pytest

from dialed.observe.trained import Trained
from dialed.search.history import History, Terms
from dialed.trial import MemberKey, Objective

REASON = "fit: the callback `Printer` works on batches\nand on more"


@pytest.fixture
def trained(story):
    """What is told of trials under two seeds, one for each engine."""

    def make(*engines: str) -> Trained:
        history = History(Terms(objective=Objective(name="val_accuracy", direction="max"), epochs=3, seeds=(0, 1)))
        for number, engine in enumerate(engines):
            history.apply(story.start(number, seeds=(0, 1)))
            if engine:
                history.apply(story.built(number, engine=engine))
        assert all(trial.members[0].key == MemberKey(trial.number, 0, 0) for trial in history.trials)
        return Trained.of(history.trials)

    return make


def test_each_member_of_a_fused_trial_is_a_lane(trained):
    found = trained("fused-1", "fused-1", "fused-2")
    assert (found.programs, found.trials, found.lanes) == (2, 3, 6)
    assert found.parts == ["3 trials as 6 lanes of 2 programs"]


def test_trials_that_fell_back_are_grouped_by_their_reason(trained):
    found = trained("fused-1", REASON, "fit: no arrays", REASON)
    assert found.fallbacks == {("fit", "the callback `Printer` works on batches"): 2, ("fit", "no arrays"): 1}
    assert found.parts == [
        "1 trial as 2 lanes of 1 program",
        "2 trials by model.fit: the callback `Printer` works on batches",
        "1 trial by model.fit: no arrays",
    ]


def test_trials_trained_as_asked_have_no_reason(trained):
    assert trained("fit", "fit").parts == ["2 trials by model.fit"]
    assert trained("fit").fallbacks == {}


def test_what_has_not_begun_or_is_no_model_goes_without_saying(trained):
    assert trained("", "function").parts == []
    assert trained("", "") == Trained()


def test_it_is_told_as_json_types(trained):
    assert trained("fused-3", "fit: no arrays", "fit").to_json() == {
        "programs": 1,
        "trials": 1,
        "lanes": 2,
        "alone": {"fit": 1},
        "fallbacks": [{"engine": "fit", "reason": "no arrays", "trials": 1}],
    }
