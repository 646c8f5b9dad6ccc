"""`python -m dialed.tools.batches.child FOLDER`: the fresh process in which batch sizes are tried. `bench` starts it.

Commands come as lines of JSON, answers go back likewise. What the user's code prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dialed.engine.movable import Part

__all__ = ["Load", "main"]

EPOCH_SECONDS = 0.25
"""A size is timed over short epochs of about so long, or of all the data, if that is less."""

EPOCHS = 3
"""So many of them; the fastest counts: whatever disturbs a measurement makes it longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the process is to try: what builds the model, on which data, with which settings of Keras."""

    hypermodel: Any
    values: Mapping[str, Any]
    data: Any
    low: int
    seed: int
    keras: Mapping[str, Any]
    registered: Mapping[str, Any]

    @property
    def parts(self) -> Sequence[Part]:
        """What of it is the user's own."""
        return (
            Part("the build function", self.hypermodel, "make such objects inside of it"),
            Part("a hyperparameter", self.values, "pass plain values"),
            Part("a registered class", self.registered, "move it into a module"),
        )


def main(folder: str) -> None:
    """Serve until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _be_first_to_go()
    with contextlib.redirect_stdout(sys.stderr):
        _serve(Path(folder), answers)


def _be_first_to_go() -> None:
    """Where memory runs out for the whole machine, Linux ends the process that volunteers, not the user's."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _serve(folder: Path, answers: IO[str]) -> None:
    from dialed.engine.failures import failure_from

    worker: _Worker | None = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            worker = worker or _Worker(folder)
            answer = worker.do(command)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the answer
            failure = failure_from(error)
            answer = {"failed": str(failure.cause), "message": failure.message}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


class _Worker:
    """One model, and what is asked about it."""

    def __init__(self, folder: Path) -> None:
        from dialed.engine.jax_worker.parcel import read
        from dialed.engine.jax_worker.settings import register

        load: Load = read(folder)
        _apply(load.keras)
        register(load.registered)
        from dialed.engine.building import ensure_built
        from dialed.tools.given import recipe_for
        from dialed.tools.numbers import check_trainable

        self.load = load
        self.fold = load.data.fold(0)
        recipe = recipe_for(load.hypermodel, load.data, load.low)
        recipe.look_at(load.data)
        self.model = recipe.realise(load.values, load.seed).model
        ensure_built(self.model, self.fold, load.low)
        check_trainable(self.model)
        self.programs = folder / "programs"

    def do(self, command: Mapping[str, Any]) -> dict[str, Any]:
        with self._kept_programs():
            match command["do"]:
                case "limit":
                    return memory_limit()
                case "needs":
                    return {"bytes": step_bytes(self.model, self._rows(command["size"]))}
                case "try":
                    return self._tried(command["size"], timed=command["timed"])
                case "noise":
                    return self._noise()
        raise ValueError(f"There is no such command: {command}.")

    def _tried(self, size: int, *, timed: bool) -> dict[str, Any]:
        """One training and one validation step, and the time of more."""
        self._epoch(1, size)  # which compiles
        self._judge(size)
        seconds = None
        if timed:
            wanted = EPOCH_SECONDS / max(self._epoch(1, size), 1e-6)
            steps = max(1, min(int(self.fold.samples) // size, int(wanted)))
            seconds = min(self._epoch(steps, size) for _ in range(EPOCHS))
        return {"step_seconds": seconds, "bytes": peak_bytes()}

    def _epoch(self, steps: int, size: int) -> float:
        """Seconds of a step in an epoch of so many full batches, by `fit`."""
        x, y, weights = self._rows(steps * size)
        watch = _watch()
        self.model.fit(x, y, sample_weight=weights, batch_size=size, epochs=1, verbose=0, callbacks=[watch])
        return float(watch.seconds / steps)

    def _judge(self, size: int) -> None:
        held_out = self.fold.validation
        parts = held_out if isinstance(held_out, tuple) else (self.fold.x, self.fold.y, self.fold.sample_weight)
        x, y, weights = (*(_taken(part, size) for part in parts), None)[:3]
        self.model.evaluate(x, y, sample_weight=weights, batch_size=size, verbose=0)

    def _rows(self, count: int) -> tuple[Any, Any, Any]:
        x, y, weights = (_taken(part, count) for part in (self.fold.x, self.fold.y, self.fold.sample_weight))
        return x, y, weights

    def _noise(self) -> dict[str, Any]:
        """The noise scale, from as few batches as tell its order of magnitude."""
        from dialed.tools.noise import noise_scale

        fold = self.fold
        small = max(1, min(16, fold.samples // 32))
        found = noise_scale(
            self.load.hypermodel,
            fold.x,
            fold.y,
            sample_weight=fold.sample_weight,
            values=self.load.values,
            batch_size=small,
            seeds=2,
            seed=self.load.seed,
        )
        return {"value": found.value, "reason": found.reason}

    @contextlib.contextmanager
    def _kept_programs(self) -> Iterator[None]:
        """What one process has compiled, the next one reads."""
        import keras

        if keras.backend.backend() != "jax":
            yield
            return
        from dialed.engine.fused.compile_cache import CompileCache

        with CompileCache(self.programs).active():
            yield


def _watch() -> Any:
    import keras

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        seconds = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.perf_counter() - self.began

    return Watch()


def _taken(part: Any, count: int) -> Any:
    import keras

    return None if part is None else keras.tree.map_structure(lambda array: array[:count], part)


def _apply(settings: Mapping[str, Any]) -> None:
    import keras

    if keras.backend.backend() == "jax":
        from dialed.engine.jax_worker.settings import apply_settings

        apply_settings(settings)
        return
    keras.config.set_floatx(settings["floatx"])
    keras.config.set_epsilon(settings["epsilon"])
    keras.config.set_image_data_format(settings["image_data_format"])
    keras.config.set_dtype_policy(keras.dtype_policies.deserialize(settings["dtype_policy"]))


def step_bytes(model: Any, batch: tuple[Any, Any, Any]) -> int | None:
    """What the compiled training step takes for `batch`, its inputs with it; `None` where the backend does not say."""
    import keras

    if keras.backend.backend() != "jax":
        return None
    import jax

    from dialed.engine.fused.tracing import state_of

    if not model.jit_compile or model.run_eagerly:
        return None
    model._symbolic_build(data_batch=batch)  # the loss and the metrics have variables, too
    shapes = jax.tree.map(_shape, batch)
    told = jax.jit(model.train_step, donate_argnums=0).lower(state_of(model), shapes).compile().memory_analysis()
    if told is None:
        return None
    taken = told.argument_size_in_bytes + told.output_size_in_bytes + told.temp_size_in_bytes
    return int(taken - told.alias_size_in_bytes)


def _shape(array: Any) -> Any:
    import jax
    import keras

    dtype = keras.backend.standardize_dtype(array.dtype)
    dtype = keras.config.floatx() if keras.backend.is_float_dtype(dtype) else dtype
    return jax.ShapeDtypeStruct(array.shape, jax.dtypes.canonicalize_dtype(dtype))  # type: ignore[no-untyped-call]


def memory_limit() -> dict[str, Any]:
    """The memory that there is to train in, as `bytes` (`None` where nothing says), and whether it is the machine's own.

    A device of its own refuses what it has no room for. A machine may end other processes instead.
    """
    import keras

    match keras.backend.backend():
        case "jax":
            import jax

            from dialed.engine.fused.device import free_bytes

            return {"bytes": free_bytes(), "shared": jax.default_backend() == "cpu"}
        case "torch":
            import torch

            if torch.cuda.is_available():
                return {"bytes": int(torch.cuda.mem_get_info()[0]), "shared": False}
        case "tensorflow":
            import tensorflow

            if tensorflow.config.list_physical_devices("GPU"):
                return {"bytes": None, "shared": False}
    from dialed.engine.memory import available_bytes

    return {"bytes": available_bytes(), "shared": True}


def peak_bytes() -> int | None:
    """The most that the device, or else the process, has taken so far; `None` where nothing says."""
    import keras

    match keras.backend.backend():
        case "jax":
            import jax

            stats = jax.local_devices()[0].memory_stats()
            if stats and "peak_bytes_in_use" in stats:
                return int(stats["peak_bytes_in_use"])
        case "torch":
            import torch

            if torch.cuda.is_available():
                return int(torch.cuda.max_memory_allocated())
    from dialed.engine.memory import peak_memory_bytes

    return peak_memory_bytes()


if __name__ == "__main__":
    main(sys.argv[1])
