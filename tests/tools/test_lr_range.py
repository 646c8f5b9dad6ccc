"""The range test on small real models: exact losses, the same by both ways, and nothing of a model changed."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from dialed import lr_range_test
from dialed.errors import InvalidInputError
from dialed.tools import sweep

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(240, 6)).astype("float32")
Y = (X @ RANDOM.normal(size=(6, 3))).argmax(axis=1)


def build(hp=None, make=lambda: optimizers.Adam(1e-3)):
    inner = [layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input((6,)), *inner, layers.Dense(3, activation="softmax")])
    model.compile(make(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def test():
    return lr_range_test(build, X, Y, batch_size=16, steps=60, seeds=2, validation_split=0.25)


def test_the_suggestion_lies_inside_its_interval_and_range(test):
    assert test.interval[0] <= test.suggestion <= test.interval[1]
    assert test.range[0] <= test.suggestion <= test.range[1]
    assert 1e-4 < test.suggestion < 1
    assert test.suggestion == test.suggestions["valley"]
    assert test.losses.shape == (2, 60)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="lanes are JAX's")
def test_seeds_in_one_program_have_the_losses_of_seeds_one_by_one(test, monkeypatch):
    assert test.way == "2 seeds in one compiled program"
    facts = sweep.backend_facts()
    monkeypatch.setattr(sweep, "backend_facts", lambda: type(facts)(**{**_fields(facts), "name": "other"}))
    alone = lr_range_test(build, X, Y, batch_size=16, steps=60, seeds=2, validation_split=0.25)
    assert alone.way == "one seed after another"
    low = test.values < 0.1  # beyond, rounding grows
    assert test.losses[:, low] == pytest.approx(alone.losses[:, low], rel=1e-3)
    assert test.validation[1][:10] == pytest.approx(alone.validation[1][:10], rel=1e-3)


def _fields(facts):
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}


def test_losses_are_those_of_the_batches_and_no_running_means():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizers.SGD(1.0), "mse")
    x = np.arange(1, 33, dtype="float32")[:, None]
    found = lr_range_test(model, x, np.zeros(32, "float32"), low=1e-12, high=1e-11, steps=20, batch_size=8, seeds=1)
    assert sum(found.losses[0, :4]) == pytest.approx(4 * float((x**2).mean()), rel=1e-5), "an epoch, rates almost 0"
    assert np.ptp(found.losses[0, :4]) > 10
    assert found.suggestion is None
    assert "No suggestion, because the loss fell by" in str(found)
    assert "less than batches differ by" in found.reason


def state_of(model):
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in variables]


def test_a_model_is_left_as_it_was_to_the_last_bit():
    model = build()
    model.fit(X, Y, epochs=1, verbose=0)
    before, drawn = state_of(model), np.random.get_state(legacy=False)["state"]["key"].copy()
    lr_range_test(model, X, Y, batch_size=16, steps=30, seeds=2)
    for one, other in zip(before, state_of(model), strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(drawn, np.random.get_state(legacy=False)["state"]["key"])


@pytest.mark.slow
@pytest.mark.parametrize("given", ["build", "model"])
def test_other_numbers_are_swept_too(given):
    def make():
        return build(make=lambda: optimizers.AdamW(1e-2, weight_decay=1e-4))

    subject = make() if given == "model" else lambda hp: make()
    found = lr_range_test(subject, X, Y, number="weight_decay", low=1e-4, high=90.0, steps=30, batch_size=16, seeds=1)
    assert found.number == "weight_decay"
    flat = lr_range_test(subject, X, Y, number="weight_decay", low=1e-4, high=2e-4, steps=30, batch_size=16, seeds=1)
    assert found.losses[0, :5] == pytest.approx(flat.losses[0, :5], rel=0.01), "decays below 1e-2 are not felt"
    assert abs(np.nanmean(found.losses[0, -5:]) - flat.losses[0, -5:].mean()) > 0.05, "a decay of 90 is felt"
    if given == "model":
        assert subject.optimizer.weight_decay == 1e-4
        assert not subject.run_eagerly


@pytest.mark.slow
def test_momentum_is_swept_by_the_same_function():
    def nesterov(hp):
        return build(make=lambda: optimizers.SGD(0.01, momentum=0.5, nesterov=True))

    steps = {"number": "momentum", "sweep": "linear", "steps": 40, "batch_size": 16, "seeds": 1}
    swept = lr_range_test(nesterov, X, Y, low=0.5, high=0.99, **steps)
    level = lr_range_test(nesterov, X, Y, low=0.5, high=0.501, **steps)
    assert swept.losses[0, 1] == pytest.approx(level.losses[0, 1], rel=0.02)
    assert np.nanmean(swept.losses[0, -8:]) < level.losses[0, -8:].mean(), "more momentum has come further"


@pytest.mark.slow
def test_weights_of_samples_count():
    weights = np.where(Y == 0, 0.0, 1.0)
    found = lr_range_test(build, X, Y, sample_weight=weights, steps=20, batch_size=16, seeds=1)
    plain = lr_range_test(build, X, Y, steps=20, batch_size=16, seeds=1)
    assert found.losses[0, 0] < plain.losses[0, 0]


@pytest.mark.slow
def test_a_dataset_is_swept_batch_by_batch():
    class Pairs(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[32 * i : 32 * i + 32], Y[32 * i : 32 * i + 32]

    found = lr_range_test(build, Pairs(), steps=20, seeds=1)
    assert found.way == "one seed after another"
    assert np.isfinite(found.losses[0, :10]).all()


def test_a_result_reads_well(test, tmp_path):
    text = str(test)
    assert text.startswith("learning_rate from 1e-06 to 10, 60 batches of 16, 2 seeds")
    assert "Suggestion: " in text
    assert [row["rule"] for row in test.table] == ["valley", "steepest", "slide", "minimum/10"]
    html = test._repr_html_()
    assert "<table>" in html
    assert "<script" not in html
    axes = test.plot()
    assert axes.get_xscale() == "log"
    axes.figure.savefig(tmp_path / "test.png")
    assert (tmp_path / "test.png").stat().st_size > 10_000


def test_a_diverged_sweep_ends_early():
    def build_linear(hp):
        model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
        model.compile(optimizers.SGD(1.0), "mse")
        return model

    found = lr_range_test(build_linear, X, X[:, :1], low=1e-3, high=1e4, steps=100, batch_size=16, seeds=2)
    assert np.isnan(found.losses[:, -10:]).all(), "the rest is not trained"
    assert found.suggestion < 1


def scheduled(hp):
    return build(make=lambda: optimizers.Adam(optimizers.schedules.CosineDecay(1e-3, 10)))


def frozen(hp):
    model = build()
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("subject", "arguments", "why"),
    [
        (scheduled, {}, "a plain learning rate. Its learning rate is a schedule"),
        (frozen, {}, "must have weights to train"),
        (build, {"batch_size": 200}, "at least two batches"),
        (build, {"low": 0.0}, "0 < low < high"),
        (build, {"low": 1.0, "high": 0.1}, "0 < low < high"),
        (build, {"steps": 3}, r"`steps` must be an int in the range \[20"),
        (build, {"sweep": "square"}, '"exponential" or "linear"'),
        (build, {"suggestion": "best"}, "`suggestion` must be one of valley"),
        (build, {"seeds": 0}, "`seeds` must be"),
        (build, {"smoothing": -1.0}, "`smoothing` must be"),
        (build, {"batch_size": 0}, "`batch_size` must be an int"),
        (build, {"number": "momentum"}, "`low` and `high` must say what to sweep `momentum` over"),
        (build, {"number": "momentum", "low": 0.1, "high": 0.9}, "has and uses"),
        (build, {"number": "weight_decay"}, "`weight_decay` is None"),
    ],
)
def test_what_cannot_be_swept_is_refused(subject, arguments, why):
    with pytest.raises(InvalidInputError, match=why):
        lr_range_test(subject, X, Y, **arguments)


def test_values_need_a_build_function():
    with pytest.raises(InvalidInputError, match="`values` must come with a build function"):
        lr_range_test(build(), X, Y, values={"units": 3})


def test_a_loss_that_is_nan_from_the_start_is_told():
    def broken(hp):
        model = keras.Sequential([keras.Input((6,)), layers.Dense(1), layers.Lambda(lambda x: x * float("nan"))])
        model.compile("adam", "mse")
        return model

    found = lr_range_test(broken, X, Y.astype("float32"), steps=20, seeds=1)
    assert found.suggestion is None
    assert "not finite at the first step" in found.reason
