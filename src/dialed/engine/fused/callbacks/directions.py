"""Whether less or more of a metric is better, for callbacks that find it out from the model."""

from __future__ import annotations

from typing import Any

import keras

from dialed.engine.fused.callbacks.view import View

__all__ = ["Directions"]


class Directions:
    """Directions of metrics, found once for all models of one anatomy.

    Keras asks the model's metrics, which must be built for that: that takes as long as building the model.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Any] = {}

    def tell(self, callback: Any, digest: str, view: View) -> None:
        """Let `callback` know the direction of what it monitors, as it would find it after its first epoch.

        Args:
            callback: A callback of Keras's that monitors a metric with mode="auto", and has its model.
            digest: The digest of the model's anatomy.
            view: The model's.
        """
        key = (digest, callback.monitor)
        if key in self._found:
            callback.mode = "min" if self._found[key] is keras.ops.less else "max"
            callback._set_monitor_op()
            callback.mode = "auto"
            return
        view.prepare()
        try:
            callback._set_monitor_op()
        except ValueError:  # there is no such metric: it is raised again after the first epoch, as in `fit`
            return
        self._found[key] = callback.monitor_op
