"""Going on where another trial stopped, with the whole state: weights, optimizer, random generators and callbacks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from dialed.engine.state import Snapshot, capture, check_fits, restore
from dialed.keras_tuner.engine.files import load_json, save_json
from dialed.store import Checkpoints
from dialed.trial import CheckpointRef, MemberKey

__all__ = ["Continuing"]

_ADDRESS = "state.json"


class Continuing(keras.callbacks.Callback):  # type: ignore[misc]
    """Begins training with the state of another trial, and keeps that of this one.

    Args:
        folder: Of this trial.
        before: Of the trial to go on with. Defaults to none.
    """

    def __init__(self, folder: str, before: str | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.before = before

    def on_train_begin(self, logs: Any = None) -> None:
        if self.before is None:
            return
        arrays, meta = Checkpoints(Path(self.before)).load(CheckpointRef(**load_json(Path(self.before, _ADDRESS))))
        snapshot = Snapshot(arrays=arrays, meta=meta)
        check_fits(snapshot, self.model)
        restore(snapshot, self.model, ())

    def on_train_end(self, logs: Any = None) -> None:
        snapshot = capture(self.model, (), {})
        ref = Checkpoints(Path(self.folder)).save(MemberKey(0, 0, 0), 0, "last", snapshot.arrays, snapshot.meta)
        save_json(Path(self.folder, _ADDRESS), asdict(ref))
