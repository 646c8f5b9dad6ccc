"""A program's side of padding: the code that it replaces while it is traced, and what its lanes bring for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from dialed.engine.fused.padding.axes import Tensor, narrow, widen
from dialed.engine.fused.padding.fit import Fit
from dialed.engine.fused.padding.rule import Adaptation

__all__ = ["NO_PADDING", "Given", "Padding", "padding_for"]

Given: TypeAlias = list[dict[str, Any]]
"""What a lane brings: for each replaced piece of code, arrays by name."""

_Group: TypeAlias = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Padding:
    """What a program does for lanes narrower than itself.

    Args:
        replaced: The pieces of code, as the first lane has them.
        choices: For each piece the choices of all lanes.
        owners: For each of the optimizer's variables the position of the weight whose shape it has, or `None`.
    """

    replaced: tuple[Adaptation, ...] = ()
    choices: tuple[tuple[int, ...], ...] = ()
    owners: tuple[int | None, ...] = ()

    @property
    def keys(self) -> tuple[tuple[int, str], ...]:
        """What is replaced."""
        return tuple((id(piece.holder), piece.attribute) for piece in self.replaced)

    def examples(self) -> Given:
        """What a lane brings, as an example of shapes and types."""
        return [dict(piece.given) for piece in self.replaced]

    def lanes(self, fits: Sequence[Fit]) -> Given:
        """What lanes bring, (lanes, ...)."""
        return [
            {name: np.stack([np.asarray(fit.adaptations[key].given[name]) for fit in fits]) for name in piece.given}
            for key, piece in zip(self.keys, self.replaced, strict=True)
        ]

    def admits(self, fit: Fit) -> bool:
        """Whether a further lane finds all that it needs in the program's code."""
        known = dict(zip(self.keys, self.choices, strict=True))
        for key, adaptation in fit.adaptations.items():
            if key in known:
                if adaptation.choice not in known[key]:
                    return False
            elif adaptation.needed:
                return False
        return known.keys() <= fit.adaptations.keys()

    @contextmanager
    def injected(self, given: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Replace the pieces, with a lane's tracers, and put them back afterwards."""
        kept: list[tuple[Any, str, bool, Any]] = []
        try:
            for piece, choices, mine in zip(self.replaced, self.choices, given, strict=True):
                held = piece.holder.__dict__
                kept.append((piece.holder, piece.attribute, piece.attribute in held, held.get(piece.attribute)))
                held[piece.attribute] = piece.make(getattr(piece.holder, piece.attribute), mine, choices)
            yield
        finally:
            for holder, attribute, had, value in reversed(kept):
                if had:
                    holder.__dict__[attribute] = value
                else:
                    holder.__dict__.pop(attribute, None)

    def widened(self, state: tuple[_Group, _Group, _Group], fit: Fit) -> tuple[list[Any], list[Any], list[Any]]:
        """A lane's own state in the program's shapes."""
        trainable, other, optimizer = state
        return (
            [widen(a, t) for a, t in zip(trainable, fit.trainable, strict=True)],
            [widen(a, t) for a, t in zip(other, fit.other, strict=True)],
            [a if t is None else widen(a, t) for a, t in zip(optimizer, self._slots(fit), strict=True)],
        )

    def narrowed(self, state: tuple[_Group, _Group, _Group], fit: Fit) -> tuple[list[Any], list[Any], list[Any]]:
        """A lane's own part of a state in the program's shapes."""
        trainable, other, optimizer = state
        return (
            [narrow(a, t) for a, t in zip(trainable, fit.trainable, strict=True)],
            [narrow(a, t) for a, t in zip(other, fit.other, strict=True)],
            [a if t is None else narrow(a, t) for a, t in zip(optimizer, self._slots(fit), strict=True)],
        )

    def _slots(self, fit: Fit) -> list[Tensor | None]:
        return [None if owner is None else fit.trainable[owner] for owner in self.owners]


NO_PADDING = Padding()
"""For lanes that are all as wide as their program."""


def padding_for(fits: Sequence[Fit], owners: tuple[int | None, ...]) -> Padding:
    """The padding of a program for these lanes: what any of them needs."""
    needed = dict.fromkeys(key for fit in fits for key, piece in fit.adaptations.items() if piece.needed)
    choices = [tuple(sorted({fit.adaptations[key].choice for fit in fits})) for key in needed]
    first = fits[0].adaptations
    return Padding(replaced=tuple(first[key] for key in needed), choices=tuple(choices), owners=owners)
