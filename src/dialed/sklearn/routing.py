"""Which parameter goes where: to the build function, to `compile`, to `fit` or to `predict`.

Plain names go to whoever takes them. A prefix says it: `model__units`, `optimizer__learning_rate`, `fit__epochs`,
`predict__batch_size`. `build__` is no prefix: the build function is the `model`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dialed.errors import InvalidInputError

__all__ = ["FIT", "PREFIXES", "Routed", "Signature", "check_name"]

FIT = (
    "batch_size",
    "callbacks",
    "epochs",
    "shuffle",
    "steps_per_epoch",
    "validation_batch_size",
    "validation_data",
    "validation_freq",
    "validation_split",
    "validation_steps",
    "verbose",
)
"""What `model.fit` takes, data and weights apart."""

PREFIXES = ("callbacks", "compile", "fit", "loss", "metrics", "model", "optimizer", "predict")

_NOT_FOR_BUILDING = ("build_fn", "model", "random_state", "warm_start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a build function takes by name, and whether it takes any name."""

    names: frozenset[str]
    takes_any: bool

    @classmethod
    def of(cls, function: Callable[..., Any] | None) -> Self:
        """The signature of `function`; of None, an empty one."""
        if function is None:
            return cls(names=frozenset(), takes_any=False)
        parameters = inspect.signature(function).parameters.values()
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return cls(
            names=frozenset(p.name for p in parameters if p.kind in by_name),
            takes_any=any(p.kind is p.VAR_KEYWORD for p in parameters),
        )

    def takes(self, name: str) -> bool:
        """Whether an argument of this name may be passed."""
        return self.takes_any or name in self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """An estimator's parameters, sorted by who gets them; prefixes are taken off."""

    build: Mapping[str, Any]
    to: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, named: Mapping[str, Any], extra: Mapping[str, Any], signature: Signature) -> Self:
        """Sort the constructor's own parameters (`named`) and all others (`extra`).

        Raises:
            InvalidInputError: Nobody takes one of them.
        """
        to: dict[str, dict[str, Any]] = {prefix: {} for prefix in PREFIXES}
        to["fit"] = {name: named[name] for name in FIT if name in named}
        build = {
            name: value
            for name, value in named.items()
            if name in signature.names and name not in _NOT_FOR_BUILDING and value is not None
        }
        for name, value in sorted(extra.items(), key=lambda item: "__" in item[0]):  # prefixes have the last word
            prefix, found, rest = name.partition("__")
            if found and prefix in PREFIXES:
                to[prefix][rest] = value
            elif name in FIT and name not in signature.names:
                to["fit"][name] = value
            else:
                check_name(name, signature, ())
                build[name] = value
        return cls(build={**build, **to["model"]}, to=to)


def check_name(name: str, signature: Signature, known: Iterable[str]) -> None:
    """Refuse a parameter that nobody would take.

    Raises:
        InvalidInputError: `name` is none of `known`, nothing that `model.fit` or the build function takes, and has
            none of the prefixes.
    """
    prefix, found, _ = name.partition("__")
    if (found and prefix in PREFIXES) or name in FIT or signature.takes(name):
        return
    names = [*known, *FIT, *signature.names]
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else "Give the build function an argument of that name."
    raise InvalidInputError(
        f"`{name}` must be a parameter of the estimator, of `model.fit` or of the build function, or begin with one of "
        f"{', '.join(f'{p}__' for p in PREFIXES)}. Got a build function that takes "
        f"{', '.join(sorted(signature.names)) or 'nothing'}. {hint}"
    )
