"""A bench of processes: each batch size is tried in one that may die of it, and is replaced then."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from dialed.backend import backend_facts
from dialed.errors import InvalidInputError
from dialed.tools.batches.child import Load
from dialed.tools.batches.ladder import HEADROOM, Rung

__all__ = ["ProcessBench", "opened"]

_MODULE = "dialed.tools.batches.child"

_TOLD_CHARACTERS = 1500


class Died(Exception):
    """The process ended instead of answering; the message says how."""


class Process:
    """A fresh Python with Keras on the backend in use, and what it wrote to standard error."""

    def __init__(self, folder: Path) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, str(folder)],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer.

        Raises:
            Died: There is none.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise Died(self._ending())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ending(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()[-_TOLD_CHARACTERS:]
        return f"exit code {code}" if code >= 0 and not said else f"exit code {code}: {said}"


class ProcessBench:
    """Tries sizes in processes; see `ladder.Bench`.

    Args:
        start: Starts a process.

    Raises:
        InvalidInputError: By any method: the model cannot be trained at all.
    """

    def __init__(self, start: Callable[[], Process]) -> None:
        self._start = start
        self._process: Process | None = None
        self._needs: dict[int, int | None] = {}
        self._limit: Mapping[str, Any] | None = None
        self._last: Rung | None = None

    def limit(self) -> int | None:
        """What the process may take when it begins."""
        if self._limit is None:
            self._limit = self._must({"do": "limit"})
        found: int | None = self._limit["bytes"]
        return found

    def needs(self, size: int) -> int | None:
        """By the memory analysis of the compiled step."""
        if size not in self._needs:
            self._needs[size] = self._must({"do": "needs", "size": size})["bytes"]
        return self._needs[size]

    def tries(self, size: int, *, timed: bool) -> Rung | None:
        """In the process at hand; a new one takes its place where that dies."""
        if self._might_harm(size):
            return None
        answer = self._fits({"do": "try", "size": size, "timed": timed})
        if answer is None:
            return None
        taken = self.needs(size) if self._needs.get(size) is not None else answer["bytes"]
        self._last = Rung(size=size, step_seconds=answer["step_seconds"], bytes=taken)
        return self._last

    def verifies(self, size: int) -> bool:
        """In a process that has done nothing else."""
        self.close()
        return self._fits({"do": "try", "size": size, "timed": False}) is not None

    def noise(self) -> tuple[float | None, str]:
        """The noise scale, or why there is none."""
        self.close()
        try:
            answer = self._asked({"do": "noise"})
        except Died as error:
            return None, str(error)
        return answer.get("value"), str(answer.get("reason") or answer.get("message") or "")

    def close(self) -> None:
        """End the process at hand."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _might_harm(self, size: int) -> bool:
        """Whether to spare the machine the try: its own memory is at stake, and only earlier sizes tell what it takes."""
        limit = self.limit()
        if self._last is None or self._last.bytes is None or limit is None or self.needs(size) is not None:
            return False
        assert self._limit is not None
        return bool(self._limit["shared"]) and self._last.bytes * size / self._last.size > HEADROOM * limit

    def _fits(self, command: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer, or `None` where memory ran out; the process is gone then, and what it could not give back."""
        try:
            answer = self._asked(command)
        except Died as error:
            self.close()
            if self._last is None:  # nothing has been trained yet: memory is not to blame
                raise InvalidInputError(_cannot(str(error))) from error
            return None
        if "failed" not in answer:
            return answer
        self.close()
        if answer["failed"] != "out_of_memory":
            raise InvalidInputError(_cannot(answer["message"]))
        return None

    def _must(self, command: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = self._asked(command)
        except Died as error:
            raise InvalidInputError(_cannot(str(error))) from error
        if "failed" in answer:
            raise InvalidInputError(_cannot(answer["message"]))
        return answer

    def _asked(self, command: Mapping[str, Any]) -> dict[str, Any]:
        if self._process is None:
            self._process = self._start()
        return self._process.ask(command)


@contextlib.contextmanager
def opened(load: Load) -> Iterator[ProcessBench]:
    """A bench for `load`, in a folder that is removed afterwards.

    Raises:
        InvalidInputError: The build function cannot be sent to another process.
    """
    from dialed.engine.jax_worker.parcel import Immovable, module_to_copy, write

    with tempfile.TemporaryDirectory(prefix="dialed-batches-") as name:
        folder = Path(name)
        try:
            write(load, folder, copied=module_to_copy(load.hypermodel), goal="the processes that try sizes")
        except Immovable as error:
            raise InvalidInputError(f"`build` must be such that another process can call it. Got: {error}.") from error
        bench = ProcessBench(lambda: Process(folder))
        try:
            yield bench
        finally:
            bench.close()


def _cannot(said: str) -> str:
    return f"`build` must make a model that can be trained on `x` and `y`. Got: {said}"


def _environment() -> dict[str, str]:
    paths = [os.path.abspath(path) for path in sys.path if isinstance(path, str)]  # "" is the current folder
    return {
        # The caller may hold memory of the device: take it as it is needed, not most of it at once.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        **os.environ,
        "KERAS_BACKEND": backend_facts().name,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
    }
