"""What a learning rate becomes at another batch size: by hand, and for every trial of a search."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from dialed.errors import InvalidInputError
from dialed.space.domains import Domain

__all__ = ["RateScaling", "Rule", "scale_learning_rate"]

Rule = Literal["linear", "sqrt", "noise"]


def scale_learning_rate(
    learning_rate: float,
    from_batch: int,
    to_batch: int,
    *,
    rule: Rule = "sqrt",
    noise_scale: float | None = None,
) -> float:
    """The learning rate at `to_batch` that does what `learning_rate` did at `from_batch`.

    Choose "linear" for SGD with a warm-up, up to the batch size where it stops helping; "sqrt" for Adam and its family;
    "noise" where the gradient noise scale is known: linear far below it, hardly any change far above.

    Args:
        learning_rate: At `from_batch`, above 0.
        from_batch: Samples in a batch.
        to_batch: Samples in a batch.
        rule: "linear": times `to / from`. "sqrt": times its square root. "noise": as `1 / (1 + noise_scale / batch)`.
            Defaults to "sqrt".
        noise_scale: For "noise": samples, above 0. Defaults to None.

    Returns:
        The learning rate.

    Raises:
        InvalidInputError: A number that is not positive, an unknown rule, or "noise" without its scale.

    Example:
        >>> scale_learning_rate(0.1, 32, 128, rule="linear"), scale_learning_rate(1e-3, 32, 128, rule="sqrt")
        (0.4, 0.002)

    References:
        Goyal and others 2017, "Accurate, large minibatch SGD"; Krizhevsky 2014, "One weird trick for parallelizing
        convolutional neural networks"; McCandlish and others 2018, "An empirical model of large-batch training".
    """
    _check_positive("learning_rate", learning_rate)
    _check_batch("from_batch", from_batch)
    _check_batch("to_batch", to_batch)
    ratio = to_batch / from_batch
    match rule:
        case "linear":
            return learning_rate * ratio
        case "sqrt":
            return learning_rate * math.sqrt(ratio)
        case "noise":
            if noise_scale is None:
                raise InvalidInputError(
                    "The `noise_scale` must be given for rule='noise'. Got None. Take rule='sqrt' where it is not known."
                )
            _check_positive("noise_scale", noise_scale)
            return learning_rate * (1.0 + noise_scale / from_batch) / (1.0 + noise_scale / to_batch)
    known = ", ".join(map(repr, get_args(Rule)))
    raise InvalidInputError(f"The `rule` must be one of {known}. Got {rule!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateScaling:
    """How the learning rate of a trial follows its batch size: what a search is given as `lr_scaling`.

    The build function sets the rate for batches of `batch_size`. A trial with other batches trains with what that becomes.

    Args:
        rule: As in `scale_learning_rate`.
        batch_size: The batch size that rates are meant for.
        noise_scale: For "noise". Defaults to None.
    """

    rule: Rule
    batch_size: int
    noise_scale: float | None = None

    @classmethod
    def of(cls, given: Any, batch_size: Any) -> Self | None:
        """What `given` asks for, beside the `batch_size` of the search; `None` for nothing.

        Args:
            given: A rule, or a mapping with `rule` and perhaps `batch_size` and `noise_scale`.
            batch_size: An int or a domain, whose default then stands for a batch size that is not given.

        Raises:
            InvalidInputError: It means nothing, or all trials have the same batches.
        """
        if given is None:
            return None
        asked: Any = {"rule": given} if isinstance(given, str) else given
        if not isinstance(asked, Mapping) or "rule" not in asked:
            raise InvalidInputError(
                f'`lr_scaling` must be a rule ("linear", "sqrt"), or a dict with `rule` and perhaps `batch_size` and '
                f"`noise_scale`. Got {given!r}."
            )
        _check_keys(asked)
        if "batch_size" not in asked and not isinstance(batch_size, Domain):
            raise InvalidInputError(
                f"`lr_scaling` must come with a `batch_size` that is tuned, or name the one that rates are meant for. Got "
                f"batch_size={batch_size!r}. Pass batch_size=dialed.Choice([32, 64, 128])."
            )
        reference = asked.get("batch_size", getattr(batch_size, "default", None))
        made = cls(rule=asked["rule"], batch_size=reference, noise_scale=asked.get("noise_scale"))
        made.factor(reference)  # which checks the numbers
        return made

    def factor(self, batch_size: int) -> float:
        """What a learning rate is multiplied by for batches of so many samples."""
        return scale_learning_rate(1.0, self.batch_size, batch_size, rule=self.rule, noise_scale=self.noise_scale)

    def apply(self, model: Any, batch_size: int) -> None:
        """Give the compiled `model` the learning rate, or the schedule, for such batches."""
        import keras

        from dialed.engine.scaled_schedule import ScaledSchedule

        factor = self.factor(int(batch_size))
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # inside a LossScaleOptimizer
        if factor == 1.0 or optimizer is None:
            return
        if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            optimizer._learning_rate = ScaledSchedule(optimizer._learning_rate, factor)
        else:
            optimizer.learning_rate = float(optimizer.learning_rate) * factor


def _check_keys(asked: Mapping[str, Any]) -> None:
    known = ("rule", "batch_size", "noise_scale")
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise InvalidInputError(f"`lr_scaling` must name `rule`, `batch_size`, `noise_scale`. Got `{name}`.{hint}")


def _check_positive(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InvalidInputError(f"The `{name}` must be a number in the range (0, inf). Got {value!r}.")


def _check_batch(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInputError(f"The `{name}` must be an int in the range [1, inf). Got {value!r}.")
