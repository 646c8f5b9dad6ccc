"""A model of the objective that says where to look next."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dialed.errors import InvalidInputError
from dialed.search._candidates import Candidates, from_default, starts
from dialed.search._draws import drawn, nothing_left
from dialed.search._tried import Tried, recall, tried
from dialed.search.decisions import Decision, Finish
from dialed.search.history import History
from dialed.search.sobol import evenly
from dialed.space import Space
from dialed.trial import Values

if TYPE_CHECKING:
    from dialed.search.model.beliefs import Belief

__all__ = ["Bayesian"]

START = 6
"""Trials before the model is asked, the defaults among them."""

SHORT, SHORT_START = 15, 4
"""With a budget of fewer trials than the first, the model is asked after so many."""

LEAST = 3
"""Scores without which there is nothing to model."""

AT_ONCE = 64
"""Configurations that the model proposes in one decision; further places go to the evenly spread sequence."""


@dataclass(frozen=True, slots=True)
class Bayesian:
    """Fits a model to the results so far, and tries what promises the most by it.

    Choose it where a trial is expensive: a few dozen trials do what takes `Random` hundreds. After the defaults and a
    few evenly spread points, a Gaussian process predicts the loss of every configuration and how sure that is; what is
    tried next is likely to be better than the best, or unknown enough to be. Numbers, choices and conditions are
    modelled as what they are; running trials count as if their predictions had come true; failures teach it where
    trials fail, and a diverged loss does no harm. With thousands of quick trials, `Random` and `Sobol` decide faster.

    Args:
        start: Trials before the model is asked, the defaults among them. Defaults to None: 6, or 4 where `max_trials`
            is below 15, or up to 9 in a space with conditions.
        prior: Where you expect the best, by name. A value; a pair of a value and how far off the best may be, as a
            share of the range (0.25 where not given); or, for a choice, a mapping of values to weights. "defaults"
            takes every default for such a value. It fades with the number of trials, so a wrong one costs little.
            Defaults to None.
        default_first: Whether the default configuration goes first, as the baseline. Defaults to True.

    Raises:
        InvalidInputError: `start` is not a positive int, or `prior` not of that form.

    Example:
        >>> from dialed.space import Float, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("x", Float(-1.0, 1.0)), Hyperparameter("y", Float(-1.0, 1.0))])
        >>> history = simulate(Bayesian(), space, lambda v: (v["x"] - 0.3) ** 2 + v["y"] ** 2, max_trials=25)
        >>> history.best_trial.score < 0.001
        True

    References:
        Jones, Schonlau and Welch 1998, "Efficient global optimization of expensive black-box functions"; docs/strategies
        names what the parts were taken from.
    """

    _: KW_ONLY
    start: int | None = None
    prior: Mapping[str, Belief] | Literal["defaults"] | None = None
    default_first: bool = True

    def __post_init__(self) -> None:
        start = self.start
        if start is not None and (isinstance(start, bool) or not isinstance(start, int) or start < 1):
            raise InvalidInputError(
                f"The `start` of Bayesian must be an int in the range [1, inf), or None. Got {start!r}."
            )
        if self.prior is not None and self.prior != "defaults":
            _check_prior(self.prior)

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The first points of the sequence, and then what the model advises."""
        if free < 1:
            return []
        known = tried(space, history)
        chosen = self._chosen(known, history, rng, free)
        while len(chosen) < free and (keyed := drawn(known, chosen, history, rng)):
            chosen[keyed[0]] = keyed[1]
        return starts(chosen.values(), history) or [Finish(reason=nothing_left(known))]

    def _chosen(self, known: Tried, history: History, rng: np.random.Generator, free: int) -> dict[Hashable, Values]:
        from dialed.search.model.advice import read
        from dialed.search.model.beliefs import Beliefs
        from dialed.search.model.comparable import comparable
        from dialed.search.model.several import adviser_of, prior_of
        from dialed.search.model.threads import one_thread

        layout, evidence = read(known, history)
        evidence = comparable(evidence, history)
        prior = prior_of(history, layout, evidence)
        beliefs = None if self.prior is None or not layout.dimensions else Beliefs(layout, self.prior)

        def sequence() -> Iterator[Values]:
            moved = None if beliefs is None else (lambda point: beliefs.drawn(point[None, :])[0])
            even = evenly(known.space, history.terms.seed, moved=moved)
            return from_default(known.space, even, default_first=self.default_first)

        first = recall(history, "bayesian: start", known.space, self, lambda: Candidates(sequence()))
        start = self._start(known.space, history)
        if prior is not None and prior.agrees:
            start = min(start, LEAST)  # what it foretells takes the place of an even picture
        elif prior is not None:
            start += sum(trial.source == "enqueued" for trial in history.trials[: start + 1])
        missing = max(start - len(history), 0)
        if len(evidence.losses) < LEAST or missing >= free or not layout.size:
            return first.untried(known, free)
        chosen = first.untried(known, missing)
        asked = min(free - missing, AT_ONCE)
        with one_thread():
            adviser = adviser_of(layout, evidence, history, beliefs=beliefs, prior=prior)
            chosen |= adviser.advise(known, history, rng, asked)
        return chosen | _others(first, known, chosen, free - missing - asked)

    def _start(self, space: Space, history: History) -> int:
        if self.start is not None:
            return self.start
        most = history.terms.max_trials
        if most is not None and most < SHORT:
            return SHORT_START
        conditional = any(hyperparameter.conditions for hyperparameter in space)
        return max(START, 1 + min(8, len(space))) if conditional else START


def _others(first: Candidates, known: Tried, chosen: Mapping[Hashable, Values], count: int) -> dict[Hashable, Values]:
    """Further points of the sequence, for places that the model leaves."""
    if count < 1:
        return {}
    points = first.untried(known, count + len(chosen))
    left = {key: values for key, values in points.items() if key not in chosen}
    return dict(list(left.items())[:count])


def _check_prior(prior: object) -> None:
    if not isinstance(prior, Mapping) or not all(isinstance(name, str) for name in prior):
        raise InvalidInputError(
            f"The `prior` of Bayesian must be a mapping of names to values, 'defaults' or None. Got {prior!r}."
        )
    for name, belief in prior.items():
        if isinstance(belief, Mapping):
            _check_weights(name, belief)
        elif isinstance(belief, tuple) and not (len(belief) == 2 and _is_positive(belief[1])):
            raise InvalidInputError(
                f"The `prior` of `{name}` must be a value, or a pair of a value and a positive share of the range, "
                f"as in (0.001, 0.25). Got {belief!r}."
            )


def _check_weights(name: str, weights: Mapping[Any, Any]) -> None:
    fair = all(weight == 0 or _is_positive(weight) for weight in weights.values())
    if not fair or not any(weights.values()):
        raise InvalidInputError(
            f"The weights in the `prior` of `{name}` must be numbers in the range [0, inf), and one above 0. "
            f"Got {dict(weights)!r}."
        )


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
