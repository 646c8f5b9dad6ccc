"""How many configurations a space has, exactly, without listing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from dialed.space._values import identity
from dialed.space.hyperparameter import Condition, Hyperparameter

__all__ = ["count"]

Met: TypeAlias = frozenset[Condition]
"""The conditions that hold so far, of those that a later hyperparameter still needs."""


def count(hyperparameters: Sequence[Hyperparameter]) -> int | None:
    """The number of configurations, or `None` where it is infinite.

    One pass: for each way in which the conditions of later hyperparameters can turn out, the number of configurations
    so far. Values of a parent that no condition tells apart are counted together. The work grows with the number of
    parents that are open at the same time, so each child is counted as soon as its parents are.
    """
    order = _children_early(hyperparameters)
    ways: Counter[Met] = Counter({frozenset(): 1})
    for index, hyperparameter in enumerate(order):
        later = {condition for other in order[index + 1 :] for condition in other.conditions}
        own = {condition for condition in later if condition.parent == hyperparameter.name}
        following: Counter[Met] = Counter()
        for met, number in ways.items():
            active = met.issuperset(hyperparameter.conditions)
            if active and hyperparameter.domain.size is None:
                return None
            kept = met & later
            for turned_out, values in _classes(hyperparameter, own) if active else ((frozenset(), 1),):
                following[kept | turned_out] += number * values
        ways = following
    return sum(ways.values())


def _classes(hyperparameter: Hyperparameter, own: set[Condition]) -> Iterator[tuple[Met, int]]:
    """The sets of its conditions that some value meets, each with the number of such values."""
    domain = hyperparameter.domain
    named = {identity(domain.cast(v)): v for c in own for v in c.values if domain.contains(v)}
    classes = Counter(frozenset(c for c in own if c.allows(value)) for value in named.values())
    yield from classes.items()
    others = (domain.size or 0) - len(named)
    if others:
        yield frozenset(), others


def _children_early(hyperparameters: Sequence[Hyperparameter]) -> list[Hyperparameter]:
    waiting: Mapping[str, Hyperparameter] = {h.name: h for h in hyperparameters}
    order: dict[str, Hyperparameter] = {}

    def place(hyperparameter: Hyperparameter) -> None:
        order[hyperparameter.name] = hyperparameter
        for other in waiting.values():
            parents = {condition.parent for condition in other.conditions}
            if other.name not in order and hyperparameter.name in parents and parents <= order.keys():
                place(other)

    for hyperparameter in hyperparameters:
        if hyperparameter.name not in order:
            place(hyperparameter)
    return list(order.values())
