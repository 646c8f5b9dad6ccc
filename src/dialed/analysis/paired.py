"""What paired differences say: a mean with its interval, and p-values that assume no distribution.

Under the hypothesis that two configurations are equally good, each difference between them under one seed could as well
have had the other sign. So the p-value is the part of all choices of signs that give a mean at least as far from 0. With
few seeds there are few choices: of n differences, no two-sided p-value can be below 2 / 2^n, and that is said.

References:
    Fisher 1935, "The design of experiments", chapter 3.
    Holm 1979, "A simple sequentially rejective multiple test procedure".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dialed.search.model.layout import Array

__all__ = ["LEVEL", "holm", "least_p", "seeds_needed", "sign_flip_p"]

LEVEL = 0.05

EXACT = 14
"""Up to so many differences all 2^n choices of signs are tried; beyond, a fixed sample of them."""

SAMPLED = 20_000

_ROUNDING = 1e-12


def sign_flip_p(differences: Sequence[float] | Array) -> float:
    """The two-sided p-value of a mean difference of 0; 1 for no differences.

    Example:
        >>> sign_flip_p([1.0, 2.0, 3.0])  # the least that three can give: 2 of 8 choices of signs
        0.25
    """
    data = np.asarray(differences, dtype=float)
    count = len(data)
    if not count:
        return 1.0
    observed = abs(data.sum())
    limit = observed - _ROUNDING * np.abs(data).sum()
    if count <= EXACT:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
        return float(np.mean(np.abs(signs @ data) >= limit))
    signs = 1 - 2 * np.random.default_rng(0).integers(2, size=(SAMPLED, count))
    return float((1 + np.sum(np.abs(signs @ data) >= limit)) / (1 + SAMPLED))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, made larger so that the chance of one false alarm among all of them is kept.

    Example:
        >>> holm([0.01, 0.5, 0.02])
        [0.03, 0.5, 0.04]
    """
    ranked = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(ranked):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def least_p(count: int, tests: int = 1) -> float:
    """The least p-value that `count` differences can give after Holm's correction for so many tests."""
    return min(1.0, tests * 2.0 ** (1 - count))


def seeds_needed(tests: int) -> int:
    """How many differences it takes before one of so many tests can be significant at all."""
    return next(count for count in range(1, 64) if least_p(count, tests) < LEVEL)
