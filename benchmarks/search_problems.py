"""Search problems that are made, not recorded: functions with the traits of losses, the best of which is known.

An instance of a family is drawn by a number, so a family has as many members as one asks for. All losses are at least
0, and 0 is reached (at the edge of what fails, nearly).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from search_tables import Array, Task

from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.trial import Values

__all__ = ["FAMILIES", "NOISE", "clipped", "diverging", "edge", "grid", "made"]

NOISE = 0.1
"""Standard deviation of the noise of the family `noisy`, as a share of what a median configuration loses."""

NUMBERS = (
    Hyperparameter("rate", Float(1e-5, 1e-1, sampling="log")),
    Hyperparameter("decay", Float(1e-6, 1e-2, sampling="log")),
    Hyperparameter("dropout", Float(0.0, 0.8)),
    Hyperparameter("units", Int(16, 1024, sampling="log")),
    Hyperparameter("epsilon", Float(1e-8, 1e-2, sampling="log")),
)
MIXED = (
    *NUMBERS,
    Hyperparameter("activation", Choice(["relu", "gelu", "tanh", "swish"], ordered=False)),
    Hyperparameter("optimizer", Choice(["adam", "sgd", "rmsprop"], ordered=False)),
)
CONDITIONAL = (
    *MIXED,
    Hyperparameter("momentum", Float(0.0, 0.99), (Condition("optimizer", ("sgd",)),)),
    Hyperparameter("beta", Float(0.8, 0.999), (Condition("optimizer", ("adam",)),)),
    Hyperparameter("warmup", Float(0.0, 0.5), (Condition("optimizer", ("adam", "rmsprop")),)),
)
FAMILIES: Mapping[str, tuple[Hyperparameter, ...]] = {
    "numbers": NUMBERS,
    "mixed": MIXED,
    "conditional": CONDITIONAL,
    "noisy": NUMBERS,
}
WEIGHTS = (4.0, 2.0, 1.0, 0.5, 0.02)
"""How much the numbers matter, the first the most: few of them decide, as in networks."""


def made(family: str, instance: int) -> Task:
    """A task of one of `FAMILIES`."""
    space = Space(FAMILIES[family])
    loss = _valley(space, np.random.default_rng((2026, instance)))

    def truth(configurations: Sequence[Values]) -> Array:
        return np.array([loss(values) for values in configurations])

    task = Task(
        name=f"{family} {instance}",
        family=family,
        space=space,
        measure=lambda values, number: loss(values),
        truth=truth,
    ).scaled()
    task.best = 0.0
    if family == "noisy":
        task.measure = lambda values, number: loss(values) + NOISE * task.median * _noise(instance, number)
    return task


def _valley(space: Space, rng: np.random.Generator) -> Callable[[Values], float]:
    """A curved valley: the best second number depends on the first, and each choice moves and lifts it."""
    names = [h.name for h in space if not h.domain.categorical]
    bottoms = dict(zip(names, rng.uniform(0.15, 0.85, len(names)), strict=True))
    weights = dict(zip(names, (*WEIGHTS, 1.0, 1.0, 0.5), strict=False))
    moves = {h.name: dict(zip(h.domain.values(), _moves(rng, h), strict=True)) for h in space if h.domain.categorical}

    def loss(values: Values) -> float:
        units = {name: space[name].domain.to_unit(values[name]) for name in names if name in values}
        chosen = [moves[name][values[name]] for name in moves if name in values]
        shift, lift = sum(move for move, _ in chosen), sum(above for _, above in chosen)
        away = {name: unit - bottoms[name] for name, unit in units.items()}
        away["rate"] -= shift
        away["decay"] -= 0.6 * away["rate"]
        return lift + sum(weights[name] * abs(gap) ** 1.5 for name, gap in away.items())

    return loss


def _moves(rng: np.random.Generator, hyperparameter: Hyperparameter) -> list[tuple[float, float]]:
    """For each choice, how far it moves the valley and how much it lifts it; the best lifts by nothing."""
    count = hyperparameter.domain.size
    assert count is not None
    lifts = rng.permutation(np.linspace(0.0, 0.5, count))
    return [(float(move), float(lift)) for move, lift in zip(rng.uniform(-0.1, 0.1, count), lifts, strict=True)]


def _noise(instance: int, number: int) -> float:
    return float(np.random.default_rng((instance, number)).standard_normal())


FOUR = Space([Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(4)])


def _bowl(values: Values) -> float:
    return float(sum((float(values[f"x{i}"]) - 0.2 * i - 0.1) ** 2 for i in range(4)))  # type: ignore[arg-type]


def edge(values: Values) -> float:
    """In `FOUR`, trials fail (NaN) beyond the half of `x0`, and the loss is least just before it."""
    over = float(values["x0"]) - 0.5  # type: ignore[arg-type]
    return math.nan if over > 0.0 else _bowl({**values, "x0": 0.1}) - over


def diverging(values: Values) -> float:
    """A bowl in `FOUR`, but beyond x0 = 0.6 the loss explodes, by up to a hundred powers of ten."""
    far = float(values["x0"]) - 0.6  # type: ignore[arg-type]
    return _bowl(values) if far < 0.0 else 10.0 ** (2.0 + 245.0 * far)


def clipped(values: Values) -> float:
    """The same, by somebody who knew that no loss above 1 is of interest."""
    return min(diverging(values), 1.0)


GRID = Space(
    [
        Hyperparameter("layers", Int(1, 4)),
        Hyperparameter("activation", Choice(["relu", "gelu", "tanh"], ordered=False)),
        Hyperparameter("units", Int(1, 8)),
    ]
)


def grid(values: Values) -> float:
    """A loss over the 96 configurations of `GRID`."""
    steps = abs(int(values["units"]) - 3) + int(values["layers"])  # type: ignore[arg-type]
    return steps + (values["activation"] != "gelu")
