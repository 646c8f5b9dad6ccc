"""Which weight each of an optimizer's variables belongs to: it has that weight's shape, and its places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["Slots"]


class Slots:
    """Watches optimizers while they are built."""

    def __init__(self) -> None:
        self._owners: dict[int, Any] = {}

    @contextmanager
    def watching(self, optimizer: Any) -> Iterator[None]:
        """Note what `optimizer`, and one inside it, makes for which weight."""
        watched = [optimizer, *([optimizer.inner_optimizer] if hasattr(optimizer, "inner_optimizer") else [])]
        for each in watched:
            each.__dict__["add_variable_from_reference"] = self._noting(each.add_variable_from_reference)
        try:
            yield
        finally:
            for each in watched:
                del each.__dict__["add_variable_from_reference"]

    def _noting(self, add: Any) -> Any:
        def noting(reference_variable: Any, *args: Any, **kwargs: Any) -> Any:
            made = add(reference_variable, *args, **kwargs)
            self._owners[id(made)] = reference_variable
            return made

        return noting

    def owners(self, variables: Sequence[Any], weights: Sequence[Any]) -> tuple[int | None, ...]:
        """For each of an optimizer's `variables` the position in `weights` of the one it belongs to."""
        positions = {id(weight): i for i, weight in enumerate(weights)}
        return tuple(positions.get(id(self._owners.get(id(variable)))) for variable in variables)
