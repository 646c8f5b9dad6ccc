"""Objects whose state is kept in a JSON file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dialed.keras_tuner.engine.files import load_json, save_json

__all__ = ["Stateful"]


class Stateful:
    """Something that a killed program takes up again when it is run anew: what it has found, not its arguments."""

    def get_state(self) -> dict[str, Any]:
        """The state as JSON types."""
        raise NotImplementedError(f"`{type(self).__name__}.get_state()` must be written by the subclass.")

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `get_state` gave."""
        raise NotImplementedError(f"`{type(self).__name__}.set_state(state)` must be written by the subclass.")

    def save(self, fname: str | os.PathLike[str]) -> str:
        """Write the state to a file, and return the text of it."""
        return save_json(fname, self.get_state())

    def reload(self, fname: str | os.PathLike[str]) -> None:
        """Take up the state that a file holds."""
        self.set_state(load_json(fname))
