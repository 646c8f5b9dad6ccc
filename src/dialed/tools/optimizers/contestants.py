"""Optimizers by name, and build functions whose models have one of them in the place of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras

from dialed.engine.hypermodel import Hypermodel, build_of
from dialed.errors import InvalidInputError
from dialed.space import HyperParameters

__all__ = ["AS_BUILT", "KNOWN", "Contestants", "Maker", "makers_of", "switched"]

Maker: TypeAlias = Callable[[float], Any]
"""Makes an optimizer with a learning rate."""

AS_BUILT = "as built"
"""The contestant whose optimizer is the model's own: the default that all others are compared with."""

CHOICE = "dialed/optimizer"
"""The hyperparameter that says who trains. No build function asks for such a name."""

_o = keras.optimizers

KNOWN: Mapping[str, Maker] = {
    "sgd": lambda rate: _o.SGD(rate),
    "momentum": lambda rate: _o.SGD(rate, momentum=0.9),
    "nesterov": lambda rate: _o.SGD(rate, momentum=0.9, nesterov=True),
    "adagrad": lambda rate: _o.Adagrad(rate),
    "adadelta": lambda rate: _o.Adadelta(rate),
    "rmsprop": lambda rate: _o.RMSprop(rate),
    "adam": lambda rate: _o.Adam(rate),
    "adamax": lambda rate: _o.Adamax(rate),
    "adamw": lambda rate: _o.AdamW(rate),
    "nadam": lambda rate: _o.Nadam(rate),
    "lion": lambda rate: _o.Lion(rate),
    **({"muon": lambda rate: _o.Muon(rate)} if hasattr(_o, "Muon") else {}),
}
"""With Keras's own defaults for everything but the learning rate; the older first."""


def makers_of(optimizers: Sequence[str] | Mapping[str, Maker] | None) -> dict[str, Maker]:
    """The contestants that are asked for, by name.

    Raises:
        InvalidInputError: There are none, or an unknown one.
    """
    if optimizers is None:
        return dict(KNOWN)
    if isinstance(optimizers, Mapping):
        named = {str(name): maker for name, maker in optimizers.items()}
        wrong = [name for name, maker in named.items() if not callable(maker) or name == AS_BUILT]
        if wrong or not named:
            raise InvalidInputError(
                "`optimizers` must map names to functions of a learning rate, such as "
                f"{{'slow': lambda rate: keras.optimizers.SGD(rate, momentum=0.99)}}. Got {optimizers!r}."
            )
        return named
    listed = [optimizers] if isinstance(optimizers, str) else list(optimizers)
    for name in listed:
        if name not in KNOWN:
            near = difflib.get_close_matches(str(name), KNOWN, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InvalidInputError(
                f"`optimizers` must be names out of {', '.join(KNOWN)}, or a mapping of names to functions of a learning "
                f"rate. Got {name!r}.{hint}"
            )
    if not listed:
        raise InvalidInputError("`optimizers` must name at least one. Got none.")
    return {name: KNOWN[name] for name in listed}


def switched(build: Hypermodel, make: Callable[[], Any]) -> Callable[[HyperParameters], Any]:
    """`build`, whose models get the optimizer of `make`."""
    built = build_of(build)

    def build_with(hp: HyperParameters) -> Any:
        model = built(hp)
        _give(model, make())
        return model

    return build_with


class Contestants:
    """A hypermodel whose only new hyperparameter is who trains.

    Args:
        build: Builds the compiled model.
        makers: The optimizers, by name.
        rates: The learning rate of each.
    """

    def __init__(self, build: Hypermodel, makers: Mapping[str, Maker], rates: Mapping[str, float]) -> None:
        self._build = build_of(build)
        self._makers = dict(makers)
        self._rates = dict(rates)

    def build(self, hp: HyperParameters) -> Any:
        """The model, with the optimizer of the trial."""
        name = str(hp.Choice(CHOICE, [AS_BUILT, *self._rates]))
        model = self._build(hp)
        if name != AS_BUILT:
            _give(model, self._makers[name](self._rates[name]))
        return model


def _give(model: Any, optimizer: Any) -> None:
    """As `compile` does, with all else of the model as it was compiled."""
    if not isinstance(model, keras.Model) or not model.compiled:
        return  # whoever trains it says what is wrong
    scaled = isinstance(model.optimizer, _o.LossScaleOptimizer)
    model.optimizer = _o.LossScaleOptimizer(optimizer) if scaled else optimizer
