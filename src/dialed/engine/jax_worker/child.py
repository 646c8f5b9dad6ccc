"""Another Python, started by this one, with a line to it that nobody else can reach."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from multiprocessing import Pipe
from typing import IO, Any

from dialed.engine.jax_worker.channel import Channel

__all__ = ["Child", "importable"]

_END_SECONDS = 5.0
"""How long an ending process is waited for before it is killed."""

_TAIL_BYTES = 4096
"""What is kept of what a process writes: its last words."""


class Child:
    """A process of its own. It is there at once, and can be talked to when its imports are done.

    The line to it is a pair of connected sockets that it inherits: nothing is listened on. It hears when this process
    ends, in whatever way. Ctrl-C in a terminal does not reach it: whoever drives it says when it is to stop.

    Args:
        module: What it runs: `python -m MODULE DESCRIPTOR PARENT ...`.
        *arguments: What it is told besides.
        environment: The whole environment that it starts with.
        urgent, deserted: As for a `Channel`.
        quiet: Whether what it writes is read here, and only its last words kept. Defaults to letting it write.

    Attributes:
        channel: The line to it.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        urgent: Callable[[Any], bool] | None = None,
        deserted: Callable[[], object] | None = None,
        quiet: bool = False,
    ) -> None:
        ours, theirs = Pipe()
        try:
            self._process = subprocess.Popen(
                # -P: the current folder is importable there only where it is here (`importable` says what is).
                [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid()), *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if quiet else None,
                stderr=subprocess.STDOUT if quiet else None,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._said = bytearray()
        if self._process.stdout is not None:
            threading.Thread(target=self._hear, args=(self._process.stdout,), daemon=True, name="dialed-said").start()
        self.channel = Channel(ours, urgent=urgent, deserted=deserted)
        self._end = weakref.finalize(self, _end, self._process)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The last line that it wrote, where it is quiet; empty if there was none."""
        lines = bytes(self._said).decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else ""

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once, and what it has started itself."""
        if self.is_alive:
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, whatever it does."""
        self._end()

    def post_mortem(self) -> str:
        """Wait for the end of a process whose line is dead; how it ended, for people."""
        if not self.wait(_END_SECONDS):
            self.kill()
        code = self._process.wait()
        self.close()
        if code >= 0:
            return f"it ended with exit code {code}"
        hint = ", as it is when memory runs out" if -code == signal.SIGKILL else ""
        return f"it was killed by signal {-code} ({signal.strsignal(-code)}){hint}"

    def _hear(self, stream: IO[bytes]) -> None:
        """Read what it writes, so that it never waits for a reader, and keep the end."""
        with stream:
            while more := os.read(stream.fileno(), 1 << 16):
                self._said += more
                del self._said[:-_TAIL_BYTES]


def importable() -> str:
    """A PYTHONPATH with which everything is importable that is importable here."""
    paths = [os.path.abspath(path) for path in sys.path if isinstance(path, str)]  # "" is the current folder
    return os.pathsep.join(dict.fromkeys(paths))


def _end(process: subprocess.Popen[bytes]) -> None:
    """The listening thread hears the end of the line, and closes it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
