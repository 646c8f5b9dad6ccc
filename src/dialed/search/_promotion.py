"""By what trials on a rung are compared: the loss there, the loss that it leads to, or all that the study is after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from dialed.errors import InvalidInputError
from dialed.search._rungs import known_losses
from dialed.search.history import History
from dialed.space import Space

__all__ = ["Promote", "check_promote", "worth_on"]

Promote: TypeAlias = Literal["loss", "prediction"]


def worth_on(
    rungs: tuple[int, ...], space: Space, history: History, *, promote: Promote, factor: int
) -> Mapping[int, Mapping[int, float]]:
    """What ranks trials on each rung, by its epochs and their numbers, the lowest first; nothing where their loss does."""
    if len(rungs) == 1 or (promote == "loss" and not history.terms.kept):
        return {}
    worth = _losses(rungs, history) if promote == "loss" else _foretold(rungs, space, history, factor)
    if not history.terms.kept:
        return worth
    from dialed.search._weighed import weighed

    return {rung: weighed(losses, history) for rung, losses in worth.items()}


def _losses(rungs: tuple[int, ...], history: History) -> dict[int, dict[int, float]]:
    known = {rung: known_losses(history.trials, rung, history.objective) for rung in rungs[:-1]}
    return {rung: {n: loss for n, loss in losses.items() if math.isfinite(loss)} for rung, losses in known.items()}


def _foretold(rungs: tuple[int, ...], space: Space, history: History, factor: int) -> dict[int, dict[int, float]]:
    from dialed.search.curves.sampler import record_of

    return record_of(space, history, rungs, factor).worth()


def check_promote(owner: str, promote: object) -> None:
    """Refuse what is not one of the two."""
    if promote not in get_args(Promote):
        raise InvalidInputError(f"The `promote` of {owner} must be 'loss' or 'prediction'. Got {promote!r}.")
