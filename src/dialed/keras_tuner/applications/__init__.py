"""Ready-made search spaces for images, under KerasTuner's names, ranges and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialed.keras_tuner._homes import loader as _loader

if TYPE_CHECKING:
    from dialed.keras_tuner.applications.augment import HyperImageAugment
    from dialed.keras_tuner.applications.efficientnet import HyperEfficientNet
    from dialed.keras_tuner.applications.resnet import HyperResNet
    from dialed.keras_tuner.applications.xception import HyperXception

__all__ = ["HyperEfficientNet", "HyperImageAugment", "HyperResNet", "HyperXception"]

__getattr__ = _loader(
    __name__,
    {
        "HyperEfficientNet": "applications.efficientnet",
        "HyperImageAugment": "applications.augment",
        "HyperResNet": "applications.resnet",
        "HyperXception": "applications.xception",
    },
)


def __dir__() -> list[str]:
    return list(__all__)
