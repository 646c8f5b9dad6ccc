"""When to give a training up: its loss is no number any more, or so far above its start that it will not come back.

The rule for divergence errs on the side of patience, because a trial that is given up wrongly is lost, and one that is
given up late costs some epochs. Losses rise a hundredfold in trainings that end well (annealed terms, one bad batch).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialed.engine.failures import MemberFailed
from dialed.trial import Cause

__all__ = ["Health"]

HIGH = 1e3
"""Two epochs in a row with a mean loss so many times above that of the first batch count as divergence."""

HOPELESS = 1e6
"""One epoch so far above does."""


@dataclass(slots=True, kw_only=True)
class Health:
    """What is known of a member's loss.

    Distances are measured in units of the first batch's loss, or of 1 where that is smaller in size.

    Args:
        objective: The name of the metric that the study improves.
        start: The loss of the first batch, once its epoch is complete. Defaults to unknown.
        high_epochs: How many epochs in a row had a high loss. Defaults to 0.
    """

    objective: str
    start: float | None = None
    high_epochs: int = 0
    _broken: bool = False
    _first_losses: dict[int, float] = field(default_factory=dict)

    def note_batch(self, batch: int, logs: Mapping[str, float]) -> None:
        """Take note of the running mean after one batch. Keras calls it from several threads, in any order."""
        loss = logs.get("loss")
        if loss is None:
            return
        if not math.isfinite(loss):
            self._broken = True
        elif self.start is None:
            self._first_losses[batch] = float(loss)

    def check_batches(self, epoch: int) -> None:
        """Raise `MemberFailed` if a batch's loss was no number. `epoch` counts the complete ones."""
        if self._broken:
            raise MemberFailed(Cause.NAN, f"The loss became NaN or infinite in epoch {epoch + 1}.")

    def check_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Raise `MemberFailed` if the loss or the objective after `epoch` is no number, or the loss is far too high.

        Other metrics may be undefined: a recall without positives says nothing about the model.
        """
        for name in ("loss", "val_loss", self.objective):
            if not math.isfinite(metrics.get(name, 0.0)):
                raise MemberFailed(Cause.NAN, f"The metric '{name}' became {metrics[name]} in epoch {epoch}.")
        if self.start is None and self._first_losses:
            self.start = self._first_losses[min(self._first_losses)]
            self._first_losses.clear()
        loss = metrics.get("loss")
        if loss is None or self.start is None:
            return
        above = (loss - self.start) / max(1.0, abs(self.start))
        self.high_epochs = self.high_epochs + 1 if above > HIGH else 0
        if above > HOPELESS or self.high_epochs > 1:
            raise MemberFailed(
                Cause.DIVERGED,
                f"The loss diverged: {loss:.3g} in epoch {epoch}, after {self.start:.3g} in the first batch.",
            )
