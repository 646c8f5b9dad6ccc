"""Going on from a state with other values: what is copied, and what the new values decide.

Weights, the state of the optimizer, random generators and what callbacks remember are copied. A number that the values
decide when a model is built, and that lies in the state (the learning rate is a variable), is taken from the new ones.
Which numbers those are is not declared anywhere: the model is built with the old and with the new values, and what
differs before any training is what the values decide. What training itself has changed since, and the values do not
decide, is kept: a rate that a callback reduced stays reduced where the values did not change it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dialed.engine.assignment import Assignment
from dialed.engine.building import ensure_built, values_without_compiling
from dialed.engine.failures import MemberFailed
from dialed.engine.packing import Arrays
from dialed.engine.recipe import Realised, Recipe
from dialed.engine.seeding import seeded
from dialed.engine.state import Snapshot, Unusable, callback_states, check_fits, scalars
from dialed.trial import Cause, Member, Values

__all__ = ["taken_over", "with_values"]


def taken_over(snapshot: Snapshot, assignment: Assignment, member: Member) -> Snapshot:
    """The state that `member` goes on from, where `snapshot` was trained with `member.before`.

    Its best epoch is yet to come: what counted for the other trial does not count for this one.

    Raises:
        MemberFailed: The state is not one of a model with the member's values, or that cannot be built.
    """
    if member.before is None:
        return snapshot
    fold = assignment.data.fold(member.key.fold)

    def build(realised: Realised) -> None:
        ensure_built(realised.model, fold, realised.arguments.get("batch_size"))

    return with_values(
        snapshot, member.values, before=member.before, recipe=assignment.recipe, seed=member.key.seed, build=build
    )


def with_values(
    snapshot: Snapshot,
    values: Values,
    *,
    before: Values,
    recipe: Recipe,
    seed: int,
    build: Callable[[Realised], object],
) -> Snapshot:
    """`snapshot`, which was trained with the values `before`, as the state to go on from with `values`.

    Args:
        snapshot: Of a training between two epochs.
        values: What holds from now on.
        before: What held until now.
        recipe: How models are made of both.
        seed: Under which seed.
        build: Gives a model that waits for its first batch its variables.

    Raises:
        MemberFailed: The state is not one of a model with `values`, or that cannot be built.
    """
    with values_without_compiling():  # these models are looked at, not trained
        old, new = (_built(recipe, each, seed, build) for each in (before, values))
    try:
        check_fits(snapshot, new.model)
    except Unusable as misfit:
        raise MemberFailed(Cause.MISFIT, _misfit(before, values, str(misfit))) from misfit
    past, now = scalars(old.model), scalars(new.model)
    decided = {name: value for name, value in now.items() if name in past and not np.array_equal(value, past[name])}
    arrays = {**snapshot.arrays, **{name: value.astype(snapshot.arrays[name].dtype) for name, value in decided.items()}}
    meta = {**snapshot.meta, "best_score": None, "best_epoch": snapshot.meta["epoch"]}
    meta["callbacks"] = _without(snapshot.meta["callbacks"], _decided_of_callbacks(old, new))
    return replace(snapshot, arrays=arrays, meta=meta)


def _built(recipe: Recipe, values: Values, seed: int, build: Callable[[Realised], object]) -> Realised:
    with seeded(seed):
        realised = recipe.realise(values, seed)
        build(realised)
    return realised


def _decided_of_callbacks(old: Realised, new: Realised) -> list[tuple[str, frozenset[str]]]:
    """For each callback its class, and those of its attributes that the values decide."""
    states: list[list[Any]] = []
    arrays: list[Arrays] = [{}, {}]
    for realised, found in zip((old, new), arrays, strict=True):
        states.append(callback_states(realised.arguments.get("callbacks") or (), found))
    return [
        (kind, frozenset(name for name in state if not _same(i, name, before, state, arrays)))
        for i, ((_, before), (kind, state)) in enumerate(zip(*states, strict=False))
    ]


def _same(index: int, name: str, before: Any, now: Any, arrays: list[Arrays]) -> bool:
    prefix = f"callback/{index}/{name}"
    held = [{key: array for key, array in found.items() if key.startswith(prefix)} for found in arrays]
    equal = held[0].keys() == held[1].keys() and all(np.array_equal(held[0][k], held[1][k]) for k in held[0])
    return equal and before.get(name) == now[name]


def _without(states: list[Any], decided: list[tuple[str, frozenset[str]]]) -> list[Any]:
    """The saved states without what the new values decide. Callbacks are told apart as when they are restored."""
    waiting, kept = list(decided), []
    for kind, state in states:
        match = next((item for item in waiting if item[0] == kind), None)
        if match is not None:
            waiting.remove(match)
        names = frozenset() if match is None else match[1]
        kept.append([kind, {name: packed for name, packed in state.items() if name not in names}])
    return kept


def _misfit(before: Values, now: Values, reason: str) -> str:
    changed = [name for name in now if now[name] != before.get(name)]
    return (
        f"Only hyperparameters that leave the shapes of a model as they are can change while it is trained. "
        f"{', '.join(f'`{n}` went from {before.get(n)} to {now[n]}' for n in changed)}. {reason}"
    )
