"""The noise scale against gradients of single samples, written down by hand; and what it leaves as it was."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from dialed import noise_scale
from dialed.errors import InvalidInputError
from dialed.tools import noise
from dialed.tools.gradients import GradientSums
from dialed.tools.noise import separated

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(1024, 6)).astype("float32")
Y = ((X @ RANDOM.normal(size=(6, 3)) + RANDOM.normal(size=(1024, 3))).argmax(axis=1)).astype("int32")


def linear():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def by_hand(model):
    """The scale from the gradient of each sample, -(onehot - p) x and -(onehot - p): the covariance's trace and the mean."""
    errors = np.asarray(model.predict(X, verbose=0)) - np.eye(3)[Y]
    gradients = np.concatenate([(X[:, :, None] * errors[:, None, :]).reshape(len(X), -1), errors], axis=1)
    variance = gradients.var(axis=0, ddof=1).sum()
    return variance / ((gradients.mean(axis=0) ** 2).sum() - variance / len(X))


@pytest.mark.slow
def test_it_agrees_with_the_gradients_of_single_samples_within_a_tenth():
    model = linear()
    model.fit(X, Y, batch_size=128, epochs=1, verbose=0)
    for batch_size in (2, 8):
        found = noise_scale(model, X, Y, batch_size=batch_size, batches=512, seeds=2)
        assert found.value == pytest.approx(by_hand(model), rel=0.1)
        assert found.interval[0] <= found.value * 1.02
        assert found.interval[1] >= found.value / 1.02


def test_signal_and_noise_are_told_apart_without_bias():
    vectors = np.random.default_rng(1).normal(1.0, 3.0, size=(64, 10))  # batches of one sample
    sums = GradientSums(
        batches=64, of_batches=(vectors**2).sum(axis=1).mean(), of_all=(vectors.mean(axis=0) ** 2).sum()
    )
    signal, variance = separated(sums, 1)
    assert variance == pytest.approx(vectors.var(axis=0, ddof=1).sum())
    assert signal == pytest.approx((vectors.mean(axis=0) ** 2).sum() - variance / 64)


@pytest.mark.slow
def test_a_model_is_left_as_it_was_to_the_last_bit():
    inner = [layers.Dense(8, activation="relu", kernel_constraint="non_neg"), layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((6,)), *inner, layers.Dropout(0.2), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X[:64], Y[:64], verbose=0)
    own, before = model.optimizer, state_of(model)
    noise_scale(model, X, Y, batches=8, seeds=1)
    assert model.optimizer is own
    for one, other in zip(before, state_of(model), strict=True):
        assert np.array_equal(one, other)
    steps = int(own.iterations.numpy())
    model.train_on_batch(X[:32], Y[:32])
    assert int(own.iterations.numpy()) == steps + 1, "its own optimizer steps again"


def state_of(model):
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in variables]


@pytest.fixture(scope="module")
def trained():
    return noise_scale(lambda hp: linear(), X, Y, batch_size=8, seeds=2, epochs=1, values={})


@pytest.mark.slow
def test_a_built_model_is_looked_at_before_training_and_after(trained):
    assert trained.epochs == (0, 1)
    assert trained.signal.shape == (2, 2)
    assert trained.table[0]["signal"] > trained.table[1]["signal"], "the gradient falls as the model learns"
    assert trained.table[1]["scale"] == pytest.approx(trained.value)


@pytest.mark.slow
def test_a_result_reads_well(trained, tmp_path):
    assert "Noise scale, the critical batch size: " in str(trained)
    assert str(trained).splitlines()[3].split() == ["epochs", "signal", "noise", "scale"]
    assert "<table>" in trained._repr_html_()
    low, high = trained.range
    assert high == trained.suggestion
    assert low <= trained.value * 1.5
    trained.plot().figure.savefig(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("of_all", "why"),
    [
        (0.1, "the gradient cannot be told from its noise"),
        (1.0, "all batches have the same gradient"),
        (np.nan, "finite"),
    ],
)
def test_where_signal_or_noise_is_missing_there_is_no_scale(of_all, why):
    sums = GradientSums(batches=8, of_batches=1.0, of_all=of_all)
    found = noise._result([[sums], [sums]], (0,), 16, 8)
    assert found.value is None
    assert found.suggestion is None
    assert f"No noise scale, because {found.reason}" in str(found)
    assert why in found.reason
    assert "<table>" in found._repr_html_()
    with pytest.raises(InvalidInputError, match="A plot needs a noise scale"):
        found.plot()


def frozen(hp):
    model = linear()
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("subject", "arguments", "why"),
    [
        (linear, {"batch_size": 600}, "at least two batches"),
        (linear, {"batch_size": 200}, "at least 8 batches to compare. Got 200 for 1024 samples"),
        (linear, {"batches": 2}, r"`batches` must be an int in the range \[8"),
        (linear, {"seeds": 0}, "`seeds` must be"),
        (lambda: linear, {"epochs": -1}, r"`epochs` must be an int in the range \[0"),
        (linear, {"epochs": 2}, "`epochs` must come with a build function"),
        (linear, {"values": {"units": 3}}, "`values` must come with a build function"),
        (lambda: frozen, {}, "must have weights to train"),
    ],
)
def test_what_cannot_be_measured_is_refused(subject, arguments, why):
    with pytest.raises(InvalidInputError, match=why):
        noise_scale(subject(), X, Y, **arguments)
