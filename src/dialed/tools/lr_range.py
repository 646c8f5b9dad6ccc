"""The learning-rate range test: one short training in which the rate rises, and what its losses suggest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dialed.errors import InvalidInputError
from dialed.tools.given import (
    check_two_batches,
    data_for,
    log_interval,
    no_values_for_a_model,
    recipe_for,
    seeds_from,
    whole,
)
from dialed.tools.suggestions import SUGGESTIONS, NoSuggestion, smoothed, suggest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dialed.engine.data import Data
    from dialed.engine.recipe import Recipe
    from dialed.tools.sweep import Curves

__all__ = ["RangeTest", "lr_range_test", "range_test_of"]

Floats = NDArray[np.float64]

ENDS = {"learning_rate": (1e-6, 10.0), "weight_decay": (1e-6, 1.0)}
"""What is swept over where nothing is said."""

LEAST_STEPS = 20
STEPS, SMOOTHING, DEFAULT_BATCH = 120, 0.15, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest:
    """What a range test measured and suggests. `print` it for a table; `plot` draws it.

    Attributes:
        number: What was swept over: "learning_rate" unless said otherwise.
        values: Its values, rising, (steps,).
        losses: The exact loss of each batch before its step, (seeds, steps); NaN where the sweep had ended.
        validation: The validation loss along the way as (values, losses), (pieces,) each; `None` without such data.
        curve: The mean over the seeds, smooth, (steps,).
        suggestion: The value to take; `None` where nothing can be said.
        interval: The 95 % interval of the suggestion over the seeds; `None` with fewer than two of them.
        range: A range for a search: from the suggestion to a tenth of the value with the lowest loss, in order.
        suggestions: What each rule suggests, by name.
        reason: Why there is no suggestion; empty where there is one.
        batch_size: Samples of a batch. A suggestion holds for it.
        way: How it was trained.
    """

    number: str
    values: Floats = field(repr=False)
    losses: Floats = field(repr=False)
    validation: tuple[Floats, Floats] | None = field(repr=False)
    curve: Floats = field(repr=False)
    suggestion: float | None
    interval: tuple[float, float] | None
    range: tuple[float, float] | None
    suggestions: Mapping[str, float]
    reason: str
    batch_size: int
    way: str

    @property
    def table(self) -> list[dict[str, Any]]:
        """One row for each rule: `rule`, `value`, `loss` (of the smooth curve there)."""
        return [
            {"rule": name, self.number: value, "loss": float(self.curve[np.argmin(np.abs(self.values - value))])}
            for name, value in self.suggestions.items()
        ]

    def __str__(self) -> str:
        head = f"{self.number} from {self.values[0]:.2g} to {self.values[-1]:.2g}, {self._size()}"
        if self.suggestion is None:
            return f"{head}\nNo suggestion, because {self.reason}."
        lines = [head, f"Suggestion: {self.suggestion:.3g}{self._interval()}"]
        if self.range is not None:
            lines.append(f"Range for a search: {self.range[0]:.3g} to {self.range[1]:.3g}")
        width = max(len(name) for name in self.suggestions)
        lines += [f"  {row['rule']:<{width}}  {row[self.number]:<8.3g}  loss {row['loss']:.4g}" for row in self.table]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(row['rule'])}</td><td>{row[self.number]:.3g}</td><td>{row['loss']:.4g}</td></tr>"
            for row in self.table
        )
        first, *rest = str(self).splitlines()
        told = "<br>".join(escape(line) for line in [first, *rest[: 2 if self.suggestion else 1]])
        head = f"<tr><th>rule</th><th>{escape(self.number)}</th><th>loss</th></tr>"
        return f"<p>{told}</p>" + (f"<table>{head}{rows}</table>" if rows else "")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the losses over the values, the smooth curve, the suggestion and the range.

        Args:
            ax: Where to draw. Defaults to a new figure.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
        """
        from dialed.tools.pictures import draw_range_test

        return draw_range_test(self, ax)

    def _size(self) -> str:
        return f"{len(self.values)} batches of {self.batch_size}, {self.way}"

    def _interval(self) -> str:
        return "" if self.interval is None else f" (95 % interval {self.interval[0]:.2g} to {self.interval[1]:.2g})"


def lr_range_test(
    model_or_build: Any,
    x: Any,
    y: Any = None,
    *,
    low: float | None = None,
    high: float | None = None,
    steps: int = STEPS,
    sweep: Literal["exponential", "linear"] = "exponential",
    number: str = "learning_rate",
    batch_size: int = DEFAULT_BATCH,
    seeds: int = 3,
    seed: int = 0,
    smoothing: float = SMOOTHING,
    suggestion: str = "valley",
    values: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    validation_data: Any = None,
    validation_split: float = 0.0,
) -> RangeTest:
    """Train while the learning rate rises from batch to batch, and see where the loss falls and where it explodes.

    A few seconds tell which rates are worth a search. The suggestion of several seeds has an interval; with a build
    function and Keras on JAX they are lanes of one compiled program.

    Args:
        model_or_build: A build function `build(hp)`, which gets `values` or else its defaults, and builds one model for
            each seed; or a compiled model, which is left exactly as it was.
        x: Inputs, as `model.fit` takes them: arrays of shape (samples, ...), or a dataset.
        y: Targets, (samples, ...), where `x` does not hold them. Defaults to None.
        low: The first value. Defaults to 1e-6.
        high: The last value. Defaults to 10 for a learning rate, 1 for weight decay.
        steps: Batches to train on. Defaults to 120.
        sweep: "exponential" for equal factors between values, "linear" for equal steps. Defaults to "exponential".
        number: Which number of the optimizer rises: "weight_decay", "momentum", "beta_1", ... Defaults to
            "learning_rate".
        batch_size: Samples of a batch. Defaults to 32.
        seeds: How many trainings to average over. Defaults to 3.
        seed: Where the seeds come from. Defaults to 0.
        smoothing: How far neighbouring losses are averaged, in powers of ten of the value. Defaults to 0.15.
        suggestion: The rule to follow: "valley", "steepest", "slide" or "minimum/10". Defaults to "valley".
        values: Hyperparameters for the build function. Defaults to its defaults.
        sample_weight: How much each sample counts. Defaults to None.
        validation_data: What the validation loss is taken of, on at most 1,024 samples. Defaults to None.
        validation_split: The share of the samples at the end held out instead. Defaults to 0.

    Returns:
        The curves and what they suggest. A curve that says nothing is a result too: its `suggestion` is `None`, and
        `reason` says why.

    Raises:
        InvalidInputError: An argument cannot mean anything, or a schedule sets the learning rate.
        DataError: The data cannot be trained on.

    References:
        Smith (2017), "Cyclical learning rates for training neural networks". The rules are in `dialed.tools.suggestions`.
    """
    from dialed.tools.sweep import Plan

    swept = _values(number, low, high, steps, sweep)
    _check(suggestion, smoothing)
    drawn = seeds_from(seed, seeds)
    data = data_for(
        x,
        y,
        batch_size=batch_size,
        sample_weight=sample_weight,
        validation_data=validation_data,
        validation_split=validation_split,
    )
    plan = Plan(number=number, values=swept, batch_size=batch_size, smoothing=smoothing)
    curves = _curves(model_or_build, data, plan, drawn, dict(values or {}))
    return _result(plan.number, swept, curves, smoothing, suggestion, batch_size)


def range_test_of(recipe: Recipe, data: Data, values: Mapping[str, Any], *, seeds: Sequence[int]) -> RangeTest:
    """The test of `lr_range_test`, as it is by default, of the models that a search would train with `values`.

    Raises:
        InvalidInputError: A schedule sets the learning rate, or there are no weights to train.
    """
    from dialed.tools.sweep import Plan, sweep_build

    asked = values.get("batch_size", recipe.arguments.get("batch_size"))
    batch_size = asked if isinstance(asked, int) else DEFAULT_BATCH
    check_two_batches(data, batch_size)
    swept = _values("learning_rate", None, None, STEPS, "exponential")
    plan = Plan(number="learning_rate", values=swept, batch_size=batch_size, smoothing=SMOOTHING)
    curves = sweep_build(recipe, data, plan, seeds, dict(values))
    return _result("learning_rate", swept, curves, SMOOTHING, "valley", batch_size)


def _curves(model_or_build: Any, data: Any, plan: Any, seeds: tuple[int, ...], values: dict[str, Any]) -> Curves:
    import keras

    from dialed.tools.sweep import sweep_build, sweep_model

    if isinstance(model_or_build, keras.Model):
        no_values_for_a_model(values)
        return sweep_model(model_or_build, data, plan, seeds)
    return sweep_build(recipe_for(model_or_build, data, plan.batch_size), data, plan, seeds, values)


def _result(number: str, values: Floats, curves: Curves, smoothing: float, rule: str, batch_size: int) -> RangeTest:
    curve = _smooth(values, curves.losses, smoothing)
    found: dict[str, float] = {}
    reason = ""
    try:
        found = {name: point.value for name, point in suggest(values, curve, _noise(curves.losses, curve)).items()}
    except NoSuggestion as error:
        reason = str(error)
    chosen = found.get(rule)
    return RangeTest(
        number=number,
        values=values,
        losses=curves.losses,
        validation=_validation(values, curves),
        curve=curve,
        suggestion=chosen,
        interval=None if chosen is None else _interval(values, curves.losses, smoothing, rule),
        range=None if chosen is None else _range(found),
        suggestions=found,
        reason=reason,
        batch_size=batch_size,
        way=curves.way,
    )


def _smooth(values: Floats, losses: Floats, smoothing: float) -> Floats:
    """The smooth mean over the seeds, infinite from where the first of them is not finite."""
    mean = losses.mean(axis=0)
    return np.where(np.isfinite(mean), smoothed(values, mean, smoothing), np.inf)


def _noise(losses: Floats, curve: Floats) -> float:
    """The standard deviation of the mean losses around the curve, before it turns up for good."""
    mean, until = losses.mean(axis=0), int(np.nanargmin(curve)) + 1 if np.isfinite(curve).any() else 0
    return float(np.std((mean - curve)[:until])) if until else 0.0


def _interval(values: Floats, losses: Floats, smoothing: float, rule: str) -> tuple[float, float] | None:
    """The interval of the mean of the seeds' own suggestions, inside of what was swept over."""
    own = []
    for row in losses:
        try:
            own.append(suggest(values, _smooth(values, row[None], smoothing))[rule].value)
        except NoSuggestion:
            continue
    found = log_interval(own)
    return None if found is None else (max(found[0], float(values[0])), min(found[1], float(values[-1])))


def _range(found: Mapping[str, float]) -> tuple[float, float]:
    ends = sorted((found["valley"], found["minimum/10"]))
    if ends[1] < 3 * ends[0]:  # a range must leave something to search
        middle = math.sqrt(ends[0] * ends[1])
        return middle / 3, middle * 3
    return ends[0], ends[1]


def _validation(values: Floats, curves: Curves) -> tuple[Floats, Floats] | None:
    if curves.judged is None:
        return None
    edges = np.unique(np.linspace(0, len(values), curves.judged.shape[1] + 1).astype(int))[1:]
    return values[edges - 1], curves.judged.mean(axis=0)


def _values(number: str, low: float | None, high: float | None, steps: int, sweep: str) -> Floats:
    ends = ENDS.get(number, (None, None))
    first, last = low if low is not None else ends[0], high if high is not None else ends[1]
    if first is None or last is None:
        raise InvalidInputError(f"`low` and `high` must say what to sweep `{number}` over. Got {low!r} and {high!r}.")
    if not 0 < first < last < math.inf:
        raise InvalidInputError(f"`low` and `high` must be finite, with 0 < low < high. Got {first!r} and {last!r}.")
    whole("steps", steps, least=LEAST_STEPS)
    match sweep:
        case "exponential":
            return np.geomspace(first, last, steps)
        case "linear":
            return np.linspace(first, last, steps)
        case _:
            raise InvalidInputError(f'`sweep` must be "exponential" or "linear". Got {sweep!r}.')


def _check(suggestion: str, smoothing: float) -> None:
    if suggestion not in SUGGESTIONS:
        raise InvalidInputError(f"`suggestion` must be one of {', '.join(SUGGESTIONS)}. Got {suggestion!r}.")
    if not 0 <= smoothing < math.inf:
        raise InvalidInputError(f"`smoothing` must be a finite number of decades, 0 or more. Got {smoothing!r}.")
