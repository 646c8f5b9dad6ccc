"""Scores of one estimator on one split, with scikit-learn's rules for what goes wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning

from dialed.sklearn.scoring import Judge, fill_errors, tell_failures

X = np.arange(6.0)
SPLITS = [(np.array([0, 1, 2, 3]), np.array([4, 5]))]


def total(estimator: Any, X: np.ndarray, y: Any = None, **given: Any) -> Any:
    """A scorer that adds up what it is given."""
    return np.float64(X.sum() + sum(float(np.sum(value)) for value in given.values()))


def judge(scorer: Any = total, **options: Any) -> Judge:
    """A judge over the one split."""
    given: dict[str, Any] = {"names": None, "y": X, "score_params": {}, "error_score": math.nan}
    given |= {"return_train_score": False, "verbose": 0, **options}
    return Judge(scorer=scorer, X=X, splits=SPLITS, **given)


def test_a_row_has_what_scikit_learn_collects() -> None:
    """A Python number, not one of NumPy's."""
    row = judge(return_train_score=True).row("estimator", 0, {}, 2.5)
    assert (row["test_scores"], row["train_scores"], row["fit_time"], row["n_test_samples"]) == (9.0, 6.0, 2.5, 2)
    assert type(row["test_scores"]) is float and row["score_time"] >= 0.0 and row["fit_error"] is None


def test_score_parameters_of_each_sample_are_cut() -> None:
    """Others are passed as they are."""
    row = judge(score_params={"weight": np.array([1, 1, 1, 1, 10, 20]), "factor": 100}).row("e", 0, {}, 0.0)
    assert row["test_scores"] == 9.0 + 30.0 + 100.0


def broken(estimator: Any, X: Any, y: Any) -> Any:
    """A scorer that fails."""
    raise ZeroDivisionError("no positive samples")


def test_a_scorer_that_fails_scores_the_error_score() -> None:
    """With scikit-learn's warning; or it is raised, where that is asked for."""
    with pytest.warns(UserWarning, match=r"Scoring failed(.|\n)*no positive samples"):
        assert judge(broken, error_score=-1.0).row("e", 0, {}, 0.0)["test_scores"] == -1.0
    with pytest.raises(ZeroDivisionError, match="no positive samples"):
        judge(broken, error_score="raise").row("e", 0, {}, 0.0)


def test_a_score_must_be_a_number() -> None:
    """Each one of several too."""
    with pytest.raises(ValueError, match="scoring must return a number, got good"):
        judge(lambda *_: "good", error_score="raise").row("e", 0, {}, 0.0)
    with pytest.raises(ValueError, match="scoring must return a number, got True"):
        judge(lambda *_: {"a": 1.0, "b": True}, error_score="raise").row("e", 0, {}, 0.0)


def test_a_fit_that_failed_has_the_error_score_for_each_name() -> None:
    """And its traceback; or it is raised."""
    row = judge(names=("a", "b"), error_score=0.0, return_train_score=True).failed(0, {}, ValueError("odd"), 1.0)
    assert row["test_scores"] == row["train_scores"] == {"a": 0.0, "b": 0.0}
    assert "ValueError: odd" in row["fit_error"]
    with pytest.raises(ValueError, match="odd"):
        judge(error_score="raise").failed(0, {}, ValueError("odd"), 1.0)


def test_failures_are_told_once_and_all_of_them_are_an_error() -> None:
    """With how often each happened."""
    good, bad = {"fit_error": None}, {"fit_error": "ValueError: odd"}
    tell_failures([good, good], math.nan)
    with pytest.warns(FitFailedWarning, match=r"2 fits failed out of a total of 3(.|\n)*2 fits failed with(.|\n)*odd"):
        tell_failures([good, bad, bad], 0.5)
    with pytest.raises(ValueError, match=r"All the 2 fits failed(.|\n)*odd"):
        tell_failures([bad, bad], math.nan)


def test_failed_rows_get_the_names_that_a_callable_scoring_returned() -> None:
    """They are not known before a fit goes well."""
    good = {"fit_error": None, "test_scores": {"a": 1.0, "b": 2.0}}
    bad = {"fit_error": "odd", "test_scores": -1.0, "train_scores": -1.0}
    fill_errors([bad, good], -1.0)
    assert bad["test_scores"] == bad["train_scores"] == {"a": -1.0, "b": -1.0}
    plain = [{"fit_error": None, "test_scores": 1.0}, {"fit_error": "odd", "test_scores": -1.0}]
    fill_errors(plain, -1.0)
    assert plain[1]["test_scores"] == -1.0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"verbose": 2}, "[CV] END ...units=4; total time=   1.0s"),
        ({"verbose": 3}, "[CV 1/1] END ...units=4; score=9.000 total time=   1.0s"),
        ({"verbose": 3, "return_train_score": True}, "units=4; score=(train=6.000, test=9.000) total time="),
    ],
)
def test_lines_are_printed_as_scikit_learn_prints_them(
    options: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """More with more `verbose`, 80 columns wide."""
    judge(**options).row("e", 0, {"units": 4}, 1.0)
    printed = capsys.readouterr().out.rstrip("\n")
    head, _, tail = line.partition("...")
    assert (printed.startswith(head) and printed.endswith(tail)) if tail else line in printed
    assert len(printed) == 80
