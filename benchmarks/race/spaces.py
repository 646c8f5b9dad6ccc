"""A search space, written once, as each project wants it. It says what to ask for, and asks for nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Ask", "Number", "Options", "Space", "by_ray", "from_hp", "from_optuna", "from_values"]

Ask: TypeAlias = Callable[[str], Any]
"""The value of the hyperparameter of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number from `low` to `high`, whole where `step` is given; `default` is what a user would take without a search."""

    low: float
    high: float
    default: float
    step: int | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """One of several values, the first by default."""

    values: tuple[Any, ...]


Space: TypeAlias = Mapping[str, Number | Options]


def from_hp(hp: Any, space: Space) -> Ask:
    """KerasTuner's `hp`, and Dialed's."""

    def ask(name: str) -> Any:
        kind = space[name]
        if isinstance(kind, Options):
            return hp.Choice(name, list(kind.values))
        if kind.step is not None:
            return hp.Int(name, int(kind.low), int(kind.high), step=kind.step, default=int(kind.default))
        sampling = "log" if kind.log else "linear"
        return hp.Float(name, kind.low, kind.high, sampling=sampling, default=kind.default)

    return ask


def from_optuna(trial: Any, space: Space) -> Ask:
    """Optuna's trial."""

    def ask(name: str) -> Any:
        kind = space[name]
        if isinstance(kind, Options):
            return trial.suggest_categorical(name, list(kind.values))
        if kind.step is not None:
            return trial.suggest_int(name, int(kind.low), int(kind.high), step=kind.step)
        return trial.suggest_float(name, kind.low, kind.high, log=kind.log)

    return ask


def by_ray(space: Space) -> dict[str, Any]:
    """Ray Tune's domains. Conditions are not told: what is not asked for changes nothing."""
    from ray import tune

    found: dict[str, Any] = {}
    for name, kind in space.items():
        if isinstance(kind, Options):
            found[name] = tune.choice(list(kind.values))
        elif kind.step is not None:
            found[name] = tune.qrandint(int(kind.low), int(kind.high), kind.step)
        else:
            found[name] = (tune.loguniform if kind.log else tune.uniform)(kind.low, kind.high)
    return found


def from_values(values: Mapping[str, Any]) -> Ask:
    """Values that were chosen before."""
    return lambda name: values[name]
