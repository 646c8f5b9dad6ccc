"""What a user hands over to be tuned: a build function, or an object that builds and perhaps trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from dialed.errors import InvalidInputError
from dialed.space import HyperParameters

if TYPE_CHECKING:
    import keras

__all__ = ["Build", "Builder", "HyperModel", "Hypermodel", "build_of", "overrides_fit"]

Build: TypeAlias = Callable[[HyperParameters], Any]
"""Takes hyperparameters and returns a compiled `keras.Model`."""


class Builder(Protocol):
    """Anything with `build(hp)`; a `fit(hp, model, *args, **kwargs)` of its own is used where there is one."""

    def build(self, hp: HyperParameters) -> Any:
        """Return a compiled model."""
        ...


Hypermodel: TypeAlias = Build | Builder


class HyperModel:
    """A model whose building, and perhaps training, depends on hyperparameters. Subclass it and write `build`.

    To choose: when building needs state of its own, or training is more than one call of `model.fit`. For all else a
    build function is shorter.

    Example:
        >>> import dialed
        >>> class Classifier(dialed.HyperModel):
        ...     def __init__(self, classes):
        ...         self.classes = classes
        ...
        ...     def build(self, hp):
        ...         import keras
        ...
        ...         layers = [keras.layers.Dense(hp.Int("units", 8, 64)), keras.layers.Dense(self.classes)]
        ...         model = keras.Sequential(layers)
        ...         model.compile("adam", "mse")
        ...         return model
        >>> Classifier(10).classes
        10
    """

    def build(self, hp: HyperParameters) -> keras.Model:
        """Return a compiled model for the values of `hp`. Must be written by the subclass."""
        raise NotImplementedError(
            f"`{type(self).__name__}.build(hp)` must return a compiled model. It is not written. Write it."
        )

    def fit(self, hp: HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """Train `model`; by default one call of `model.fit` with what it is given.

        One that is written anew passes `callbacks`, `epochs` and `initial_epoch` on to `model.fit`, or calls the
        callbacks itself at each epoch's end; else it returns the objective, or a dict of metrics.
        """
        return model.fit(*args, **kwargs)


def build_of(hypermodel: Hypermodel) -> Build:
    """The function that builds.

    Raises:
        InvalidInputError: There is none, or `hypermodel` is a class where an object is needed.
    """
    build: Build | None = getattr(hypermodel, "build", None)
    if isinstance(hypermodel, type) and callable(build):
        raise InvalidInputError(
            f"`hypermodel` must be an object. Got the class {hypermodel.__name__}. Pass `{hypermodel.__name__}(...)`."
        )
    if build is not None and callable(build):
        return build
    if not callable(hypermodel):
        raise InvalidInputError(
            "`hypermodel` must be a function `build(hp)` that returns a compiled model, or an object with such a "
            f"method `build`. Got {hypermodel!r:.80} ({type(hypermodel).__name__})."
        )
    return hypermodel


def overrides_fit(hypermodel: Hypermodel) -> bool:
    """Whether `hypermodel` trains in its own way, so that it may take any argument."""
    fit = getattr(type(hypermodel), "fit", None)
    return callable(fit) and fit is not HyperModel.fit
