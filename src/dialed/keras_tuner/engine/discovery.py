"""Finding the space: as few builds as enter every conditional scope once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dialed.keras_tuner.engine.conditions import Condition, Parent
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle

__all__ = ["discover", "renewed"]

_Scope = list[Condition]


def discover(oracle: Oracle, build: Callable[[HyperParameters], Any]) -> None:
    """Build until each conditional scope was entered once, or cannot be, and take in what was asked for."""
    entered: list[_Scope] = []
    waiting: list[_Scope] = []
    hp = oracle.get_space()
    while True:
        build(hp)
        oracle.update_space(hp)
        entered += [scope for scope in hp.active_scopes if scope not in entered]
        waiting += [scope for scope in hp.inactive_scopes if scope not in waiting]
        waiting = [scope for scope in waiting if scope not in entered]
        if not waiting:
            return
        hp = _towards(oracle, waiting)
        entered.append(waiting.pop(0))  # once asked for is enough: a scope may be one that nothing reaches


def _towards(oracle: Oracle, waiting: Sequence[_Scope]) -> HyperParameters:
    """Values that enter the first of the scopes, and as many more as contradict nothing."""
    wanted: dict[str, Any] = {}
    for scope in waiting:
        needs = {c.name: c.values for c in scope if isinstance(c, Parent)}
        if all(name not in wanted or wanted[name] in values for name, values in needs.items()):
            wanted |= {name: values[0] for name, values in needs.items() if name not in wanted}
    hp = oracle.get_space()
    hp.values = {name: value for name, value in hp.values.items() if name not in wanted} | wanted
    hp.ensure_active_values()
    return hp


def renewed(found: HyperParameters, saved: HyperParameters) -> list[str]:
    """Take into `found` what only the saved space of a project holds; return what differs, as sentences."""
    changes = []
    for hp in saved.space:
        now = next((new for new in found._hps.get(hp.name, ()) if new.conditions == hp.conditions), None)
        if now is None:
            found.merge([hp], overwrite=False)
        elif now.get_config() != hp.get_config():
            changes.append(f"{hp.name} was {hp}, and is now {now}")
    return changes
