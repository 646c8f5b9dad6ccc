"""What a side tells while it runs: a line for each trained epoch, so that nothing is lost when its time is up."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

__all__ = ["Journal", "read"]


class Journal:
    """Writes lines `[seconds, value]`; seconds count from when it was opened.

    Args:
        path: Where to.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._start = time.monotonic()
        self._file.write("begun\n")

    def note(self, value: float) -> None:
        """One more epoch was trained, and measured `value`."""
        self._file.write(json.dumps([time.monotonic() - self._start, float(value)]) + "\n")

    def close(self) -> None:
        """Nothing more is told."""
        self._file.close()

    def callback(self, metric: str) -> Any:
        """A callback of Keras that notes each epoch."""
        import keras

        journal = self

        class Note(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                journal.note((logs or {}).get(metric, float("nan")))

            def __deepcopy__(self, memo: Any) -> Any:
                return self

        return Note()


def read(path: Path) -> tuple[bool, list[tuple[float, float]]]:
    """Whether the side has begun, and what it has told so far. A line that is being written is left out."""
    if not path.exists():
        return False, []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return bool(lines), [tuple(json.loads(line)) for line in lines[1:]]
