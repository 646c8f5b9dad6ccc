"""Ready spaces, line by line in a build function: `dialed.spaces.optimizer(hp)`."""

from dialed.tools.spaces import (
    Regularisation,
    activation,
    augmentation,
    batch_and_rate,
    dense_stack,
    initializer,
    optimizer,
    regularisation,
)

__all__ = [
    "Regularisation",
    "activation",
    "augmentation",
    "batch_and_rate",
    "dense_stack",
    "initializer",
    "optimizer",
    "regularisation",
]
