"""How many steps the whole training of a trial has, however far it is trained for now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from dialed.engine.datasets import Stream, is_stream

__all__ = ["Length"]

_BATCH_SIZE = 32
"""That of `model.fit` where nobody says one."""


class Length:
    """The length of trainings on `data`.

    Args:
        data: What each fold trains on, as in `Assignment`. The first fold stands for all: they differ by a sample.
    """

    def __init__(self, data: Any) -> None:
        self._data = data

    def steps(self, arguments: Mapping[str, Any]) -> int | None:
        """Epochs times batches under a trial's `arguments`; `None` where the data do not tell."""
        batches = arguments.get("steps_per_epoch") or self._batches(arguments.get("batch_size"))
        return None if batches is None else int(arguments.get("epochs") or 1) * int(batches)

    def _batches(self, batch_size: int | None) -> int | None:
        samples, batches = self._counted
        return -(-samples // int(batch_size or _BATCH_SIZE)) if samples is not None else batches

    @cached_property
    def _counted(self) -> tuple[int | None, int | None]:
        """Samples of arrays, or batches of a dataset that makes its own."""
        fold = self._data.fold(0)
        return (None, Stream.of(fold.x, "x").batches) if is_stream(fold.x) else (fold.samples, None)
