"""Several objectives and constraints as text: the front, and what keeps a winner from being one."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from dialed.objectives import Constraint, keeps, shortfall, value_of
from dialed.observe.text import (
    columns,
    format_bytes,
    format_count,
    format_latency,
    format_score,
    format_seconds,
    format_values,
)
from dialed.search.front import front_of, knee_of, losses_of
from dialed.search.history import History
from dialed.trial import Objective, Trial

__all__ = ["front_lines", "front_table", "head_of", "knee_sentence", "limits_line", "nobody_keeps"]

_MOST = 12
"""Rows of a front that a summary shows: from one end to the other."""


def head_of(history: History) -> str:
    """What is improved, and which way."""
    said = [f"{o.name}, {'higher' if o.direction == 'max' else 'lower'} is better" for o in history.terms.objectives]
    return "; ".join(said)


def front_lines(history: History, width: int) -> list[str]:
    """The front with a sentence on what it is; nothing for a single objective."""
    terms = history.terms
    if not terms.others:
        return []
    front = front_of(history.trials, terms)
    if not front:
        return []
    count = len(front)
    shown = front if count <= _MOST else [front[round(i * (count - 1) / (_MOST - 1))] for i in range(_MOST)]
    head = f"{format_count(count, 'best trade-off')} (no other trial is better in one objective and no worse in the others)"
    left = [f"  and {count - len(shown)} between them."] if len(shown) < count else []
    balanced = knee_of(losses_of(front, terms), [objective.name for objective in terms.objectives])
    said = [] if balanced is None else textwrap.wrap(knee_sentence(front[balanced]), width)
    return [f"{head}:", *front_table(shown, terms.objectives, width=width), *left, *said]


def knee_sentence(trial: Trial) -> str:
    """What a balanced trade-off is."""
    return (
        f"The most balanced of them is trial {trial.number}: from there on, each gain in one costs more in the others."
    )


def front_table(trials: Sequence[Trial], objectives: Sequence[Objective], *, width: int) -> list[str]:
    """One line a trial: its number, its objectives, its values."""
    rows: list[tuple[str, ...]] = [("trial", *(o.name for o in objectives), "values")]
    for trial in trials:
        others = [_shown(o.name, value_of(trial, o.name)) for o in objectives[1:]]
        rows.append((str(trial.number), format_score(trial.score), *others, format_values(trial.values)))
    return columns(rows, "r" * (1 + len(objectives)) + "l", width=width)


def limits_line(history: History) -> str:
    """How many trials keep the constraints; empty where there are none."""
    constraints = history.terms.constraints
    scored = [trial for trial in history.trials if trial.score is not None]
    if not constraints or not scored:
        return ""
    kept = sum(keeps(trial, constraints) for trial in scored)
    return f"Constraints: {_listed(constraints)}. Kept by {kept} of {format_count(len(scored), 'scored trial')}."


def nobody_keeps(history: History) -> str:
    """Why there is no winner although trials have scores; empty where that is not the reason."""
    constraints = history.terms.constraints
    scored = [trial for trial in history.trials if trial.score is not None]
    if not constraints or not scored or any(keeps(trial, constraints) for trial in scored):
        return ""
    nearest = min(scored, key=lambda trial: (shortfall(trial, constraints), trial.number))
    broken = [c for c in constraints if c.excess(value_of(nearest, c.name)) > 0.0]
    has = ", ".join(
        f"{c.name} {_shown(c.name, value_of(nearest, c.name))} instead of {_end(c, nearest)}" for c in broken
    )
    return (
        f"No trial keeps all constraints ({_listed(constraints)}), so there is no winner. The nearest is trial "
        f"{nearest.number}, with {has}. Widen the space towards it, or loosen the constraint."
    )


def _shown(name: str, value: float | None) -> str:
    """A value in the unit that people read it in."""
    if value is None:
        return "-"
    readable = {
        "latency": format_latency,
        "memory": format_bytes,
        "parameters": lambda count: f"{count:,.0f}",
        "seconds": format_seconds,
    }
    return readable.get(name, format_score)(value)


def _listed(constraints: Sequence[Constraint]) -> str:
    return ", ".join(map(str, constraints))


def _end(constraint: Constraint, trial: Trial) -> str:
    value = value_of(trial, constraint.name)
    above = value is not None and constraint.max is not None and value > constraint.max
    return f"at most {constraint.max:.10g}" if above or constraint.min is None else f"at least {constraint.min:.10g}"
