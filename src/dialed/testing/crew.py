"""The workers of a simulated cluster, and what befalls them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dialed.errors import InvalidInputError

__all__ = ["Crew", "Fate"]

_BLOCK = 4096
"""Numbers drawn at once: one by one they would cost as much as the rest of an epoch's simulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How many workers there are, how fast each is, and when they come, die and go.

    Args:
        workers: How many there are at the start.
        stragglers: The share of workers that are slow for as long as they live. Defaults to none.
        slowness: How many times as long a slow one takes. Defaults to 4.
        jitter: How much the time of an epoch varies: the sigma of a log-normal factor. Defaults to 0.
        deaths_per_hour: How often a worker dies without a word, on average. Defaults to never.
        lease_seconds: So long nobody notices a death. Defaults to 60.
        absence_seconds: So long after a death another worker takes its place. Defaults to 120.
        changes: Workers that join (positive) or leave (negative), with the time in seconds. Who leaves ends its epoch,
            and hands the member back. Defaults to none.
        seed: Of all that is random in it. Defaults to 0.

    Raises:
        InvalidInputError: A number cannot mean anything.

    Example:
        >>> Crew(workers=100, stragglers=0.05, deaths_per_hour=0.1, changes=((3600.0, -50),)).workers
        100
    """

    workers: int
    stragglers: float = 0.0
    slowness: float = 4.0
    jitter: float = 0.0
    deaths_per_hour: float = 0.0
    lease_seconds: float = 60.0
    absence_seconds: float = 120.0
    changes: tuple[tuple[float, int], ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers < 1:
            raise InvalidInputError(
                f"The `workers` of a Crew must be an int in the range [1, inf). Got {self.workers!r}."
            )
        for name in ("stragglers", "jitter", "deaths_per_hour", "lease_seconds", "absence_seconds"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise InvalidInputError(
                    f"The `{name}` of a Crew must be a number in the range [0, inf). Got {value!r}."
                )
        if self.stragglers > 1:
            raise InvalidInputError(f"The `stragglers` of a Crew are a share, at most 1. Got {self.stragglers!r}.")
        if not 1 <= self.slowness < math.inf:
            raise InvalidInputError(f"The `slowness` of a Crew must be at least 1. Got {self.slowness!r}.")


class Fate:
    """Draws what happens to the workers of a crew, always in the same way."""

    def __init__(self, crew: Crew) -> None:
        rng = np.random.default_rng(crew.seed)
        streams = rng.spawn(3)
        self._crew = crew
        self._uniform = _drawn(lambda: streams[0].random(_BLOCK))
        self._factors = _drawn(lambda: np.exp(crew.jitter * streams[1].standard_normal(_BLOCK)))
        self._lives = _drawn(lambda: streams[2].standard_exponential(_BLOCK))

    def pace(self) -> float:
        """How many times as long as usual a new worker takes."""
        return self._crew.slowness if next(self._uniform) < self._crew.stragglers else 1.0

    def factor(self) -> float:
        """How many times as long as usual the next epoch takes."""
        return next(self._factors) if self._crew.jitter else 1.0

    def life(self) -> float | None:
        """How many seconds a new worker lives; `None` for ever."""
        rate = self._crew.deaths_per_hour
        return next(self._lives) * 3600.0 / rate if rate else None


def _drawn(draw: Callable[[], np.ndarray]) -> Iterator[float]:
    while True:
        yield from draw().tolist()
