"""What of the machine each worker gets: cores, threads and accelerators, so that workers do not crowd each other."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = ["Share", "cores_here", "deal", "devices_here", "environment_of", "settle"]

T = TypeVar("T")

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
_OF_DEVICE = 0.9
"""The part of an accelerator's memory that the workers on it take together: the driver needs some as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One worker's part of the machine.

    Args:
        cores: The numbers of its processor cores.
        devices: Its accelerators, as CUDA_VISIBLE_DEVICES names them; none where there are none.
        crowd: How many workers share each of them.
    """

    cores: tuple[int, ...]
    devices: tuple[str, ...] = ()
    crowd: int = 1


def deal(workers: int, cores: Sequence[int], devices: Sequence[str] = ()) -> list[Share]:
    """Deal cores and accelerators out to `workers`; where there are too few of them, workers share.

    Example:
        >>> [share.cores for share in deal(2, [0, 1, 2, 3])]
        [(0, 1), (2, 3)]
        >>> [share.devices for share in deal(3, [0], ["0", "1"])]
        [('0',), ('1',), ('0',)]
    """
    crowd = -(-workers // len(devices)) if devices else 1
    return [
        Share(cores=_dealt(number, workers, cores), devices=_dealt(number, workers, devices), crowd=crowd)
        for number in range(workers)
    ]


def _dealt(number: int, workers: int, things: Sequence[T]) -> tuple[T, ...]:
    if workers > len(things):
        return (things[number % len(things)],) if things else ()
    return tuple(things[len(things) * number // workers : len(things) * (number + 1) // workers])


def environment_of(share: Share, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker; what the user has set about threads stays.

    JAX takes as many threads as there are cores that it may use (`settle`); the others read variables.
    """
    threads = dict.fromkeys(_THREADS, str(len(share.cores))) | {"TF_NUM_INTEROP_THREADS": "1"}
    if not share.devices:
        return {**threads, **given}
    accelerators = {"CUDA_VISIBLE_DEVICES": ",".join(share.devices)}
    if share.crowd > 1:
        accelerators["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_OF_DEVICE / share.crowd:.2f}"
        accelerators["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return {**threads, **given, **accelerators}


def cores_here() -> list[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def devices_here(environment: Mapping[str, str]) -> list[str]:
    """The NVIDIA accelerators that may be used, without starting any library that would take hold of them."""
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, "--query-gpu=index", "--format=csv,noheader"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):  # a driver that is not running: there is nothing to use
        return []
    return found.stdout.split()


def settle(cores: Sequence[int]) -> None:
    """Keep this process to its cores, and let the system end it rather than the process that drives it.

    Neither is possible everywhere; where it is not, the worker works all the same.
    """
    with contextlib.suppress(OSError, AttributeError):
        if cores:
            os.sched_setaffinity(0, cores)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
