"""Schedules follow their formulas, Keras's own where both exist, and the full training of a trial."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import keras
import matplotlib
import numpy as np
import pytest

import dialed
from dialed import schedules
from dialed.engine.length import Length
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.errors import InvalidInputError, MissingDependencyError
from dialed.strategies import Manual

matplotlib.use("Agg")
OF_KERAS = keras.optimizers.schedules
STEPS = 100

EACH: dict[str, Any] = {
    "constant": lambda **k: schedules.Constant(0.1, **k),
    "cosine": lambda **k: schedules.Cosine(0.1, end=0.1, **k),
    "cosine_restarts": lambda **k: schedules.CosineRestarts(0.1, shrink=0.5, **k),
    "cyclical": lambda **k: schedules.Cyclical(0.1, **k),
    "exponential": lambda **k: schedules.Exponential(0.1, **k),
    "one_cycle": lambda **k: schedules.OneCycle(0.1, **k),
    "polynomial": lambda **k: schedules.Polynomial(0.1, power=2.0, **k),
    "step_decay": lambda **k: schedules.StepDecay(0.1, **k),
    "time_decay": lambda **k: schedules.TimeDecay(0.1, **k),
    "warmup": lambda **k: schedules.Warmup(schedules.Cosine(0.1), kind="exponential", **k),
    "warmup_stable_decay": lambda **k: schedules.WarmupStableDecay(0.1, shape="square_root", **k),
}


def rates(schedule: Any, steps: int = STEPS) -> np.ndarray:
    """The rate at each step, asked one by one as an optimizer does, though in one program."""
    return np.asarray(jax.jit(jax.vmap(schedule))(jnp.arange(steps)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schedules.TimeDecay(0.1, decay=9.0, length=40), OF_KERAS.InverseTimeDecay(0.1, 40, 9.0)),
        (schedules.StepDecay(0.1, factor=0.3, every=7), OF_KERAS.ExponentialDecay(0.1, 7, 0.3, staircase=True)),
        (schedules.Exponential(0.1, factor=0.3, length=40), OF_KERAS.ExponentialDecay(0.1, 40, 0.3)),
        (schedules.Polynomial(0.1, end=0.2, power=2.0, length=60), OF_KERAS.PolynomialDecay(0.1, 60, 0.02, 2.0)),
        (schedules.Cosine(0.1, end=0.1, length=60), OF_KERAS.CosineDecay(0.1, 60, alpha=0.1)),
        (
            schedules.CosineRestarts(0.1, first=10, growth=2.0, shrink=0.5, end=0.1),
            OF_KERAS.CosineDecayRestarts(0.1, 10, t_mul=2.0, m_mul=0.5, alpha=0.1),
        ),
        (
            schedules.CosineRestarts(0.1, first=10, growth=1.0, shrink=0.9),
            OF_KERAS.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.9),
        ),
        (
            schedules.Warmup(schedules.Cosine(0.1, length=50), length=20, start=0.1),
            OF_KERAS.CosineDecay(0.01, 50, warmup_target=0.1, warmup_steps=20),
        ),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_where_keras_has_the_schedule_too_both_agree(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(rates(ours), rates(theirs), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("mode", "height"), [("triangular", lambda i: 1.0), ("triangular2", lambda i: 0.5 ** (i // 20))]
)
def test_cycles_are_smiths_triangles(mode: Any, height: Any) -> None:
    """`low + (high - low) * max(0, 1 - |step / half - 2 * cycle + 1|) * height`, with cycles counted from 1."""
    expected = []
    for i in range(STEPS):
        x = abs(i / 10 - 2 * math.floor(1 + i / 20) + 1)
        expected.append(0.01 + 0.09 * max(0.0, 1 - x) * height(i))
    np.testing.assert_allclose(rates(schedules.Cyclical(0.1, half=10, mode=mode)), expected, rtol=1e-5)


def test_exp_range_falls_by_gamma_in_each_half_cycle() -> None:
    found = rates(schedules.Cyclical(0.1, low=0.0, half=10, mode="exp_range", gamma=0.5))
    np.testing.assert_allclose(found[[10, 30, 50]], [0.1 * 0.5, 0.1 * 0.5**3, 0.1 * 0.5**5], rtol=1e-5)


def test_one_cycle_is_two_half_cosines() -> None:
    def reference(i: int) -> float:
        def between(a: float, b: float, share: float) -> float:
            return b + (a - b) / 2 * (1 + math.cos(math.pi * share))

        return between(0.004, 0.1, i / 30) if i < 30 else between(0.1, 4e-7, (i - 30) / 70)

    found = rates(schedules.OneCycle(0.1, steps=STEPS))
    np.testing.assert_allclose(found, [reference(i) for i in range(STEPS)], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    ("shape", "fall"),
    [
        ("linear", lambda s: 1 - s),
        ("cosine", lambda s: (1 + math.cos(math.pi * s)) / 2),
        ("square_root", lambda s: 1 - s**0.5),
    ],
)
def test_warmup_stable_decay_rises_stays_and_falls(shape: Any, fall: Any) -> None:
    found = rates(schedules.WarmupStableDecay(0.1, warmup=10, decay=20, shape=shape, steps=STEPS))
    expected = [0.1 * min((i + 1) / 10, 1.0, fall(max(i - 80, 0) / 20)) for i in range(STEPS)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_an_exponential_warmup_multiplies_by_the_same_in_each_step() -> None:
    found = rates(schedules.Warmup(0.1, length=10, start=0.01, kind="exponential"))
    np.testing.assert_allclose(found[:11], 0.1 * 0.01 ** (1 - np.arange(11) / 10), rtol=1e-5)
    np.testing.assert_allclose(found[10:], 0.1, rtol=1e-6)


def test_a_warmup_goes_around_a_schedule_of_keras() -> None:
    found = rates(schedules.Warmup(OF_KERAS.CosineDecay(0.1, 50), length=10))
    np.testing.assert_allclose(found[10:], rates(OF_KERAS.CosineDecay(0.1, 50))[:90], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(found[:10], 0.1 * np.arange(10) / 10, rtol=1e-5)


def test_a_warmup_leaves_the_rest_of_the_training_to_what_it_goes_around() -> None:
    schedule = schedules.Warmup(schedules.Cosine(0.1), length=0.2, steps=STEPS)
    assert schedule.schedule.steps == 80
    assert rates(schedule)[99] == pytest.approx(rates(schedules.Cosine(0.1, length=80))[79], rel=1e-4)


@pytest.mark.parametrize("name", EACH)
def test_a_share_is_the_same_as_so_many_steps(name: str) -> None:
    """Twice as long a training passes through the same rates in twice the time."""
    short, long = rates(EACH[name](steps=100), 100), rates(EACH[name](steps=200), 200)
    if name != "warmup_stable_decay":  # its rise counts from 1, so that no step is lost to a rate of 0
        np.testing.assert_allclose(long[::2], short, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(long[199], short[99], atol=0.02)


@pytest.mark.parametrize("name", EACH)
def test_a_schedule_survives_being_written_down(name: str) -> None:
    """By itself, inside an optimizer, and while nobody has said how long the training is."""
    schedule = EACH[name](steps=STEPS)
    copy = OF_KERAS.deserialize(OF_KERAS.serialize(schedule))
    assert copy.get_config() == schedule.get_config()
    np.testing.assert_array_equal(rates(copy, 20), rates(schedule, 20))
    optimizer = keras.optimizers.Adam.from_config(keras.optimizers.Adam(schedule).get_config())
    np.testing.assert_array_equal(rates(optimizer._learning_rate, 20), rates(schedule, 20))
    open_copy = OF_KERAS.deserialize(OF_KERAS.serialize(EACH[name]()))
    open_copy.follow(STEPS)
    np.testing.assert_array_equal(rates(open_copy, 20), rates(schedule, 20))


def test_a_model_with_a_schedule_is_saved_and_loaded(tmp_path: Any) -> None:
    model = _model(schedules.Warmup(schedules.Cosine(0.1), steps=STEPS))
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(rates(loaded.optimizer._learning_rate, 9), rates(model.optimizer._learning_rate, 9))


def test_a_share_of_an_unknown_training_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="`steps` of Cosine must be known.*`length` is a share.*epochs [*] batches"
    ):
        schedules.Cosine(0.1)(0)


def test_what_was_said_of_the_length_stays() -> None:
    schedule = schedules.Cosine(0.1, steps=10)
    schedule.follow(99)
    assert schedule.steps == 10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.Cosine(0.0), r"`peak` of Cosine must be a number in the range \(0, inf\). Got 0.0"),
        (lambda: schedules.Cosine(math.nan), r"`peak` of Cosine"),
        (lambda: schedules.Cosine(0.1, length=1.5), r"`length` of Cosine must be steps, an int.*a share.*Got 1.5"),
        (lambda: schedules.Cosine(0.1, length=0), r"`length` of Cosine must be steps.*\[1, inf\)"),
        (lambda: schedules.Cosine(0.1, end=2.0), r"`end` of Cosine must be a number in the range \[0, 1\]"),
        (lambda: schedules.Cosine(0.1, steps=0), r"`steps` of Cosine must be an int in the range \[1, inf\)"),
        (lambda: schedules.Cyclical(0.1, mode="square"), r"`mode` of Cyclical must be one of 'triangular'"),
        (lambda: schedules.Warmup(0.1, kind="cosine"), r"`kind` of Warmup must be one of 'linear'"),
        (lambda: schedules.Warmup(0.1, kind="exponential", start=0.0), r"`start` of Warmup .* \(0, 1\]"),
        (lambda: schedules.WarmupStableDecay(0.1, shape="round"), r"`shape` of WarmupStableDecay"),
        (
            lambda: schedules.choose(dialed.HyperParameters(), "s", ["cosin"], learning_rate=0.1),
            r"`kinds` of the schedule",
        ),
        (lambda: schedules.choose(dialed.HyperParameters(), "s", [], learning_rate=0.1), r"`kinds` of the schedule"),
    ],
)
def test_what_means_nothing_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()


@pytest.mark.parametrize("name", EACH)
def test_a_plot_shows_the_rates_over_the_training(name: str) -> None:
    from matplotlib import pyplot

    axes = EACH[name]().plot(label=name)
    line = axes.lines[0]
    assert axes.get_xlabel() == "share of the training"
    np.testing.assert_allclose(
        line.get_ydata()[[0, -1]], rates(EACH[name](steps=1000), 1000)[[0, -1]], rtol=1e-5, atol=1e-9
    )
    assert EACH[name](steps=50).plot(axes) is axes
    pyplot.close(axes.figure)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dialed\[plots\]'"):
        schedules.Cosine(0.1).plot()


@pytest.mark.parametrize("kind", schedules.KINDS)
def test_the_choice_of_a_schedule_is_one_conditional_hyperparameter(kind: str) -> None:
    hp = dialed.HyperParameters({"schedule": kind})
    schedule = hp.Schedule("schedule", list(schedules.KINDS), learning_rate=0.1)
    schedule.follow(STEPS)
    assert rates(schedule).max() == pytest.approx(0.1, rel=0.05)
    assert all(name == "schedule" or name.startswith(f"schedule_{kind}_") for name in hp.asked)
    assert all(h.conditions for h in hp.found if h.name != "schedule")


def test_the_space_of_a_choice_is_found() -> None:
    from dialed.space.discover import discover

    found = discover(lambda hp: hp.Schedule("s", ["constant", "one_cycle", "step_decay"], learning_rate=0.1)).space
    active = {row.name: row.active for row in found.describe()}
    assert active["s_one_cycle_rise"] == "s = one_cycle"
    assert active["s_step_decay_factor"] == "s = step_decay"


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [({"epochs": 3, "batch_size": 8}, 3 * 13), ({"epochs": 2}, 2 * 4), ({"epochs": 5, "steps_per_epoch": 7}, 35)],
)
def test_a_search_tells_a_schedule_how_long_the_whole_training_is(arguments: dict[str, int], steps: int) -> None:
    recipe = Recipe(lambda hp: _model(schedules.Cosine(0.1)), arguments)
    recipe.look_at(_Folds(np.zeros((100, 3))))
    with seeded(0):
        assert recipe.realise({}, 0).model.optimizer._learning_rate.steps == steps


def test_the_length_of_a_dataset_is_counted_in_its_batches() -> None:
    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> Any:
            return np.zeros((4, 3)), np.zeros((4, 1))

    assert Length(_Folds(Batches(), samples=None)).steps({"epochs": 3}) == 18
    assert Length(_Folds(iter([]), samples=None, batches=False)).steps({"epochs": 3, "steps_per_epoch": 2}) == 6


@pytest.mark.slow
def test_schedules_that_differ_in_numbers_share_one_program_and_equal_fit() -> None:
    """Two learning rates and two lengths of the rise, in one program; the same curves as one by one."""
    curves: dict[str, list[Any]] = {}
    for engine in ("fused", "fit"):
        tuner = _tuner(engine, [{"rate": 0.01, "rise": 0.3}, {"rate": 0.05, "rise": 0.5}, {"rate": 0.1, "rise": 0.1}])
        curves[engine] = [trial.members[0].curve for trial in tuner.study.trials]
        if engine == "fused":
            assert {trial.engine for trial in tuner.study.trials} == {"fused-1"}
    np.testing.assert_allclose(curves["fused"], curves["fit"], rtol=1e-5)
    assert len({curve[-1] for curve in curves["fit"]}) == len(curves["fit"])


@pytest.mark.slow
def test_callbacks_with_tuned_numbers_run_in_one_program_and_equal_fit() -> None:
    """`ReduceLROnPlateau` and `EarlyStopping`, made from `hp` for each trial, in the fused engine."""

    def callbacks(hp: dialed.HyperParameters) -> list[Any]:
        factor = hp.Float("plateau_factor", 0.1, 0.9, default=0.5)
        return [
            keras.callbacks.ReduceLROnPlateau(factor=factor, patience=1, min_delta=0.05),
            keras.callbacks.EarlyStopping(patience=hp.Int("stop_patience", 1, 9, default=3), min_delta=0.02),
        ]

    wanted = [{"plateau_factor": 0.1, "stop_patience": 1}, {"plateau_factor": 0.9, "stop_patience": 9}]
    found: dict[str, list[Any]] = {}
    for engine in ("fused", "fit"):
        tuner = _tuner(engine, wanted, schedule=False, callbacks=callbacks)
        found[engine] = [trial.members[0].curve for trial in tuner.study.trials]
        if engine == "fused":
            assert {trial.engine for trial in tuner.study.trials} == {"fused-1"}
    assert [len(curve) for curve in found["fused"]] == [len(curve) for curve in found["fit"]]
    for ours, theirs in zip(found["fused"], found["fit"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert {len(curve) for curve in found["fit"]} == {5, 6}


class _Folds:
    """Data with one fold."""

    def __init__(self, x: Any, samples: int | None = 100, *, batches: bool = True) -> None:
        self.x, self.samples = x, samples

    def fold(self, index: int) -> Any:
        return self


def _model(rate: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    return model


def _tuner(engine: str, configurations: list[Any], *, schedule: bool = True, **arguments: Any) -> dialed.Tuner:
    def build(hp: dialed.HyperParameters) -> keras.Model:
        rate = hp.Float("rate", 1e-3, 1.0, sampling="log", default=0.02)
        return _model(schedules.OneCycle(rate, rise=hp.Float("rise", 0.1, 0.5, default=0.2)) if schedule else rate)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("float32")
    tuner = dialed.Tuner(
        build,
        objective="val_loss",
        strategy=Manual(configurations),
        engine=engine,
        confirm=False,
        seed=1,
        store="sqlite:///:memory:",
    )
    tuner.search(x, y, validation_split=0.25, epochs=6, batch_size=15, **arguments)
    return tuner
