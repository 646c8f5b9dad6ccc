"""How two spaces become one, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dialed.errors import SpaceError
from dialed.space._values import find
from dialed.space.domains import Boolean, Choice, Domain, Float, Int
from dialed.space.hyperparameter import Condition, Hyperparameter

__all__ = ["differences", "either", "merged", "widened"]


def merged(mine: Sequence[Hyperparameter], theirs: Sequence[Hyperparameter]) -> list[Hyperparameter]:
    """All hyperparameters of both. One that is new stands behind the one it follows in `theirs`."""
    result = list(mine)
    shared = {hyperparameter.name for hyperparameter in theirs}
    place = next((i for i, old in enumerate(mine) if old.name in shared), len(mine))
    for new in theirs:
        known = next((i for i, old in enumerate(result) if old.name == new.name), None)
        if known is None:
            place = max([place, *_behind_parents(result, new)])
            result.insert(place, new)
            place += 1
        else:
            result[known] = _joined(result[known], new)
            place = known + 1
    return result


def _behind_parents(result: Sequence[Hyperparameter], new: Hyperparameter) -> list[int]:
    parents = {condition.parent for condition in new.conditions}
    return [i + 1 for i, old in enumerate(result) if old.name in parents]


def _joined(old: Hyperparameter, new: Hyperparameter) -> Hyperparameter:
    """A name without conditions in `new` keeps those it has: one build cannot tell what depends on what."""
    conditions = either(old.conditions, new.conditions) if new.conditions else old.conditions
    return Hyperparameter(old.name, widened(old.name, old.domain, new.domain), conditions)


def either(one: Iterable[Condition], other: Iterable[Condition]) -> tuple[Condition, ...]:
    """Conditions that hold whenever those of `one` or those of `other` do.

    An "or" over different parents cannot be written down; then the condition falls away: a hyperparameter that is
    sampled in vain costs less than one that is never sampled.
    """
    theirs = {condition.parent: condition for condition in other}
    joined = []
    for condition in one:
        if condition.parent in theirs:
            more = theirs[condition.parent].values
            extra = tuple(value for value in more if find(condition.values, value) is None)
            joined.append(Condition(condition.parent, condition.values + extra))
    return tuple(joined)


def widened(name: str, old: Domain, new: Domain) -> Domain:
    """A domain that holds the values of both; `old`'s default.

    Raises:
        SpaceError: No domain does.
    """
    if old.same_range(new) or isinstance(old, Boolean) and isinstance(new, Boolean):
        return old
    if isinstance(old, Choice) and isinstance(new, Choice):
        more = [value for value in new.choices if find(old.choices, value) is None]
        joined = [*old.choices, *more]
        return Choice(joined, ordered=old.ordered and new.ordered, default=old.default)
    if isinstance(old, Int) and isinstance(new, Int) and _alike(old, new):
        low, high = min(old.min_value, new.min_value), max(old.max_value, new.max_value)
        return Int(low, high, step=old.step, sampling=old.sampling, default=old.default)
    if isinstance(old, Float) and isinstance(new, Float) and _alike(old, new):
        bottom, top = min(old.min_value, new.min_value), max(old.max_value, new.max_value)
        return Float(bottom, top, step=old.step, sampling=old.sampling, default=old.default, prior=old.prior)
    raise SpaceError(
        f"`{name}` must be of one kind, with one `step` and one `sampling`, to be joined. Got {old!r} and {new!r}. "
        f"Use another name, or begin another study."
    )


def _alike(old: Int | Float, new: Int | Float) -> bool:
    return old.sampling == new.sampling and old.step == new.step


def differences(old: Mapping[str, Hyperparameter], new: Mapping[str, Hyperparameter]) -> list[str]:
    """One sentence for each thing that changed from `old` to `new`."""
    sentences = [f"`{name}` is gone; it was {old[name].domain!r}." for name in old if name not in new]
    for name, hyperparameter in new.items():
        if name not in old:
            sentences.append(f"`{name}` is new: {hyperparameter.domain!r}.")
            continue
        before = old[name]
        if before.domain != hyperparameter.domain:
            sentences.append(f"`{name}` was {before.domain!r} and is {hyperparameter.domain!r} now.")
        if before.conditions != hyperparameter.conditions:
            was, now = _spoken(before.conditions), _spoken(hyperparameter.conditions)
            sentences.append(f"`{name}` was active {was} and is active {now} now.")
    return sentences


def _spoken(conditions: Sequence[Condition]) -> str:
    return "while " + " and ".join(map(str, conditions)) if conditions else "always"
