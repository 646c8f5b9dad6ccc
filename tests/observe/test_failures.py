"""What trials failed of is told in groups, the commonest first."""

from __future__ import annotations

import math

import pytest

import dialed
from dialed.errors import StudyError
from dialed.observe.failures import commonest
from dialed.strategies import Sobol
from dialed.trial import Cause, State, Trial

MEMORY = "sqlite:///:memory:"


def failed(number: int, message: str, cause: Cause = Cause.ERROR) -> Trial:
    return Trial(number=number, values={}, state=State.FAILED, cause=cause, message=message)


def test_the_commonest_comes_first_with_its_latest_trial() -> None:
    trials = [failed(0, "boom"), failed(1, "shapes 3 and 4.5"), failed(2, "shapes 16 and 1e-3")]
    assert commonest(trials) == [
        "2 trials (error), the latest trial 2: shapes 16 and 1e-3",
        "1 trial (error), the latest trial 0: boom",
    ]


def test_causes_are_kept_apart_and_other_trials_left_out() -> None:
    fine = Trial(number=0, values={}, state=State.COMPLETED, score=1.0)
    trials = [fine, failed(1, "x", Cause.NAN), failed(2, "x", Cause.BUILD), failed(3, "", Cause.NAN)]
    assert len(commonest(trials)) == 3
    assert commonest([fine]) == []
    assert commonest(trials)[-1] == "1 trial (nan), the latest trial 3"


def test_what_is_beyond_the_commonest_is_counted() -> None:
    trials = [failed(i, message) for i, message in enumerate("aaabbcd")]
    assert commonest(trials)[3:] == ["1 trial of 1 other kind"]


def test_a_search_that_only_fails_ends_with_its_errors_grouped() -> None:
    def train(hp: dialed.HyperParameters) -> float:
        if hp.Float("x", 0.0, 1.0) < 0.5:
            raise ValueError("too small")
        raise RuntimeError("no device")

    with pytest.raises(StudyError, match=r"(?s)last 5 trials failed.*commonest errors:\n  \d trials \(error\), .*\n  "):
        dialed.optimize(train, direction="min", strategy=Sobol(), seed=0, store=MEMORY, max_trials=20)


def test_a_search_without_a_score_says_why_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    def train(hp: dialed.HyperParameters) -> float:
        return math.nan if hp.Float("x", 0.0, 1.0) < 0.5 else math.inf

    study = dialed.optimize(train, direction="min", strategy=Sobol(), seed=0, store=MEMORY, max_trials=9)
    assert study.best_trial is None
    shown = capsys.readouterr()
    assert "no trial has a score" in shown.out + shown.err
    assert "trials (nan), the latest trial" in shown.out + shown.err
