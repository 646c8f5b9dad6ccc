"""Which hyperparameter depends on which, learned from what builds asked for.

Where in doubt, a hyperparameter counts as active: to sample one in vain costs little, never to sample it costs all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dialed.space._values import find, identity
from dialed.space.domains import Boolean, Choice, Domain, Int
from dialed.space.hyperparameter import Condition, Hyperparameter
from dialed.trial import Value, Values

__all__ = ["LARGEST_PARENT", "Observation", "conditioned", "excluded", "unseen"]

LARGEST_PARENT = 1024
"""A condition lists the values of its parent; integers with more than this many are not taken for parents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one build asked for, in order. An incomplete one ended early: what it did not ask for says nothing."""

    values: Values
    complete: bool = True


def _can_be_parent(domain: Domain) -> bool:
    """Whether a condition may be about such a hyperparameter."""
    return isinstance(domain, (Boolean, Choice)) or (isinstance(domain, Int) and domain.size <= LARGEST_PARENT)


def conditioned(hyperparameters: Sequence[Hyperparameter], observations: Sequence[Observation]) -> list[Hyperparameter]:
    """The same hyperparameters, with the conditions that explain why some builds did not ask for them.

    The conditions they have already (from scopes) stay, unless an observation contradicts them.
    """
    result: list[Hyperparameter] = []
    for hyperparameter in hyperparameters:
        conditions = _conditions(hyperparameter, result, observations)
        result.append(Hyperparameter(hyperparameter.name, hyperparameter.domain, conditions))
    return result


def unseen(
    child: Hyperparameter,
    parent: Hyperparameter,
    others: Sequence[Condition],
    observations: Sequence[Observation],
) -> list[Value]:
    """Values of `parent` that would tell more about `child`.

    For integers the middle of each gap between a value with the child and one without, so that a threshold is found
    by halving; for choices every unseen value. Builds count in which the `others` of the child's conditions hold.
    """
    states = _states(child, parent, [o for o in observations if _hold(others, o)])
    values = parent.domain.values()
    if not isinstance(parent.domain, Int):
        return [value for value, state in zip(values, states, strict=True) if state is None]
    return [values[(a + b) // 2] for a, b in _edges(states) if b - a > 1]


def excluded(
    child: Hyperparameter,
    parent: Hyperparameter,
    others: Sequence[Condition],
    observations: Sequence[Observation],
) -> list[Value]:
    """Values of `parent` with which the child was not asked for; of integers only those next to one with it."""
    states = _states(child, parent, [o for o in observations if _hold(others, o)])
    values = parent.domain.values()
    if not isinstance(parent.domain, Int):
        return [value for value, state in zip(values, states, strict=True) if state is False]
    return [values[a if states[b] else b] for a, b in _edges(states)]


def _edges(states: Sequence[bool | None]) -> list[tuple[int, int]]:
    """The neighbours among the seen values that disagree."""
    seen = [index for index, state in enumerate(states) if state is not None]
    return [(a, b) for a, b in pairwise(seen) if states[a] is not states[b]]


def _conditions(
    child: Hyperparameter, before: Sequence[Hyperparameter], observations: Sequence[Observation]
) -> tuple[Condition, ...]:
    having = [o for o in observations if child.name in o.values]
    conditions = [relaxed for c in child.conditions if (relaxed := _relaxed(c, having)) is not None]
    lacking = [o for o in observations if o.complete and child.name not in o.values and _hold(conditions, o)]
    known = {condition.parent for condition in conditions}
    parents = [p for p in before if p.name not in known and _may_explain(p, having)]
    while having and lacking:
        guess = max((_guess(p, having) for p in parents), key=lambda c: _explained(c, lacking), default=None)
        if guess is None or not _explained(guess, lacking):
            break
        parent = next(p for p in parents if p.name == guess.parent)
        parents.remove(parent)
        conditions.append(_filled(child, parent, conditions, observations))
        lacking = [o for o in lacking if guess.holds(o.values)]
    return tuple(conditions)


def _relaxed(condition: Condition, having: Sequence[Observation]) -> Condition | None:
    """`condition`, made to hold wherever its child was asked for; `None` where no values do that."""
    if any(condition.parent not in o.values for o in having):
        return None
    missing = {identity(v): v for o in having if not condition.allows(v := o.values[condition.parent])}
    return Condition(condition.parent, condition.values + tuple(missing.values())) if missing else condition


def _hold(conditions: Sequence[Condition], observation: Observation) -> bool:
    return all(condition.holds(observation.values) for condition in conditions)


def _may_explain(parent: Hyperparameter, having: Sequence[Observation]) -> bool:
    return _can_be_parent(parent.domain) and all(parent.name in o.values for o in having)


def _guess(parent: Hyperparameter, having: Sequence[Observation]) -> Condition:
    values = {identity(o.values[parent.name]): o.values[parent.name] for o in having}
    return Condition(parent.name, tuple(values.values()))


def _explained(condition: Condition, lacking: Sequence[Observation]) -> int:
    """How many builds did without the child as they did without these values. On a tie, the first parent wins."""
    return sum(not condition.holds(o.values) for o in lacking)


def _filled(
    child: Hyperparameter,
    parent: Hyperparameter,
    others: Sequence[Condition],
    observations: Sequence[Observation],
) -> Condition:
    """The condition on `parent`, with a verdict on each of its values, the unseen ones too."""
    relevant = [o for o in observations if _hold(others, o)]
    states = _states(child, parent, relevant)
    fill = _between(states) if isinstance(parent.domain, Int) else [state is not False for state in states]
    return Condition(parent.name, tuple(v for v, state in zip(parent.domain.values(), fill, strict=True) if state))


def _states(child: Hyperparameter, parent: Hyperparameter, observations: Sequence[Observation]) -> list[bool | None]:
    """For each value of the parent: was the child asked for with it (once is enough)? `None` where nobody knows."""
    values = parent.domain.values()
    states: list[bool | None] = [None] * len(values)
    for observation in observations:
        if parent.name not in observation.values:
            continue
        index = find(values, observation.values[parent.name])
        asked = child.name in observation.values
        if index is not None and (asked or observation.complete):
            states[index] = asked or bool(states[index])
    return states


def _between(states: Sequence[bool | None]) -> list[bool]:
    """Unseen integers follow their seen neighbours, and are active where these disagree."""
    below = _last_seen(states)
    above = _last_seen(states[::-1])[::-1]
    return [bool(a) or bool(b) for a, b in zip(below, above, strict=True)]


def _last_seen(states: Sequence[bool | None]) -> list[bool | None]:
    seen: list[bool | None] = []
    for state in states:
        seen.append(state if state is not None else seen[-1] if seen else None)
    return seen
