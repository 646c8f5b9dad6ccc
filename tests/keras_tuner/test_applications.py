"""Ready-made search spaces: KerasTuner's names, ranges and defaults, and models that can be trained."""

from __future__ import annotations

from typing import Any

import pytest

import dialed.keras_tuner as kt
from dialed.keras_tuner import applications

SHAPE = (64, 64, 3)


def described(hp: kt.HyperParameters) -> dict[str, tuple[Any, Any]]:
    """The default of each hyperparameter, and its values or its ends and step."""
    configs = {h.name: (h.default, h.get_config()) for h in hp.space}
    ends = ("min_value", "max_value", "step")
    return {n: (d, c["values"] if "values" in c else tuple(c[e] for e in ends)) for n, (d, c) in configs.items()}


@pytest.mark.slow
def test_resnets_have_kerastuners_space_and_sizes() -> None:
    """The parameters of each version are counted as KerasTuner's 1.4.8 has them."""
    sizes = {}
    for version in ("v1", "v2", "next"):
        hp = kt.HyperParameters()
        hp.values["version"] = version
        sizes[version] = applications.HyperResNet(input_shape=SHAPE, classes=4).build(hp).count_params()
    assert sizes == {"v1": 23595908, "v2": 23572996, "next": 22808900}
    assert described(hp) == {
        "version": ("v2", ["v1", "v2", "next"]),
        "conv3_depth": (4, [4, 8]),
        "conv4_depth": (6, [6, 23, 36]),
        "pooling": ("avg", ["avg", "max"]),
        "optimizer": ("adam", ["adam", "rmsprop", "sgd"]),
        "learning_rate": (0.01, [0.1, 0.01, 0.001]),
    }


@pytest.mark.slow
def test_xceptions_have_kerastuners_space_and_sizes() -> None:
    """For both activations."""
    sizes = {}
    for activation in ("selu", "relu"):
        hp = kt.HyperParameters()
        hp.values["activation"] = activation
        sizes[activation] = applications.HyperXception(input_shape=SHAPE, classes=4).build(hp).count_params()
    assert sizes == {"selu": 1047128, "relu": 1056552}
    assert described(hp) == {
        "activation": ("relu", ["relu", "selu"]),
        "conv2d_num_filters": (64, [32, 64, 128]),
        "kernel_size": (3, [3, 5]),
        "initial_strides": (2, [2]),
        "sep_num_filters": (256, (128, 768, 128)),
        "num_residual_blocks": (4, (2, 8, 1)),
        "pooling": ("avg", ["avg", "flatten", "max"]),
        "num_dense_layers": (1, (1, 3, 1)),
        "dropout_rate": (0.5, (0.0, 0.6, 0.1)),
        "dense_use_bn": (True, [True, False]),
        "learning_rate": (1e-3, [1e-3, 1e-4, 1e-5]),
    }


@pytest.mark.slow
def test_efficientnets_have_kerastuners_space() -> None:
    """With the image size of the version; without ImageNet's weights no download is needed."""

    class Untrained(applications.HyperEfficientNet):
        weights = None

    augment = applications.HyperImageAugment(input_shape=SHAPE, augment_layers=0)
    hp = kt.HyperParameters()
    model = Untrained(input_shape=SHAPE, classes=4, augmentation_model=augment).build(hp)
    assert model.output_shape == (None, 4) and model.compiled
    space = described(hp)
    assert space["version"] == ("B0", [f"B{i}" for i in range(8)])
    assert space["top_dropout_rate"] == (0.2, (0.2, 0.8, 0.2)) and space["learning_rate"] == (0.01, [0.1, 0.01, 0.001])
    assert {"factor_rotate", "factor_contrast", "pooling"} <= set(space)


def test_augmentations_have_kerastuners_space() -> None:
    """All changes one after another, or some at random for each image."""
    hp = kt.HyperParameters()
    one = applications.HyperImageAugment(input_shape=SHAPE, rotate=[0.2, 0.3], translate_x=0.1, contrast=None)
    assert one.build(hp).name == "image_rand_augment"
    assert described(hp) == {
        "augment_layers": (1, (1, 3, 1)),
        "factor_rotate": (0.2, (0.2, 0.3, None)),
        "factor_translate_x": (0, (0.0, 0.1, None)),
        "factor_translate_y": (0, (0.0, 0.4, None)),
    }
    hp = kt.HyperParameters()
    every = applications.HyperImageAugment(input_shape=SHAPE, augment_layers=0, rotate=0.5, translate_y=None)
    assert every.build(hp).name == "image_augment"
    assert described(hp)["factor_rotate"] == (0, (0.0, 0.5, 0.05)) and "factor_translate_y" not in described(hp)


def test_x_moves_images_sideways_and_y_up_and_down() -> None:
    """KerasTuner exchanges the two."""
    import numpy as np

    image = np.zeros((4, 16, 16, 1), "float32")
    image[:, :, 8] = 1.0  # an upright line: moving it up or down, with its edges filled in, changes nothing
    for axis, changed in (("x", True), ("y", False)):
        hp = kt.HyperParameters()
        given = {"rotate": None, "contrast": None, "translate_x": None, "translate_y": None, f"translate_{axis}": 0.4}
        hp.values[f"factor_translate_{axis}"] = 0.4
        model = applications.HyperImageAugment(input_shape=(16, 16, 1), augment_layers=0, **given).build(hp)
        assert bool(np.abs(np.asarray(model(image, training=True)) - image).max() > 0.5) is changed


def test_each_image_is_changed_in_one_way_at_most() -> None:
    """`RandAugment` chooses for each image, and survives saving."""
    import keras
    import numpy as np

    from dialed.keras_tuner.applications.augment import RandAugment

    keras.utils.set_random_seed(0)
    layer = RandAugment(["contrast", "rotate"], [0.9, 0.0])
    images = np.random.default_rng(0).uniform(size=(64, 8, 8, 3)).astype("float32")
    same = np.isclose(np.asarray(layer(images)), images).all(axis=(1, 2, 3))
    assert 10 < same.sum() < 54
    again = RandAugment.from_config(layer.get_config())
    assert (again.transforms, again.factors) == (["contrast", "rotate"], [0.9, 0.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: applications.HyperResNet(input_shape=SHAPE), "You must specify `classes`"),
        (lambda: applications.HyperResNet(classes=2), "either `input_shape` or `input_tensor`"),
        (lambda: applications.HyperXception(input_shape=SHAPE), "You must specify `classes`"),
        (lambda: applications.HyperXception(classes=2), "either `input_shape` or `input_tensor`"),
        (lambda: applications.HyperEfficientNet(input_shape=SHAPE), "You must specify `classes`"),
        (
            lambda: applications.HyperEfficientNet(SHAPE, classes=2, augmentation_model=3),
            "`augmentation_model` should be",
        ),
        (lambda: applications.HyperImageAugment(), "either `input_shape` or `input_tensor`"),
        (lambda: applications.HyperImageAugment(SHAPE, rotate=[0, 0.1, 0.2]), "`rotate` must be one number or two"),
        (lambda: applications.HyperImageAugment(SHAPE, rotate="much"), "`rotate` must be int or float"),
        (lambda: applications.HyperImageAugment(SHAPE, augment_layers=1.5), "`augment_layers` must be int"),
    ],
)
def test_what_is_missing_or_odd_is_refused(make: Any, message: str) -> None:
    """When the search space is made."""
    with pytest.raises(ValueError, match=message):
        make()
