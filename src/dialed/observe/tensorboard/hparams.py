"""The messages of TensorBoard's HParams page: one experiment, and each session's begin and end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dialed.observe.tensorboard.records import messages
from dialed.observe.text import format_value
from dialed.space import Hyperparameter, Space
from dialed.trial import Objective, State, Value, Values

__all__ = ["best_tag", "ended", "experiment", "started"]


def best_tag(objective: Objective) -> str:
    """The tag whose last point is a member's score."""
    return f"best/{objective.name}"


def experiment(space: Space, objective: Objective, metrics: Iterable[str], *, time: float) -> Any:
    """The whole space, and the metrics: the score first."""
    api = messages().api
    tags = [(best_tag(objective), f"{objective.name} (score)"), *((name, name) for name in sorted(metrics))]
    infos = [api.MetricInfo(name=api.MetricName(tag=tag), display_name=shown) for tag, shown in tags]
    found = api.Experiment(hparam_infos=[_info(each) for each in space], metric_infos=infos, time_created_secs=time)
    return _value(messages().metadata.EXPERIMENT_TAG, experiment=found)


def started(values: Values, space: Space, *, group: str, time: float) -> Any:
    """A session's values, and the group of those that it is to be averaged with."""
    plugin = messages().plugin
    info = plugin.SessionStartInfo(group_name=group, start_time_secs=time)
    for name, value in values.items():
        _set(info.hparams[name], value, _kind(space[name]) if name in space else _kind_of(value))
        if info.hparams[name].WhichOneof("kind") is None:
            del info.hparams[name]
    return _value(messages().metadata.SESSION_START_INFO_TAG, session_start_info=info)


def ended(state: State, *, time: float) -> Any:
    """How a session ended: failed, or well."""
    api, plugin = messages().api, messages().plugin
    status = api.STATUS_FAILURE if state is State.FAILED else api.STATUS_SUCCESS
    info = plugin.SessionEndInfo(status=status, end_time_secs=time)
    return _value(messages().metadata.SESSION_END_INFO_TAG, session_end_info=info)


def _value(tag: str, **content: Any) -> Any:
    of = messages()
    data = of.metadata.create_summary_metadata(of.plugin.HParamsPluginData(**content))
    return of.summary.Summary.Value(tag=tag, metadata=data, tensor=of.metadata.NULL_TENSOR)


def _info(hyperparameter: Hyperparameter) -> Any:
    api, domain = messages().api, hyperparameter.domain
    kind = _kind(hyperparameter)
    info = api.HParamInfo(name=hyperparameter.name, description=repr(domain), type=_types()[kind])
    low, high = getattr(domain, "min_value", None), getattr(domain, "max_value", None)
    if low is not None and high is not None:
        info.domain_interval.min_value, info.domain_interval.max_value = float(low), float(high)
    else:
        values = [value for value in domain.values() if value is not None]
        info.domain_discrete.extend([_plain(value, kind) for value in values])
    return info


def _types() -> dict[type, Any]:
    api = messages().api
    return {float: api.DATA_TYPE_FLOAT64, bool: api.DATA_TYPE_BOOL, str: api.DATA_TYPE_STRING}


def _kind(hyperparameter: Hyperparameter) -> type:
    """One of float, bool and str for all values of a hyperparameter: a column has one type, and there is none for ints."""
    domain = hyperparameter.domain
    if not domain.categorical:
        return float
    kinds = {_kind_of(value) for value in domain.values() if value is not None}
    return kinds.pop() if len(kinds) == 1 else str


def _kind_of(value: Value) -> type:
    return bool if isinstance(value, bool) else float if isinstance(value, int | float) else str


def _plain(value: Value, kind: type) -> Value:
    return format_value(value) if kind is str and not isinstance(value, str) else kind(value)


def _set(field: Any, value: Value, kind: type) -> None:
    """Write one value; one that is missing or not finite is left out."""
    if value is None or (kind is float and not (isinstance(value, int | float) and math.isfinite(value))):
        return
    name = {float: "number_value", bool: "bool_value", str: "string_value"}[kind]
    setattr(field, name, _plain(value, kind))
