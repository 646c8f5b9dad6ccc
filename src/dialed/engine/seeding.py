"""Randomness during training: the one file that touches the global generators of Python, NumPy, Keras and torch.

Keras draws from all of them: Python's `random` seeds initialisers and dropout layers, NumPy shuffles, torch's generator
shuffles on its backend, and unseeded random operations use one of Keras's own. A member that is continued exactly needs
each of them as it was; whoever called Dialed gets each of them back untouched.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from dialed.engine.packing import Arrays, pack, unpack

__all__ = [
    "capture_random",
    "numpy_state",
    "permutation",
    "preserved",
    "reseed",
    "restore_random",
    "seeded",
    "set_numpy_state",
    "taken_up",
]

_NAMES = "object_name_uids"  # keras/src/utils/naming.py: how many of each class have been named so far
_SEED = "global_random_seed"  # keras/src/utils/rng_utils.py
_GENERATOR = "global_seed_generator"  # keras/src/random/seed_generator.py
_KERAS = (_NAMES, _SEED, _GENERATOR)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed everything inside with `seed`, and give the caller's generators back unchanged.

    Automatic names start over inside too ("dense", "auc"), so that a metric has the same name in every trial.
    """
    with preserved():
        keras_before = _keras_globals()
        try:
            reseed(seed)
            yield
        finally:
            _set_keras_globals(keras_before)


@contextmanager
def taken_up(seed: int, state: dict[str, Any], arrays: Arrays) -> Iterator[None]:
    """`seeded`, but the generators inside go on from where `capture_random` found them."""
    with seeded(seed):
        restore_random(state, arrays)
        yield


def reseed(seed: int) -> None:
    """Seed all generators and let automatic names start over, as in a new process. Belongs inside `seeded`.

    This is `keras.utils.set_random_seed`, except that TensorFlow is not imported for it: that takes five seconds, on
    every backend, wherever TensorFlow happens to be installed.
    """
    import keras

    seed = int(seed)
    if keras.backend.backend() == "tensorflow" or "tensorflow" in sys.modules:
        keras.utils.set_random_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch = _torch()
    if torch is not None:  # a torch DataLoader shuffles with torch's generator on every backend
        torch.manual_seed(seed)
    _set_keras_globals({_NAMES: defaultdict(int), _SEED: seed, _GENERATOR: None})


@contextmanager
def preserved() -> Iterator[None]:
    """Give the generators of Python, NumPy and torch back as they were, whatever is drawn inside."""
    arrays: Arrays = {}
    state = _capture_global(arrays)
    try:
        yield
    finally:
        _restore_global(state, arrays)


def permutation(count: int) -> np.ndarray:
    """The numbers below `count` in random order, from NumPy's global generator, as Keras draws them."""
    return np.random.permutation(count)


def numpy_state() -> dict[str, Any]:
    """The state of NumPy's global generator."""
    return dict(np.random.get_state(legacy=False))


def set_numpy_state(state: dict[str, Any]) -> None:
    """Put NumPy's global generator into a state of `numpy_state`."""
    np.random.set_state(state)


def capture_random(arrays: Arrays) -> dict[str, Any]:
    """The state of all generators as JSON; its arrays go into `arrays`."""
    import keras

    state = _capture_global(arrays)
    generator = _keras_globals()[_GENERATOR]
    if generator is not None:
        arrays["random/keras"] = np.array(keras.ops.convert_to_numpy(generator.state.value))
    return {**state, "keras": generator is not None}


def restore_random(state: dict[str, Any], arrays: Arrays) -> None:
    """Put all generators into a state that `capture_random` returned."""
    _restore_global(state, arrays)
    if state["keras"]:
        from keras.src.random.seed_generator import global_seed_generator

        with preserved():  # making one draws its first seed
            generator = global_seed_generator()
        generator.state.assign(arrays["random/keras"])


def _capture_global(arrays: Arrays) -> dict[str, Any]:
    version, words, gauss = random.getstate()
    arrays["random/python"] = np.array(words, dtype=np.uint32)
    state = {
        "python": {"version": version, "gauss": gauss},
        "numpy": pack(np.random.get_state(legacy=False), "random/numpy", arrays),
    }
    torch = _torch()
    if torch is not None:
        state["torch"] = _capture_torch(torch, arrays)
    return state


def _restore_global(state: dict[str, Any], arrays: Arrays) -> None:
    python = state["python"]
    random.setstate((python["version"], tuple(arrays["random/python"].tolist()), python["gauss"]))
    np.random.set_state(unpack(state["numpy"], arrays))
    torch = _torch()
    if torch is not None and "torch" in state:
        torch.set_rng_state(torch.from_numpy(arrays["random/torch"].copy()))
        for index in range(state["torch"]):
            torch.cuda.set_rng_state(torch.from_numpy(arrays[f"random/cuda/{index}"].copy()), index)


def _capture_torch(torch: Any, arrays: Arrays) -> int:
    """Note the states of torch's generators; return how many GPUs have one."""
    arrays["random/torch"] = torch.get_rng_state().numpy().copy()
    states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    for index, state in enumerate(states):
        arrays[f"random/cuda/{index}"] = state.cpu().numpy().copy()
    return len(states)


def _torch() -> Any:
    """Torch, if somebody has imported it."""
    module = sys.modules.get("torch")
    return module if hasattr(module, "set_rng_state") else None


def _keras_globals() -> dict[str, Any]:
    from keras.src.backend.common import global_state

    return {name: global_state.get_global_attribute(name) for name in _KERAS}


def _set_keras_globals(values: dict[str, Any]) -> None:
    from keras.src.backend.common import global_state

    for name, value in values.items():
        global_state.set_global_attribute(name, value)
