"""`find_batch_size`: the largest batch that fits, the smallest that is as fast, and the one to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dialed.errors import InvalidInputError
from dialed.tools.batches.ladder import Ladder, Rung, climb, knee, speed
from dialed.tools.given import data_for, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dialed.engine.data import Data
    from dialed.tools.batches.bench import ProcessBench
    from dialed.tools.batches.child import Load

__all__ = ["BatchSizes", "find_batch_size"]

MOST = 65_536
"""No batch is larger where nothing is said: by then any device is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSizes:
    """What batch sizes cost. `print` it for a table; `plot` draws the throughput.

    Attributes:
        suggestion: The smallest batch within 5 % of the best throughput, and not above the noise scale; `None` where
            nothing fits.
        range: Batch sizes worth a search: from a quarter of the suggestion up to it.
        largest: The largest batch that fits, verified by one training and one validation step in a fresh process.
        is_all: Whether `largest` is the largest that was asked about, so that memory sets no limit.
        fastest: The smallest batch within 5 % of the best throughput, whatever the noise scale.
        noise_scale: What it was capped by, in samples; `None` where nothing is known.
        rungs: The sizes that were timed, rising.
        samples: Samples of an epoch.
        way: How it was found, for people; with the reasons for what could not be.
    """

    suggestion: int | None
    range: tuple[int, int] | None
    largest: int | None
    is_all: bool
    fastest: int | None
    noise_scale: float | None
    rungs: Sequence[Rung] = field(repr=False)
    samples: int
    way: str

    @property
    def table(self) -> list[dict[str, Any]]:
        """One row a size: `batch_size`, `seconds_per_epoch`, `samples_per_second`, `megabytes` (`None`: not known)."""
        return [
            {
                "batch_size": rung.size,
                "seconds_per_epoch": self.samples / speed(rung),
                "samples_per_second": speed(rung),
                "megabytes": None if rung.bytes is None else rung.bytes / 2**20,
            }
            for rung in self.rungs
        ]

    def __str__(self) -> str:
        lines = [*self._said(), "  batch size  s/epoch   samples/s   MB"]
        for row in self.table:
            memory = "" if row["megabytes"] is None else f"{row['megabytes']:,.1f}"
            lines.append(
                f"  {row['batch_size']:<10}  {row['seconds_per_epoch']:<8.3g}  {row['samples_per_second']:<10,.0f}  {memory}"
            )
        return "\n".join(lines) if self.rungs else "\n".join(lines[:-1])

    def _said(self) -> list[str]:
        if self.suggestion is None:
            return [f"No batch size fits. {self.way}"]
        why = f"throughput is near its best from {self.fastest} on"
        if self.suggestion != self.fastest:
            why += f", and the noise scale of {self.noise_scale:.3g} says that so much is not needed"
        bound = " (the largest asked about)" if self.is_all else ""
        return [
            f"Batch size: {self.suggestion} ({why})",
            f"Largest that fits: {self.largest}{bound}",
            self.way,
        ]

    def _repr_html_(self) -> str:
        from dialed.tools.pages import lines_and_table

        return lines_and_table(self._said(), self.table)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the throughput over the batch size, with the suggestion.

        Args:
            ax: Where to draw. Defaults to a new figure.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
            InvalidInputError: Nothing fits, so there is nothing to draw.
        """
        from dialed.tools.pictures import draw_batch_sizes

        if not self.rungs:
            raise InvalidInputError("A plot needs a batch size that fits. None does.")
        return draw_batch_sizes(self, ax)


def find_batch_size(
    build: Any,
    x: Any,
    y: Any = None,
    *,
    low: int = 8,
    high: int | None = None,
    noise_scale: float | bool = True,
    values: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    validation_data: Any = None,
    validation_split: float = 0.0,
    seed: int = 0,
) -> BatchSizes:
    """Find the largest batch that fits, the smallest that is as fast as any, and the one to take.

    Sizes are tried in another process, which is replaced where memory runs out: yours never does. Where the backend tells
    what a compiled program takes (JAX), nothing is tried that cannot fit. Sizes are timed by `fit` on this machine as it
    is: leave it alone meanwhile.

    Args:
        build: A build function `build(hp)`.
        x: Inputs, arrays of shape (samples, ...): a dataset makes its own batches.
        y: Targets, (samples, ...). Defaults to None.
        low: The smallest size. Defaults to 8.
        high: The largest. Defaults to half of the samples, at most 65,536.
        noise_scale: Whether to measure the gradient noise scale, which caps the suggestion; or what it is known to be.
            Defaults to True.
        values: Hyperparameters for the build function. Defaults to its defaults.
        sample_weight: How much each sample counts. Defaults to None.
        validation_data: What the validation step is taken on. Defaults to the training data.
        validation_split: The share of the samples at the end held out for that instead. Defaults to 0.
        seed: Of the model. Defaults to 0.

    Returns:
        The sizes with their times and memory, and what follows. Where not even `low` fits, `suggestion` is `None`.

    Raises:
        InvalidInputError: An argument cannot mean anything, or the model cannot be trained.
        DataError: The data cannot be trained on.
    """
    from dialed.tools.batches.bench import opened

    known = _checked_noise(noise_scale)
    whole("low", low)
    data = _arrays(x, y, low, sample_weight, validation_data, validation_split)
    samples = int(data.fold(0).samples or 0)
    top = min(samples // 2, MOST) if high is None else whole("high", high, least=low)
    if top > samples:
        raise InvalidInputError(f"`high` must leave at least one whole batch. Got {high} for {samples} samples.")
    with opened(_load(build, data, low, seed, dict(values or {}))) as bench:
        found = climb(bench, low, top)
        reason = ""
        if known is None and noise_scale is True and found.rungs:
            known, reason = bench.noise()
        return _result(found, bench, samples, known, reason)


def _arrays(x: Any, y: Any, low: int, sample_weight: Any, validation_data: Any, validation_split: float) -> Data:
    data = data_for(
        x,
        y,
        batch_size=low,
        sample_weight=sample_weight,
        validation_data=validation_data,
        validation_split=validation_split,
    )
    if data.kind != "arrays":
        raise InvalidInputError(f"`x` must be arrays: a dataset makes its own batches. Got a {data.kind}.")
    return data


def _checked_noise(noise: object) -> float | None:
    if isinstance(noise, bool):
        return None
    if not isinstance(noise, (int, float)) or not 0 < noise < float("inf"):
        raise InvalidInputError(f"`noise_scale` must be True, False or samples in the range (0, inf). Got {noise!r}.")
    return float(noise)


def _load(build: Any, data: Data, low: int, seed: int, values: dict[str, Any]) -> Load:
    import keras

    from dialed.engine.jax_worker.settings import keras_settings, registered_here
    from dialed.tools.batches.child import Load

    if isinstance(build, keras.Model):
        raise InvalidInputError(
            f"`build` must be a function that builds a model, for each process anew. Got the model '{build.name}'."
        )
    return Load(
        hypermodel=build,
        values=values,
        data=data,
        low=low,
        seed=seed,
        keras=keras_settings(),
        registered=registered_here(),
    )


def _result(found: Ladder, bench: ProcessBench, samples: int, noise: float | None, reason: str) -> BatchSizes:
    fast = knee(found.rungs) if found.rungs else None
    taken = None if fast is None else _capped([rung.size for rung in found.rungs], fast, noise)
    return BatchSizes(
        suggestion=taken,
        range=None if taken is None else (max(1, taken // 4), taken),
        largest=found.largest,
        is_all=found.is_all,
        fastest=fast,
        noise_scale=noise,
        rungs=tuple(found.rungs),
        samples=samples,
        way=_way(found, bench.limit(), reason),
    )


def _capped(sizes: Sequence[int], fast: int, noise: float | None) -> int:
    """The largest size that is not above the noise scale, where `fast` is."""
    if noise is None or fast <= noise:
        return fast
    return max((size for size in sizes if size <= noise), default=sizes[0])


def _way(found: Ladder, limit: int | None, reason: str) -> str:
    from dialed.backend import backend_facts

    memory = "" if limit is None else f" of {limit / 2**30:.1f} GiB"
    if found.foretold:
        way = f"Memory{memory} was planned by what the compiled programs take"
    else:
        way = f"The {backend_facts().name} backend does not tell what its programs take: sizes were tried until one failed"
    told = f"{way}; the largest size was verified in a fresh process."
    return f"{told} The noise scale sets no limit, because {reason}." if reason else told
