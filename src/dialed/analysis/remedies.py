"""What a space has against a finding, by the names and ranges of its hyperparameters; and where its range should grow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dialed.observe.text import format_value
from dialed.space import Choice, Float, Hyperparameter, Int, Space
from dialed.trial import Value, Values

__all__ = ["Edge", "edges_of", "hyperparameters_for", "roles_of"]

ROLES: Mapping[str, str] = {
    "dropout": r"drop",
    "weight decay": r"decay|(^|_)l[12]($|_)|regulari|penalt",
    "epochs": r"epoch",
    "batch size": r"batch",
    "learning rate": r"learning_?rate|(^|_)lr($|_)",
    "depth": r"layers?($|_)|depth|blocks?($|_)",
    "width": r"unit|width|filter|neuron|channel|hidden|dim($|_)",
}
"""By whose name a hyperparameter is taken for what, the first that fits."""

NEAR = 0.05
"""A value within this part of its range from an end stands at the edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A hyperparameter whose value in the winner stands at an end of its range, and the range to try next."""

    name: str
    value: Value
    side: str
    domain: str
    sentence: str


def roles_of(space: Space) -> dict[str, list[str]]:
    """The names of the hyperparameters that play each role."""
    found: dict[str, list[str]] = {role: [] for role in ROLES}
    for hyperparameter in space:
        name = hyperparameter.name.lower().rsplit("/", 1)[-1]
        role = next((role for role, pattern in ROLES.items() if re.search(pattern, name)), None)
        if role is not None:
            found[role].append(hyperparameter.name)
    return found


def hyperparameters_for(roles: tuple[str, ...], space: Space, values: Values) -> str:
    """A phrase: what the space offers in these roles, with the winner's values, and what it lacks."""
    known = roles_of(space)
    offered = [_offered(space[name], values) for role in roles for name in known[role]]
    missing = [role for role in roles if not known[role]]
    parts = [f"The space offers {', '.join(offered)}"] if offered else ["The space offers nothing against it"]
    if missing:
        parts.append(f"it has no hyperparameter for {' or '.join(missing)}")
    return "; ".join(parts) + "."


def _offered(hyperparameter: Hyperparameter, values: Values) -> str:
    name, domain = hyperparameter.name, hyperparameter.domain
    has = f", here {format_value(values[name])}" if name in values else ", not active here"
    if isinstance(domain, (Int, Float)):
        return f"`{name}` ({format_value(domain.min_value)} to {format_value(domain.max_value)}{has})"
    return f"`{name}` ({', '.join(format_value(v) for v in domain.values())}{has})"


def edges_of(space: Space, values: Values) -> tuple[Edge, ...]:
    """Where `values` stand at an end of a range that could go on."""
    found = [_edge(space[name], value) for name, value in values.items() if name in space]
    return tuple(edge for edge in found if edge is not None)


def _edge(hyperparameter: Hyperparameter, value: Value) -> Edge | None:
    domain = hyperparameter.domain
    if isinstance(domain, Choice):
        return _beyond_choices(hyperparameter.name, domain, value)
    if not isinstance(domain, (Int, Float)) or isinstance(value, str) or value is None:
        return None
    unit = domain.to_unit(value)
    side = "lower" if _at_low(domain, value, unit) else "upper" if _at_high(domain, value, unit) else None
    if side is None or _is_natural(domain, side):
        return None
    return _told(hyperparameter.name, value, side, _shifted(_finer(domain) if side == "lower" else domain, side))


def _at_low(domain: Int | Float, value: float, unit: float) -> bool:
    return value == domain.min_value or (domain.size is None and unit <= NEAR)


def _at_high(domain: Int | Float, value: float, unit: float) -> bool:
    return value == domain.max_value or (domain.size is None and unit >= 1 - NEAR)


def _is_natural(domain: Int | Float, side: str) -> bool:
    """Whether nothing can lie beyond: below 0, below a count of 1, above a share of 1."""
    if side == "lower":
        return domain.min_value == 0 or (isinstance(domain, Int) and domain.min_value == 1)
    return isinstance(domain, Float) and domain.min_value >= 0 and 0.9 <= domain.max_value <= 1.0


def _shifted(domain: Int | Float, side: str) -> str:
    """The range to try next, of about the same width on its own scale: from the middle of this one on."""
    low, high = float(domain.min_value), float(domain.max_value)
    if domain.sampling != "linear":
        middle, factor = (low * high) ** 0.5, (high / low) ** 0.5
        bounds = (middle, high * factor) if side == "upper" else (low / factor, middle)
    else:
        step = float(domain.step or (1 if isinstance(domain, Int) else 0))
        half = (high - low) / 2 if not step else max(round((high - low) / 2 / step), 1) * step
        bounds = (high - half, high + half) if side == "upper" else (max(low - half, _floor(low, step)), low + half)
    kind = "Int" if isinstance(domain, Int) else "Float"
    shown = [str(max(round(b), 1)) if isinstance(domain, Int) else f"{b:.2g}" for b in bounds]
    scale = "" if domain.sampling == "linear" else f', sampling="{domain.sampling}"'
    step_text = "" if domain.step is None else f", step={domain.step}"
    return f"{kind}({shown[0]}, {shown[1]}{step_text}{scale})"


def _finer(domain: Int | Float) -> Int | Float:
    """The same range in half the steps, where it begins at its first step: below that, whole ones lead to 0."""
    step = 0 if domain.step is None or domain.sampling != "linear" else domain.step
    if not 0 < domain.min_value <= step or (isinstance(domain, Int) and step < 2):
        return domain
    return replace(domain, step=int(step) // 2) if isinstance(domain, Int) else replace(domain, step=step / 2)


def _floor(low: float, step: float) -> float:
    """How far down a positive range may go: not to 0 or beyond."""
    return -float("inf") if low <= 0 else (low % step or step) if step else 0.0


def _beyond_choices(name: str, domain: Choice, value: Value) -> Edge | None:
    numbers = [v for v in domain.choices if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) < 3 or len(numbers) != len(domain.choices) or not isinstance(value, (int, float)):
        return None
    ranked = sorted(numbers)
    if value not in (ranked[0], ranked[-1]) or value == 0:
        return None
    near, side = (ranked[1], "lower") if value == ranked[0] else (ranked[-2], "upper")
    further = value * value / near if near > 0 and value > 0 else 2 * value - near
    if isinstance(value, int):
        further = round(further)
        if further < 1 or further == value:
            return None
    return _told(name, value, side, f"Choice([..., {format_value(further)}])")


def _told(name: str, value: Value, side: str, domain: str) -> Edge:
    said = f"The winner's `{name}` ({format_value(value)}) stands at the {side} end of its range: try {domain} next."
    return Edge(name=name, value=value, side=side, domain=domain, sentence=said)
