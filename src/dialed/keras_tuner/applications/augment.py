"""Image augmentation: which changes, how strong, and how many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from dialed.keras_tuner.applications.images import ImageHyperModel
from dialed.keras_tuner.engine.hyperparameters import HyperParameters

__all__ = ["HyperImageAugment", "RandAugment"]

_TRANSFORMS: Mapping[str, Callable[[float], Any]] = {
    "rotate": layers.RandomRotation,
    "translate_x": lambda factor: layers.RandomTranslation(0.0, factor),
    "translate_y": lambda factor: layers.RandomTranslation(factor, 0.0),
    "contrast": layers.RandomContrast,
}
"""x is the width and y the height, as everywhere but in KerasTuner, which exchanges them."""


@keras.saving.register_keras_serializable(package="dialed_keras_tuner")
class RandAugment(layers.Layer):  # type: ignore[misc]
    """Applies one of several changes to each image, each as likely as the others; a change of factor 0 is none.

    Args:
        transforms: Names of changes.
        factors: How strong each may be.

    References:
        Cubuk et al. 2019, "RandAugment: practical automated data augmentation with a reduced search space".
    """

    def __init__(self, transforms: Sequence[str], factors: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.transforms = list(transforms)
        self.factors = [float(factor) for factor in factors]
        self.changes = [_TRANSFORMS[name](f) if f else None for name, f in zip(transforms, factors, strict=True)]
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs: Any, training: bool = True) -> Any:
        """The images, each changed in one way."""
        shape = (ops.shape(inputs)[0], 1, 1, 1)
        chosen = keras.random.randint(shape, 0, len(self.changes), seed=self.seed_generator)
        outputs = inputs
        for place, change in enumerate(self.changes):
            if change is not None:
                outputs = ops.where(ops.equal(chosen, place), change(inputs, training=training), outputs)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again."""
        return {**super().get_config(), "transforms": self.transforms, "factors": self.factors}


class HyperImageAugment(ImageHyperModel):
    """A search space of augmentations: "factor_rotate", "factor_translate_x", "factor_translate_y",
    "factor_contrast", and "augment_layers" where each image gets changes at random.

    A change is given by the largest factor, by a pair of the smallest and the largest, or is left out with `None`.

    Args:
        input_shape: Height, width and channels. Defaults to those of `input_tensor`.
        input_tensor: A Keras tensor to begin with. Defaults to a new input.
        rotate: In parts of a full turn. Defaults to 0.5.
        translate_x: In parts of the width. Defaults to 0.4.
        translate_y: In parts of the height. Defaults to 0.4.
        contrast: In parts of the contrast. Defaults to 0.3.
        augment_layers: The most changes of an image at once, or a pair of the fewest and the most; 0 applies all to
            every image. Defaults to 3.

    Raises:
        ValueError: A factor or `augment_layers` is none of these.
    """

    def __init__(
        self,
        input_shape: Any = None,
        input_tensor: Any = None,
        rotate: Any = 0.5,
        translate_x: Any = 0.4,
        translate_y: Any = 0.4,
        contrast: Any = 0.3,
        augment_layers: Any = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape=input_shape, input_tensor=input_tensor, **kwargs)
        given = {"rotate": rotate, "translate_x": translate_x, "translate_y": translate_y, "contrast": contrast}
        self.transforms = [(name, _pair(name, value, (int, float), 0)) for name, value in given.items() if value]
        self.model_name = "image_rand_augment" if augment_layers else "image_augment"
        if augment_layers:
            self.augment_layers_min, self.augment_layers_max = _pair("augment_layers", augment_layers, (int,), 1)

    def build(self, hp: HyperParameters) -> Any:
        """A model that changes images."""
        inputs, x = self.inputs()
        x = self._at_random(x, hp) if self.model_name == "image_rand_augment" else self._all(x, hp)
        return keras.Model(inputs, x, name=self.model_name)

    def _at_random(self, x: Any, hp: HyperParameters) -> Any:
        low, high = self.augment_layers_min, self.augment_layers_max
        for _ in range(hp.Int("augment_layers", low, high, default=low)):
            factors = [hp.Float(f"factor_{name}", *ends, default=ends[0]) for name, ends in self.transforms]
            x = RandAugment([name for name, _ in self.transforms], factors)(x)
        return x

    def _all(self, x: Any, hp: HyperParameters) -> Any:
        for name, (low, high) in self.transforms:
            factor = hp.Float(f"factor_{name}", low, high, step=0.05, default=low)
            x = _TRANSFORMS[name](factor)(x) if factor else x
        return x


def _pair(name: str, value: Any, kinds: tuple[type, ...], least: float) -> tuple[Any, Any]:
    """The smallest and the largest value that `value` stands for."""
    ends = list(value) if isinstance(value, (list, tuple)) else [least, value]
    if len(ends) != 2:
        raise ValueError(f"`{name}` must be one number or two: its length must not exceed 2. Got {value!r}.")
    if not all(isinstance(end, kinds) and not isinstance(end, bool) for end in ends):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"`{name}` must be {expected}, or a pair of these. Got {value!r}.")
    return ends[0], ends[1]
