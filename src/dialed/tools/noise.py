"""The gradient noise scale: how much batches differ, and from which batch size on a larger one is a waste."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dialed.errors import InvalidInputError
from dialed.tools.given import data_for, log_interval, no_values_for_a_model, recipe_for, seeds_from, whole

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes

    from dialed.engine.data import Data
    from dialed.tools.gradients import GradientSums

__all__ = ["NoiseScale", "noise_scale"]

Floats = NDArray[np.float64]

LEAST_BATCHES = 8
"""Fewer gradients do not tell the noise from the signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseScale:
    """The noise of a model's gradients. `print` it for a table; `plot` draws what a batch size costs.

    Attributes:
        value: The gradient noise scale in samples, which is the critical batch size; `None` where nothing can be said.
        interval: Its 95 % interval over the seeds; `None` with fewer than two of them.
        suggestion: The power of two nearest to `value`; `None` where nothing can be said.
        range: Batch sizes worth a search: from a quarter of `value` up to it.
        epochs: After how many epochs the gradients were looked at, (looks,). The last look gives `value`.
        signal: The squared norm of the true gradient, (seeds, looks).
        noise: The variance of single samples' gradients, summed over the weights, (seeds, looks).
        reason: Why there is no value; empty where there is one.
        batch_size: Samples of the batches whose gradients were compared.
        batches: How many of them.
    """

    value: float | None
    interval: tuple[float, float] | None
    suggestion: int | None
    range: tuple[int, int] | None
    epochs: tuple[int, ...]
    signal: Floats = field(repr=False)
    noise: Floats = field(repr=False)
    reason: str
    batch_size: int
    batches: int

    @property
    def table(self) -> list[dict[str, Any]]:
        """One row for each look: `epoch`, `signal`, `noise`, `scale` (`None` where the signal drowns)."""
        return [
            {"epoch": epoch, "signal": float(signal), "noise": float(noise), "scale": _ratio(signal, noise)}
            for epoch, signal, noise in zip(self.epochs, self.signal.mean(axis=0), self.noise.mean(axis=0), strict=True)
        ]

    def __str__(self) -> str:
        head = f"Gradient noise from {self.batches} batches of {self.batch_size}, {len(self.signal)} seeds"
        if self.value is None:
            return f"{head}\nNo noise scale, because {self.reason}."
        shown = "" if self.interval is None else f" (95 % interval {self.interval[0]:.3g} to {self.interval[1]:.3g})"
        lines = [head, f"Noise scale, the critical batch size: {self.value:.3g}{shown}"]
        if self.range is not None:
            lines.append(f"Batch sizes for a search: {self.range[0]} to {self.range[1]}")
        lines.append("  epochs  signal     noise      scale")
        lines += [
            f"  {r['epoch']:<6}  {r['signal']:<9.3g}  {r['noise']:<9.3g}  {_shown(r['scale'])}" for r in self.table
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from dialed.tools.pages import lines_and_table

        said = str(self).splitlines()[: 3 if self.value is not None else 2]
        return lines_and_table(said, [{**row, "scale": _shown(row["scale"])} for row in self.table])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw what each batch size costs in steps and in samples, with the critical one.

        Args:
            ax: Where to draw. Defaults to a new figure.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
            InvalidInputError: There is no noise scale to draw.
        """
        from dialed.tools.pictures import draw_noise_scale

        if self.value is None:
            raise InvalidInputError(f"A plot needs a noise scale. There is none, because {self.reason}.")
        return draw_noise_scale(self, ax)


def noise_scale(
    model_or_build: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int = 16,
    batches: int = 128,
    epochs: int | None = None,
    train_batch_size: int = 32,
    seeds: int = 3,
    seed: int = 0,
    values: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
) -> NoiseScale:
    """Measure how noisy gradients are: far below the noise scale a larger batch is as good as more steps, far above a waste.

    The scale grows as a model learns, so it is looked at before training and after some. It says nothing of how well
    large batches generalise, and nothing of memory or speed: for these see `dialed.find_batch_size`.

    Args:
        model_or_build: A build function `build(hp)`, one model for each seed; or a compiled model, which is looked at as
            it is, and left so.
        x: Inputs, as `model.fit` takes them.
        y: Targets, where `x` does not hold them. Defaults to None.
        batch_size: Samples of the batches that are compared; those of a dataset are its own. Defaults to 16.
        batches: How many of them at most. Defaults to 128.
        epochs: How long to train a built model, by its own optimizer. Defaults to 1.
        train_batch_size: Samples of the batches of that training. Defaults to 32.
        seeds: How many models, or draws of batches. Defaults to 3.
        seed: Where the seeds come from. Defaults to 0.
        values: Hyperparameters for the build function. Defaults to its defaults.
        sample_weight: How much each sample counts. Defaults to None.

    Returns:
        The scale, with its interval. Where the gradient drowns in its noise, `value` is `None` and `reason` says so.

    Raises:
        InvalidInputError: An argument cannot mean anything.
        DataError: The data cannot be trained on.

    References:
        McCandlish and others 2018, "An empirical model of large-batch training", appendix A.
    """
    import keras

    whole("batches", batches, least=LEAST_BATCHES)
    drawn = seeds_from(seed, seeds)
    data = data_for(x, y, batch_size=batch_size, sample_weight=sample_weight)
    count = _count(data, batch_size, batches)
    if isinstance(model_or_build, keras.Model):
        no_values_for_a_model(dict(values or {}))
        if epochs:
            raise InvalidInputError(
                f"`epochs` must come with a build function: a model is not trained. Got {epochs!r}."
            )
        looks = [[_of_model(model_or_build, data, batch_size, count, seed)] for seed in drawn]
        return _result(looks, (0,), batch_size, count)
    trained = whole("epochs", 1 if epochs is None else epochs, least=0)
    whole("train_batch_size", train_batch_size)
    plan = _Plan(batch_size=batch_size, batches=count, epochs=trained, train_batch_size=train_batch_size)
    looks = [_of_build(model_or_build, data, plan, seed, dict(values or {})) for seed in drawn]
    return _result(looks, tuple(range(trained + 1)), batch_size, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    batch_size: int
    batches: int
    epochs: int
    train_batch_size: int


def _count(data: Data, batch_size: int, most: int) -> int:
    """How many batches are compared: no sample counts twice."""
    samples = data.fold(0).samples
    count = most if samples is None or data.kind != "arrays" else min(most, samples // batch_size)
    if count < LEAST_BATCHES:
        raise InvalidInputError(
            f"`batch_size` must leave at least {LEAST_BATCHES} batches to compare. Got {batch_size} for {samples} samples. "
            "Pass a smaller one."
        )
    return count


def _of_build(build: Any, data: Data, plan: _Plan, seed: int, values: dict[str, Any]) -> list[GradientSums]:
    """The looks at one model, before each epoch and after the last."""
    from dialed.engine.building import ensure_built
    from dialed.engine.seeding import seeded
    from dialed.tools.sweep import left_as_it_was

    fold = data.fold(0)
    with seeded(seed):
        model = recipe_for(build, data, plan.train_batch_size).realise(values, seed).model
        ensure_built(model, fold, plan.train_batch_size)
        looker = _Looker(model, data, plan.batch_size, plan.batches)
        looks = []
        for epoch in range(plan.epochs + 1):
            with left_as_it_was(model):
                looks.append(looker.look())
            if epoch < plan.epochs:
                sizes = {"batch_size": plan.train_batch_size} if data.kind == "arrays" else {}
                model.fit(fold.x, fold.y, sample_weight=fold.sample_weight, verbose=0, **sizes)
    return looks


def _of_model(model: keras.Model, data: Data, batch_size: int, batches: int, seed: int) -> GradientSums:
    from dialed.engine.building import ensure_built
    from dialed.engine.recipe import check_compiled
    from dialed.engine.seeding import seeded
    from dialed.tools.sweep import left_as_it_was

    check_compiled(model)
    ensure_built(model, data.fold(0), batch_size)
    with left_as_it_was(model), seeded(seed):
        return _Looker(model, data, batch_size, batches).look()


class _Looker:
    """Looks at the gradients of a model on so many fresh batches."""

    def __init__(self, model: keras.Model, data: Data, batch_size: int, batches: int) -> None:
        from dialed.tools.gradients import Gradients
        from dialed.tools.numbers import check_trainable

        check_trainable(model)
        self._gradients = Gradients(model)
        self._data, self._batch_size, self._batches = data, batch_size, batches

    def look(self) -> GradientSums:
        from dialed.tools.sweep import full_batches

        drawn = full_batches(self._data, self._batch_size, drop_first=False)
        return self._gradients.of(itertools.islice(drawn, self._batches))


def separated(sums: GradientSums, batch_size: int) -> tuple[float, float]:
    """The squared norm of the true gradient, and the variance of a sample's: without bias, so the first may be negative.

    A batch's gradient has the squared norm `signal + noise / batch_size` on average. Two batch sizes tell the two apart:
    that of the batches, and that of all of them together.
    """
    small, large = batch_size, batch_size * sums.batches
    signal = (large * sums.of_all - small * sums.of_batches) / (large - small)
    noise = (sums.of_batches - sums.of_all) / (1 / small - 1 / large)
    return signal, noise


def _result(
    looks: Sequence[Sequence[GradientSums]], epochs: tuple[int, ...], batch_size: int, batches: int
) -> NoiseScale:
    parts = np.array([[separated(sums, batch_size) for sums in row] for row in looks])
    signal, noise = parts[..., 0], parts[..., 1]
    value = _ratio(signal[:, -1].mean(), noise[:, -1].mean())
    own = [_ratio(s, n) for s, n in zip(signal[:, -1], noise[:, -1], strict=True)]
    known = [scale for scale in own if scale is not None]
    power = None if value is None else 2 ** max(0, round(math.log2(value)))
    return NoiseScale(
        value=value,
        interval=log_interval(known) if value is not None and len(known) == len(own) else None,
        suggestion=power,
        range=None if power is None else (max(1, power // 4), power),
        epochs=epochs,
        signal=signal,
        noise=noise,
        reason="" if value is not None else _reason(float(signal[:, -1].mean()), float(noise[:, -1].mean())),
        batch_size=batch_size,
        batches=batches,
    )


def _ratio(signal: float, noise: float) -> float | None:
    if not (math.isfinite(signal) and math.isfinite(noise)) or signal <= 0 or noise <= 0:
        return None
    return float(noise / signal)


def _reason(signal: float, noise: float) -> str:
    if not math.isfinite(signal) or not math.isfinite(noise):
        return "the gradients are not finite: look at the data, the loss and the learning rate"
    if noise <= 0:
        return "all batches have the same gradient: are the samples copies of each other?"
    return "the gradient cannot be told from its noise: take more or larger batches, or look at an earlier epoch"


def _shown(scale: float | None) -> str:
    return "too noisy" if scale is None else f"{scale:.3g}"
