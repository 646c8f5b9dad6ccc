"""Learning rates whose prior is a range test: it is run before the search, for each model that has such a rate."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dialed.space import Float, Hyperparameter, Space
from dialed.study.arguments import Prepared
from dialed.trial import Values

__all__ = ["with_priors"]

_log = logging.getLogger("dialed")

SEEDS = 3


def with_priors(prepared: Prepared, before: Mapping[str, Any] | None) -> Prepared:
    """`prepared` with a known prior for each hyperparameter that asks for a range test.

    The prior is where the test would search, and its suggestion is the default where the build function gives none. Where
    the test suggests nothing the range stays as it is, and the log says why.

    Args:
        prepared: What is about to be searched.
        before: The space of the study's last session, as JSON, whose priors are kept; `None` for a new study.

    Raises:
        InvalidInputError: The learning rate of such a model follows a schedule, or it has no weights to train.
    """
    asking = [h for h in prepared.space if isinstance(h.domain, Float) and h.domain.prior == "range_test"]
    if not asking:
        return prepared
    known = _known(before)
    found = {h.name: known.get(h.name) or _tested(prepared, h) for h in asking}
    changed = [Hyperparameter(h.name, found.get(h.name, h.domain), h.conditions) for h in prepared.space]
    return replace(prepared, space=Space(changed))


def _known(before: Mapping[str, Any] | None) -> dict[str, Float]:
    """The floats of an earlier space whose prior was found then."""
    space = Space() if before is None else Space.from_json(before)
    domains = {h.name: h.domain for h in space}
    return {name: d for name, d in domains.items() if isinstance(d, Float) and isinstance(d.prior, tuple)}


def _tested(prepared: Prepared, hyperparameter: Hyperparameter) -> Float:
    from dialed.tools.lr_range import range_test_of

    domain = hyperparameter.domain
    assert isinstance(domain, Float)
    values = _values_with(prepared.space, hyperparameter)
    test = range_test_of(prepared.recipe, prepared.data, values, seeds=_seeds(prepared))
    plain = Float(domain.min_value, domain.max_value, sampling=domain.sampling, default=domain.default)
    if test.suggestion is None or test.range is None:
        _log.warning("`%s` has no prior from a range test, because %s.", hyperparameter.name, test.reason)
        return plain
    low, high = (min(max(end, domain.min_value), domain.max_value) for end in test.range)
    if low >= high:
        _log.warning(
            "`%s` has no prior from a range test: that suggests %.2g to %.2g, outside of its range.",
            hyperparameter.name,
            *test.range,
        )
        return plain
    given = domain.default != domain.from_unit(0.0)
    suggested = min(max(test.suggestion, domain.min_value), domain.max_value)
    default = domain.default if given else suggested
    return Float(domain.min_value, domain.max_value, sampling=domain.sampling, default=default, prior=(low, high))


def _values_with(space: Space, hyperparameter: Hyperparameter) -> Values:
    """The defaults, but for what makes `hyperparameter` active."""
    forced: dict[str, Any] = {}
    waiting = [hyperparameter]
    while waiting:
        for condition in waiting.pop().conditions:
            if condition.parent not in forced:
                forced[condition.parent] = condition.values[0]
                waiting.append(space[condition.parent])
    return space.restrict(forced)


def _seeds(prepared: Prepared) -> tuple[int, ...]:
    from dialed.study.arguments import member_seeds

    return member_seeds(prepared.terms.seed, SEEDS)
