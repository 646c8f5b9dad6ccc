"""The objective: found among the metrics of the model, with a direction that is known and not guessed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dialed.engine.objective import check_constraints, direction_of, metric_key, resolve_objective, resolve_objectives
from dialed.errors import ObjectiveError
from dialed.objectives import Constraint
from dialed.trial import Objective

NAMES = ["loss", "accuracy"]


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("val_accuracy", "max"),
        ("acc", "max"),
        ("val_auc_1", "max"),
        ("val_digits_accuracy", "max"),
        ("head_2_loss", "min"),
        ("val_head_top_k_categorical_accuracy", "max"),
        ("val_neg_mean_squared_error", "max"),
        ("neg_accuracy", "min"),
        ("val_f1_score", "max"),
        ("my_loss", "min"),
    ],
)
def test_directions_are_known_by_name(name: str, direction: str) -> None:
    assert direction_of(name) == direction


@pytest.mark.parametrize("name", ["joy", "val_joy", "dice", "learning_rate", "val_", "lossy", "neg_joy"])
def test_directions_that_nobody_knows_are_not_guessed(name: str) -> None:
    assert direction_of(name) is None


def test_directions_agree_with_every_metric_of_keras() -> None:
    """Keras marks its metrics "up" or "down"; those that it leaves unmarked must be in the table as well."""
    import keras
    from keras.src.metrics import ALL_OBJECTS
    from keras.src.utils.naming import to_snake_case

    needs = {
        "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,), "SensitivityAtSpecificity": (0.5,),
        "SpecificityAtSensitivity": (0.5,), "MeanIoU": (2,), "IoU": (2, [0]), "OneHotIoU": (2, [0]),
        "OneHotMeanIoU": (2,),
    }  # fmt: skip
    checked = 0
    for cls in ALL_OBJECTS - {keras.metrics.Metric, keras.metrics.Mean, keras.metrics.Sum}:
        if cls.__name__ == "MeanMetricWrapper":
            continue
        metric = cls(*needs.get(cls.__name__, ()))
        marked = {"up": "max", "down": "min"}.get(getattr(metric, "_direction", ""))
        for name in (metric.name, to_snake_case(cls.__name__)):
            assert direction_of(name) is not None, name
            assert marked is None or direction_of(name) == marked, name
        checked += 1
    assert checked > 35


def test_every_loss_of_keras_is_minimised_or_left_open() -> None:
    from keras.src.losses import ALL_OBJECTS

    functions = {f.__name__ for f in ALL_OBJECTS if not isinstance(f, type)}
    open_names = {name for name in functions if direction_of(name) is None}
    assert open_names == {"dice", "tversky"}
    assert {name for name in functions if direction_of(name) == "max"} == {
        "cosine_similarity"
    }  # the metric of that name


def test_what_a_metric_says_of_itself_goes_before_its_name() -> None:
    metrics = [
        SimpleNamespace(name="cosine_similarity", _direction="down"),
        SimpleNamespace(name="joy", _direction="up"),
    ]
    assert direction_of("val_cosine_similarity", metrics) == "min"
    assert direction_of("val_head_joy", metrics) == "max"
    assert direction_of("val_joy", [SimpleNamespace(name="joy")]) is None


@pytest.mark.parametrize(
    ("name", "names", "key"),
    [
        ("auc", ["auc", "auc_1"], "auc"),
        ("val_auc", ["loss", "val_auc_3"], "val_auc_3"),
        ("val_auc_1", ["val_auc"], "val_auc"),
        ("auc", ["auc_1", "auc_2"], None),
        ("auc", ["loss"], None),
    ],
)
def test_a_metric_that_keras_numbered_is_found(name: str, names: list[str], key: str | None) -> None:
    assert metric_key(name, names) == key


def test_a_name_of_the_model_is_taken_with_its_direction() -> None:
    assert resolve_objective("val_accuracy", NAMES, has_validation=True) == Objective(
        name="val_accuracy", direction="max"
    )
    assert resolve_objective("loss", NAMES, has_validation=False).direction == "min"
    assert resolve_objective("val_anything_auc", None, has_validation=True).direction == "max"


def test_no_objective_is_the_validation_loss() -> None:
    assert resolve_objective(None, NAMES, has_validation=True) == Objective(name="val_loss", direction="min")


def test_no_objective_without_validation_is_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"reward overfitting.*Pass `validation_data`, `validation_split` or `cv`"):
        resolve_objective(None, NAMES, has_validation=False)


def test_an_own_objective_keeps_its_direction() -> None:
    mine = Objective(name="val_joy", direction="max")
    assert resolve_objective(mine, ["loss", "joy"], has_validation=True) == mine
    theirs = SimpleNamespace(name="val_accuracy", direction="min")
    assert resolve_objective(theirs, NAMES, has_validation=True) == Objective(name="val_accuracy", direction="min")


def test_a_misspelt_objective_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        ObjectiveError,
        match=r"`objective` must be one of 'loss', 'accuracy', 'val_loss', 'val_accuracy'. Got 'val_acuracy'. "
        r"Did you mean 'val_accuracy'\?",
    ):
        resolve_objective("val_acuracy", NAMES, has_validation=True)


def test_the_short_name_of_a_metric_is_led_to_the_long_one() -> None:
    with pytest.raises(ObjectiveError, match=r"Got 'val_acc'. Did you mean 'val_accuracy'"):
        resolve_objective("val_acc", NAMES, has_validation=True)


def test_an_objective_like_none_of_the_model_is_refused_with_what_to_do() -> None:
    with pytest.raises(ObjectiveError, match=r"Got 'zzz'. Pass the metric to `model.compile"):
        resolve_objective("zzz", NAMES, has_validation=True)


def test_a_validation_metric_without_validation_is_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"Got 'val_loss'. Pass `validation_data`, `validation_split` or `cv`"):
        resolve_objective("val_loss", NAMES, has_validation=False)


def test_an_unknown_direction_is_asked_for() -> None:
    with pytest.raises(
        ObjectiveError, match=r'Got \'val_joy\'. Pass `dialed.Objective\(name="val_joy", direction="max"'
    ):
        resolve_objective("val_joy", ["loss", "joy"], has_validation=True)


def test_a_direction_that_is_none_is_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"must be 'min' or 'max'. Got 'up' for 'joy'"):
        resolve_objective(SimpleNamespace(name="joy", direction="up"), None, has_validation=True)


@pytest.mark.parametrize("objective", ["", 3, ["val_loss"], SimpleNamespace(name="m", direction="min", objectives=[])])
def test_anything_but_one_metric_is_refused(objective: object) -> None:
    with pytest.raises(ObjectiveError, match=r"must be the name of one metric or a `dialed.Objective`. Got"):
        resolve_objective(objective, None, has_validation=True)


def test_several_objectives_are_resolved_one_by_one() -> None:
    found = resolve_objectives(["val_accuracy", "parameters", Objective("seconds", "max")], NAMES, has_validation=True)
    assert found == (
        Objective("val_accuracy", "max"),
        Objective("parameters", "min"),
        Objective("seconds", "max"),
    )
    assert resolve_objectives(None, NAMES, has_validation=True) == (Objective("val_loss", "min"),)


def test_a_metric_of_the_model_goes_before_what_dialed_measures() -> None:
    names = [*NAMES, "memory"]
    with pytest.raises(ObjectiveError, match="must say which way is better"):
        resolve_objectives(["memory"], names, has_validation=False)


def test_the_first_objective_has_a_value_after_each_epoch() -> None:
    with pytest.raises(ObjectiveError, match="The first `objective` must be a metric with a value after each epoch"):
        resolve_objectives(["parameters", "val_loss"], NAMES, has_validation=True)


def test_a_list_names_at_least_one_and_only_what_is_measured() -> None:
    with pytest.raises(ObjectiveError, match="must name at least one metric"):
        resolve_objectives([], NAMES, has_validation=True)
    with pytest.raises(ObjectiveError, match="Did you mean 'val_accuracy'"):
        resolve_objectives(["val_loss", "val_acuracy"], NAMES, has_validation=True)


def test_what_nobody_measures_cannot_be_constrained() -> None:
    check_constraints(
        [Constraint("parameters", max=5), Constraint("val_accuracy", min=0.5)], NAMES, has_validation=True
    )
    with pytest.raises(ObjectiveError, match="`constraints` must name one of .*Did you mean 'accuracy'"):
        check_constraints([Constraint("acuracy", min=0.5)], NAMES, has_validation=True)
