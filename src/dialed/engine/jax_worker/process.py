"""The process with JAX: started early, used when there is something to train, ended with whoever started it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dialed.engine.jax_worker.child import Child, importable

__all__ = ["JaxProcess"]

_MODULE = "dialed.engine.jax_worker"


class JaxProcess:
    """A Python of its own with Keras on JAX (see `Child`). It ends when this process does, in whatever way.

    Args:
        environment: The environment to start from. Defaults to that of this process.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._child = Child(_MODULE, environment=_environment(environment))
        self.channel = self._child.channel
        self.tenant: object = None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

    def close(self) -> None:
        """End it, whatever it does."""
        self._child.close()

    def post_mortem(self) -> str:
        """Wait for the end of a process whose line is dead; how it ended, for people."""
        return self._child.post_mortem()


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """What the process starts with: JAX as the backend, and everything importable that is importable here."""
    return {
        # This process has its own arrays on the device: take memory there as it is needed, not most of it at once.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        **given,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": importable(),
    }
