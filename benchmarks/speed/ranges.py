"""What is tuned, as plain ranges: one description from which values are drawn, and by which Dialed is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np

__all__ = ["OneOf", "Range", "Real", "Whole", "drawn", "grid"]


class Range(Protocol):
    """The values of one hyperparameter."""

    def draw(self, rng: np.random.Generator) -> Any:
        """One of them at random."""
        ...

    def ask(self, hp: Any, name: str) -> Any:
        """Ask `hp` for the hyperparameter `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """`low`, `low + step`, ... up to `high`."""

    low: int
    high: int
    step: int

    def draw(self, rng: np.random.Generator) -> int:
        return self.low + self.step * int(rng.integers((self.high - self.low) // self.step + 1))

    def ask(self, hp: Any, name: str) -> Any:
        return hp.Int(name, self.low, self.high, step=self.step)


@dataclass(frozen=True, slots=True)
class Real:
    """From `low` to `high`, evenly or evenly in their logarithms."""

    low: float
    high: float
    log: bool = False

    def draw(self, rng: np.random.Generator) -> float:
        if self.log:
            return float(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        return float(rng.uniform(self.low, self.high))

    def ask(self, hp: Any, name: str) -> Any:
        return hp.Float(name, self.low, self.high, sampling="log" if self.log else "linear")


@dataclass(frozen=True, slots=True)
class OneOf:
    """A few values."""

    values: tuple[Any, ...]

    def draw(self, rng: np.random.Generator) -> Any:
        return self.values[int(rng.integers(len(self.values)))]

    def ask(self, hp: Any, name: str) -> Any:
        return hp.Choice(name, list(self.values))


def drawn(space: Mapping[str, Range], count: int, *, seed: int) -> list[dict[str, Any]]:
    """`count` configurations, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [{name: values.draw(rng) for name, values in space.items()} for _ in range(count)]


def grid(space: Mapping[str, OneOf]) -> list[dict[str, Any]]:
    """Every combination, as scikit-learn's `ParameterGrid` lists them."""
    names: Sequence[str] = sorted(space)
    return [dict(zip(names, chosen, strict=True)) for chosen in product(*(space[name].values for name in names))]
