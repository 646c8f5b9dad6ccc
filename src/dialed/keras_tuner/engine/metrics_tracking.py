"""What trials measured, and which way is better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from dialed.engine.objective import direction_of

__all__ = ["MetricHistory", "MetricObservation", "MetricsTracker", "infer_metric_direction"]


_SHORT = ("acc", "bce", "ce", "crossentropy", "kld", "loss", "mae", "mape", "mse", "msle")
"""Names in logs, and Keras's short forms."""


class MetricObservation:
    """The values of a metric at one step, one for each execution.

    Args:
        value: A value, or a list of them.
        step: The step, such as the number of the epoch.
    """

    def __init__(self, value: Any, step: int) -> None:
        self.value: list[float] = list(value) if isinstance(value, list) else [value]
        self.step = step

    def append(self, value: Any) -> None:
        """Add the value of another execution, or several."""
        self.value += value if isinstance(value, list) else [value]

    def mean(self) -> float:
        """The mean over the executions."""
        return float(np.mean(self.value))

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again."""
        return {"value": self.value, "step": self.step}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The observation whose `get_config` this is."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetricObservation) and (other.value, other.step) == (self.value, self.step)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"MetricObservation(value={self.value}, step={self.step})"


class MetricHistory:
    """The values of one metric over the steps.

    Args:
        direction: Which way is better: "min" or "max". Defaults to "min".

    Raises:
        ValueError: `direction` is neither.
    """

    def __init__(self, direction: str = "min") -> None:
        if direction not in ("min", "max"):
            raise ValueError(f"`direction` should be one of 'min' and 'max'. Got {direction!r}.")
        self.direction = direction
        self._observations: dict[int, MetricObservation] = {}

    def update(self, value: Any, step: int) -> None:
        """Add the value of one execution, or a list of several, at a step."""
        if step in self._observations:
            self._observations[step].append(value)
        else:
            self._observations[step] = MetricObservation(value, step)

    def get_best_value(self) -> float | None:
        """The best mean of any step; `None` without any."""
        values = [observation.mean() for observation in self._observations.values()]
        if not values or np.isnan(values).all():
            return float("nan") if values else None
        return float(np.nanmin(values) if self.direction == "min" else np.nanmax(values))

    def get_best_step(self) -> int | None:
        """The step of the best value; `None` without any."""
        best = self.get_best_value()
        return next((o.step for o in self._observations.values() if o.mean() == best), None)

    def get_history(self) -> list[MetricObservation]:
        """All observations, by step."""
        return sorted(self._observations.values(), key=lambda observation: observation.step)

    def set_history(self, observations: Iterable[MetricObservation]) -> None:
        """Add observations."""
        for observation in observations:
            self.update(observation.value, step=observation.step)

    def get_statistics(self) -> dict[str, float]:
        """Smallest, largest, mean, median, variance and standard deviation over the steps; empty without any."""
        values = [observation.mean() for observation in self.get_history()]
        names = ("min", "max", "mean", "median", "var", "std")
        return {name: float(getattr(np, f"nan{name}")(values)) for name in names} if values else {}

    def get_last_value(self) -> float | None:
        """The mean of the last step; `None` without any."""
        history = self.get_history()
        return history[-1].mean() if history else None

    def get_config(self) -> dict[str, Any]:
        """Direction and observations as JSON types."""
        return {"direction": self.direction, "observations": [o.get_config() for o in self.get_history()]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The history whose `get_config` this is."""
        history = cls(config["direction"])
        history.set_history(MetricObservation.from_config(o) for o in config["observations"])
        return history


class MetricsTracker:
    """The histories of all metrics of a trial.

    Args:
        metrics: Metric objects to begin with. Defaults to none.
    """

    def __init__(self, metrics: Sequence[Any] | None = None) -> None:
        self.metrics: dict[str, MetricHistory] = {}
        self.register_metrics(metrics)

    def exists(self, name: str) -> bool:
        """Whether there is a metric of that name."""
        return name in self.metrics

    def register_metrics(self, metrics: Sequence[Any] | None = None) -> None:
        """Add metric objects under their names."""
        for metric in metrics or ():
            self.register(metric.name)

    def register(self, name: str, direction: str | None = None) -> None:
        """Add a metric. Its direction is inferred from its name; "min" where that says nothing.

        Raises:
            ValueError: There is one of that name.
        """
        if self.exists(name):
            raise ValueError(f"`name` must be new. Metric already exists: {name}.")
        self.metrics[name] = MetricHistory(direction or infer_metric_direction(name) or "min")

    def update(self, name: str, value: Any, step: int = 0) -> bool:
        """Add a value, and return whether the best one changed. A metric that is not there is registered."""
        if not self.exists(name):
            self.register(name)
        before = self.metrics[name].get_best_value()
        self.metrics[name].update(float(value), step=step)
        return self.metrics[name].get_best_value() != before

    def get_history(self, name: str) -> list[MetricObservation]:
        """All observations of a metric, by step."""
        return self._known(name).get_history()

    def set_history(self, name: str, observations: Iterable[MetricObservation]) -> None:
        """Add observations of a metric. One that is not there is registered."""
        if not self.exists(name):
            self.register(name)
        self.metrics[name].set_history(observations)

    def get_best_value(self, name: str) -> float | None:
        """The best mean of any step; `None` without any."""
        return self._known(name).get_best_value()

    def get_best_step(self, name: str) -> int | None:
        """The step of the best value; `None` without any."""
        return self._known(name).get_best_step()

    def get_statistics(self, name: str) -> dict[str, float]:
        """What `MetricHistory.get_statistics` says of a metric."""
        return self._known(name).get_statistics()

    def get_last_value(self, name: str) -> float | None:
        """The mean of the last step; `None` without any."""
        return self._known(name).get_last_value()

    def get_direction(self, name: str) -> str:
        """Which way is better for a metric."""
        return self._known(name).direction

    def get_config(self) -> dict[str, Any]:
        """All metrics as JSON types."""
        return {"metrics": {name: history.get_config() for name, history in self.metrics.items()}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The tracker whose `get_config` this is."""
        tracker = cls()
        tracker.metrics = {name: MetricHistory.from_config(c) for name, c in config["metrics"].items()}
        return tracker

    def _known(self, name: str) -> MetricHistory:
        if name not in self.metrics:
            raise ValueError(f"`name` must be one of {list(self.metrics)}. Unknown metric: {name}.")
        return self.metrics[name]


def infer_metric_direction(metric: Any) -> str | None:
    """Which way is better for a metric of Keras: its name, its function, its class or an object of it.

    Returns:
        "min", "max", or `None` where nobody knows.
    """
    if isinstance(metric, str):
        name = metric.removeprefix("val_").removeprefix("weighted_")
        return _by_name(name)
    own = getattr(metric, "__name__", None) or type(metric).__name__
    if own == "MeanMetricWrapper":
        own = metric._fn.__name__
    return direction_of(_snake_case(own), [metric]) or _by_name(own)


def _by_name(name: str) -> str | None:
    """By the name itself, as in logs or as a class; what else Keras has of that name is an error, so "min"."""
    name = name.lower() if name.isupper() else name  # "MAE", as Keras takes it too
    known = direction_of(name) or direction_of(_snake_case(name)) if _is_keras(name) or name in _SHORT else None
    return known or ("min" if _is_keras(name) else None)


def _is_keras(name: str) -> bool:
    """Whether Keras has a metric or a loss of that name."""
    import keras

    numberless = re.sub(r"_\d+$", "", name)
    classes = {_snake_case(own) for own in (*dir(keras.metrics), *dir(keras.losses))}
    return numberless in classes or any(hasattr(home, name) for home in (keras.metrics, keras.losses))


def _snake_case(name: str) -> str:
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
