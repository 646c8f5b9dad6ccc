"""Comparing optimizers: what follows from scores, and one real comparison."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from dialed import compare_optimizers
from dialed.errors import InvalidInputError
from dialed.tools.optimizers import comparing
from dialed.tools.optimizers.contestants import AS_BUILT, CHOICE
from dialed.trial import Objective

SCORES = {AS_BUILT: (0.90, 0.91, 0.92), "adam": (0.95, 0.96, 0.97), "lion": (0.94, 0.97, 0.96), "sgd": None}
X = np.random.default_rng(0).normal(size=(192, 5)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype("int32")


def trial(name, scores):
    members = [SimpleNamespace(key=SimpleNamespace(seed=i), score=s) for i, s in enumerate(scores or (0.5, None))]
    score = None if scores is None else float(np.mean(scores))
    return SimpleNamespace(values={CHOICE: name}, members=members, score=score, message="the loss became NaN")


@pytest.fixture
def found():
    study = SimpleNamespace(
        objective=Objective(name="val_accuracy", direction="max"), trials=[trial(*pair) for pair in SCORES.items()]
    )
    rates = {AS_BUILT: 0.5, "adam": 0.01, "lion": 0.001, "sgd": 0.1}
    return comparing._result(study, rates, {"adagrad": "no learning rate: the loss never fell"}, 4, 3)


def test_the_best_comes_first_and_failures_last(found):
    assert [s.name for s in found.standings] == ["adam", "lion", AS_BUILT, "sgd", "adagrad"]
    assert (found.suggestion, found.learning_rate) == ("adam", 0.01)
    assert found.standings[3].reason == "the loss became NaN"


def test_differences_are_taken_in_pairs(found):
    lion, own = found.standings[1], found.standings[2]
    assert lion.behind == pytest.approx(0.01 / 3)
    assert lion.is_tied
    assert own.behind == pytest.approx(0.05)
    assert own.behind_interval == pytest.approx((0.05, 0.05)), "each seed lost as much"
    assert not own.is_tied


def test_lower_is_better_where_the_objective_says_so():
    study = SimpleNamespace(
        objective=Objective(name="val_loss", direction="min"),
        trials=[trial("adam", (0.2, 0.3)), trial("lion", (0.1, 0.1))],
    )
    result = comparing._result(study, {"adam": 1.0, "lion": 1.0}, {}, 4, 2)
    assert result.suggestion == "lion"
    assert result.standings[1].behind == pytest.approx(0.15)


def test_a_result_reads_well(found, tmp_path):
    lines = str(found).splitlines()
    assert lines[1] == "Best: adam at 0.01; not distinguishable from lion"
    assert lines[3].split()[:3] == ["adam", "0.01", "0.96"]
    assert "(tied)" in lines[4]
    assert lines[-1].split(maxsplit=1) == ["adagrad", "no learning rate: the loss never fell"]
    assert "<table>" in found._repr_html_()
    found.plot().figure.savefig(tmp_path / "optimizers.png")
    assert (tmp_path / "optimizers.png").stat().st_size > 10_000


def test_where_all_fail_that_is_said():
    study = SimpleNamespace(objective=Objective(name="val_loss", direction="min"), trials=[trial("adam", None)])
    result = comparing._result(study, {"adam": 1.0}, {}, 4, 2)
    assert "None of them could be trained." in str(result)
    with pytest.raises(InvalidInputError, match="A plot needs an optimizer that could be trained"):
        result.plot()


def build(hp):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(8, "relu"), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(1e-5), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.slow
def test_an_optimizer_at_its_own_rate_beats_a_model_that_hardly_moves():
    result = compare_optimizers(build, X, Y, optimizers=["adam"], epochs=3, seeds=2, batch_size=16)
    assert [s.name for s in result.standings] == ["adam", AS_BUILT]
    assert result.standings[1].learning_rate == pytest.approx(1e-5)
    assert 1e-4 < result.learning_rate < 1
    assert len(result.standings[0].scores) == 2
    assert result.standings[0].mean < result.standings[1].mean


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"optimizers": ["adamm"]}, "Did you mean 'adam'?"),
        ({"epochs": 0}, "`epochs` must be an int"),
        ({"seeds": 0}, "`seeds` must be an int"),
        ({"batch_size": 200}, "at least two batches"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, why):
    with pytest.raises(InvalidInputError, match=why):
        compare_optimizers(build, X, Y, **arguments)
