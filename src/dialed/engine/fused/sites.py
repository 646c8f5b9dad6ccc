"""The numbers that are inputs of a program, and putting them into a live model while its step is traced."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialed.engine.fused.anatomy import Place
from dialed.engine.fused.lifted import Guards, Lifted, Number

__all__ = ["Sites", "differing", "plainly"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sites:
    """Places of one template model whose numbers are inputs, and the numbers that lanes bring.

    Args:
        places: Where they are put.
        known: By path, the numbers that questions are answered for.
        guards: What was asked of them.
    """

    places: tuple[Place, ...]
    known: Mapping[str, tuple[Number, ...]]
    guards: Guards

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the places, in their order."""
        return tuple(place.path for place in self.places)

    def admits(self, numbers: Mapping[str, Number]) -> bool:
        """Whether a lane with these numbers would have been traced to the same program."""
        return all(guard.holds(numbers[guard.path]) for guard in self.guards.asked)

    def examples(self) -> list[tuple[Number, Number]]:
        """A number and its complement for each place, as Python numbers: JAX then gives them no dtype of their own."""
        return [(place.value, 1 - place.value) for place in self.places]

    def lanes(self, numbers: Sequence[Mapping[str, Number]]) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each place the numbers of all lanes and their complements, (lanes,) each."""
        return [_column([of[place.path] for of in numbers], type(place.value)) for place in self.places]

    @contextmanager
    def injected(self, values: Sequence[tuple[Any, Any]]) -> Iterator[None]:
        """Put tracers into the model, and its own numbers back afterwards."""
        try:
            for place, (value, complement) in zip(self.places, values, strict=True):
                known = self.known[place.path]
                place.put(Lifted(value, complement, path=place.path, values=known, guards=self.guards))
            yield
        finally:
            for place in self.places:
                place.put(place.value)


@contextmanager
def plainly(places: Sequence[Place], numbers: Mapping[str, Number]) -> Iterator[None]:
    """Put plain `numbers` into a model, and its own back afterwards."""
    try:
        for place in places:
            place.put(numbers[place.path])
        yield
    finally:
        for place in places:
            place.put(place.value)


def differing(numbers: Sequence[Mapping[str, Number]], without: Container[str] = ()) -> list[str]:
    """The paths whose numbers are not the same in all models, which share a structure; those `without` left out."""
    first, *others = numbers
    return [p for p, value in first.items() if p not in without and any(o[p] != value for o in others)]


def _column(values: Sequence[Number], kind: type) -> tuple[np.ndarray, np.ndarray]:
    """In float64, or int64; the program's own dtypes round them once."""
    dtype = np.int64 if kind is int else np.float64
    return np.array(values, dtype), np.array([1 - v for v in values], dtype)
