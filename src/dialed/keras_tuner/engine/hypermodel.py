"""What is tuned: an object, or a function, that builds a model from hyperparameters."""

from __future__ import annotations

from typing import Any

from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.errors import FatalValueError

__all__ = ["DefaultHyperModel", "HyperModel", "get_hypermodel"]


class HyperModel:
    """A model whose building, and perhaps training, depends on hyperparameters. Subclass it and write `build`.

    Args:
        name: Its name. Defaults to None.
        tunable: Whether what it asks for becomes part of the space. Where not, what the space does not hold has its
            default. Defaults to True.
    """

    name: str | None = None
    tunable = True

    def __init__(self, name: str | None = None, tunable: bool = True) -> None:
        self.name = name
        self.tunable = tunable
        self._build = self.build
        self.build = self._build_wrapper  # type: ignore[method-assign]

    def build(self, hp: HyperParameters) -> Any:
        """Return a model for the values of `hp`. Must be written by the subclass."""
        raise NotImplementedError(
            f"`{type(self).__name__}.build(hp)` must return a model. It is not written. Write it."
        )

    def _build_wrapper(self, hp: HyperParameters, *args: Any, **kwargs: Any) -> Any:
        return self._build(hp if self.tunable else hp.copy(), *args, **kwargs)

    def declare_hyperparameters(self, hp: HyperParameters) -> None:
        """Ask for hyperparameters before anything is built. By default none."""

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train `model`; by default one call of `model.fit` with what `search` was given.

        Returns:
            What `model.fit` returns, a dict of metrics that holds the objective, or a float, the objective itself.
        """
        return model.fit(*args, **kwargs)


class DefaultHyperModel(HyperModel):
    """A build function as a `HyperModel`."""

    def __init__(self, build: Any, name: str | None = None, tunable: bool = True) -> None:
        super().__init__(name=name, tunable=tunable)
        self.build = build  # type: ignore[method-assign]


def get_hypermodel(hypermodel: Any) -> HyperModel | None:
    """`hypermodel` as a `HyperModel`; `None` stays `None`.

    Raises:
        FatalValueError: It can build nothing.
    """
    if hypermodel is None or isinstance(hypermodel, HyperModel):
        return hypermodel
    if not callable(hypermodel):
        raise FatalValueError(
            "The `hypermodel` argument should be either a function `build(hp)` that returns a model, or an object of a "
            f"subclass of `HyperModel`. Got {hypermodel!r:.80}."
        )
    return DefaultHyperModel(hypermodel)
